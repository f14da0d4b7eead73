//! One authentication exchange, whatever its mechanism.

use std::{error, fmt};

use crate::{
    ChannelBindings, Mechanism, Nonce, RESPONSE_BYTES_MAX, ScramVerifier, Secret, TokenLogin,
    TokenTerms, external, login::Login, plain, scram::Scram, token,
};

/// What an exchange cannot know by itself.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's nonce: fresh random bytes for every exchange. Only the SCRAM mechanisms read it.
    pub nonce: Nonce,
    /// The TLS channel's bindings; empty on a connection where `SCRAM-SHA-256-PLUS` is not offered.
    pub channel_bindings: ChannelBindings,
}

impl Options {
    /// Options for a connection without channel binding.
    pub fn new(nonce: Nonce) -> Self {
        Self {
            nonce,
            channel_bindings: ChannelBindings::default(),
        }
    }
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send these bytes (in the protocol's own encoding), then call [`Exchange::step`] with the answer.
    Challenge(Vec<u8>),
    /// Check this password and answer the client yourself: the exchange has ended.
    NeedPassword(PasswordLogin),
    /// Check this token. If it is good, answer the client yourself: the exchange has ended. If not, call
    /// [`Exchange::refuse_token`].
    NeedToken(TokenLogin),
    /// See whose the client's certificate is, and whether they may act for this user, if one is named. Answer the client
    /// yourself: the exchange has ended.
    NeedExternal(Option<String>),
    /// Look up this user's verifier and call [`Exchange::verifier`]. An unknown or disabled user gets an
    /// invented one with a salt that stays the same, so that the exchange does not tell who exists.
    NeedScram(Identity),
    /// The client has proved that it is this user. The exchange has ended.
    Done(Identity),
    /// The client is refused. The exchange has ended.
    Failed(Failure),
}

/// A name and password to check.
#[derive(Clone, Debug)]
pub struct PasswordLogin {
    /// On whose behalf to act, when the client named someone. Whether it may is the caller's decision.
    pub authzid: Option<String>,
    /// Whose password it is.
    pub authcid: String,
    /// The password as sent.
    pub password: Secret,
}

/// Who the client says it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// On whose behalf to act, when the client named someone. Whether it may is the caller's decision.
    pub authzid: Option<String>,
    /// Whose password was used.
    pub authcid: String,
}

/// Why an exchange failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// The message breaks the mechanism's grammar: the client's fault (IMAP `BAD`, SMTP 501).
    Malformed(&'static str),
    /// The client's view of the channel is not ours: a downgrade, or somebody in between.
    ChannelBinding(&'static str),
    /// The password was wrong, or the user is unknown. Counts as a failed login.
    BadProof,
    /// The exchange has ended already, or waits for something else.
    OutOfOrder,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "malformed authentication message: {why}"),
            Self::ChannelBinding(why) => write!(f, "channel binding: {why}"),
            Self::BadProof => f.write_str("authentication failed"),
            Self::OutOfOrder => f.write_str("authentication exchange is over"),
        }
    }
}

impl error::Error for Failure {}

/// The server's side of one authentication.
#[derive(Debug)]
pub struct Exchange {
    state: State,
}

#[derive(Debug)]
enum State {
    External,
    Plain,
    Login(Login),
    Scram(Box<Scram>),
    Token(token::Kind),
    /// A token is being checked.
    TokenSent(token::Kind),
    /// The client has been told what is wrong with it.
    TokenRefused,
    Ended,
}

impl Exchange {
    /// Begins an exchange; nothing has been read or sent yet.
    pub fn new(mechanism: Mechanism, options: Options) -> Self {
        let state = match mechanism {
            Mechanism::External => State::External,
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::Login(Login::default()),
            Mechanism::ScramSha256 => State::Scram(Box::new(Scram::new(options, false))),
            Mechanism::ScramSha256Plus => State::Scram(Box::new(Scram::new(options, true))),
            Mechanism::OAuthBearer => State::Token(token::Kind::Bearer),
            Mechanism::XOAuth2 => State::Token(token::Kind::Google),
        };
        Self { state }
    }

    /// Takes the initial response, if the client sent one along with the mechanism's name.
    pub fn start(&mut self, initial: Option<&[u8]>) -> Step {
        match (initial, &self.state) {
            (Some(response), _) => self.step(response),
            (None, State::Login(_)) => Login::prompt(),
            (None, _) => Step::Challenge(Vec::new()),
        }
    }

