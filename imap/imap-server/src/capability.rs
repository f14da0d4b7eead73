//! What the server says it can do, in every state: exactly what works.

use front_end::{Peer, TlsState};
use sasl::Mechanism;

use crate::{Server, state::State};

/// The capabilities, as of now.
pub(crate) fn names(server: &Server, peer: &Peer, state: &State) -> Vec<&'static str> {
    let mut names = vec!["IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE"];
    match state {
        State::NotAuthenticated | State::Over => {
            if peer.tls == TlsState::None && server.tls.current().is_some() {
                names.push("STARTTLS");
            }
            names.extend(server.logins.mechanisms(peer).map(auth));
            if !peer.is_private() {
                names.push("LOGINDISABLED");
            }
        }
        State::Authenticated(_) | State::Selected(..) => names.extend(AFTER_LOGIN),
    }
    names
}

/// A mechanism as a capability (RFC 3501 6.1.1).
const fn auth(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::External => "AUTH=EXTERNAL",
        Mechanism::Plain => "AUTH=PLAIN",
        Mechanism::Login => "AUTH=LOGIN",
        Mechanism::ScramSha256 => "AUTH=SCRAM-SHA-256",
        Mechanism::ScramSha256Plus => "AUTH=SCRAM-SHA-256-PLUS",
        Mechanism::OAuthBearer => "AUTH=OAUTHBEARER",
        Mechanism::XOAuth2 => "AUTH=XOAUTH2",
    }
}

/// What only matters to those who have logged in.
const AFTER_LOGIN: [&str; 18] = [
    "NAMESPACE",
    "IDLE",
    "UIDPLUS",
    "MOVE",
    "UNSELECT",
    "CHILDREN",
    "SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "CONDSTORE",
    "ESEARCH",
    "WITHIN",
    "MULTIAPPEND",
    "STATUS=SIZE",
    "APPENDLIMIT",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
];
