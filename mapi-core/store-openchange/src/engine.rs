//! What an open data folder runs on: its threads, its files and the mailboxes in use.

use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use mapi_store::{Error, ErrorKind, Notice, Result, Role};
use mapi_types::{Content, MailboxId};
use rusqlite::params;
use tokio::sync::{Semaphore, oneshot};

use crate::{
    Options,
    epoch::Epochs,
    fail::{self, Fail},
    files,
    handles::Handles,
    layout::{Layout, beside},
    mailbox::{Mailbox, Op, Shared},
    read::{Snapshot, snapshot},
    schema::{self, Use},
    segments::{Appender, Segments},
    store::dropped,
    work::Pool,
    write::{self, Tx, Write},
};

type Job = Box<dyn FnOnce() + Send>;

/// See the module. The fields are in the order in which they must go: the threads first, the lock last.
pub(crate) struct Engine {
    readers: Pool<Job>,
    _writers: Pool<Arc<Mailbox>>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) layout: Layout,
    mailboxes: Mutex<HashMap<MailboxId, Weak<Mailbox>>>,
    /// Held for writing while a mailbox is made or removed, for reading while one is opened.
    existence: Arc<tokio::sync::RwLock<()>>,
    /// Held by the one job on the whole folder that may run, to its end even when nobody waits for it any more.
    pub(crate) maintenance: Arc<tokio::sync::Mutex<()>>,
    reads: Semaphore,
    writes: Arc<Semaphore>,
    _lock: File,
}

impl Engine {
    /// Errors: `Unavailable` when another process has the folder open.
    pub(crate) fn open(path: &Path, options: Options) -> fail::Result<Arc<Self>> {
        let layout = Layout::new(path);
        files::make_dir(layout.root())?;
        let lock = lock_folder(&layout)?;
        files::make_dir(&layout.mailboxes())?;
        layout.remove_unfinished()?;
        let failed = Arc::new(AtomicBool::new(false));
        let (segments, tail) = Segments::open(&layout.segments())?;
        let appender = Appender::new(
            Arc::clone(&segments),
            tail,
            options.segment_bytes_max,
            Arc::clone(&failed),
        );
        let writers = Pool::start("writer", options.writer_threads, Mailbox::serve)?;
        let readers = Pool::start("reader", options.reader_threads, |job: Job| job())?;
        let (reads, writes) = (
            options.reads_pending_max.max(1),
            options.writes_pending_max.max(1),
        );
        let shared = Shared {
            segments,
            handles: Handles::new(options.idle_handles_max),
            epochs: Epochs::open(layout.epoch())?,
            ready: Arc::clone(writers.queue()),
            appender,
            failed,
            closing: AtomicBool::new(false),
            options,
        };
        Ok(Arc::new(Self {
            readers,
            _writers: writers,
            shared: Arc::new(shared),
            layout,
            mailboxes: Mutex::default(),
            existence: Arc::default(),
            maintenance: Arc::default(),
            reads: Semaphore::new(reads),
            writes: Arc::new(Semaphore::new(writes)),
            _lock: lock,
        }))
    }

