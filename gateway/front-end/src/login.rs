//! How users prove who they are: passwords and SASL exchanges, checked one after another as the throttle wants.

use std::{net::IpAddr, sync::Arc};

use account::{Accounts, Error, ErrorKind, Principal};
use sasl::{
    Exchange, Identity, Mechanism, Nonce, Options, PasswordLogin, ScramVerifier, Secret, Step,
    TokenLogin, TokenTerms,
};

use crate::{Attempt, LoginOutcome, Peer, Throttle};

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
}

/// One exchange. Dropping it before it has ended counts as a refused login once it is known whose it is.
pub struct Login<'l> {
    logins: &'l Logins,
    addr: Option<IpAddr>,
    exchange: Exchange,
    /// Held while the client proves who it is.
    attempt: Option<Box<dyn Attempt>>,
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
        }
    }

    /// Offers SCRAM-SHA-256 too, whose exchanges need random octets. Clients then never send their passwords.
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

    /// The mailboxes.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// The mechanisms to offer to a peer as it is now, strongest first.
    pub fn mechanisms(&self, peer: &Peer) -> impl Iterator<Item = Mechanism> {
        let private = peer.is_private();
        Mechanism::ALL
            .into_iter()
            .filter(move |mechanism| self.has(*mechanism) && (private || !sends_secret(*mechanism)))
    }

    /// Begins an exchange.
    pub fn begin(&self, peer: &Peer, mechanism: &str) -> Result<Login<'_>, NotOffered> {
        let mechanism = Mechanism::parse(mechanism).ok_or(NotOffered::Unknown)?;
        if !self.has(mechanism) {
            return Err(NotOffered::Unknown);
        }
        if sends_secret(mechanism) && !peer.is_private() {
            return Err(NotOffered::NeedsTls);
        }
        let random = match sends_secret(mechanism) {
            // They use no nonce.
            true => Some([0; 18]),
            false => self.random.and_then(|random| random()),
        };
        let options = Options::new(Nonce::from_random(random.ok_or(NotOffered::Unknown)?));
        Ok(Login {
            logins: self,
            addr: peer.addr,
            exchange: Exchange::new(mechanism, options),
            attempt: None,
        })
    }

    /// Checks a name and a password that came by a command of the protocol's own.
    pub async fn password(
        &self,
        peer: &Peer,
        user: &str,
        password: &[u8],
    ) -> Result<Principal, Refusal> {
        let login = PasswordLogin {
            authzid: None,
            authcid: user.to_owned(),
            password: Secret::new(password),
        };
        self.check(peer.addr, login).await
    }

    const fn has(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::Plain | Mechanism::Login => true,
            Mechanism::ScramSha256 => self.random.is_some(),
            Mechanism::ScramSha256Plus => false,
            Mechanism::OAuthBearer | Mechanism::XOAuth2 => self.tokens.is_some(),
        }
    }

    async fn check(
        &self,
        addr: Option<IpAddr>,
        login: PasswordLogin,
    ) -> Result<Principal, Refusal> {
        let PasswordLogin {
            authzid,
            authcid,
            password,
        } = login;
        let attempt = self.throttle.attempt(addr, &authcid).await;
        let checked = match std::str::from_utf8(password.expose()) {
            Ok(password) => self.accounts.login(&authcid, password).await,
            Err(_) => Err(Error::new(
                ErrorKind::Unauthenticated,
                "password is not UTF-8",
            )),
        };
        conclude(&Identity { authzid, authcid }, checked, Some(attempt))
    }
}

