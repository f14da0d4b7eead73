//! One open mailbox: its handles, its notices, and the queue through which all its writes go.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mapi_store::{Error, ErrorKind, Notice};
use mapi_types::MailboxId;
use tokio::sync::broadcast;

use crate::{
    Options,
    epoch::Epochs,
    fail::{Fail, Result},
    handles::{Handle, Handles},
    schema::Use,
    segments::{Append, Segments},
    work::Queue,
    write::{Grouped, commit},
};

/// What all mailboxes of a data folder share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) segments: Arc<Segments>,
    pub(crate) handles: Handles,
    pub(crate) epochs: Epochs,
    /// Mailboxes with writes to do.
    pub(crate) ready: Arc<Queue<Arc<Mailbox>>>,
    /// The way to the thread that writes contents.
    pub(crate) append: Append,
    /// A sync failed: nothing more is written.
    pub(crate) failed: Arc<AtomicBool>,
    /// The store is closing: long jobs end.
    pub(crate) closing: AtomicBool,
}

/// A write in a mailbox's queue.
pub(crate) enum Op {
    /// Shares a transaction with its neighbours.
    Grouped(Box<dyn Grouped>),
    /// Has the handle to itself, outside of any transaction.
    Alone(Box<dyn FnOnce(&mut Handle) + Send>),
}

/// A mailbox that somebody has open or that has writes to do.
pub(crate) struct Mailbox {
    pub(crate) id: MailboxId,
    pub(crate) path: PathBuf,
    /// What the item keys it makes begin with.
    pub(crate) replica: [u8; 16],
    pub(crate) shared: Arc<Shared>,
    pub(crate) notices: broadcast::Sender<Notice>,
    waiting: Mutex<Waiting>,
    usage: Mutex<Usage>,
    unused: Condvar,
}

#[derive(Default)]
struct Waiting {
    ops: VecDeque<Op>,
    /// Whether a writer thread has the mailbox or will get it.
    scheduled: bool,
}

#[derive(Default)]
struct Usage {
    /// Handles in use now.
    handles: usize,
    /// The mailbox was removed: no handle is given out any more.
    removed: bool,
}

impl Mailbox {
    pub(crate) fn new(
        id: MailboxId,
        path: PathBuf,
        replica: [u8; 16],
        shared: Arc<Shared>,
    ) -> Self {
        let notices = broadcast::channel(shared.options.notices_kept.max(1)).0;
        Self {
            id,
            path,
            replica,
            shared,
            notices,
            waiting: Mutex::default(),
            usage: Mutex::default(),
            unused: Condvar::new(),
        }
    }

    /// Tells whoever listens; nobody need.
    pub(crate) fn notify(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    /// Adds a write and has it done.
    pub(crate) fn enqueue(self: &Arc<Self>, op: Op) {
        let mut waiting = lock(&self.waiting);
        waiting.ops.push_back(op);
        if !std::mem::replace(&mut waiting.scheduled, true) {
            drop(waiting);
            self.shared.ready.push(Arc::clone(self));
        }
    }

    /// Runs `work` with a handle. Errors: `NotFound` once the mailbox was removed.
    pub(crate) fn with_handle<T>(
        &self,
        purpose: Use,
        work: impl FnOnce(&mut Handle) -> Result<T>,
    ) -> Result<T> {
        let _guard = self.begin_use()?;
        let mut handle = match self.shared.handles.take(&self.id, purpose) {
            Some(handle) => handle,
            None => Handle::open(&self.path, purpose)?,
        };
        let done = work(&mut handle);
        // After a failure of the file the next use begins with a new handle.
        if !matches!(&done, Err(Fail::Sql(_) | Fail::Io(_))) {
            self.shared.handles.put(&self.id, handle);
        }
        done
    }

    /// Runs `work` with the file itself. Errors: `NotFound` once the mailbox was removed.
    pub(crate) fn with_file<T>(&self, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let _guard = self.begin_use()?;
        work(&self.path)
    }

    fn begin_use(&self) -> Result<InUse<'_>> {
        let mut usage = lock(&self.usage);
        if usage.removed {
            return Err(Fail::not_found("the mailbox was removed"));
        }
        usage.handles += 1;
        Ok(InUse(self))
    }

