//! The task that fills the mirror of an open mailbox: reads whole folders, the Inbox first, then makes bytes, sizes and
//! structures of messages in advance, the newest first.
//!
//! Both may take long, so they have a session of their own and a bounded rate: whoever waits for something, and news of
//! what changed, are not held back.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mapi_store::{ErrorKind, Result};
use mapi_types::FolderId;
use tokio::time::Instant;
use tracing::Instrument;

use super::{
    Circle, Mailbox,
    keeper::{rest, retried},
    sync::is_whole,
    tending::{RETRY_FIRST, RETRY_MAX},
};

/// Messages whose bytes are made in advance at one time.
const RENDER_AT_ONCE: u32 = 50;

/// Part of the bound on bodies that may be made before some are evicted, so that they exceed it by no more than that.
const EVICTED_AFTER: u64 = 16;

/// How long the task rests when nobody wakes it.
const REST_MAX: Duration = Duration::from_secs(3600);

/// What comes next.
enum Next {
    /// More, but not before then.
    More(Instant),
    /// Nothing, until somebody says that there is something.
    Nothing,
}

/// Fills mirrors as long as the mailbox is open; whoever started it ends it then.
pub(super) async fn fill(circle: Weak<Circle>) {
    let mut pause = RETRY_FIRST;
    // Whoever wakes the task does not make it faster than it may be.
    let mut not_before = Instant::now();
    loop {
        let Some(open) = circle.upgrade() else {
            return;
        };
        let Some(mailbox) = open.feeders().into_iter().next() else {
            drop(open);
            tokio::time::sleep(RETRY_FIRST).await;
            continue;
        };
        drop(open);
        mailbox.keeper.todo().filling = true;
        let span = tracing::trace_span!(target: "operation", "mirror", mailbox = mailbox.id.0);
        let outcome = round(&mailbox, &mut not_before).instrument(span).await;
        mailbox.keeper.todo().filling = matches!(outcome, Ok(Next::More(_)));
        match outcome {
            Ok(next) => {
                pause = RETRY_FIRST;
                let until = match next {
                    Next::More(until) => until,
                    Next::Nothing => Instant::now() + REST_MAX,
                };
                rest(mailbox, |keeper| &keeper.filling, until).await;
            }
            Err(error) => {
                pause = mailbox.failed(&error, pause);
                drop(mailbox);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }
}

/// Does one thing; no messages are made in advance before then.
async fn round(mailbox: &Arc<Mailbox>, not_before: &mut Instant) -> Result<Next> {
    let started = Instant::now();
    if std::mem::take(&mut mailbox.keeper.todo().evict) {
        let evicted = mailbox.evict().await;
        retried(evicted, || mailbox.keeper.todo().evict = true)?;
        return Ok(Next::More(started));
    }
    if let Some(folder) = mailbox.next_whole() {
        let read = mailbox.read_whole(folder).await;
        retried(read, || mailbox.keeper.read_whole(folder))?;
        return Ok(Next::More(started));
    }
    if !mailbox.keeper.todo().render {
        return Ok(Next::Nothing);
    }
    if started < *not_before {
        return Ok(Next::More(*not_before));
    }
    mailbox.keeper.todo().render = false;
    let made = retried(mailbox.render_some().await, || {
        mailbox.keeper.more_to_render();
    })?;
    let Some(made) = made else {
        return Ok(Next::Nothing);
    };
    mailbox.keeper.todo().render = true;
    *not_before = started + mailbox.time_of(made);
    Ok(Next::More(*not_before))
}

impl Mailbox {
    /// The Inbox goes before all others, and small folders before large ones.
    fn next_whole(&self) -> Option<FolderId> {
        let mut todo = self.keeper.todo();
        let urgency = |folder: &FolderId| {
            let messages = todo.marks.get(folder).map(|mark| mark.messages);
            (todo.inbox != Some(*folder), messages, *folder)
        };
        let next = todo.whole.iter().copied().min_by_key(urgency)?;
        todo.whole.remove(&next);
        Some(next)
    }

    async fn read_whole(&self, folder: FolderId) -> Result<()> {
        let done = match self.mirror.folder_sync(folder).await {
            Ok(sync) if is_whole(&sync) => self.sync_contents(folder).await,
            // Somebody else has read it.
            Ok(_) => {
                self.keeper.doubt(folder);
                return Ok(());
            }
            Err(error) => Err(error),
        };
        match done {
            // It is gone, or closed to this user: the tree will say so.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => Ok(()),
            done => done,
        }
    }

    /// How long making so many messages in advance is to take at least.
    fn time_of(&self, messages: usize) -> Duration {
        Duration::from_secs(messages as u64) / self.options.render_ahead_per_s.max(1)
    }

    /// Makes the bytes of some messages, the newest first; of how many, or `None` when all of them are made.
    async fn render_some(&self) -> Result<Option<usize>> {
        if self.options.render_ahead {
            for folder in self.inbox_first().await? {
                let missing = self.mirror.unrendered(folder, RENDER_AT_ONCE).await?;
                if missing.is_empty() {
                    continue;
                }
                self.rendered_ahead(folder, &missing).await?;
                let after = self.mirror.unrendered(folder, RENDER_AT_ONCE).await?;
                // What the server does not give must not keep this busy for ever.
                if after != missing {
                    return Ok(Some(missing.len()));
                }
            }
        }
        self.evict().await?;
        Ok(None)
    }

    async fn evict(&self) -> Result<()> {
        self.mirror.evict(self.options.bodies_bytes_max).await?;
        Ok(())
    }

    /// So many octets of bodies have been made.
    pub(super) fn made(&self, octets: u64) {
        let enough = self.options.bodies_bytes_max / EVICTED_AFTER;
        let mut todo = self.keeper.todo();
        todo.made = todo.made.saturating_add(octets);
        if todo.made > enough {
            (todo.made, todo.evict) = (0, true);
            drop(todo);
            self.keeper.filling.ring();
        }
    }

    /// The folders that may be read.
    async fn inbox_first(&self) -> Result<Vec<FolderId>> {
        let folders = self.mirror.folders().await?;
        let mut folders: Vec<_> = folders.into_iter().map(|(folder, _)| folder).collect();
        folders.retain(|folder| self.may_read(*folder));
        let inbox = self.keeper.todo().inbox;
        folders.sort_by_key(|folder| Some(*folder) != inbox);
        Ok(folders)
    }
}