    /// Takes the client's response to the last challenge.
    pub fn step(&mut self, response: &[u8]) -> Step {
        if response.len() > RESPONSE_BYTES_MAX {
            return self.settle(Step::Failed(Failure::Malformed("response too long")));
        }
        let step = match &mut self.state {
            State::External => external::respond(response),
            State::Plain => plain::respond(response),
            State::Login(login) => login.respond(response),
            State::Scram(scram) => scram.respond(response),
            State::Token(kind) => kind.respond(response),
            // What the client says to that does not matter.
            State::TokenRefused => Step::Failed(Failure::BadProof),
            State::TokenSent(_) | State::Ended => Step::Failed(Failure::OutOfOrder),
        };
        self.settle(step)
    }

    /// Answers [`Step::NeedToken`] when the token is not good: the client is told so, and fails with its next response.
    pub fn refuse_token(&mut self, terms: &TokenTerms) -> Step {
        match self.state {
            State::TokenSent(kind) => {
                self.state = State::TokenRefused;
                Step::Challenge(kind.refusal(terms))
            }
            _ => self.settle(Step::Failed(Failure::OutOfOrder)),
        }
    }

    /// Answers [`Step::NeedScram`] with the verifier of that user.
    pub fn verifier(&mut self, verifier: &ScramVerifier) -> Step {
        let step = match &mut self.state {
            State::Scram(scram) => scram.verifier(verifier),
            _ => Step::Failed(Failure::OutOfOrder),
        };
        self.settle(step)
    }

    fn settle(&mut self, step: Step) -> Step {
        if let (Step::NeedToken(_), State::Token(kind)) = (&step, &self.state) {
            self.state = State::TokenSent(*kind);
        }
        if matches!(
            step,
            Step::NeedPassword(_) | Step::NeedExternal(_) | Step::Done(_) | Step::Failed(_)
        ) {
            self.state = State::Ended;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn options() -> Options {
        Options::new(Nonce::from_random([3; 18]))
    }

    #[test]
    fn without_initial_response_the_client_is_prompted() {
        for (mechanism, expected) in [
            (Mechanism::External, &b""[..]),
            (Mechanism::Plain, b""),
            (Mechanism::Login, b"Username:"),
            (Mechanism::ScramSha256, b""),
            (Mechanism::ScramSha256Plus, b""),
            (Mechanism::OAuthBearer, b""),
            (Mechanism::XOAuth2, b""),
        ] {
            let step = Exchange::new(mechanism, options()).start(None);
            assert!(matches!(step, Step::Challenge(bytes) if bytes == expected));
        }
    }

    #[test]
    fn an_ended_exchange_stays_ended() {
        let mut exchange = Exchange::new(Mechanism::Plain, options());
        assert!(matches!(
            exchange.start(Some(b"\0alice\0pw")),
            Step::NeedPassword(_)
        ));
        assert!(matches!(
            exchange.step(b"\0alice\0pw"),
            Step::Failed(Failure::OutOfOrder)
        ));
    }

    #[test]
    fn an_overlong_response_ends_the_exchange() {
        let mut exchange = Exchange::new(Mechanism::Login, options());
        assert!(matches!(
            exchange.step(&[b'a'; RESPONSE_BYTES_MAX + 1]),
            Step::Failed(_)
        ));
        assert!(matches!(
            exchange.step(b"alice"),
            Step::Failed(Failure::OutOfOrder)
        ));
    }

    proptest! {
        #[test]
        fn no_sequence_of_responses_panics_or_succeeds(
            which in 0..Mechanism::ALL.len(),
            responses in proptest::collection::vec(
                prop_oneof![
                    proptest::collection::vec(any::<u8>(), 0..80),
                    "[nyp=a,r*c0-9\\x00]{0,40}".prop_map(String::into_bytes),
                    Just(b"n,,n=alice,r=abcdef".to_vec()),
                    Just(b"n,,\x01auth=Bearer t\x01\x01".to_vec()),
                    "(n,,|user=a|auth=|Bearer |\x01|,|=)*".prop_map(String::into_bytes),
                ],
                0..5,
            ),
        ) {
            let mut exchange = Exchange::new(Mechanism::ALL[which], options());
            let verifier = ScramVerifier {
                salt: b"salt".to_vec(), iterations: 4096, stored_key: [7; 32], server_key: [8; 32],
            };
            for response in &responses {
                let mut step = exchange.step(response);
                if matches!(step, Step::NeedScram(_)) {
                    step = exchange.verifier(&verifier);
                }
                if matches!(step, Step::NeedToken(_)) {
                    step = exchange.refuse_token(&TokenTerms::default());
                }
                prop_assert!(!matches!(step, Step::Done(_)));
            }
        }
    }
}
