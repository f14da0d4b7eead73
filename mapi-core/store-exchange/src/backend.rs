//! The server as a [`Backend`]: users with their sessions, mailboxes with their mirrors.

mod addresses;
mod elsewhere;
mod free_busy;
mod mirrors;
mod opening;
mod people;
mod queues;
mod reach;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::BoxFuture;
use mapi_store::{Backend, Error, ErrorKind, FreeBusy, Principal, Result, Store, Task};
use mapi_types::{FileTime, FolderId, MailboxId};
use store_openchange::{Mirror, OpenChange};

use self::elsewhere::Elsewhere;
pub use self::reach::{Kind, Reachable};
pub(crate) use self::{people::People, queues::Queues};
use crate::{
    Options,
    address_book::AddressBook,
    auth::{Credentials, Policy},
    discover::{self, Locator},
    fault,
    http::Client,
    mailbox::Circle,
    remote::{Remote, Sessions},
    session::{Locate, Located, Session, StoreName, Times},
};

/// Mailboxes on one Exchange organisation. One for each that is configured.
pub struct Exchange {
    mirrors: Arc<OpenChange>,
    client: Client,
    discover: discover::Options,
    options: Options,
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

/// Where a user's mailbox is, asked for with the credentials that were given last. Sessions outlive these.
struct Place {
    locator: Mutex<Arc<Locator>>,
    /// An administrator gave the credentials: what the user signs in with does not take their place.
    configured: bool,
    /// The server has refused the credentials since they were given.
    refused: AtomicBool,
}

impl Place {
    fn new(locator: Locator, configured: bool) -> Arc<Self> {
        Arc::new(Self {
            locator: Mutex::new(Arc::new(locator)),
            configured,
            refused: AtomicBool::new(false),
        })
    }

    fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// Whether the credentials are the user's own and as good as when they were given.
    fn is_trusted(&self) -> bool {
        !self.configured && !self.is_refused()
    }

    fn locator(&self) -> Arc<Locator> {
        Arc::clone(&lock(&self.locator))
    }

    /// Takes the credentials of another for what comes.
    fn become_like(&self, other: &Self) {
        *lock(&self.locator) = other.locator();
        self.refused.store(false, Ordering::Release);
    }
}

impl Locate for Place {
    fn locate(&self, anew: bool) -> BoxFuture<'_, fault::Result<Located>> {
        let locator = self.locator();
        Box::pin(async move { locator.locate(anew).await })
    }

    fn refused(&self) {
        self.refused.store(true, Ordering::Release);
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
            client,
            discover,
            queues: Queues::new(&options.name),
            options,
            users: Mutex::default(),
            mailboxes: Mutex::default(),
        })
    }

    /// Lets a user in: finds the mailbox and connects with these credentials, which are kept in memory alone.
    ///
    /// The principal has the mailbox's primary address, where that is of the same domain: an alias leads to the same
    /// mailbox and the same mirror. Whoever has signed in before goes on with these credentials from the next session
    /// context on. Errors: `Unauthenticated`, `Denied`, `Unavailable`, `Throttled`.
    pub async fn sign_in(
        &self,
        address: &str,
        credentials: Credentials,
        policy: Policy,
    ) -> Result<Principal> {
        let given = address.to_lowercase();
        let place = Place::new(self.locator(&given, credentials, policy), false);
        let session = self.session(&place);
        let front = Sessions {
            front: session.clone(),
            back: session.clone(),
        };
        remote(&front, &place).await?.logon().await?;
        let name = place.primary_address(given).await;
        let mut users = lock(&self.users);
        match users.get(&name) {
            Some(user) if user.place.configured => {}
            Some(user) => user.place.become_like(&place),
            None => {
                let sessions = Sessions {
                    front: session,
                    back: self.session(&place),
                };
                users.insert(name.clone(), User::new(sessions, place));
            }
        }
        Ok(Principal { user: name })
    }

    /// Asks the server whether it still takes what a user last signed in with. One request; none when the server has
    /// refused it since, or nobody has signed in: then the answer is `false`.
    ///
    /// Errors: `Denied`, `Unavailable`, `Throttled`.
    pub async fn confirm(&self, address: &str) -> Result<bool> {
        let user = lock(&self.users).get(address).cloned();
        let Some(user) = user.filter(|user| user.place.is_trusted()) else {
            return Ok(false);
        };
        let asked = async {
            let remote = remote(&user.sessions, &user.place).await?;
            Ok::<_, Error>(remote.logon().await?)
        };
        match asked.await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Unauthenticated => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a user has signed in, and the server has not refused the credentials since.
    pub fn is_signed_in(&self, address: &str) -> bool {
        let users = lock(&self.users);
        users
            .get(address)
            .is_some_and(|user| user.place.is_trusted())
    }

    /// Whether there are credentials for a mailbox that the server has not refused.
    pub fn can_open(&self, mailbox: &MailboxId) -> bool {
        let users = lock(&self.users);
        let user = users.get(&mailbox.0);
        user.is_some_and(|user| !user.place.is_refused())
    }

    /// Gives credentials for a mailbox that must work although nobody signs in, or other ones than before. Nothing is
    /// asked of the server yet.
    pub fn add_account(&self, address: &str, credentials: Credentials, policy: Policy) {
        let name = address.to_lowercase();
        let place = Place::new(self.locator(&name, credentials, policy), true);
        let mut users = lock(&self.users);
        match users.get(&name) {
            Some(user) if user.place.configured => user.place.become_like(&place),
            _ => {
                let sessions = Sessions {
                    front: self.session(&place),
                    back: self.session(&place),
                };
                users.insert(name, User::new(sessions, place));
            }
        }
    }

    fn locator(&self, name: &str, credentials: Credentials, policy: Policy) -> Locator {
        let user = discover::User {
            address: name.to_owned(),
            credentials,
            policy,
        };
        Locator::new(self.client.clone(), user, self.discover.clone())
    }

    fn session<L: Locate + 'static>(&self, place: &Arc<L>) -> Session {
        let times = Times {
            busy_max: self.options.busy_max,
            unused_max: self.options.unused_max,
        };
        Session::start(Arc::clone(place) as Arc<dyn Locate>, times)
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
        let open = lock(&self.mailboxes).get(mailbox).and_then(Weak::upgrade);
        open.is_some_and(|circle| circle.is_up_to_date())
    }

    /// Makes a folder of an open mailbox like the server's now, without waiting for a hint.
    ///
    /// Errors: `NotFound` (the mailbox is not open, or has no such folder), those of the server.
    pub async fn synchronize(&self, mailbox: &MailboxId, folder: FolderId) -> Result<()> {
        let open = lock(&self.mailboxes).get(mailbox).and_then(Weak::upgrade);
        let closed = || Error::new(ErrorKind::NotFound, "the mailbox is not open");
        open.ok_or_else(closed)?.synchronize(folder).await
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

/// The user's own mailbox on the server.
async fn remote(sessions: &Sessions, place: &Place) -> Result<Remote> {
    let located = place.locate(false).await?;
    let store = StoreName::Mailbox(located.user_dn);
    Ok(Remote::new(sessions.clone(), store))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
