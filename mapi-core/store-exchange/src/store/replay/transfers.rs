//! Copying and moving what was copied and moved while the server was away.

use mapi_store::{ErrorKind, Result, Transfer};
use mapi_types::FolderId;
use mapi_wire::ics::Xid;
use store_openchange::{ChangeKey, QueueOutcome, QueuedItem, QueuedOperation};

use super::{Done, ExchangeStore, gid};
use crate::{
    mailbox::remote_id,
    remote::{Chosen, Fate, Transferring},
};

/// What became of some items of an operation.
#[derive(Default)]
struct Attempt {
    outcomes: Vec<(u32, QueueOutcome)>,
    /// Why the others were left.
    failed: Option<mapi_store::Error>,
}

impl ExchangeStore {
    pub(super) async fn replay_transfer(
        &self,
        operation: &QueuedOperation,
        (how, to): (Transfer, FolderId),
    ) -> Result<Done> {
        let Some(from) = operation.items.first().map(|item| item.folder) else {
            return self.done(operation, Vec::new()).await;
        };
        let chosen = self.given(operation).await?;
        let asked: Vec<_> = operation.items.iter().zip(&chosen).collect();
        let attempt = self.transfer_queued((from, to), how, &asked).await?;
        if !attempt.outcomes.is_empty() {
            self.done(operation, attempt.outcomes).await?;
        }
        match attempt.failed {
            Some(error) => Err(error),
            None => Ok(Done::Yes),
        }
    }

    /// Tries some items of one folder.
    async fn transfer_queued(
        &self,
        (from, to): (FolderId, FolderId),
        how: Transfer,
        asked: &[(&QueuedItem, &Chosen)],
    ) -> Result<Attempt> {
        let mut attempt = Attempt::default();
        let (mut messages, mut positions) = (Vec::new(), Vec::new());
        for (item, target) in asked {
            match self.transferring_queued(item, target).await? {
                Some(message) => {
                    messages.push(message);
                    positions.push(item.position);
                }
                None => attempt.outcomes.push((item.position, QueueOutcome::Gone)),
            }
        }
        if messages.is_empty() {
            return Ok(attempt);
        }
        if let Err(error) = self.mailbox.folder_gid(from).await {
            if error.kind != ErrorKind::NotFound {
                return Err(error);
            }
            let gone = positions.into_iter().map(|at| (at, QueueOutcome::Gone));
            attempt.outcomes.extend(gone);
            return Ok(attempt);
        }
        let done = match self.carry_out((from, to), how, messages).await {
            Ok(done) => done,
            Err(error) => {
                attempt.failed = Some(error);
                return Ok(attempt);
            }
        };
        for (fate, position) in done.fates.into_iter().zip(positions) {
            let outcome = match fate {
                Fate::Arrived(arrived) => QueueOutcome::Arrived {
                    id: remote_id(arrived.gid),
                    change_key: arrived.change_key.map(ChangeKey),
                },
                Fate::Gone => QueueOutcome::Gone,
                Fate::Open => continue,
            };
            attempt.outcomes.push((position, outcome));
        }
        attempt.failed = done.failed.map(Into::into);
        Ok(attempt)
    }

    /// What the server has to be told of an item; `None` when it never got there.
    async fn transferring_queued(
        &self,
        item: &QueuedItem,
        target: &Chosen,
    ) -> Result<Option<Transferring>> {
        let Some(source) = gid(item) else {
            return Ok(None);
        };
        let remote = &self.mailbox.remote;
        let known = item.change_key.as_ref();
        let known = known.and_then(|key| Xid::from_bytes(&key.0));
        Ok(Some(Transferring {
            source,
            source_id: remote.id(source).await?,
            // A change key that is none agrees with nothing.
            change_key: known.unwrap_or(target.change_key),
            target_id: remote.id(target.gid).await?,
            target: target.clone(),
            flags: item.flags,
        }))
    }
}
