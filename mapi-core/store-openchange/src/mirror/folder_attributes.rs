//! What a folder is besides its place: role, class, properties, permissions.

use std::collections::{BTreeMap, HashMap, HashSet};

use mapi_store::{Member, Permission, Role};
use mapi_types::{OwnedValue, PropBag, PropTag, tags};
use rusqlite::{Connection, params};

use super::{RemoteFolder, hierarchy::Touched};
use crate::{
    codec::VALUE_INLINE_MAX,
    fail::Result,
    read::tree::{inline_bag, permissions_of},
    write::{encode_inline, put_permissions},
};

/// Properties of a folder that are not kept among its others.
const COMPUTED: [PropTag; 5] = [
    tags::DISPLAY_NAME.tag(),
    tags::CONTAINER_CLASS.tag(),
    tags::CONTENT_COUNT.tag(),
    tags::CONTENT_UNREAD_COUNT.tag(),
    tags::ATTRIBUTE_HIDDEN.tag(),
];

/// Gives folders what the remote says of them beside their place.
pub(super) fn set(
    conn: &Connection,
    folders: &[(i64, &RemoteFolder)],
    touched: &mut Touched,
) -> Result<()> {
    set_roles(conn, folders, touched)?;
    for (id, folder) in folders {
        set_attributes(conn, (*id, folder), touched)?;
    }
    Ok(())
}

/// Gives the folders of a batch their roles; who has such a role otherwise loses it.
fn set_roles(
    conn: &Connection,
    folders: &[(i64, &RemoteFolder)],
    touched: &mut Touched,
) -> Result<()> {
    let mut wanted: BTreeMap<i64, Option<u32>> = BTreeMap::new();
    let mut given: HashSet<u32> = HashSet::new();
    for (id, folder) in folders {
        let role = folder
            .role
            .and_then(|role| Role::ALL.iter().position(|other| *other == role))
            .and_then(|at| u32::try_from(at).ok());
        wanted.insert(*id, role.filter(|role| given.insert(*role)));
    }
    let mut select = conn.prepare_cached("SELECT id, role FROM folders WHERE role IS NOT NULL")?;
    let held: HashMap<i64, u32> = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut set = conn.prepare_cached("UPDATE folders SET role = ?2 WHERE id = ?1")?;
    for (id, role) in &held {
        let keeps = match wanted.get(id) {
            Some(wanted) => *wanted == Some(*role),
            None => !given.contains(role),
        };
        if !keeps {
            set.execute(params![id, None::<i64>])?;
            touched.folders.insert(*id);
        }
    }
    for (id, role) in wanted {
        if let Some(role) = role
            && held.get(&id) != Some(&role)
        {
            set.execute(params![id, role])?;
            touched.folders.insert(id);
        }
    }
    Ok(())
}

fn set_attributes(
    conn: &Connection,
    (id, folder): (i64, &RemoteFolder),
    touched: &mut Touched,
) -> Result<()> {
    let other_class = conn
        .prepare_cached("UPDATE folders SET class = ?2 WHERE id = ?1 AND class <> ?2")?
        .execute(params![id, folder.class])?
        > 0;
    let other_props = set_props(conn, id, folder)?;
    if other_class || other_props {
        touched.folders.insert(id);
    }
    if let Some(permissions) = &folder.permissions {
        let permissions = each_member_once(permissions);
        if permissions_of(conn, id)? != permissions {
            put_permissions(conn, id, &permissions)?;
            touched.trees.insert(id);
        }
    }
    Ok(())
}

/// Says whether something changed. Properties that are only here stay.
fn set_props(conn: &Connection, id: i64, folder: &RemoteFolder) -> Result<bool> {
    let mut props: Vec<(PropTag, OwnedValue)> = folder
        .props
        .iter()
        .filter(|(tag, value)| {
            tag.prop_type() == Some(value.prop_type()) && !COMPUTED.contains(tag)
        })
        .map(|(tag, value)| (tag, value.to_owned()))
        .filter(|(_, value)| octets(value) <= VALUE_INLINE_MAX)
        .collect();
    if folder.hidden {
        props.push((tags::ATTRIBUTE_HIDDEN.tag(), OwnedValue::Bool(true)));
    }
    let bag: PropBag = props.iter().cloned().collect();
    let blob = encode_inline(&bag)?;
    let mut select = conn.prepare_cached(
        "SELECT r.props, f.props FROM remote_folders r JOIN folders f ON f.id = r.folder WHERE r.folder = ?1",
    )?;
    let (applied, present): (Vec<u8>, Vec<u8>) =
        select.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if applied == blob {
        return Ok(false);
    }
    let gone: Vec<PropTag> = match &applied[..] {
        [] => Vec::new(),
        applied => inline_bag(applied)?.iter().map(|(tag, _)| tag).collect(),
    };
    let next = encode_inline(&inline_bag(&present)?.with(&props, &gone))?;
    conn.prepare_cached("UPDATE remote_folders SET props = ?2 WHERE folder = ?1")?
        .execute(params![id, blob])?;
    conn.prepare_cached("UPDATE folders SET props = ?2 WHERE id = ?1")?
        .execute(params![id, next])?;
    Ok(next != present)
}

fn octets(value: &OwnedValue) -> usize {
    match value {
        OwnedValue::Str(text) => text.len(),
        OwnedValue::Bin(octets) | OwnedValue::Strs(octets) | OwnedValue::Bins(octets) => {
            octets.len()
        }
        _ => 0,
    }
}

/// The first row of every member; addresses in lower case, as principals have them.
fn each_member_once(permissions: &[Permission]) -> Vec<Permission> {
    let mut seen = HashSet::new();
    permissions
        .iter()
        .map(|row| Permission {
            member: match &row.member {
                Member::User(user) => Member::User(user.to_ascii_lowercase()),
                other => other.clone(),
            },
            rights: row.rights,
        })
        .filter(|row| seen.insert(row.member.clone()))
        .collect()
}
