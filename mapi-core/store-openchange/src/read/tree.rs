//! The folder tree as a principal sees it.

use mapi_store::{FolderInfo, HierarchyDelta, Member, Permission, Rights, Role};
use mapi_types::{Epoch, FolderId, ItemNumber, OwnedValue, PropBag, PropTag, Version, tags};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{
    access::{Access, invalid, member, no_folder},
    codec::take_bag,
    fail::{Fail, Result},
};

const COLUMNS: &str = "id, parent, name, class, role, epoch, next_number, version, items, unread, deleted, size, props";

/// A folder, unless the principal does not see it.
pub(crate) fn info(conn: &Connection, who: &Access, id: i64) -> Result<Option<FolderInfo>> {
    let rights = who.rights(conn, id)?;
    if !rights.allow(Rights::VISIBLE) {
        return Ok(None);
    }
    let mut select =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM folders WHERE id = ?1"))?;
    let Some((mut info, props)) = select.query_row([id], read).optional()? else {
        return Ok(None);
    };
    info.rights = rights;
    info.hidden = inline_bag(&props)?.get(&tags::ATTRIBUTE_HIDDEN) == Some(true);
    if !who.owner {
        info.parent = visible_parent(conn, who, info.parent)?;
    }
    Ok(Some(info))
}

/// Others see a folder below the nearest folder above it that they see.
fn visible_parent(
    conn: &Connection,
    who: &Access,
    parent: Option<FolderId>,
) -> Result<Option<FolderId>> {
    for above in ancestors(conn, parent.map(|id| id.0 as i64))? {
        if who.rights(conn, above)?.allow(Rights::VISIBLE) {
            return Ok(Some(FolderId(above as u64)));
        }
    }
    Ok(None)
}

fn read(row: &Row<'_>) -> rusqlite::Result<(FolderInfo, Vec<u8>)> {
    let (id, parent): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
    let role: Option<i64> = row.get(4)?;
    let (version, size): (i64, i64) = (row.get(7)?, row.get(11)?);
    let info = FolderInfo {
        id: FolderId(id as u64),
        parent: parent.map(|parent| FolderId(parent as u64)),
        name: row.get(2)?,
        class: row.get(3)?,
        role: role.and_then(|role| Role::ALL.get(role as usize).copied()),
        hidden: false,
        rights: Rights::NONE,
        epoch: Epoch(row.get(5)?),
        next_number: ItemNumber(row.get(6)?),
        version: Version(version as u64),
        items: row.get(8)?,
        unread: row.get(9)?,
        deleted: row.get(10)?,
        size: size as u64,
    };
    Ok((info, row.get(12)?))
}

/// The tree's changes since a place in its log.
pub(crate) fn hierarchy(conn: &Connection, who: &Access, since: Version) -> Result<HierarchyDelta> {
    let to: i64 = conn
        .prepare_cached("SELECT version FROM mailbox")?
        .query_row([], |row| row.get(0))?;
    let to = Version(to as u64);
    if since > to {
        return Err(invalid(
            "the place lies after the end of the hierarchy's log",
        ));
    }
    let ids = |sql: &str| -> Result<Vec<i64>> {
        let mut select = conn.prepare_cached(sql)?;
        Ok(select
            .query_map([since.0 as i64], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    };
    let (mut changed, mut removed) = (Vec::new(), Vec::new());
    for id in ids("SELECT id FROM folders WHERE changed > ?1 ORDER BY id")? {
        match info(conn, who, id)? {
            Some(info) => changed.push(info),
            None if since > Version(0) => removed.push(FolderId(id as u64)),
            None => {}
        }
    }
    if since > Version(0) {
        let gone =
            ids("SELECT folder FROM folders_removed WHERE version > ?1 ORDER BY version, folder")?;
        removed.extend(gone.into_iter().map(|id| FolderId(id as u64)));
    }
    Ok(HierarchyDelta {
        to,
        changed,
        removed,
    })
}

/// The folder and all above it, upwards.
pub(crate) fn ancestors(conn: &Connection, folder: Option<i64>) -> Result<Vec<i64>> {
    let mut select = conn.prepare_cached("SELECT parent FROM folders WHERE id = ?1")?;
    let (mut above, mut next) = (Vec::new(), folder);
    while let Some(id) = next {
        if above.contains(&id) {
            return Err(Fail::corrupt("the folder tree has a loop"));
        }
        above.push(id);
        next = select
            .query_row([id], |row| row.get(0))
            .optional()?
            .flatten();
    }
    Ok(above)
}

/// All properties of a folder, computed ones included.
pub(crate) fn folder_props(conn: &Connection, id: i64) -> Result<PropBag> {
    let mut select =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM folders WHERE id = ?1"))?;
    let (info, props) = select
        .query_row([id], read)
        .optional()?
        .ok_or_else(no_folder)?;
    let computed = [
        (tags::DISPLAY_NAME.tag(), OwnedValue::Str(info.name.into())),
        (
            tags::CONTAINER_CLASS.tag(),
            OwnedValue::Str(info.class.into()),
        ),
        (
            tags::CONTENT_COUNT.tag(),
            OwnedValue::I32(info.items as i32),
        ),
        (
            tags::CONTENT_UNREAD_COUNT.tag(),
            OwnedValue::I32(info.unread as i32),
        ),
    ];
    Ok(inline_bag(&props)?.with(&computed, &[]))
}

/// Some properties of the mailbox.
pub(crate) fn mailbox_props(conn: &Connection, tags: &[PropTag]) -> Result<PropBag> {
    let mut select = conn.prepare_cached("SELECT props FROM mailbox")?;
    let blob: Vec<u8> = select.query_row([], |row| row.get(0))?;
    Ok(only(&inline_bag(&blob)?, tags))
}

/// Those of a bag's properties that were asked for.
pub(crate) fn only(bag: &PropBag, tags: &[PropTag]) -> PropBag {
    tags.iter()
        .filter_map(|tag| Some((*tag, bag.value(*tag)?.to_owned())))
        .collect()
}

/// A bag of which nothing lies apart.
pub(crate) fn inline_bag(blob: &[u8]) -> Result<PropBag> {
    take_bag(blob, &|_, _| {
        Err(Fail::corrupt("a property lies where none may"))
    })
}

/// A folder's permission table.
pub(crate) fn permissions_of(conn: &Connection, folder: i64) -> Result<Vec<Permission>> {
    let mut select = conn.prepare_cached(
        "SELECT member, user, rights FROM permissions WHERE folder = ?1 ORDER BY position",
    )?;
    let rows = select.query_map([folder], |row| {
        let (kind, user, rights): (i64, String, u32) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let member = match kind {
            member::DEFAULT => Member::Default,
            member::ANONYMOUS => Member::Anonymous,
            _ => Member::User(user),
        };
        Ok(Permission {
            member,
            rights: Rights(rights),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
