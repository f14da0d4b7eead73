//! CAPA: exactly what works (RFC 2449 5 and 6).

use front_end::{Peer, TlsState};

use crate::{Server, reply, session::State};

/// Writes the capabilities, as of now. STLS is the one that ends with the login (RFC 2595 4).
pub(crate) fn write(out: &mut Vec<u8>, server: &Server, (peer, state): (&Peer, &State)) {
    reply::ok(out, "what can be done here");
    for capability in ALWAYS {
        line(out, &[capability]);
    }
    let is_before_login = matches!(state, State::Authorization { .. });
    if is_before_login && peer.tls == TlsState::None && server.tls.current().is_some() {
        line(out, &["STLS"]);
    }
    if peer.is_private() {
        line(out, &["USER"]);
    }
    let mechanisms: Vec<&str> = server.logins.mechanisms(peer).map(|m| m.name()).collect();
    if !mechanisms.is_empty() {
        line(out, &["SASL ", &mechanisms.join(" ")]);
    }
    let implementation = server.config.implementation.as_str();
    if !implementation.is_empty() {
        line(out, &["IMPLEMENTATION ", implementation]);
    }
    out.extend_from_slice(b".\r\n");
}

/// What does not depend on the session. `UTF8 USER`: names of users may be in UTF-8, too (RFC 6856 2.2).
const ALWAYS: [&str; 8] = [
    "TOP",
    "UIDL",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "PIPELINING",
    "EXPIRE NEVER",
    "UTF8 USER",
    "LANG",
];

fn line(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}
