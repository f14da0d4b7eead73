//! Uploading what was saved while the server was away.

use mapi_store::{ErrorKind, Result};
use mapi_wire::{Gid, ics::PredecessorChangeList};
use store_openchange::{PendingItem, QueueOutcome, QueuedItem, QueuedOperation, QueuedTask};

use super::{Done, ExchangeStore, TRIES_MAX};
use crate::{
    fault::{Fault, code},
    mailbox::{is_outage, remote_id},
    remote::Chosen,
};

impl ExchangeStore {
    pub(super) async fn replay_save(
        &self,
        operation: &QueuedOperation,
        pending: &PendingItem,
    ) -> Result<Done> {
        let mailbox = &self.mailbox;
        let Some(item) = operation.items.first() else {
            return self.done(operation, Vec::new()).await;
        };
        let fid = match mailbox.folder_fid(item.folder).await {
            Err(error) if error.kind == ErrorKind::NotFound => {
                return self.rehome(operation, item, error).await;
            }
            fid => fid?,
        };
        if item.given.is_none()
            && let Some(condemned) = Gid::from_bytes(&pending.id.0)
        {
            // It was to be taken back, and nobody heard whether it was.
            let id = mailbox.remote.id(condemned).await?;
            mailbox.remote.delete(fid, &[id]).await?;
        }
        let chosen = self.given(operation).await?;
        let Some(chosen) = chosen.into_iter().next() else {
            return self.done(operation, Vec::new()).await;
        };
        let new = PredecessorChangeList::new();
        let uploading = self.upload(fid, (&chosen, &pending.draft), (new, false));
        let outcome = match uploading.await {
            Ok(finished) => arrived(&chosen, Some(finished.change_key)),
            Err(error) => match Fault::of(&error).and_then(Fault::code) {
                // An earlier attempt brought it there, and somebody has changed it since.
                Some(code::SYNC_CONFLICT) => arrived(&chosen, None),
                // The same, and it was deleted.
                Some(code::SYNC_OBJECT_DELETED) => QueueOutcome::Gone,
                _ if error.kind == ErrorKind::NotFound => {
                    return self.rehome(operation, item, error).await;
                }
                _ => return Err(error),
            },
        };
        self.done(operation, vec![(item.position, outcome)]).await
    }

    /// Of a message that is given up, an attempt may have brought a part, which goes, or all. Whether it has arrived.
    ///
    /// Errors: those of an outage.
    pub(super) async fn has_arrived(&self, operation: &QueuedOperation) -> Result<bool> {
        match self.look_at_remains(operation).await {
            Err(error) if is_outage(&error) => {
                let enough = self.is_tried_enough(operation, 2 * TRIES_MAX).await?;
                if !enough {
                    return Err(error);
                }
                tracing::warn!(%error, "what there is of a message that is given up cannot be had");
                Ok(false)
            }
            Err(error) => {
                tracing::warn!(%error, "what there is of a message that is given up cannot be had");
                Ok(false)
            }
            arrived => arrived,
        }
    }

    async fn look_at_remains(&self, operation: &QueuedOperation) -> Result<bool> {
        let mailbox = &self.mailbox;
        // The id may have been written down since.
        let Some(operation) = mailbox.mirror.queue_operation(operation.id).await? else {
            return Ok(false);
        };
        let (QueuedTask::Save(pending), Some(item)) = (&operation.task, operation.items.first())
        else {
            return Ok(false);
        };
        let Some(chosen) = item.given.as_ref().and_then(super::chosen) else {
            return Ok(false);
        };
        let fid = mailbox.folder_fid(item.folder).await?;
        let new = (PredecessorChangeList::new(), false);
        let upload = mailbox.to_upload((&chosen, &pending.draft), new).await?;
        match mailbox.remote.is_whole(fid, &upload).await? {
            None => Ok(false),
            Some(true) => {
                let outcome = vec![(item.position, arrived(&chosen, None))];
                self.done(&operation, outcome).await.map(|_| true)
            }
            Some(false) => {
                let id = mailbox.remote.id(chosen.gid).await?;
                mailbox.remote.delete(fid, &[id]).await?;
                Ok(false)
            }
        }
    }

    /// The folder is gone: the message goes to the Inbox.
    async fn rehome(
        &self,
        operation: &QueuedOperation,
        item: &QueuedItem,
        error: mapi_store::Error,
    ) -> Result<Done> {
        let mailbox = &self.mailbox;
        let Some(inbox) = self.inbox().await?.filter(|inbox| *inbox != item.folder) else {
            return Err(error);
        };
        tracing::warn!(
            mailbox = %mailbox.id,
            "the folder of a message that waited is gone: it goes to the Inbox"
        );
        mailbox.mirror.queue_rehomed(operation.id, inbox).await?;
        mailbox.keeper.doubt_hierarchy();
        Ok(Done::Again)
    }
}

fn arrived(chosen: &Chosen, change_key: Option<store_openchange::ChangeKey>) -> QueueOutcome {
    QueueOutcome::Arrived {
        id: remote_id(chosen.gid),
        change_key,
    }
}
