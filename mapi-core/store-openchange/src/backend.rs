//! The embedded store as a backend.

use std::{path::Path, sync::Arc};

use mapi_store::{Backend, Error, ErrorKind, Principal, Result, Store, Task};
use mapi_types::MailboxId;

use crate::{Options, access::Access, engine::Engine, store::OpenStore};

/// A data folder, open. Dropping the last store and this finishes what was begun and closes every file; it blocks
/// for as long as that takes.
pub struct OpenChange {
    engine: Arc<Engine>,
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

    /// Every mailbox there is. Blocks for one directory listing.
    pub fn mailboxes(&self) -> Result<Vec<MailboxId>> {
        let found = self
            .engine
            .layout
            .all_mailboxes()
            .map_err(crate::fail::Fail::from)?;
        Ok(found.into_iter().map(|(id, _)| id).collect())
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
                    .read(&mailbox, move |at| who.may_open(at.conn))
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
            }) as Arc<dyn Store>)
        })
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(self.engine.provision(mailbox))
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(self.engine.remove(mailbox))
    }
}
