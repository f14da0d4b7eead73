//! What is asked in one session.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::{
    PropValue, TaggedValue,
    http::body::Text8,
    nspi::{DnToMId, GetMatches, GetProps, MId, QueryRows, Rows, SeekEntries, Stat, Tagged},
    restriction::Restriction,
};

use super::{
    bound::{Bound, beginning},
    columns::{self, RowOf},
    entry::{Entry, smtp_address},
};
use crate::fault::{Result, code};

/// The most entries that a search may match before it is taken as a prefix of names.
const MATCHES_MAX: u32 = 1000;

/// Rows asked for at once: some hundred octets each.
const PAGE_ROWS: usize = 100;

/// The longest text that is looked for, in octets; a server compares it with every entry.
pub(super) const TEXT_BYTES_MAX: usize = 512;

/// The longest distinguished name that is looked for, in octets.
const DN_BYTES_MAX: usize = 4096;

/// RELOP_EQ.
const EQUAL: u8 = 4;

/// MAPI_E_TABLE_TOO_BIG: more entries match than were asked for.
const TABLE_TOO_BIG: u32 = 0x8004_0403;

/// Entries that a text may mean; what matches too many is taken as the beginning of a display name.
pub(super) async fn search(book: &mut Bound, text: &str, limit: usize) -> Result<Vec<Entry>> {
    match matches(book, text).await {
        Ok(mids) => {
            let mids = mids.get(..limit).unwrap_or(&mids);
            Ok(entries(&rows_of(book, mids, &columns::ENTRY).await?))
        }
        Err(fault) if fault.code() == Some(TABLE_TOO_BIG) => starting_with(book, text, limit).await,
        Err(fault) => Err(fault),
    }
}

/// The entry with a distinguished name.
pub(super) async fn entry(book: &mut Bound, dn: &str) -> Result<Option<Entry>> {
    let found = mids_of(book, &[dn]).await?.into_iter().next();
    let Some(current_rec) = found.filter(|mid| *mid != MId::default()) else {
        return Ok(None);
    };
    let ask = GetProps {
        flags: 0,
        stat: Some(Stat {
            current_rec,
            ..beginning()
        }),
        tags: Some(columns::ENTRY.into()),
    };
    let values: Vec<Tagged> = book.ask(&ask).await?.values.unwrap_or_default();
    Ok(Entry::of(values.as_slice()))
}

