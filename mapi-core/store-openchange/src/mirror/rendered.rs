//! Storing what clients are to get for an item, without ever changing what they got for a number.

use mapi_store::ErrorKind;
use mapi_types::{Content, ContentHash, Draft, FolderId, ItemNumber, PropBag, changes_content};
use rusqlite::{Connection, params};

use super::{
    Rendered, RenderedOutcome,
    index_row::{cold_with, stored, without_externals},
    known::{cold_of, fresh_hot, put_cold},
    remote_folder::RemoteFolderRow,
    remote_row::{RemoteRow, body, check_key},
};
use crate::{
    access::invalid,
    fail::{Fail, Result},
    hot::hot_column,
    ids::row_id,
    write::{
        FolderRow, Prepared, Tx,
        item_row::{self, ItemRow},
        put_facts,
    },
};

/// A rendered item made ready for its rows.
pub(super) struct PreparedRendered {
    number: ItemNumber,
    index_key: Vec<u8>,
    change_key: Vec<u8>,
    kept: bool,
    digest: ContentHash,
    message: Prepared,
}

/// Errors: `Invalid`, `TooBig`.
pub(super) fn prepare(
    items: Vec<Rendered>,
    inline_max: u64,
) -> Result<(Vec<PreparedRendered>, Vec<Content>)> {
    let (mut prepared, mut contents) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        check_key(&item.change_key)?;
        let draft = Draft {
            key: None,
            message: item.message,
            props: PropBag::default(),
            prefix: bytes::Bytes::new(),
        };
        let (message, mut needed) = Prepared::new(&draft, inline_max)?;
        let digest = message
            .digest
            .ok_or_else(|| invalid("a rendered item has no original"))?;
        contents.append(&mut needed);
        prepared.push(PreparedRendered {
            number: item.number,
            index_key: item.index_key.0.into(),
            change_key: item.change_key.0.into(),
            kept: item.kept,
            digest,
            message,
        });
    }
    Ok((prepared, contents))
}

pub(super) fn put(
    tx: &mut Tx<'_>,
    folder: FolderId,
    items: &[PreparedRendered],
) -> Result<Vec<RenderedOutcome>> {
    let folder = RemoteFolderRow::load(tx.conn, folder)?.id;
    let mut row = FolderRow::load(tx.conn, folder)?;
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        outcomes.push(put_one(tx.conn, &mut row, item)?);
    }
    row.store(tx)?;
    Ok(outcomes)
}

fn put_one(
    conn: &Connection,
    row: &mut FolderRow,
    new: &PreparedRendered,
) -> Result<RenderedOutcome> {
    let id = row_id(row.id, new.number.0);
    let (Some(mut remote), Some(mut item)) = (RemoteRow::load(conn, id)?, ItemRow::load(conn, id)?)
    else {
        return Ok(RenderedOutcome::Gone);
    };
    if remote.is_kept() && !remote.is_stale() {
        return Ok(RenderedOutcome::Kept);
    }
    if !remote.is_current(&new.index_key, &new.change_key) {
        return Ok(RenderedOutcome::Outdated);
    }
    let fresh = remote.fresh.take();
    let same = remote.digest.is_none_or(|served| served == new.digest);
    let cold = merged(conn, &item, fresh.as_deref(), new)?;
    let mut outcome = RenderedOutcome::Stored;
    let old_size = item.size;
    let mut hot = item.hot.clone();
    if !same {
        if let Some(fresh) = &fresh {
            hot = fresh_hot(&item.hot, fresh)?;
        }
        outcome = RenderedOutcome::Renumbered(renumber(conn, row, &mut item)?);
        remote.id = item.id;
    }
    if item.is_normal() {
        row.count_out(&item.hot, old_size);
    }
    if same && remote.is_kept() {
        put_cold(conn, item.id, &cold)?;
    } else {
        put_body(conn, &mut item, &cold, &new.message)?;
        remote.digest = Some(new.digest);
        (remote.body, remote.bytes) = match new.kept {
            true => (body::KEPT, 0),
            false => (body::RENDERED, new.message.stored_bytes),
        };
    }
    item.hot = hot;
    item.store_hot(conn)?;
    if item.is_normal() {
        row.count_in(&item.hot, item.size);
    }
    remote.change_key.clone_from(&new.change_key);
    remote.served_key = Some(new.change_key.clone());
    remote.store(conn)?;
    Ok(outcome)
}

/// The properties the item has from now on: of what was rendered the content, over what the index says.
fn merged(
    conn: &Connection,
    item: &ItemRow,
    fresh: Option<&[u8]>,
    new: &PreparedRendered,
) -> Result<Vec<u8>> {
    let class = item.hot.class();
    let is_content = |tag| changes_content(class, tag) && hot_column(tag).is_none();
    let mut base = without_externals(&cold_of(conn, item.id)?)?;
    if let Some(fresh) = fresh {
        base = cold_with(&base, fresh, is_content, |tag| !is_content(tag))?;
    }
    if stored(&new.message.props)?.is_empty() {
        return Ok(base);
    }
    cold_with(&base, &new.message.props, is_content, |_| true)
}

/// Gives an item a new number, for its content is another one.
pub(super) fn renumber(
    conn: &Connection,
    row: &mut FolderRow,
    item: &mut ItemRow,
) -> Result<ItemNumber> {
    let (version, number) = (row.bump(), row.take_number()?);
    if item.is_normal() {
        row.log_expunged(conn, item.number(), item.created)?;
    }
    let id = row_id(row.id, number);
    item_row::renumber(conn, item.id, id, version)?;
    (item.id, item.version, item.created) = (id, version, version);
    Ok(ItemNumber(number))
}

fn put_body(conn: &Connection, item: &mut ItemRow, cold: &[u8], message: &Prepared) -> Result<()> {
    let (hash, octets) = message.original_columns();
    let header = &message.derived.header;
    let changed = conn
        .prepare_cached(
            "UPDATE contents SET hash = ?2, prefix = x'', header = ?3, props = ?4, parts = ?5, body = ?6 WHERE id = ?1",
        )?
        .execute(params![item.id, hash, &header[..], cold, message.parts, octets])?;
    if changed != 1 {
        return Err(Fail::new(ErrorKind::Corrupt, "an item has no content"));
    }
    conn.prepare_cached("DELETE FROM attached WHERE item = ?1")?
        .execute([item.id])?;
    for hash in &message.attached {
        conn.prepare_cached("INSERT OR IGNORE INTO attached VALUES (?1, ?2)")?
            .execute(params![item.id, &hash.0[..]])?;
    }
    put_facts(conn, item.id, &message.derived)?;
    conn.prepare_cached("UPDATE items SET size = ?2, sized = 1, original = ?2 WHERE id = ?1")?
        .execute(params![item.id, message.size as i64])?;
    (item.size, item.sized, item.guess) = (message.size, true, message.size);
    Ok(())
}
