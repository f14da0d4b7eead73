//! One Exchange organisation: its users sign in there, its addresses are known there, its mailboxes are opened there.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use account::{Error, ErrorKind, MailboxId, Principal};
use directory::Address;
use store_exchange::{
    Exchange, Outage,
    auth::{Policy, oauth},
    http::{Client, Url},
};
use store_openchange::OpenChange;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    Settings,
    addresses::{Addresses, mailbox},
    consent,
    login_name::LoginName,
    proof::{Proof, Shows},
    sign_ins::{Kept, Known, Shown, SignIns},
    tokens::Tokens,
};
use crate::{
    config::{Config, ExchangeConfig},
    failure::{Doing, Failure, Result},
};

/// Passwords checked at the server at one time; further logins wait.
const SIGN_INS_CONCURRENT_MAX: usize = 64;
/// How long nobody with a remembered password waits for a server that was away a moment ago.
const AWAY_KEPT: Duration = Duration::from_secs(15);
/// One Exchange organisation.
pub(crate) struct Section {
    name: String,
    exchange: Arc<Exchange>,
    client: Client,
    /// Where the server is, as far as that is configured.
    url: Option<Url>,
    /// Whether the server could not be reached when it was looked at.
    is_down: AtomicBool,
    /// Whether mail may wait here while the server is away.
    queues: bool,
    policy: Policy,
    proof: Proof,
    sign_ins: SignIns,
    sign_in_timeout: Duration,
    places: Semaphore,
    /// Mailboxes whose credentials are configured.
    accounts: HashSet<MailboxId>,
    /// Names that some of them have.
    names: BTreeMap<String, MailboxId>,
    away_since: Mutex<Option<Instant>>,
    addresses: Addresses,
}

impl Section {
    /// Prepares a section. Nothing is asked of the server; configured accounts are known after [`Self::add_accounts`].
    pub(crate) fn open(
        config: &Config,
        (name, section): (&str, &ExchangeConfig),
        mirrors: Arc<OpenChange>,
    ) -> Result<Self> {
        let settings =
            Settings::of(config, (name, section)).doing(|| format!("exchange.{name}"))?;
        let url = settings.discover.url.clone();
        let places = url.or_else(|| settings.discover.autodiscover.clone());
        let mut key = [0; 32];
        getrandom::fill(&mut key).doing(|| "randomness".to_owned())?;
        let kept = Kept {
            fresh: Duration::from_secs(section.sign_in_kept_s),
            outage: Duration::from_secs(section.sign_in_kept_outage_s),
        };
        Ok(Self {
            name: name.to_owned(),
            client: settings.client.clone(),
            url: places,
            is_down: AtomicBool::new(false),
            queues: section.outage() != Outage::Refuse,
            exchange: Exchange::new(
                mirrors,
                settings.client,
                settings.discover,
                settings.options,
            ),
            policy: settings.policy,
            proof: settings.proof,
            sign_ins: SignIns::new(key, kept),
            sign_in_timeout: Duration::from_secs(section.sign_in_timeout_s),
            places: Semaphore::new(SIGN_INS_CONCURRENT_MAX),
            accounts: section
                .accounts
                .keys()
                .map(|address| mailbox(address))
                .collect(),
            names: names(section),
            away_since: Mutex::default(),
            addresses: Addresses::new(),
        })
    }

    /// Reads the credentials of configured accounts from their files.
    pub(crate) fn add_accounts(&self, section: &ExchangeConfig) -> Result<()> {
        for (address, account) in &section.accounts {
            let key = || format!("exchange.{}.accounts.\"{address}\"", self.name);
            let MailboxId(address) = mailbox(address);
            let credentials = self.proof.configured(&address, account).doing(key)?;
            self.exchange
                .add_account(&address, credentials, self.policy.clone());
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

    /// The mailbox with a name of its own.
    pub(crate) fn named(&self, name: &str) -> Option<&MailboxId> {
        self.names.get(name)
    }

    /// The name of a mailbox, if it has one.
    pub(crate) fn name_of(&self, mailbox: &MailboxId) -> Option<&str> {
        let mut names = self.names.iter();
        let named = names.find(|(_, named)| *named == mailbox);
        named.map(|(name, _)| name.as_str())
    }

    /// Tokens, where users are not known by what they type: then passwords are the gateway's own.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        self.proof.tokens()
    }

    /// Gives a user of the gateway the tokens for the own mailbox, if it is by tokens. Nothing is asked of the server.
    pub(crate) fn give_tokens(&self, principal: &Principal) {
        let own = MailboxId(principal.user.clone());
        if let Some(tokens) = self.tokens()
            && !principal.user.is_empty()
            && !self.exchange.can_open(&own)
        {
            let credentials = tokens.credentials(&own.0);
            self.exchange
                .add_account(&own.0, credentials, self.policy.clone());
        }
    }

    /// Keeps what a user consented to in a browser, if it opens the mailbox of that address.
    pub(crate) async fn keep_consent(&self, address: &str, tokens: oauth::Tokens) -> Result<()> {
        let source = self
            .tokens()
            .ok_or_else(|| Failure::new("it is not by tokens"))?;
        consent::keep(self.exchange.entrance(), source, address, tokens).await?;
        let credentials = source.credentials(address);
        self.exchange
            .add_account(address, credentials, self.policy.clone());
        Ok(())
    }

    /// Why no password opens a mailbox there, if none does.
    pub(crate) const fn why_no_passwords(&self) -> Option<&'static str> {
        self.proof.why_no_passwords()
    }

