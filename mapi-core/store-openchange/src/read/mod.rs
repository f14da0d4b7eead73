//! Reading a mailbox: what runs inside a read transaction.

mod bytes;
mod changes;
mod columns;
mod message;
mod query;
mod recover;
pub(crate) mod tree;

use mapi_types::ContentHash;
use rusqlite::Connection;

pub(crate) use bytes::read_bytes;
pub(crate) use changes::changes;
pub(crate) use message::{find, item_props, read_message};
pub(crate) use query::{OwnedQuery, query};
pub(crate) use recover::deleted_folders;

use crate::{fail::Result, segments::Segments};

/// A snapshot of a mailbox, and where its large contents lie.
pub(crate) struct Snapshot<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) segments: &'c Segments,
}

impl Snapshot<'_> {
    /// A content that lies apart, whole.
    fn load(&self, hash: ContentHash, len: u64) -> Result<::bytes::Bytes> {
        self.segments.read(&hash, 0, len)
    }
}

/// Runs `work` on one state of the mailbox, whatever is written meanwhile.
pub(crate) fn snapshot<T>(
    conn: &Connection,
    segments: &Segments,
    work: impl FnOnce(&Snapshot<'_>) -> Result<T>,
) -> Result<T> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let done = work(&Snapshot { conn, segments });
    // Nothing was written: whether this ends well is of no consequence, but the handle must not keep the snapshot.
    let ended = conn.prepare_cached("COMMIT")?.execute([]);
    let done = done?;
    ended?;
    Ok(done)
}
