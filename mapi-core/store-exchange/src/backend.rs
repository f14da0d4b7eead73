//! The server as a [`Backend`]: users with their sessions, mailboxes with their mirrors.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use mapi_store::{Backend, Error, ErrorKind, Principal, Result, Store, Task};
use mapi_types::MailboxId;
use store_openchange::{Mirror, OpenChange};

use crate::{
    Options,
    auth::{Credentials, Policy},
    discover::{self, Locator},
    http::Client,
    mailbox::Mailbox,
    remote::{Remote, Sessions},
    session::{Locate, Session, StoreName, Times},
    store::ExchangeStore,
};

/// Mailboxes on one Exchange organisation. One for each that is configured.
pub struct Exchange {
    mirrors: Arc<OpenChange>,
    client: Client,
    discover: discover::Options,
    options: Options,
    users: Mutex<HashMap<String, User>>,
    mailboxes: Mutex<HashMap<MailboxId, Weak<Mailbox>>>,
}

/// Somebody who has signed in, or whose credentials are configured.
#[derive(Clone)]
struct User {
    sessions: Sessions,
    locator: Arc<Locator>,
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
            options,
            users: Mutex::default(),
            mailboxes: Mutex::default(),
        })
    }

    /// Lets a user in: finds the mailbox and connects with these credentials, which are kept in memory alone.
    ///
    /// Errors: `Unauthenticated`, `Denied`, `Unavailable`, `Throttled`.
    pub async fn sign_in(
        &self,
        address: &str,
        credentials: Credentials,
        policy: Policy,
    ) -> Result<Principal> {
        let name = address.to_lowercase();
        let user = discover::User {
            address: name.clone(),
            credentials,
            policy,
        };
        let locator = Locator::new(self.client.clone(), user, self.discover.clone());
        let user = self.user(Arc::new(locator));
        self.remote(&user).await?.logon().await?;
        lock(&self.users).insert(name.clone(), user);
        Ok(Principal { user: name })
    }

    fn user(&self, locator: Arc<Locator>) -> User {
        let times = Times {
            busy_max: self.options.busy_max,
            unused_max: self.options.unused_max,
        };
        let session = || Session::start(Arc::clone(&locator) as Arc<dyn Locate>, times);
        User {
            sessions: Sessions {
                front: session(),
                back: session(),
            },
            locator,
        }
    }

    /// The user's own mailbox on the server.
    async fn remote(&self, user: &User) -> Result<Remote> {
        let located = user.locator.locate(false).await?;
        let store = StoreName::Mailbox(located.user_dn);
        Ok(Remote::new(user.sessions.clone(), store))
    }

    async fn open(&self, principal: &Principal, id: &MailboxId) -> Result<Arc<dyn Store>> {
        if principal.user != id.0 {
            return Err(Error::new(
                ErrorKind::Denied,
                "mailboxes of others are not open on this server",
            ));
        }
        let open = lock(&self.mailboxes).get(id).and_then(Weak::upgrade);
        let mailbox = match open {
            Some(mailbox) => mailbox,
            None => self.mailbox(principal, id).await?,
        };
        Ok(Arc::new(ExchangeStore {
            inner: mailbox.mirror.store_for(principal),
            mailbox,
        }))
    }

    async fn mailbox(&self, principal: &Principal, id: &MailboxId) -> Result<Arc<Mailbox>> {
        let user = lock(&self.users).get(&principal.user).cloned();
        let user = user.ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "the user has not signed in since the gateway started",
            )
        })?;
        let remote = self.remote(&user).await?;
        let mirror = self.mirror(&remote, id).await?;
        let fresh = mirror.hierarchy_state().await?.is_none();
        let mailbox = Mailbox::new(mirror, remote, self.options.clone());
        if fresh {
            mailbox.sync_hierarchy().await?;
        }
        // Of two that open it at once, one is dropped.
        let mut open = lock(&self.mailboxes);
        if let Some(other) = open.get(id).and_then(Weak::upgrade) {
            return Ok(other);
        }
        open.retain(|_, mailbox| mailbox.strong_count() > 0);
        open.insert(id.clone(), Arc::downgrade(&mailbox));
        Ok(mailbox)
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
}

impl Backend for Exchange {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(self.open(principal, mailbox))
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
        Box::pin(async move { self.mirrors.remove_mirror(mailbox).await })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
