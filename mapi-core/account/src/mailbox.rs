//! What all sessions on one mailbox share: what has been heard of its folders, and their latest snapshots.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Instant,
};

use mapi_store::Notice;
use mapi_types::{FolderId, ItemNumber, Version};
use tokio::{
    sync::{
        broadcast::{self, error::TryRecvError},
        watch,
    },
    task::AbortHandle,
};

use crate::FolderIndex;

/// An open mailbox.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Unlike the id, never the same for two openings: caches are keyed by it.
    pub(crate) serial: u64,
    folders: Mutex<HashMap<FolderId, Arc<FolderState>>>,
    /// Counts what was heard of the folder tree.
    tree: watch::Sender<u64>,
    /// Read by callers, so that what a write announced before it was acknowledged is known to the next reader even if
    /// the feed has not run since.
    notices: Mutex<broadcast::Receiver<Notice>>,
    /// Set while nobody tells us anything: nothing cached can be believed.
    deaf: AtomicBool,
    /// Set once the store said that there is no such mailbox. One made anew under its id is another.
    gone: AtomicBool,
    feed: Mutex<Option<AbortHandle>>,
}

/// What has been heard of a folder.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Hint {
    /// The folder has at least this version.
    pub(crate) version: Version,
    /// How often something may have been missed.
    pub(crate) doubts: u64,
}

/// A folder's snapshot and what has been heard of it.
#[derive(Debug, Default)]
pub(crate) struct FolderState {
    hint: watch::Sender<Hint>,
    /// The highest number that a write of ours was given.
    last_number: AtomicU32,
    /// Held by the one who refreshes the snapshot.
    pub(crate) refreshing: tokio::sync::Mutex<()>,
    /// Held by the one who looks whether a message is there, and files it if it is not.
    pub(crate) filing: tokio::sync::Mutex<()>,
    current: Mutex<Option<Current>>,
}

/// The latest snapshot, alive as long as a session or the cache holds it.
#[derive(Debug)]
struct Current {
    index: Weak<FolderIndex>,
    /// What had been heard before the store was asked.
    hint: Hint,
    checked: Instant,
}

impl Mailbox {
    pub(crate) fn new(serial: u64, notices: broadcast::Receiver<Notice>) -> Self {
        Self {
            serial,
            folders: Mutex::default(),
            tree: watch::Sender::default(),
            notices: Mutex::new(notices),
            deaf: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            feed: Mutex::default(),
        }
    }

    /// The feed ends with the mailbox.
    pub(crate) fn set_feed(&self, feed: AbortHandle) {
        *lock(&self.feed) = Some(feed);
    }

    /// A folder's state.
    pub(crate) fn folder(&self, folder: FolderId) -> Arc<FolderState> {
        Arc::clone(lock(&self.folders).entry(folder).or_default())
    }

