//! What we had the remote do: moving, deleting and changing items, once it has done so.

use std::collections::HashMap;

use mapi_store::{Deletion, Expected, Saved, Transfer, Transferred, Updated};
use mapi_types::{Change, FolderId, ItemNumber, Version, changes_content};
use rusqlite::{Connection, params};

use super::{
    ChangeKey, Confirmed, Moved, RemoteId, Written,
    apply::remove_item,
    evict::evict_one,
    index_row::{IndexRow, cold_with, without_externals},
    known::{Known, cold_of, put_cold},
    remote_folder::RemoteFolderRow,
    remote_row::{RemoteRow, body, check_id, check_key},
    staged,
};
use crate::{
    access::Access,
    fail::Result,
    hot::hot_column,
    ids::row_id,
    write::{
        self, FolderRow, Tx, copy_rows, free_key,
        item_row::{self, ItemRow},
        with_key,
    },
};

/// Who has made copies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CopiedBy {
    /// The remote: what clients get is made of its copies, which may say it otherwise than their sources.
    Remote,
    /// Nobody yet: while the remote is away, what their sources say is all there is.
    Nobody,
}

pub(super) fn transferred(
    tx: &mut Tx<'_>,
    (from, to): (FolderId, FolderId),
    (how, copied_by): (Transfer, CopiedBy),
    items: &[Moved],
) -> Result<Vec<Transferred>> {
    let source = RemoteFolderRow::load(tx.conn, from)?;
    let target = RemoteFolderRow::load(tx.conn, to)?;
    let mut transfer = Transferring {
        conn: tx.conn,
        how,
        copied_by,
        target_row: FolderRow::load(tx.conn, target.id)?,
        source_row: if source.id == target.id {
            None
        } else {
            Some(FolderRow::load(tx.conn, source.id)?)
        },
        target,
    };
    let mut items: Vec<&Moved> = items.iter().collect();
    items.sort_by_key(|moved| moved.number);
    items.dedup_by_key(|moved| moved.number);
    if how == Transfer::Move {
        let leaving = items.iter().map(|moved| row_id(source.id, moved.number.0));
        source.note_leaving(tx, leaving)?;
    }
    let mut done = Vec::with_capacity(items.len());
    for moved in items {
        check_id(&moved.id)?;
        if let Some(key) = &moved.change_key {
            check_key(key)?;
        }
        let item = ItemRow::load(tx.conn, row_id(source.id, moved.number.0))?;
        if let Some(item) = item {
            done.push(Transferred {
                source: moved.number,
                target: transfer.one(item, moved)?,
            });
        }
    }
    let Transferring {
        target_row,
        source_row,
        ..
    } = transfer;
    if let Some(row) = source_row {
        row.store(tx)?;
    }
    target_row.store(tx)?;
    Ok(done)
}

struct Transferring<'c> {
    conn: &'c Connection,
    how: Transfer,
    copied_by: CopiedBy,
    target: RemoteFolderRow,
    target_row: FolderRow,
    /// `None`: it is the target.
    source_row: Option<FolderRow>,
}

