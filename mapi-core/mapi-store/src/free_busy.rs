//! When somebody is busy: what others may hear of a calendar, by its permissions.
//!
//! Source: MS-OXCPERM 2.2.7 (FreeBusySimple, FreeBusyDetailed), MS-OXOCAL 2.2.1.

use std::ops::Range;

use mapi_types::{BusyStatus, FileTime, PropTag, Row, tags};

use crate::{
    Error, ErrorKind, FolderInfo, Items, Member, Principal, Query, Result, Rights, Role, Store,
    Table,
};

/// The most times of one answer.
pub const FREE_BUSY_TIMES_MAX: usize = 10_000;

/// Items looked at together.
const PAGE: u32 = 256;

/// PidLidAppointmentStateFlags: the meeting is off. Source: MS-OXOCAL 2.2.1.10.
const CANCELED: i32 = 0x4;

/// PidTagSensitivity from which on others hear no details. Source: MS-OXCMSG 2.2.1.13.
const PRIVATE: i32 = 2;

/// When somebody is busy.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FreeBusy {
    /// Times that are not free, by their start. They may overlap.
    pub times: Vec<BusyTime>,
    /// How many series have occurrences at about that time that are not among `times`, because who answered does not
    /// expand series.
    pub series_left_out: u32,
}

/// A time that is not free.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BusyTime {
    /// From when.
    pub start: FileTime,
    /// Until when.
    pub end: FileTime,
    /// What it is, other than free.
    pub status: BusyStatus,
    /// What for, where the permissions let it be known and it is not private.
    pub subject: Option<String>,
    /// Where, likewise.
    pub location: Option<String>,
}

/// How much is told of a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FreeBusyDetail {
    /// That it is not free, and why.
    Times,
    /// As well what for and where, unless it is private.
    Details,
    /// Private things too: the owner asks.
    Everything,
}

/// What the permission table of a calendar lets somebody know.
///
/// Source: MS-OXCPERM 2.2.7. Who may read the items may know their times.
pub const fn detail_for(rights: Rights) -> Option<FreeBusyDetail> {
    if rights.allow(Rights::READ_ANY) || rights.allow(Rights::FREE_BUSY_DETAILED) {
        Some(FreeBusyDetail::Details)
    } else if rights.allow(Rights::FREE_BUSY_SIMPLE) {
        Some(FreeBusyDetail::Times)
    } else {
        None
    }
}

/// When the owner of a mailbox is busy, as far as the permissions of the calendar let a principal know it. `owned` is the
/// mailbox as its owner has it open.
///
/// Errors: `Denied`, `NotFound` (there is no calendar), `TooBig`, those of the store.
pub async fn free_busy_by_permission(
    owned: &dyn Store,
    principal: Option<&Principal>,
    span: Range<FileTime>,
) -> Result<FreeBusy> {
    let calendar = calendar(owned).await?;
    let detail = match principal {
        None => FreeBusyDetail::Everything,
        Some(principal) => {
            let rights = rights_of(owned, &calendar, principal).await?;
            let denied = || Error::new(ErrorKind::Denied, "the calendar says nothing to this user");
            detail_for(rights).ok_or_else(denied)?
        }
    };
    busy_times(owned, &calendar, span, detail).await
}

/// A mailbox's own calendar. Errors: `NotFound`.
pub async fn calendar(store: &dyn Store) -> Result<FolderInfo> {
    let tree = store.hierarchy(mapi_types::Version(0)).await?;
    let mut folders = tree.changed.into_iter();
    let calendar = folders.find(|folder| folder.role == Some(Role::Calendar));
    calendar.ok_or_else(|| Error::new(ErrorKind::NotFound, "the mailbox has no calendar"))
}

async fn rights_of(owned: &dyn Store, calendar: &FolderInfo, who: &Principal) -> Result<Rights> {
    let table = owned.permissions(calendar.id).await?;
    let row = |member: &dyn Fn(&Member) -> bool| {
        let row = table.iter().find(|row| member(&row.member));
        row.map(|row| row.rights)
    };
    let rights = match who.user.is_empty() {
        true => row(&|member| *member == Member::Anonymous),
        false => {
            let is = |member: &Member| match member {
                Member::User(user) => user.eq_ignore_ascii_case(&who.user),
                Member::Default | Member::Anonymous => false,
            };
            row(&is).or_else(|| row(&|member| *member == Member::Default))
        }
    };
    Ok(rights.unwrap_or(Rights::NONE))
}

