//! Writes while the server is away: done in the mirror at once, and put down to be done there.
//!
//! Only what can be shown at once and settled later: messages with an original, marks, deletions, copies and moves within
//! the mailbox. Whoever writes holds the turn at writing to the folder.

use std::collections::HashMap;

use mapi_store::{
    Deletion, Error, ErrorKind, Expected, Result, Saved, Transfer, Transferred, Updated,
};
use mapi_types::{Change, Draft, FolderId, ItemNumber, tags};
use store_openchange::{Begun, ChangeKey, Given, Moved, Pending};

use super::ExchangeStore;
use crate::{
    mailbox::{is_outage, remote_id, stand_in},
    remote::Transferring,
};

impl ExchangeStore {
    /// Whether a write goes behind what waits; one that may not wait first sees to it that nothing does.
    pub(super) async fn goes_behind(&self) -> Result<bool> {
        let mailbox = &self.mailbox;
        if mailbox.has_waiting() && mailbox.limits().is_some() {
            mailbox.keeper.wake();
            return Ok(true);
        }
        mailbox.caught_up().await.map(|()| false)
    }

    /// Whether a write that failed may wait.
    pub(super) fn may_wait(&self, error: &Error) -> bool {
        self.mailbox.limits().is_some() && is_outage(error)
    }

    /// Makes drafts items under stand-ins. Errors: `Unavailable` (there is no room, or they cannot wait).
    pub(super) async fn queue_drafts(
        &self,
        folder: FolderId,
        drafts: &[Draft],
    ) -> Result<Vec<Saved>> {
        let mailbox = &self.mailbox;
        let terms = mailbox.terms(mailbox.limits().ok_or_else(later)?);
        if !can_be_read(drafts) {
            return Err(later());
        }
        let mut pending = Vec::with_capacity(drafts.len());
        for draft in drafts {
            pending.push(Pending {
                id: stand_in()?,
                change_key: None,
                draft: draft.clone(),
            });
        }
        let queued = mailbox.mirror.queue_drafts(folder, &pending, terms);
        self.put_down("save", queued.await).await
    }

    /// Makes items of drafts that were begun. Errors: `Unavailable` (there is no room).
    pub(super) async fn queue_begun(
        &self,
        folder: FolderId,
        begun: Vec<Begun>,
    ) -> Result<Vec<Saved>> {
        let mailbox = &self.mailbox;
        let terms = mailbox.terms(mailbox.limits().ok_or_else(later)?);
        let queued = mailbox.mirror.queue_begun(folder, begun, terms);
        self.put_down("save", queued.await).await
    }

    pub(super) async fn queue_update(
        &self,
        folder: FolderId,
        items: Vec<Expected>,
        change: &Change,
    ) -> Result<Updated> {
        let mailbox = &self.mailbox;
        let terms = mailbox.terms(mailbox.limits().ok_or_else(later)?);
        let queued = mailbox
            .mirror
            .queue_update(folder, items, change.clone(), terms);
        self.put_down("update", queued.await).await
    }

    pub(super) async fn queue_removal(
        &self,
        folder: FolderId,
        items: Vec<ItemNumber>,
        how: Deletion,
    ) -> Result<Vec<ItemNumber>> {
        let mailbox = &self.mailbox;
        let terms = mailbox.terms(mailbox.limits().ok_or_else(later)?);
        let queued = mailbox.mirror.queue_removal(folder, (items, how), terms);
        self.put_down("delete", queued.await).await
    }

    /// Items to stand-ins, or to ids that were chosen for an attempt whose outcome is not known.
    pub(super) async fn queue_transfer(
        &self,
        (from, to): (FolderId, FolderId),
        items: &[ItemNumber],
        how: Transfer,
        chosen: &HashMap<ItemNumber, Transferring>,
    ) -> Result<Vec<Transferred>> {
        let mailbox = &self.mailbox;
        let terms = mailbox.terms(mailbox.limits().ok_or_else(later)?);
        if how == Transfer::Move && from != to {
            self.refuse_taken_keys(from, items, to).await?;
        }
        let mut moved = Vec::with_capacity(items.len());
        for number in items {
            let given = chosen.get(number).map(|asked| Given {
                id: remote_id(asked.target.gid),
                change_key: ChangeKey(asked.target.change_key.to_bytes().into()),
            });
            let id = match &given {
                Some(given) => given.id.clone(),
                None => stand_in()?,
            };
            let one = Moved {
                number: *number,
                id,
                change_key: None,
            };
            moved.push((one, given));
        }
        let queued = mailbox.mirror.queue_transfer(from, to, (moved, how), terms);
        self.put_down("transfer", queued.await).await
    }

    /// Lets everybody know that more waits.
    async fn put_down<T>(&self, kind: &'static str, queued: Result<T>) -> Result<T> {
        let queued = queued.map_err(|error| match error.kind {
            // It would be done if the server were there.
            ErrorKind::Unsupported => {
                Error::with_source(ErrorKind::Unavailable, "the server is away", error)
            }
            _ => error,
        })?;
        let server = self.mailbox.options.name.clone();
        metrics::counter!("exchange_queue_queued_total", "server" => server, "kind" => kind)
            .increment(1);
        self.mailbox.circle.queue_changed().await;
        Ok(queued)
    }
}

/// What waits must be readable meanwhile, and only an original is read without the server.
pub(super) fn can_be_read(drafts: &[Draft]) -> bool {
    drafts.iter().all(|draft| draft.message.original.is_some())
}

/// Whether a change is about nothing that the server knows of.
pub(super) fn is_local(change: &Change) -> bool {
    let status = tags::MESSAGE_STATUS.tag();
    change.set.iter().all(|(tag, _)| *tag == status)
        && change.delete.iter().all(|tag| *tag == status)
        && change.bits.iter().all(|bits| bits.tag == status)
        && change.strings.is_empty()
}

fn later() -> Error {
    Error::new(ErrorKind::Unavailable, "it cannot wait for the server")
}
