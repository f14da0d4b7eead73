//! Traces of one account: what its clients ask for, and what each operation costs below: store calls, batches of ROPs,
//! HTTP requests.
//!
//! The layers below mark their work by spans of the target `operation`. As long as nobody traces these are switched off:
//! each costs a comparison then. While somebody does, [`layer`] collects the spans of operations of that account, and
//! hands each operation over when it ends. Nothing is kept for those who are slow to read: they are told how many
//! operations they missed.

mod layer;
mod operation;
pub(crate) mod socket;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::mpsc;
use tracing::{Metadata, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, Filter},
    reload,
};

pub(crate) use operation::Operation;

/// The target of the spans.
pub(crate) const TARGET: &str = "operation";

/// How many may trace at a time.
const TRACES_MAX: usize = 8;

/// Operations that wait for a slow reader.
const OPERATIONS_MAX: usize = 256;

/// Who traces whom.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    list: Mutex<Vec<Arc<Trace>>>,
    switch: OnceLock<reload::Handle<Switch, Registry>>,
}

/// Somebody traces an account.
#[derive(Debug)]
struct Trace {
    /// The account, in lower case.
    account: String,
    operations: mpsc::Sender<Arc<Operation>>,
    missed: AtomicU64,
}

/// What somebody who traces reads from. The trace ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Follower {
    traces: Arc<Traces>,
    trace: Arc<Trace>,
    operations: mpsc::Receiver<Arc<Operation>>,
}

/// The layer that collects operations, switched off.
pub(crate) fn layer(traces: &Arc<Traces>) -> impl Layer<Registry> + use<> {
    let (filter, handle) = reload::Layer::new(Switch { is_on: false });
    // One layer a process; a second would never be switched on.
    let _ = traces.switch.set(handle);
    layer::Operations::new(traces.clone()).with_filter(filter)
}

impl Traces {
    /// Begins to trace an account; none when too many trace already.
    pub(crate) fn follow(self: &Arc<Self>, account: &str) -> Option<Follower> {
        let mut list = self.list();
        if list.len() >= TRACES_MAX {
            return None;
        }
        let (sender, operations) = mpsc::channel(OPERATIONS_MAX);
        let trace = Arc::new(Trace {
            account: account.to_lowercase(),
            operations: sender,
            missed: AtomicU64::new(0),
        });
        list.push(trace.clone());
        drop(list);
        self.turn(true);
        Some(Follower {
            traces: self.clone(),
            trace,
            operations,
        })
    }

    /// Those who trace an account.
    fn of(&self, account: &str) -> Vec<Arc<Trace>> {
        let account = account.to_lowercase();
        let list = self.list();
        let of_it = list.iter().filter(|trace| trace.account == account);
        of_it.cloned().collect()
    }

    fn end(&self, trace: &Arc<Trace>) {
        let mut list = self.list();
        list.retain(|known| !Arc::ptr_eq(known, trace));
        let is_last = list.is_empty();
        drop(list);
        if is_last {
            self.turn(false);
        }
    }

    /// Switches the spans on or off, in the whole process.
    fn turn(&self, is_on: bool) {
        if let Some(switch) = self.switch.get()
            && let Err(error) = switch.reload(Switch { is_on })
        {
            tracing::warn!(%error, "traces cannot be switched on or off");
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Trace>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trace {
    fn tell(&self, operation: &Arc<Operation>) {
        if self.operations.try_send(operation.clone()).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Follower {
    /// The next operation that has ended, and how many were missed before it.
    pub(crate) async fn next(&mut self) -> Option<(Arc<Operation>, u64)> {
        let operation = self.operations.recv().await?;
        Some((operation, self.trace.missed.swap(0, Ordering::Relaxed)))
    }

    /// An operation that has ended by now.
    #[cfg(test)]
    pub(crate) fn ended(&mut self) -> Option<(Arc<Operation>, u64)> {
        let operation = self.operations.try_recv().ok()?;
        Some((operation, self.trace.missed.swap(0, Ordering::Relaxed)))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.traces.end(&self.trace);
    }
}

/// Lets the spans through, or not.
#[derive(Debug)]
struct Switch {
    is_on: bool,
}

impl Switch {
    fn lets_through(&self, metadata: &Metadata<'_>) -> bool {
        self.is_on && metadata.target() == TARGET
    }
}

impl<S> Filter<S> for Switch {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.lets_through(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.lets_through(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.is_on {
            true => LevelFilter::TRACE,
            false => LevelFilter::OFF,
        })
    }
}
