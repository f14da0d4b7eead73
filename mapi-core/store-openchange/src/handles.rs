//! Idle database handles of all mailboxes: a bounded pool, the least recently used is closed first.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use mapi_types::MailboxId;
use rusqlite::Connection;

use crate::{
    fail::Result,
    schema::{self, Use},
};

/// A database handle of one mailbox.
pub(crate) struct Handle {
    pub(crate) conn: Connection,
    purpose: Use,
    /// Pages in the write-ahead log after the last commit of this handle.
    wal_pages: Arc<AtomicU32>,
}

impl Handle {
    pub(crate) fn open(path: &Path, purpose: Use) -> Result<Self> {
        let mut conn = schema::connect(path, purpose)?;
        let wal_pages = Arc::new(AtomicU32::new(0));
        if purpose == Use::Writing {
            let pages = Arc::clone(&wal_pages);
            conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count| {
                pages.store(u32::try_from(count).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))?;
        }
        Ok(Self {
            conn,
            purpose,
            wal_pages,
        })
    }

    pub(crate) fn wal_pages(&self) -> u32 {
        self.wal_pages.load(Ordering::Relaxed)
    }

    /// Copies the write-ahead log into the mailbox file, as far as no reader is in the way, so that the next write
    /// begins the log anew.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        self.conn
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        self.wal_pages.store(0, Ordering::Relaxed);
        Ok(())
    }
}

/// See the module.
pub(crate) struct Handles {
    idle: Mutex<VecDeque<(MailboxId, Handle)>>,
    max: usize,
}

impl Handles {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            idle: Mutex::default(),
            max,
        }
    }

    fn idle(&self) -> MutexGuard<'_, VecDeque<(MailboxId, Handle)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle of this mailbox used last, if one is idle.
    pub(crate) fn take(&self, mailbox: &MailboxId, purpose: Use) -> Option<Handle> {
        let mut idle = self.idle();
        let at = idle
            .iter()
            .rposition(|(id, handle)| id == mailbox && handle.purpose == purpose)?;
        idle.remove(at).map(|(_, handle)| handle)
    }

    /// Gives a handle back.
    pub(crate) fn put(&self, mailbox: &MailboxId, handle: Handle) {
        let mut idle = self.idle();
        idle.push_back((mailbox.clone(), handle));
        let oldest = if idle.len() > self.max {
            idle.pop_front()
        } else {
            None
        };
        // Closing a handle may copy its log: not under the lock.
        drop(idle);
        drop(oldest);
    }

    /// Closes the idle handles of a mailbox.
    pub(crate) fn close(&self, mailbox: &MailboxId) {
        let mut closed = Vec::new();
        let mut idle = self.idle();
        while let Some(at) = idle.iter().position(|(id, _)| id == mailbox) {
            closed.extend(idle.remove(at));
        }
        drop(idle);
        drop(closed);
    }

    /// Closes every idle handle.
    pub(crate) fn close_all(&self) {
        let closed = std::mem::take(&mut *self.idle());
        drop(closed);
    }
}
