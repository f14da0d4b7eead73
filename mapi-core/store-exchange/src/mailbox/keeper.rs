//! What is to be done in the background of an open mailbox, and how far it is.
//!
//! Two tasks do it, so that what takes long keeps nobody waiting: [`tending`] hears hints and looks at what they name,
//! [`filling`] reads whole folders and makes bytes of messages in advance. A hint costs latency when it is lost, never
//! truth.
//!
//! [`tending`]: super::tending
//! [`filling`]: super::filling

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mapi_types::FolderId;
use mapi_wire::Id;
use tokio::{
    sync::{Notify, broadcast::error::RecvError},
    time::{Instant, timeout_at},
};

use super::Mailbox;
use crate::{
    remote::FolderMark,
    session::{Event, Place, StoreName},
};

/// What the tasks have to do, and what is known of how far they are.
#[derive(Default)]
pub(crate) struct Keeper {
    todo: Mutex<Todo>,
    /// Wakes the task that looks at what changed.
    pub(super) tending: Alarm,
    /// Wakes the task that reads whole folders and makes bytes.
    pub(super) filling: Alarm,
}

/// How often a folder is left because somebody writes to it, before its turn is waited for.
const LEFT_MAX: u32 = 3;

/// Wakes a task that has nothing to do.
#[derive(Default)]
pub(super) struct Alarm(Notify);

#[derive(Default)]
pub(super) struct Todo {
    /// The server is to be asked which folders changed.
    pub(super) poll: bool,
    pub(super) hierarchy: bool,
    /// Every folder is to be looked at, for changes may have been missed.
    pub(super) everything: bool,
    /// Folders of which the server said that they changed.
    pub(super) hinted: BTreeSet<FolderId>,
    /// Folders to be looked at when there is time.
    pub(super) folders: BTreeSet<FolderId>,
    /// Folders that were left because somebody wrote to them, and how often.
    written: HashMap<FolderId, u32>,
    /// Folders by their ids in ROPs, as hints name them.
    pub(super) named: HashSet<Id>,
    /// Folders to be read whole.
    pub(super) whole: BTreeSet<FolderId>,
    /// There may be items whose content must be verified.
    pub(super) verify: bool,
    /// There may be items without bytes.
    pub(super) render: bool,
    /// There may be more bodies than there is room for.
    pub(super) evict: bool,
    /// Octets of bodies that were made since some were last evicted.
    pub(super) made: u64,
    /// A task is at work.
    pub(super) tending: bool,
    pub(super) filling: bool,
    /// The folder that goes before all others.
    pub(super) inbox: Option<FolderId>,
    /// What folders were like when they were last found changed.
    pub(super) marks: HashMap<FolderId, FolderMark>,
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
        self.tending.ring();
        self.filling.ring();
    }

    /// It is time to ask which folders changed.
    pub(super) fn poll(&self) {
        self.todo().poll = true;
        self.tending.ring();
    }

    /// The tree may have changed.
    pub(crate) fn doubt_hierarchy(&self) {
        self.todo().hierarchy = true;
        self.tending.ring();
    }

    /// A folder may have changed.
    pub(crate) fn doubt(&self, folder: FolderId) {
        self.todo().hinted.insert(folder);
        self.tending.ring();
    }

    /// What was here has been dropped: everything is to be read again.
    pub(crate) fn begin_anew(&self) {
        {
            let mut todo = self.todo();
            todo.indexed.clear();
            todo.progress.clear();
            todo.marks.clear();
            todo.everything = true;
        }
        self.tending.ring();
    }

    /// A folder is to be read whole.
    pub(super) fn read_whole(&self, folder: FolderId) {
        self.todo().whole.insert(folder);
        self.filling.ring();
    }

    /// A folder is to be looked at when nobody writes to it any more. Whether it may be left until then: it has not been
    /// left too often.
    pub(super) fn expect_end_of_writing(&self, folder: FolderId) -> bool {
        let mut todo = self.todo();
        let left = todo.written.entry(folder).or_default();
        *left += 1;
        let may_be_left = *left <= LEFT_MAX;
        if !may_be_left {
            todo.written.remove(&folder);
        }
        may_be_left
    }

    /// A folder is looked at.
    pub(super) fn forget_writing(&self, folder: FolderId) {
        self.todo().written.remove(&folder);
    }

    /// Somebody has written to a folder.
    pub(super) fn wrote(&self, folder: FolderId) {
        let mut todo = self.todo();
        if todo.written.contains_key(&folder) && todo.hinted.insert(folder) {
            drop(todo);
            self.tending.ring();
        }
    }

    /// There are messages whose content must be verified.
    pub(super) fn more_to_verify(&self) {
        self.todo().verify = true;
        self.tending.ring();
    }

    /// There are messages without bytes.
    pub(super) fn more_to_render(&self) {
        self.todo().render = true;
        self.filling.ring();
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

    /// Whether the tasks have nothing to do.
    pub(crate) fn is_idle(&self) -> bool {
        let todo = self.todo();
        let flags = [
            todo.tending,
            todo.filling,
            todo.poll,
            todo.hierarchy,
            todo.everything,
            todo.verify,
            todo.render,
            todo.evict,
        ];
        !flags.contains(&true)
            && [&todo.hinted, &todo.folders, &todo.whole]
                .iter()
                .all(|folders| folders.is_empty())
            && todo.named.is_empty()
            && todo.written.is_empty()
    }

    /// How far the folders are whose index is being read.
    pub(crate) fn in_progress(&self) -> Vec<(FolderId, Progress)> {
        let todo = self.todo();
        todo.progress
            .iter()
            .map(|(folder, progress)| (*folder, *progress))
            .collect()
    }

    pub(super) fn todo(&self) -> MutexGuard<'_, Todo> {
        self.todo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, places: impl IntoIterator<Item = Place>) {
        {
            let mut todo = self.todo();
            for place in places {
                match place {
                    Place::Contents(folder) => {
                        todo.named.insert(folder);
                    }
                    Place::Hierarchy => todo.hierarchy = true,
                    Place::Anywhere => todo.everything = true,
                }
            }
        }
        self.tending.ring();
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
                Ok(event) if concerns(&event, &store) => mailbox.keeper.hear(event.places),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => mailbox.keeper.hear([Place::Anywhere]),
                Err(RecvError::Closed) => return,
            }
        }
    });
}

fn concerns(event: &Event, store: &StoreName) -> bool {
    event.store == *store || event.places.contains(&Place::Anywhere)
}

impl Alarm {
    /// Wakes the task, now or when it next rests.
    pub(super) fn ring(&self) {
        self.0.notify_one();
    }
}

/// Waits until there is something to do, or until then. Does not hold the mailbox meanwhile, so that it can end; it rings
/// when it does.
pub(super) async fn rest(mailbox: Arc<Mailbox>, alarm: impl Fn(&Keeper) -> &Alarm, until: Instant) {
    let keeper = Arc::clone(&mailbox.keeper);
    drop(mailbox);
    // At whichever comes first, the task looks what there is to do.
    let _ = timeout_at(until, alarm(&keeper).0.notified()).await;
}

/// What failed is to be done again.
pub(super) fn retried<T, E>(outcome: Result<T, E>, again: impl FnOnce()) -> Result<T, E> {
    if outcome.is_err() {
        again();
    }
    outcome
}
