//! When bodies were last read: remembered in memory, and written down when something is evicted.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::rendered::now;

/// Items remembered between two evictions; beyond that, all are forgotten: the order in which bodies go is a guess
/// at best.
const USES_MAX: usize = 1 << 16;

/// Row ids and seconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<HashMap<i64, i64>>);

impl Uses {
    pub(crate) fn note(&self, ids: impl Iterator<Item = i64>) {
        let now = now();
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() >= USES_MAX {
            uses.clear();
        }
        uses.extend(ids.map(|id| (id, now)));
    }

    pub(super) fn take(&self) -> HashMap<i64, i64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
