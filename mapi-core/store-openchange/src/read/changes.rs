//! A folder's change log.

use mapi_store::{Changes, Delta, Rights};
use mapi_types::{FolderId, ItemNumber, PropTag, RowSetBuilder, Version};
use rusqlite::{Connection, params};

use super::{
    Snapshot,
    columns::{Columns, ItemView},
};
use crate::{access::Access, fail::Result, mirror::is_unindexed};

pub(crate) fn changes(
    at: &Snapshot<'_>,
    who: &Access,
    (folder, since): (FolderId, Version),
    columns: &[PropTag],
    limit: u32,
) -> Result<Changes> {
    let (folder, _) = who.allowed(at.conn, folder, Rights::READ_ANY)?;
    if is_unindexed(at.conn, folder)? {
        return Ok(Changes::Delta(Delta {
            to: since,
            rows: RowSetBuilder::new(columns).build(),
            removed: Vec::new(),
            more: false,
        }));
    }
    let mut select = at
        .conn
        .prepare_cached("SELECT version, forgotten FROM folders WHERE id = ?1")?;
    let (end, forgotten): (i64, i64) =
        select.query_row([folder], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (end, forgotten) = (Version(end as u64), Version(forgotten as u64));
    let lost = since > Version(0) && since < forgotten;
    if since > end || lost {
        return Ok(Changes::Expired);
    }
    let to = page_end(at.conn, folder, (since, end), limit)?;
    let delta = Delta {
        to,
        rows: changed(at, folder, (since, to), columns)?,
        removed: removed(at.conn, folder, since, to)?,
        more: to < end,
    };
    Ok(Changes::Delta(delta))
}

fn changed(
    at: &Snapshot<'_>,
    folder: i64,
    (since, to): (Version, Version),
    tags: &[PropTag],
) -> Result<mapi_types::RowSet> {
    let mut columns = Columns::new();
    columns.add(tags.iter().copied());
    let mut builder = RowSetBuilder::new(tags);
    if since < to {
        let sql = columns.sql(
            "WHERE i.folder = ?1 AND i.version > ?2 AND i.version <= ?3 AND i.state = 0 ORDER BY i.version, i.id",
        );
        let mut select = at.conn.prepare_cached(&sql)?;
        let mut rows = select.query(params![folder, since.0 as i64, to.0 as i64])?;
        while let Some(row) = rows.next()? {
            ItemView::new(row, &columns).push(&mut builder, tags)?;
        }
    }
    Ok(builder.build())
}

/// Numbers that are gone; who never saw one need not hear of it.
fn removed(conn: &Connection, folder: i64, since: Version, to: Version) -> Result<Vec<ItemNumber>> {
    let mut select = conn.prepare_cached(
        "SELECT number FROM expunged WHERE folder = ?1 AND version > ?2 AND version <= ?3 AND created <= ?2",
    )?;
    let rows = select.query_map(params![folder, since.0 as i64, to.0 as i64], |row| {
        row.get(0)
    })?;
    let mut numbers = rows
        .map(|number| number.map(ItemNumber))
        .collect::<rusqlite::Result<Vec<_>>>()?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// The version after which a page of about `limit` changes ends: what belongs to one version stays together.
fn page_end(
    conn: &Connection,
    folder: i64,
    (since, end): (Version, Version),
    limit: u32,
) -> Result<Version> {
    let mut select = conn.prepare_cached(
        "SELECT version FROM (
             SELECT * FROM (SELECT version FROM items
                 WHERE folder = ?1 AND version > ?2 AND state = 0 ORDER BY version LIMIT ?3)
             UNION ALL
             SELECT * FROM (SELECT version FROM expunged
                 WHERE folder = ?1 AND version > ?2 AND created <= ?2 ORDER BY version LIMIT ?3)
         ) ORDER BY version LIMIT 1 OFFSET ?4",
    )?;
    let limit = i64::from(limit.max(1));
    let mut rows = select.query(params![folder, since.0 as i64, limit + 1, limit - 1])?;
    let Some(row) = rows.next()? else {
        return Ok(end);
    };
    let last: i64 = row.get(0)?;
    // Whether more changes follow; later versions that only touched associated items do not count.
    let mut more = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM items WHERE folder = ?1 AND version > ?2 AND state = 0)
             OR EXISTS (SELECT 1 FROM expunged WHERE folder = ?1 AND version > ?2 AND created <= ?3)",
    )?;
    let more: bool = more.query_row(params![folder, last, since.0 as i64], |row| row.get(0))?;
    Ok(if more { Version(last as u64) } else { end })
}
