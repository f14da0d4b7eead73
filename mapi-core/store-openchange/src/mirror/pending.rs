//! Drafts on their way to the remote: durable before they are uploaded, so that a lost answer loses no byte and
//! doubles nothing.
//!
//! Their rows are those of items, in folder 0 and in a state of their own: what keeps, counts, checks and backs up the
//! contents of items does the same for theirs, and a draft that arrived only has to be given its number.

use mapi_store::Saved;
use mapi_types::{Content, ContentHash, FolderId, ItemKey, ItemNumber, Version};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Begun, ChangeKey, Intent, Pending, RemoteId,
    remote_folder::RemoteFolderRow,
    remote_row::{RemoteRow, check_id, check_key},
};
use crate::{
    fail::Result,
    ids::number_of,
    write::{
        Birth, Prepared, Tx, insert_rows,
        item_row::{self, state},
        with_key,
    },
};

/// A draft made ready for its rows.
pub(super) struct PreparedPending {
    id: RemoteId,
    change_key: Option<ChangeKey>,
    draft: Prepared,
}

/// Errors: `Invalid`, `TooBig`.
pub(super) fn prepare(
    drafts: &[Pending],
    inline_max: u64,
) -> Result<(Vec<PreparedPending>, Vec<Content>)> {
    let (mut prepared, mut contents) = (Vec::with_capacity(drafts.len()), Vec::new());
    for pending in drafts {
        check_id(&pending.id)?;
        if let Some(key) = &pending.change_key {
            check_key(key)?;
        }
        let (draft, mut needed) = Prepared::new(&pending.draft, inline_max)?;
        contents.append(&mut needed);
        prepared.push(PreparedPending {
            id: pending.id.clone(),
            change_key: pending.change_key.clone(),
            draft,
        });
    }
    Ok((prepared, contents))
}

pub(super) fn begin(
    tx: &mut Tx<'_>,
    folder: FolderId,
    drafts: &[PreparedPending],
) -> Result<Vec<Begun>> {
    let folder = RemoteFolderRow::load(tx.conn, folder)?.id;
    drafts
        .iter()
        .map(|draft| begin_one(tx.conn, folder, draft))
        .collect()
}

fn begin_one(conn: &Connection, folder: i64, pending: &PreparedPending) -> Result<Begun> {
    let replaces = RemoteRow::find(conn, folder, &pending.id)?.is_some();
    if !replaces && let Some(key) = &pending.draft.key {
        if let Some((id, version)) = with_key(conn, folder, &key.0)? {
            return Ok(Begun::Existing(Saved {
                number: ItemNumber(number_of(id)),
                key: key.clone(),
                version: Version(version),
                existing: true,
            }));
        }
        if let Some(earlier) = with_pending_key(conn, folder, key)? {
            return Ok(Begun::Upload(earlier));
        }
    }
    match PendingRow::find(conn, folder, &pending.id)? {
        // A newer content for the same item.
        Some(earlier) if replaces => earlier.remove(conn)?,
        Some(_) => return Ok(Begun::Upload(pending.id.clone())),
        None => {}
    }
    conn.prepare_cached(
        "INSERT INTO remote_pending(folder, remote, change_key, digest) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        folder,
        pending.id.0,
        pending.change_key.as_ref().map(|key| &key.0),
        pending.draft.digest.map(|digest| digest.0),
    ])?;
    let key = match &pending.draft.key {
        Some(key) => key.clone(),
        None => ItemKey(pending.id.0.clone()),
    };
    let birth = Birth {
        id: conn.last_insert_rowid(),
        version: 0,
        key: &key,
        creator: None,
        state: state::PENDING,
    };
    insert_rows(conn, &birth, &pending.draft)?;
    Ok(Begun::Upload(pending.id.clone()))
}

fn with_pending_key(conn: &Connection, folder: i64, key: &ItemKey) -> Result<Option<RemoteId>> {
    let mut select = conn.prepare_cached(
        "SELECT p.remote FROM remote_pending p JOIN items i ON i.id = p.id WHERE p.folder = ?1 AND i.key = ?2 AND p.queued = 0",
    )?;
    let found: Option<Vec<u8>> = select
        .query_row(params![folder, key.0], |row| row.get(0))
        .optional()?;
    Ok(found.map(|id| RemoteId(id.into())))
}

/// Whether drafts are on their way to a folder.
pub(super) fn any(conn: &Connection, folder: i64) -> Result<bool> {
    let mut select =
        conn.prepare_cached("SELECT 1 FROM remote_pending WHERE folder = ?1 AND queued = 0")?;
    Ok(select.exists([folder])?)
}

pub(super) fn intents(conn: &Connection, limit: u32) -> Result<Vec<Intent>> {
    let mut select = conn.prepare_cached(
        "SELECT folder, remote FROM remote_pending WHERE queued = 0 ORDER BY id LIMIT ?1",
    )?;
    let intents = select.query_map([limit], |row| {
        let (folder, id): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        Ok(Intent {
            folder: FolderId(folder as u64),
            id: RemoteId(id.into()),
        })
    })?;
    Ok(intents.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn condemn(conn: &Connection, folder: FolderId, ids: &[RemoteId]) -> Result<()> {
    let mut update = conn.prepare_cached(
        "UPDATE remote_pending SET change_key = NULL WHERE folder = ?1 AND remote = ?2 AND queued = 0",
    )?;
    for id in ids {
        update.execute(params![folder.0 as i64, id.0])?;
    }
    Ok(())
}

pub(super) fn forget(conn: &Connection, folder: FolderId, ids: &[RemoteId]) -> Result<()> {
    for id in ids {
        // The folder itself may be gone.
        if let Some(pending) = PendingRow::find(conn, folder.0 as i64, id)?
            && !pending.queued
        {
            pending.remove(conn)?;
        }
    }
    Ok(())
}

/// A row of the table `remote_pending`.
pub(super) struct PendingRow {
    pub(super) id: i64,
    pub(super) change_key: Option<Vec<u8>>,
    pub(super) digest: Option<ContentHash>,
    /// Whether it waits in the queue; then its item is there already.
    pub(super) queued: bool,
}

impl PendingRow {
    pub(super) fn find(conn: &Connection, folder: i64, remote: &RemoteId) -> Result<Option<Self>> {
        let mut select = conn.prepare_cached(
            "SELECT id, change_key, digest, queued FROM remote_pending WHERE folder = ?1 AND remote = ?2",
        )?;
        let row = select.query_row(params![folder, remote.0], |row| {
            let digest: Option<[u8; 32]> = row.get(2)?;
            Ok(Self {
                id: row.get(0)?,
                change_key: row.get(1)?,
                digest: digest.map(ContentHash),
                queued: row.get(3)?,
            })
        });
        Ok(row.optional()?)
    }

    pub(super) fn remove(&self, conn: &Connection) -> Result<()> {
        item_row::remove(conn, self.id)?;
        conn.prepare_cached("DELETE FROM remote_pending WHERE id = ?1")?
            .execute([self.id])?;
        Ok(())
    }
}
