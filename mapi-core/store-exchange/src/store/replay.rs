//! Carrying out at the server what was put down while it was away: in order, each operation until the server has said
//! yes or no to it.
//!
//! Every step can be repeated, so it may break off anywhere: ids are written down before they are used, marks and
//! deletions are what they are however often they are made.

mod marks;
mod saves;
mod transfers;

use std::sync::Arc;

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

/// How often an operation is tried that fails for a reason that may pass, while the server answers others; counted
/// anew whenever some of it is done.
const TRIES_MAX: u32 = 8;

/// The same where the server only asks to wait, or it is the gateway itself that fails. A busy server has been waited
/// for within each of them.
const BUSY_TRIES_MAX: u32 = 40;

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
    loop {
        match store.mailbox.mirror.queue_next().await {
            Ok(Some(operation)) => store.carry_out_queued(&operation).await?,
            Ok(None) => return Ok(()),
            Err(error) if error.kind == ErrorKind::Corrupt => store.set_aside(&error).await?,
            Err(error) => return Err(error),
        }
    }
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
    /// Carries out what an operation is about in one folder; the rest of it comes again.
    async fn carry_out_queued(&self, operation: &QueuedOperation) -> Result<()> {
        let operation = &in_one_folder(operation);
        let Err(error) = self.attempt(operation).await else {
            return Ok(());
        };
        let reason = self.final_reason(operation, error).await?;
        if operation.items.len() <= 1 || reason.concerns_all {
            return self.give_up(operation, reason.text).await;
        }
        // Which of them is it?
        for _ in &operation.items {
            let next = self.mailbox.mirror.queue_next().await?;
            let Some(next) = next.filter(|next| next.id == operation.id) else {
                return Ok(());
            };
            let one = &first_of(&next);
            if let Err(error) = self.attempt(one).await {
                let reason = self.final_reason(one, error).await?;
                self.give_up(one, reason.text).await?;
            }
        }
        Ok(())
    }

    async fn attempt(&self, operation: &QueuedOperation) -> Result<()> {
        let done = match &operation.task {
            QueuedTask::Save(draft) => self.replay_save(operation, draft).await?,
            QueuedTask::Update(change) => self.replay_update(operation, change).await?,
            QueuedTask::Delete => self.replay_deletion(operation).await?,
            QueuedTask::Transfer(how, to) => self.replay_transfer(operation, (*how, *to)).await?,
        };
        if done == Done::Yes {
            self.count_replayed("done");
        }
        Ok(())
    }

    /// Why the server will not do it; an error when it may do it later.
    async fn final_reason(&self, operation: &QueuedOperation, error: Error) -> Result<Refusal> {
        let is_final = match Fault::of(&error) {
            Some(Fault::Operation { .. }) if !error.kind.is_transient() => {
                // A mailbox that is closed as a whole refuses everything, for a time.
                self.is_open_there().await?;
                true
            }
            Some(Fault::Busy(_)) => self.is_tried_enough(operation, BUSY_TRIES_MAX).await?,
            // The mirror says so.
            None if error.kind.is_transient() => {
                self.is_tried_enough(operation, BUSY_TRIES_MAX).await?
            }
            Some(_) | None => self.is_tried_enough(operation, TRIES_MAX).await?,
        };
        match is_final {
            true => Ok(Refusal::of(&operation.task, &error)),
            false => Err(error),
        }
    }

    /// Counts a try, if it is not that the server is away.
    async fn is_tried_enough(&self, operation: &QueuedOperation, max: u32) -> Result<bool> {
        self.is_open_there().await?;
        let tries = self.mailbox.mirror.queue_tried(operation.id).await?;
        Ok(tries >= max)
    }

    /// Errors: why the server answers nothing now.
    async fn is_open_there(&self) -> Result<()> {
        let remote = &self.mailbox.remote;
        let top = remote.logon().await?.top();
        remote.rights(&[top]).await?;
        Ok(())
    }

    /// The server does not do it: it is undone here, as far as that loses nothing.
    async fn give_up(&self, operation: &QueuedOperation, reason: String) -> Result<()> {
        if matches!(operation.task, QueuedTask::Save(_)) && self.has_arrived(operation).await? {
            self.count_replayed("done");
            return Ok(());
        }
        let items = operation.items.iter().map(|item| item.position).collect();
        self.give_up_items(operation, items, reason).await
    }

    async fn give_up_items(
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
            "a change that waited is given up: the Exchange server does not do it"
        );
        let anew = mailbox.mirror.queue_refused(operation.id, items, reason);
        for folder in anew.await? {
            mailbox.keeper.doubt(folder);
        }
        self.count_replayed("refused");
        Ok(())
    }

    /// An operation that cannot be read does not keep back the others.
    async fn set_aside(&self, error: &Error) -> Result<()> {
        let mailbox = &self.mailbox;
        tracing::error!(
            mailbox = %mailbox.id,
            %error,
            "a change that waited cannot be read: it is set aside"
        );
        let reason = "Corrupt: it cannot be read".to_owned();
        mailbox.mirror.queue_set_aside(reason).await?;
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

/// Why something is given up.
struct Refusal {
    /// For the administrator: what kind of refusal it is, and the server's code.
    text: String,
    /// It is refused for every item: the folder is gone, or is full.
    concerns_all: bool,
}

impl Refusal {
    fn of(task: &QueuedTask, error: &Error) -> Self {
        let kind = error.kind;
        let of_all = matches!(
            kind,
            ErrorKind::NotFound | ErrorKind::Quota | ErrorKind::Denied
        );
        Self {
            text: match Fault::of(error) {
                Some(fault) => format!("{kind:?}: {fault}"),
                None => format!("{kind:?}: {}", error.context),
            },
            concerns_all: of_all && matches!(task, QueuedTask::Transfer(..)),
        }
    }
}

/// An operation with those of its items that the server has in the folder of the first.
fn in_one_folder(operation: &QueuedOperation) -> QueuedOperation {
    let mut part = operation.clone();
    if let Some(folder) = operation.items.first().map(|item| item.folder) {
        part.items.retain(|item| item.folder == folder);
    }
    part
}

/// An operation with the first of its items.
fn first_of(operation: &QueuedOperation) -> QueuedOperation {
    let mut part = operation.clone();
    part.items.truncate(1);
    part
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