    /// Waits until no handle is in use, closes all and gives out none any more. Blocks.
    pub(crate) fn retire(&self) {
        let mut usage = lock(&self.usage);
        usage.removed = true;
        while usage.handles > 0 {
            usage = self
                .unused
                .wait(usage)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(usage);
        self.shared.handles.close(&self.id);
    }

    /// Does the waiting writes, one transaction's worth, and comes back for the rest. For writer threads.
    pub(crate) fn serve(self: Arc<Self>) {
        loop {
            let batch = self.next_batch();
            if catch_unwind(AssertUnwindSafe(|| self.run(batch))).is_err() {
                // The transaction ended with its handle, and the answers were dropped unsent.
                tracing::error!("a write panicked");
            }
            let mut waiting = lock(&self.waiting);
            if waiting.ops.is_empty() {
                waiting.scheduled = false;
                return;
            }
            drop(waiting);
            // Others get their turn first; when the store is closing there is no queue any more.
            if self.shared.ready.push(Arc::clone(&self)) {
                return;
            }
        }
    }

    fn next_batch(&self) -> Batch {
        let mut waiting = lock(&self.waiting);
        let mut grouped = Vec::new();
        while grouped.len() < self.shared.options.batch_max.max(1) {
            match waiting.ops.pop_front() {
                Some(Op::Grouped(op)) => grouped.push(op),
                Some(Op::Alone(op)) if grouped.is_empty() => return Batch::Alone(op),
                Some(op) => {
                    waiting.ops.push_front(op);
                    break;
                }
                None => break,
            }
        }
        Batch::Grouped(grouped)
    }

    fn run(&self, batch: Batch) {
        match batch {
            Batch::Alone(op) => {
                // Dropping the operation unrun tells its caller.
                let done = self.with_handle(Use::Writing, |handle| {
                    op(handle);
                    Ok(())
                });
                if let Err(fail) = done {
                    tracing::warn!(?fail, "a mailbox cannot be opened for writing");
                }
            }
            Batch::Grouped(mut ops) => {
                let done = self.with_handle(Use::Writing, |handle| self.write(handle, &mut ops));
                if let Err(fail) = done {
                    tracing::warn!(?fail, "a mailbox could not be written");
                    answer(ops, Err(fail));
                }
            }
        }
    }

    /// One transaction, then the answers, then what nobody waits for.
    fn write(&self, handle: &mut Handle, ops: &mut Vec<Box<dyn Grouped>>) -> Result<()> {
        if self.shared.failed.load(Ordering::Acquire) {
            return Err(Fail::new(
                ErrorKind::Unavailable,
                "a sync failed earlier; the store must be opened again",
            ));
        }
        let committed = commit(&handle.conn, self, ops);
        if let Err(fail) = &committed
            && fail.lost_sync()
        {
            tracing::error!(
                ?fail,
                "a sync failed: nothing more is written until the store is opened again"
            );
            self.shared.failed.store(true, Ordering::Release);
        }
        for notice in committed? {
            self.notify(notice);
        }
        answer(std::mem::take(ops), Ok(()));
        self.tend_log(handle)
    }

    /// Copies the log into the mailbox file when it has grown, rather while nobody waits.
    fn tend_log(&self, handle: &Handle) -> Result<()> {
        const PAGE_BYTES: u64 = 4096;
        let octets = u64::from(handle.wal_pages()) * PAGE_BYTES;
        let idle = || lock(&self.waiting).ops.is_empty();
        let options = &self.shared.options;
        if octets >= options.wal_bytes_max || (octets >= options.wal_bytes_idle && idle()) {
            handle.checkpoint()?;
        }
        Ok(())
    }
}

enum Batch {
    Grouped(Vec<Box<dyn Grouped>>),
    Alone(Box<dyn FnOnce(&mut Handle) + Send>),
}

/// Answers every operation; what the transaction as a whole met counts for each.
fn answer(ops: Vec<Box<dyn Grouped>>, committed: Result<()>) {
    let committed = committed.map_err(Error::from);
    for op in ops {
        op.answer(match &committed {
            Ok(()) => Ok(()),
            Err(error) => Err(Error::new(error.kind, error.context.clone())),
        });
    }
}

struct InUse<'m>(&'m Mailbox);

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        let mut usage = lock(&self.0.usage);
        usage.handles -= 1;
        if usage.handles == 0 {
            self.0.unused.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
