//! The in-memory reference store: the semantics of [`Store`] with nothing else in the way.
//!
//! For tests and for reading: what another store does beyond this is performance or durability. Nothing survives the
//! backend. Epochs count up from 1, so that tests see the same values on every run.

mod access;
mod faults;
mod folder;
mod hierarchy;
mod item;
mod mailbox;
mod read;
mod recover;
mod store;
mod write;

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mapi_types::{FileTime, FolderId, MailboxId};

pub use self::faults::MemFaults;
use self::{
    mailbox::{Epochs, Mailbox},
    store::MemStore,
};
use crate::{
    Backend, Error, ErrorKind, FreeBusy, Principal, Result, Role, Store, Task,
    free_busy_by_permission,
};

/// Mailboxes in memory.
#[derive(Default)]
pub struct MemBackend {
    mailboxes: Mutex<BTreeMap<MailboxId, Shared>>,
    epochs: Arc<Epochs>,
    faults: Arc<MemFaults>,
    lazy: bool,
}

/// A mailbox that several stores have open.
type Shared = Arc<Mutex<Mailbox>>;

impl MemBackend {
    /// A backend without mailboxes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A backend whose items are not rendered when they are saved, but when somebody asks: as if all of them lay on a
    /// server elsewhere. See [`Store`].
    pub fn lazy() -> Self {
        Self {
            lazy: true,
            ..Self::default()
        }
    }

    /// What is to go wrong in this backend.
    pub fn faults(&self) -> Arc<MemFaults> {
        Arc::clone(&self.faults)
    }

    /// Gives a folder a new epoch, as restoring it would do. Nobody is notified. Errors: `NotFound`.
    pub fn renew_epoch(&self, mailbox: &MailboxId, folder: FolderId) -> Result<()> {
        lock(&*self.find(mailbox)?).renew_epoch(folder)
    }

    fn find(&self, id: &MailboxId) -> Result<Shared> {
        let mailboxes = lock(&self.mailboxes);
        mailboxes
            .get(id)
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "no such mailbox"))
    }

    fn make(&self, id: &MailboxId) -> Result<()> {
        let mut mailboxes = lock(&self.mailboxes);
        if mailboxes.contains_key(id) {
            return Err(Error::new(ErrorKind::Exists, "the mailbox exists"));
        }
        let (epochs, faults) = (Arc::clone(&self.epochs), Arc::clone(&self.faults));
        let mut mailbox = Mailbox::new(id.clone(), epochs, faults);
        mailbox.lazy = self.lazy;
        for role in Role::ALL {
            mailbox.add_special_folder(role);
        }
        mailboxes.insert(id.clone(), Arc::new(Mutex::new(mailbox)));
        Ok(())
    }
}

impl Backend for MemBackend {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(async move {
            let shared = self.find(mailbox)?;
            self.faults.call()?;
            if !lock(&shared).is_open_to(principal) {
                return Err(Error::new(
                    ErrorKind::Denied,
                    "nothing in the mailbox is visible",
                ));
            }
            Ok(Arc::new(MemStore::new(shared, principal.clone())) as Arc<dyn Store>)
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

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(async move { self.make(mailbox) })
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(async move {
            let removed = lock(&self.mailboxes).remove(mailbox);
            let shared =
                removed.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such mailbox"))?;
            lock(&shared).close();
            Ok(())
        })
    }
}

/// Locks, also after another thread panicked: every write checks first and then changes without failing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod eager {
    use std::sync::Arc;

    use super::MemBackend;
    use crate::contract::Fixture;

    async fn make_backend() -> Fixture {
        Fixture::new(Arc::new(MemBackend::new()))
    }

    crate::contract_tests!(make_backend);
    crate::own_contract_tests!(make_backend);
}

#[cfg(test)]
mod lazy {
    use std::sync::Arc;

    use super::MemBackend;
    use crate::contract::Fixture;

    async fn make_backend() -> Fixture {
        Fixture::new(Arc::new(MemBackend::lazy()))
    }

    crate::contract_tests!(make_backend);
    crate::own_contract_tests!(make_backend);
}

#[cfg(test)]
#[path = "mem/lazy_tests.rs"]
mod tests;
