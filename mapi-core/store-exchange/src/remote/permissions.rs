//! Permission tables of folders. Source: MS-OXCPERM 2.2.

use mapi_store::Rights;
use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue, TaggedValue,
    rop::{self, PermissionData, QueryRows, Response, bookmark},
    row::PropertyRow,
};

use super::{Remote, rights::effective};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, expect_rop, unexpected},
};

/// One row of a permission table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Granted {
    /// PidTagMemberId: [`DEFAULT`], [`ANONYMOUS`], or the server's number for the row.
    pub(crate) member: i64,
    /// Whose it is; empty for the two that are nobody's.
    pub(crate) entry_id: Box<[u8]>,
    /// The member's address, where the server says it.
    pub(crate) address: Option<String>,
    /// PidTagMemberRights, with those to free/busy times where they were asked for.
    pub(crate) rights: u32,
}

/// The member id of everybody who is not named. Source: MS-OXCPERM 2.2.5.
pub(crate) const DEFAULT: i64 = 0;

/// The member id of who did not log in. Source: MS-OXCPERM 2.2.5.
pub(crate) const ANONYMOUS: i64 = -1;

/// Rows asked for at a time.
const ROWS_AT_ONCE: u16 = 500;

/// The most rows of a table that are read.
const ROWS_MAX: usize = 10_000;

/// Tables in one request: each takes two slots.
const TABLES_MAX: usize = 50;

const MEMBER_ID: PropTag = PropTag(0x6671_0014);
const MEMBER_RIGHTS: PropTag = PropTag(0x6673_0003);
const ENTRY_ID: PropTag = PropTag(0x0fff_0102);
const SMTP_ADDRESS: PropTag = PropTag(0x39fe_001f);

/// The order in which rows say what they say.
const COLUMNS: [PropTag; 4] = [MEMBER_ID, MEMBER_RIGHTS, ENTRY_ID, SMTP_ADDRESS];

