//! One open mailbox: its handles, its notices, and the queue through which all its writes go.

use std::{
    collections::VecDeque,
    io,
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
    mirror::{Left, Uses},
    schema::Use,
    segments::{Appender, Segments},
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
    pub(crate) appender: Appender,
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
    /// When bodies of a mirror were read.
    pub(crate) uses: Uses,
    /// What left folders of a mirror of late.
    pub(crate) left: Left,
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
            uses: Uses::default(),
            left: Left::default(),
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

    /// Whether the mailbox was removed.
    pub(crate) fn is_retired(&self) -> bool {
        lock(&self.usage).removed
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
                    self.check_syncs()?;
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

    /// The contents, one transaction, then the answers, then what nobody waits for.
    fn write(&self, handle: &mut Handle, ops: &mut Vec<Box<dyn Grouped>>) -> Result<()> {
        self.check_syncs()?;
        self.store_contents(ops);
        let committed = self.noting_lost_syncs(commit(&handle.conn, self, ops));
        for notice in committed? {
            self.notify(notice);
        }
        answer(std::mem::take(ops), Ok(()));
        self.noting_lost_syncs(self.tend_log(handle))
    }

    /// Makes durable what the rows will refer to. An operation whose contents fail is not run.
    fn store_contents(&self, ops: &mut [Box<dyn Grouped>]) {
        let (mut waiting, mut contents) = (Vec::new(), Vec::new());
        for op in ops {
            let needed = op.take_contents();
            if !needed.is_empty() {
                waiting.push(op);
                contents.push(needed);
            }
        }
        if !contents.is_empty() {
            let stored = self.shared.appender.append(contents);
            waiting
                .into_iter()
                .zip(stored)
                .for_each(|(op, stored)| op.contents_stored(stored));
        }
    }

    fn check_syncs(&self) -> Result<()> {
        match self.shared.failed.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(Fail::new(
                ErrorKind::Unavailable,
                "a sync failed earlier; the store must be opened again",
            )),
        }
    }

    /// After a sync that failed nothing may be acknowledged on these files any more.
    pub(crate) fn noting_lost_syncs<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(fail) = &done
            && fail.lost_sync()
        {
            tracing::error!(
                ?fail,
                "a sync failed: nothing more is written until the store is opened again"
            );
            self.shared.failed.store(true, Ordering::Release);
        }
        done
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
            Err(error) => Err(again(error)),
        });
    }
}

/// The same failure for another caller; of its cause, only a full disk is told.
fn again(error: &Error) -> Error {
    let context = error.context.clone();
    match error.is_disk_full() {
        true => Error::with_source(
            error.kind,
            context,
            io::Error::from(io::ErrorKind::StorageFull),
        ),
        false => Error::new(error.kind, context),
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

#[cfg(test)]
mod tests {
    use mapi_store::{Backend, Principal, Store};
    use mapi_types::{Draft, FolderId, OwnedValue, PropBag, tags};

    use super::*;
    use crate::{OpenChange, engine::Engine};

    fn draft(text: &str) -> Draft {
        let subject = (tags::SUBJECT.tag(), OwnedValue::Str(text.into()));
        let filler = (tags::BODY.tag(), OwnedValue::Str("x".repeat(20_000).into()));
        Draft {
            key: None,
            message: Arc::default(),
            props: PropBag::from_iter([subject, filler]),
            prefix: bytes::Bytes::new(),
        }
    }

    async fn mailbox(
        dir: &std::path::Path,
    ) -> (OpenChange, Arc<Engine>, Arc<dyn Store>, Arc<Mailbox>) {
        let backend = OpenChange::open(dir, Options::default()).unwrap();
        let id = MailboxId("alice@example.test".into());
        backend.provision(&id).await.unwrap();
        let store = backend
            .logon(&Principal { user: id.0.clone() }, &id)
            .await
            .unwrap();
        let engine = Arc::clone(backend.engine());
        let mailbox = engine.mailbox(&id).await.unwrap();
        (backend, engine, store, mailbox)
    }

    /// Lets the file have this many pages more than it has; 0: as many as it likes.
    fn limit(mailbox: &Arc<Mailbox>, more: i64) {
        let (done, wait) = std::sync::mpsc::channel();
        mailbox.enqueue(Op::Alone(Box::new(move |handle| {
            let pages: i64 = handle
                .conn
                .pragma_query_value(None, "page_count", |row| row.get(0))
                .unwrap();
            let max = if more == 0 { 1 << 30 } else { pages + more };
            handle
                .conn
                .pragma_update_and_check(None, "max_page_count", max, |_| Ok(()))
                .unwrap();
            done.send(()).unwrap();
        })));
        wait.recv().unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_refuses_writes_whole_and_the_store_goes_on_when_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let (_backend, _engine, store, mailbox) = mailbox(dir.path()).await;
        let inbox = FolderId(1);
        store.save(inbox, &[draft("before")]).await.unwrap();
        let before = store.folder(inbox).await.unwrap();
        limit(&mailbox, 10);
        for _ in 0..3 {
            let many = [draft("a"), draft("b"), draft("c")];
            let refused = store.save(inbox, &many).await.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::Unavailable);
            assert!(refused.is_disk_full(), "{refused:?}");
            assert_eq!(store.folder(inbox).await.unwrap(), before);
        }
        limit(&mailbox, 0);
        let saved = store.save(inbox, &[draft("after")]).await.unwrap();
        assert_eq!(saved[0].number, before.next_number);
    }

    #[tokio::test]
    async fn after_a_lost_sync_nothing_is_acknowledged_and_reading_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (_backend, engine, store, mailbox) = mailbox(dir.path()).await;
        let lost = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        let lost = Fail::Sql(rusqlite::Error::SqliteFailure(lost, None));
        assert!(mailbox.noting_lost_syncs(Err::<(), _>(lost)).is_err());
        assert!(engine.shared.failed.load(Ordering::Acquire));
        let refused = store.save(FolderId(1), &[draft("late")]).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Unavailable);
        assert_eq!(store.folder(FolderId(1)).await.unwrap().items, 0);
    }
}
