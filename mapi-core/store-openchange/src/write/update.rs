//! Changing properties of items: flags keep the number, content gets a new one.

use mapi_store::{Expected, Rights, Updated};
use mapi_types::{
    Change, ContentHash, FolderId, ItemNumber, OwnedValue, PropBag, PropTag, Version,
    changes_content, tags,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    FolderRow, Tx,
    item_row::{self, ItemRow},
    save::EDIT,
};
use crate::{
    access::{Access, invalid},
    codec::{BagReader, Externals, Stored, encode_stored, own},
    fail::{Fail, Result},
    hot::{hot_column, is_fact},
    ids::row_id,
};

/// New values of properties; `None`: the property goes.
type Edits = Vec<(PropTag, Option<OwnedValue>)>;

pub(crate) fn update(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    items: &[Expected],
    change: &Change,
) -> Result<Updated> {
    let (id, rights) = who.allowed(tx.conn, folder, Rights::READ_ANY)?;
    if touched(change).any(is_fact) {
        return Err(invalid("the store computes this property"));
    }
    let mut row = FolderRow::load(tx.conn, id)?;
    let mut expected = items.to_vec();
    expected.sort_by_key(|expect| expect.item);
    expected.dedup_by_key(|expect| expect.item);
    let mut updated = Updated::default();
    for expect in expected {
        let Some(item) = ItemRow::load(tx.conn, row_id(id, expect.item.0))? else {
            continue;
        };
        who.check_items(rights, EDIT, std::iter::once(item.creator.as_deref()))?;
        if expect.version.is_some_and(|seen| item.version > seen.0) {
            updated.stale.push(expect.item);
        } else {
            update_one(tx, &mut row, item, change, &mut updated)?;
        }
    }
    row.store(tx)?;
    Ok(updated)
}

/// Every property a change touches.
pub(crate) fn touched(change: &Change) -> impl Iterator<Item = PropTag> {
    let set = change.set.iter().map(|(tag, _)| *tag);
    let bits = change.bits.iter().map(|bits| bits.tag);
    let strings = change.strings.iter().map(|strings| strings.tag);
    set.chain(change.delete.iter().copied())
        .chain(bits)
        .chain(strings)
}

fn update_one(
    tx: &Tx<'_>,
    row: &mut FolderRow,
    mut item: ItemRow,
    change: &Change,
    updated: &mut Updated,
) -> Result<()> {
    let conn = tx.conn;
    let only_hot = touched(change).all(|tag| hot_column(tag).is_some());
    let blob = if only_hot {
        Vec::new()
    } else {
        props_blob(conn, item.id)?
    };
    let old = if only_hot {
        PropBag::default()
    } else {
        touched_props(tx, &blob, change)?
    };
    let mut edits = change.apply(|tag| item.hot.value(tag).or_else(|| old.value(tag)));
    keep_table(&item, &mut edits);
    if edits.is_empty() {
        return Ok(());
    }
    let content = edits
        .iter()
        .any(|(tag, _)| changes_content(item.hot.class(), *tag));
    let version = row.bump();
    updated.version = Some(Version(version));
    let old_number = item.number();
    if item.is_normal() {
        row.count_out(&item.hot, item.size);
    }
    for (tag, value) in &edits {
        item.hot.set_owned(*tag, value.as_ref())?;
    }
    if !only_hot {
        rewrite_props(conn, item.id, &blob, &edits)?;
    }
    if content {
        let number = row.take_number()?;
        if item.is_normal() {
            row.log_expunged(conn, old_number, item.created)?;
        }
        let new = row_id(row.id, number);
        item_row::renumber(conn, item.id, new, version)?;
        item.id = new;
        let size = part_from_original(conn, new)?;
        item.size = if item.sized { size } else { 0 };
        updated
            .renumbered
            .push((ItemNumber(old_number), ItemNumber(number)));
    } else {
        updated.changed.push(ItemNumber(old_number));
    }
    item.version = version;
    item.store_hot(conn)?;
    if item.is_normal() {
        row.count_in(&item.hot, item.size);
    }
    Ok(())
}