impl Remote {
    /// A folder's permission table. `free_busy`: with rights to free/busy times, which only calendars have.
    ///
    /// One request for hundreds of rows. Errors: `ACCESS_DENIED` unless the user owns the folder.
    pub(crate) async fn permissions(&self, folder: Id, free_busy: bool) -> Result<Vec<Granted>> {
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let input = batch.open_folder(folder);
                let table = open_table(&mut batch, input, free_busy);
                query(&mut batch, table);
                batch
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        expect_rop!(answers, GetPermissionsTable)?;
        expect_rop!(answers, SetColumns)?;
        let generation = answers.generation;
        let (input, table) = (answers.handle(1)?, answers.handle(2)?);
        let (mut rows, mut seen) = (Vec::new(), 0);
        loop {
            let page = expect_rop!(answers, QueryRows)?;
            // Also those that make no sense, or there could be no end.
            seen += page.rows.len();
            let last = page.rows.is_empty() || page.origin == bookmark::END;
            rows.extend(page.rows.iter().filter_map(granted));
            if last || seen >= ROWS_MAX {
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
        Ok(rows)
    }

    /// Changes rows of a folder's permission table. One request. Errors: `ACCESS_DENIED` unless the user owns the folder.
    pub(crate) async fn modify_permissions(
        &self,
        folder: Id,
        changes: Vec<PermissionData>,
        free_busy: bool,
    ) -> Result<()> {
        let mut answers = self
            .in_folder(folder, Repeat::Safe, move |batch, input| {
                batch.push(rop::ModifyPermissions {
                    logon_id: batch.logon_id,
                    input,
                    modify_flags: match free_busy {
                        true => rop::ModifyPermissions::INCLUDE_FREE_BUSY,
                        false => 0,
                    },
                    permissions_data: changes.clone(),
                });
            })
            .await?;
        answers.succeed()
    }

    /// What somebody who did not log in may do in these folders, one answer each. The user must own them. One request
    /// for dozens of folders.
    pub(crate) async fn anonymous_rights(&self, folders: &[Id]) -> Result<Vec<Rights>> {
        let mut all = Vec::with_capacity(folders.len());
        for page in folders.chunks(TABLES_MAX) {
            let asked = page.to_vec();
            let session = &self.sessions.front;
            let mut answers = session
                .run(&self.store, Repeat::Safe, move |logon| {
                    let mut batch = Batch::new(logon);
                    for folder in &asked {
                        let input = batch.open_folder(*folder);
                        let table = open_table(&mut batch, input, false);
                        query(&mut batch, table);
                        batch.release(table);
                        batch.release(input);
                    }
                    batch
                })
                .await?;
            for _ in page {
                all.push(anonymous(&mut answers)?);
            }
        }
        Ok(all)
    }
}

fn open_table(batch: &mut Batch, input: u8, free_busy: bool) -> u8 {
    let logon_id = batch.logon_id;
    let output = batch.slot();
    batch.push(rop::GetPermissionsTable {
        logon_id,
        input,
        output,
        table_flags: match free_busy {
            true => rop::ModifyPermissions::INCLUDE_FREE_BUSY,
            false => 0,
        },
    });
    batch.push(rop::SetColumns {
        logon_id,
        input: output,
        set_columns_flags: 0,
        property_tags: COLUMNS.to_vec(),
    });
    output
}

fn query(batch: &mut Batch, input: u8) {
    batch.push(QueryRows {
        logon_id: batch.logon_id,
        input,
        query_rows_flags: 0,
        forward_read: true,
        row_count: ROWS_AT_ONCE,
    });
}

/// A row; `None` for one that does not say what it is.
fn granted(row: &PropertyRow) -> Option<Granted> {
    let Some(PropValue::I64(member)) = row.value(0) else {
        return None;
    };
    let Some(PropValue::I32(rights)) = row.value(1) else {
        return None;
    };
    let address = match row.value(3) {
        Some(PropValue::String(text)) => Some(text.to_text()).filter(|text| text.contains('@')),
        _ => None,
    };
    Some(Granted {
        member: *member,
        entry_id: match row.value(2) {
            Some(PropValue::Binary(octets)) => octets.clone(),
            _ => Box::default(),
        },
        address,
        rights: rights.cast_unsigned(),
    })
}

/// The answers about one folder.
fn anonymous(answers: &mut Answers) -> Result<Rights> {
    const ROPS: usize = 4;
    let all: Vec<_> = (0..ROPS).map_while(|_| answers.take_any()).collect();
    for response in &all {
        if let Response::Failed(failed) = response {
            return match failed.code {
                code::NOT_FOUND | code::OBJECT_DELETED => Ok(Rights::NONE),
                code => Err(Fault::operation(failed.rop_id, code)),
            };
        }
    }
    let Some(Response::QueryRows(page)) = all.last().filter(|_| all.len() == ROPS) else {
        return Err(unexpected());
    };
    let rows = page.rows.iter().filter_map(granted);
    let row = rows.into_iter().find(|row| row.member == ANONYMOUS);
    Ok(row.map_or(Rights::NONE, |row| effective(row.rights)))
}

/// A change of a row that is there.
pub(crate) fn modify(member: i64, rights: u32) -> PermissionData {
    PermissionData {
        flags: PermissionData::MODIFY_ROW,
        property_values: vec![value(MEMBER_ID, PropValue::I64(member)), of_rights(rights)],
    }
}

/// The end of a row.
pub(crate) fn remove(member: i64) -> PermissionData {
    PermissionData {
        flags: PermissionData::REMOVE_ROW,
        property_values: vec![value(MEMBER_ID, PropValue::I64(member))],
    }
}

/// A new row.
pub(crate) fn add(entry_id: &[u8], rights: u32) -> PermissionData {
    PermissionData {
        flags: PermissionData::ADD_ROW,
        property_values: vec![
            value(ENTRY_ID, PropValue::Binary(entry_id.into())),
            of_rights(rights),
        ],
    }
}

const fn value(tag: PropTag, value: PropValue) -> TaggedValue {
    TaggedValue { tag, value }
}

const fn of_rights(rights: u32) -> TaggedValue {
    value(MEMBER_RIGHTS, PropValue::I32(rights.cast_signed()))
}
