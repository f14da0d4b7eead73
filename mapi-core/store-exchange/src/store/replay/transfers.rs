//! Copying and moving what was copied and moved while the server was away.

use mapi_store::{ErrorKind, Result, Transfer};
use mapi_types::{FolderId, tags::message_flags};
use mapi_wire::ics::Xid;
use store_openchange::{ChangeKey, QueueOutcome, QueuedItem, QueuedOperation};

use super::{Done, ExchangeStore, gid, reason};
use crate::{
    fault::Fault,
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
        // The rest comes again.
        let asked: Vec<_> = operation
            .items
            .iter()
            .zip(&chosen)
            .filter(|(item, _)| item.folder == from)
            .collect();
        let attempt = self.attempt((from, to), how, &asked).await?;
        let told: Vec<_> = attempt.outcomes.iter().map(|(at, _)| *at).collect();
        let open: Vec<_> = asked
            .into_iter()
            .filter(|(item, _)| !told.contains(&item.position))
            .collect();
        if !attempt.outcomes.is_empty() {
            self.done(operation, attempt.outcomes).await?;
        }
        let Some(error) = attempt.failed else {
            return Ok(Done::Yes);
        };
        if is_refused(&error) && open.len() > 1 && !concerns_all(&error) {
            return self.one_by_one(operation, (from, to), (how, &open)).await;
        }
        Err(error)
    }

    /// Finds out which of several items the server refuses.
    async fn one_by_one(
        &self,
        operation: &QueuedOperation,
        way: (FolderId, FolderId),
        (how, asked): (Transfer, &[(&QueuedItem, &Chosen)]),
    ) -> Result<Done> {
        for one in asked {
            let attempt = self.attempt(way, how, std::slice::from_ref(one)).await?;
            match attempt.failed {
                Some(error) if is_refused(&error) => {
                    let position = vec![one.0.position];
                    self.give_up(operation, position, reason(&error)).await?;
                }
                Some(error) => return Err(error),
                None => drop(self.done(operation, attempt.outcomes).await?),
            }
        }
        Ok(Done::Yes)
    }

    /// Tries some items of one folder.
    async fn attempt(
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
            associated: item.flags & message_flags::ASSOCIATED != 0,
            read: item.flags & message_flags::READ != 0,
        }))
    }
}

/// Whether the server will never do it, as far as it says.
fn is_refused(error: &mapi_store::Error) -> bool {
    let operation = matches!(Fault::of(error), Some(Fault::Operation { .. }) | None);
    operation && !error.kind.is_transient()
}

/// Whether it is refused for every item: the folder is gone, or is full.
fn concerns_all(error: &mapi_store::Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotFound | ErrorKind::Quota | ErrorKind::Denied
    )
}