/// The old values of the properties a change touches, also of those that lie apart.
fn touched_props(tx: &Tx<'_>, blob: &[u8], change: &Change) -> Result<PropBag> {
    let load = |hash, len| tx.mailbox.shared.segments.read(&hash, 0, len);
    let mut found = Vec::new();
    for tag in touched(change) {
        if let Some(stored) = BagReader::new(blob)?.find(tag)? {
            found.push((tag, own(tag, stored, &load)?));
        }
    }
    Ok(found.into_iter().collect())
}

/// An item stays normal or associated: that bit is not for changes.
fn keep_table(item: &ItemRow, edits: &mut Edits) {
    let tag = tags::MESSAGE_FLAGS.tag();
    let mut hot = item.hot.clone();
    let Some(at) = edits.iter().position(|(changed, _)| *changed == tag) else {
        return;
    };
    let Some((_, value)) = edits.get_mut(at) else {
        return;
    };
    hot.flags = match value {
        Some(OwnedValue::I32(bits)) => Some(*bits),
        _ => None,
    };
    hot.set_associated(!item.is_normal());
    *value = hot.flags.map(OwnedValue::I32);
    if hot.flags.unwrap_or(0) == item.hot.flags.unwrap_or(0) {
        edits.remove(at);
    }
}

fn props_blob(conn: &Connection, id: i64) -> Result<Vec<u8>> {
    let mut select = conn.prepare_cached("SELECT props FROM contents WHERE id = ?1")?;
    let blob = select.query_row([id], |row| row.get(0)).optional()?;
    blob.ok_or_else(|| Fail::corrupt("an item has no content"))
}

/// Writes the property blob anew. Contents that it no longer refers to stay with the item until that goes.
fn rewrite_props(conn: &Connection, id: i64, blob: &[u8], edits: &Edits) -> Result<()> {
    let mut props: Vec<(PropTag, Stored<'_>)> = Vec::new();
    let mut old = BagReader::new(blob)?;
    while let Some((tag, value)) = old.next()? {
        if !edits.iter().any(|(edited, _)| *edited == tag) {
            props.push((tag, value));
        }
    }
    for (tag, value) in edits {
        if let Some(value) = value
            && hot_column(*tag).is_none()
        {
            props.push((*tag, Stored::Value(value.as_value())));
        }
    }
    props.sort_by_key(|(tag, _)| *tag);
    let (mut externals, mut blob) = (Externals::default(), Vec::new());
    encode_stored(props.into_iter(), &mut externals, &mut blob)?;
    conn.prepare_cached("UPDATE contents SET props = ?2 WHERE id = ?1")?
        .execute(params![id, blob])?;
    for content in externals.0 {
        let ContentHash(hash) = content.hash();
        conn.prepare_cached("INSERT OR IGNORE INTO attached VALUES (?1, ?2)")?
            .execute(params![id, &hash[..]])?;
    }
    Ok(())
}

/// The item no longer says what its original says: the facts computed from that go. Its bytes stay, for attachments
/// may be ranges of them. Returns the item's size from now on.
fn part_from_original(conn: &Connection, id: i64) -> Result<u64> {
    conn.prepare_cached("DELETE FROM facts WHERE id = ?1")?
        .execute([id])?;
    conn.prepare_cached("UPDATE contents SET prefix = x'', header = x'' WHERE id = ?1")?
        .execute([id])?;
    let mut select =
        conn.prepare_cached("SELECT length(props) + length(parts) FROM contents WHERE id = ?1")?;
    let size: i64 = select.query_row([id], |row| row.get(0))?;
    conn.prepare_cached("UPDATE items SET original = NULL, size = ?2 WHERE id = ?1")?
        .execute([id, size])?;
    Ok(size as u64)
}
