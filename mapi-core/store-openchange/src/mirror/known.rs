//! What the index says of an item that is known: which of it is taken, and what clients must be told.

use mapi_types::{changes_content, tags};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    index_row::{self, Differs, IndexRow, cold_differs, cold_with, hot_differs, hot_with},
    remote_row::{RemoteRow, body},
};
use crate::{
    codec::{Externals, encode_stored},
    fail::{Fail, Result},
    hot::{HOT_TAGS, Hot},
    write::{FolderRow, item_row::ItemRow},
};

/// What applying the index's row did to a known item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Clients see a difference: the item has a new version.
    pub(super) changed: bool,
    /// Its content must be verified, and had not to be before.
    pub(super) stale: bool,
}

/// An item as it is stored, and what the index says of it now.
pub(super) struct Known<'k> {
    pub(super) item: ItemRow,
    pub(super) remote: RemoteRow,
    pub(super) new: &'k IndexRow,
    pub(super) change_key: &'k [u8],
}

/// What of an item becomes what.
struct Next {
    hot: Hot,
    /// `None`: stays.
    cold: Option<Vec<u8>>,
    /// Properties to be served once the content is.
    fresh: Option<Vec<u8>>,
    /// Clients see a difference.
    visible: bool,
}

impl Known<'_> {
    pub(super) fn apply(mut self, conn: &Connection, row: &mut FolderRow) -> Result<Outcome> {
        let was_stale = self.remote.is_stale();
        let old_cold = cold_of(conn, self.item.id)?;
        let mut next = if self.remote.served_key.is_some() {
            self.served(&old_cold)?
        } else {
            self.unseen(&old_cold)?
        };
        next.hot.set_associated(!self.item.is_normal());
        if let Some(cold) = &next.cold {
            put_cold(conn, self.item.id, cold)?;
        }
        self.store_item(conn, row, next.hot, next.visible)?;
        self.store_remote(conn, next.fresh)?;
        Ok(Outcome {
            changed: next.visible,
            stale: self.remote.is_stale() && !was_stale,
        })
    }

    /// Nobody was served its bytes: the index is all there is. A change key that stayed says that the content did;
    /// then what differs is only new to us.
    fn unseen(&self, old_cold: &[u8]) -> Result<Next> {
        let same_key = self.remote.change_key == self.change_key;
        let hot = hot_with(&self.item.hot, &self.new.hot, |_| true)?;
        let class = self.item.hot.class();
        let differs = hot_differs(&self.item.hot, &hot).or(cold_differs(
            class,
            old_cold,
            &self.new.cold,
            false,
        )?);
        // We may know more of the same content than the index does: what we saved or changed ourselves.
        let cold = match same_key && self.remote.body != body::DROPPED {
            true => cold_with(
                old_cold,
                &self.new.cold,
                |_| true,
                |tag| changes_content(class, tag),
            )?,
            false => self.new.cold.clone(),
        };
        Ok(Next {
            hot,
            cold: (*old_cold != cold).then_some(cold),
            fresh: None,
            visible: differs.flags || differs.content && !same_key,
        })
    }

    /// Its bytes stand for its number: flags are taken, content waits until it is verified.
    fn served(&self, old_cold: &[u8]) -> Result<Next> {
        let class = self.item.hot.class();
        let is_flag = |tag| !changes_content(class, tag);
        let hot = hot_with(&self.item.hot, &self.new.hot, is_flag)?;
        // What was rendered has more properties than the index.
        let differs = cold_differs(class, old_cold, &self.new.cold, true)?;
        let same = self.remote.served_key.as_deref() == Some(self.change_key);
        let dropped = self.remote.body == body::DROPPED;
        let keep = |tag| changes_content(class, tag);
        let cold = if dropped {
            Some(self.new.cold.clone())
        } else if same && differs != Differs::default() {
            Some(cold_with(old_cold, &self.new.cold, |_| true, keep)?)
        } else if differs.flags {
            Some(cold_with(old_cold, &self.new.cold, is_flag, keep)?)
        } else {
            None
        };
        let other = differs.content || hot_differs(&self.item.hot, &self.new.hot).content;
        let fresh = if !same && (other || dropped) {
            Some(fresh_bag(self.new)?)
        } else {
            None
        };
        Ok(Next {
            visible: differs.flags || hot_differs(&self.item.hot, &hot).flags,
            hot,
            cold,
            fresh,
        })
    }

    fn store_item(
        &mut self,
        conn: &Connection,
        row: &mut FolderRow,
        hot: Hot,
        visible: bool,
    ) -> Result<()> {
        let item = &mut self.item;
        // Until it is rendered the item has no size but the remote's guess.
        let guess = if item.sized {
            item.guess
        } else {
            self.new.size
        };
        if !visible && hot == item.hot && guess == item.guess {
            return Ok(());
        }
        if item.is_normal() {
            row.count_out(&item.hot, item.size);
            row.count_in(&hot, item.size);
        }
        if guess != item.guess {
            conn.prepare_cached("UPDATE items SET size = ?2 WHERE id = ?1")?
                .execute(params![item.id, guess as i64])?;
        }
        if visible {
            item.version = row.bump();
        }
        item.hot = hot;
        item.store_hot(conn)
    }

    fn store_remote(&mut self, conn: &Connection, fresh: Option<Vec<u8>>) -> Result<()> {
        let remote = &mut self.remote;
        let known = remote.change_key == self.change_key
            && remote.body != body::DROPPED
            && remote.fresh == fresh;
        if known {
            return Ok(());
        }
        remote.change_key = self.change_key.to_vec();
        remote.fresh = fresh;
        remote.body = remote.body.max(body::INDEX);
        remote.store(conn)
    }
}

/// All of an index row in one bag.
fn fresh_bag(new: &IndexRow) -> Result<Vec<u8>> {
    let mut props = index_row::stored(&new.cold)?;
    for tag in HOT_TAGS {
        props.extend(
            new.hot
                .value(tag)
                .map(|value| (tag, crate::codec::Stored::Value(value))),
        );
    }
    props.sort_by_key(|(tag, _)| *tag);
    let mut blob = Vec::with_capacity(new.cold.len() + 64);
    encode_stored(props.into_iter(), &mut Externals::default(), &mut blob)?;
    Ok(blob)
}

/// The columns of a bag that [`fresh_bag`] made, as far as they are content.
pub(super) fn fresh_hot(old: &Hot, fresh: &[u8]) -> Result<Hot> {
    let mut new = old.clone();
    for tag in HOT_TAGS {
        if changes_content(old.class(), tag) && tag != tags::MESSAGE_STATUS.tag() {
            new.set(tag, None)?;
        }
    }
    for (tag, value) in index_row::stored(fresh)? {
        if let crate::codec::Stored::Value(value) = value
            && changes_content(old.class(), tag)
        {
            new.set(tag, Some(value))?;
        }
    }
    Ok(new)
}

/// The properties of an item that have no column.
pub(super) fn cold_of(conn: &Connection, id: i64) -> Result<Vec<u8>> {
    let mut select = conn.prepare_cached("SELECT props FROM contents WHERE id = ?1")?;
    let blob = select.query_row([id], |row| row.get(0)).optional()?;
    blob.ok_or_else(|| Fail::corrupt("an item has no content"))
}

pub(super) fn put_cold(conn: &Connection, id: i64, cold: &[u8]) -> Result<()> {
    conn.prepare_cached("UPDATE contents SET props = ?2 WHERE id = ?1")?
        .execute(params![id, cold])?;
    Ok(())
}
