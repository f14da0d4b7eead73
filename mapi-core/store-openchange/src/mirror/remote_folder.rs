//! A folder's row in the table `remote_folders`: how far its contents are synchronized.

use bytes::Bytes;
use mapi_types::FolderId;
use rusqlite::{Connection, OptionalExtension, params};

use super::FolderSync;
use crate::{access::no_folder, fail::Result, ids::folder_row_id, write::Tx};

/// A value of the column `passing`: the pass begins with rows that have nothing but flags.
const DROPPED: i64 = 2;

/// See the module.
pub(super) struct RemoteFolderRow {
    pub(super) id: i64,
    pub(super) indexed: bool,
    pub(super) passing: bool,
    /// Whether rows have nothing but flags until the pass is complete.
    pub(super) dropped: bool,
    pub(super) pass: i64,
}

impl RemoteFolderRow {
    /// Errors: `NotFound` also for a folder that mirrors none.
    pub(super) fn load(conn: &Connection, folder: FolderId) -> Result<Self> {
        let id = folder_row_id(folder)?;
        let mut select = conn.prepare_cached(
            "SELECT indexed, passing, pass FROM remote_folders WHERE folder = ?1",
        )?;
        let row = select.query_row([id], |row| {
            let passing: i64 = row.get(1)?;
            Ok(Self {
                id,
                indexed: row.get(0)?,
                passing: passing != 0,
                dropped: passing == DROPPED,
                pass: row.get(2)?,
            })
        });
        row.optional()?.ok_or_else(no_folder)
    }

    /// These rows, as far as there are such, leave the folder: what a pass brings of them is older.
    pub(super) fn note_leaving(&self, tx: &Tx<'_>, rows: impl Iterator<Item = i64>) -> Result<()> {
        if !self.passing {
            return Ok(());
        }
        let mut select = tx
            .conn
            .prepare_cached("SELECT remote FROM remote_items WHERE id = ?1")?;
        for id in rows {
            let remote: Option<Vec<u8>> = select.query_row([id], |row| row.get(0)).optional()?;
            if let Some(remote) = remote {
                tx.mailbox.left.note(self.id, &remote);
            }
        }
        Ok(())
    }

    pub(super) fn complete_pass(&mut self, conn: &Connection) -> Result<()> {
        (self.indexed, self.passing, self.dropped) = (true, false, false);
        conn.prepare_cached(
            "UPDATE remote_folders SET indexed = 1, passing = 0 WHERE folder = ?1",
        )?
        .execute([self.id])?;
        Ok(())
    }
}

/// Whether a folder is one whose first pass is not complete: it shows none of the items it may have.
pub(crate) fn is_unindexed(conn: &Connection, folder: i64) -> Result<bool> {
    let mut select =
        conn.prepare_cached("SELECT 1 FROM remote_folders WHERE folder = ?1 AND indexed = 0")?;
    Ok(select.exists([folder])?)
}

pub(super) fn sync(conn: &Connection, folder: FolderId) -> Result<FolderSync> {
    let row = RemoteFolderRow::load(conn, folder)?;
    let state: Option<Vec<u8>> = conn
        .prepare_cached("SELECT state FROM remote_folders WHERE folder = ?1")?
        .query_row([row.id], |row| row.get(0))?;
    Ok(FolderSync {
        state: state.map(Bytes::from),
        indexed: row.indexed,
        passing: row.passing,
        dropped: row.dropped,
        pass: row.pass,
    })
}

/// Writes the synchronization state, unless it is the one that is there.
pub(super) fn set_state(conn: &Connection, folder: i64, state: &[u8]) -> Result<()> {
    conn.prepare_cached(
        "UPDATE remote_folders SET state = ?2 WHERE folder = ?1 AND state IS NOT ?2",
    )?
    .execute(params![folder, state])?;
    Ok(())
}

/// Begins a pass over all items, and returns its number.
pub(super) fn restart(tx: &Tx<'_>, folder: FolderId) -> Result<i64> {
    let conn = tx.conn;
    let row = RemoteFolderRow::load(conn, folder)?;
    tx.mailbox.left.forget(row.id);
    conn.execute("DELETE FROM remote_staged WHERE folder = ?1", [row.id])?;
    conn.execute(
        "UPDATE remote_folders SET state = NULL, passing = max(passing, 1), pass = pass + 1 WHERE folder = ?1",
        [row.id],
    )?;
    Ok(row.pass + 1)
}
