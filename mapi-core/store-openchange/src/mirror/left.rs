//! Items that were moved or deleted from here while a pass over all items of their folder is under way: what the remote
//! said before that may still tell of them, and must not bring them back.
//!
//! Remembered in memory: after a restart the remote is asked again, and knows.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Items remembered in a mailbox. One beyond that may be shown once more, until the synchronization after the pass.
const LEFT_MAX: usize = 1 << 16;

/// Ids of the remote, by the folder they left.
#[derive(Debug, Default)]
pub(crate) struct Left(Mutex<HashMap<i64, HashSet<Box<[u8]>>>>);

impl Left {
    pub(super) fn note(&self, folder: i64, remote: &[u8]) {
        let mut left = self.lock();
        let known: usize = left.values().map(HashSet::len).sum();
        if known < LEFT_MAX {
            left.entry(folder).or_default().insert(remote.into());
        }
    }

    pub(super) fn has(&self, folder: i64, remote: &[u8]) -> bool {
        self.lock()
            .get(&folder)
            .is_some_and(|left| left.contains(remote))
    }

    /// What the remote is asked from now on, it knows of all that left.
    pub(super) fn forget(&self, folder: i64) {
        self.lock().remove(&folder);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, HashSet<Box<[u8]>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
