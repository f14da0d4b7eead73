//! What is kept here of a mailbox, for administrators: how far it is, and how to forget it.

use std::sync::{Arc, Weak};

use mapi_store::{Error, ErrorKind, Result};
use mapi_types::{FolderId, MailboxId};
use mapi_wire::Guid;
use store_openchange::QueueStatus;

use super::{Exchange, lock, remote};
use crate::mailbox::{Circle, Progress};

impl Exchange {
    /// Folders whose index is being read, and how far it is. Empty when the mailbox is not open.
    pub fn progress(&self, mailbox: &MailboxId) -> Vec<(FolderId, Progress)> {
        self.opened(mailbox)
            .map(|circle| circle.in_progress())
            .unwrap_or_default()
    }

    /// Drops all of a mailbox's mirror that can be fetched again; numbers, versions and what was stored through the
    /// gateway stay. Whoever has the mailbox open goes on, while the mirror fills again. Errors: `NotFound`.
    pub async fn drop_mirror(&self, mailbox: &MailboxId) -> Result<()> {
        let mirror = self.mirrors.find_mirror(mailbox).await?;
        let Some(circle) = self.opened(mailbox) else {
            return mirror.drop_contents().await;
        };
        let tree = circle.hold_tree().await;
        mirror.drop_contents().await?;
        drop(tree);
        circle.begin_anew().await
    }

    /// Forgets a mailbox's mirror with its numbers: every folder begins a new epoch, and clients fetch all anew. If the
    /// server has another mailbox under this name by now, the mirror becomes that one's. Errors: `NotFound`.
    pub async fn reset_mirror(&self, mailbox: &MailboxId) -> Result<()> {
        let mirror = self.mirrors.find_mirror(mailbox).await?;
        let identity = self.identity(mailbox).await;
        let circle = self.opened(mailbox);
        let tree = match &circle {
            Some(circle) => Some(circle.hold_tree().await),
            None => None,
        };
        match identity {
            Ok(identity) => {
                self.mirrors.reset_mirror(mailbox, &identity.0).await?;
                if let Some(circle) = &circle {
                    circle.identity.set(identity);
                }
            }
            // Then it stays the mirror of what it mirrored.
            Err(error) => {
                tracing::debug!(%mailbox, %error, "the server was not asked whose mailbox it is");
                mirror.reset().await?;
            }
        }
        drop(tree);
        match circle {
            Some(circle) => circle.begin_anew().await,
            None => Ok(()),
        }
    }

    /// Lets what the server refused wait for another try, and tries if the mailbox is open. Returns how much that is.
    /// Errors: `NotFound`.
    pub async fn retry_queue(&self, mailbox: &MailboxId) -> Result<u64> {
        let mirror = self.mirrors.find_mirror(mailbox).await?;
        let again = mirror.queue_retry().await?;
        match self.opened(mailbox) {
            Some(circle) => circle.queue_changed().await,
            None => self.note_queue(mailbox, &mirror.queue_status().await?),
        }
        Ok(again)
    }

    /// Notes what waits in a mailbox that nobody has open, for metrics.
    pub fn note_queue(&self, mailbox: &MailboxId, status: &QueueStatus) {
        self.queues.note(mailbox, None, status);
    }

    /// A mailbox as those have it who opened it.
    pub(super) fn opened(&self, mailbox: &MailboxId) -> Option<Arc<Circle>> {
        lock(&self.mailboxes).get(mailbox).and_then(Weak::upgrade)
    }

    /// Which mailbox the server has under this name.
    async fn identity(&self, mailbox: &MailboxId) -> Result<Guid> {
        let user = lock(&self.users).get(&mailbox.0).cloned();
        let user =
            user.ok_or_else(|| Error::new(ErrorKind::Unavailable, "there are no credentials"))?;
        let logon = remote(&user.sessions).logon().await?;
        Ok(logon.mailbox_guid)
    }
}
