//! Adding the rows of items that only the index knows: many at a time, so the statements are looked up once.

use mapi_types::ItemNumber;
use rusqlite::{CachedStatement, Connection, params};

use super::{RemoteId, apply::table_of, index_row::IndexRow, remote_row::body};
use crate::{
    fail::Result,
    ids::row_id,
    write::{FolderRow, free_key, item_row::state},
};

/// An item that gets its first number.
pub(super) struct NewItem<'n> {
    pub(super) id: &'n RemoteId,
    pub(super) change_key: &'n [u8],
    pub(super) index: &'n IndexRow,
    pub(super) number: Option<u32>,
    pub(super) pass: i64,
}

/// See the module.
pub(super) struct Insertion<'c> {
    conn: &'c Connection,
    item: CachedStatement<'c>,
    content: CachedStatement<'c>,
    remote: CachedStatement<'c>,
}

impl<'c> Insertion<'c> {
    pub(super) fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            conn,
            // A key that is taken is found out by the index that is written anyway.
            item: conn.prepare_cached(
                "INSERT INTO items(id, folder, state, version, created, size, sized, key,
                     flags, status, flag_status, last_verb, keywords, delivered, class)
                 VALUES (?1, ?1 >> 32, ?2, ?3, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT(folder, key) WHERE state < 2 DO NOTHING",
            )?,
            content: conn.prepare_cached(
                "INSERT INTO contents(id, prefix, header, props, parts) VALUES (?1, x'', x'', ?2, x'')",
            )?,
            remote: conn.prepare_cached(
                "INSERT INTO remote_items(id, folder, remote, change_key, body, bytes, used, pass)
                 VALUES (?1, ?1 >> 32, ?2, ?3, ?4, 0, 0, ?5)",
            )?,
        })
    }

    /// Adds every row of an item. A number that it is to have is free.
    pub(super) fn insert(&mut self, row: &mut FolderRow, new: &NewItem<'_>) -> Result<ItemNumber> {
        let number = match new.number {
            Some(number) => {
                row.use_number(number);
                number
            }
            None => row.take_number()?,
        };
        let (id, version) = (row_id(row.id, number), row.bump());
        let key = &*new.id.0;
        if !self.put_item((id, version), key, new.index)? {
            let free = free_key(self.conn, row.id, key.to_vec())?;
            self.put_item((id, version), &free.0, new.index)?;
        }
        self.content.execute(params![id, new.index.cold])?;
        self.remote
            .execute(params![id, new.id.0, new.change_key, body::INDEX, new.pass])?;
        if table_of(&new.index.hot) == state::NORMAL {
            row.count_in(&new.index.hot, 0);
        }
        Ok(ItemNumber(number))
    }

    /// Whether the key was free.
    fn put_item(
        &mut self,
        (id, version): (i64, u64),
        key: &[u8],
        index: &IndexRow,
    ) -> Result<bool> {
        let hot = &index.hot;
        let put = self.item.execute(params![
            id,
            table_of(hot),
            version as i64,
            index.size as i64,
            key,
            hot.flags,
            hot.status,
            hot.flag_status,
            hot.last_verb,
            hot.keywords,
            hot.delivered.map(|time| time.0 as i64),
            hot.class,
        ])?;
        Ok(put == 1)
    }
}
