//! What was done at the remote is taken out of the queue, and what it made gets its ids.

use mapi_types::{FolderId, PropBag};
use rusqlite::{Connection, params};

use super::{
    QueueOutcome,
    refuse::forget_draft,
    rows::{ItemOfOperation, OperationRow, kind, rename},
};
use crate::{
    fail::{Fail, Result},
    mirror::{
        ChangeKey, RemoteId,
        apply::remove_item,
        arrival::{self, Arrived},
        index_row::IndexRow,
        pending::PendingRow,
        remote_folder::RemoteFolderRow,
        remote_row::{RemoteRow, check_id, check_key},
        staged, writes,
    },
    write::{FolderRow, Tx, item_row::ItemRow},
};

pub(super) fn done(tx: &mut Tx<'_>, op: u64, outcomes: &[(u32, QueueOutcome)]) -> Result<()> {
    let operation = OperationRow::load(tx.conn, op as i64)?;
    let items = ItemOfOperation::all(tx.conn, operation.id)?;
    for (position, outcome) in outcomes {
        let place = i64::from(*position);
        let item = items.iter().find(|item| item.position == place);
        let item = item.ok_or_else(|| Fail::not_found("no such item waits"))?;
        let made_in = operation.target.unwrap_or(item.folder);
        match outcome {
            QueueOutcome::Passed => {}
            QueueOutcome::Written {
                based_on,
                change_key: Some(key),
            } => written(tx.conn, item, key, based_on.as_ref())?,
            QueueOutcome::Written { .. } => {}
            QueueOutcome::Arrived { id, change_key } => {
                arrived(
                    tx,
                    (operation.kind, item),
                    made_in,
                    (id, change_key.as_ref()),
                )?;
            }
            QueueOutcome::Gone => {
                if let Some(stand_in) = &item.becomes {
                    forget(tx, made_in, stand_in)?;
                }
                if operation.kind == kind::SAVE {
                    forget_draft(tx.conn, item)?;
                }
            }
        }
        item.remove(tx.conn)?;
    }
    if !outcomes.is_empty() {
        tx.conn
            .prepare_cached("UPDATE remote_queue SET tries = 0 WHERE id = ?1")?
            .execute([operation.id])?;
    }
    Ok(())
}

/// Properties were written: what is served still says what the item says, unless somebody else wrote too.
fn written(
    conn: &Connection,
    item: &ItemOfOperation,
    key: &ChangeKey,
    based_on: Option<&ChangeKey>,
) -> Result<()> {
    check_key(key)?;
    let id = RemoteId(item.remote.clone().into());
    if let Some(mut remote) = RemoteRow::find(conn, item.folder, &id)? {
        writes::advance(&mut remote, key, based_on);
        remote.store(conn)?;
    }
    // What comes later moves the item as it is now.
    let known = based_on.map(|key| &key.0);
    conn.prepare_cached(
        "UPDATE remote_queue_items SET change_key = ?2 WHERE remote = ?1 AND (?3 IS NULL OR change_key = ?3)",
    )?
    .execute(params![item.remote, key.0, known])?;
    Ok(())
}

/// The item that the operation makes is there: the stand-in becomes its id, everywhere.
fn arrived(
    tx: &mut Tx<'_>,
    (made_by, item): (i64, &ItemOfOperation),
    folder: i64,
    (id, change_key): (&RemoteId, Option<&ChangeKey>),
) -> Result<()> {
    check_id(id)?;
    if let Some(key) = change_key {
        check_key(key)?;
    }
    let Some(stand_in) = &item.becomes else {
        return Err(Fail::corrupt(
            "an operation that makes nothing made an item",
        ));
    };
    let key = change_key.map(|key| &key.0[..]);
    rename(tx.conn, stand_in, (&id.0, None, key))?;
    let stand_in = RemoteId(stand_in.clone().into());
    let pending = match made_by {
        kind::SAVE => PendingRow::find(tx.conn, folder, &stand_in)?,
        _ => None,
    };
    match RemoteRow::find(tx.conn, folder, &stand_in)? {
        Some(remote) => settle(tx, folder, remote, (&stand_in, id, change_key))?,
        // Here it has been moved or deleted since, which waits.
        None if !ItemOfOperation::about(tx.conn, &id.0)?.is_empty() => {}
        // It was not in this folder before: here is the draft, which gets a number now.
        None => {
            if let Some(pending) = &pending {
                return take(tx, folder, pending, (id, key));
            }
        }
    }
    match pending {
        Some(pending) => pending.remove(tx.conn),
        None => Ok(()),
    }
}

/// Gives the row of an item its id.
fn settle(
    tx: &mut Tx<'_>,
    folder: i64,
    mut remote: RemoteRow,
    (stand_in, id, change_key): (&RemoteId, &RemoteId, Option<&ChangeKey>),
) -> Result<()> {
    let target = RemoteFolderRow::load(tx.conn, FolderId(folder as u64))?;
    if id != stand_in {
        make_room(tx, folder, id)?;
        tx.conn
            .prepare_cached("UPDATE remote_items SET remote = ?2 WHERE id = ?1")?
            .execute(params![remote.id, id.0])?;
    }
    if let Some(key) = change_key {
        writes::advance(&mut remote, key, None);
    }
    // A pass may have brought it already, under the id that it did not have yet.
    remote.pass = target.pass;
    remote.store(tx.conn)
}

/// Removes what a pass over the folder brought of the item meanwhile.
fn make_room(tx: &mut Tx<'_>, folder: i64, id: &RemoteId) -> Result<()> {
    staged::remove(tx.conn, folder, id)?;
    if let Some(early) = RemoteRow::find(tx.conn, folder, id)? {
        remove_row(tx, folder, early.id)?;
    }
    Ok(())
}

fn take(
    tx: &mut Tx<'_>,
    folder: i64,
    pending: &PendingRow,
    (id, key): (&RemoteId, Option<&[u8]>),
) -> Result<()> {
    let remote = RemoteFolderRow::load(tx.conn, FolderId(folder as u64))?;
    let mut row = FolderRow::load(tx.conn, folder)?;
    let arrived = Arrived {
        id,
        change_key: key.unwrap_or(&id.0),
        index: &IndexRow::new(&PropBag::default())?,
        number_hint: None,
    };
    let served = Some(arrived.change_key);
    arrival::take(tx.conn, &mut row, &remote, (pending, &arrived, served))?;
    row.store(tx)
}

/// The item for which this stands will never be there: it goes from here, and with it what waits about it.
pub(super) fn forget(tx: &mut Tx<'_>, folder: i64, stand_in: &[u8]) -> Result<()> {
    let mut left = vec![(folder, stand_in.to_vec())];
    // Each step takes operations out, so there is an end.
    while let Some((folder, stand_in)) = left.pop() {
        let id = RemoteId(stand_in.clone().into());
        if let Some(remote) = RemoteRow::find(tx.conn, folder, &id)? {
            remove_row(tx, folder, remote.id)?;
        }
        for item in ItemOfOperation::about(tx.conn, &stand_in)? {
            if let Some(becomes) = &item.becomes {
                let made_in = OperationRow::load(tx.conn, item.op)?.target;
                left.push((made_in.unwrap_or(item.folder), becomes.clone()));
            }
            item.remove(tx.conn)?;
        }
    }
    Ok(())
}

fn remove_row(tx: &mut Tx<'_>, folder: i64, id: i64) -> Result<()> {
    let mut row = FolderRow::load(tx.conn, folder)?;
    if let Some(item) = ItemRow::load(tx.conn, id)? {
        remove_item(tx.conn, &mut row, &item)?;
    }
    row.store(tx)
}
