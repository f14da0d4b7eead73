//! The background task of an open mailbox: hears hints, looks at what they name, polls for what they miss, and makes
//! bytes of messages in advance.
//!
//! A hint costs latency when it is lost, never truth. The task holds the mailbox weakly and ends with it.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mapi_store::{ErrorKind, Result, Role};
use mapi_types::FolderId;
use mapi_wire::Id;
use tokio::{
    sync::{Notify, broadcast::error::RecvError},
    time::{Instant, timeout},
};

use super::{Mailbox, remote_id};
use crate::session::{Event, Place, StoreName};

/// Messages whose bytes are made in advance at one time.
const RENDER_AT_ONCE: u32 = 50;

/// How long to wait after a failure, at first.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest wait after failures.
const RETRY_MAX: Duration = Duration::from_secs(120);

/// What the task has to do, and what is known of how far it is.
#[derive(Default)]
pub(crate) struct Keeper {
    todo: Mutex<Todo>,
    woken: Notify,
}

#[derive(Default)]
struct Todo {
    hierarchy: bool,
    everything: bool,
    folders: BTreeSet<FolderId>,
    /// Folders by their ids in ROPs, as hints name them.
    named: HashSet<Id>,
    render: bool,
    /// The task is at work.
    busy: bool,
    indexed: HashSet<FolderId>,
    progress: HashMap<FolderId, Progress>,
}

/// How far the index of a folder is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// How many messages there will be, as far as the server said.
    pub expected: u32,
    /// How many have come.
    pub come: u32,
}

impl Keeper {
    /// The tree may have changed.
    pub(crate) fn doubt_hierarchy(&self) {
        self.todo().hierarchy = true;
        self.woken.notify_one();
    }

    /// A folder may have changed.
    pub(crate) fn doubt(&self, folder: FolderId) {
        self.todo().folders.insert(folder);
        self.woken.notify_one();
    }

    /// What was here has been dropped: everything is to be read again.
    pub(crate) fn begin_anew(&self) {
        {
            let mut todo = self.todo();
            todo.indexed.clear();
            todo.progress.clear();
            todo.everything = true;
        }
        self.woken.notify_one();
    }

    /// There are messages without bytes.
    pub(super) fn more_to_render(&self) {
        self.todo().render = true;
        self.woken.notify_one();
    }

    pub(super) fn expect(&self, folder: FolderId, expected: u32) {
        self.todo()
            .progress
            .insert(folder, Progress { expected, come: 0 });
    }

    pub(super) fn progress(&self, folder: FolderId, come: u32) {
        self.todo().progress.entry(folder).or_default().come += come;
    }

    pub(super) fn synchronized(&self, folder: FolderId) {
        let mut todo = self.todo();
        todo.progress.remove(&folder);
        todo.indexed.insert(folder);
    }

    /// Whether a folder is known to have an index.
    pub(super) fn is_indexed(&self, folder: FolderId) -> bool {
        self.todo().indexed.contains(&folder)
    }

    pub(super) fn note_indexed(&self, folder: FolderId) {
        self.todo().indexed.insert(folder);
    }

    /// Whether the task has nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        let todo = self.todo();
        !todo.busy
            && !todo.hierarchy
            && !todo.everything
            && todo.folders.is_empty()
            && todo.named.is_empty()
    }

    /// How far the folders are whose index is being read.
    pub(crate) fn in_progress(&self) -> Vec<(FolderId, Progress)> {
        let todo = self.todo();
        todo.progress
            .iter()
            .map(|(folder, progress)| (*folder, *progress))
            .collect()
    }

    fn todo(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, place: Place) {
        {
            let mut todo = self.todo();
            match place {
                Place::Contents(folder) => {
                    todo.named.insert(folder);
                }
                Place::Hierarchy => todo.hierarchy = true,
                Place::Anywhere => todo.everything = true,
            }
        }
        self.woken.notify_one();
    }
}

