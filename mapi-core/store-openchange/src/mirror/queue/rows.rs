//! The rows of a queue: operations in order, and the items each is about.

use mapi_store::ErrorKind;
use mapi_types::FolderId;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{QueueStatus, QueueTerms, RefusedDraft};
use crate::{
    fail::{Fail, Result},
    mirror::{ChangeKey, Given, QueuedItem, RemoteId},
};

/// Values of the column `kind`.
pub(super) mod kind {
    pub(crate) const SAVE: i64 = 0;
    pub(crate) const UPDATE: i64 = 1;
    pub(crate) const DELETE: i64 = 2;
    pub(crate) const COPY: i64 = 3;
    pub(crate) const MOVE: i64 = 4;
}

/// An operation about to be put down.
#[derive(Default)]
pub(super) struct NewOperation {
    pub(super) kind: i64,
    pub(super) target: Option<i64>,
    pub(super) change: Option<Vec<u8>>,
    pub(super) bytes: u64,
    pub(super) items: Vec<NewItem>,
}

/// An item of it.
pub(super) struct NewItem {
    pub(super) folder: i64,
    /// Empty for a new item.
    pub(super) remote: Vec<u8>,
    pub(super) change_key: Option<Vec<u8>>,
    pub(super) flags: i32,
    pub(super) becomes: Option<RemoteId>,
    pub(super) given: Option<Given>,
}

/// Puts an operation down at the end. One about nothing is none.
///
/// Errors: `Unavailable` when there is no room for it.
pub(super) fn append(conn: &Connection, new: &NewOperation, terms: &QueueTerms) -> Result<()> {
    if new.items.is_empty() {
        return Ok(());
    }
    let mut select = conn.prepare_cached(
        "SELECT ifnull(max(id), 0), count(*), ifnull(sum(bytes), 0) FROM remote_queue",
    )?;
    let (last, count, bytes): (i64, i64, i64) =
        select.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let full = count as u64 >= terms.operations_max
        || (bytes as u64).saturating_add(new.bytes) > terms.bytes_max;
    if full {
        return Err(Fail::new(
            ErrorKind::Unavailable,
            "no more can wait for the remote",
        ));
    }
    conn.prepare_cached(
        "INSERT INTO remote_queue(id, kind, target, change, user, queued, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        last + 1,
        new.kind,
        new.target,
        new.change,
        terms.user,
        terms.now.0 as i64,
        new.bytes as i64
    ])?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO remote_queue_items(op, position, folder, remote, change_key, flags, becomes, given, given_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (position, item) in new.items.iter().enumerate() {
        insert.execute(params![
            last + 1,
            position as i64,
            item.folder,
            item.remote,
            item.change_key,
            item.flags,
            item.becomes.as_ref().map(|id| &id.0),
            item.given.as_ref().map(|given| &given.id.0),
            item.given.as_ref().map(|given| &given.change_key.0),
        ])?;
    }
    Ok(())
}

/// An operation as it is stored, without its items.
pub(super) struct OperationRow {
    pub(super) id: i64,
    pub(super) kind: i64,
    pub(super) target: Option<i64>,
    pub(super) change: Option<Vec<u8>>,
    pub(super) user: String,
    pub(super) tries: u32,
    pub(super) refused: bool,
}

impl OperationRow {
    const COLUMNS: &'static str = "id, kind, target, change, user, tries, refused IS NOT NULL";

    /// The first one that waits.
    pub(super) fn first(conn: &Connection) -> Result<Option<Self>> {
        let mut select = conn.prepare_cached(&format!(
            "SELECT {} FROM remote_queue WHERE refused IS NULL ORDER BY id LIMIT 1",
            Self::COLUMNS
        ))?;
        Ok(select.query_row([], Self::read).optional()?)
    }

    /// Errors: `NotFound`.
    pub(super) fn load(conn: &Connection, id: i64) -> Result<Self> {
        Self::find(conn, id)?.ok_or_else(|| Fail::not_found("no such operation waits"))
    }

    pub(super) fn find(conn: &Connection, id: i64) -> Result<Option<Self>> {
        let mut select = conn.prepare_cached(&format!(
            "SELECT {} FROM remote_queue WHERE id = ?1",
            Self::COLUMNS
        ))?;
        Ok(select.query_row([id], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.get(1)?,
            target: row.get(2)?,
            change: row.get(3)?,
            user: row.get(4)?,
            tries: row.get(5)?,
            refused: row.get(6)?,
        })
    }
}

/// An item of an operation as it is stored.
#[derive(Clone, Debug)]
pub(super) struct ItemOfOperation {
    pub(super) op: i64,
    pub(super) position: i64,
    pub(super) folder: i64,
    pub(super) remote: Vec<u8>,
    pub(super) change_key: Option<Vec<u8>>,
    pub(super) flags: i32,
    pub(super) becomes: Option<Vec<u8>>,
    pub(super) given: Option<(Vec<u8>, Vec<u8>)>,
}

