//! Which bodies were read, in which order: remembered in memory, and written down when something is evicted.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Items remembered between two evictions; beyond that all are forgotten, for the order in which bodies go is a guess
/// at best.
const USES_MAX: usize = 1 << 16;

/// Row ids, and when each was last read.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    readings: u64,
    last: HashMap<i64, u64>,
}

impl Uses {
    pub(crate) fn note(&self, ids: impl Iterator<Item = i64>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            if noted.last.len() >= USES_MAX {
                noted.last.clear();
            }
            noted.readings += 1;
            let reading = noted.readings;
            noted.last.insert(id, reading);
        }
    }

    /// What was read, the least recent first; it is forgotten here.
    pub(super) fn take(&self) -> Vec<i64> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = std::mem::take(&mut noted.last);
        drop(noted);
        let mut read: Vec<(u64, i64)> = last.into_iter().map(|(id, at)| (at, id)).collect();
        read.sort_unstable();
        read.into_iter().map(|(_, id)| id).collect()
    }
}
