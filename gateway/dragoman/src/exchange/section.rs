//! One Exchange organisation: its users sign in there, its addresses are known there, its mailboxes are opened there.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use account::{Error, ErrorKind, MailboxId, Principal};
use blake3::Hash;
use directory::Address;
use store_exchange::{
    Exchange,
    address_book::{Entry, EntryKind},
    auth::Policy,
};
use store_openchange::OpenChange;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    Settings,
    settings::{account_credentials, credentials},
    sign_ins::{Kept, Known, SignIns},
};
use crate::{
    config::{Config, ExchangeConfig},
    failure::{Doing, Result},
};

/// Passwords checked at the server at one time; further logins wait.
const SIGN_INS_CONCURRENT_MAX: usize = 64;
/// How long nobody with a remembered password waits for a server that was away a moment ago.
const AWAY_KEPT: Duration = Duration::from_secs(15);
/// How long looking up an address may take: a mail server waits for it.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer of the address book is remembered: mail for unknown addresses comes in swarms.
const OWNERS_KEPT: Duration = Duration::from_secs(60);
/// The most addresses that are remembered.
const OWNERS_MAX: u64 = 10_000;

/// One Exchange organisation.
pub(crate) struct Section {
    name: String,
    exchange: Arc<Exchange>,
    policy: Policy,
    sign_ins: SignIns,
    sign_in_timeout: Duration,
    places: Semaphore,
    /// Mailboxes whose credentials are configured.
    accounts: HashSet<MailboxId>,
    away_since: Mutex<Option<Instant>>,
    /// What the address book said a moment ago.
    owners: moka::sync::Cache<String, Option<Owner>>,
}

