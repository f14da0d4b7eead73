//! Drafts on their way to the remote: durable before they are uploaded, so that a lost answer loses no byte and
//! doubles nothing.
//!
//! Their rows are those of items, in folder 0 and in a state of their own: what keeps, counts, checks and backs up the
//! contents of items does the same for theirs, and a draft that arrived only has to be given its number.

use std::{io, sync::Arc};

use bytes::Bytes;
use mapi_store::{ErrorKind, Saved};
use mapi_types::{
    Content, ContentHash, Derived, Draft, FolderId, ItemKey, ItemNumber, Message, MessageTree,
    PropBag, ReadAt, Version, tags,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Begun, ChangeKey, Finished, Pending, PendingItem, RemoteId,
    apply::{remove_item, table_of},
    index_row::{IndexRow, cold_with, hot_with},
    known::{cold_of, put_cold},
    remote_folder::RemoteFolderRow,
    remote_row::{RemoteRow, body, check_id, check_key},
    staged,
};
use crate::{
    codec::{decode_parts, take_bag},
    fail::{Fail, Result},
    hot::{HOT_COLUMNS, Hot},
    ids::{number_of, row_id},
    read::Snapshot,
    segments::Segments,
    write::{
        Birth, FolderRow, Prepared, Tx, free_key, insert_rows,
        item_row::{self, ItemRow, state},
        with_key,
    },
};

/// A draft made ready for its rows.
pub(super) struct PreparedPending {
    id: RemoteId,
    change_key: Option<ChangeKey>,
    draft: Prepared,
}

/// What of a draft arrived at the remote.
pub(super) struct Arrived<'a> {
    pub(super) id: &'a RemoteId,
    pub(super) change_key: &'a [u8],
    pub(super) index: &'a IndexRow,
    pub(super) number_hint: Option<u32>,
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
        "SELECT p.remote FROM remote_pending p JOIN items i ON i.id = p.id WHERE p.folder = ?1 AND i.key = ?2",
    )?;
    let found: Option<Vec<u8>> = select
        .query_row(params![folder, key.0], |row| row.get(0))
        .optional()?;
    Ok(found.map(|id| RemoteId(id.into())))
}

pub(super) fn finish(tx: &mut Tx<'_>, folder: FolderId, drafts: &[Finished]) -> Result<Vec<Saved>> {
    let remote = RemoteFolderRow::load(tx.conn, folder)?;
    let mut row = FolderRow::load(tx.conn, remote.id)?;
    let mut saved = Vec::with_capacity(drafts.len());
    for draft in drafts {
        check_key(&draft.change_key)?;
        let arrived = Arrived {
            id: &draft.id,
            change_key: &draft.change_key.0,
            index: &IndexRow::new(&draft.props)?,
            number_hint: draft
                .props
                .get(&tags::INTERNET_ARTICLE_NUMBER)
                .map(|number| number as u32),
        };
        let pending = PendingRow::find(tx.conn, remote.id, &draft.id)?;
        saved.push(match pending {
            Some(pending) => {
                let served = Some(&*draft.change_key.0);
                take(tx.conn, &mut row, &remote, (&pending, &arrived, served))?
            }
            None => already(tx.conn, remote.id, draft)?,
        });
    }
    row.store(tx)?;
    Ok(saved)
}

/// A draft that a synchronization has made an item of already.
fn already(conn: &Connection, folder: i64, draft: &Finished) -> Result<Saved> {
    let unknown = || Fail::not_found("no such draft is on its way");
    let mut remote = RemoteRow::find(conn, folder, &draft.id)?.ok_or_else(unknown)?;
    let item = ItemRow::load(conn, remote.id)?.ok_or_else(unknown)?;
    if remote.is_kept() {
        remote.served_key = Some(draft.change_key.0.to_vec());
        remote.store(conn)?;
    }
    Ok(Saved {
        number: ItemNumber(item.number()),
        key: item.key,
        version: Version(item.version),
        existing: false,
    })
}

/// Whether drafts are on their way to a folder.
pub(super) fn any(conn: &Connection, folder: i64) -> Result<bool> {
    let mut select = conn.prepare_cached("SELECT 1 FROM remote_pending WHERE folder = ?1")?;
    Ok(select.exists([folder])?)
}

/// Makes an item of a draft whose id a synchronization brought; `None` when it was not our upload that arrived.
pub(super) fn adopt(
    conn: &Connection,
    row: &mut FolderRow,
    folder: &RemoteFolderRow,
    arrived: &Arrived<'_>,
) -> Result<Option<Saved>> {
    let Some(pending) = PendingRow::find(conn, folder.id, arrived.id)? else {
        return Ok(None);
    };
    let replaces = RemoteRow::find(conn, folder.id, arrived.id)?.is_some();
    // An id that we chose is ours; an item that was there before can have been changed by others too.
    if replaces && pending.change_key.as_deref() != Some(arrived.change_key) {
        return Ok(None);
    }
    // Unless it is the state that we uploaded, somebody may have changed it already.
    let served = pending.change_key.as_deref();
    take(conn, row, folder, (&pending, arrived, served)).map(Some)
}