    /// Whether mail programs may bring tokens.
    pub(crate) const fn takes_tokens(&self) -> bool {
        self.proof.takes_tokens()
    }

    /// Checks a password or a token by signing in with it, unless the server answered the same question a moment ago.
    ///
    /// Who is unknown is refused as a wrong password is: the server says no more, and takes its own time for both.
    /// Errors: `Unauthenticated`, `Denied`, `Unavailable`, `Throttled`.
    pub(crate) async fn sign_in(
        &self,
        name: &LoginName,
        shows: Shows<'_>,
    ) -> account::Result<Principal> {
        let fits = match shows {
            Shows::Password(_) => self.why_no_passwords().is_none(),
            Shows::Token(_) => self.takes_tokens(),
        };
        // Some servers let whoever gives no password in as nobody.
        if !fits || shows.secret().is_empty() || shows.is_over() {
            return Err(refusal());
        }
        let user = name.key();
        let shown = self.sign_ins.hash(&user, shows.secret());
        let shown = match shows {
            Shows::Password(_) => shown,
            Shows::Token(_) => shown.of_token(),
        };
        if let Some(answer) = self.remembered(&user, shown) {
            return answer;
        }
        let _turn = self.sign_ins.turn(shown).await;
        match self.remembered(&user, shown) {
            Some(answer) => answer,
            None => self.ask(name, shows, shown).await,
        }
    }

    /// What is known without asking.
    fn remembered(&self, user: &str, shown: Shown) -> Option<account::Result<Principal>> {
        let answer = match self.sign_ins.look(user, shown, Instant::now()) {
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

    async fn ask(
        &self,
        name: &LoginName,
        shows: Shows<'_>,
        shown: Shown,
    ) -> account::Result<Principal> {
        let user = name.key();
        // The semaphore is never closed.
        let _place = self.places.acquire().await;
        let known = match self.sign_ins.look(&user, shown, Instant::now()) {
            Known::Fresh(principal) | Known::Stale(principal) => Some(principal),
            Known::Refused | Known::Nothing => None,
        };
        let check = self.check(name, shows, known.as_ref());
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
                self.sign_ins.accepted(&user, shown, &principal, now);
                self.count("accepted");
                return Ok(principal);
            }
            Err(error) => error,
        };
        if error.kind == ErrorKind::Unauthenticated {
            self.sign_ins.refused(&user, shown, now);
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
        name: &LoginName,
        shows: Shows<'_>,
        known: Option<&Principal>,
    ) -> account::Result<Principal> {
        let credentials = self.proof.shown(name, shows);
        let policy = self.policy.clone();
        if let Some(known) = known {
            let confirmed = self
                .exchange
                .confirm(&known.user, credentials.clone(), policy.clone());
            if confirmed.await? {
                return Ok(known.clone());
            }
        }
        let address = name.address().to_string();
        let principal = match shows {
            Shows::Password(_) => self.exchange.sign_in(&address, credentials, policy).await?,
            Shows::Token(token) => {
                self.exchange
                    .sign_in_with_token(&address, token.into())
                    .await?
            }
        };
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

    /// Looks whether the server can be reached. Nobody signs in for that.
    pub(crate) async fn look(&self) {
        let url = match &self.url {
            Some(url) => Some(url.clone()),
            None => self.exchange.server_url().await,
        };
        // As long as nobody has found the server, nobody misses it.
        let Some(url) = url else { return };
        let reached = self.client.connect(&url).await;
        let is_down = reached.is_err();
        let up = metrics::gauge!("exchange_up", "server" => self.name.clone());
        up.set(if is_down { 0.0 } else { 1.0 });
        let was_down = self.is_down.swap(is_down, Ordering::AcqRel);
        match reached {
            Err(error) if !was_down => {
                tracing::warn!(server = self.name, %error, "the Exchange server is out of reach");
            }
            Ok(_) if was_down => {
                tracing::info!(server = self.name, "the Exchange server is back");
            }
            _ => {}
        }
    }

    /// The mailbox that mail for an address goes to. See [`Addresses::resolve`]; `Unavailable` at once when the server was
    /// out of reach a moment ago, for it is better said now than after the message has been sent; not where mail may wait.
    pub(crate) async fn resolve(&self, address: &Address) -> account::Result<Vec<MailboxId>> {
        if self.is_down.load(Ordering::Acquire) && !self.queues {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "the Exchange server is out of reach",
            ));
        }
        self.addresses.resolve(&self.exchange, address).await
    }

    /// The mailbox that has an address; that of the address itself where nobody can tell.
    pub(crate) async fn owner_of(&self, address: &Address) -> MailboxId {
        self.addresses.owner(&self.exchange, address).await
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

fn names(section: &ExchangeConfig) -> BTreeMap<String, MailboxId> {
    let accounts = section.accounts.iter();
    let named = accounts.filter(|(_, account)| !account.name.is_empty());
    named
        .map(|(address, account)| (account.name.clone(), mailbox(address)))
        .collect()
}

/// What a wrong password and an unknown user get.
fn refusal() -> Error {
    Error::new(ErrorKind::Unauthenticated, "user or password is wrong")
}
