//! Copying and moving items within the mailbox.

use mapi_store::{ErrorKind, Rights, Saved, Transfer, Transferred};
use mapi_types::{FolderId, ItemNumber, Version};
use rusqlite::{Connection, params};

use super::{
    FolderRow, Tx,
    delete::{DELETE, each_once},
    item_row::{self, ItemRow, with_key},
    save::new_key,
};
use crate::{
    access::Access,
    fail::{Fail, Result},
    ids::row_id,
    quota::check_room,
};

pub(crate) fn transfer(
    tx: &mut Tx<'_>,
    who: &Access,
    (from, to): (FolderId, FolderId),
    items: &[ItemNumber],
    how: Transfer,
) -> Result<Vec<Transferred>> {
    let (source, rights) = who.allowed(tx.conn, from, Rights::READ_ANY)?;
    let (target, _) = who.allowed(tx.conn, to, Rights::CREATE)?;
    let mut target_row = FolderRow::load(tx.conn, target)?;
    let mut source_row = if source == target {
        None
    } else {
        Some(FolderRow::load(tx.conn, source)?)
    };
    let mut transferred = Vec::with_capacity(items.len());
    for number in each_once(items) {
        let Some(item) = ItemRow::load(tx.conn, row_id(source, number.0))? else {
            continue;
        };
        let (version, new) = (target_row.bump(), target_row.take_number()?);
        let new_id = row_id(target, new);
        let key = match how {
            Transfer::Copy => {
                let key = new_key(tx.conn, tx.mailbox, new_id)?;
                copy_rows(tx.conn, item.id, new_id, &key.0, (version, who.creator()))?;
                key
            }
            Transfer::Move => {
                who.check_items(rights, DELETE, std::iter::once(item.creator.as_deref()))?;
                if source != target && with_key(tx.conn, target, &item.key.0)?.is_some() {
                    return Err(Fail::new(
                        ErrorKind::Exists,
                        "the target has an item with this key",
                    ));
                }
                item_row::renumber(tx.conn, item.id, new_id, version)?;
                let left = source_row.as_mut().unwrap_or(&mut target_row);
                left.bump();
                if item.is_normal() {
                    left.count_out(&item.hot, item.size);
                    left.log_expunged(tx.conn, number.0, item.created)?;
                }
                item.key
            }
        };
        if item.state == item_row::state::NORMAL {
            target_row.count_in(&item.hot, item.size);
        }
        let target = Saved {
            number: ItemNumber(new),
            key,
            version: Version(version),
            existing: false,
        };
        transferred.push(Transferred {
            source: number,
            target,
        });
    }
    if let Some(row) = source_row {
        row.store(tx)?;
    }
    target_row.store(tx)?;
    if how == Transfer::Copy && !transferred.is_empty() {
        check_room(tx)?;
    }
    Ok(transferred)
}

/// Copies every row of an item.
pub(crate) fn copy_rows(
    conn: &Connection,
    old: i64,
    new: i64,
    key: &[u8],
    (version, creator): (u64, Option<&str>),
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO items(id, folder, state, version, created, size, sized, original, key, creator,
             flags, status, flag_status, last_verb, keywords, delivered, class)
         SELECT ?2, ?2 >> 32, state, ?4, ?4, size, sized, original, ?3, ?5,
             flags, status, flag_status, last_verb, keywords, delivered, class
         FROM items WHERE id = ?1",
    )?
    .execute(params![old, new, key, version as i64, creator])?;
    conn.prepare_cached(
        "INSERT INTO facts(id, renderer, envelope, structure)
         SELECT ?2, renderer, envelope, structure FROM facts WHERE id = ?1",
    )?
    .execute([old, new])?;
    conn.prepare_cached(
        "INSERT INTO contents(id, hash, prefix, header, props, parts, body)
         SELECT ?2, hash, prefix, header, props, parts, body FROM contents WHERE id = ?1",
    )?
    .execute([old, new])?;
    conn.prepare_cached(
        "INSERT INTO attached(item, hash) SELECT ?2, hash FROM attached WHERE item = ?1",
    )?
    .execute([old, new])?;
    Ok(())
}
