//! How users prove who they are: passwords and SASL exchanges, checked one after another as the throttle wants.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use account::{Accounts, Error, ErrorKind, Principal, Service};
use sasl::{
    ChannelBindings, Exchange, Identity, Mechanism, Nonce, Options, PasswordLogin, ScramVerifier,
    Secret, Step, TokenLogin, TokenTerms,
};

use crate::{Fingerprint, Peer, Throttle, audit::Record, trial::Trial};

/// Fresh random octets from a cryptographic source; `None` when the system has none to give.
pub type RandomSource = fn() -> Option<[u8; 18]>;

/// What is told of the tokens that are wanted of a user; `None`: the client does not say of whom.
pub type TermsOf = Arc<dyn Fn(Option<&str>) -> TokenTerms + Send + Sync>;

/// The way into the mailboxes, the same by every protocol.
pub struct Logins {
    accounts: Arc<Accounts>,
    throttle: Arc<dyn Throttle>,
    random: Option<RandomSource>,
    tokens: Option<TermsOf>,
    certificates: Option<HashMap<Fingerprint, String>>,
}

/// One exchange. Dropping it before it has ended counts as a refused login once it is known whose it is.
pub struct Login<'l> {
    logins: &'l Logins,
    record: Record,
    exchange: Exchange,
    /// Whose the client's certificate is.
    certified: Vec<String>,
    /// Held while the client proves who it is.
    trial: Option<Trial>,
}

/// Where an exchange stands.
#[derive(Debug)]
pub enum Progress {
    /// Send this in the protocol's own encoding, and call [`Login::step`] with the answer.
    Challenge(Vec<u8>),
    /// This user has logged in. The exchange has ended.
    Accepted(Principal),
    /// Nobody has. The exchange has ended.
    Refused(Refusal),
}

/// Why nobody has logged in.
#[derive(Debug)]
pub enum Refusal {
    /// The name or the password is wrong.
    WrongPassword,
    /// The user wants to act for somebody else.
    OtherIdentity,
    /// The client broke the mechanism's rules: why.
    Malformed(String),
    /// It cannot be told now.
    Failed(Error),
}

/// Why a mechanism cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotOffered {
    /// There is no such mechanism here.
    Unknown,
    /// It sends the password itself, and the connection is not private.
    NeedsTls,
}

impl Logins {
    /// Logins to these mailboxes. SCRAM is not offered: see [`Self::with_scram`].
    pub fn new(accounts: Arc<Accounts>, throttle: Arc<dyn Throttle>) -> Self {
        Self {
            accounts,
            throttle,
            random: None,
            tokens: None,
            certificates: None,
        }
    }

    /// Offers SCRAM-SHA-256 too, whose exchanges need random octets, and SCRAM-SHA-256-PLUS over TLS. Clients then never
    /// send their passwords.
    #[must_use]
    pub fn with_scram(mut self, random: RandomSource) -> Self {
        self.random = Some(random);
        self
    }

    /// Offers OAUTHBEARER and XOAUTH2 too, where the connection is private: some mailboxes are opened by tokens.
    #[must_use]
    pub fn with_tokens(mut self, terms: TermsOf) -> Self {
        self.tokens = Some(terms);
        self
    }

    /// Offers EXTERNAL too, to clients that showed a certificate of a user: of the one that its fingerprint is listed
    /// for, else of those whose addresses it names.
    #[must_use]
    pub fn with_certificates(mut self, listed: HashMap<Fingerprint, String>) -> Self {
        self.certificates = Some(listed);
        self
    }

    /// The mailboxes.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// The mechanisms to offer to a peer as it is now, strongest first.
    pub fn mechanisms(&self, peer: &Peer) -> impl Iterator<Item = Mechanism> {
        let private = peer.is_private();
        Mechanism::ALL.into_iter().filter(move |mechanism| {
            self.has(*mechanism, peer) && (private || !sends_secret(*mechanism))
        })
    }

    /// Begins an exchange.
    pub fn begin(
        &self,
        service: Service,
        peer: &Peer,
        mechanism: &str,
    ) -> Result<Login<'_>, NotOffered> {
        let known = Mechanism::parse(mechanism);
        let name = known.map_or("unknown", Mechanism::name);
        let record = Record::new(service, name, peer);
        let refused = |why, reason| {
            record.refused(reason);
            Err(why)
        };
        let Some(mechanism) = known.filter(|known| self.has(*known, peer)) else {
            return refused(NotOffered::Unknown, "mechanism is not offered");
        };
        if sends_secret(mechanism) && !peer.is_private() {
            return refused(NotOffered::NeedsTls, "TLS is needed first");
        }
        let Some(options) = self.options(mechanism, peer) else {
            return refused(NotOffered::Unknown, "no random octets");
        };
        let certified = match mechanism {
            Mechanism::External => self.certified(peer).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        Ok(Login {
            logins: self,
            record,
            exchange: Exchange::new(mechanism, options),
            certified,
            trial: None,
        })
    }

