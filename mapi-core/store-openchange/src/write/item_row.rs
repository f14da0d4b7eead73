//! An item's row in the table `items`, and moving all rows of an item at once.

use mapi_types::ItemKey;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    fail::Result,
    hot::{HOT_COLUMNS, Hot},
    ids::number_of,
};

/// Values of the column `state`.
pub(crate) mod state {
    pub(crate) const NORMAL: i64 = 0;
    pub(crate) const ASSOCIATED: i64 = 1;
    pub(crate) const SOFT_DELETED: i64 = 2;
    /// On its way to the remote; in no folder yet.
    pub(crate) const PENDING: i64 = 3;
}

/// What writes need to know of an item.
pub(crate) struct ItemRow {
    pub(crate) id: i64,
    pub(crate) state: i64,
    pub(crate) version: u64,
    pub(crate) created: u64,
    /// Octets that clients fetch, and that the folder counts; 0 while they are not known.
    pub(crate) size: u64,
    /// Whether the size is known; the column then has it, else a guess.
    pub(crate) sized: bool,
    /// What the column says: the size or a guess.
    pub(crate) guess: u64,
    pub(crate) key: ItemKey,
    pub(crate) creator: Option<String>,
    pub(crate) hot: Hot,
}

impl ItemRow {
    /// The item with this row id, unless it was deleted.
    pub(crate) fn load(conn: &Connection, id: i64) -> Result<Option<Self>> {
        Self::load_where(conn, id, "state < 2")
    }

    /// The softly deleted item with this row id.
    pub(crate) fn load_deleted(conn: &Connection, id: i64) -> Result<Option<Self>> {
        Self::load_where(conn, id, "state = 2")
    }

    fn load_where(conn: &Connection, id: i64, condition: &'static str) -> Result<Option<Self>> {
        let mut select = conn.prepare_cached(&format!(
            "SELECT id, state, version, created, size, sized, key, creator, {HOT_COLUMNS}
             FROM items WHERE id = ?1 AND {condition}"
        ))?;
        Ok(select.query_row([id], Self::read).optional()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (version, created, guess): (i64, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let sized: bool = row.get(5)?;
        let key: Vec<u8> = row.get(6)?;
        Ok(Self {
            id: row.get(0)?,
            state: row.get(1)?,
            version: version as u64,
            created: created as u64,
            size: if sized { guess as u64 } else { 0 },
            sized,
            guess: guess as u64,
            key: ItemKey(key.into()),
            creator: row.get(7)?,
            hot: Hot::read(row, 8)?,
        })
    }

    pub(crate) fn number(&self) -> u32 {
        number_of(self.id)
    }

    pub(crate) fn is_normal(&self) -> bool {
        self.state == state::NORMAL
    }

    /// Writes hot values and version; the rest stays.
    pub(crate) fn store_hot(&self, conn: &Connection) -> Result<()> {
        let mut update = conn.prepare_cached(
            "UPDATE items SET version = ?2, flags = ?3, status = ?4, flag_status = ?5, last_verb = ?6,
                 keywords = ?7, delivered = ?8, class = ?9 WHERE id = ?1",
        )?;
        let hot = &self.hot;
        update.execute(params![
            self.id,
            self.version as i64,
            hot.flags,
            hot.status,
            hot.flag_status,
            hot.last_verb,
            hot.keywords,
            hot.delivered.map(|time| time.0 as i64),
            hot.class,
        ])?;
        Ok(())
    }
}

/// Removes every row of an item.
pub(crate) fn remove(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM items WHERE id = ?1")?
        .execute([id])?;
    conn.prepare_cached("DELETE FROM facts WHERE id = ?1")?
        .execute([id])?;
    conn.prepare_cached("DELETE FROM contents WHERE id = ?1")?
        .execute([id])?;
    conn.prepare_cached("DELETE FROM attached WHERE item = ?1")?
        .execute([id])?;
    forget_remote(conn, id)
}

/// The item is no longer one of the remote.
pub(crate) fn forget_remote(conn: &Connection, id: i64) -> Result<()> {
    conn.prepare_cached("DELETE FROM remote_items WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

/// Gives every row of an item another id; `version` becomes the one that brought the number.
pub(crate) fn renumber(conn: &Connection, old: i64, new: i64, version: u64) -> Result<()> {
    conn.prepare_cached(
        "UPDATE items SET id = ?2, folder = ?2 >> 32, version = ?3, created = ?3 WHERE id = ?1",
    )?
    .execute(params![old, new, version as i64])?;
    conn.prepare_cached("UPDATE facts SET id = ?2 WHERE id = ?1")?
        .execute([old, new])?;
    conn.prepare_cached("UPDATE contents SET id = ?2 WHERE id = ?1")?
        .execute([old, new])?;
    conn.prepare_cached("UPDATE attached SET item = ?2 WHERE item = ?1")?
        .execute([old, new])?;
    conn.prepare_cached("UPDATE remote_items SET id = ?2, folder = ?2 >> 32 WHERE id = ?1")?
        .execute([old, new])?;
    Ok(())
}

/// The row id of the item with this key.
pub(crate) fn with_key(conn: &Connection, folder: i64, key: &[u8]) -> Result<Option<(i64, u64)>> {
    let mut select = conn.prepare_cached(
        "SELECT id, version FROM items WHERE folder = ?1 AND key = ?2 AND state < 2",
    )?;
    let found = select.query_row(params![folder, key], |row| {
        let version: i64 = row.get(1)?;
        Ok((row.get(0)?, version as u64))
    });
    Ok(found.optional()?)
}
