//! Carrying out at the server what was put down while it was away: in order, each operation until the server has said
//! yes or no to it.
//!
//! Every step can be repeated, so it may break off anywhere: ids are written down before they are used, marks and
//! deletions are what they are however often they are made.

mod marks;
mod saves;
mod transfers;

use std::{collections::BTreeMap, sync::Arc};

use mapi_store::{Error, ErrorKind, Result, Role};
use mapi_types::{FolderId, Version};
use mapi_wire::{Gid, ics::Xid};
use store_openchange::{ChangeKey, Given, QueueOutcome, QueuedItem, QueuedOperation, QueuedTask};

use super::ExchangeStore;
use crate::{
    fault::Fault,
    mailbox::{Mailbox, remote_id},
    remote::Chosen,
};

/// How often an operation is tried that fails for a reason that may pass, while the server answers others.
const TRIES_MAX: u32 = 8;

/// Carries out everything that waits in a mailbox, as its owner. Whoever calls this has the turn at it.
///
/// Errors: those of the server and of the mirror; what has not been done waits on.
pub(crate) async fn replay(mailbox: Arc<Mailbox>) -> Result<()> {
    let inner = Arc::clone(&mailbox.inner);
    let store = ExchangeStore {
        mailbox,
        guest: None,
        inner,
    };
    while let Some(operation) = store.mailbox.mirror.queue_next().await? {
        store.carry_out_queued(&operation).await?;
    }
    Ok(())
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Done {
    /// It is out of the queue, or some of it is.
    Yes,
    /// It is another one now, and comes again.
    Again,
}

impl ExchangeStore {
    async fn carry_out_queued(&self, operation: &QueuedOperation) -> Result<()> {
        let done = match &operation.task {
            QueuedTask::Save(draft) => self.replay_save(operation, draft).await,
            QueuedTask::Update(change) => self.replay_update(operation, change).await,
            QueuedTask::Delete => self.replay_deletion(operation).await,
            QueuedTask::Transfer(how, to) => self.replay_transfer(operation, (*how, *to)).await,
        };
        match done {
            Ok(Done::Again) => Ok(()),
            Ok(Done::Yes) => {
                self.count_replayed("done");
                Ok(())
            }
            Err(error) => {
                let reason = self.final_reason(operation, error).await?;
                let all = operation.items.iter().map(|item| item.position).collect();
                self.give_up(operation, all, reason).await
            }
        }
    }

    /// Why the server will not do it; an error when it may do it later.
    async fn final_reason(&self, operation: &QueuedOperation, error: Error) -> Result<String> {
        let says = match Fault::of(&error) {
            Some(Fault::Operation { .. }) if !error.kind.is_transient() => {
                // A mailbox that is closed as a whole refuses everything, for a time.
                self.is_open_there().await?;
                true
            }
            Some(Fault::Operation { .. } | Fault::Malformed(_) | Fault::Lost(_)) => {
                self.is_tried_enough(operation).await?
            }
            Some(_) => false,
            // The mirror says so.
            None if error.kind.is_transient() => false,
            None => self.is_tried_enough(operation).await?,
        };
        match says {
            true => Ok(reason(&error)),
            false => Err(error),
        }
    }

    /// Counts a try, if it is not that the server is away.
    async fn is_tried_enough(&self, operation: &QueuedOperation) -> Result<bool> {
        self.is_open_there().await?;
        let tries = self.mailbox.mirror.queue_tried(operation.id).await?;
        Ok(tries >= TRIES_MAX)
    }

    /// Errors: why the server answers nothing now.
    async fn is_open_there(&self) -> Result<()> {
        let remote = &self.mailbox.remote;
        let top = remote.logon().await?.top();
        remote.rights(&[top]).await?;
        Ok(())
    }

    /// The server does not do it: it is undone here, as far as that loses nothing.
    async fn give_up(
        &self,
        operation: &QueuedOperation,
        items: Vec<u32>,
        reason: String,
    ) -> Result<()> {
        let mailbox = &self.mailbox;
        tracing::warn!(
            mailbox = %mailbox.id,
            operation = name(&operation.task),
            items = items.len(),
            reason,
            "the Exchange server refuses a change that waited"
        );
        mailbox
            .mirror
            .queue_refused(operation.id, items, reason)
            .await?;
        self.count_replayed("refused");
        Ok(())
    }

    async fn done(
        &self,
        operation: &QueuedOperation,
        outcomes: Vec<(u32, QueueOutcome)>,
    ) -> Result<Done> {
        let mirror = &self.mailbox.mirror;
        mirror.queue_done(operation.id, outcomes).await?;
        Ok(Done::Yes)
    }

    /// The ids for what the operation makes, by the places of its items; new ones are written down first.
    async fn given(&self, operation: &QueuedOperation) -> Result<Vec<Chosen>> {
        let mailbox = &self.mailbox;
        let missing = operation.items.iter().filter(|item| item.given.is_none());
        let missing: Vec<_> = missing.map(|item| item.position).collect();
        let namespace = mailbox.namespace().await?;
        let fresh = mailbox.remote.choose(missing.len(), namespace).await?;
        let new: Vec<_> = missing
            .into_iter()
            .zip(&fresh)
            .map(|(position, chosen)| (position, given(chosen)))
            .collect();
        if !new.is_empty() {
            mailbox.mirror.queue_give(operation.id, new).await?;
        }
        let mut fresh = fresh.into_iter();
        let all = operation.items.iter().map(|item| match &item.given {
            Some(given) => chosen(given),
            None => fresh.next(),
        });
        all.collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "an id that was written down is none"))
    }

    async fn inbox(&self) -> Result<Option<FolderId>> {
        let tree = self.mailbox.inner.hierarchy(Version(0)).await?;
        let mut folders = tree.changed.iter();
        let inbox = folders.find(|folder| folder.role == Some(Role::Inbox));
        Ok(inbox.map(|inbox| inbox.id))
    }

    fn count_replayed(&self, outcome: &'static str) {
        let server = self.mailbox.options.name.clone();
        metrics::counter!("exchange_queue_replayed_total", "server" => server, "outcome" => outcome)
            .increment(1);
    }
}

/// Items by the folder in which the server has them.
fn by_folder(items: &[QueuedItem]) -> BTreeMap<FolderId, Vec<&QueuedItem>> {
    let mut folders: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for item in items {
        folders.entry(item.folder).or_default().push(item);
    }
    folders
}

/// An item's name at the server; `None` when it never got there.
fn gid(item: &QueuedItem) -> Option<Gid> {
    Gid::from_bytes(&item.id.as_ref()?.0)
}

fn given(chosen: &Chosen) -> Given {
    Given {
        id: remote_id(chosen.gid),
        change_key: ChangeKey(chosen.change_key.to_bytes().into()),
    }
}

fn chosen(given: &Given) -> Option<Chosen> {
    Some(Chosen {
        gid: Gid::from_bytes(&given.id.0)?,
        change_key: Xid::from_bytes(&given.change_key.0)?,
    })
}

fn name(task: &QueuedTask) -> &'static str {
    match task {
        QueuedTask::Save(_) => "save",
        QueuedTask::Update(_) => "update",
        QueuedTask::Delete => "delete",
        QueuedTask::Transfer(..) => "transfer",
    }
}

/// For the administrator: what kind of refusal it is, and the server's code.
fn reason(error: &Error) -> String {
    let kind = error.kind;
    match Fault::of(error) {
        Some(fault) => format!("{kind:?}: {fault}"),
        None => format!("{kind:?}: {}", error.context),
    }
}
