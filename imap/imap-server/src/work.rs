//! Long computations in turns: a session that has a lot to compute must not hold the thread that others need.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Small steps of computing that are done in one turn: a fraction of a millisecond.
const TURN_STEPS: usize = 100_000;

/// Counts the steps of one command, and gives others their turn.
#[derive(Debug, Default)]
pub(crate) struct Work(AtomicUsize);

impl Work {
    /// So many steps were done: lets others have their turn when it is time.
    pub(crate) async fn done(&self, steps: usize) {
        let total = self.0.load(Ordering::Relaxed).saturating_add(steps);
        if total < TURN_STEPS {
            self.0.store(total, Ordering::Relaxed);
            return;
        }
        self.0.store(0, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}
