//! Putting operations down: here they are done at once, at the remote when their turn comes.

use std::collections::HashSet;

use mapi_store::{Deletion, ErrorKind, Expected, Saved, Transfer, Transferred, Updated};
use mapi_types::{Change, FolderId, ItemNumber, PropBag};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Given, QueueTerms,
    refuse::forget_draft,
    rows::{ItemOfOperation, NewItem, NewOperation, OperationRow, append, kind},
};
use crate::{
    access::Access,
    codec::encode_change,
    fail::{Fail, Result},
    ids::row_id,
    mirror::{
        Begun, ChangeKey, Moved, RemoteId,
        arrival::{self, Arrived, Place},
        index_row::IndexRow,
        pending::PendingRow,
        remote_folder::RemoteFolderRow,
        writes::{self, CopiedBy},
    },
    write::{self, FolderRow, Tx, copy_rows, free_key, item_row::ItemRow},
};

pub(super) fn save(
    tx: &mut Tx<'_>,
    folder: FolderId,
    begun: &[Begun],
    terms: &QueueTerms,
) -> Result<Vec<Saved>> {
    let remote = RemoteFolderRow::load(tx.conn, folder)?;
    let mut row = FolderRow::load(tx.conn, remote.id)?;
    let mut saved: Vec<Saved> = Vec::with_capacity(begun.len());
    let mut seen = HashSet::new();
    for one in begun {
        saved.push(match one {
            Begun::Existing(saved) => saved.clone(),
            Begun::Upload(id) => {
                let new = save_one(tx.conn, (&mut row, &remote), id, terms)?;
                // A key that was given twice is one item.
                Saved {
                    existing: !seen.insert(id),
                    ..new
                }
            }
        });
    }
    row.store(tx)?;
    Ok(saved)
}

fn save_one(
    conn: &Connection,
    (row, remote): (&mut FolderRow, &RemoteFolderRow),
    draft: &RemoteId,
    terms: &QueueTerms,
) -> Result<Saved> {
    let pending = PendingRow::find(conn, remote.id, draft)?;
    // A synchronization was faster, or it was given twice.
    let Some(pending) = pending.filter(|pending| !pending.queued) else {
        return arrival::already(conn, remote.id, (draft, None));
    };
    if pending.digest.is_none() {
        return Err(Fail::new(
            ErrorKind::Unsupported,
            "a message without original does not wait",
        ));
    }
    let wanted: Vec<u8> = conn
        .prepare_cached("SELECT key FROM items WHERE id = ?1")?
        .query_row([pending.id], |row| row.get(0))?;
    let key = free_key(conn, remote.id, wanted)?;
    let (number, version) = (row.take_number()?, row.bump());
    let id = row_id(remote.id, number);
    copy_rows(conn, pending.id, id, &key.0, (version, None))?;
    let given = pending.change_key.as_ref().map(|key| Given {
        id: draft.clone(),
        change_key: ChangeKey(key.as_slice().into()),
    });
    let change_key = match &given {
        Some(given) => &given.change_key.0,
        None => &draft.0,
    };
    let arrived = Arrived {
        id: draft,
        change_key,
        index: &IndexRow::new(&PropBag::default())?,
        number_hint: None,
    };
    let place = Place { id, key, version };
    let served = Some(&change_key[..]);
    let saved = arrival::furnish(conn, row, remote, (&pending, &arrived, served), place)?;
    conn.prepare_cached("UPDATE remote_pending SET queued = 1 WHERE id = ?1")?
        .execute([pending.id])?;
    let item = ItemRow::load(conn, id)?.ok_or_else(|| Fail::corrupt("a new item has no row"))?;
    let operation = NewOperation {
        kind: kind::SAVE,
        bytes: item.size,
        items: vec![NewItem {
            folder: remote.id,
            remote: Vec::new(),
            change_key: None,
            flags: item.hot.flags.unwrap_or(0),
            becomes: Some(draft.clone()),
            given: given.clone(),
        }],
        ..NewOperation::default()
    };
    append(conn, &operation, terms)?;
    Ok(saved)
}

