//! An item's row in the table `remote_items`, and the ids in it.

use mapi_store::ErrorKind;
use mapi_types::ContentHash;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Body, ChangeKey, REMOTE_ID_BYTES_MAX, RemoteId};
use crate::fail::{Fail, Result};

/// Values of the column `body`.
pub(super) mod body {
    pub(crate) const DROPPED: i64 = 0;
    pub(crate) const INDEX: i64 = 1;
    pub(crate) const EVICTED: i64 = 2;
    pub(crate) const RENDERED: i64 = 3;
    pub(crate) const KEPT: i64 = 4;
}

/// See the module.
pub(super) struct RemoteRow {
    pub(super) id: i64,
    pub(super) change_key: Vec<u8>,
    pub(super) served_key: Option<Vec<u8>>,
    pub(super) digest: Option<ContentHash>,
    pub(super) body: i64,
    pub(super) bytes: u64,
    pub(super) used: i64,
    pub(super) pass: i64,
    pub(super) fresh: Option<Vec<u8>>,
}

const COLUMNS: &str = "id, change_key, served_key, digest, body, bytes, used, pass, fresh";

impl RemoteRow {
    /// The item that mirrors one of the remote.
    pub(super) fn find(conn: &Connection, folder: i64, remote: &RemoteId) -> Result<Option<Self>> {
        let mut select = conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM remote_items WHERE folder = ?1 AND remote = ?2"
        ))?;
        Ok(select
            .query_row(params![folder, remote.0], Self::read)
            .optional()?)
    }

    pub(super) fn load(conn: &Connection, id: i64) -> Result<Option<Self>> {
        let mut select =
            conn.prepare_cached(&format!("SELECT {COLUMNS} FROM remote_items WHERE id = ?1"))?;
        Ok(select.query_row([id], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (digest, bytes): (Option<[u8; 32]>, i64) = (row.get(3)?, row.get(5)?);
        Ok(Self {
            id: row.get(0)?,
            change_key: row.get(1)?,
            served_key: row.get(2)?,
            digest: digest.map(ContentHash),
            body: row.get(4)?,
            bytes: bytes as u64,
            used: row.get(6)?,
            pass: row.get(7)?,
            fresh: row.get(8)?,
        })
    }

    pub(super) fn insert(&self, conn: &Connection, remote: &RemoteId) -> Result<()> {
        conn.prepare_cached(
            "INSERT INTO remote_items(id, folder, remote, change_key, served_key, digest, body, bytes, used, pass, fresh)
             VALUES (?1, ?1 >> 32, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            self.id,
            remote.0,
            self.change_key,
            self.served_key,
            self.digest.map(|digest| digest.0),
            self.body,
            self.bytes as i64,
            self.used,
            self.pass,
            self.fresh,
        ])?;
        Ok(())
    }

    /// Writes everything but the id and the remote id.
    pub(super) fn store(&self, conn: &Connection) -> Result<()> {
        conn.prepare_cached(
            "UPDATE remote_items SET change_key = ?2, served_key = ?3, digest = ?4, body = ?5, bytes = ?6, used = ?7,
                 pass = ?8, fresh = ?9 WHERE id = ?1",
        )?
        .execute(params![
            self.id,
            self.change_key,
            self.served_key,
            self.digest.map(|digest| digest.0),
            self.body,
            self.bytes as i64,
            self.used,
            self.pass,
            self.fresh,
        ])?;
        Ok(())
    }

    /// Whether the item may have changed since its bytes were made.
    pub(super) fn is_stale(&self) -> bool {
        self.served_key
            .as_ref()
            .is_some_and(|served| *served != self.change_key)
    }

    /// Whether what was fetched is at least as new as what the index knows: it knew `index_key` before, and what was
    /// fetched has `change_key`.
    pub(super) fn is_current(&self, index_key: &[u8], change_key: &[u8]) -> bool {
        self.change_key == index_key || self.change_key == change_key
    }

    pub(super) fn is_kept(&self) -> bool {
        self.body == body::KEPT
    }
}

/// What a column `body` says.
pub(super) fn body_of(column: i64) -> Body {
    match column {
        body::EVICTED => Body::Evicted,
        body::RENDERED => Body::Rendered,
        body::KEPT => Body::Kept,
        _ => Body::Missing,
    }
}

/// Errors: `Invalid` when the id is empty or too long.
pub(super) fn check_id(id: &RemoteId) -> Result<()> {
    check(&id.0)
}

/// Errors: `Invalid` when the key is empty or too long.
pub(super) fn check_key(key: &ChangeKey) -> Result<()> {
    check(&key.0)
}

fn check(octets: &[u8]) -> Result<()> {
    if (1..=REMOTE_ID_BYTES_MAX).contains(&octets.len()) {
        Ok(())
    } else {
        Err(Fail::new(
            ErrorKind::Invalid,
            "an id of the remote has 1 to 255 bytes",
        ))
    }
}