impl Transferring<'_> {
    fn one(&mut self, item: ItemRow, moved: &Moved) -> Result<Saved> {
        let (conn, folder) = (self.conn, self.target.id);
        let early = self.make_room(item.id, &moved.id)?;
        let (version, number) = (self.target_row.bump(), self.target_row.take_number()?);
        let id = row_id(folder, number);
        let mut remote = RemoteRow::load(conn, item.id)?;
        let mut size = item.size;
        let key = match self.how {
            Transfer::Copy => {
                let key = free_key(conn, folder, moved.id.0.to_vec())?;
                copy_rows(conn, item.id, id, &key.0, (version, None))?;
                if self.copied_by == CopiedBy::Remote
                    && let Some(remote) = remote.as_mut().filter(|remote| !remote.is_kept())
                {
                    unmake(conn, id)?;
                    forget_made(remote);
                    size = 0;
                }
                key
            }
            Transfer::Move => {
                let taken =
                    folder != item.id >> 32 && with_key(conn, folder, &item.key.0)?.is_some();
                let key = if taken {
                    free_key(conn, folder, item.key.0.to_vec())?
                } else {
                    item.key.clone()
                };
                conn.prepare_cached("UPDATE items SET key = ?2 WHERE id = ?1")?
                    .execute(params![item.id, key.0])?;
                item_row::forget_remote(conn, item.id)?;
                item_row::renumber(conn, item.id, id, version)?;
                let left = self.source_row.as_mut().unwrap_or(&mut self.target_row);
                left.bump();
                if item.is_normal() {
                    left.count_out(&item.hot, item.size);
                    left.log_expunged(conn, item.number(), item.created)?;
                }
                key
            }
        };
        if item.is_normal() {
            self.target_row.count_in(&item.hot, size);
        }
        if let Some(mut remote) = remote {
            if let Some(key) = &moved.change_key {
                advance(&mut remote, key, None);
            }
            (remote.id, remote.pass) = (id, self.target.pass);
            remote.insert(conn, &moved.id)?;
            if let Some((index, change_key)) = early
                && let Some(item) = ItemRow::load(conn, id)?
            {
                let known = Known {
                    item,
                    remote,
                    new: &index,
                    change_key: &change_key,
                };
                known.apply(conn, &mut self.target_row)?;
            }
        }
        Ok(Saved {
            number: ItemNumber(number),
            key,
            version: Version(version),
            existing: false,
        })
    }

    /// Removes what a synchronization brought of the item meanwhile. Returns what the index said, for it may say more
    /// than we know.
    fn make_room(&mut self, item: i64, id: &RemoteId) -> Result<Option<(IndexRow, Vec<u8>)>> {
        let (conn, folder) = (self.conn, self.target.id);
        if let Some(staged) = staged::take(conn, folder, id)? {
            return Ok(Some(staged));
        }
        let Some(remote) = RemoteRow::find(conn, folder, id)?.filter(|early| early.id != item)
        else {
            return Ok(None);
        };
        let Some(early) = ItemRow::load(conn, remote.id)? else {
            return Ok(None);
        };
        let index = IndexRow {
            hot: early.hot.clone(),
            cold: without_externals(&cold_of(conn, early.id)?)?,
            size: early.guess,
        };
        remove_item(conn, &mut self.target_row, &early)?;
        Ok(Some((index, remote.change_key)))
    }
}

pub(super) fn removed(
    tx: &mut Tx<'_>,
    folder: FolderId,
    items: &[ItemNumber],
    how: Deletion,
) -> Result<Vec<ItemNumber>> {
    let remote = RemoteFolderRow::load(tx.conn, folder)?;
    let leaving = items.iter().map(|number| row_id(remote.id, number.0));
    remote.note_leaving(tx, leaving)?;
    let owner = Access::owner(&tx.mailbox.id);
    write::delete(tx, &owner, folder, items, how)
}

pub(super) fn updated(
    tx: &mut Tx<'_>,
    folder: FolderId,
    items: &[Written],
    change: &Change,
) -> Result<Updated> {
    let id = RemoteFolderRow::load(tx.conn, folder)?.id;
    let mut keys: HashMap<ItemNumber, (&ChangeKey, Option<&ChangeKey>)> = HashMap::new();
    let mut expected: Vec<Expected> = Vec::with_capacity(items.len());
    for written in items {
        expected.push(written.item);
        if let Some(key) = &written.change_key {
            check_key(key)?;
            keys.insert(written.item.item, (key, written.based_on.as_ref()));
        }
    }
    let owner = Access::owner(&tx.mailbox.id);
    let updated = write::update(tx, &owner, folder, &expected, change)?;
    for (old, new) in &updated.renumbered {
        unrender(
            tx.conn,
            row_id(id, new.0),
            keys.remove(old).map(|(key, _)| key),
        )?;
    }
    for (number, (key, based_on)) in keys {
        if updated.stale.contains(&number) {
            continue;
        }
        if let Some(mut remote) = RemoteRow::load(tx.conn, row_id(id, number.0))? {
            advance(&mut remote, key, based_on);
            remote.store(tx.conn)?;
        }
    }
    Ok(updated)
}

