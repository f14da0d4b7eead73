//! A folder's row while a transaction changes its items: numbers, versions and counts.

use mapi_store::{ErrorKind, Notice};
use mapi_types::{FolderId, Version};
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use crate::{
    access::no_folder,
    fail::{Fail, Result},
    hot::Hot,
};

/// See the module. Nothing is written before [`Self::store`].
pub(crate) struct FolderRow {
    pub(crate) id: i64,
    next_number: u32,
    pub(crate) version: u64,
    forgotten: u64,
    items: i64,
    unread: i64,
    deleted: i64,
    size: i64,
    expunged: i64,
    bumped: bool,
    touched: bool,
}

impl FolderRow {
    /// Errors: `NotFound`.
    pub(crate) fn load(conn: &Connection, id: i64) -> Result<Self> {
        let mut select = conn.prepare_cached(
            "SELECT next_number, version, forgotten, items, unread, deleted, size, expunged
             FROM folders WHERE id = ?1",
        )?;
        let row = select.query_row([id], |row| {
            let (version, forgotten): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Self {
                id,
                next_number: row.get(0)?,
                version: version as u64,
                forgotten: forgotten as u64,
                items: row.get(3)?,
                unread: row.get(4)?,
                deleted: row.get(5)?,
                size: row.get(6)?,
                expunged: row.get(7)?,
                bumped: false,
                touched: false,
            })
        });
        row.optional()?.ok_or_else(no_folder)
    }

    /// The version of this transaction's changes, the same on every call.
    pub(crate) fn bump(&mut self) -> u64 {
        if !std::mem::replace(&mut self.bumped, true) {
            self.version += 1;
            self.touched = true;
        }
        self.version
    }

    /// Whether the log knows of no number that is gone.
    pub(crate) fn is_unworn(&self) -> bool {
        self.expunged == 0 && self.forgotten == 0
    }

    /// What is in the folder is shown from now on: its log begins here. Returns how many normal items that are.
    pub(crate) fn show(&mut self) -> u32 {
        if self.items > 0 || self.expunged > 0 {
            self.forgotten = self.bump();
        }
        u32::try_from(self.items).unwrap_or(0)
    }

    /// Gives out a number that the caller knows to be free; the next ones are above it.
    pub(crate) fn use_number(&mut self, number: u32) {
        self.next_number = self.next_number.max(number.saturating_add(1));
        self.touched = true;
    }

    /// The next number. Errors: `Quota` when the numbers are used up.
    pub(crate) fn take_number(&mut self) -> Result<u32> {
        let number = self.next_number;
        self.next_number = number
            .checked_add(1)
            .ok_or_else(|| Fail::new(ErrorKind::Quota, "the folder's numbers are used up"))?;
        self.touched = true;
        Ok(number)
    }

    /// Counts a normal item in.
    pub(crate) fn count_in(&mut self, hot: &Hot, size: u64) {
        self.count(hot, size, 1);
    }

    /// Counts a normal item out.
    pub(crate) fn count_out(&mut self, hot: &Hot, size: u64) {
        self.count(hot, size, -1);
    }

    fn count(&mut self, hot: &Hot, size: u64, sign: i64) {
        self.items += sign;
        self.unread += sign * i64::from(!hot.is_read());
        self.deleted += sign * i64::from(hot.is_marked_deleted());
        self.size += sign * size as i64;
        self.touched = true;
    }

    /// Logs that a normal item's number is gone, at this transaction's version.
    pub(crate) fn log_expunged(
        &mut self,
        conn: &Connection,
        number: u32,
        created: u64,
    ) -> Result<()> {
        let version = self.bump();
        let mut insert = conn.prepare_cached("INSERT INTO expunged VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![self.id, version as i64, number, created as i64])?;
        self.expunged += 1;
        Ok(())
    }

    /// Writes the row when something changed, and tells when clients see it.
    pub(crate) fn store(mut self, tx: &mut Tx<'_>) -> Result<()> {
        if !self.touched {
            return Ok(());
        }
        self.trim_log(tx)?;
        let mut update = tx.conn.prepare_cached(
            "UPDATE folders SET next_number = ?2, version = ?3, forgotten = ?4, items = ?5, unread = ?6,
                 deleted = ?7, size = ?8, expunged = ?9 WHERE id = ?1",
        )?;
        update.execute(params![
            self.id,
            self.next_number,
            self.version as i64,
            self.forgotten as i64,
            self.items,
            self.unread,
            self.deleted,
            self.size,
            self.expunged
        ])?;
        if self.bumped {
            tx.notify(Notice::Folder(
                FolderId(self.id as u64),
                Version(self.version),
            ));
        }
        Ok(())
    }

    /// Forgets the oldest expunged items once there are twice as many as are kept, so that it is done rarely.
    fn trim_log(&mut self, tx: &Tx<'_>) -> Result<()> {
        let kept = i64::from(tx.mailbox.shared.options.removed_kept);
        if self.expunged <= kept.saturating_mul(2) {
            return Ok(());
        }
        let last: Option<i64> = tx
            .conn
            .query_row(
                "SELECT version FROM expunged WHERE folder = ?1 ORDER BY version LIMIT 1 OFFSET ?2",
                [self.id, self.expunged - kept - 1],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(last) = last {
            let gone = tx.conn.execute(
                "DELETE FROM expunged WHERE folder = ?1 AND version <= ?2",
                [self.id, last],
            )?;
            self.expunged -= gone as i64;
            // A mirror's log may begin later: after its first pass.
            self.forgotten = self.forgotten.max(last as u64);
        }
        Ok(())
    }
}
