//! The table of everybody, and the table of address lists. Source: MS-OXNSPI 3.1.4.1.3 to 3.1.4.1.5, 3.1.4.1.8.

use mapi_types::PropTag;
use mapi_wire::{
    PropValue,
    nspi::{
        Columns, GetSpecialTable, MId, QueryRows, ResortRestriction, Resorted, RowsFound,
        SeekEntries, SpecialTable, Stat, Tagged, UpdateStat, UpdatedStat,
    },
};

use super::entry::{CODE_PAGE, DEFAULT_COLUMNS, Entry, everybody, rows};
use crate::{
    mapi_http::body,
    model::{entry_id::address_book, error::Code, organisation::Organisation, tags},
};

/// Flags of GetSpecialTable: templates for new addresses.
const TEMPLATES: u32 = 2;

/// The version of the table of address lists.
const VERSION: u32 = 1;

/// PidTagDisplayType of a container.
const CONTAINER: u32 = 0x100;

/// PidTagContainerFlags: it has entries, and cannot be changed.
const CONTAINER_FLAGS: PropTag = PropTag(0x3600_0003);
const RECIPIENTS_UNMODIFIABLE: i32 = 0x0b;

/// PidTagAddressBookContainerId.
const CONTAINER_ID: PropTag = PropTag(0xfffd_0003);

/// PidTagAddressBookIsMaster.
const IS_MASTER: PropTag = PropTag(0xfffb_000b);

/// The error of a seek beyond the last row.
const NOT_FOUND: u32 = Code::NOT_FOUND.0;

/// The address lists: the global one. There are no templates.
pub(super) fn special(ask: &GetSpecialTable) -> Vec<u8> {
    let known = ask.version == Some(VERSION);
    let templates = ask.flags & TEMPLATES != 0;
    let list = vec![
        tagged(
            tags::ENTRY_ID,
            PropValue::Binary(address_book("/", CONTAINER)),
        ),
        tagged(CONTAINER_FLAGS, PropValue::I32(RECIPIENTS_UNMODIFIABLE)),
        tagged(tags::DEPTH, PropValue::I32(0)),
        tagged(CONTAINER_ID, PropValue::I32(0)),
        tagged(
            tags::DISPLAY_NAME,
            PropValue::String("Global Address List".into()),
        ),
        tagged(IS_MASTER, PropValue::Bool(false)),
    ];
    let rows = match templates {
        true => Some(Vec::new()),
        false => Some(vec![list]),
    };
    let table = SpecialTable {
        code_page: CODE_PAGE,
        version: (!templates).then_some(VERSION),
        rows: rows.filter(|_| templates || !known),
    };
    body(Code::OK.0, table, Vec::new())
}

const fn tagged(tag: PropTag, value: PropValue) -> Tagged {
    Tagged {
        tag,
        value: Some(value),
    }
}

/// Rows from a place on, or of certain entries.
pub(super) fn query_rows(organisation: &Organisation, ask: QueryRows) -> Vec<u8> {
    let all = everybody(organisation);
    let mut stat = ask.stat.unwrap_or_default();
    let wanted = ask.row_count as usize;
    let found: Vec<Entry> = match ask.mids.is_empty() {
        false => {
            let users = ask.mids.iter().filter_map(|mid| organisation.by_mid(mid.0));
            users.take(wanted).map(Entry::new).collect()
        }
        true => {
            let from = place(&all, &stat);
            let total = all.len();
            let found: Vec<_> = all.into_iter().skip(from).take(wanted).collect();
            move_to(organisation, &mut stat, from + found.len(), total);
            found
        }
    };
    let found = RowsFound {
        stat: Some(stat),
        rows: Some(rows(&found, ask.columns)),
    };
    body(Code::OK.0, found, Vec::new())
}

/// Where a STAT stands in the table. Source: MS-OXNSPI 3.1.4.5.1.
fn place(all: &[Entry], stat: &Stat) -> usize {
    let base = match stat.current_rec {
        MId::BEGINNING_OF_TABLE => 0,
        MId::END_OF_TABLE => all.len(),
        MId::CURRENT => stat.num_pos as usize,
        mid => all
            .iter()
            .position(|entry| entry.mid() == mid)
            .unwrap_or(all.len()),
    };
    let moved = base as i64 + i64::from(stat.delta);
    moved.clamp(0, all.len() as i64) as usize
}

fn move_to(organisation: &Organisation, stat: &mut Stat, place: usize, total: usize) {
    let all = everybody(organisation);
    stat.current_rec = all.get(place).map_or(MId::END_OF_TABLE, Entry::mid);
    stat.num_pos = place as u32;
    stat.total_recs = total as u32;
    stat.delta = 0;
}

/// Which columns there are.
pub(super) fn columns() -> Vec<u8> {
    let mut columns = DEFAULT_COLUMNS.to_vec();
    columns.extend([
        tags::ACCOUNT,
        tags::GIVEN_NAME,
        tags::SURNAME,
        tags::EMS_AB_PROXY_ADDRESSES,
    ]);
    let columns = Columns {
        columns: Some(columns),
    };
    body(Code::OK.0, columns, Vec::new())
}

/// The first row at or after a name.
pub(super) fn seek(organisation: &Organisation, ask: SeekEntries) -> Vec<u8> {
    let mut stat = ask.stat.unwrap_or_default();
    let target = match ask.target.and_then(|target| target.value) {
        Some(PropValue::String(text)) => text.to_text().to_lowercase(),
        Some(PropValue::String8(text)) => String::from_utf8_lossy(&text).to_lowercase(),
        _ => String::new(),
    };
    let all = everybody(organisation);
    let total = all.len();
    let Some(from) = all.iter().position(|entry| entry.sort_key() >= target) else {
        let nothing = RowsFound {
            stat: ask.stat,
            rows: None,
        };
        return body(NOT_FOUND, nothing, Vec::new());
    };
    move_to(organisation, &mut stat, from, total);
    let found: Vec<_> = all.into_iter().skip(from).collect();
    let found = RowsFound {
        stat: Some(stat),
        rows: ask.columns.map(|columns| rows(&found, Some(columns))),
    };
    body(Code::OK.0, found, Vec::new())
}

/// Moves a place.
pub(super) fn update(organisation: &Organisation, ask: UpdateStat) -> Vec<u8> {
    let all = everybody(organisation);
    let mut stat = ask.stat.unwrap_or_default();
    let before = Stat { delta: 0, ..stat };
    let from = place(&all, &before);
    let to = place(&all, &stat);
    move_to(organisation, &mut stat, to, all.len());
    let updated = UpdatedStat {
        stat: Some(stat),
        delta: (ask.delta_requested != 0).then_some(to as i32 - from as i32),
    };
    body(Code::OK.0, updated, Vec::new())
}

/// Entries in the order of the table.
pub(super) fn resort(organisation: &Organisation, ask: ResortRestriction) -> Vec<u8> {
    let mids = ask.mids.unwrap_or_default();
    let all = everybody(organisation).into_iter().map(|entry| entry.mid());
    let sorted = all.filter(|mid| mids.contains(mid)).collect();
    let resorted = Resorted {
        stat: ask.stat,
        mids: Some(sorted),
    };
    body(Code::OK.0, resorted, Vec::new())
}
