//! Reading back the drafts on their way to the remote, so that they can be uploaded again.

use std::{io, sync::Arc};

use bytes::Bytes;
use mapi_store::ErrorKind;
use mapi_types::{
    Content, ContentHash, Derived, Draft, FolderId, ItemKey, Message, MessageTree, PropBag, ReadAt,
};
use rusqlite::{Row, params};

use super::{ChangeKey, PendingItem, RemoteId};
use crate::{
    codec::{decode_parts, take_bag},
    fail::{Fail, Result},
    hot::{HOT_COLUMNS, Hot},
    read::Snapshot,
    segments::Segments,
};

/// What [`read_item`] reads, of drafts `p`.
fn columns() -> String {
    format!(
        "p.remote, p.change_key, p.folder, p.digest, i.key, i.original, c.hash, c.body, c.prefix, c.header,
             c.props, c.parts, f.renderer, f.envelope, f.structure, {HOT_COLUMNS}
         FROM remote_pending p JOIN items i ON i.id = p.id JOIN contents c ON c.id = p.id
             LEFT JOIN facts f ON f.id = p.id"
    )
}

pub(super) fn list(
    at: &Snapshot<'_>,
    segments: &Arc<Segments>,
    limit: u32,
) -> Result<Vec<PendingItem>> {
    let mut select = at.conn.prepare(&format!(
        "SELECT {} WHERE p.queued = 0 ORDER BY p.id LIMIT ?1",
        columns()
    ))?;
    let mut rows = select.query([limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_item(row, segments)?);
    }
    Ok(found)
}

pub(super) fn among(
    at: &Snapshot<'_>,
    segments: &Arc<Segments>,
    folder: FolderId,
    ids: &[RemoteId],
) -> Result<Vec<PendingItem>> {
    let mut select = at.conn.prepare(&format!(
        "SELECT {} WHERE p.queued = 0 AND p.folder = ?1 AND p.remote = ?2 AND NOT EXISTS (
             SELECT 1 FROM remote_items r WHERE r.folder = ?1 AND r.remote = ?2)",
        columns()
    ))?;
    let mut found = Vec::new();
    for id in ids {
        let mut rows = select.query(params![folder.0 as i64, id.0])?;
        while let Some(row) = rows.next()? {
            found.push(read_item(row, segments)?);
        }
    }
    Ok(found)
}

/// The draft with this id that waits in the queue.
pub(super) fn queued(
    at: &Snapshot<'_>,
    segments: &Arc<Segments>,
    (folder, id): (i64, &[u8]),
) -> Result<PendingItem> {
    let mut select = at.conn.prepare(&format!(
        "SELECT {} WHERE p.queued = 1 AND p.folder = ?1 AND p.remote = ?2",
        columns()
    ))?;
    let mut rows = select.query(params![folder, id])?;
    let row = rows.next()?;
    read_item(
        row.ok_or_else(|| Fail::corrupt("a draft that waits has no rows"))?,
        segments,
    )
}

/// The drafts that the remote refused, the oldest first.
pub(super) fn refused(at: &Snapshot<'_>, segments: &Arc<Segments>) -> Result<Vec<PendingItem>> {
    let mut select = at.conn.prepare(&format!(
        "SELECT {} WHERE p.queued = 1 AND p.remote IN (
             SELECT q.becomes FROM remote_queue_items q JOIN remote_queue o ON o.id = q.op
             WHERE o.refused IS NOT NULL) ORDER BY p.id",
        columns()
    ))?;
    let mut rows = select.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read_item(row, segments)?);
    }
    Ok(found)
}

fn read_item(row: &Row<'_>, segments: &Arc<Segments>) -> Result<PendingItem> {
    let octets = |at: usize| -> Result<Bytes> {
        let octets: Option<Vec<u8>> = row.get(at)?;
        Ok(octets.unwrap_or_default().into())
    };
    let change_key: Option<Vec<u8>> = row.get(1)?;
    let folder: i64 = row.get(2)?;
    let load = |hash: ContentHash, len| segments.read(&hash, 0, len);
    let (recipients, attachments) = decode_parts(&octets(11)?, &load)?;
    let tree = MessageTree {
        props: take_bag(&octets(10)?, &load)?.with(&Hot::read(row, 15)?.owned(), &[]),
        recipients,
        attachments,
    };
    let derived = Derived {
        renderer: row.get::<_, Option<u32>>(12)?.unwrap_or(0),
        envelope: octets(13)?,
        structure: octets(14)?,
        header: octets(9)?,
    };
    let key = ItemKey(octets(4)?.to_vec().into());
    let message = Message {
        tree,
        original: original(row, segments)?,
        derived,
    };
    Ok(PendingItem {
        id: RemoteId(octets(0)?.to_vec().into()),
        change_key: change_key.map(|key| ChangeKey(key.into())),
        folder: FolderId(folder as u64),
        key: key.clone(),
        draft: Draft {
            key: Some(key),
            message: Arc::new(message),
            props: PropBag::default(),
            prefix: octets(8)?,
        },
    })
}

fn original(row: &Row<'_>, segments: &Arc<Segments>) -> Result<Option<Content>> {
    let (digest, len): (Option<[u8; 32]>, Option<i64>) = (row.get(3)?, row.get(5)?);
    let (Some(digest), Some(len)) = (digest, len) else {
        return Ok(None);
    };
    let (digest, len) = (ContentHash(digest), len as u64);
    let body: Option<Vec<u8>> = row.get(7)?;
    let source: Arc<dyn ReadAt> = match body {
        Some(body) => Arc::new(Bytes::from(body)),
        None => Arc::new(InSegments {
            segments: Arc::clone(segments),
            hash: digest,
        }),
    };
    Ok(Some(Content::new(source, len, digest)))
}

/// A content where it is stored; it is there as long as something refers to it.
struct InSegments {
    segments: Arc<Segments>,
    hash: ContentHash,
}

impl ReadAt for InSegments {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let read = self.segments.read(&self.hash, offset, buf.len() as u64);
        let bytes = read.map_err(|fail| {
            let error = mapi_store::Error::from(fail);
            let kind = match error.kind {
                ErrorKind::Corrupt => io::ErrorKind::UnexpectedEof,
                _ => io::ErrorKind::Other,
            };
            io::Error::new(kind, error)
        })?;
        if bytes.len() != buf.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buf.copy_from_slice(&bytes);
        Ok(())
    }
}
