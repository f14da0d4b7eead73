//! Folders that were deleted while items of them can be recovered.

use mapi_store::DeletedFolder;
use mapi_types::{FileTime, FolderId};
use rusqlite::{Connection, Row};

use crate::{
    access::{Access, denied},
    fail::Result,
};

pub(crate) fn deleted_folders(conn: &Connection, who: &Access) -> Result<Vec<DeletedFolder>> {
    if !who.owner {
        return Err(denied());
    }
    let mut select = conn.prepare_cached(
        "SELECT f.id, f.parent, f.name, f.class, f.removed, count(i.id), ifnull(sum(iif(i.sized, i.size, 0)), 0)
         FROM deleted_folders f LEFT JOIN items i ON i.id BETWEEN f.id << 32 AND f.id << 32 | 0xffffffff
         GROUP BY f.id ORDER BY f.id",
    )?;
    let folders = select.query_map([], read)?;
    Ok(folders.collect::<rusqlite::Result<_>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeletedFolder> {
    let folder = |at: usize| {
        let id: Option<i64> = row.get(at)?;
        Ok::<_, rusqlite::Error>(id.map(|id| FolderId(id as u64)))
    };
    let (removed, size): (i64, i64) = (row.get(4)?, row.get(6)?);
    Ok(DeletedFolder {
        id: folder(0)?.unwrap_or(FolderId(0)),
        parent: folder(1)?,
        name: row.get(2)?,
        class: row.get(3)?,
        deleted: FileTime(removed as u64),
        items: row.get(5)?,
        size: size as u64,
    })
}