    /// What a mechanism needs to know; `None` when there are no random octets for it.
    fn options(&self, mechanism: Mechanism, peer: &Peer) -> Option<Options> {
        let uses_nonce = matches!(
            mechanism,
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus
        );
        let random = match uses_nonce {
            true => self.random.and_then(|random| random())?,
            false => [0; 18],
        };
        // Where they are, the mechanism that uses them is offered, and the other one can tell when somebody hid that.
        let channel_bindings = match uses_nonce {
            true => peer.channel.bindings.clone(),
            false => ChannelBindings::default(),
        };
        Some(Options {
            channel_bindings,
            ..Options::new(Nonce::from_random(random))
        })
    }

    /// Checks a name and a password that came by a command of the protocol's own.
    pub async fn password(
        &self,
        service: Service,
        peer: &Peer,
        user: &str,
        password: &[u8],
    ) -> Result<Principal, Refusal> {
        let login = PasswordLogin {
            authzid: None,
            authcid: user.to_owned(),
            password: Secret::new(password),
        };
        self.check(&Record::new(service, "password", peer), login)
            .await
    }

    fn has(&self, mechanism: Mechanism, peer: &Peer) -> bool {
        match mechanism {
            Mechanism::External => self.certified(peer).next().is_some(),
            Mechanism::Plain | Mechanism::Login => true,
            Mechanism::ScramSha256 => self.random.is_some(),
            Mechanism::ScramSha256Plus => {
                self.random.is_some() && !peer.channel.bindings.is_empty()
            }
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => self.tokens.is_some(),
        }
    }

    /// The users a peer's certificate is of, as far as they may be known here.
    fn certified<'p>(&'p self, peer: &'p Peer) -> impl Iterator<Item = &'p str> {
        let certificate = peer.channel.certificate.as_deref();
        let (mut listed, mut named) = (None, &[][..]);
        if let (Some(all), Some(certificate)) = (&self.certificates, certificate) {
            listed = all.get(&certificate.fingerprint).map(String::as_str);
            if listed.is_none() {
                named = &certificate.addresses;
            }
        }
        let users = listed.into_iter().chain(named.iter().map(String::as_str));
        users.filter(|user| self.accounts.may_know(user))
    }

    /// Waits for a user's turn.
    async fn trial(&self, record: &Record, user: &str) -> Trial {
        let attempt = self.throttle.attempt(record.addr, user).await;
        Trial::new(record.of(&self.accounts, user), attempt)
    }

    async fn check(&self, record: &Record, login: PasswordLogin) -> Result<Principal, Refusal> {
        let PasswordLogin {
            authzid,
            authcid,
            password,
        } = login;
        let trial = self.trial(record, &authcid).await;
        let checked = match std::str::from_utf8(password.expose()) {
            Ok(password) => {
                let accounts = &self.accounts;
                accounts.login(record.service, &authcid, password).await
            }
            Err(_) => Err(Error::new(
                ErrorKind::Unauthenticated,
                "password is not UTF-8",
            )),
        };
        trial.conclude(checked, other(&Identity { authzid, authcid }))
    }
}

/// Whether a mechanism must not be used where others listen.
fn sends_secret(mechanism: Mechanism) -> bool {
    mechanism.sends_password() || mechanism.sends_token()
}

/// Whom somebody wants to act for, when it is not themselves.
fn other(identity: &Identity) -> Option<&str> {
    let wanted = identity.authzid.as_deref();
    wanted.filter(|other| !other.eq_ignore_ascii_case(&identity.authcid))
}