/// Entries that a text may mean. Source: MS-OXNSPI 3.1.4.1.10.
async fn matches(book: &mut Bound, text: &str) -> Result<Vec<MId>> {
    let value = TaggedValue {
        tag: columns::ANR,
        value: PropValue::String(text.into()),
    };
    let ask = GetMatches {
        reserved: 0,
        stat: Some(beginning()),
        mids: None,
        interface_flags: 0,
        restriction: Some(Restriction::Property {
            relation: EQUAL,
            tag: columns::ANR,
            value: Box::new(value),
        }),
        property_name: None,
        row_count: MATCHES_MAX,
        columns: None,
    };
    match book.ask(&ask).await {
        Ok(found) => Ok(found.mids.unwrap_or_default()),
        Err(fault) if fault.code() == Some(code::NOT_FOUND) => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

/// Rows of entries, in their order, one for each. Source: MS-OXNSPI 3.1.4.1.8.
///
/// A server may give fewer at once than were asked for; what one never gives is missing at the end.
async fn rows_of(book: &mut Bound, mids: &[MId], columns: &[PropTag]) -> Result<Rows> {
    let mut all = Rows::default();
    let mut rest = mids;
    while !rest.is_empty() {
        let now = rest.get(..PAGE_ROWS).unwrap_or(rest);
        let ask = QueryRows {
            flags: 0,
            stat: Some(beginning()),
            mids: now.into(),
            row_count: now.len() as u32,
            columns: Some(columns.into()),
        };
        let rows = book.ask(&ask).await?.rows.unwrap_or_default();
        if rows.rows.is_empty() {
            break;
        }
        rest = rest.get(rows.rows.len()..).unwrap_or_default();
        all.columns = rows.columns;
        all.rows.extend(rows.rows);
    }
    Ok(all)
}

/// Up to `limit` entries from a place on.
pub(super) async fn page(book: &mut Bound, mut stat: Stat, limit: usize) -> Result<Vec<Entry>> {
    let mut all = Vec::new();
    let mut left = limit;
    while left > 0 {
        let ask = QueryRows {
            flags: 0,
            stat: Some(stat),
            mids: Vec::new(),
            row_count: left.min(PAGE_ROWS) as u32,
            columns: Some(columns::ENTRY.into()),
        };
        let found = book.ask(&ask).await?;
        let rows = found.rows.unwrap_or_default();
        left = left.saturating_sub(rows.rows.len());
        all.extend(entries(&rows));
        match found.stat {
            // A server that stands still would be asked for ever.
            Some(next) if !rows.rows.is_empty() && next != stat => stat = next,
            _ => break,
        }
        if stat.current_rec == MId::END_OF_TABLE {
            break;
        }
    }
    all.truncate(limit);
    Ok(all)
}

/// Entries whose display name begins with a text. Source: MS-OXNSPI 3.1.4.1.9.
async fn starting_with(book: &mut Bound, text: &str, limit: usize) -> Result<Vec<Entry>> {
    let target = Tagged {
        tag: columns::DISPLAY_NAME,
        value: Some(PropValue::String(text.into())),
    };
    let seek = SeekEntries {
        reserved: 0,
        stat: Some(beginning()),
        target: Some(target),
        mids: None,
        columns: None,
    };
    let start = match book.ask(&seek).await {
        Ok(found) => found.stat,
        Err(fault) if fault.code() == Some(code::NOT_FOUND) => None,
        Err(fault) => return Err(fault),
    };
    let Some(start) = start else {
        return Ok(Vec::new());
    };
    let mut found = page(book, start, limit).await?;
    let prefix = text.to_lowercase();
    found.retain(|entry| entry.display_name.to_lowercase().starts_with(&prefix));
    Ok(found)
}

/// The ids of distinguished names in this session; 0 where there is no entry. Source: MS-OXNSPI 3.1.4.1.13.
async fn mids_of(book: &mut Bound, dns: &[&str]) -> Result<Vec<MId>> {
    let name = |dn: &&str| Text8::from(askable(dn, DN_BYTES_MAX));
    let ask = DnToMId {
        reserved: 0,
        names: Some(dns.iter().map(name).collect()),
    };
    let mut mids = book.ask(&ask).await?.mids.unwrap_or_default();
    mids.resize(dns.len(), MId::default());
    Ok(mids)
}

/// Where mail goes for distinguished names.
pub(super) async fn addresses_of(book: &mut Bound, dns: &[&str]) -> Result<Vec<Option<Arc<str>>>> {
    let mids = mids_of(book, dns).await?;
    let is_there = |mid: &MId| *mid != MId::default();
    let there: Vec<MId> = mids.iter().copied().filter(is_there).collect();
    if there.is_empty() {
        return Ok(vec![None; dns.len()]);
    }
    let rows = rows_of(book, &there, &columns::ADDRESS).await?;
    let mut row = 0..rows.rows.len();
    let addresses = mids.iter().map(|mid| {
        let row = if is_there(mid) { row.next() } else { None };
        smtp_address(&RowOf(&rows, row?)).map(Arc::from)
    });
    Ok(addresses.collect())
}

fn entries(rows: &Rows) -> Vec<Entry> {
    (0..rows.rows.len())
        .filter_map(|row| Entry::of(&RowOf(rows, row)))
        .collect()
}

/// Whether a text may stand in a request, where a NUL ends it.
pub(super) fn is_askable(text: &str, bytes_max: usize) -> bool {
    !text.contains('\0') && text.len() <= bytes_max
}

/// What to ask for a text: for one that may not stand in a request, the empty text, which nobody has.
pub(super) fn askable(text: &str, bytes_max: usize) -> &str {
    if is_askable(text, bytes_max) {
        text
    } else {
        ""
    }
}
