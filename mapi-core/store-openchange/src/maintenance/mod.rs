//! What is done to a whole data folder or a whole mailbox, rarely: checking, compacting, backing up, restoring.
//!
//! One such job runs at a time, on a reading thread, while mailboxes are used. It ends early when the store closes.

mod backup;
mod check;
mod check_mirror;
mod compact;
mod fault;
mod purge;
mod restore;
mod restore_mirror;

use std::sync::{Arc, atomic::Ordering};

use mapi_store::{ErrorKind, Result};
use mapi_types::{Content, FolderId, MailboxId};

pub use compact::Compacted;
pub use fault::{Fault, FaultKind};
pub use purge::Purged;

use crate::{
    engine::Engine,
    fail::{self, Fail},
    mailbox::{Mailbox, Shared},
    mirror,
    segments::Pins,
};

/// What jobs work with.
struct Job {
    shared: Arc<Shared>,
}

impl Engine {
    /// Runs a job when no other runs.
    async fn maintain<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Job) -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        let alone = Arc::clone(&self.maintenance).lock_owned().await;
        let job = Job {
            shared: Arc::clone(&self.shared),
        };
        // The job goes on when its caller goes away, and so does the lock.
        self.blocking(move || {
            let _alone = alone;
            work(&job)
        })
        .await
    }

    /// Every mailbox, opened; and the faults of those that cannot be.
    async fn open_all(&self) -> Result<(Vec<Arc<Mailbox>>, Vec<Fault>)> {
        let (mut mailboxes, mut faults) = (Vec::new(), Vec::new());
        for (id, _) in self.layout.all_mailboxes().map_err(Fail::from)? {
            match self.mailbox(&id).await {
                Ok(mailbox) => mailboxes.push(mailbox),
                // Removed meanwhile.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => faults.push(Fault::unreadable(&id, &error)),
            }
        }
        Ok((mailboxes, faults))
    }

    /// Names every fault of the data folder.
    pub(crate) async fn check(&self) -> Result<Vec<Fault>> {
        let (mailboxes, mut faults) = self.open_all().await?;
        faults.append(
            &mut self
                .maintain(move |job| check::check(job, &mailboxes))
                .await?,
        );
        Ok(faults)
    }

    /// Gives back the room of what nobody refers to any more.
    ///
    /// Errors: besides the disk's, `Corrupt` when a mailbox cannot be read: what it refers to is not known then.
    pub(crate) async fn compact(&self) -> Result<Compacted> {
        let alone = Arc::clone(&self.maintenance).lock_owned().await;
        let job = Job {
            shared: Arc::clone(&self.shared),
        };
        // Whatever is provisioned from here on refers to nothing that leaves.
        let leaving = self
            .shared
            .segments
            .begin_leaving()
            .map_err(mapi_store::Error::from)?;
        let (mailboxes, faults) = self.open_all().await?;
        if !faults.is_empty() {
            return Err(mapi_store::Error::new(
                ErrorKind::Corrupt,
                "a mailbox cannot be read",
            ));
        }
        self.blocking(move || {
            let _alone = alone;
            compact::compact(&job, &mailboxes, leaving)
        })
        .await
    }

    /// Writes a mailbox, or one folder with its subfolders, to a file of its own, while it is used.
    pub(crate) async fn backup(
        &self,
        mailbox: &MailboxId,
        folder: Option<FolderId>,
        target: std::path::PathBuf,
    ) -> Result<()> {
        let mailbox = self.mailbox(mailbox).await?;
        self.maintain(move |job| backup::backup(job, &mailbox, folder, &target))
            .await
    }

    /// Brings back what such a file holds.
    pub(crate) async fn restore(
        &self,
        id: &MailboxId,
        folder: Option<FolderId>,
        source: std::path::PathBuf,
    ) -> Result<()> {
        let mailbox = match self.mailbox(id).await {
            Err(error) if error.kind == ErrorKind::NotFound && folder.is_none() => {
                let source = source.clone();
                let of_mirror = self
                    .blocking(move || Ok(restore_mirror::is_of_mirror(&source)))
                    .await?;
                if of_mirror {
                    self.make(id, |tx| mirror::found(tx.conn, b"")).await?;
                } else {
                    self.provision(id).await?;
                }
                self.mailbox(id).await?
            }
            found => found?,
        };
        self.maintain(move |job| restore::restore(job, &mailbox, folder, &source))
            .await
    }
}

impl Job {
    /// Errors: `Unavailable` when the store is closing.
    fn go_on(&self) -> fail::Result<()> {
        match self.shared.closing.load(Ordering::Acquire) {
            true => Err(Fail::new(ErrorKind::Unavailable, "the store is closing")),
            false => Ok(()),
        }
    }

    /// Stores contents and returns when they are durable.
    fn append(&self, contents: Vec<Content>) -> fail::Result<Pins> {
        self.shared.appender.append_one(contents)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{OpenChange, Options};

    #[tokio::test]
    async fn a_job_whose_caller_went_away_keeps_the_next_one_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let backend = OpenChange::open(dir.path(), Options::default()).unwrap();
        let engine = Arc::clone(backend.engine());
        let (begun, begins) = tokio::sync::oneshot::channel();
        let (finish, finished) = mpsc::channel::<()>();
        let job = engine.maintain(move |_| {
            begun.send(()).unwrap();
            finished.recv().unwrap_err();
            Ok(())
        });
        tokio::select! {
            _ = job => unreachable!("nothing ends it"),
            begun = begins => begun.unwrap(),
        }
        assert!(engine.maintenance.try_lock().is_err());
        drop(finish);
        engine.maintain(|_| Ok(())).await.unwrap();
    }
}
