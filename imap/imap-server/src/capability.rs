//! What the server says it can do, in every state: exactly what works.

use crate::{Peer, Server, TlsState, session, state::State};

/// The capabilities, as of now.
pub(crate) fn names(server: &Server, peer: &Peer, state: &State) -> Vec<&'static str> {
    let mut names = vec!["IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE"];
    match state {
        State::NotAuthenticated | State::Over => {
            if peer.tls == TlsState::None && server.acceptor().is_some() {
                names.push("STARTTLS");
            }
            if server.random.is_some() {
                names.push("AUTH=SCRAM-SHA-256");
            }
            if session::is_private(peer) {
                names.extend(["AUTH=PLAIN", "AUTH=LOGIN"]);
            } else {
                names.push("LOGINDISABLED");
            }
        }
        State::Authenticated(_) | State::Selected(..) => names.extend(AFTER_LOGIN),
    }
    names
}

/// What only matters to those who have logged in.
const AFTER_LOGIN: [&str; 15] = [
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
];
