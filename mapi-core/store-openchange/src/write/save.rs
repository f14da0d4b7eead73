//! New items, new contents of items, and facts computed later.

use mapi_store::{ErrorKind, Expected, ITEM_KEY_BYTES_MAX, Rights, Saved};
use mapi_types::{Derived, FolderId, ItemKey, ItemNumber, Version};
use rusqlite::{Connection, params};

use super::{
    FolderRow, Prepared, Tx,
    item_row::{self, ItemRow, state, with_key},
};
use crate::{
    access::{Access, no_item},
    fail::{Fail, Result},
    ids::{number_of, row_id},
    mailbox::Mailbox,
    quota::check_room,
};

/// Rights to edit any item, or one's own.
pub(super) const EDIT: (Rights, Rights) = (Rights::EDIT_ANY, Rights::EDIT_OWNED);

/// Saves drafts as long as there is room for them.
pub(crate) fn save(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    drafts: &[Prepared],
) -> Result<Vec<Saved>> {
    let saved = save_beyond_quota(tx, who, folder, drafts)?;
    if saved.iter().any(|saved| !saved.existing) {
        check_room(tx)?;
    }
    Ok(saved)
}

/// Saves drafts, room or not.
pub(crate) fn save_beyond_quota(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    drafts: &[Prepared],
) -> Result<Vec<Saved>> {
    let (id, _) = who.allowed(tx.conn, folder, Rights::CREATE)?;
    let mut row = FolderRow::load(tx.conn, id)?;
    let mut saved = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if let Some(key) = &draft.key
            && let Some((item, version)) = with_key(tx.conn, id, &key.0)?
        {
            let number = ItemNumber(number_of(item));
            saved.push(Saved {
                number,
                key: key.clone(),
                version: Version(version),
                existing: true,
            });
            continue;
        }
        let place = Place {
            key: draft.key.clone(),
            creator: who.creator(),
            state: table_of(draft),
        };
        saved.push(insert(tx, &mut row, place, draft)?);
    }
    row.store(tx)?;
    Ok(saved)
}

pub(crate) fn replace(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    expect: Expected,
    draft: &mut Prepared,
) -> Result<Saved> {
    let (id, rights) = who.allowed(tx.conn, folder, Rights::READ_ANY)?;
    let old = ItemRow::load(tx.conn, row_id(id, expect.item.0))?.ok_or_else(no_item)?;
    who.check_items(rights, EDIT, std::iter::once(old.creator.as_deref()))?;
    if expect.version.is_some_and(|seen| old.version > seen.0) {
        return Err(Fail::new(ErrorKind::Conflict, "the item changed meanwhile"));
    }
    let mut row = FolderRow::load(tx.conn, id)?;
    item_row::remove(tx.conn, old.id)?;
    if old.is_normal() {
        row.count_out(&old.hot, old.size);
        row.log_expunged(tx.conn, old.number(), old.created)?;
    }
    // An item stays in the table it is in, whatever the new content says of the bit.
    draft.hot.set_associated(!old.is_normal());
    let place = Place {
        key: Some(old.key),
        creator: old.creator.as_deref(),
        state: old.state,
    };
    let saved = insert(tx, &mut row, place, draft)?;
    row.store(tx)?;
    if draft.size > old.size {
        check_room(tx)?;
    }
    Ok(saved)
}

/// Who may read an item may add what follows from it.
pub(crate) fn put_derived(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    facts: &[(ItemNumber, Derived)],
) -> Result<()> {
    let (id, _) = who.allowed(tx.conn, folder, Rights::READ_ANY)?;
    for (number, derived) in facts {
        let item = row_id(id, number.0);
        if ItemRow::load(tx.conn, item)?.is_some() {
            put_facts(tx.conn, item, derived)?;
            tx.conn
                .prepare_cached("UPDATE contents SET header = ?2 WHERE id = ?1")?
                .execute(params![item, &derived.header[..]])?;
        }
    }
    Ok(())
}

/// What an item has besides its content.
struct Place<'p> {
    /// `None`: a new one.
    key: Option<ItemKey>,
    creator: Option<&'p str>,
    state: i64,
}