/// Whether a mechanism must not be used where others listen.
fn sends_secret(mechanism: Mechanism) -> bool {
    mechanism.sends_password() || mechanism.sends_token()
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
        let Self { logins, addr, .. } = *self;
        let step = match step {
            Step::NeedScram(identity) => {
                self.attempt = Some(logins.throttle.attempt(addr, &identity.authcid).await);
                match logins.accounts.scram_verifier(&identity.authcid) {
                    Ok(verifier) => self.exchange.verifier(&ScramVerifier {
                        salt: verifier.salt,
                        iterations: verifier.iterations,
                        stored_key: verifier.stored_key,
                        server_key: verifier.server_key,
                    }),
                    Err(error) => {
                        end(self.attempt.take(), LoginOutcome::Undecided);
                        return Progress::Refused(Refusal::Failed(error));
                    }
                }
            }
            step => step,
        };
        match step {
            Step::Challenge(challenge) => Progress::Challenge(challenge),
            Step::NeedPassword(login) => logins.check(addr, login).await.into(),
            Step::NeedToken(login) => self.check_token(login).await,
            Step::Done(identity) => {
                let principal = logins.accounts.principal(&identity.authcid);
                conclude(&identity, principal, self.attempt.take()).into()
            }
            Step::Failed(sasl::Failure::BadProof) => {
                end(self.attempt.take(), LoginOutcome::Refused);
                Progress::Refused(Refusal::WrongPassword)
            }
            Step::Failed(failure) => Progress::Refused(Refusal::Malformed(failure.to_string())),
            // A verifier is asked for once.
            Step::NeedScram(_) => {
                Progress::Refused(Refusal::Malformed(sasl::Failure::OutOfOrder.to_string()))
            }
        }
    }

    /// Checks a token. One that is not good ends nothing yet: the client is told what is wanted first.
    async fn check_token(&mut self, login: TokenLogin) -> Progress {
        let Self { logins, addr, .. } = *self;
        let user = login.user.as_deref();
        let token = std::str::from_utf8(login.token.expose()).unwrap_or_default();
        // Who brings none wants to be told.
        if !token.is_empty() {
            let attempt = logins
                .throttle
                .attempt(addr, user.unwrap_or_default())
                .await;
            match logins.accounts.login_by_token(user, token).await {
                Ok(principal) => {
                    attempt.end(LoginOutcome::Accepted);
                    return Progress::Accepted(principal);
                }
                Err(error) if error.kind == ErrorKind::Unauthenticated => {
                    self.attempt = Some(attempt);
                }
                Err(error) => {
                    attempt.end(LoginOutcome::Undecided);
                    return Progress::Refused(Refusal::Failed(error));
                }
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

/// What comes of a login whose proof has been looked at.
fn conclude(
    identity: &Identity,
    checked: account::Result<Principal>,
    attempt: Option<Box<dyn Attempt>>,
) -> Result<Principal, Refusal> {
    let outcome = match &checked {
        Ok(_) => LoginOutcome::Accepted,
        Err(error) if error.kind == ErrorKind::Unauthenticated => LoginOutcome::Refused,
        Err(_) => LoginOutcome::Undecided,
    };
    end(attempt, outcome);
    let principal = checked.map_err(|error| match outcome {
        LoginOutcome::Refused => Refusal::WrongPassword,
        _ => Refusal::Failed(error),
    })?;
    let is_other = |other: &str| !other.eq_ignore_ascii_case(&identity.authcid);
    match identity.authzid.as_deref().is_some_and(is_other) {
        true => Err(Refusal::OtherIdentity),
        false => Ok(principal),
    }
}

fn end(attempt: Option<Box<dyn Attempt>>, outcome: LoginOutcome) {
    if let Some(attempt) = attempt {
        attempt.end(outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use directory::Directory;
    use mapi_store::MemBackend;

    use super::*;
    use crate::{TlsState, Turn};

    /// Writes down how attempts ended.
    #[derive(Default)]
    struct Ledger(Arc<Mutex<Vec<Option<LoginOutcome>>>>);

    struct Noted(Arc<Mutex<Vec<Option<LoginOutcome>>>>, bool);

    impl Throttle for Ledger {
        fn attempt<'a>(&'a self, _: Option<IpAddr>, _: &'a str) -> Turn<'a> {
            let noted = Noted(Arc::clone(&self.0), false);
            Box::pin(async { Box::new(noted) as Box<dyn Attempt> })
        }
    }

    impl Attempt for Noted {
        fn end(mut self: Box<Self>, outcome: LoginOutcome) {
            self.1 = true;
            self.0.lock().unwrap().push(Some(outcome));
        }
    }

    impl Drop for Noted {
        fn drop(&mut self) {
            if !self.1 {
                self.0.lock().unwrap().push(None);
            }
        }
    }

    fn logins() -> (Logins, Arc<Mutex<Vec<Option<LoginOutcome>>>>) {
        let directory = Directory::in_memory().unwrap();
        directory.add_user("ann@example.test", "secret").unwrap();
        let backend = Arc::new(MemBackend::new());
        let accounts = Accounts::new(backend, Arc::new(directory), account::Options::default());
        let ledger = Ledger::default();
        let noted = Arc::clone(&ledger.0);
        (Logins::new(accounts, Arc::new(ledger)), noted)
    }

    fn peer(tls: TlsState) -> Peer {
        Peer {
            addr: None,
            tls,
            loopback: false,
            id: 1,
        }
    }

    #[tokio::test]
    async fn a_login_counts_by_what_came_of_it() {
        let (logins, noted) = logins();
        let peer = peer(TlsState::Active);
        for (response, outcome) in [
            (&b"\0ann@example.test\0secret"[..], LoginOutcome::Accepted),
            (b"\0ann@example.test\0wrong", LoginOutcome::Refused),
            (b"\0ann@example.test\0\xff", LoginOutcome::Refused),
            // Who they are is proved, though they may not do what they want.
            (
                b"bob@example.test\0ann@example.test\0secret",
                LoginOutcome::Accepted,
            ),
        ] {
            let mut login = logins.begin(&peer, "plain").unwrap();
            let progress = login.start(Some(response)).await;
            let accepted = matches!(progress, Progress::Accepted(_));
            assert_eq!(accepted, response == b"\0ann@example.test\0secret");
            assert_eq!(noted.lock().unwrap().pop(), Some(Some(outcome)));
        }
    }

    #[tokio::test]
    async fn an_exchange_that_is_broken_off_is_not_forgotten() {
        let (logins, noted) = logins();
        let logins = logins.with_scram(|| Some([7; 18]));
        let peer = peer(TlsState::None);
        let mut login = logins.begin(&peer, "SCRAM-SHA-256").unwrap();
        let progress = login.start(Some(b"n,,n=ann@example.test,r=client")).await;
        assert!(matches!(progress, Progress::Challenge(_)));
        drop(login);
        assert_eq!(noted.lock().unwrap().pop(), Some(None));
    }

    #[test]
    fn passwords_are_asked_for_on_private_connections_alone() {
        let (logins, _) = logins();
        let names = |logins: &Logins, tls| -> Vec<&str> {
            logins.mechanisms(&peer(tls)).map(Mechanism::name).collect()
        };
        assert_eq!(names(&logins, TlsState::None), [""; 0]);
        assert_eq!(names(&logins, TlsState::Active), ["PLAIN", "LOGIN"]);
        let logins = logins.with_scram(|| Some([7; 18]));
        assert_eq!(names(&logins, TlsState::None), ["SCRAM-SHA-256"]);
        for (name, expected) in [
            ("PLAIN", NotOffered::NeedsTls),
            ("CRAM-MD5", NotOffered::Unknown),
            ("SCRAM-SHA-256-PLUS", NotOffered::Unknown),
        ] {
            let peer = peer(TlsState::None);
            assert_eq!(logins.begin(&peer, name).err(), Some(expected), "{name}");
        }
    }
}
