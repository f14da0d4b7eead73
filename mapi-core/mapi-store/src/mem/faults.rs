//! What goes wrong on purpose: calls that fail, items that cannot be rendered, items that cannot be deleted.

use std::{
    collections::HashSet,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mapi_types::ItemNumber;

use crate::{Error, ErrorKind, Result};

/// Faults of a [`MemBackend`](crate::MemBackend), for tests of the layers above it.
#[derive(Debug, Default)]
pub struct MemFaults {
    calls: Mutex<Plan>,
    renderings: Mutex<Plan>,
    kept: Mutex<HashSet<ItemNumber>>,
}

/// Which attempts fail, counted from when the plan was made.
#[derive(Debug, Default)]
struct Plan {
    attempts: u32,
    fault: Option<(Range<u32>, ErrorKind)>,
}

impl MemFaults {
    /// Makes the calls with these numbers fail and change nothing, counted from 0 for the next one. Calls of all
    /// stores count, and logons.
    pub fn fail_calls(&self, calls: Range<u32>, kind: ErrorKind) {
        *lock(&self.calls) = Plan::new(calls, kind);
    }

    /// Makes the renderings with these numbers fail, counted from 0 for the next item.
    pub fn fail_rendering(&self, items: Range<u32>, kind: ErrorKind) {
        *lock(&self.renderings) = Plan::new(items, kind);
    }

    /// Makes items with these numbers stay when they are to be deleted, as a server does that removes some of many; no
    /// call fails by it.
    pub fn keep(&self, items: &[ItemNumber]) {
        *lock(&self.kept) = items.iter().copied().collect();
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        lock(&self.kept).clear();
        *lock(&self.calls) = Plan::default();
        *lock(&self.renderings) = Plan::default();
    }

    /// Calls since [`Self::fail_calls`] or [`Self::heal`].
    pub fn calls(&self) -> u32 {
        lock(&self.calls).attempts
    }

    /// Items rendered, or tried to be, since [`Self::fail_rendering`] or [`Self::heal`].
    pub fn renderings(&self) -> u32 {
        lock(&self.renderings).attempts
    }

    pub(super) fn call(&self) -> Result<()> {
        lock(&self.calls).attempt("the store is away")
    }

    pub(super) fn keeps(&self, item: ItemNumber) -> bool {
        lock(&self.kept).contains(&item)
    }

    pub(super) fn rendering(&self) -> Result<()> {
        lock(&self.renderings).attempt("the item cannot be rendered now")
    }
}

impl Plan {
    fn new(attempts: Range<u32>, kind: ErrorKind) -> Self {
        Self {
            attempts: 0,
            fault: Some((attempts, kind)),
        }
    }

    fn attempt(&mut self, context: &'static str) -> Result<()> {
        let number = self.attempts;
        self.attempts = number.saturating_add(1);
        match &self.fault {
            Some((attempts, kind)) if attempts.contains(&number) => Err(Error::new(*kind, context)),
            _ => Ok(()),
        }
    }
}

fn lock<T>(plan: &Mutex<T>) -> MutexGuard<'_, T> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}
