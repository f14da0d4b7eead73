//! Named properties: names and the local ids a mailbox gave them. Source: MS-OXCPRPT 2.2.12.

use mapi_store::{ErrorKind, NAMED_ID_LAST, PropName, PropNameId, fixed_id, fixed_name};
use rusqlite::{Connection, OptionalExtension, params};

use crate::fail::{Fail, Result};

/// The ids these names have; `None` where a name has none.
pub(crate) fn lookup(conn: &Connection, names: &[PropName]) -> Result<Vec<Option<u16>>> {
    names.iter().map(|name| id_of(conn, name)).collect()
}

/// The ids these names have, new ones where they had none.
///
/// Errors: `Quota` when the ids are used up.
pub(crate) fn lookup_or_create(conn: &Connection, names: &[PropName]) -> Result<Vec<Option<u16>>> {
    let one = |name| match id_of(conn, name)? {
        Some(id) => Ok(Some(id)),
        None => create(conn, name).map(Some),
    };
    names.iter().map(one).collect()
}

/// The names that these ids stand for.
pub(crate) fn names(conn: &Connection, ids: &[u16]) -> Result<Vec<Option<PropName>>> {
    let one = |id: &u16| match fixed_name(*id) {
        Some(name) => Ok(Some(name)),
        None => given_name(conn, *id),
    };
    ids.iter().map(one).collect()
}

fn given_name(conn: &Connection, id: u16) -> Result<Option<PropName>> {
    let found = conn
        .prepare_cached("SELECT property_set, lid, name FROM named WHERE id = ?1")?
        .query_row([id], |row| {
            let (set, lid, name): (Vec<u8>, Option<u32>, Option<String>) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((set, lid, name))
        });
    let Some((set, lid, name)) = found.optional()? else {
        return Ok(None);
    };
    let set = set
        .try_into()
        .map_err(|_| Fail::corrupt("a property set has a wrong length"))?;
    let id = match (lid, name) {
        (Some(lid), _) => PropNameId::Lid(lid),
        (None, Some(name)) => PropNameId::Name(name),
        (None, None) => return Err(Fail::corrupt("a named property has no name")),
    };
    Ok(Some(PropName { set, id }))
}

fn id_of(conn: &Connection, name: &PropName) -> Result<Option<u16>> {
    if let Some(id) = fixed_id(name) {
        return Ok(Some(id));
    }
    let found = match &name.id {
        PropNameId::Lid(lid) => conn
            .prepare_cached("SELECT id FROM named WHERE property_set = ?1 AND lid = ?2")?
            .query_row(params![&name.set[..], lid], |row| row.get(0)),
        PropNameId::Name(text) => conn
            .prepare_cached("SELECT id FROM named WHERE property_set = ?1 AND name = ?2")?
            .query_row(params![&name.set[..], text], |row| row.get(0)),
    };
    Ok(found.optional()?)
}

fn create(conn: &Connection, name: &PropName) -> Result<u16> {
    let id: i64 = conn.query_row("SELECT next_named FROM mailbox", [], |row| row.get(0))?;
    let id = u16::try_from(id)
        .ok()
        .filter(|id| *id < NAMED_ID_LAST)
        .ok_or_else(|| Fail::new(ErrorKind::Quota, "the named property ids are used up"))?;
    conn.execute("UPDATE mailbox SET next_named = ?1", [id + 1])?;
    let (lid, text) = match &name.id {
        PropNameId::Lid(lid) => (Some(lid), None),
        PropNameId::Name(text) => (None, Some(text)),
    };
    conn.execute(
        "INSERT INTO named VALUES (?1, ?2, ?3, ?4)",
        params![id, &name.set[..], lid, text],
    )?;
    Ok(id)
}