pub(super) fn update(
    tx: &mut Tx<'_>,
    folder: FolderId,
    (items, change): (&[Expected], &Change),
    terms: &QueueTerms,
) -> Result<Updated> {
    let id = RemoteFolderRow::load(tx.conn, folder)?.id;
    let owner = Access::owner(&tx.mailbox.id);
    let updated = write::update(tx, &owner, folder, items, change)?;
    if !updated.renumbered.is_empty() {
        return Err(Fail::new(
            ErrorKind::Unsupported,
            "a change of what an item says does not wait",
        ));
    }
    let mut about = Vec::new();
    for number in &updated.changed {
        // One that the remote refused goes there with the marks it has then.
        if let Some(item) = item(tx.conn, row_id(id, number.0))?
            && refused_draft(tx.conn, &item.remote)?.is_none()
        {
            about.push(item);
        }
    }
    let operation = NewOperation {
        kind: kind::UPDATE,
        change: Some(encode_change(change)?),
        items: about,
        ..NewOperation::default()
    };
    append(tx.conn, &operation, terms)?;
    Ok(updated)
}

pub(super) fn remove(
    tx: &mut Tx<'_>,
    folder: FolderId,
    (items, how): (&[ItemNumber], Deletion),
    terms: &QueueTerms,
) -> Result<Vec<ItemNumber>> {
    let remote = RemoteFolderRow::load(tx.conn, folder)?;
    let id = remote.id;
    let leaving = items.iter().map(|number| row_id(id, number.0));
    remote.note_leaving(tx, leaving)?;
    let mut known = Vec::with_capacity(items.len());
    for number in items {
        known.push((*number, item(tx.conn, row_id(id, number.0))?));
    }
    known.sort_by_key(|(number, _)| *number);
    known.dedup_by_key(|(number, _)| *number);
    let owner = Access::owner(&tx.mailbox.id);
    let gone = write::delete(tx, &owner, folder, items, how)?;
    let mut about = Vec::with_capacity(gone.len());
    for (number, item) in known {
        let Some(item) = item.filter(|_| gone.contains(&number)) else {
            continue;
        };
        match refused_draft(tx.conn, &item.remote)? {
            // Its owner does not want it any more.
            Some(draft) => forget_draft(tx.conn, &draft)?,
            None => about.push(item),
        }
    }
    let operation = NewOperation {
        kind: kind::DELETE,
        items: about,
        ..NewOperation::default()
    };
    append(tx.conn, &operation, terms)?;
    Ok(gone)
}

pub(super) fn transfer(
    tx: &mut Tx<'_>,
    (from, to): (FolderId, FolderId),
    (items, how): (&[(Moved, Option<Given>)], Transfer),
    terms: &QueueTerms,
) -> Result<Vec<Transferred>> {
    let id = RemoteFolderRow::load(tx.conn, from)?.id;
    let mut about = Vec::with_capacity(items.len());
    for (moved, given) in items {
        let Some(item) = item(tx.conn, row_id(id, moved.number.0))? else {
            continue;
        };
        if refused_draft(tx.conn, &item.remote)?.is_some() {
            return Err(Fail::new(
                ErrorKind::Unavailable,
                "the remote does not have a message that is to be copied or moved",
            ));
        }
        about.push(NewItem {
            becomes: Some(moved.id.clone()),
            given: given.clone(),
            ..item
        });
    }
    let moved: Vec<_> = items.iter().map(|(moved, _)| moved.clone()).collect();
    let done = writes::transferred(tx, (from, to), (how, CopiedBy::Nobody), &moved)?;
    let operation = NewOperation {
        kind: match how {
            Transfer::Copy => kind::COPY,
            Transfer::Move => kind::MOVE,
        },
        target: Some(RemoteFolderRow::load(tx.conn, to)?.id),
        items: about,
        ..NewOperation::default()
    };
    append(tx.conn, &operation, terms)?;
    Ok(done)
}

/// An item as an operation names it; `None` when it is gone.
fn item(conn: &Connection, id: i64) -> Result<Option<NewItem>> {
    let mut select = conn.prepare_cached(
        "SELECT r.folder, r.remote, r.change_key, ifnull(i.flags, 0)
         FROM remote_items r JOIN items i ON i.id = r.id WHERE r.id = ?1",
    )?;
    let row = select.query_row(params![id], |row| {
        Ok(NewItem {
            folder: row.get(0)?,
            remote: row.get(1)?,
            change_key: row.get(2)?,
            flags: row.get(3)?,
            becomes: None,
            given: None,
        })
    });
    Ok(row.optional()?)
}

/// The draft behind this stand-in, if the remote refused it.
fn refused_draft(conn: &Connection, stand_in: &[u8]) -> Result<Option<ItemOfOperation>> {
    match ItemOfOperation::making(conn, stand_in)? {
        Some(making) if OperationRow::load(conn, making.op)?.refused => Ok(Some(making)),
        _ => Ok(None),
    }
}
