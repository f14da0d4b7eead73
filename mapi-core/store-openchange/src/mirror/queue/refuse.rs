//! What the remote does not do is undone here as far as that loses nothing; a message that it does not take stays.

use std::collections::BTreeSet;

use mapi_store::{ErrorKind, Transfer};
use mapi_types::{FolderId, ItemNumber};
use rusqlite::{Connection, params};

use super::{
    done::forget,
    rows::{ItemOfOperation, OperationRow, kind, rename},
};
use crate::{
    fail::{Fail, Result},
    ids::number_of,
    mirror::{
        Moved, RemoteId,
        pending::PendingRow,
        remote_folder,
        remote_row::RemoteRow,
        writes::{self, CopiedBy},
    },
    write::Tx,
};

/// A move back or to elsewhere, of which the remote does not hear.
const MOVE: (Transfer, CopiedBy) = (Transfer::Move, CopiedBy::Nobody);

/// Gives items of an operation up. Returns the folders that are to be read anew.
pub(super) fn refuse(
    tx: &mut Tx<'_>,
    op: u64,
    positions: &[u32],
    reason: &str,
) -> Result<Vec<FolderId>> {
    let operation = OperationRow::load(tx.conn, op as i64)?;
    let mut anew = BTreeSet::new();
    for item in ItemOfOperation::all(tx.conn, operation.id)? {
        if !positions.contains(&(item.position as u32)) {
            continue;
        }
        let target = operation.target.unwrap_or(item.folder);
        match operation.kind {
            kind::SAVE => refuse_save(tx, &item, reason)?,
            kind::COPY => {
                anew.extend(refuse_copy(tx, &item, target)?);
                item.remove(tx.conn)?;
            }
            kind::MOVE => {
                refuse_move(tx, &item, target)?;
                item.remove(tx.conn)?;
            }
            // What is here is not what is there: only reading all of the folder tells.
            _ => {
                anew.insert(item.folder);
                item.remove(tx.conn)?;
            }
        }
    }
    for folder in &anew {
        restart(tx, *folder)?;
    }
    Ok(anew
        .into_iter()
        .map(|folder| FolderId(folder as u64))
        .collect())
}

/// Notes why an operation does not wait any more.
pub(super) fn note(conn: &Connection, op: i64, reason: &str) -> Result<()> {
    conn.prepare_cached("UPDATE remote_queue SET refused = ?2 WHERE id = ?1")?
        .execute(params![op, reason])?;
    Ok(())
}

fn restart(tx: &Tx<'_>, folder: i64) -> Result<()> {
    match remote_folder::restart(tx, FolderId(folder as u64)) {
        Err(Fail::Store(error)) if error.kind == ErrorKind::NotFound => Ok(()),
        done => done.map(drop),
    }
}

/// The message stays where it is by now, with the marks it has. What waits about it cannot be done.
fn refuse_save(tx: &mut Tx<'_>, save: &ItemOfOperation, reason: &str) -> Result<()> {
    let Some(first) = &save.becomes else {
        return Err(Fail::corrupt("a save makes nothing"));
    };
    let conn = tx.conn;
    let (mut folder, mut current) = (save.folder, first.clone());
    let mut copies: Vec<(i64, Vec<u8>)> = Vec::new();
    let mut wanted = true;
    // Follows the message through all that waits about it, in order; moves lead on.
    while let Some(item) = ItemOfOperation::about(conn, &current)?.into_iter().next() {
        let operation = OperationRow::load(conn, item.op)?;
        let makes = operation.target.zip(item.becomes.clone());
        match (operation.kind, makes) {
            (kind::MOVE, Some(made)) => (folder, current) = made,
            (kind::COPY, Some(made)) => copies.push(made),
            // A copy was made before it was deleted: that is how some clients move.
            (kind::DELETE, _) => match copies.pop() {
                Some(made) => (folder, current) = made,
                None => wanted = false,
            },
            _ => {}
        }
        item.remove(conn)?;
    }
    for (folder, copy) in copies {
        forget(tx, folder, &copy)?;
    }
    let conn = tx.conn;
    if !wanted {
        return forget_draft(conn, save);
    }
    let stand_in = match &save.given {
        // The remote does not have what was given this id.
        Some((given, _)) if *given == current => stand_in_for(given),
        _ => current.clone(),
    };
    conn.prepare_cached("UPDATE remote_items SET remote = ?3 WHERE folder = ?1 AND remote = ?2")?
        .execute(params![folder, current, stand_in])?;
    conn.prepare_cached(
        "UPDATE remote_pending SET folder = ?3, remote = ?4 WHERE folder = ?1 AND remote = ?2",
    )?
    .execute(params![save.folder, first, folder, stand_in])?;
    conn.prepare_cached(
        "UPDATE remote_queue_items SET folder = ?3, becomes = ?4, given = NULL, given_key = NULL
         WHERE op = ?1 AND position = ?2",
    )?
    .execute(params![save.op, save.position, folder, stand_in])?;
    note(conn, save.op, reason)
}

