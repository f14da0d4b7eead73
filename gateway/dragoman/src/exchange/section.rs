//! One Exchange organisation: its users sign in there, its addresses are known there, its mailboxes are opened there.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use account::{Error, ErrorKind, MailboxId, Principal};
use blake3::Hash;
use directory::Address;
use store_exchange::{Exchange, auth::Policy};
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

/// One Exchange organisation.
pub(crate) struct Section {
    name: String,
    exchange: Arc<Exchange>,
    mirrors: Arc<OpenChange>,
    policy: Policy,
    sign_ins: SignIns,
    sign_in_timeout: Duration,
    places: Semaphore,
    /// Mailboxes whose credentials are configured.
    accounts: HashSet<MailboxId>,
    away_since: Mutex<Option<Instant>>,
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
                Arc::clone(&mirrors),
                settings.client,
                settings.discover,
                settings.options,
            ),
            mirrors,
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
            self.count("remembered");
            return answer.map(|()| Principal { user });
        }
        let _turn = self.sign_ins.turn(hash).await;
        if let Some(answer) = self.remembered(&user, hash) {
            self.count("remembered");
            return answer.map(|()| Principal { user });
        }
        self.ask(&user, password, hash)
            .await
            .map(|()| Principal { user })
    }

    /// What is known without asking.
    fn remembered(&self, user: &str, hash: Hash) -> Option<account::Result<()>> {
        match self.sign_ins.look(user, hash, Instant::now()) {
            Known::Refused => Some(Err(refusal())),
            Known::Fresh if self.stands(user) => Some(Ok(())),
            Known::Stale if self.stands(user) && self.is_away() => Some(Ok(())),
            _ => None,
        }
    }

    async fn ask(&self, user: &str, password: &str, hash: Hash) -> account::Result<()> {
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        let known = self.sign_ins.look(user, hash, Instant::now());
        let asked = timeout(self.sign_in_timeout, self.check(user, password, known)).await;
        let answer = asked.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Unavailable,
                "the Exchange server did not check the password in time",
            ))
        });
        let now = Instant::now();
        self.note_away(&answer, now);
        let Err(error) = answer else {
            self.sign_ins.accepted(user, hash, now);
            self.count("accepted");
            return Ok(());
        };
        match error.kind {
            ErrorKind::Unauthenticated => {
                self.sign_ins.refused(user, hash, now);
                self.count("refused");
                tracing::debug!(server = self.name, %error, "sign-in refused");
                Err(refusal())
            }
            kind if kind.is_transient()
                && matches!(known, Known::Fresh | Known::Stale)
                && self.stands(user) =>
            {
                self.count("remembered");
                tracing::info!(server = self.name, %error, "a password is believed while the server is away");
                Ok(())
            }
            _ => {
                self.count("failed");
                tracing::warn!(server = self.name, error = full(&error), "sign-in failed");
                Err(error)
            }
        }
    }

    /// Asks the server.
    async fn check(&self, user: &str, password: &str, known: Known) -> account::Result<()> {
        if known != Known::Nothing && self.exchange.confirm(user).await? {
            return Ok(());
        }
        let credentials = credentials(user, password);
        self.exchange
            .sign_in(user, credentials, self.policy.clone())
            .await
            .map(drop)
    }

    /// The mailbox that mail for an address goes to.
    ///
    /// Errors: `Unavailable` (nobody can tell now, or nobody has the key to the mailbox).
    pub(crate) async fn resolve(&self, address: &Address) -> account::Result<Vec<MailboxId>> {
        let exact = MailboxId(address.to_string());
        let plain = address.without_detail();
        let plain = plain.map(|address| MailboxId(address.to_string()));
        for mailbox in [Some(&exact), plain.as_ref()].into_iter().flatten() {
            if self.exchange.can_open(mailbox) {
                return Ok(vec![mailbox.clone()]);
            }
            if self.mirrors.find_mirror(mailbox).await.is_ok() {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "the mailbox's owner has not signed in since the gateway started",
                ));
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "nobody can ask the Exchange server for this address",
        ))
    }

    /// Forgets a user who is removed.
    pub(crate) fn forget(&self, user: &str) {
        self.sign_ins.forget(user);
    }

    fn is_configured(&self, user: &str) -> bool {
        self.accounts.contains(&mailbox(user))
    }

    /// Whether what a user signed in with has not been refused since, in the middle of something.
    fn stands(&self, user: &str) -> bool {
        self.is_configured(user) || self.exchange.is_signed_in(user)
    }

    fn is_away(&self) -> bool {
        let away = self
            .away_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        away.is_some_and(|since| since.elapsed() < AWAY_KEPT)
    }

    fn note_away(&self, answer: &account::Result<()>, now: Instant) {
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

/// An error with its causes.
fn full(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
