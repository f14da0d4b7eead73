//! Which item of the remote is which of ours, and which ones want work.

use mapi_types::{FolderId, ItemNumber};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    ChangeKey, Progress, RemoteId, RemoteItemRef, is_unindexed,
    remote_row::{RemoteRow, body_of},
};
use crate::{
    fail::Result,
    ids::{folder_row_id, number_of, row_id},
};

pub(super) fn remote_ids(
    conn: &Connection,
    folder: FolderId,
    items: &[ItemNumber],
) -> Result<Vec<Option<RemoteItemRef>>> {
    let folder = folder_row_id(folder)?;
    let mut select = conn.prepare_cached(
        "SELECT remote, change_key, body, ifnull(served_key <> change_key, 0) FROM remote_items WHERE id = ?1",
    )?;
    let found = items.iter().map(|item| {
        let row = select.query_row([row_id(folder, item.0)], |row| {
            let (id, key): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            Ok(RemoteItemRef {
                id: RemoteId(id.into()),
                change_key: ChangeKey(key.into()),
                body: body_of(row.get(2)?),
                stale: row.get(3)?,
            })
        });
        Ok(row.optional()?)
    });
    found.collect()
}

pub(super) fn ids_from(
    conn: &Connection,
    folder: FolderId,
    first: ItemNumber,
) -> Result<Vec<RemoteId>> {
    let folder = folder_row_id(folder)?;
    let mut select =
        conn.prepare_cached("SELECT remote FROM remote_items WHERE id BETWEEN ?1 AND ?2")?;
    let range = [row_id(folder, first.0), row_id(folder, u32::MAX)];
    let ids = select.query_map(range, |row| row.get::<_, Vec<u8>>(0))?;
    ids.map(|id| Ok(RemoteId(id?.into()))).collect()
}

pub(super) fn numbers(
    conn: &Connection,
    folder: FolderId,
    ids: &[RemoteId],
) -> Result<Vec<Option<ItemNumber>>> {
    let folder = folder_row_id(folder)?;
    let found = ids.iter().map(|id| {
        let row = RemoteRow::find(conn, folder, id)?;
        Ok(row.map(|row| ItemNumber(number_of(row.id))))
    });
    found.collect()
}

pub(super) fn folder_of(conn: &Connection, id: &RemoteId) -> Result<Option<FolderId>> {
    let mut select = conn.prepare_cached("SELECT folder FROM remote_folders WHERE remote = ?1")?;
    let found: Option<i64> = select.query_row([&id.0], |row| row.get(0)).optional()?;
    Ok(found.map(|id| FolderId(id as u64)))
}

pub(super) fn remote_of(conn: &Connection, folder: FolderId) -> Result<Option<RemoteId>> {
    let mut select = conn.prepare_cached("SELECT remote FROM remote_folders WHERE folder = ?1")?;
    let found: Option<Vec<u8>> = select
        .query_row([folder_row_id(folder)?], |row| row.get(0))
        .optional()?;
    Ok(found.map(|id| RemoteId(id.into())))
}

pub(super) fn folders(conn: &Connection) -> Result<Vec<(FolderId, RemoteId)>> {
    let mut select =
        conn.prepare_cached("SELECT folder, remote FROM remote_folders ORDER BY folder")?;
    let rows = select.query_map([], |row| {
        let (folder, remote): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        Ok((FolderId(folder as u64), RemoteId(remote.into())))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn unrendered(
    conn: &Connection,
    folder: FolderId,
    limit: u32,
) -> Result<Vec<ItemNumber>> {
    newest(conn, folder, limit, "r.body < 2")
}

pub(super) fn stale(conn: &Connection, folder: FolderId, limit: u32) -> Result<Vec<ItemNumber>> {
    newest(conn, folder, limit, "r.served_key <> r.change_key")
}

pub(super) fn progress(conn: &Connection, folder: FolderId) -> Result<Progress> {
    let folder = folder_row_id(folder)?;
    let mut select = conn.prepare_cached(
        "SELECT (SELECT count(*) FROM remote_staged WHERE folder = ?1),
             (SELECT count(*) FROM remote_items WHERE body < 2 AND id BETWEEN ?2 AND ?3),
             (SELECT count(*) FROM remote_items WHERE served_key <> change_key AND id BETWEEN ?2 AND ?3)",
    )?;
    let range = [folder, row_id(folder, 0), row_id(folder, u32::MAX)];
    let progress = select.query_row(range, |row| {
        Ok(Progress {
            staged: row.get(0)?,
            unrendered: row.get(1)?,
            stale: row.get(2)?,
        })
    })?;
    Ok(progress)
}

/// How many normal items have no size yet, and what the remote says of their sizes, all together.
pub(super) fn unsized_items(conn: &Connection, folder: FolderId) -> Result<(u32, u64)> {
    let folder = folder_row_id(folder)?;
    // By the index of what is not rendered: what has no size is among it.
    let mut select = conn.prepare_cached(
        "SELECT count(*), ifnull(sum(i.size), 0) FROM remote_items r JOIN items i ON i.id = r.id
         WHERE r.body < 2 AND r.id BETWEEN ?1 AND ?2 AND i.state = 0 AND i.sized = 0",
    )?;
    let range = params![row_id(folder, 0), row_id(folder, u32::MAX)];
    let sum = select.query_row(range, |row| {
        let octets: i64 = row.get(1)?;
        Ok((row.get(0)?, octets as u64))
    })?;
    Ok(sum)
}

fn newest(
    conn: &Connection,
    folder: FolderId,
    limit: u32,
    condition: &str,
) -> Result<Vec<ItemNumber>> {
    let folder = folder_row_id(folder)?;
    if is_unindexed(conn, folder)? {
        return Ok(Vec::new());
    }
    let mut select = conn.prepare_cached(&format!(
        "SELECT r.id FROM remote_items r JOIN items i ON i.id = r.id
         WHERE {condition} AND r.id BETWEEN ?1 AND ?2 AND i.state = 0 ORDER BY r.id DESC LIMIT ?3"
    ))?;
    let range = params![row_id(folder, 0), row_id(folder, u32::MAX), limit];
    let ids = select.query_map(range, |row| row.get(0))?;
    let numbers = ids.map(|id| id.map(|id| ItemNumber(number_of(id))));
    Ok(numbers.collect::<rusqlite::Result<_>>()?)
}