/// Octets of a stand-in made of an id.
const STAND_IN_BYTES: usize = 16;

/// What stands for an item from now on that was to have this id.
fn stand_in_for(id: &[u8]) -> Vec<u8> {
    let digest = blake3::hash(id);
    digest
        .as_bytes()
        .iter()
        .copied()
        .take(STAND_IN_BYTES)
        .collect()
}

/// Takes a save with its draft out.
pub(super) fn forget_draft(conn: &Connection, save: &ItemOfOperation) -> Result<()> {
    if let Some(id) = &save.becomes {
        let id = RemoteId(id.clone().into());
        if let Some(pending) = PendingRow::find(conn, save.folder, &id)? {
            pending.remove(conn)?;
        }
    }
    save.remove(conn)
}

/// The copy goes from here; what was copied must then not be deleted at the remote, for whoever copied relied on it.
/// Returns the folders in which it has to be found again.
fn refuse_copy(tx: &mut Tx<'_>, item: &ItemOfOperation, target: i64) -> Result<Vec<i64>> {
    if let Some(stand_in) = &item.becomes {
        forget(tx, target, stand_in)?;
    }
    let mut anew = Vec::new();
    for later in ItemOfOperation::about(tx.conn, &item.remote)? {
        if OperationRow::load(tx.conn, later.op)?.kind == kind::DELETE {
            anew.push(later.folder);
            later.remove(tx.conn)?;
        }
    }
    Ok(anew)
}

/// The item is where it was; what waits about it is done there.
fn refuse_move(tx: &mut Tx<'_>, item: &ItemOfOperation, target: i64) -> Result<()> {
    let Some(stand_in) = &item.becomes else {
        return Err(Fail::corrupt("a move makes nothing"));
    };
    let id = RemoteId(stand_in.clone().into());
    if let Some(remote) = RemoteRow::find(tx.conn, target, &id)? {
        let back = Moved {
            number: ItemNumber(number_of(remote.id)),
            id: RemoteId(item.remote.clone().into()),
            change_key: None,
        };
        let (from, to) = (FolderId(target as u64), FolderId(item.folder as u64));
        match writes::transferred(tx, (from, to), MOVE, &[back]) {
            // The folder it came from is gone, too.
            Err(Fail::Store(error)) if error.kind == ErrorKind::NotFound => {
                forget(tx, target, stand_in)?;
            }
            done => drop(done?),
        }
    }
    rename(tx.conn, stand_in, (&item.remote, Some(item.folder), None))
}

/// A message whose folder is gone goes to another one.
pub(super) fn rehome(tx: &mut Tx<'_>, op: u64, to: FolderId) -> Result<()> {
    let to_id = crate::ids::folder_row_id(to)?;
    for item in ItemOfOperation::all(tx.conn, op as i64)? {
        let Some(stand_in) = &item.becomes else {
            continue;
        };
        let id = RemoteId(stand_in.clone().into());
        if let Some(remote) = RemoteRow::find(tx.conn, item.folder, &id)? {
            let moved = Moved {
                number: ItemNumber(number_of(remote.id)),
                id: id.clone(),
                change_key: None,
            };
            let from = FolderId(item.folder as u64);
            writes::transferred(tx, (from, to), MOVE, &[moved])?;
        }
        rename(tx.conn, stand_in, (stand_in, Some(to_id), None))?;
        tx.conn
            .prepare_cached(
                "UPDATE remote_pending SET folder = ?3 WHERE folder = ?1 AND remote = ?2",
            )?
            .execute(params![item.folder, stand_in, to_id])?;
        tx.conn
            .prepare_cached("UPDATE remote_queue_items SET folder = ?2 WHERE op = ?1")?
            .execute([item.op, to_id])?;
    }
    Ok(())
}
