//! The state of authentication over one connection: what to send next, and what a 401 means.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    Challenge, Credentials, Error, Password, Policy, Scheme, Secret, challenges,
    mechanism::{KerberosClient, Leg, Mechanism, Ntlm},
};
use crate::http::{ChannelBinding, HeaderMap, HeaderValue, Origin};

/// How often a request is authenticated again after a 401 that came in the middle of a session.
const RENEWALS_MAX: u8 = 1;

/// Authenticates one connection after the other as one user. It sends nothing itself; see [`super::Channel`].
///
/// Per connection: [`Self::begin`], and then for each request [`Self::step`], with [`Self::challenged`] for a 401 and
/// [`Self::accepted`] for any other answer.
#[derive(Debug)]
pub struct Authenticator {
    credentials: Credentials,
    policy: Policy,
    /// What was agreed on with this server; it saves a request at the next connection.
    agreed: Option<Scheme>,
    state: State,
    /// How often more a refusal is answered before it is reported.
    renewals_left: u8,
    /// The token that went with the last request.
    token: Option<Secret>,
    /// The token that was refused since the last success.
    refused: Option<Secret>,
    peer: Option<Peer>,
}

/// The other end of a connection.
#[derive(Debug, Clone)]
struct Peer {
    origin: Origin,
    binding: Option<ChannelBinding>,
}

#[derive(Debug)]
enum State {
    /// Nothing is known: ask the server what it offers.
    Unknown,
    /// The same header goes with every request.
    EachRequest(Scheme),
    /// The first leg of a scheme that authenticates the connection comes next.
    Begin(Scheme),
    /// A leg of such a scheme is to be said, or has been said.
    Leg(Scheme, Mechanism, Leg),
    /// The connection is what it should be: requests go as they are.
    Established,
}

/// What to send next.
#[derive(Debug)]
pub enum Step {
    /// An empty request with this header, to learn what the server says to it. It must not take effect, so it carries
    /// none of the request's own headers.
    Probe(Option<HeaderValue>),
    /// The request itself, with this header.
    Request(Option<HeaderValue>),
}

impl Authenticator {
    /// Begins as nobody.
    pub fn new(credentials: Credentials, policy: Policy) -> Self {
        let mut new = Self {
            credentials,
            policy,
            agreed: None,
            state: State::Unknown,
            renewals_left: 0,
            token: None,
            refused: None,
            peer: None,
        };
        new.renewals_left = new.renewals_untried();
        new
    }

    /// A new connection has been opened.
    pub fn begin(&mut self, origin: &Origin, binding: Option<&ChannelBinding>) {
        if self
            .peer
            .as_ref()
            .is_some_and(|peer| peer.origin != *origin)
        {
            self.agreed = None;
        }
        self.peer = Some(Peer {
            origin: origin.clone(),
            binding: binding.cloned(),
        });
        self.state = self.beginning();
    }

    /// What to send next on this connection.
    ///
    /// Errors: `Mechanism` when the scheme cannot begin.
    pub async fn step(&mut self) -> Result<Step, Error> {
        if let State::Begin(scheme) = self.state {
            let mut mechanism = self.mechanism()?;
            let leg = mechanism.next(None).await?;
            self.state = State::Leg(scheme, mechanism, leg);
        }
        match &self.state {
            State::Unknown | State::Begin(_) => Ok(Step::Probe(None)),
            State::Established => Ok(Step::Request(None)),
            State::EachRequest(_) => Ok(Step::Request(Some(self.proof().await?))),
            State::Leg(scheme, _, leg) => {
                let token = Secret::new(BASE64_STANDARD.encode(&leg.token));
                let value = Some(authorization(*scheme, &token)?);
                Ok(if leg.last {
                    Step::Request(value)
                } else {
                    Step::Probe(value)
                })
            }
        }
    }

    /// The server answered the last step with 401.
    ///
    /// Errors: `Unauthenticated` when it refuses, `NoScheme` when it offers nothing usable, `Mechanism` when it says
    /// what has no answer.
    pub async fn challenged(&mut self, headers: &HeaderMap) -> Result<(), Error> {
        let answered = self.answer(&challenges(headers)).await;
        if answered.is_err() {
            self.forget();
        }
        answered
    }

    async fn answer(&mut self, offered: &[Challenge]) -> Result<(), Error> {
        match std::mem::replace(&mut self.state, State::Unknown) {
            State::Unknown | State::Begin(_) => self.choose(offered),
            State::Established => {
                self.renew()?;
                self.choose(offered)
            }
            State::EachRequest(scheme) => {
                if let (Credentials::Bearer(source), Some(token)) =
                    (&self.credentials, self.token.take())
                {
                    source.refused(&token);
                    self.refused = Some(token);
                }
                self.renew()?;
                self.state = State::EachRequest(scheme);
                Ok(())
            }
            State::Leg(scheme, mut mechanism, leg) => {
                let same = offered.iter().find(|challenge| challenge.scheme == scheme);
                match same.map(|challenge| challenge.token.clone()) {
                    Some(Some(said)) => {
                        let leg = mechanism.next(Some(said)).await?;
                        self.state = State::Leg(scheme, mechanism, leg);
                        Ok(())
                    }
                    Some(None) => Err(Error::Unauthenticated),
                    None if leg.last => Err(Error::Unauthenticated),
                    // It was agreed on for another path, or it is the only one that the policy allows.
                    None => {
                        self.agreed = None;
                        Err(no_scheme(offered))
                    }
                }
            }
        }
    }

    /// The server answered the last step with anything but 401.
    pub fn accepted(&mut self) {
        self.renewals_left = RENEWALS_MAX;
        self.refused = None;
        if !matches!(self.state, State::EachRequest(_)) {
            // After a leg the connection is authenticated; without one the server wants no authentication.
            self.state = State::Established;
        }
    }

