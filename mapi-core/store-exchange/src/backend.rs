//! The server as a [`Backend`]: users with their sessions, mailboxes with their mirrors.

mod addresses;
mod elsewhere;
mod entrance;
mod free_busy;
mod mirrors;
mod opening;
mod ownership;
mod people;
mod place;
mod queues;
mod reach;
mod sign_in;
mod web_service;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use mapi_store::{Backend, Error, ErrorKind, FreeBusy, Principal, Result, Store, Task};
use mapi_types::{FileTime, FolderId, MailboxId};
use store_openchange::{Mirror, OpenChange};

use self::{elsewhere::Elsewhere, place::Place};
pub use self::{
    entrance::Entrance,
    reach::{Kind, Reachable},
};
pub(crate) use self::{people::People, queues::Queues};
use crate::{
    Options,
    address_book::AddressBook,
    discover,
    http::Client,
    mailbox::Circle,
    remote::{Remote, Sessions},
    session::StoreName,
};

/// Mailboxes on one Exchange organisation. One for each that is configured.
pub struct Exchange {
    mirrors: Arc<OpenChange>,
    entrance: Entrance,
    users: Mutex<HashMap<String, User>>,
    mailboxes: Mutex<HashMap<MailboxId, Weak<Circle>>>,
    queues: Arc<Queues>,
}

/// Somebody who has signed in, or whose credentials are configured.
#[derive(Clone)]
struct User {
    sessions: Sessions,
    place: Arc<Place>,
    /// Sessions with other servers, for mailboxes that are there.
    elsewhere: Arc<Elsewhere>,
    book: Arc<AddressBook>,
    people: Arc<People>,
}

impl User {
    fn new(sessions: Sessions, place: Arc<Place>) -> Self {
        let current = Arc::clone(&place);
        let book = Arc::new(AddressBook::new(move || current.locator()));
        Self {
            people: People::new(Arc::clone(&place), Arc::clone(&book)),
            sessions,
            book,
            place,
            elsewhere: Arc::default(),
        }
    }
}

impl Exchange {
    /// Mailboxes whose mirrors lie in a data folder. Nothing is asked of the server yet.
    pub fn new(
        mirrors: Arc<OpenChange>,
        client: Client,
        discover: discover::Options,
        options: Options,
    ) -> Arc<Self> {
        Arc::new(Self {
            mirrors,
            queues: Queues::new(&options.name),
            entrance: Entrance::new(client, discover, options),
            users: Mutex::default(),
            mailboxes: Mutex::default(),
        })
    }

    /// Where its users come in.
    pub const fn entrance(&self) -> &Entrance {
        &self.entrance
    }

    /// The mirror of a mailbox. One that is there is opened also when the server is away.
    async fn mirror(&self, remote: &Remote, id: &MailboxId) -> Result<Mirror> {
        match remote.logon().await.map_err(Error::from) {
            Ok(logon) => self.mirrors.mirror(id, &logon.mailbox_guid.0).await,
            Err(error) if error.kind.is_transient() => {
                self.mirrors.find_mirror(id).await.map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the mirror of an open mailbox is like the server, as far as anybody has heard.
    pub fn is_up_to_date(&self, mailbox: &MailboxId) -> bool {
        self.opened(mailbox)
            .is_some_and(|circle| circle.is_up_to_date())
    }

    /// Asks the server of an open mailbox which folders changed although it told of no change, as is done now and then
    /// anyway; what did is looked at in the background. Errors: `NotFound` (the mailbox is not open).
    pub fn poll(&self, mailbox: &MailboxId) -> Result<()> {
        self.open_one(mailbox)?.poll();
        Ok(())
    }

    /// Makes a folder of an open mailbox like the server's now, without waiting for a hint.
    ///
    /// Errors: `NotFound` (the mailbox is not open, or has no such folder), those of the server.
    pub async fn synchronize(&self, mailbox: &MailboxId, folder: FolderId) -> Result<()> {
        self.open_one(mailbox)?.synchronize(folder).await
    }

    /// A mailbox that somebody has open. Errors: `NotFound`.
    fn open_one(&self, mailbox: &MailboxId) -> Result<Arc<Circle>> {
        let closed = || Error::new(ErrorKind::NotFound, "the mailbox is not open");
        self.opened(mailbox).ok_or_else(closed)
    }

    /// The same for the folder tree of an open mailbox.
    pub async fn synchronize_tree(&self, mailbox: &MailboxId) -> Result<()> {
        let open = lock(&self.mailboxes).get(mailbox).and_then(Weak::upgrade);
        let closed = || Error::new(ErrorKind::NotFound, "the mailbox is not open");
        open.ok_or_else(closed)?.synchronize_tree().await
    }
}

impl Backend for Exchange {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(self.open(principal, mailbox))
    }

    fn free_busy<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
        span: Range<FileTime>,
    ) -> Task<'a, FreeBusy> {
        Box::pin(self.busy(principal, mailbox, span))
    }

    fn provision<'a>(&'a self, _: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(async {
            Err(Error::new(
                ErrorKind::Unsupported,
                "mailboxes are made on the Exchange server",
            ))
        })
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        // What lies on the server stays there.
        Box::pin(async move {
            lock(&self.users).retain(|name, user| *name != mailbox.0 || user.place.configured);
            lock(&self.mailboxes).remove(mailbox);
            self.queues.forget(mailbox);
            self.mirrors.remove_mirror(mailbox).await
        })
    }
}

/// The user's own mailbox on the server. Nothing is asked: where it is, connecting finds.
fn remote(sessions: &Sessions) -> Remote {
    Remote::new(sessions.clone(), StoreName::Own)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
