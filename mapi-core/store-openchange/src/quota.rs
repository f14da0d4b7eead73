//! What a mailbox may hold, and what it holds: the sum of what its folders count, so that nothing more can be wrong.

use mapi_store::{ErrorKind, Quota, QuotaLimit, QuotaLimits, QuotaUsage, Result};
use mapi_types::{FileTime, MailboxId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    OpenChange,
    fail::{self, Fail},
    mirror::is_mirror,
    write::Tx,
};

/// The quota of a mailbox as whoever manages it sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxQuota {
    /// What it may hold and what it holds.
    pub quota: Quota,
    /// Whether its limits are its own, not those for all.
    pub own: bool,
    /// When its owner was last told that it is nearly full; 0: never.
    pub warned: FileTime,
}

impl OpenChange {
    /// The quota of a mailbox. Errors: `NotFound` (no such mailbox, or a mirror), `Unavailable`.
    pub async fn mailbox_quota(&self, mailbox: &MailboxId) -> Result<MailboxQuota> {
        let mailbox = self.engine.mailbox(mailbox).await?;
        let defaults = mailbox.shared.options.quota;
        self.engine
            .read(&mailbox, move |at| {
                if is_mirror(at.conn)? {
                    return Err(Fail::not_found("the mailbox is a mirror"));
                }
                let row = QuotaRow::load(at.conn)?;
                Ok(MailboxQuota {
                    quota: Quota {
                        limits: row.own.unwrap_or(defaults),
                        usage: usage(at.conn)?,
                    },
                    own: row.own.is_some(),
                    warned: row.warned,
                })
            })
            .await
    }

    /// Gives a mailbox limits of its own, or, without, those for all. Errors: `NotFound`, `Unavailable`.
    pub async fn set_quota(&self, mailbox: &MailboxId, limits: Option<QuotaLimits>) -> Result<()> {
        let change = move |row: &mut QuotaRow| row.own = limits;
        self.change_quota(mailbox, change).await
    }

    /// The owner was told that the mailbox is nearly full. Errors: `NotFound`, `Unavailable`.
    pub async fn quota_warned(&self, mailbox: &MailboxId, when: FileTime) -> Result<()> {
        let change = move |row: &mut QuotaRow| row.warned = when;
        self.change_quota(mailbox, change).await
    }

    async fn change_quota(
        &self,
        mailbox: &MailboxId,
        change: impl Fn(&mut QuotaRow) + Send + 'static,
    ) -> Result<()> {
        let mailbox = self.engine.mailbox(mailbox).await?;
        let work = move |tx: &mut Tx<'_>| {
            let mut row = QuotaRow::load(tx.conn)?;
            change(&mut row);
            row.store(tx.conn)
        };
        self.engine.write(&mailbox, Vec::new(), work).await
    }
}

/// Errors: `Quota` when the mailbox holds more than it may: for transactions that added something, at their end.
pub(crate) fn check_room(tx: &Tx<'_>) -> fail::Result<()> {
    let own = QuotaRow::load(tx.conn)?.own;
    let receive = own.unwrap_or(tx.mailbox.shared.options.quota).receive;
    if receive.is_none() || !receive.is_exceeded(&live(tx.conn)?) || is_mirror(tx.conn)? {
        return Ok(());
    }
    Err(Fail::new(ErrorKind::Quota, "the mailbox is full"))
}

fn usage(conn: &Connection) -> fail::Result<QuotaUsage> {
    let mut deleted = conn.prepare_cached(
        "SELECT count(*), ifnull(sum(size), 0) FROM items INDEXED BY items_removed WHERE state = 2",
    )?;
    let (items, bytes): (i64, i64) = deleted.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(QuotaUsage {
        deleted_items: items as u64,
        deleted_bytes: bytes as u64,
        ..live(conn)?
    })
}

/// What counts.
fn live(conn: &Connection) -> fail::Result<QuotaUsage> {
    let mut select =
        conn.prepare_cached("SELECT ifnull(sum(items), 0), ifnull(sum(size), 0) FROM folders")?;
    let (items, bytes): (i64, i64) = select.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(QuotaUsage {
        items: items as u64,
        bytes: bytes as u64,
        ..QuotaUsage::default()
    })
}

/// What a mailbox keeps of its quota.
#[derive(Default)]
struct QuotaRow {
    own: Option<QuotaLimits>,
    warned: FileTime,
}

impl QuotaRow {
    fn load(conn: &Connection) -> fail::Result<Self> {
        let mut select = conn.prepare_cached(
            "SELECT own, warned, warn_bytes, warn_items, send_bytes, send_items, receive_bytes, receive_items FROM quota",
        )?;
        let row = select.query_row([], Self::read).optional()?;
        Ok(row.unwrap_or_default())
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |at: usize| {
            let number: Option<i64> = row.get(at)?;
            Ok::<_, rusqlite::Error>(number.map(|number| number as u64))
        };
        let limit = |at: usize| {
            Ok::<_, rusqlite::Error>(QuotaLimit {
                bytes: number(at)?,
                items: number(at + 1)?,
            })
        };
        let limits = QuotaLimits {
            warn: limit(2)?,
            send: limit(4)?,
            receive: limit(6)?,
        };
        let (own, warned): (bool, i64) = (row.get(0)?, row.get(1)?);
        Ok(Self {
            own: own.then_some(limits),
            warned: FileTime(warned as u64),
        })
    }

    fn store(&self, conn: &Connection) -> fail::Result<()> {
        let limits = self.own.unwrap_or_default();
        let number =
            |number: Option<u64>| number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        conn.execute(
            "INSERT OR REPLACE INTO quota(one, own, warned, warn_bytes, warn_items, send_bytes, send_items,
                 receive_bytes, receive_items) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                self.own.is_some(),
                self.warned.0 as i64,
                number(limits.warn.bytes),
                number(limits.warn.items),
                number(limits.send.bytes),
                number(limits.send.items),
                number(limits.receive.bytes),
                number(limits.receive.items),
            ],
        )?;
        Ok(())
    }
}
