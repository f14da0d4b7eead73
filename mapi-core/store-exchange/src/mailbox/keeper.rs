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
use tracing::Instrument;

use super::{Circle, Mailbox, remote_id};
use crate::session::{Event, Place, StoreName};

/// Messages whose bytes are made in advance at one time.
const RENDER_AT_ONCE: u32 = 50;

/// How long to wait after a failure, at first.
const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest wait after failures.
const RETRY_MAX: Duration = Duration::from_secs(120);

/// The longest wait while something waits for the server.
const RETRY_WAITING_MAX: Duration = Duration::from_secs(15);

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
    /// Somebody else may have something to do from now on.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

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

/// Starts the task that hears what a session tells of the mailbox, also while a long pass is under way.
pub(super) fn listen(mailbox: &Arc<Mailbox>) {
    let mut events = mailbox.remote.sessions.back.events();
    let store = mailbox.remote.store.clone();
    let listener = Arc::downgrade(mailbox);
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
}

/// Starts the task that keeps a mirror like the server. It ends when nobody has the mailbox open.
pub(super) fn start(circle: &Arc<Circle>) {
    let weak = Arc::downgrade(circle);
    tokio::spawn(async move {
        let mut pause = RETRY_FIRST;
        let mut turn = Turn::default();
        loop {
            let Some(circle) = weak.upgrade() else {
                return;
            };
            let feeders = circle.keepers();
            let Some(mailbox) = feeders.first().cloned() else {
                match circle.is_kept() {
                    true => continue,
                    false => return,
                }
            };
            mailbox.keeper.todo().busy = true;
            let span = tracing::trace_span!(target: "operation", "mirror", mailbox = mailbox.id.0);
            let outcome = round(&mailbox, &feeders, &mut turn).instrument(span).await;
            mailbox.keeper.todo().busy = matches!(outcome, Ok(true));
            let until = turn.poll_at.min(Instant::now() + mailbox.options.poll);
            drop((feeders, circle));
            match outcome {
                Ok(true) => pause = RETRY_FIRST,
                Ok(false) => {
                    pause = RETRY_FIRST;
                    rest(mailbox, until).await;
                }
                Err(error) => {
                    tracing::info!(mailbox = %mailbox.id, %error, "the mirror could not be brought up to date");
                    let server = mailbox.options.name.clone();
                    metrics::counter!("exchange_sync_failures_total", "server" => server)
                        .increment(1);
                    if mailbox.has_waiting() && error.kind.is_transient() {
                        pause = pause.min(RETRY_WAITING_MAX);
                    }
                    drop(mailbox);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        }
    });
}

/// What the task remembers from round to round.
struct Turn {
    poll_at: Instant,
    /// Who fed the mirror last: others have to ask for notifications first, and may see other folders.
    fed_by: Vec<String>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            poll_at: Instant::now(),
            fed_by: Vec::new(),
        }
    }
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
async fn round(mailbox: &Mailbox, feeders: &[Arc<Mailbox>], turn: &mut Turn) -> Result<bool> {
    mailbox.caught_up().await?;
    let fed_by: Vec<_> = feeders.iter().map(|seat| seat.user().to_owned()).collect();
    if Instant::now() >= turn.poll_at || turn.fed_by != fed_by {
        turn.poll_at = Instant::now() + mailbox.options.poll;
        turn.fed_by = fed_by;
        for seat in feeders {
            seat.feeding(seat.watch().await)?;
        }
        mailbox.keeper.todo().everything = true;
    }
    if std::mem::take(&mut mailbox.keeper.todo().everything) {
        mailbox.keeper.todo().hierarchy = true;
        mailbox.doubt_all().await?;
    }
    if std::mem::take(&mut mailbox.keeper.todo().hierarchy) {
        for seat in feeders {
            let done = seat.feeding(seat.sync_hierarchy().await);
            retried(done, || mailbox.keeper.doubt_hierarchy())?;
        }
        mailbox.circle.ask_for_guests().await;
        mailbox.doubt_unindexed().await?;
        return Ok(true);
    }
    mailbox.name_hinted().await?;
    let next = mailbox.keeper.todo().folders.pop_first();
    if let Some(folder) = mailbox.most_urgent(next).await? {
        if mailbox.waits_for_readers(folder).await? {
            return Ok(true);
        }
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

    /// Public folders are many: one is read when somebody opens it, and kept from then on.
    async fn waits_for_readers(&self, folder: FolderId) -> Result<bool> {
        Ok(self.remote.store == StoreName::Public
            && !self.keeper.is_indexed(folder)
            && !self.mirror.folder_sync(folder).await?.indexed)
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
            if !self.may_read(folder) {
                continue;
            }
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