impl ItemOfOperation {
    const COLUMNS: &'static str =
        "op, position, folder, remote, change_key, flags, becomes, given, given_key";

    /// All of an operation.
    pub(super) fn all(conn: &Connection, op: i64) -> Result<Vec<Self>> {
        Self::select(conn, "op = ?1 ORDER BY position", params![op])
    }

    /// What waits about the item with this id, in order.
    pub(super) fn about(conn: &Connection, remote: &[u8]) -> Result<Vec<Self>> {
        Self::select(conn, "remote = ?1 ORDER BY op, position", params![remote])
    }

    /// The one that makes the item for which this stands.
    pub(super) fn making(conn: &Connection, stand_in: &[u8]) -> Result<Option<Self>> {
        let found = Self::select(conn, "becomes = ?1", params![stand_in])?;
        Ok(found.into_iter().next())
    }

    fn select(
        conn: &Connection,
        condition: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<Self>> {
        let mut select = conn.prepare_cached(&format!(
            "SELECT {} FROM remote_queue_items WHERE {condition}",
            Self::COLUMNS
        ))?;
        let rows = select.query_map(params, Self::read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (given, key): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(7)?, row.get(8)?);
        Ok(Self {
            op: row.get(0)?,
            position: row.get(1)?,
            folder: row.get(2)?,
            remote: row.get(3)?,
            change_key: row.get(4)?,
            flags: row.get(5)?,
            becomes: row.get(6)?,
            given: given.zip(key),
        })
    }

    /// Takes it out, and its operation with the last one.
    pub(super) fn remove(&self, conn: &Connection) -> Result<()> {
        conn.prepare_cached("DELETE FROM remote_queue_items WHERE op = ?1 AND position = ?2")?
            .execute([self.op, self.position])?;
        conn.prepare_cached(
            "DELETE FROM remote_queue WHERE id = ?1
                 AND NOT EXISTS (SELECT 1 FROM remote_queue_items WHERE op = ?1)",
        )?
        .execute([self.op])?;
        Ok(())
    }

    pub(super) fn told(&self) -> QueuedItem {
        let id = (!self.remote.is_empty()).then(|| RemoteId(self.remote.clone().into()));
        QueuedItem {
            position: self.position as u32,
            folder: FolderId(self.folder as u64),
            id,
            change_key: self.change_key.clone().map(|key| ChangeKey(key.into())),
            flags: self.flags,
            given: self.given.clone().map(|(id, key)| Given {
                id: RemoteId(id.into()),
                change_key: ChangeKey(key.into()),
            }),
        }
    }
}

/// From now on the item is called otherwise, or is elsewhere, in all that waits about it.
pub(super) fn rename(
    conn: &Connection,
    old: &[u8],
    (new, folder, change_key): (&[u8], Option<i64>, Option<&[u8]>),
) -> Result<()> {
    conn.prepare_cached(
        "UPDATE remote_queue_items SET remote = ?2, folder = ifnull(?3, folder), change_key = ifnull(?4, change_key)
         WHERE remote = ?1",
    )?
    .execute(params![old, new, folder, change_key])?;
    Ok(())
}

/// See [`QueueStatus`].
pub(in crate::mirror) fn status(conn: &Connection) -> Result<QueueStatus> {
    let mut select = conn.prepare_cached(
        "SELECT count(*) FILTER (WHERE refused IS NULL), ifnull(sum(bytes), 0),
             min(queued) FILTER (WHERE refused IS NULL) FROM remote_queue",
    )?;
    let mut status = select.query_row([], |row| {
        let (waiting, bytes): (i64, i64) = (row.get(0)?, row.get(1)?);
        Ok(QueueStatus {
            waiting: waiting as u64,
            bytes: bytes as u64,
            since: row.get::<_, Option<i64>>(2)?.map(time),
            refused: Vec::new(),
        })
    })?;
    let mut select = conn.prepare_cached(
        "SELECT ifnull(min(i.folder), 0), ifnull(f.name, ''), q.queued, q.bytes, q.refused
         FROM remote_queue q LEFT JOIN remote_queue_items i ON i.op = q.id LEFT JOIN folders f ON f.id = i.folder
         WHERE q.refused IS NOT NULL GROUP BY q.id ORDER BY q.id",
    )?;
    let refused = select.query_map([], |row| {
        let (folder, bytes): (i64, i64) = (row.get(0)?, row.get(3)?);
        Ok(RefusedDraft {
            folder: FolderId(folder as u64),
            name: row.get(1)?,
            since: time(row.get(2)?),
            bytes: bytes as u64,
            reason: row.get(4)?,
        })
    })?;
    status.refused = refused.collect::<rusqlite::Result<_>>()?;
    Ok(status)
}

fn time(ticks: i64) -> mapi_types::FileTime {
    mapi_types::FileTime(ticks as u64)
}
