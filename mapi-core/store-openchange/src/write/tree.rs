//! Changing the folder tree: names, places, permissions, properties of folders and of the mailbox.

use std::collections::HashSet;

use mapi_store::{
    ErrorKind, FOLDER_NAME_BYTES_MAX, FolderInfo, Member, NewFolder, Notice, Permission, Rights,
    Role,
};
use mapi_types::{Change, FolderId, OwnedValue, PropBag, PropTag, Value, tags};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Tx, recover::keep_deleted, update::touched};
use crate::{
    access::{Access, denied, invalid, member, no_folder},
    codec::{Externals, encode_bag},
    fail::{Fail, Result},
    ids::{FOLDER_MAX, folder_row_id, row_id},
    read::tree::{ancestors, folder_props, info, inline_bag, permissions_of},
};

/// Properties of a folder that have ways of their own to change.
const FOLDER_FACTS: [PropTag; 3] = [
    tags::DISPLAY_NAME.tag(),
    tags::CONTENT_COUNT.tag(),
    tags::CONTENT_UNREAD_COUNT.tag(),
];

pub(crate) fn create_folder(tx: &mut Tx<'_>, who: &Access, new: &NewFolder) -> Result<FolderInfo> {
    let parent = check_place(tx.conn, who, new.parent)?;
    check_name(tx.conn, parent, &new.name, None)?;
    let mut permissions = match parent {
        Some(parent) => permissions_of(tx.conn, parent)?,
        None => Vec::new(),
    };
    if !who.owner {
        // Who makes a folder in somebody else's mailbox owns it. Source: MS-OXCFOLD 3.2.5.2.
        let member = Member::User(who.user.clone());
        permissions.retain(|row| row.member != member);
        permissions.push(Permission {
            member,
            rights: Rights::ALL,
        });
    }
    let id = insert_folder(tx, parent, (&new.name, &new.class), None)?;
    put_permissions(tx.conn, id, &permissions)?;
    tx.notify(Notice::Hierarchy);
    info(tx.conn, who, id)?.ok_or_else(no_folder)
}

/// Adds the folder of a role, when a mailbox is made.
pub(crate) fn insert_special(tx: &mut Tx<'_>, role: Role) -> Result<()> {
    insert_folder(tx, None, role.defaults(), Some(role)).map(|_| ())
}

/// Adds an empty folder at the end of the tree's log.
pub(crate) fn insert_folder(
    tx: &Tx<'_>,
    parent: Option<i64>,
    (name, class): (&str, &str),
    role: Option<Role>,
) -> Result<i64> {
    let conn = tx.conn;
    let id: i64 = conn.query_row("SELECT next_folder FROM mailbox", [], |row| row.get(0))?;
    if id > FOLDER_MAX {
        return Err(Fail::new(ErrorKind::Quota, "the folder ids are used up"));
    }
    conn.execute("UPDATE mailbox SET next_folder = ?1", [id + 1])?;
    let highest: i64 = conn.query_row("SELECT ifnull(max(epoch), 0) FROM folders", [], |row| {
        row.get(0)
    })?;
    let epoch = tx
        .mailbox
        .shared
        .epochs
        .next(u32::try_from(highest).unwrap_or(0))?;
    let role = role.and_then(|role| Role::ALL.iter().position(|other| *other == role));
    conn.execute(
        "INSERT INTO folders VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, 0, 0, 0, 0, 0, 0, 0, ?9)",
        params![
            id,
            parent,
            name,
            name.to_lowercase(),
            class,
            role.map(|role| role as i64),
            bump(conn)?,
            epoch.0,
            empty_bag()?,
        ],
    )?;
    Ok(id)
}

