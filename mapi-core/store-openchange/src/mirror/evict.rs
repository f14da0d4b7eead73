//! The bound on bodies that can be fetched again.

use rusqlite::{Connection, params};

use super::{
    Evicted,
    index_row::without_externals,
    known::{cold_of, put_cold},
    remote_row::body,
};
use crate::{fail::Result, write::Tx};

/// Items evicted by one transaction.
const ITEMS_MAX: u32 = 1000;

/// Evicts some bodies; says whether there is more to do.
pub(super) fn evict(tx: &mut Tx<'_>, bytes_max: u64) -> Result<(Evicted, bool)> {
    note_uses(tx)?;
    let conn = tx.conn;
    let mut total = rendered_bytes(conn)?;
    let mut evicted = Evicted::default();
    if total <= bytes_max {
        return Ok((evicted, false));
    }
    let oldest: Vec<(i64, i64)> = conn
        .prepare_cached(
            "SELECT id, bytes FROM remote_items WHERE body = 3 ORDER BY used, id LIMIT ?1",
        )?
        .query_map([ITEMS_MAX], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (id, bytes) in &oldest {
        if total <= bytes_max {
            break;
        }
        evict_one(conn, *id)?;
        let bytes = *bytes as u64;
        total = total.saturating_sub(bytes);
        evicted.items += 1;
        evicted.bytes += bytes;
    }
    Ok((evicted, total > bytes_max && !oldest.is_empty()))
}

/// Writes down which bodies were read since the last time.
fn note_uses(tx: &mut Tx<'_>) -> Result<()> {
    let mut select = tx
        .conn
        .prepare_cached("SELECT ifnull(max(used), 0) FROM remote_items WHERE body = 3")?;
    let last: i64 = select.query_row([], |row| row.get(0))?;
    let mut update = tx
        .conn
        .prepare_cached("UPDATE remote_items SET used = ?2 WHERE id = ?1 AND body = 3")?;
    for (used, id) in (last + 1..).zip(tx.mailbox.uses.take()) {
        update.execute([id, used])?;
    }
    Ok(())
}

fn rendered_bytes(conn: &Connection) -> Result<u64> {
    let mut select =
        conn.prepare_cached("SELECT ifnull(sum(bytes), 0) FROM remote_items WHERE body = 3")?;
    let bytes: i64 = select.query_row([], |row| row.get(0))?;
    Ok(bytes as u64)
}

/// Drops the body of an item. Size, facts and properties stay, as far as they lie in the row.
pub(crate) fn evict_one(conn: &Connection, id: i64) -> Result<()> {
    let gone = conn
        .prepare_cached("DELETE FROM attached WHERE item = ?1")?
        .execute([id])?;
    if gone > 0 {
        put_cold(conn, id, &without_externals(&cold_of(conn, id)?)?)?;
    }
    conn.prepare_cached("UPDATE contents SET hash = NULL, body = NULL, parts = x'' WHERE id = ?1")?
        .execute([id])?;
    conn.prepare_cached("UPDATE remote_items SET body = ?2, bytes = 0 WHERE id = ?1")?
        .execute(params![id, body::EVICTED])?;
    Ok(())
}