    /// Folders that somebody waits for.
    pub(crate) fn watched(&self) -> Vec<FolderId> {
        let folders = lock(&self.folders);
        let watched = folders
            .iter()
            .filter(|(_, state)| state.hint.receiver_count() > 0);
        watched.map(|(id, _)| *id).collect()
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Whoever opens the mailbox next asks the store for it; who waits for changes looks, and learns of it.
    pub(crate) fn set_gone(&self) {
        if !self.gone.swap(true, Ordering::AcqRel) {
            self.doubt();
        }
    }

    /// Makes everybody look at a folder again.
    pub(crate) fn doubt_folder(&self, folder: FolderId) {
        let state = lock(&self.folders).get(&folder).cloned();
        if let Some(state) = state {
            state.doubt();
        }
    }

    /// Forgets a folder that is gone, and wakes who waits for it.
    pub(crate) fn forget(&self, folder: FolderId) {
        let state = lock(&self.folders).remove(&folder);
        if let Some(state) = state {
            state.doubt();
        }
    }

    /// How often the tree was heard of.
    pub(crate) fn tree_generation(&self) -> u64 {
        *self.tree.borrow()
    }

    pub(crate) fn watch_tree(&self) -> watch::Receiver<u64> {
        self.tree.subscribe()
    }

    /// Takes note of one notice.
    pub(crate) fn hear(&self, notice: Notice) {
        match notice {
            // A folder without a state has neither a snapshot nor a watcher.
            Notice::Folder(folder, version) => {
                let state = lock(&self.folders).get(&folder).cloned();
                if let Some(state) = state {
                    state.hear(version);
                }
            }
            Notice::Hierarchy => self.tree.send_modify(|generation| *generation += 1),
        }
    }

    /// Something may have been missed: everything has to be looked at again.
    pub(crate) fn doubt(&self) {
        for state in lock(&self.folders).values() {
            state.doubt();
        }
        self.tree.send_modify(|generation| *generation += 1);
    }

    /// Hears every notice sent so far. `false`: there is nobody to hear, and nothing cached can be believed.
    pub(crate) fn catch_up(&self) -> bool {
        if self.deaf.load(Ordering::Acquire) {
            return false;
        }
        let mut notices = lock(&self.notices);
        loop {
            match notices.try_recv() {
                Ok(notice) => self.hear(notice),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Lagged(_)) => self.doubt(),
                Err(TryRecvError::Closed) => {
                    self.deaf.store(true, Ordering::Release);
                    return false;
                }
            }
        }
    }

    /// Listens to a new receiver, after the old one was closed.
    pub(crate) fn listen(&self, notices: broadcast::Receiver<Notice>) {
        *lock(&self.notices) = notices;
        self.deaf.store(false, Ordering::Release);
        self.doubt();
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        if let Some(feed) = lock(&self.feed).take() {
            feed.abort();
        }
    }
}

impl FolderState {
    pub(crate) fn hint(&self) -> Hint {
        *self.hint.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Hint> {
        self.hint.subscribe()
    }

    /// The folder has at least this version.
    pub(crate) fn hear(&self, version: Version) {
        self.hint.send_if_modified(|hint| {
            let news = version > hint.version;
            hint.version = hint.version.max(version);
            news
        });
    }

    pub(crate) fn doubt(&self) {
        self.hint.send_modify(|hint| hint.doubts += 1);
    }

    /// A write of ours was given this number.
    pub(crate) fn hear_number(&self, number: ItemNumber) {
        self.last_number.fetch_max(number.0, Ordering::AcqRel);
    }

    /// Above every number that a write of ours was given.
    pub(crate) fn next_number(&self) -> ItemNumber {
        ItemNumber(self.last_number.load(Ordering::Acquire).saturating_add(1))
    }

    /// The snapshot, if nothing has been heard since it was checked, and it was checked not before `oldest`.
    pub(crate) fn fresh(&self, heard: Hint, oldest: Instant) -> Option<Arc<FolderIndex>> {
        let current = lock(&self.current);
        let current = current.as_ref()?;
        let index = current.index.upgrade()?;
        let known = current.hint.version.max(index.version());
        let fresh = current.hint.doubts == heard.doubts
            && known >= heard.version
            && current.checked >= oldest;
        fresh.then_some(index)
    }

    /// The latest snapshot, however old.
    pub(crate) fn latest(&self) -> Option<Arc<FolderIndex>> {
        lock(&self.current).as_ref()?.index.upgrade()
    }

    /// Puts a snapshot in the place of the latest one that says the same. The caller holds [`Self::refreshing`].
    pub(crate) fn replace(&self, index: &Arc<FolderIndex>) {
        if let Some(current) = lock(&self.current).as_mut() {
            current.index = Arc::downgrade(index);
        }
    }

    pub(crate) fn set(&self, index: &Arc<FolderIndex>, hint: Hint, checked: Instant) {
        *lock(&self.current) = Some(Current {
            index: Arc::downgrade(index),
            hint,
            checked,
        });
    }
}

/// Locks, also after another thread panicked: no critical section of this crate leaves its data half changed.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
