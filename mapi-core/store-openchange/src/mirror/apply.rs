//! Applying what a synchronization of a folder's contents brought.

use std::collections::HashSet;

use mapi_store::ErrorKind;
use mapi_types::{FolderId, Version, tags::message_flags};
use rusqlite::Connection;

use super::{
    Applied, FirstPass, ItemBatch, RemoteId, RemoteItem,
    arrival::{self, Arrived},
    index_row::IndexRow,
    insertion::{Insertion, NewItem},
    known::Known,
    left::Left,
    pending,
    remote_folder::{self, RemoteFolderRow},
    remote_row::{RemoteRow, check_id, check_key},
    staged,
};
use crate::{
    fail::{Fail, Result},
    hot::Hot,
    ids::{number_of, row_id},
    write::{
        FolderRow, Tx,
        item_row::{self, ItemRow, state},
    },
};

pub(super) fn apply(tx: &mut Tx<'_>, folder: FolderId, batch: &ItemBatch) -> Result<Applied> {
    let remote = RemoteFolderRow::load(tx.conn, folder)?;
    if batch.pass.is_some_and(|pass| pass != remote.pass) {
        let why = "another pass over the folder was begun meanwhile";
        return Err(Fail::new(ErrorKind::Conflict, why));
    }
    let mut apply = Apply {
        conn: tx.conn,
        left: &tx.mailbox.left,
        row: FolderRow::load(tx.conn, remote.id)?,
        pending: pending::any(tx.conn, remote.id)?,
        hinted: !remote.indexed && !staged::any(tx.conn, remote.id)?,
        gap: (0, staged::lowest(tx.conn, remote.id)?),
        insertion: Insertion::new(tx.conn)?,
        remote,
        applied: Applied::default(),
    };
    apply.changed(&batch.changed)?;
    for id in &batch.removed {
        apply.removed(id)?;
    }
    for (id, read) in &batch.read {
        apply.read(id, *read)?;
    }
    if batch.first_pass == Some(FirstPass::Complete) && apply.remote.passing {
        apply.complete_pass()?;
    }
    if let Some(state) = &batch.state {
        remote_folder::set_state(apply.conn, apply.remote.id, state)?;
    }
    let Apply {
        row, mut applied, ..
    } = apply;
    applied.version = Version(row.version);
    row.store(tx)?;
    Ok(applied)
}

/// What orders items by their arrival at the remote.
fn arrival_of<'i>((item, index): &'i (&RemoteItem, IndexRow)) -> impl Ord + 'i {
    let hint = item.number_hint;
    (hint.is_none(), hint, index.delivered(), &item.id)
}

/// A folder while a batch is applied to it.
struct Apply<'c> {
    conn: &'c Connection,
    left: &'c Left,
    row: FolderRow,
    remote: RemoteFolderRow,
    /// Whether drafts are on their way to the folder.
    pending: bool,
    /// Whether every item so far has the number that the remote gives it, in a folder that shows none yet.
    hinted: bool,
    /// Between these two, no item of the folder has a number.
    gap: (u32, u32),
    insertion: Insertion<'c>,
    applied: Applied,
}

