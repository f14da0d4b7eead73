//! Drafts of ours that the remote has: their answer says so, or a synchronization that was faster.

use mapi_store::Saved;
use mapi_types::{FolderId, ItemKey, ItemNumber, Version, tags};
use rusqlite::{Connection, params};

use super::{
    Finished, RemoteId,
    apply::{remove_item, table_of},
    index_row::{IndexRow, cold_with, hot_with},
    known::{cold_of, put_cold},
    pending::PendingRow,
    remote_folder::RemoteFolderRow,
    remote_row::{RemoteRow, body, check_key},
    staged,
};
use crate::{
    fail::{Fail, Result},
    hot::{HOT_COLUMNS, Hot},
    ids::row_id,
    write::{
        FolderRow, Tx, free_key,
        item_row::{self, ItemRow},
    },
};

/// What of a draft arrived at the remote.
pub(super) struct Arrived<'a> {
    pub(super) id: &'a RemoteId,
    pub(super) change_key: &'a [u8],
    pub(super) index: &'a IndexRow,
    pub(super) number_hint: Option<u32>,
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
        saved.push(match pending.filter(|pending| !pending.queued) {
            Some(pending) => {
                let served = Some(&*draft.change_key.0);
                take(tx.conn, &mut row, &remote, (&pending, &arrived, served))?
            }
            None => already(tx.conn, remote.id, (&draft.id, Some(&draft.change_key.0)))?,
        });
    }
    row.store(tx)?;
    Ok(saved)
}

/// A draft that a synchronization has made an item of already; with its change key, if that is known.
pub(super) fn already(
    conn: &Connection,
    folder: i64,
    (id, change_key): (&RemoteId, Option<&[u8]>),
) -> Result<Saved> {
    let unknown = || Fail::not_found("no such draft is on its way");
    let mut remote = RemoteRow::find(conn, folder, id)?.ok_or_else(unknown)?;
    let item = ItemRow::load(conn, remote.id)?.ok_or_else(unknown)?;
    if let Some(change_key) = change_key
        && remote.is_kept()
    {
        remote.served_key = Some(change_key.to_vec());
        remote.store(conn)?;
    }
    Ok(Saved {
        number: ItemNumber(item.number()),
        key: item.key,
        version: Version(item.version),
        existing: false,
    })
}

/// Makes an item of a draft whose id a synchronization brought; `None` when it was not our upload that arrived.
pub(super) fn adopt(
    conn: &Connection,
    row: &mut FolderRow,
    folder: &RemoteFolderRow,
    arrived: &Arrived<'_>,
) -> Result<Option<Saved>> {
    let pending = PendingRow::find(conn, folder.id, arrived.id)?;
    let Some(pending) = pending.filter(|pending| !pending.queued) else {
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
pub(super) fn take(
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
    let place = Place { id, key, version };
    let saved = furnish(conn, row, folder, (pending, arrived, served), place)?;
    conn.prepare_cached("DELETE FROM remote_pending WHERE id = ?1")?
        .execute([pending.id])?;
    Ok(saved)
}

/// Where the rows of a draft lie that becomes an item.
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) key: ItemKey,
    pub(super) version: u64,
}

/// Makes an item of rows that were a draft's, or are copies of them.
pub(super) fn furnish(
    conn: &Connection,
    row: &mut FolderRow,
    folder: &RemoteFolderRow,
    (pending, arrived, served): (&PendingRow, &Arrived<'_>, Option<&[u8]>),
    place: Place,
) -> Result<Saved> {
    let Place { id, key, version } = place;
    settle(conn, id, &key, (pending, arrived.index))?;
    let item =
        ItemRow::load(conn, id)?.ok_or_else(|| Fail::corrupt("a draft on its way has no row"))?;
    if item.is_normal() {
        row.count_in(&item.hot, item.size);
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
    Ok(Saved {
        number: ItemNumber(item.number()),
        key,
        version: Version(version),
        existing: false,
    })
}

/// Gives the rows of a former draft what an item has: its key, its table, and what the remote made of its
/// properties.
fn settle(
    conn: &Connection,
    id: i64,
    key: &ItemKey,
    (pending, index): (&PendingRow, &IndexRow),
) -> Result<()> {
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
    Ok(())
}