    /// A refusal was reported: the next request begins anew.
    fn forget(&mut self) {
        self.state = self.beginning();
        self.renewals_left = self.renewals_untried();
        self.refused = None;
    }

    /// How a connection begins, or begins again after a refusal.
    fn beginning(&self) -> State {
        match self.agreed.or_else(|| self.only_choice()) {
            Some(scheme) => State::of(scheme),
            None => State::Unknown,
        }
    }

    /// How many refusals are answered of credentials that have not been accepted yet: a password may be wrong, and
    /// every try counts towards a lock-out; a token may just be spent.
    fn renewals_untried(&self) -> u8 {
        match self.credentials {
            Credentials::Password(_) | Credentials::Kerberos(_) => 0,
            Credentials::Bearer(_) => RENEWALS_MAX,
        }
    }

    /// The header that goes with every request.
    async fn proof(&mut self) -> Result<HeaderValue, Error> {
        match &self.credentials {
            Credentials::Password(password) => basic(password),
            Credentials::Kerberos(_) => Err(no_scheme(&[])),
            Credentials::Bearer(source) => {
                let token = source.token().await?;
                if self.refused.as_ref() == Some(&token) {
                    self.forget();
                    return Err(Error::Unauthenticated);
                }
                let value = authorization(Scheme::Bearer, &token);
                self.token = Some(token);
                value
            }
        }
    }

    /// Counts a 401 that came after the credentials had been accepted.
    fn renew(&mut self) -> Result<(), Error> {
        self.renewals_left = self
            .renewals_left
            .checked_sub(1)
            .ok_or(Error::Unauthenticated)?;
        Ok(())
    }

    /// The scheme, when there is only one: then the server need not be asked first.
    fn only_choice(&self) -> Option<Scheme> {
        let mut choices = self
            .policy
            .schemes
            .iter()
            .copied()
            .filter(|scheme| self.may_use(*scheme));
        choices.next().filter(|_| choices.next().is_none())
    }

    fn choose(&mut self, offered: &[Challenge]) -> Result<(), Error> {
        let chosen = self.policy.schemes.iter().copied().find(|scheme| {
            self.may_use(*scheme) && offered.iter().any(|challenge| challenge.scheme == *scheme)
        });
        let Some(scheme) = chosen else {
            return Err(no_scheme(offered));
        };
        self.agreed = Some(scheme);
        self.state = State::of(scheme);
        Ok(())
    }

    /// Whether a scheme suits the credentials, and what it sends suits the connection.
    fn may_use(&self, scheme: Scheme) -> bool {
        let private = self
            .peer
            .as_ref()
            .is_some_and(|peer| peer.origin.tls || peer.origin.is_loopback());
        let reveals = matches!(scheme, Scheme::Basic | Scheme::Bearer);
        self.credentials.serve(scheme) && (private || !reveals)
    }

    fn mechanism(&self) -> Result<Mechanism, Error> {
        let binding = self.peer.as_ref().and_then(|peer| peer.binding.as_ref());
        match &self.credentials {
            Credentials::Password(password) => {
                Ok(Mechanism::Ntlm(Box::new(Ntlm::new(password, binding)?)))
            }
            Credentials::Kerberos(principal) => {
                let host = self.peer.as_ref().map(|peer| peer.origin.host.to_string());
                let client = KerberosClient::new(principal, &host.unwrap_or_default(), binding);
                Ok(Mechanism::Kerberos(Box::new(client)))
            }
            Credentials::Bearer(_) => Err(no_scheme(&[])),
        }
    }
}

impl State {
    /// How a scheme begins.
    fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Basic | Scheme::Bearer => Self::EachRequest(scheme),
            Scheme::Ntlm | Scheme::Negotiate => Self::Begin(scheme),
        }
    }
}

fn no_scheme(offered: &[Challenge]) -> Error {
    Error::NoScheme {
        offered: offered.iter().map(|challenge| challenge.scheme).collect(),
    }
}

/// RFC 7617 section 2.
fn basic(password: &Password) -> Result<HeaderValue, Error> {
    let user = match &password.domain {
        Some(domain) => format!("{domain}\\{}", password.user),
        None => password.user.clone(),
    };
    if user.contains(':') {
        return Err(Error::Mechanism(
            "a user name with a colon cannot be sent by Basic".to_owned(),
        ));
    }
    let plain = Secret::new(format!("{user}:{}", password.secret.expose()));
    let encoded = Secret::new(BASE64_STANDARD.encode(plain.expose()));
    authorization(Scheme::Basic, &encoded)
}

/// An Authorization header, which no log shows.
fn authorization(scheme: Scheme, text: &Secret) -> Result<HeaderValue, Error> {
    let line = Secret::new(format!("{scheme} {}", text.expose()));
    let mut value = HeaderValue::from_str(line.expose())
        .map_err(|_| Error::Mechanism("the credentials do not fit into a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_the_example_of_the_standard() {
        let check = |user: &str, domain: Option<&str>, secret: &str, expected: &str| {
            let value = basic(&Password {
                user: user.to_owned(),
                domain: domain.map(str::to_owned),
                secret: secret.into(),
            })
            .unwrap();
            assert_eq!(value, expected);
            assert!(value.is_sensitive());
        };
        // RFC 7617 section 2 and 2.1.
        check(
            "Aladdin",
            None,
            "open sesame",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        );
        check("test", None, "123\u{A3}", "Basic dGVzdDoxMjPCow==");
        // base64 of "EXAMPLE\user:pw"
        check("user", Some("EXAMPLE"), "pw", "Basic RVhBTVBMRVx1c2VyOnB3");
    }
}
