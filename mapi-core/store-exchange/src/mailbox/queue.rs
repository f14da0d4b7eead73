//! What was asked for while the server was away: whether something waits, and when its turn has come.
//!
//! What waits lies in the mirror's file ([`store_openchange::Mirror::queue_next`]); it is carried out by [`crate::store`]. As long as
//! something waits, nothing of the mailbox is synchronized, for the server does not know of it yet, and every write goes
//! behind it.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use mapi_store::{Error, ErrorKind, Result};
use mapi_types::FileTime;
use store_openchange::{QueueTerms, RemoteId};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::{Circle, Mailbox, Work};
use crate::{Outage, QueueLimits, backend::Queues, fault::Fault, session::StoreName, store};

/// How long nobody tries again after the server could not be reached: many may ask at the same time.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Octets of a stand-in: not as many as a GID has, so that none is taken for the other.
const STAND_IN_BYTES: usize = 16;

/// Whether something waits in a mailbox.
#[derive(Default)]
pub(crate) struct Queue {
    waits: AtomicBool,
    /// One looks at a time, so that the last word is the newest.
    looking: AsyncMutex<()>,
    failed: Mutex<Option<Instant>>,
    open: Weak<Queues>,
}

impl Queue {
    /// A queue of which nothing is known yet; `open` knows the others.
    pub(crate) fn new(open: Weak<Queues>) -> Self {
        Self {
            open,
            ..Self::default()
        }
    }

    fn failed_just_now(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|at| at.elapsed() < AGAIN_AFTER)
    }

    fn note<T>(&self, done: &Result<T>) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = done.is_err().then(Instant::now);
    }
}

impl Circle {
    /// Looks what waits by now, and lets everybody know, whoever has the mailbox open.
    pub(crate) async fn look_at_queue(&self) -> Result<()> {
        let queue = &self.queue;
        let _looking = queue.looking.lock().await;
        let status = self.mirror.queue_status().await?;
        let waits = status.waiting > 0;
        let mailbox = self.mirror.id();
        if queue.waits.swap(waits, Ordering::AcqRel) != waits {
            match waits {
                true => tracing::info!(%mailbox, "changes wait for the Exchange server"),
                false => tracing::info!(%mailbox, "no change waits any more"),
            }
        }
        if let Some(open) = queue.open.upgrade() {
            open.note(mailbox, self.owner().as_ref(), &status);
        }
        if waits {
            self.keeper.wake();
        }
        Ok(())
    }

    /// What waits has been changed, durably: that is so whether or not it can be looked at now. To be called whenever
    /// that changed.
    pub(crate) async fn queue_changed(&self) {
        if let Err(error) = self.look_at_queue().await {
            let mailbox = self.mirror.id();
            tracing::warn!(%mailbox, %error, "what waits for the Exchange server was not looked at");
            // Nothing is lost by looking once more.
            self.queue.waits.store(true, Ordering::Release);
            self.keeper.wake();
        }
    }
}

impl Mailbox {
    /// Whether something waits.
    pub(crate) fn has_waiting(&self) -> bool {
        self.circle.queue.waits.load(Ordering::Acquire)
    }

    /// What bounds the queue, if this one's writes may wait: those of the mailbox's owner. What others may do, the server
    /// decides when it is done.
    pub(crate) fn limits(&self) -> Option<QueueLimits> {
        match self.options.outage {
            Outage::Queue(limits) if self.guest.is_none() && self.store() != &StoreName::Public => {
                Some(limits)
            }
            Outage::Queue(_) | Outage::Refuse => None,
        }
    }

    fn store(&self) -> &StoreName {
        &self.remote.store
    }

    /// What is noted with an operation.
    pub(crate) fn terms(&self, limits: QueueLimits) -> QueueTerms {
        QueueTerms {
            operations_max: limits.operations_max,
            bytes_max: limits.bytes_max,
            user: self.user().to_owned(),
            now: FileTime::from(SystemTime::now()),
        }
    }

    /// Sees to it that nothing waits.
    ///
    /// Nothing is asked when nothing does. Errors: `Unavailable` also when the owner, as whom it must be done, has not the
    /// mailbox open; those of the server.
    pub(crate) async fn caught_up(&self) -> Result<()> {
        if !self.has_waiting() {
            return Ok(());
        }
        let waits = || {
            Error::new(
                ErrorKind::Unavailable,
                "earlier changes wait for the server",
            )
        };
        let owner = self.circle.owner().filter(|owner| !owner.is_out());
        let Some(owner) = owner else {
            // Whether that is still so, nobody else looks.
            self.circle.look_at_queue().await?;
            return match self.has_waiting() {
                true => Err(waits()),
                false => Ok(()),
            };
        };
        let queue = &self.circle.queue;
        let _turn = self.turn(Work::Replay).await;
        if !self.has_waiting() {
            return Ok(());
        }
        if queue.failed_just_now() {
            return Err(waits());
        }
        let done = owner.feeding(store::replay(Arc::clone(&owner)).await);
        queue.note(&done);
        self.circle.queue_changed().await;
        done
    }
}

/// Whether what was asked can be put down until the server is there again: it could not be reached, or its answer is lost.
pub(crate) fn is_outage(error: &Error) -> bool {
    Fault::of(error).is_some_and(Fault::is_outage)
}

/// A name for an item that the server has not yet. Errors: `Unavailable`.
pub(crate) fn stand_in() -> Result<RemoteId> {
    let mut octets = [0; STAND_IN_BYTES];
    getrandom::fill(&mut octets)
        .map_err(|_| Error::new(ErrorKind::Unavailable, "there is no randomness"))?;
    Ok(RemoteId(octets.into()))
}
