//! What tells that a folder has changed, for all folders at once: cheaper than to synchronize each of them.
//!
//! Source: MS-OXCFXICS 3.1.5.3, MS-OXCFOLD 2.2.2.2.1.

use mapi_types::{PropTag, tags};
use mapi_wire::{
    Id, PropValue,
    rop::{self, bookmark, table_flags},
};

use super::{FOLDERS_MAX, Remote};
use crate::{
    fault::{Fault, Result},
    session::{Batch, Repeat, Session, expect_rop},
};

/// Rows asked for at a time: as many as there is room for come.
const ROWS_AT_ONCE: u16 = 1000;

/// PidTagFolderId, PidTagLocalCommitTimeMax, PidTagDeletedCountTotal, PidTagContentCount, PidTagContentUnreadCount,
/// PidTagAssociatedContentCount.
const COLUMNS: [PropTag; 6] = [
    PropTag(0x6748_0014),
    PropTag(0x670a_0040),
    PropTag(0x670b_0003),
    tags::CONTENT_COUNT.tag(),
    tags::CONTENT_UNREAD_COUNT.tag(),
    PropTag(0x3617_0003),
];

/// What a folder was like: one that is like it was has not changed, as far as the server lets one see.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FolderMark {
    /// When something in it changed last.
    committed: u64,
    /// How many messages were ever deleted from it.
    deleted: i32,
    /// How many messages it has.
    pub(crate) messages: i32,
    unread: i32,
    associated: i32,
}

impl Remote {
    /// What the folders are like that people see; those are left out of which the server does not say when they
    /// changed, and all of them when it does not show them at all.
    ///
    /// One request for hundreds of folders.
    pub(crate) async fn folder_marks(&self) -> Result<Vec<(Id, FolderMark)>> {
        match self.marks(&self.sessions.back).await {
            Err(Fault::Operation { .. }) => Ok(Vec::new()),
            marks => marks,
        }
    }

    async fn marks(&self, session: &Session) -> Result<Vec<(Id, FolderMark)>> {
        let mut answers = session
            .run(&self.store, Repeat::Safe, |logon| {
                let mut batch = Batch::new(logon);
                let input = batch.open_folder(logon.top());
                open_table(&mut batch, input);
                batch
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        expect_rop!(answers, GetHierarchyTable)?;
        expect_rop!(answers, SetColumns)?;
        let generation = answers.generation;
        let (input, table) = (answers.handle(1)?, answers.handle(2)?);
        let mut marks = Vec::new();
        loop {
            let page = expect_rop!(answers, QueryRows)?;
            let rows = page.rows.iter();
            marks.extend(rows.filter_map(|row| mark(|place| row.value(place))));
            let last = page.rows.is_empty() || page.origin == bookmark::END;
            if last || marks.len() >= FOLDERS_MAX {
                break;
            }
            answers = session
                .go_on(&self.store, generation, move |logon| {
                    let mut batch = Batch::new(logon);
                    let table = batch.known(table);
                    query(&mut batch, table);
                    batch
                })
                .await?;
        }
        session.release_later(&self.store, generation, vec![table, input]);
        Ok(marks)
    }
}

fn open_table(batch: &mut Batch, input: u8) {
    let logon_id = batch.logon_id;
    let output = batch.slot();
    batch.push(rop::GetHierarchyTable {
        logon_id,
        input,
        output,
        table_flags: table_flags::DEPTH | table_flags::NO_NOTIFICATIONS,
    });
    batch.push(rop::SetColumns {
        logon_id,
        input: output,
        set_columns_flags: 0,
        property_tags: COLUMNS.to_vec(),
    });
    query(batch, output);
}

fn query(batch: &mut Batch, input: u8) {
    batch.push(rop::QueryRows {
        logon_id: batch.logon_id,
        input,
        query_rows_flags: 0,
        forward_read: true,
        row_count: ROWS_AT_ONCE,
    });
}

/// A row of [`COLUMNS`]. Counts may be missing; then they say nothing.
fn mark<'v>(value: impl Fn(usize) -> Option<&'v PropValue>) -> Option<(Id, FolderMark)> {
    let Some(PropValue::I64(id)) = value(0) else {
        return None;
    };
    let Some(PropValue::Time(committed)) = value(1) else {
        return None;
    };
    let count = |place| match value(place) {
        Some(PropValue::I32(count)) => *count,
        _ => 0,
    };
    let mark = FolderMark {
        committed: *committed,
        deleted: count(2),
        messages: count(3),
        unread: count(4),
        associated: count(5),
    };
    Some((Id::from_u64(id.cast_unsigned()), mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_a_mark_only_when_the_server_says_when_it_changed() {
        let id = PropValue::I64(7);
        let row = |rest: &[PropValue]| -> Vec<PropValue> {
            std::iter::once(&id).chain(rest).cloned().collect()
        };
        let check = |values: Vec<PropValue>| mark(|place| values.get(place)).map(|(_, mark)| mark);
        assert_eq!(check(row(&[])), None);
        assert_eq!(check(row(&[PropValue::I32(1), PropValue::I32(2)])), None);
        let counts = [2, 3, 4, 5].map(PropValue::I32);
        let told = [&[PropValue::Time(9)][..], &counts].concat();
        let expected = FolderMark {
            committed: 9,
            deleted: 2,
            messages: 3,
            unread: 4,
            associated: 5,
        };
        assert_eq!(check(row(&told)), Some(expected));
        let bare = check(row(&[PropValue::Time(9)]));
        assert_eq!(bare.map(|mark| mark.messages), Some(0));
    }
}