impl Apply<'_> {
    fn changed(&mut self, items: &[RemoteItem]) -> Result<()> {
        let mut new = Vec::new();
        let (mut ids, mut distinct) = (HashSet::with_capacity(items.len()), true);
        for item in items {
            check_id(&item.id)?;
            check_key(&item.change_key)?;
            let index = IndexRow::new(&item.props)?;
            match RemoteRow::find(self.conn, self.remote.id, &item.id)? {
                Some(remote) => self.known(item, remote, &index)?,
                None => {
                    distinct &= ids.insert(&item.id);
                    new.push((item, index));
                }
            }
        }
        // In the order in which they arrived at the remote; the last word on an id counts.
        new.sort_by(|one, other| arrival_of(one).cmp(&arrival_of(other)));
        for (item, index) in &new {
            let known = match distinct {
                true => None,
                false => RemoteRow::find(self.conn, self.remote.id, &item.id)?,
            };
            match known {
                Some(remote) => self.known(item, remote, index)?,
                None => self.unknown(item, index)?,
            }
        }
        Ok(())
    }

    fn known(&mut self, item: &RemoteItem, mut remote: RemoteRow, index: &IndexRow) -> Result<()> {
        if self.pending && self.arrived(item, index)? {
            return Ok(());
        }
        if self.remote.passing && remote.pass != self.remote.pass {
            remote.pass = self.remote.pass;
            self.conn
                .prepare_cached("UPDATE remote_items SET pass = ?2 WHERE id = ?1")?
                .execute([remote.id, remote.pass])?;
        }
        let row = ItemRow::load(self.conn, remote.id)?
            .ok_or_else(|| Fail::corrupt("an item of the remote has no row"))?;
        let known = Known {
            item: row,
            remote,
            new: index,
            change_key: &item.change_key.0,
        };
        let outcome = known.apply(self.conn, &mut self.row)?;
        self.applied.changed += u32::from(outcome.changed);
        self.applied.stale += u32::from(outcome.stale);
        Ok(())
    }

    fn unknown(&mut self, item: &RemoteItem, index: &IndexRow) -> Result<()> {
        if self.pending && self.arrived(item, index)? {
            return Ok(());
        }
        if self.remote.passing && self.left.has(self.remote.id, &item.id.0) {
            return Ok(());
        }
        let number = match self.remote.passing {
            true => self.hint(item)?,
            false => None,
        };
        if self.remote.passing {
            self.applied.staged += 1;
            if number.is_none() {
                return staged::put(self.conn, self.remote.id, item, index);
            }
        } else {
            self.applied.added += 1;
        }
        let new = NewItem {
            id: &item.id,
            change_key: &item.change_key.0,
            index,
            number,
            pass: self.remote.pass,
        };
        self.insertion.insert(&mut self.row, &new).map(drop)
    }

    /// The number that the remote gives an item, if it can have it, as all before it could. The first one that cannot
    /// has all of them put aside.
    fn hint(&mut self, item: &RemoteItem) -> Result<Option<u32>> {
        if !self.hinted {
            return Ok(None);
        }
        if let Some(hint) = item.number_hint {
            let (after, before) = self.gap;
            let free = self.row.is_unworn() && (after + 1..before).contains(&hint);
            if free || staged::is_free(self.conn, self.remote.id, hint)? {
                // They come in ascending order.
                self.gap.0 = after.max(hint);
                return Ok(Some(hint));
            }
        }
        self.hinted = false;
        staged::put_back(self.conn, &mut self.row, &self.remote)?;
        Ok(None)
    }

    /// Whether the item is a draft of ours, whose answer was lost; it becomes an item then.
    fn arrived(&mut self, item: &RemoteItem, index: &IndexRow) -> Result<bool> {
        let arrived = Arrived {
            id: &item.id,
            change_key: &item.change_key.0,
            index,
            number_hint: item.number_hint,
        };
        let saved = arrival::adopt(self.conn, &mut self.row, &self.remote, &arrived)?;
        self.applied.added += u32::from(saved.is_some());
        Ok(saved.is_some())
    }

    fn removed(&mut self, id: &RemoteId) -> Result<()> {
        staged::remove(self.conn, self.remote.id, id)?;
        if let Some(remote) = RemoteRow::find(self.conn, self.remote.id, id)? {
            self.expunge(remote.id)?;
        }
        Ok(())
    }

    fn expunge(&mut self, id: i64) -> Result<()> {
        if let Some(item) = ItemRow::load(self.conn, id)? {
            remove_item(self.conn, &mut self.row, &item)?;
            self.applied.removed += 1;
        }
        Ok(())
    }

    fn read(&mut self, id: &RemoteId, read: bool) -> Result<()> {
        let Some(remote) = RemoteRow::find(self.conn, self.remote.id, id)? else {
            return staged::set_read(self.conn, self.remote.id, id, read);
        };
        let Some(mut item) = ItemRow::load(self.conn, remote.id)? else {
            return Ok(());
        };
        if item.hot.is_read() == read {
            return Ok(());
        }
        let mut hot: Hot = item.hot.clone();
        hot.flags = Some(hot.flags.unwrap_or(0) ^ message_flags::READ);
        if item.is_normal() {
            self.row.count_out(&item.hot, item.size);
            self.row.count_in(&hot, item.size);
        }
        item.version = self.row.bump();
        item.hot = hot;
        item.store_hot(self.conn)?;
        self.applied.changed += 1;
        Ok(())
    }

    /// What the pass did not bring goes, what it put aside gets its numbers.
    fn complete_pass(&mut self) -> Result<()> {
        let (first, last) = (row_id(self.remote.id, 0), row_id(self.remote.id, u32::MAX));
        let unseen: Vec<i64> = self
            .conn
            .prepare_cached(
                // The remote has heard nothing yet of what waits.
                "SELECT id FROM remote_items WHERE id BETWEEN ?1 AND ?2 AND pass <> ?3
                     AND remote NOT IN (SELECT becomes FROM remote_queue_items WHERE becomes IS NOT NULL)",
            )?
            .query_map([first, last, self.remote.pass], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in unseen {
            self.expunge(id)?;
        }
        self.left.forget(self.remote.id);
        if !self.remote.indexed {
            // Whoever looked before saw none of them, whatever their versions.
            self.applied.added += self.row.show();
        }
        self.applied.added += staged::number(self.conn, &mut self.row, &self.remote)?;
        self.remote.complete_pass(self.conn)
    }
}

pub(super) fn table_of(hot: &Hot) -> i64 {
    if hot.is_associated() {
        state::ASSOCIATED
    } else {
        state::NORMAL
    }
}

/// Removes an item for good and says so in the folder's log.
pub(super) fn remove_item(conn: &Connection, row: &mut FolderRow, item: &ItemRow) -> Result<()> {
    row.bump();
    if item.is_normal() {
        row.count_out(&item.hot, item.size);
        row.log_expunged(conn, number_of(item.id), item.created)?;
    }
    item_row::remove(conn, item.id)
}