impl Section {
    /// Prepares a section. Nothing is asked of the server; configured accounts are known after [`Self::add_accounts`].
    pub(crate) fn open(
        config: &Config,
        (name, section): (&str, &ExchangeConfig),
        mirrors: Arc<OpenChange>,
    ) -> Result<Self> {
        let settings = Settings::of(config, section).doing(|| format!("exchange.{name}"))?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).doing(|| "randomness".to_owned())?;
        let kept = Kept {
            fresh: Duration::from_secs(section.sign_in_kept_s),
            outage: Duration::from_secs(section.sign_in_kept_outage_s),
        };
        Ok(Self {
            name: name.to_owned(),
            exchange: Exchange::new(
                mirrors,
                settings.client,
                settings.discover,
                settings.options,
            ),
            policy: settings.policy,
            sign_ins: SignIns::new(key, kept),
            sign_in_timeout: Duration::from_secs(section.sign_in_timeout_s),
            places: Semaphore::new(SIGN_INS_CONCURRENT_MAX),
            accounts: section
                .accounts
                .keys()
                .map(|address| mailbox(address))
                .collect(),
            away_since: Mutex::default(),
            owners: moka::sync::Cache::builder()
                .max_capacity(OWNERS_MAX)
                .time_to_live(OWNERS_KEPT)
                .build(),
        })
    }

    /// Reads the credentials of configured accounts from their files.
    pub(crate) fn add_accounts(&self, section: &ExchangeConfig) -> Result<()> {
        for (address, account) in &section.accounts {
            let key = || format!("exchange.{}.accounts.\"{address}\"", self.name);
            let credentials = account_credentials(address, account).doing(key)?;
            self.exchange
                .add_account(&mailbox(address).0, credentials, self.policy.clone());
        }
        Ok(())
    }

    /// What the section is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its mailboxes.
    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// Mailboxes that work although nobody signs in.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &MailboxId> {
        self.accounts.iter()
    }

    /// Checks a password by signing in with it, unless the server answered the same question a moment ago.
    ///
    /// Who is unknown is refused as a wrong password is: the server says no more, and takes its own time for both.
    /// Errors: `Unauthenticated`, `Denied`, `Unavailable`, `Throttled`.
    pub(crate) async fn sign_in(
        &self,
        address: &Address,
        password: &str,
    ) -> account::Result<Principal> {
        let user = address.to_string();
        // Some servers let whoever gives no password in as nobody.
        if password.is_empty() {
            return Err(refusal());
        }
        let hash = self.sign_ins.hash(&user, password);
        if let Some(answer) = self.remembered(&user, hash) {
            return answer;
        }
        let _turn = self.sign_ins.turn(hash).await;
        match self.remembered(&user, hash) {
            Some(answer) => answer,
            None => self.ask(&user, password, hash).await,
        }
    }

    /// What is known without asking.
    fn remembered(&self, user: &str, hash: Hash) -> Option<account::Result<Principal>> {
        let answer = match self.sign_ins.look(user, hash, Instant::now()) {
            Known::Refused => Some(Err(refusal())),
            Known::Fresh(principal) if self.stands(&principal) => Some(Ok(principal)),
            Known::Stale(principal) if self.stands(&principal) && self.is_away() => {
                Some(Ok(principal))
            }
            _ => None,
        };
        if answer.is_some() {
            self.count("remembered");
        }
        answer
    }

    async fn ask(&self, user: &str, password: &str, hash: Hash) -> account::Result<Principal> {
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        let known = match self.sign_ins.look(user, hash, Instant::now()) {
            Known::Fresh(principal) | Known::Stale(principal) => Some(principal),
            Known::Refused | Known::Nothing => None,
        };
        let check = self.check(user, password, known.as_ref());
        let answer = timeout(self.sign_in_timeout, check)
            .await
            .unwrap_or_else(|_| {
                Err(Error::new(
                    ErrorKind::Unavailable,
                    "the Exchange server did not check the password in time",
                ))
            });
        let now = Instant::now();
        self.note_away(&answer, now);
        let error = match answer {
            Ok(principal) => {
                self.sign_ins.accepted(user, hash, &principal, now);
                self.count("accepted");
                return Ok(principal);
            }
            Err(error) => error,
        };
        if error.kind == ErrorKind::Unauthenticated {
            self.sign_ins.refused(user, hash, now);
            self.count("refused");
            tracing::debug!(server = self.name, %error, "sign-in refused");
            return Err(refusal());
        }
        match known.filter(|known| error.kind.is_transient() && self.stands(known)) {
            Some(principal) => {
                self.count("remembered");
                tracing::info!(server = self.name, %error, "a password is believed while the server is away");
                Ok(principal)
            }
            None => {
                self.count("failed");
                let cause = error.source.as_deref().map(ToString::to_string);
                tracing::warn!(server = self.name, %error, cause, "sign-in failed");
                Err(error)
            }
        }
    }

    /// Asks the server.
    async fn check(
        &self,
        user: &str,
        password: &str,
        known: Option<&Principal>,
    ) -> account::Result<Principal> {
        if let Some(known) = known
            && self.exchange.confirm(&known.user).await?
        {
            return Ok(known.clone());
        }
        let credentials = credentials(user, password);
        let policy = self.policy.clone();
        let principal = self.exchange.sign_in(user, credentials, policy).await?;
        // As every part of the gateway writes it.
        let MailboxId(user) = mailbox(&principal.user);
        match user == principal.user {
            true => Ok(principal),
            false => Err(Error::new(
                ErrorKind::Unsupported,
                "the mailbox's primary address cannot be used here",
            )),
        }
    }

    /// The mailbox that mail for an address goes to.
    ///
    /// Errors: `NotFound` (nobody there has this address), `Denied` (it is no mailbox's), `Unavailable` (nobody can tell
    /// now, or nobody has the key to the mailbox).
    pub(crate) async fn resolve(&self, address: &Address) -> account::Result<Vec<MailboxId>> {
        let known = |address: &Address| {
            let mailbox = MailboxId(address.to_string());
            self.exchange.can_open(&mailbox).then_some(mailbox)
        };
        let plain = address.without_detail();
        if let Some(mailbox) = known(address).or_else(|| plain.as_ref().and_then(known)) {
            return Ok(vec![mailbox]);
        }
        let mut found = self.look_up(address).await?;
        if let (None, Some(plain)) = (&found, &plain) {
            found = self.look_up(plain).await?;
        }
        let mailbox = match found {
            None => return Err(Error::new(ErrorKind::NotFound, "nobody has this address")),
            Some(Owner::Other) => {
                return Err(Error::new(
                    ErrorKind::Denied,
                    "the address is not that of a mailbox",
                ));
            }
            Some(Owner::Mailbox(mailbox)) => mailbox,
        };
        match self.exchange.can_open(&mailbox) {
            true => Ok(vec![mailbox]),
            false => Err(Error::new(
                ErrorKind::Unavailable,
                "the mailbox's owner has not signed in since the gateway started",
            )),
        }
    }

    /// Who has an address, by the address book.
    async fn look_up(&self, address: &Address) -> account::Result<Option<Owner>> {
        let text = address.to_string();
        if let Some(known) = self.owners.get(&text) {
            return Ok(known);
        }
        let asked = timeout(LOOK_UP_TIMEOUT, self.exchange.find_address(&text)).await;
        let late = || Error::new(ErrorKind::Unavailable, "the address book did not answer");
        let entry = asked.unwrap_or_else(|_| Err(late())).map_err(|error| {
            // Whoever may not ask does not know that nobody is there.
            Error::with_source(
                ErrorKind::Unavailable,
                "the address book says nothing",
                error,
            )
        })?;
        let owner = entry.map(|entry| Owner::of(&entry));
        self.owners.insert(text, owner.clone());
        Ok(owner)
    }

    /// Forgets a user who is removed.
    pub(crate) fn forget(&self, user: &str) {
        self.sign_ins.forget(user);
    }

    /// Whether what a user signed in with has not been refused since, in the middle of something.
    fn stands(&self, principal: &Principal) -> bool {
        let user = &principal.user;
        self.accounts.contains(&mailbox(user)) || self.exchange.is_signed_in(user)
    }

    fn is_away(&self) -> bool {
        let away = self
            .away_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        away.is_some_and(|since| since.elapsed() < AWAY_KEPT)
    }

    fn note_away<T>(&self, answer: &account::Result<T>, now: Instant) {
        let away = match answer {
            Err(error) if error.kind == ErrorKind::Unavailable => Some(now),
            _ => None,
        };
        *self
            .away_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = away;
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!("exchange_sign_ins_total", "server" => self.name.clone(), "outcome" => outcome)
            .increment(1);
    }
}

/// Who has an address.
#[derive(Clone, Debug)]
enum Owner {
    /// A mailbox, by its primary address.
    Mailbox(MailboxId),
    /// A list, a contact, a public folder.
    Other,
}

impl Owner {
    fn of(entry: &Entry) -> Self {
        match (entry.kind, &entry.smtp_address) {
            (EntryKind::Mailbox | EntryKind::Room | EntryKind::Equipment, Some(address)) => {
                Self::Mailbox(mailbox(address))
            }
            _ => Self::Other,
        }
    }
}

/// What a wrong password and an unknown user get.
fn refusal() -> Error {
    Error::new(ErrorKind::Unauthenticated, "user or password is wrong")
}

/// The mailbox of an address, as every part of the gateway writes it.
fn mailbox(address: &str) -> MailboxId {
    match Address::parse(address) {
        Ok(address) => MailboxId(address.to_string()),
        Err(_) => MailboxId(address.to_lowercase()),
    }
}
