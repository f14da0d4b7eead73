//! Bringing back what was softly deleted, and deleting it for good: by hand, or when it has been kept long enough.

use std::time::SystemTime;

use mapi_store::{Rights, Saved, Transferred};
use mapi_types::{FileTime, FolderId, ItemNumber, Version};
use rusqlite::{Connection, params};

use super::{
    FolderRow, Tx,
    delete::{DELETE, each_once},
    item_row::{self, ItemRow, state, with_key},
    save::new_key,
};
use crate::{access::Access, fail::Result, ids::row_id, quota::check_room};

/// Now, as the column `removed` has it.
pub(super) fn now() -> i64 {
    FileTime::from(SystemTime::now()).0 as i64
}

pub(crate) fn recover(
    tx: &mut Tx<'_>,
    who: &Access,
    (from, to): (FolderId, FolderId),
    items: &[ItemNumber],
) -> Result<Vec<Transferred>> {
    let (source, rights) = who.allowed_deleted(tx.conn, from, Rights::READ_ANY)?;
    let (target, _) = who.allowed(tx.conn, to, Rights::CREATE)?;
    let mut row = FolderRow::load(tx.conn, target)?;
    let mut recovered = Vec::with_capacity(items.len());
    for number in each_once(items) {
        let Some(item) = ItemRow::load_deleted(tx.conn, row_id(source, number.0))? else {
            continue;
        };
        who.check_items(rights, DELETE, std::iter::once(item.creator.as_deref()))?;
        let target = bring_back(tx, &mut row, item)?;
        recovered.push(Transferred {
            source: number,
            target,
        });
    }
    forget_empty(tx.conn, source)?;
    row.store(tx)?;
    if !recovered.is_empty() {
        check_room(tx)?;
    }
    Ok(recovered)
}

/// Makes a softly deleted item the newest one of a folder.
fn bring_back(tx: &Tx<'_>, row: &mut FolderRow, mut item: ItemRow) -> Result<Saved> {
    let (version, number) = (row.bump(), row.take_number()?);
    let id = row_id(row.id, number);
    let key = match with_key(tx.conn, row.id, &item.key.0)? {
        Some(_) => new_key(tx.conn, tx.mailbox, id)?,
        None => item.key.clone(),
    };
    item_row::renumber(tx.conn, item.id, id, version)?;
    (item.id, item.version) = (id, version);
    item.hot.unmark_deleted();
    item.store_hot(tx.conn)?;
    item.state = match item.hot.is_associated() {
        true => state::ASSOCIATED,
        false => state::NORMAL,
    };
    tx.conn
        .prepare_cached("UPDATE items SET state = ?2, key = ?3, removed = NULL WHERE id = ?1")?
        .execute(params![id, item.state, key.0])?;
    if item.is_normal() {
        row.count_in(&item.hot, item.size);
    }
    Ok(Saved {
        number: ItemNumber(number),
        key,
        version: Version(version),
        existing: false,
    })
}

pub(crate) fn purge(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    items: &[ItemNumber],
) -> Result<Vec<ItemNumber>> {
    let (id, rights) = who.allowed_deleted(tx.conn, folder, Rights::READ_ANY)?;
    let mut gone = Vec::with_capacity(items.len());
    for number in each_once(items) {
        let Some(item) = ItemRow::load_deleted(tx.conn, row_id(id, number.0))? else {
            continue;
        };
        who.check_items(rights, DELETE, std::iter::once(item.creator.as_deref()))?;
        item_row::remove(tx.conn, item.id)?;
        gone.push(number);
    }
    forget_empty(tx.conn, id)?;
    Ok(gone)
}

/// What one transaction of a sweep purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Purged {
    pub(crate) items: u64,
    pub(crate) octets: u64,
}

/// Whether anything was softly deleted before a moment.
pub(crate) fn is_purge_due(conn: &Connection, before: FileTime) -> Result<bool> {
    let mut select = conn.prepare_cached("SELECT 1 FROM items WHERE state = 2 AND removed < ?1")?;
    Ok(select.exists([i64::try_from(before.0).unwrap_or(i64::MAX)])?)
}

/// Deletes some of what was softly deleted before a moment for good, the oldest first: `max` items at most.
pub(crate) fn purge_older(tx: &Tx<'_>, before: FileTime, max: u32) -> Result<Purged> {
    let mut select = tx.conn.prepare_cached(
        "SELECT id, size FROM items WHERE state = 2 AND removed < ?1 ORDER BY removed LIMIT ?2",
    )?;
    let before = i64::try_from(before.0).unwrap_or(i64::MAX);
    let old: Vec<(i64, i64)> = select
        .query_map(params![before, max], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut purged = Purged::default();
    for (id, size) in old {
        item_row::remove(tx.conn, id)?;
        purged.items += 1;
        purged.octets += size as u64;
    }
    tx.conn
        .prepare_cached(
            "DELETE FROM deleted_folders WHERE NOT EXISTS (
                 SELECT 1 FROM items WHERE id BETWEEN deleted_folders.id << 32 AND deleted_folders.id << 32 | 0xffffffff)",
        )?
        .execute([])?;
    Ok(purged)
}

/// Softly deletes a folder's items, whose row is about to go, and keeps its name as long as there are any.
pub(super) fn keep_deleted(conn: &Connection, folder: i64) -> Result<()> {
    let now = now();
    let range = [row_id(folder, 0), row_id(folder, u32::MAX), now];
    conn.execute(
        "UPDATE items SET state = 2, removed = ?3 WHERE id BETWEEN ?1 AND ?2 AND state < 2",
        range,
    )?;
    conn.execute(
        "INSERT INTO deleted_folders SELECT id, parent, name, class, ?3 FROM folders WHERE id = ?1 >> 32
             AND EXISTS (SELECT 1 FROM items WHERE id BETWEEN ?1 AND ?2)",
        range,
    )?;
    Ok(())
}

/// A deleted folder goes with its last item.
fn forget_empty(conn: &Connection, folder: i64) -> Result<()> {
    conn.prepare_cached(
        "DELETE FROM deleted_folders WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM items WHERE id BETWEEN ?2 AND ?3)",
    )?
    .execute([folder, row_id(folder, 0), row_id(folder, u32::MAX)])?;
    Ok(())
}