fn table_of(draft: &Prepared) -> i64 {
    if draft.hot.is_associated() {
        state::ASSOCIATED
    } else {
        state::NORMAL
    }
}

fn insert(tx: &Tx<'_>, row: &mut FolderRow, place: Place<'_>, draft: &Prepared) -> Result<Saved> {
    let (version, number) = (row.bump(), row.take_number()?);
    let id = row_id(row.id, number);
    let key = match place.key {
        Some(key) => key,
        None => new_key(tx.conn, tx.mailbox, id)?,
    };
    let birth = Birth {
        id,
        version,
        key: &key,
        creator: place.creator,
        state: place.state,
    };
    insert_rows(tx.conn, &birth, draft)?;
    if place.state == state::NORMAL {
        row.count_in(&draft.hot, draft.size);
    }
    Ok(Saved {
        number: ItemNumber(number),
        key,
        version: Version(version),
        existing: false,
    })
}

/// What an item begins with besides its content.
pub(crate) struct Birth<'b> {
    pub(crate) id: i64,
    pub(crate) version: u64,
    pub(crate) key: &'b ItemKey,
    pub(crate) creator: Option<&'b str>,
    pub(crate) state: i64,
}

/// Every row of an item.
pub(crate) fn insert_rows(conn: &Connection, birth: &Birth<'_>, draft: &Prepared) -> Result<()> {
    let (id, hot) = (birth.id, &draft.hot);
    conn.prepare_cached(
        "INSERT INTO items(id, folder, state, version, created, size, original, key, creator,
             flags, status, flag_status, last_verb, keywords, delivered, class)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        id,
        id >> 32,
        birth.state,
        birth.version as i64,
        draft.size as i64,
        draft
            .original
            .as_ref()
            .map(|original| original.len() as i64),
        birth.key.0,
        birth.creator,
        hot.flags,
        hot.status,
        hot.flag_status,
        hot.last_verb,
        hot.keywords,
        hot.delivered.map(|time| time.0 as i64),
        hot.class,
    ])?;
    put_facts(conn, id, &draft.derived)?;
    put_contents(conn, id, draft)
}

fn put_contents(conn: &Connection, id: i64, draft: &Prepared) -> Result<()> {
    let (hash, body) = draft.original_columns();
    conn.prepare_cached(
        "INSERT INTO contents(id, hash, prefix, header, props, parts, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![id, hash, &draft.prefix[..], &draft.derived.header[..], draft.props, draft.parts, body])?;
    for hash in &draft.attached {
        conn.prepare_cached("INSERT OR IGNORE INTO attached VALUES (?1, ?2)")?
            .execute(params![id, &hash.0[..]])?;
    }
    Ok(())
}

pub(crate) fn put_facts(conn: &Connection, id: i64, derived: &Derived) -> Result<()> {
    if *derived == Derived::default() {
        conn.prepare_cached("DELETE FROM facts WHERE id = ?1")?
            .execute([id])?;
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT OR REPLACE INTO facts(id, renderer, envelope, structure) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        id,
        derived.renderer,
        &derived.envelope[..],
        &derived.structure[..]
    ])?;
    Ok(())
}

/// A key that no item of the folder has: what all keys of the mailbox begin with, then the folder and the number the
/// item is born with, which no other item ever has, as the 6-byte counter. Source: GID, MS-OXCDATA 2.2.1.3.
pub(super) fn new_key(conn: &Connection, mailbox: &Mailbox, id: i64) -> Result<ItemKey> {
    let counter = id.to_be_bytes().into_iter().skip(2);
    let key = mailbox.replica.iter().copied().chain(counter).collect();
    // Callers may have chosen a key that looks like one of ours: a message moved by copy and delete.
    free_key(conn, id >> 32, key)
}

/// This key, or one made of it, such that no item of the folder has it.
pub(crate) fn free_key(conn: &Connection, folder: i64, mut key: Vec<u8>) -> Result<ItemKey> {
    while with_key(conn, folder, &key)?.is_some() {
        if key.len() < ITEM_KEY_BYTES_MAX {
            key.push(0);
        } else {
            key = blake3::hash(&key).as_bytes().to_vec();
        }
    }
    Ok(ItemKey(key.into()))
}
