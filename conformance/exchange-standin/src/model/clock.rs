//! The server's time: real, or one that moves by a millisecond with every question, so that runs repeat exactly.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use mapi_types::FileTime;

/// 100 ns ticks of a millisecond.
const MILLISECOND: u64 = 10_000;

/// Where times come from. Clones share it.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's time.
    Real,
    /// A time that each question moves by a millisecond.
    Steps(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that starts at `seconds` since 1970 and moves by a millisecond with every question.
    pub fn steps_from(seconds: i64) -> Self {
        Self::Steps(Arc::new(AtomicU64::new(FileTime::from_unix(seconds).0)))
    }

    /// The time now, as PtypTime has it; never the same twice with [`Clock::Steps`].
    pub fn now(&self) -> u64 {
        match self {
            Self::Real => FileTime::from(SystemTime::now()).0,
            Self::Steps(ticks) => ticks.fetch_add(MILLISECOND, Ordering::Relaxed) + MILLISECOND,
        }
    }
}

impl Default for Clock {
    /// Steps from 2026-01-01.
    fn default() -> Self {
        Self::steps_from(1_767_225_600)
    }
}