pub(crate) fn move_folder(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    parent: Option<FolderId>,
    name: &str,
) -> Result<()> {
    let (id, _) = who.allowed(tx.conn, folder, Rights::OWNER)?;
    if is_special(tx.conn, id)? {
        return Err(invalid("a special folder stays where it is"));
    }
    let (old_parent, old_name): (Option<i64>, String) = tx.conn.query_row(
        "SELECT parent, name FROM folders WHERE id = ?1",
        [id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let same_place = parent.map(folder_row_id).transpose()? == old_parent;
    if same_place && old_name == name {
        return Ok(());
    }
    let parent = if same_place {
        old_parent
    } else {
        check_place(tx.conn, who, parent)?
    };
    if ancestors(tx.conn, parent)?.contains(&id) {
        return Err(invalid("a folder cannot go into itself"));
    }
    check_name(tx.conn, parent, name, Some(id))?;
    tx.conn.execute(
        "UPDATE folders SET parent = ?2, name = ?3, name_lower = ?4 WHERE id = ?1",
        params![id, parent, name, name.to_lowercase()],
    )?;
    touch_tree(tx, id)
}

pub(crate) fn delete_folder(tx: &mut Tx<'_>, who: &Access, folder: FolderId) -> Result<()> {
    let (id, _) = who.allowed(tx.conn, folder, Rights::OWNER)?;
    if is_special(tx.conn, id)? {
        return Err(invalid("a special folder cannot be deleted"));
    }
    if tx
        .conn
        .prepare_cached("SELECT 1 FROM folders WHERE parent = ?1")?
        .exists([id])?
    {
        return Err(invalid("the folder has subfolders"));
    }
    let version = bump(tx.conn)?;
    keep_deleted(tx.conn, id)?;
    drop_log(tx.conn, id)?;
    drop_row(tx.conn, id, version)?;
    tx.notify(Notice::Hierarchy);
    Ok(())
}

/// Removes a folder with its items for good and says so in the tree's log.
pub(crate) fn drop_folder(conn: &Connection, id: i64, version: i64) -> Result<()> {
    drop_items(conn, id)?;
    drop_row(conn, id, version)
}

fn drop_row(conn: &Connection, id: i64, version: i64) -> Result<()> {
    for sql in [
        "DELETE FROM permissions WHERE folder = ?1",
        "DELETE FROM remote_folders WHERE folder = ?1",
        "DELETE FROM folders WHERE id = ?1",
    ] {
        conn.execute(sql, [id])?;
    }
    conn.execute("INSERT INTO folders_removed VALUES (?1, ?2)", [version, id])?;
    Ok(())
}

/// Removes every row that belongs to the items of a folder.
pub(crate) fn drop_items(conn: &Connection, folder: i64) -> Result<()> {
    let range = [row_id(folder, 0), row_id(folder, u32::MAX)];
    for sql in [
        "DELETE FROM items WHERE id BETWEEN ?1 AND ?2",
        "DELETE FROM facts WHERE id BETWEEN ?1 AND ?2",
        "DELETE FROM contents WHERE id BETWEEN ?1 AND ?2",
        "DELETE FROM attached WHERE item BETWEEN ?1 AND ?2",
        "DELETE FROM remote_items WHERE id BETWEEN ?1 AND ?2",
    ] {
        conn.execute(sql, range)?;
    }
    drop_log(conn, folder)
}

fn drop_log(conn: &Connection, folder: i64) -> Result<()> {
    conn.execute("DELETE FROM expunged WHERE folder = ?1", [folder])?;
    conn.execute("DELETE FROM remote_staged WHERE folder = ?1", [folder])?;
    Ok(())
}

pub(crate) fn set_permissions(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    permissions: &[Permission],
) -> Result<()> {
    let (id, _) = who.allowed(tx.conn, folder, Rights::OWNER)?;
    let mut members = HashSet::new();
    if !permissions.iter().all(|row| members.insert(&row.member)) {
        return Err(invalid("a member is named twice"));
    }
    if permissions_of(tx.conn, id)? == permissions {
        return Ok(());
    }
    put_permissions(tx.conn, id, permissions)?;
    touch_tree(tx, id)
}

pub(crate) fn put_permissions(
    conn: &Connection,
    folder: i64,
    permissions: &[Permission],
) -> Result<()> {
    conn.execute("DELETE FROM permissions WHERE folder = ?1", [folder])?;
    for (position, row) in permissions.iter().enumerate() {
        let (kind, user) = match &row.member {
            Member::Default => (member::DEFAULT, ""),
            Member::Anonymous => (member::ANONYMOUS, ""),
            Member::User(user) => (member::USER, user.as_str()),
        };
        conn.execute(
            "INSERT INTO permissions VALUES (?1, ?2, ?3, ?4, ?5)",
            params![folder, position as i64, kind, user, row.rights.0],
        )?;
    }
    Ok(())
}

pub(crate) fn set_folder_props(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    change: &Change,
) -> Result<()> {
    let (id, _) = who.allowed(tx.conn, folder, Rights::OWNER)?;
    if touched(change).any(|tag| FOLDER_FACTS.contains(&tag)) {
        return Err(invalid("the store computes this property of a folder"));
    }
    let old = folder_props(tx.conn, id)?;
    let changes = change.apply(|tag| old.value(tag));
    if changes.is_empty() {
        return Ok(());
    }
    let class_tag = tags::CONTAINER_CLASS.tag();
    let new = applied(&old, changes);
    let class = match new.value(class_tag) {
        Some(Value::Str(class)) => class,
        _ => "",
    };
    let facts = FOLDER_FACTS
        .into_iter()
        .chain([class_tag])
        .collect::<Vec<_>>();
    let blob = encode_inline(&new.with(&[], &facts))?;
    tx.conn.execute(
        "UPDATE folders SET class = ?2, props = ?3 WHERE id = ?1",
        params![id, class, blob],
    )?;
    let version = bump(tx.conn)?;
    tx.conn.execute(
        "UPDATE folders SET changed = ?2 WHERE id = ?1",
        [id, version],
    )?;
    tx.notify(Notice::Hierarchy);
    Ok(())
}

pub(crate) fn set_mailbox_props(tx: &mut Tx<'_>, who: &Access, change: &Change) -> Result<()> {
    if !who.owner {
        return Err(denied());
    }
    let blob: Vec<u8> = tx
        .conn
        .query_row("SELECT props FROM mailbox", [], |row| row.get(0))?;
    let old = inline_bag(&blob)?;
    let changes = change.apply(|tag| old.value(tag));
    if !changes.is_empty() {
        let blob = encode_inline(&applied(&old, changes))?;
        tx.conn.execute("UPDATE mailbox SET props = ?1", [blob])?;
    }
    Ok(())
}

fn applied(old: &PropBag, changes: Vec<(PropTag, Option<OwnedValue>)>) -> PropBag {
    let (mut set, mut delete) = (Vec::new(), Vec::new());
    for (tag, value) in changes {
        match value {
            Some(value) => set.push((tag, value)),
            None => delete.push(tag),
        }
    }
    old.with(&set, &delete)
}

/// Errors: `TooBig` when a value would have to lie apart: properties of folders and mailboxes do not.
pub(crate) fn encode_inline(bag: &PropBag) -> Result<Vec<u8>> {
    let (mut externals, mut blob) = (Externals::default(), Vec::new());
    encode_bag(bag.iter(), &mut externals, &mut blob)?;
    if externals.0.is_empty() {
        Ok(blob)
    } else {
        Err(Fail::new(
            ErrorKind::TooBig,
            "the property is too large for a folder or mailbox",
        ))
    }
}

pub(crate) fn empty_bag() -> Result<Vec<u8>> {
    encode_inline(&PropBag::default())
}

/// Begins a change of the tree: its version.
pub(crate) fn bump(conn: &Connection) -> Result<i64> {
    Ok(conn.query_row(
        "UPDATE mailbox SET version = version + 1 RETURNING version",
        [],
        |row| row.get(0),
    )?)
}

/// Logs a change of a folder and of all below it: their paths, and where others see them, change with it.
fn touch_tree(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    let version = bump(tx.conn)?;
    touch_trees(tx.conn, [id], version)?;
    tx.notify(Notice::Hierarchy);
    Ok(())
}

/// Gives these folders and all below them a place in the tree's log.
pub(crate) fn touch_trees(
    conn: &Connection,
    ids: impl IntoIterator<Item = i64>,
    version: i64,
) -> Result<()> {
    let mut update = conn.prepare_cached(
        "WITH RECURSIVE below(id) AS (
             SELECT ?1 UNION SELECT folders.id FROM folders JOIN below ON folders.parent = below.id
         ) UPDATE folders SET changed = ?2 WHERE id IN below",
    )?;
    for id in ids {
        update.execute([id, version])?;
    }
    Ok(())
}

fn is_special(conn: &Connection, id: i64) -> Result<bool> {
    let role: Option<i64> =
        conn.query_row("SELECT role FROM folders WHERE id = ?1", [id], |row| {
            row.get(0)
        })?;
    Ok(role.is_some())
}

/// Errors: `NotFound`, `Denied` unless the principal may make folders there.
fn check_place(conn: &Connection, who: &Access, parent: Option<FolderId>) -> Result<Option<i64>> {
    match parent {
        Some(parent) => who
            .allowed(conn, parent, Rights::CREATE_SUBFOLDER)
            .map(|(id, _)| Some(id)),
        None if who.owner => Ok(None),
        None => Err(denied()),
    }
}

/// Errors: `Invalid`, `Exists`.
fn check_name(
    conn: &Connection,
    parent: Option<i64>,
    name: &str,
    except: Option<i64>,
) -> Result<()> {
    if name.is_empty() || name.len() > FOLDER_NAME_BYTES_MAX || name.contains(char::is_control) {
        return Err(invalid("no folder can have this name"));
    }
    let sibling: Option<i64> = conn
        .query_row(
            "SELECT id FROM folders WHERE ifnull(parent, 0) = ifnull(?1, 0) AND name_lower = ?2",
            params![parent, name.to_lowercase()],
            |row| row.get(0),
        )
        .optional()?;
    if sibling.is_some() && sibling != except {
        return Err(Fail::new(ErrorKind::Exists, "a sibling has this name"));
    }
    Ok(())
}
