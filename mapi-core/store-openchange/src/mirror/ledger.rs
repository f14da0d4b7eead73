//! What a mirror is as a whole: whose, how much, and how to forget what can be fetched again, or everything.

use bytes::Bytes;
use mapi_store::Notice;
use mapi_types::{FolderId, changes_content};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{FolderStatus, MirrorStatus, index_row::cold_with, queue};
use crate::{
    fail::Result,
    hot::DEFAULT_CLASS,
    write::{Tx, bump, drop_folder, drop_items, empty_bag},
};

/// Whether the mailbox mirrors another one.
pub(crate) fn is_mirror(conn: &Connection) -> Result<bool> {
    Ok(identity(conn)?.is_some())
}

/// What the mirror mirrors; `None`: the mailbox is none.
pub(super) fn identity(conn: &Connection) -> Result<Option<Vec<u8>>> {
    let mut select = conn.prepare_cached("SELECT identity FROM remote")?;
    Ok(select.query_row([], |row| row.get(0)).optional()?)
}

/// Makes a mirror of an empty mailbox.
pub(crate) fn found(conn: &Connection, identity: &[u8]) -> Result<()> {
    conn.execute(
        "INSERT INTO remote VALUES (1, ?1, NULL, x'')",
        params![identity],
    )?;
    Ok(())
}

pub(super) fn hierarchy_state(conn: &Connection) -> Result<Option<Bytes>> {
    let mut select = conn.prepare_cached("SELECT state FROM remote")?;
    let state: Option<Vec<u8>> = select.query_row([], |row| row.get(0))?;
    Ok(state.map(Bytes::from))
}

pub(super) fn set_hierarchy_state(conn: &Connection, state: &[u8]) -> Result<()> {
    conn.prepare_cached("UPDATE remote SET state = ?1 WHERE state IS NOT ?1")?
        .execute([state])?;
    Ok(())
}

pub(super) fn session_data(conn: &Connection) -> Result<Bytes> {
    let mut select = conn.prepare_cached("SELECT session FROM remote")?;
    let data: Vec<u8> = select.query_row([], |row| row.get(0))?;
    Ok(data.into())
}

pub(super) fn set_session_data(conn: &Connection, data: &[u8]) -> Result<()> {
    conn.execute("UPDATE remote SET session = ?1 WHERE session <> ?1", [data])?;
    Ok(())
}

pub(super) fn drop_contents(tx: &mut Tx<'_>) -> Result<()> {
    let conn = tx.conn;
    conn.execute_batch(
        "UPDATE remote SET state = NULL;
         UPDATE remote_folders SET state = NULL, passing = 2, pass = pass + 1;
         DELETE FROM remote_staged;
         DELETE FROM facts WHERE id IN (SELECT id FROM remote_items WHERE body <> 4);
         DELETE FROM attached WHERE item IN (SELECT id FROM remote_items WHERE body <> 4);",
    )?;
    drop_properties(conn)?;
    conn.execute_batch(
        "UPDATE remote_items SET body = 0, bytes = 0 WHERE body <> 4;
         UPDATE remote_items SET fresh = NULL WHERE fresh IS NOT NULL;",
    )?;
    Ok(())
}

/// Flags stay: the versions stand for them.
fn drop_properties(conn: &Connection) -> Result<()> {
    let empty = empty_bag()?;
    let mut select = conn.prepare(
        "SELECT c.id, c.props, i.class FROM remote_items r JOIN contents c ON c.id = r.id JOIN items i ON i.id = r.id
         WHERE r.body <> 4",
    )?;
    let mut update = conn.prepare(
        "UPDATE contents SET hash = NULL, header = x'', props = ?2, parts = x'', body = NULL WHERE id = ?1",
    )?;
    // No index is walked that the updates change.
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let (id, class): (i64, Option<String>) = (row.get(0)?, row.get(2)?);
        let class = class.as_deref().unwrap_or(DEFAULT_CLASS);
        let props = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        let flags = cold_with(props, &empty, |_| false, |tag| !changes_content(class, tag))?;
        update.execute(params![id, flags])?;
    }
    Ok(())
}

/// Forgets all; from now on the mailbox mirrors `identity`, or what it mirrored before.
pub(super) fn reset(tx: &mut Tx<'_>, identity: Option<&[u8]>) -> Result<()> {
    let conn = tx.conn;
    tracing::warn!(
        mailbox = %tx.mailbox.id,
        "the ledger of a mirror is forgotten: every folder begins a new epoch"
    );
    let folders: Vec<i64> = conn
        .prepare("SELECT id FROM folders")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let version = bump(conn)?;
    for folder in folders {
        drop_folder(conn, folder, version)?;
    }
    // Folder 0 has the drafts on their way.
    drop_items(conn, 0)?;
    conn.execute_batch(
        "DELETE FROM remote_pending; DELETE FROM remote_queue; DELETE FROM remote_queue_items;",
    )?;
    conn.execute("UPDATE mailbox SET props = ?1", [empty_bag()?])?;
    conn.execute(
        "UPDATE remote SET identity = ifnull(?1, identity), state = NULL, session = x''",
        params![identity],
    )?;
    tx.notify(Notice::Hierarchy);
    Ok(())
}

pub(super) fn status(conn: &Connection) -> Result<MirrorStatus> {
    let mut select = conn.prepare(
        "SELECT f.id, f.name, r.indexed, r.passing, f.items,
             (SELECT count(*) FROM remote_staged s WHERE s.folder = f.id),
             ifnull(c.rendered, 0), ifnull(c.stale, 0), ifnull(c.kept, 0), ifnull(c.bytes_kept, 0),
             ifnull(c.bytes_rendered, 0), ifnull(c.refill_items, 0), ifnull(c.refill_bytes, 0)
         FROM folders f JOIN remote_folders r ON r.folder = f.id LEFT JOIN (
             SELECT m.folder AS folder, sum(m.body >= 2) AS rendered,
                 sum(ifnull(m.served_key <> m.change_key, 0)) AS stale, sum(m.body = 4) AS kept,
                 sum(iif(m.body = 4, i.size, 0)) AS bytes_kept, sum(m.bytes) AS bytes_rendered,
                 sum(m.body <> 4) AS refill_items, sum(iif(m.body <> 4, i.size, 0)) AS refill_bytes
             FROM remote_items m JOIN items i ON i.id = m.id GROUP BY m.folder) c ON c.folder = f.id
         ORDER BY f.id",
    )?;
    let folders = select
        .query_map([], read_status)?
        .collect::<rusqlite::Result<_>>()?;
    let pending = conn.query_row(
        "SELECT count(*) FROM remote_pending WHERE queued = 0",
        [],
        |row| row.get(0),
    )?;
    Ok(MirrorStatus {
        folders,
        pending,
        queue: queue::status(conn)?,
    })
}

fn read_status(row: &Row<'_>) -> rusqlite::Result<FolderStatus> {
    let octets = |at: usize| row.get::<_, i64>(at).map(|octets| octets as u64);
    Ok(FolderStatus {
        folder: FolderId(octets(0)?),
        name: row.get(1)?,
        indexed: row.get(2)?,
        passing: row.get::<_, i64>(3)? != 0,
        items: row.get(4)?,
        staged: row.get(5)?,
        rendered: row.get(6)?,
        stale: row.get(7)?,
        kept: row.get(8)?,
        bytes_kept: octets(9)?,
        bytes_rendered: octets(10)?,
        refill_items: row.get(11)?,
        refill_bytes: octets(12)?,
    })
}
