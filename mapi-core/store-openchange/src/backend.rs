//! The embedded store as a backend.

use std::{ops::Range, path::Path, sync::Arc};

use mapi_store::{
    Backend, Error, ErrorKind, FreeBusy, Principal, Quota, Result, Store, Task,
    free_busy_by_permission,
};
use mapi_types::{FileTime, FolderId, MailboxId};

use crate::{
    Compacted, Fault, Options, Purged, access::Access, engine::Engine, fail::Fail,
    mirror::is_mirror, store::OpenStore,
};

/// A mirror is nobody's mailbox here: who opened it so would write past the remote.
fn no_mailbox() -> Fail {
    Fail::not_found("the mailbox is a mirror")
}

/// A data folder, open. Dropping the last store and this finishes what was begun and closes every file; it blocks
/// for as long as that takes.
pub struct OpenChange {
    pub(crate) engine: Arc<Engine>,
}

impl OpenChange {
    /// Opens a data folder, makes it if it is not there, and repairs what a crash left. Blocks.
    ///
    /// Errors: `Unavailable` (another process has it open, or the disk refuses), `Corrupt`.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self> {
        Ok(Self {
            engine: Engine::open(path.as_ref(), options)?,
        })
    }

    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Every mailbox there is. Blocks for one directory listing.
    pub fn mailboxes(&self) -> Result<Vec<MailboxId>> {
        let found = self
            .engine
            .layout
            .all_mailboxes()
            .map_err(crate::fail::Fail::from)?;
        Ok(found.into_iter().map(|(id, _)| id).collect())
    }

    /// Names every fault of the data folder: each database, each segment, and whether they fit together. Mailboxes
    /// are used meanwhile. Reads everything.
    pub async fn check(&self) -> Result<Vec<Fault>> {
        self.engine.check().await
    }

    /// Gives back the room of what no mailbox refers to any more. Mailboxes are used meanwhile.
    ///
    /// Errors: `Corrupt` when a mailbox cannot be read, for what it refers to must stay.
    pub async fn compact(&self) -> Result<Compacted> {
        self.engine.compact().await
    }

    /// Deletes for good what was softly deleted before a moment, in every mailbox and mirror, a few items at a time: whoever
    /// writes meanwhile waits for no more than that. [`Self::compact`] gives the room back. A mailbox that cannot be
    /// read is passed over.
    ///
    /// Errors: `Unavailable` (the store is closing, or its folder cannot be listed).
    pub async fn purge_deleted(&self, before: FileTime) -> Result<Purged> {
        self.engine.purge_deleted(before).await
    }

    /// Writes a mailbox as it is now, or one folder with its subfolders, to a file of its own that needs nothing
    /// else to be restored. The mailbox is used meanwhile.
    ///
    /// Errors: `NotFound`, `Exists` when there is such a file.
    pub async fn backup(
        &self,
        mailbox: &MailboxId,
        folder: Option<FolderId>,
        target: &Path,
    ) -> Result<()> {
        self.engine.backup(mailbox, folder, target.to_owned()).await
    }

    /// Makes a mailbox what it was when the backup was taken; one that is gone is made again. With `folder`, only
    /// that folder of the backup with its subfolders is brought back: where it is now, or where it was, or to the
    /// top. All of it or nothing; every restored folder begins a new epoch.
    ///
    /// Errors: `NotFound`, `Invalid` (no such backup), `Unsupported`.
    pub async fn restore(
        &self,
        mailbox: &MailboxId,
        folder: Option<FolderId>,
        source: &Path,
    ) -> Result<()> {
        self.engine
            .restore(mailbox, folder, source.to_owned())
            .await
    }
}

impl Backend for OpenChange {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(async move {
            let who = Access::new(principal, mailbox);
            let mailbox = self.engine.mailbox(mailbox).await?;
            let may_open = {
                let who = who.clone();
                self.engine
                    .read(&mailbox, move |at| {
                        if is_mirror(at.conn)? {
                            return Err(no_mailbox());
                        }
                        who.may_open(at.conn)
                    })
                    .await?
            };
            if !may_open {
                return Err(Error::new(
                    ErrorKind::Denied,
                    "nothing in the mailbox is visible",
                ));
            }
            Ok(Arc::new(OpenStore {
                engine: Arc::clone(&self.engine),
                mailbox,
                who,
                noting_uses: false,
            }) as Arc<dyn Store>)
        })
    }

    fn free_busy<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
        span: Range<FileTime>,
    ) -> Task<'a, FreeBusy> {
        Box::pin(async move {
            let owner = Principal {
                user: mailbox.0.clone(),
            };
            let owned = self.logon(&owner, mailbox).await?;
            let other = (principal.user != owner.user).then_some(principal);
            free_busy_by_permission(&*owned, other, span).await
        })
    }

    fn quota<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, Option<Quota>> {
        Box::pin(async move { Ok(Some(self.mailbox_quota(mailbox).await?.quota)) })
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(self.engine.provision(mailbox))
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(async move {
            let open = self.engine.mailbox(mailbox).await;
            if let Ok(open) = open
                && let Ok(true) = self.engine.read(&open, |at| is_mirror(at.conn)).await
            {
                return Err(no_mailbox().into());
            }
            self.engine.remove(mailbox).await
        })
    }
}