/// Our own write gave the item a new change key. What is served is what it says as long as nobody else wrote: what was
/// stale stays so.
pub(super) fn advance(remote: &mut RemoteRow, key: &ChangeKey, based_on: Option<&ChangeKey>) {
    let alone = based_on.is_none_or(|base| base.0[..] == remote.change_key[..]);
    if alone && !remote.is_stale() {
        remote.served_key = remote.served_key.take().map(|_| key.0.to_vec());
    }
    remote.change_key = key.0.to_vec();
}

/// The rows of a copy have nothing of what was made of its source: its bytes are made of the copy that the remote has,
/// which may say it otherwise.
fn unmake(conn: &Connection, id: i64) -> Result<()> {
    evict_one(conn, id)?;
    conn.prepare_cached("DELETE FROM facts WHERE id = ?1")?
        .execute([id])?;
    conn.prepare_cached("UPDATE contents SET header = x'' WHERE id = ?1")?
        .execute([id])?;
    conn.prepare_cached("UPDATE items SET sized = 0, original = NULL WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Nobody was served bytes of the item.
fn forget_made(remote: &mut RemoteRow) {
    (remote.served_key, remote.digest, remote.fresh) = (None, None, None);
    (remote.body, remote.bytes) = (remote.body.min(body::INDEX), 0);
}

/// The item says something else now: its bytes must be made anew.
fn unrender(conn: &Connection, id: i64, change_key: Option<&ChangeKey>) -> Result<()> {
    let Some(mut remote) = RemoteRow::load(conn, id)? else {
        return Ok(());
    };
    if let Some(key) = change_key {
        remote.change_key = key.0.to_vec();
    }
    forget_made(&mut remote);
    remote.body = body::INDEX;
    remote.store(conn)?;
    conn.prepare_cached("UPDATE contents SET hash = NULL, body = NULL WHERE id = ?1")?
        .execute([id])?;
    // The folder counts what clients fetch, and nobody knows now what that is.
    if let Some(item) = ItemRow::load(conn, id)?
        && item.is_normal()
    {
        conn.prepare_cached("UPDATE folders SET size = size - ?2 WHERE id = ?1")?
            .execute(params![id >> 32, item.size as i64])?;
    }
    conn.prepare_cached("UPDATE items SET sized = 0 WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

pub(super) fn confirm(tx: &mut Tx<'_>, folder: FolderId, items: &[Confirmed]) -> Result<()> {
    let id = RemoteFolderRow::load(tx.conn, folder)?.id;
    for item in items {
        check_key(&item.change_key)?;
        confirm_one(tx.conn, row_id(id, item.number.0), item)?;
    }
    Ok(())
}

fn confirm_one(conn: &Connection, id: i64, confirmed: &Confirmed) -> Result<()> {
    let (Some(mut remote), Some(item)) = (RemoteRow::load(conn, id)?, ItemRow::load(conn, id)?)
    else {
        return Ok(());
    };
    let key = &confirmed.change_key;
    if !remote.is_current(&confirmed.index_key.0, &key.0) {
        return Ok(());
    }
    if let Some(fresh) = remote.fresh.take() {
        let class = item.hot.class();
        let is_content = |tag| changes_content(class, tag) && hot_column(tag).is_none();
        put_cold(
            conn,
            id,
            &cold_with(&cold_of(conn, id)?, &fresh, is_content, |_| true)?,
        )?;
    }
    remote.change_key = key.0.to_vec();
    remote.served_key = remote.served_key.map(|_| key.0.to_vec());
    remote.store(conn)
}