/// Gives a draft its number, or the item it replaces a new one. The last argument is the change key of what was
/// uploaded, if it is known.
fn take(
    conn: &Connection,
    row: &mut FolderRow,
    folder: &RemoteFolderRow,
    (pending, arrived, served): (&PendingRow, &Arrived<'_>, Option<&[u8]>),
) -> Result<Saved> {
    let mut key = None;
    if let Some(old) = RemoteRow::find(conn, folder.id, arrived.id)?
        && let Some(old) = ItemRow::load(conn, old.id)?
    {
        remove_item(conn, row, &old)?;
        key = Some(old.key);
    }
    staged::remove(conn, folder.id, arrived.id)?;
    let hint = arrived.number_hint.filter(|_| !folder.indexed);
    let number = match hint {
        Some(hint) if staged::is_free(conn, folder.id, hint)? => {
            row.use_number(hint);
            hint
        }
        _ => row.take_number()?,
    };
    let (version, id) = (row.bump(), row_id(folder.id, number));
    let key = match key {
        Some(key) => key,
        None => {
            let wanted: Vec<u8> = conn
                .prepare_cached("SELECT key FROM items WHERE id = ?1")?
                .query_row([pending.id], |row| row.get(0))?;
            free_key(conn, folder.id, wanted)?
        }
    };
    item_row::renumber(conn, pending.id, id, version)?;
    let size = settle(conn, id, &key, (pending, arrived.index))?;
    let item =
        ItemRow::load(conn, id)?.ok_or_else(|| Fail::corrupt("a draft on its way has no row"))?;
    if item.is_normal() {
        row.count_in(&item.hot, size);
    }
    let kept = pending.digest.is_some();
    let remote = RemoteRow {
        id,
        change_key: arrived.change_key.to_vec(),
        served_key: kept.then(|| served.unwrap_or_default().to_vec()),
        digest: pending.digest,
        body: if kept { body::KEPT } else { body::INDEX },
        bytes: 0,
        used: 0,
        pass: folder.pass,
        fresh: None,
    };
    remote.insert(conn, arrived.id)?;
    conn.prepare_cached("DELETE FROM remote_pending WHERE id = ?1")?
        .execute([pending.id])?;
    Ok(Saved {
        number: ItemNumber(number),
        key,
        version: Version(version),
        existing: false,
    })
}

/// Gives the rows of a former draft what an item has: its key, its table, and what the remote made of its
/// properties. Returns its size.
fn settle(
    conn: &Connection,
    id: i64,
    key: &ItemKey,
    (pending, index): (&PendingRow, &IndexRow),
) -> Result<u64> {
    let mut select = conn.prepare_cached(&format!(
        "SELECT size, {HOT_COLUMNS} FROM items WHERE id = ?1"
    ))?;
    let (size, own) = select.query_row([id], |row| {
        let size: i64 = row.get(0)?;
        Ok((size as u64, Hot::read(row, 1)?))
    })?;
    let hot = hot_with(&own, &index.hot, |tag| {
        let date = tag == tags::MESSAGE_DELIVERY_TIME.tag() && own.delivered.is_some();
        index.hot.value(tag).is_some() && !date
    })?;
    let (sized, size) = match pending.digest {
        Some(_) => (true, size),
        None => (false, index.size),
    };
    conn.prepare_cached(
        "UPDATE items SET state = ?2, key = ?3, sized = ?4, size = ?5 WHERE id = ?1",
    )?
    .execute(params![id, table_of(&hot), key.0, sized, size as i64])?;
    let mut item =
        ItemRow::load(conn, id)?.ok_or_else(|| Fail::corrupt("a draft on its way has no row"))?;
    item.hot = hot;
    item.store_hot(conn)?;
    let cold = cold_with(&cold_of(conn, id)?, &index.cold, |_| true, |_| true)?;
    put_cold(conn, id, &cold)?;
    Ok(size)
}

pub(super) fn forget(conn: &Connection, folder: FolderId, ids: &[RemoteId]) -> Result<()> {
    for id in ids {
        // The folder itself may be gone.
        if let Some(pending) = PendingRow::find(conn, folder.0 as i64, id)? {
            pending.remove(conn)?;
        }
    }
    Ok(())
}

struct PendingRow {
    id: i64,
    change_key: Option<Vec<u8>>,
    digest: Option<ContentHash>,
}

impl PendingRow {
    fn find(conn: &Connection, folder: i64, remote: &RemoteId) -> Result<Option<Self>> {
        let mut select = conn.prepare_cached(
            "SELECT id, change_key, digest FROM remote_pending WHERE folder = ?1 AND remote = ?2",
        )?;
        let row = select.query_row(params![folder, remote.0], |row| {
            let digest: Option<[u8; 32]> = row.get(2)?;
            Ok(Self {
                id: row.get(0)?,
                change_key: row.get(1)?,
                digest: digest.map(ContentHash),
            })
        });
        Ok(row.optional()?)
    }

    fn remove(&self, conn: &Connection) -> Result<()> {
        item_row::remove(conn, self.id)?;
        conn.prepare_cached("DELETE FROM remote_pending WHERE id = ?1")?
            .execute([self.id])?;
        Ok(())
    }
}

pub(super) fn list(
    at: &Snapshot<'_>,
    segments: &Arc<Segments>,
    limit: u32,
) -> Result<Vec<PendingItem>> {
    let mut select = at.conn.prepare(&format!(
        "SELECT p.remote, p.change_key, p.folder, p.digest, i.key, i.original, c.hash, c.body, c.prefix, c.header,
             c.props, c.parts, f.renderer, f.envelope, f.structure, {HOT_COLUMNS}
         FROM remote_pending p JOIN items i ON i.id = p.id JOIN contents c ON c.id = p.id
             LEFT JOIN facts f ON f.id = p.id
         ORDER BY p.id LIMIT ?1"
    ))?;
    let mut rows = select.query([limit])?;
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