impl Login<'_> {
    /// Takes the initial response, if the client sent one along.
    pub async fn start(&mut self, initial: Option<&[u8]>) -> Progress {
        let step = self.exchange.start(initial);
        self.follow(step).await
    }

    /// Takes the answer to the last challenge.
    pub async fn step(&mut self, response: &[u8]) -> Progress {
        let step = self.exchange.step(response);
        self.follow(step).await
    }

    async fn follow(&mut self, step: Step) -> Progress {
        let logins = self.logins;
        let step = match step {
            Step::NeedScram(identity) => match self.scram(&identity).await {
                Ok(step) => step,
                Err(refusal) => return Progress::Refused(refusal),
            },
            step => step,
        };
        match step {
            Step::Challenge(challenge) => Progress::Challenge(challenge),
            Step::NeedPassword(login) => logins.check(&self.record, login).await.into(),
            Step::NeedToken(login) => self.check_token(login).await,
            Step::NeedExternal(wanted) => self.check_certificate(wanted).await.into(),
            Step::Done(identity) => match self.trial.take() {
                Some(trial) => {
                    let principal = logins.accounts.principal(&identity.authcid).await;
                    trial.conclude(principal, other(&identity)).into()
                }
                None => self.malformed(sasl::Failure::OutOfOrder),
            },
            Step::Failed(sasl::Failure::BadProof) => {
                self.refuse("wrong password");
                Progress::Refused(Refusal::WrongPassword)
            }
            Step::Failed(failure) => self.malformed(failure),
            // A verifier is asked for once.
            Step::NeedScram(_) => self.malformed(sasl::Failure::OutOfOrder),
        }
    }

    /// Writes down a refusal, for this reason unless another one is known.
    fn refuse(&mut self, reason: &'static str) {
        match self.trial.take() {
            Some(trial) => drop(trial.or_lost(reason)),
            None => self.record.refused(reason),
        }
    }

    fn malformed(&mut self, failure: sasl::Failure) -> Progress {
        let why = failure.to_string();
        match self.trial.take() {
            Some(trial) => drop(trial.lost(Cow::Owned(why.clone()))),
            None => self.record.refused(&why),
        }
        Progress::Refused(Refusal::Malformed(why))
    }

    async fn scram(&mut self, identity: &Identity) -> Result<Step, Refusal> {
        let logins = self.logins;
        let trial = logins.trial(&self.record, &identity.authcid).await;
        match logins.accounts.scram_verifier(&identity.authcid) {
            Ok(verifier) => {
                self.trial = Some(trial);
                Ok(self.exchange.verifier(&ScramVerifier {
                    salt: verifier.salt,
                    iterations: verifier.iterations,
                    stored_key: verifier.stored_key,
                    server_key: verifier.server_key,
                }))
            }
            Err(error) => Err(trial.undecided(error)),
        }
    }

    /// Lets in whose certificate it is.
    async fn check_certificate(&mut self, wanted: Option<String>) -> Result<Principal, Refusal> {
        let wanted = wanted.as_deref();
        let is_wanted = |user: &&String| wanted.is_none_or(|name| name.eq_ignore_ascii_case(user));
        let mut users = self.certified.iter().filter(is_wanted);
        let (user, other) = match (users.next(), users.next()) {
            (Some(user), None) => (user.as_str(), None),
            (Some(_), Some(_)) => {
                self.record.refused("the certificate is of several users");
                let why = "say as which of the certificate's users".to_owned();
                return Err(Refusal::Malformed(why));
            }
            (None, _) => {
                let first = self.certified.first();
                (first.map_or("", String::as_str), wanted.or(Some("")))
            }
        };
        let trial = self.logins.trial(&self.record, user).await;
        let principal = self.logins.accounts.principal(user).await;
        trial.conclude(principal, other)
    }

    /// Checks a token. One that is not good ends nothing yet: the client is told what is wanted first.
    async fn check_token(&mut self, login: TokenLogin) -> Progress {
        let logins = self.logins;
        let user = login.user.as_deref();
        let token = std::str::from_utf8(login.token.expose()).unwrap_or_default();
        // Who brings none wants to be told.
        if !token.is_empty() {
            let trial = logins.trial(&self.record, user.unwrap_or_default()).await;
            match logins.accounts.login_by_token(user, token).await {
                Err(error) if error.kind == ErrorKind::Unauthenticated => {
                    self.trial = Some(trial.lost(error.context));
                }
                checked => return trial.conclude(checked, None).into(),
            }
        }
        let terms = logins.tokens.as_ref();
        let terms = terms.map(|terms| terms(user)).unwrap_or_default();
        match self.exchange.refuse_token(&terms) {
            Step::Challenge(challenge) => Progress::Challenge(challenge),
            _ => Progress::Refused(Refusal::WrongPassword),
        }
    }
}

impl From<Result<Principal, Refusal>> for Progress {
    fn from(ended: Result<Principal, Refusal>) -> Self {
        match ended {
            Ok(principal) => Self::Accepted(principal),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}

#[cfg(test)]
mod tests;
