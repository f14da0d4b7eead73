//! An answer that is kept for a time, and asked for by one at a time.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{Failure, Found, Reason};

/// How long a failure is kept: it keeps impatient clients from asking, and wrong passwords from being sent, in a row.
const FAILURE_KEPT: Duration = Duration::from_secs(15);

/// How long an old answer is used on when nobody can be asked for a new one.
const OLD_KEPT: Duration = Duration::from_secs(300);

pub(super) type Answer = Result<Arc<Found>, Failure>;

/// An answer, or none yet.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Held while asking: whoever comes meanwhile waits, and takes the same answer.
    turn: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    answer: Answer,
    answered_at: Instant,
    until: Instant,
}

impl Slot {
    /// With an answer, as if it had just come.
    pub(super) fn with(found: Arc<Found>, keep: Duration) -> Self {
        let answered_at = Instant::now();
        let kept = Kept {
            answer: Ok(found),
            answered_at,
            until: answered_at + keep,
        };
        Self {
            turn: Mutex::new(Some(kept)),
        }
    }

    /// The answer kept, or what `ask` says. `anew`: only an answer that has come since the call.
    ///
    /// A caller that goes away leaves what was kept; the next in turn asks.
    pub(super) async fn get(
        &self,
        anew: bool,
        keep: Duration,
        ask: impl AsyncFnOnce() -> Answer,
    ) -> Answer {
        let called = Instant::now();
        let mut turn = self.turn.lock().await;
        if let Some(kept) = &*turn
            && (kept.answered_at >= called || (!anew && Instant::now() < kept.until))
        {
            return kept.answer.clone();
        }
        let (answer, time) = match ask().await {
            Ok(found) => (Ok(found), keep),
            Err(failure) => {
                let old = turn.take().and_then(|kept| kept.answer.ok());
                match old.filter(|_| !anew && failure.reason == Reason::NoAnswer) {
                    Some(old) => {
                        tracing::warn!(%failure, "autodiscover is away: its last answer is used on");
                        (Ok(old), OLD_KEPT)
                    }
                    None => (Err(failure), FAILURE_KEPT),
                }
            }
        };
        let answered_at = Instant::now();
        *turn = Some(Kept {
            answer: answer.clone(),
            answered_at,
            until: answered_at + time,
        });
        answer
    }
}