    fn mailboxes(&self) -> MutexGuard<'_, HashMap<MailboxId, Weak<Mailbox>>> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs blocking work on a reading thread.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        let _permit = self.reads.acquire().await.map_err(|_| dropped())?;
        let (reply, answer) = oneshot::channel();
        self.readers.queue().push(Box::new(move || {
            // Whoever asked may have gone away meanwhile.
            if !reply.is_closed() {
                let _ = reply.send(work().map_err(Error::from));
            }
        }));
        answer.await.map_err(|_| dropped())?
    }

    /// Reads one state of a mailbox.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        mailbox: &Arc<Mailbox>,
        work: impl FnOnce(&Snapshot<'_>) -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        let mailbox = Arc::clone(mailbox);
        let work = move || {
            mailbox.with_handle(Use::Reading, |handle| {
                snapshot(&handle.conn, &mailbox.shared.segments, work)
            })
        };
        self.blocking(work).await
    }

    /// Changes a mailbox once `contents` are durable. What was begun is finished although the caller goes away.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        mailbox: &Arc<Mailbox>,
        contents: Vec<Content>,
        mut work: impl FnMut(&mut Tx<'_>) -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.writes)
            .acquire_owned()
            .await
            .map_err(|_| dropped())?;
        let (reply, answer) = oneshot::channel();
        let work = move |tx: &mut Tx<'_>| {
            let _held = &permit;
            work(tx)
        };
        mailbox.enqueue(Op::Grouped(Write::boxed(contents, work, reply)));
        answer.await.map_err(|_| dropped())?
    }

    /// The mailbox, if somebody has it open.
    fn opened(&self, id: &MailboxId) -> Option<Arc<Mailbox>> {
        self.mailboxes()
            .get(id)
            .and_then(Weak::upgrade)
            .filter(|mailbox| !mailbox.is_retired())
    }

    /// Opens a mailbox, or joins those that have it open.
    pub(crate) async fn mailbox(&self, id: &MailboxId) -> Result<Arc<Mailbox>> {
        if let Some(open) = self.opened(id) {
            return Ok(open);
        }
        let path = self.layout.mailbox(id)?;
        let existing = Arc::clone(&self.existence).read_owned().await;
        let (replica, _existing) = {
            let path = path.clone();
            self.blocking(move || Ok((open_file(&path)?, existing)))
                .await?
        };
        let mailbox = Arc::new(Mailbox::new(
            id.clone(),
            path,
            replica,
            Arc::clone(&self.shared),
        ));
        let mut mailboxes = self.mailboxes();
        mailboxes.retain(|_, mailbox| mailbox.strong_count() > 0);
        // Somebody may have been faster; then that one is everybody's.
        if let Some(open) = mailboxes
            .get(id)
            .and_then(Weak::upgrade)
            .filter(|open| !open.is_retired())
        {
            return Ok(open);
        }
        mailboxes.insert(id.clone(), Arc::downgrade(&mailbox));
        Ok(mailbox)
    }

    /// Makes a mailbox with its special folders; it is there whole or not at all.
    pub(crate) async fn provision(&self, id: &MailboxId) -> Result<()> {
        self.make(id, |tx| {
            let mut roles = Role::ALL.into_iter();
            roles.try_for_each(|role| write::insert_special(tx, role))
        })
        .await
    }

    /// Makes a mailbox and what `furnish` puts into it; it is there whole or not at all.
    pub(crate) async fn make(
        &self,
        id: &MailboxId,
        furnish: impl FnOnce(&mut Tx<'_>) -> fail::Result<()> + Send + 'static,
    ) -> Result<()> {
        let (path, shared, id) = (
            self.layout.mailbox(id)?,
            Arc::clone(&self.shared),
            id.clone(),
        );
        let alone = Arc::clone(&self.existence).write_owned().await;
        self.blocking(move || {
            let _alone = alone;
            if path.exists() {
                return Err(Fail::new(ErrorKind::Exists, "the mailbox exists"));
            }
            make_file(id, path, shared, furnish)
        })
        .await
    }

    /// Removes a mailbox; whoever has it open finds nothing any more.
    pub(crate) async fn remove(&self, id: &MailboxId) -> Result<()> {
        let (path, shared, id) = (
            self.layout.mailbox(id)?,
            Arc::clone(&self.shared),
            id.clone(),
        );
        let alone = Arc::clone(&self.existence).write_owned().await;
        let open = self.opened(&id);
        self.blocking(move || {
            let _alone = alone;
            if !path.exists() {
                return Err(Fail::not_found("no such mailbox"));
            }
            if let Some(mailbox) = &open {
                mailbox.retire();
            }
            shared.handles.close(&id);
            remove_file(&path)?;
            if let Some(mailbox) = open {
                mailbox.notify(Notice::Hierarchy);
            }
            Ok(())
        })
        .await
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        // Closing the last handle of a mailbox copies its log; the threads are still there for nobody.
        self.shared.handles.close_all();
    }
}

/// Takes the folder for this process.
pub(crate) fn lock_folder(layout: &Layout) -> fail::Result<File> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(layout.lock())?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Fail::new(
            ErrorKind::Unavailable,
            "another process has the data folder open",
        )),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Brings a mailbox file to this program's schema and reads what stays the same in it: the start of its keys.
fn open_file(path: &Path) -> fail::Result<[u8; 16]> {
    if !path.exists() {
        return Err(Fail::not_found("no such mailbox"));
    }
    let conn = schema::connect(path, Use::Writing)?;
    schema::upgrade(&conn)?;
    let replica: Vec<u8> = conn.query_row("SELECT replica FROM mailbox", [], |row| row.get(0))?;
    replica
        .try_into()
        .map_err(|_| Fail::corrupt("the mailbox has no identity"))
}

/// Makes a mailbox file under another name and gives it its own when it is durable.
fn make_file(
    id: MailboxId,
    path: std::path::PathBuf,
    shared: Arc<Shared>,
    furnish: impl FnOnce(&mut Tx<'_>) -> fail::Result<()>,
) -> fail::Result<()> {
    let new = beside(&path, ".new");
    remove_file(&new)?;
    let mut replica = [0; 16];
    getrandom::fill(&mut replica).map_err(|error| {
        Error::with_source(
            ErrorKind::Unavailable,
            "no randomness to be had",
            error.to_string(),
        )
    })?;
    {
        let conn = schema::create(&new)?;
        let tx = conn.unchecked_transaction()?;
        tx.execute(
            "INSERT INTO mailbox VALUES (1, ?1, ?2, 1, ?3, 0, ?4)",
            params![
                id.0,
                &replica[..],
                mapi_store::NAMED_ID_FIRST,
                write::empty_bag()?
            ],
        )?;
        let mailbox = Mailbox::new(id, path.clone(), replica, shared);
        furnish(&mut Tx::new(&tx, &mailbox))?;
        tx.commit()?;
        // Closing the only handle copies the log into the file and removes it.
        conn.close().map_err(|(_, error)| error)?;
    }
    File::open(&new)?.sync_all()?;
    // A removal that a crash cut short may have left its log, which would be taken for this file's.
    remove_file(&path)?;
    std::fs::rename(&new, &path)?;
    files::sync_parent(&path)?;
    Ok(())
}

/// Removes a mailbox file and what lies beside it, the log last: a file without its log would be an older state.
fn remove_file(path: &Path) -> fail::Result<()> {
    files::remove(path)?;
    for suffix in ["-wal", "-shm"] {
        files::remove(&beside(path, suffix))?;
    }
    files::sync_parent(path)?;
    Ok(())
}
