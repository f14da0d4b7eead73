//! Handing work to threads: a queue, and the pool that reads.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use crate::fail::Result;

/// A queue that threads wait on. Bounded by who pushes: a store waits for a permit before it does.
pub(crate) struct Queue<T> {
    state: Mutex<(VecDeque<T>, bool)>,
    ready: Condvar,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new((VecDeque::new(), false)),
            ready: Condvar::new(),
        }
    }
}

impl<T> Queue<T> {
    fn state(&self) -> MutexGuard<'_, (VecDeque<T>, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds work and says whether it did: once the queue is closed it is dropped instead.
    pub(crate) fn push(&self, work: T) -> bool {
        let mut state = self.state();
        if state.1 {
            return false;
        }
        state.0.push_back(work);
        drop(state);
        self.ready.notify_one();
        true
    }

    /// The oldest work; waits for some. `None` when the queue is closed and empty.
    pub(crate) fn wait(&self) -> Option<T> {
        let mut state = self.state();
        loop {
            if let Some(work) = state.0.pop_front() {
                return Some(work);
            }
            if state.1 {
                return None;
            }
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more work; what waits is still done.
    pub(crate) fn close(&self) {
        self.state().1 = true;
        self.ready.notify_all();
    }
}

/// Threads that do what a queue holds; dropping the pool finishes what waits.
pub(crate) struct Pool<T: Send + 'static> {
    queue: Arc<Queue<T>>,
    threads: Vec<JoinHandle<()>>,
}

impl<T: Send + 'static> Pool<T> {
    /// Starts `count` threads that each call `run` on one piece of work at a time. A panic in it costs only that
    /// piece.
    pub(crate) fn start(name: &str, count: usize, run: fn(T)) -> Result<Self> {
        let queue = Arc::new(Queue::default());
        let mut pool = Self {
            queue,
            threads: Vec::new(),
        };
        for _ in 0..count.max(1) {
            let queue = Arc::clone(&pool.queue);
            let body = move || {
                while let Some(work) = queue.wait() {
                    let outcome =
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(work)));
                    if outcome.is_err() {
                        tracing::error!("a store thread panicked; its work was dropped");
                    }
                }
            };
            pool.threads
                .push(std::thread::Builder::new().name(name.into()).spawn(body)?);
        }
        Ok(pool)
    }

    pub(crate) fn queue(&self) -> &Arc<Queue<T>> {
        &self.queue
    }
}

impl<T: Send + 'static> Drop for Pool<T> {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
