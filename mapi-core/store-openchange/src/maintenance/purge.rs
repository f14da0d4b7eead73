//! Purging what was softly deleted and has been kept long enough.
//!
//! Not a job like the others: it goes through the queues of the mailboxes, as every write does, in small transactions.

use std::sync::{Arc, atomic::Ordering};

use mapi_store::{ErrorKind, Result};
use mapi_types::FileTime;

use crate::{engine::Engine, fail::Fail, mailbox::Mailbox, write};

/// Items purged by one transaction: so few that nobody who writes meanwhile notices.
const ITEMS_MAX: u32 = 100;

/// What a sweep over all mailboxes purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Items that are gone for good.
    pub items: u64,
    /// Their octets.
    pub octets: u64,
    /// Mailboxes that could not be read, for the log to say why.
    pub unreadable: u32,
}

impl Engine {
    pub(crate) async fn purge_deleted(&self, before: FileTime) -> Result<Purged> {
        let mut purged = Purged::default();
        for (id, _) in self.layout.all_mailboxes().map_err(Fail::from)? {
            let swept = match self.mailbox(&id).await {
                Ok(mailbox) => self.sweep(&mailbox, before, &mut purged).await,
                Err(error) => Err(error),
            };
            match swept {
                Ok(()) => {}
                // Removed meanwhile.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) if self.shared.closing.load(Ordering::Acquire) => return Err(error),
                Err(error) => {
                    tracing::warn!(mailbox = %id, %error, "what was deleted in a mailbox is not purged");
                    purged.unreadable += 1;
                }
            }
        }
        Ok(purged)
    }

    async fn sweep(
        &self,
        mailbox: &Arc<Mailbox>,
        before: FileTime,
        purged: &mut Purged,
    ) -> Result<()> {
        // Most mailboxes have nothing to purge: those are read and not written.
        let due = self
            .read(mailbox, move |at| write::is_purge_due(at.conn, before))
            .await?;
        let mut more = due;
        while more {
            if self.shared.closing.load(Ordering::Acquire) {
                return Err(crate::store::dropped());
            }
            let work = move |tx: &mut write::Tx<'_>| write::purge_older(tx, before, ITEMS_MAX);
            let done = self.write(mailbox, Vec::new(), work).await?;
            purged.items += done.items;
            purged.octets += done.octets;
            more = done.items >= u64::from(ITEMS_MAX);
        }
        Ok(())
    }
}