/// Starts the task of a mailbox.
pub(super) fn start(mailbox: &Arc<Mailbox>) {
    let weak = Arc::downgrade(mailbox);
    let mut events = mailbox.remote.sessions.back.events();
    let store = mailbox.remote.store.clone();
    let listener = Arc::downgrade(mailbox);
    // Two tasks: hints are heard while a long pass is under way.
    tokio::spawn(async move {
        loop {
            let event = events.recv().await;
            let Some(mailbox) = listener.upgrade() else {
                return;
            };
            match event {
                Ok(event) if concerns(&event, &store) => mailbox.keeper.hear(event.place),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => mailbox.keeper.hear(Place::Anywhere),
                Err(RecvError::Closed) => return,
            }
        }
    });
    tokio::spawn(async move {
        let mut pause = RETRY_FIRST;
        let mut poll_at = Instant::now();
        loop {
            let Some(mailbox) = weak.upgrade() else {
                return;
            };
            mailbox.keeper.todo().busy = true;
            let outcome = round(&mailbox, &mut poll_at).await;
            mailbox.keeper.todo().busy = matches!(outcome, Ok(true));
            let poll = mailbox.options.poll;
            match outcome {
                Ok(true) => pause = RETRY_FIRST,
                Ok(false) => {
                    pause = RETRY_FIRST;
                    rest(mailbox, poll_at.min(Instant::now() + poll)).await;
                }
                Err(error) => {
                    tracing::info!(mailbox = %mailbox.id, %error, "the mirror could not be brought up to date");
                    metrics::counter!("exchange_sync_failures_total").increment(1);
                    drop(mailbox);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        }
    });
}

/// Waits until there is something to do, or until it is time to poll. Holds the mailbox no longer than a moment at a
/// time, so that it can end.
async fn rest(mailbox: Arc<Mailbox>, until: Instant) {
    const LOOK: Duration = Duration::from_secs(5);
    let weak = Arc::downgrade(&mailbox);
    drop(mailbox);
    while let Some(mailbox) = weak.upgrade() {
        let now = Instant::now();
        if now >= until {
            return;
        }
        let woken = timeout(LOOK.min(until - now), mailbox.keeper.woken.notified()).await;
        if woken.is_ok() {
            return;
        }
    }
}

fn concerns(event: &Event, store: &StoreName) -> bool {
    event.store == *store || event.place == Place::Anywhere
}

/// Does one thing; whether there may be more to do.
async fn round(mailbox: &Mailbox, poll_at: &mut Instant) -> Result<bool> {
    if Instant::now() >= *poll_at {
        *poll_at = Instant::now() + mailbox.options.poll;
        mailbox.watch().await?;
        mailbox.keeper.todo().everything = true;
    }
    if std::mem::take(&mut mailbox.keeper.todo().everything) {
        mailbox.keeper.todo().hierarchy = true;
        mailbox.doubt_all().await?;
    }
    if std::mem::take(&mut mailbox.keeper.todo().hierarchy) {
        retried(mailbox.sync_hierarchy().await, || {
            mailbox.keeper.doubt_hierarchy()
        })?;
        mailbox.doubt_unindexed().await?;
        return Ok(true);
    }
    mailbox.name_hinted().await?;
    let next = mailbox.keeper.todo().folders.pop_first();
    if let Some(folder) = mailbox.most_urgent(next).await? {
        match mailbox.sync_contents(folder).await {
            // It is gone, or closed to this user: the tree will say so.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {}
            done => retried(done, || mailbox.keeper.doubt(folder))?,
        }
        return Ok(true);
    }
    if std::mem::take(&mut mailbox.keeper.todo().render) {
        let more = retried(mailbox.render_some().await, || {
            mailbox.keeper.more_to_render()
        })?;
        if more {
            mailbox.keeper.todo().render = true;
        }
        return Ok(more);
    }
    Ok(false)
}

/// What failed is to be done again.
fn retried<T>(outcome: Result<T>, again: impl FnOnce()) -> Result<T> {
    if outcome.is_err() {
        again();
    }
    outcome
}

impl Mailbox {
    /// Every folder is to be looked at: nobody knows what was missed.
    async fn doubt_all(&self) -> Result<()> {
        let folders = self.mirror.folders().await?;
        let mut todo = self.keeper.todo();
        todo.folders
            .extend(folders.into_iter().map(|(folder, _)| folder));
        todo.render = true;
        Ok(())
    }

    /// New folders are to be read.
    async fn doubt_unindexed(&self) -> Result<()> {
        for (folder, _) in self.mirror.folders().await? {
            if !self.keeper.is_indexed(folder) {
                self.keeper.todo().folders.insert(folder);
            }
        }
        Ok(())
    }

    /// Finds the folders that hints named.
    async fn name_hinted(&self) -> Result<()> {
        let named = std::mem::take(&mut self.keeper.todo().named);
        for id in named {
            let gid = self.remote.gid(id).await?;
            match self.mirror.folder_of(&remote_id(gid)).await? {
                Some(folder) => {
                    self.keeper.todo().folders.insert(folder);
                }
                // A folder that is new, or not one for people.
                None => self.keeper.todo().hierarchy |= self.options.poll > Duration::ZERO,
            }
        }
        Ok(())
    }

    /// The Inbox goes before all others.
    async fn most_urgent(&self, next: Option<FolderId>) -> Result<Option<FolderId>> {
        let Some(next) = next else { return Ok(None) };
        let tree = self.inner.hierarchy(mapi_types::Version(0)).await?;
        let inbox = tree
            .changed
            .iter()
            .find(|folder| folder.role == Some(Role::Inbox));
        let mut todo = self.keeper.todo();
        match inbox.map(|folder| folder.id) {
            Some(inbox) if inbox != next && todo.folders.remove(&inbox) => {
                todo.folders.insert(next);
                Ok(Some(inbox))
            }
            _ => Ok(Some(next)),
        }
    }

    /// Makes the bytes of some messages, the newest first; whether there are more.
    async fn render_some(&self) -> Result<bool> {
        let session = &self.remote.sessions.back;
        for (folder, _) in self.mirror.folders().await? {
            let stale = self.mirror.stale(folder, RENDER_AT_ONCE).await?;
            if !stale.is_empty() {
                self.verified(session, folder, &stale).await?;
                return Ok(true);
            }
            if !self.options.render_ahead {
                continue;
            }
            let missing = self.mirror.unrendered(folder, RENDER_AT_ONCE).await?;
            if !missing.is_empty() {
                let before = missing.len();
                self.rendered(session, folder, &missing).await?;
                let after = self.mirror.unrendered(folder, RENDER_AT_ONCE).await?;
                // What the server does not give must not keep this busy for ever.
                if after != missing || before == 0 {
                    return Ok(true);
                }
            }
        }
        self.mirror.evict(self.options.bodies_bytes_max).await?;
        Ok(false)
    }
}