/// What a row is asked for.
const COLUMNS: [PropTag; 12] = [
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::APPOINTMENT_START_WHOLE.tag(),
    tags::APPOINTMENT_END_WHOLE.tag(),
    tags::BUSY_STATUS.tag(),
    tags::APPOINTMENT_STATE_FLAGS.tag(),
    tags::RECURRING.tag(),
    tags::CLIP_START.tag(),
    tags::CLIP_END.tag(),
    tags::SUBJECT.tag(),
    tags::LOCATION.tag(),
    tags::SENSITIVITY.tag(),
    // Items that were never read are made known by it.
    tags::DERIVED_RENDERER.tag(),
];

/// The times in a calendar that are not free. Looks at every item of it. Errors: `TooBig`, those of the store.
pub async fn busy_times(
    store: &dyn Store,
    calendar: &FolderInfo,
    span: Range<FileTime>,
    detail: FreeBusyDetail,
) -> Result<FreeBusy> {
    let numbers = Query {
        table: Table::Contents(calendar.id),
        columns: &[tags::INTERNET_ARTICLE_NUMBER.tag()],
        items: Items::Range(1..=u32::MAX),
        filter: None,
        sort: &[],
        limit: u32::MAX,
    };
    let rows = store.query(&numbers).await?;
    let all: Vec<_> = rows
        .rows()
        .filter_map(|row| row.get(&tags::INTERNET_ARTICLE_NUMBER))
        .map(|number| mapi_types::ItemNumber(number.cast_unsigned()))
        .collect();
    let mut found = FreeBusy::default();
    for page in all.chunks(PAGE as usize) {
        let query = Query {
            columns: &COLUMNS,
            items: Items::Numbers(page),
            ..numbers.clone()
        };
        for row in store.query(&query).await?.rows() {
            collect(row, &span, detail, &mut found);
        }
        if found.times.len() > FREE_BUSY_TIMES_MAX {
            return Err(Error::new(
                ErrorKind::TooBig,
                "too many appointments: ask for a shorter span",
            ));
        }
    }
    found.times.sort_by_key(|time| (time.start, time.end));
    Ok(found)
}

fn collect(row: Row<'_>, span: &Range<FileTime>, detail: FreeBusyDetail, found: &mut FreeBusy) {
    let status = BusyStatus::of(
        row.get(&tags::BUSY_STATUS)
            .unwrap_or(BusyStatus::Busy.number()),
    );
    let flags = row.get(&tags::APPOINTMENT_STATE_FLAGS).unwrap_or(0);
    if status == BusyStatus::Free || flags & CANCELED != 0 {
        return;
    }
    let overlaps = |start: FileTime, end: FileTime| start < span.end && end > span.start;
    let start = row.get(&tags::APPOINTMENT_START_WHOLE);
    if row.get(&tags::RECURRING) == Some(true) {
        // A series goes from the day of its first occurrence to that of its last.
        let first = row.get(&tags::CLIP_START).or(start).unwrap_or_default();
        let last = row.get(&tags::CLIP_END).unwrap_or(FileTime(u64::MAX));
        found.series_left_out += u32::from(overlaps(first, last));
        return;
    }
    let (Some(start), Some(end)) = (start, row.get(&tags::APPOINTMENT_END_WHOLE)) else {
        return;
    };
    if !overlaps(start, end) {
        return;
    }
    let is_private = row.get(&tags::SENSITIVITY).unwrap_or(0) >= PRIVATE;
    let is_told = match detail {
        FreeBusyDetail::Times => false,
        FreeBusyDetail::Details => !is_private,
        FreeBusyDetail::Everything => true,
    };
    let told = |text: Option<&str>| text.filter(|_| is_told).map(str::to_owned);
    found.times.push(BusyTime {
        start,
        end,
        status,
        subject: told(row.get(&tags::SUBJECT)),
        location: told(row.get(&tags::LOCATION)),
    });
}
