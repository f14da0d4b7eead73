//! A bound on how many passwords are hashed at once: each takes 19 MiB and a core.

use std::{
    num::NonZero,
    sync::{Condvar, Mutex, PoisonError},
    thread,
};

/// The most hashes at once, however many cores there are.
const HASHES_MAX: usize = 8;

/// Lets a few callers through at a time and makes the others wait.
#[derive(Debug)]
pub(crate) struct Gate {
    free: Mutex<usize>,
    freed: Condvar,
}

/// A place behind the gate; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place<'a>(&'a Gate);

impl Gate {
    /// A gate as wide as the machine has cores.
    pub(crate) fn of_this_machine() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            free: Mutex::new(cores.min(HASHES_MAX)),
            freed: Condvar::new(),
        }
    }

    /// Waits for a place. Blocks the thread.
    pub(crate) fn enter(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
