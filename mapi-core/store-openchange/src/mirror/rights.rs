//! What somebody may do in each folder, as the remote says it: kept as rows of the permission tables, so that it is
//! enforced where all permissions are.

use mapi_store::{Principal, Rights};
use mapi_types::FolderId;
use rusqlite::{Connection, params};

use super::hierarchy::Touched;
use crate::{
    access::{Access, exists, member},
    fail::Result,
    ids::folder_row_id,
    write::Tx,
};

/// Those of the folders in which the tables say something else. Folders that are gone are left out.
pub(super) fn differing(
    conn: &Connection,
    who: &Access,
    rights: &[(FolderId, Rights)],
) -> Result<Vec<(i64, Rights)>> {
    let mut differing = Vec::new();
    for (folder, rights) in rights {
        let id = folder_row_id(*folder)?;
        if who.rights(conn, id)? != *rights && exists(conn, id)? {
            differing.push((id, *rights));
        }
    }
    Ok(differing)
}

pub(super) fn set(tx: &mut Tx<'_>, who: &Access, rights: &[(FolderId, Rights)]) -> Result<()> {
    let mut touched = Touched::default();
    for (id, rights) in differing(tx.conn, who, rights)? {
        put_row(tx.conn, who, id, rights)?;
        touched.trees.insert(id);
    }
    touched.log(tx, false)
}

fn put_row(conn: &Connection, who: &Access, folder: i64, rights: Rights) -> Result<()> {
    let kind = match who.user.is_empty() {
        true => member::ANONYMOUS,
        false => member::USER,
    };
    let row = params![folder, kind, who.user, rights.0];
    let changed = conn
        .prepare_cached(
            "UPDATE permissions SET rights = ?4 WHERE folder = ?1 AND member = ?2 AND user = ?3",
        )?
        .execute(row)?;
    if changed == 0 {
        conn.prepare_cached(
            "INSERT INTO permissions(folder, position, member, user, rights)
             SELECT ?1, ifnull(max(position), -1) + 1, ?2, ?3, ?4 FROM permissions WHERE folder = ?1",
        )?
        .execute(row)?;
    }
    Ok(())
}

/// The principal as the tables know it.
pub(super) fn guest(principal: &Principal) -> Access {
    Access {
        user: principal.user.to_ascii_lowercase(),
        owner: false,
    }
}
