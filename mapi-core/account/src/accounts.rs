//! [`Accounts`]: all mailboxes the gateway serves.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use directory::{Address, Directory, ScramVerifier, Service, Verdict};
use mapi_store::{Backend, Error, ErrorKind, Principal, Quota, Result, Store};
use mapi_types::MailboxId;
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{
    Account, Options, Spool,
    account::Opened,
    cache::Objects,
    feed,
    mailbox::{Mailbox, lock},
    spool, traced,
};

/// All mailboxes the gateway serves. One a process.
pub struct Accounts {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) directory: Arc<Directory>,
    shared: Arc<Shared>,
    /// Open mailboxes, as long as anybody uses them.
    mailboxes: Mutex<HashMap<MailboxId, Weak<Mailbox>>>,
    /// Accounts kept open for the next session.
    opened: moka::sync::Cache<(Principal, MailboxId), Arc<Opened>>,
    password_checks: Arc<Semaphore>,
    /// What users send goes in here.
    pub(crate) queue: OnceLock<outbound::Queue>,
}

/// What every account and every spool needs.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) objects: Objects,
    pub(crate) spool_memory: Arc<Semaphore>,
    pub(crate) searches: Arc<Semaphore>,
    serials: AtomicU64,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Accounts {
    /// The mailboxes of a backend, for the users of a directory.
    pub fn new(
        backend: Arc<dyn Backend>,
        directory: Arc<Directory>,
        options: Options,
    ) -> Arc<Self> {
        let memory = options.spool_memory_total_bytes_max / spool::MEMORY_UNIT_BYTES;
        let shared = Shared {
            objects: Objects::new(options.cache_bytes_max),
            spool_memory: Arc::new(Semaphore::new(memory.min(Semaphore::MAX_PERMITS))),
            searches: Arc::new(Semaphore::new(options.searches_concurrent_max.max(1))),
            serials: AtomicU64::new(0),
            options,
        };
        let options = &shared.options;
        let checks = options.password_checks_concurrent_max;
        Arc::new(Self {
            backend,
            directory,
            mailboxes: Mutex::default(),
            opened: moka::sync::Cache::new(options.open_accounts_max),
            password_checks: Arc::new(Semaphore::new(checks.max(1))),
            queue: OnceLock::new(),
            shared: Arc::new(shared),
        })
    }

    /// Checks a user's password. The name is the full address, or the local part if only one user has it.
    ///
    /// The backend decides where it knows the user's domain, else the directory. Takes tens of milliseconds on the
    /// blocking pool, or a few round trips of the backend, unless the same login was checked a moment ago.
    /// Why somebody is refused stands in the error, for the log alone: clients are never told.
    /// Errors: `Unauthenticated`, `Internal`, `Unavailable`, `Throttled`.
    pub async fn login(&self, service: Service, user: &str, password: &str) -> Result<Principal> {
        let authentication = self.backend.authenticate(user, password);
        match traced::backend("authenticate", None, authentication).await? {
            Some(principal) => Ok(principal),
            None => self.verify(service, user, password).await,
        }
    }

    /// Checks a token that a user's program brought instead of a password: the backend alone knows such.
    ///
    /// `user`: who the program says it is; without, the token says it. Errors: as [`Self::login`], and `Denied`.
    pub async fn login_by_token(&self, user: Option<&str>, token: &str) -> Result<Principal> {
        let authentication = self.backend.authenticate_by_token(user, token);
        let principal = traced::backend("authenticate_by_token", None, authentication).await?;
        principal.ok_or_else(|| {
            Error::new(
                ErrorKind::Unauthenticated,
                "nobody takes tokens of this user",
            )
        })
    }

    /// Has the directory check a password.
    async fn verify(&self, service: Service, user: &str, password: &str) -> Result<Principal> {
        let permit = Arc::clone(&self.password_checks).acquire_owned().await;
        let directory = Arc::clone(&self.directory);
        let (user, password) = (user.to_owned(), password.to_owned());
        // The permit goes along: a client that hangs up does not make room for another hash.
        let verdict = spawn_blocking(move || {
            let _permit = permit;
            directory.verify(service, &user, password.as_bytes())
        });
        match verdict.await {
            Ok(Verdict::Verified(user)) => Ok(Principal {
                user: user.mailbox.to_string(),
            }),
            Ok(Verdict::Refused(reason)) => {
                Err(Error::new(ErrorKind::Unauthenticated, reason.to_string()))
            }
            Err(error) => Err(Error::with_source(
                ErrorKind::Internal,
                "the password check failed",
                error,
            )),
        }
    }

    /// A user's verifier for SCRAM-SHA-256. Who is unknown or may not log in gets one that no password fits, and so does
    /// whom the backend alone knows: their passwords are not known before they send them.
    ///
    /// Errors: `Internal`.
    pub fn scram_verifier(&self, user: &str) -> Result<ScramVerifier> {
        self.directory.scram_verifier(user).map_err(|error| {
            Error::with_source(ErrorKind::Internal, "no verifier can be made", error)
        })
    }

    /// The principal of a user who proved otherwise than by a password who they are: by SCRAM, by a certificate.
    ///
    /// Errors: `Unauthenticated`, `Unavailable`, `Throttled`.
    pub async fn principal(&self, user: &str) -> Result<Principal> {
        let identification = self.backend.identify(user);
        if let Some(principal) = traced::backend("identify", None, identification).await? {
            return Ok(principal);
        }
        let refused = |why| Err(Error::new(ErrorKind::Unauthenticated, why));
        match self.directory.user(user) {
            Some(user) if user.disabled => refused("user is disabled"),
            Some(user) => Ok(Principal {
                user: user.mailbox.to_string(),
            }),
            None => refused("unknown user"),
        }
    }

    /// Whether [`Self::principal`] may know a user: what is offered to a client depends on it. Quick.
    pub fn may_know(&self, user: &str) -> bool {
        let known = self.directory.user(user);
        let by_backend = |user: Address| self.backend.identifies(user.domain());
        known.is_some_and(|user| !user.disabled) || Address::parse(user).is_ok_and(by_backend)
    }

    /// How the log calls a user of this name; `None` for names of nobody here, for people type passwords in the wrong
    /// place. Quick.
    pub fn log_name(&self, user: &str) -> Option<String> {
        if let Some(user) = self.directory.user(user) {
            return Some(user.address.to_string());
        }
        let address = Address::parse(user).ok()?;
        let domain = address.domain();
        let is_here = self.directory.serves(domain) || self.backend.serves(domain);
        is_here.then(|| address.to_string())
    }

    /// The mailboxes that mail for an address goes to: several for an alias, none for one whose targets are gone.
    ///
    /// Errors: `NotFound` (nobody here has this address), `Unavailable` (ask again later).
    pub async fn resolve(&self, address: &str) -> Result<Vec<MailboxId>> {
        if let Some(mailboxes) = self.backend.resolve(address).await? {
            return Ok(mailboxes);
        }
        self.resolve_here(address)
    }

    /// The same for addresses of the directory. Errors: `NotFound`.
    pub(crate) fn resolve_here(&self, address: &str) -> Result<Vec<MailboxId>> {
        let names = self.directory.resolve(address);
        let names = names.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such address"))?;
        Ok(names
            .iter()
            .map(|name| MailboxId(name.as_str().to_owned()))
            .collect())
    }

    /// Opens a mailbox for a principal, or finds it open.
    ///
    /// Errors: `NotFound`, `Denied` (nothing in it is visible to the principal), `Unavailable`.
    pub async fn open(&self, principal: &Principal, mailbox: &MailboxId) -> Result<Account> {
        let key = (principal.clone(), mailbox.clone());
        if let Some(account) = self.opened.get(&key).map(Account) {
            // A mailbox may have been removed, and made again.
            let tree = account.folders().await;
            if !account.0.mailbox.is_gone() {
                return tree.map(|_| account);
            }
            self.opened.invalidate(&key);
        }
        let logon = self.backend.logon(principal, mailbox);
        let store = traced::backend("logon", Some(mailbox), logon).await?;
        let store = traced::store(store, mailbox);
        let shared = Arc::clone(&self.shared);
        let opened = || {
            let mailbox = self.mailbox(mailbox, &store);
            Arc::new(Opened::new(
                key.clone(),
                Arc::clone(&store),
                mailbox,
                shared,
            ))
        };
        // Of two that open it at once, one logon is dropped.
        Ok(Account(self.opened.get_with_by_ref(&key, opened)))
    }

    /// The open mailbox that everybody shares.
    fn mailbox(&self, id: &MailboxId, store: &Arc<dyn Store>) -> Arc<Mailbox> {
        let mut mailboxes = lock(&self.mailboxes);
        let open = mailboxes.get(id).and_then(Weak::upgrade);
        if let Some(mailbox) = open.filter(|mailbox| !mailbox.is_gone()) {
            return mailbox;
        }
        let serial = self.shared.serials.fetch_add(1, Ordering::Relaxed);
        let mailbox = Arc::new(Mailbox::new(serial, store.notices()));
        feed::start(&mailbox, Arc::clone(store), self.shared.options.poll);
        // The dead are buried when they would make the map grow.
        if mailboxes.len() == mailboxes.capacity() {
            mailboxes.retain(|_, mailbox| mailbox.strong_count() > 0);
        }
        mailboxes.insert(id.clone(), Arc::downgrade(&mailbox));
        mailbox
    }

    /// What a mailbox may hold and what it holds; `None`: only whoever keeps it knows. Errors: `NotFound`, `Unavailable`.
    pub async fn quota(&self, mailbox: &MailboxId) -> Result<Option<Quota>> {
        traced::backend("quota", Some(mailbox), self.backend.quota(mailbox)).await
    }

    /// A place for an arriving message.
    pub fn spool(&self) -> Spool {
        self.spool_of(self.shared.options.message_bytes_max)
    }

    /// A place for a message of at most so many octets.
    pub(crate) fn spool_of(&self, len_max: u64) -> Spool {
        Spool::new(Arc::clone(&self.shared), len_max)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

#[cfg(test)]
mod tests {
    use mapi_store::{MemBackend, Task};

    use super::*;

    /// Knows the users of one domain, whose passwords are all `exchange`, and leaves the others to the directory.
    #[derive(Default)]
    struct OneDomain(MemBackend);

    const DOMAIN: &str = "@remote.example.test";

    impl Backend for OneDomain {
        fn authenticate<'a>(
            &'a self,
            user: &'a str,
            password: &'a str,
        ) -> Task<'a, Option<Principal>> {
            Box::pin(async move {
                match (user.ends_with(DOMAIN), password) {
                    (false, _) => Ok(None),
                    (true, "exchange") => Ok(Some(Principal {
                        user: user.to_owned(),
                    })),
                    (true, _) => Err(Error::new(ErrorKind::Unauthenticated, "no")),
                }
            })
        }

        fn resolve<'a>(&'a self, address: &'a str) -> Task<'a, Option<Vec<MailboxId>>> {
            Box::pin(async move {
                match address.strip_suffix(DOMAIN) {
                    None => Ok(None),
                    Some("nobody") => Err(Error::new(ErrorKind::NotFound, "nobody")),
                    Some(_) => Ok(Some(vec![MailboxId(address.to_owned())])),
                }
            })
        }

        fn logon<'a>(
            &'a self,
            principal: &'a Principal,
            mailbox: &'a MailboxId,
        ) -> Task<'a, Arc<dyn Store>> {
            self.0.logon(principal, mailbox)
        }

        fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
            self.0.provision(mailbox)
        }

        fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
            self.0.remove(mailbox)
        }
    }

    fn accounts() -> Arc<Accounts> {
        let directory = Directory::in_memory().unwrap();
        for user in ["alice@example.test", "stale@remote.example.test"] {
            directory.add_user(user, "local").unwrap();
        }
        let backend = Arc::new(OneDomain::default());
        Accounts::new(backend, Arc::new(directory), Options::default())
    }

    #[tokio::test]
    async fn passwords_are_checked_by_whoever_knows_the_domain() {
        let accounts = accounts();
        for (user, password, expected) in [
            ("alice@example.test", "local", true),
            ("alice@example.test", "exchange", false),
            ("bob@remote.example.test", "exchange", true),
            ("bob@remote.example.test", "local", false),
            // What the directory once knew of the domain does not count.
            ("stale@remote.example.test", "local", false),
        ] {
            let answer = accounts.login(Service::Imap, user, password).await;
            let kind = answer.as_ref().err().map(|error| error.kind);
            let refused = (!expected).then_some(ErrorKind::Unauthenticated);
            assert_eq!(kind, refused, "{user} {password}");
        }
    }

    #[tokio::test]
    async fn addresses_are_known_to_whoever_knows_the_domain() {
        let accounts = accounts();
        for (address, expected) in [
            ("alice@example.test", true),
            ("carol@example.test", false),
            ("bob@remote.example.test", true),
            ("nobody@remote.example.test", false),
        ] {
            let answer = accounts.resolve(address).await;
            let kind = answer.as_ref().err().map(|error| error.kind);
            let unknown = (!expected).then_some(ErrorKind::NotFound);
            assert_eq!(kind, unknown, "{address}");
        }
    }
}
