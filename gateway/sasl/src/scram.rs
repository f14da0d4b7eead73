//! `SCRAM-SHA-256` and `SCRAM-SHA-256-PLUS`, the server's side. Source: RFC 5802, RFC 7677, RFC 9266.
//!
//! The password never crosses the wire and the server keeps only a verifier. User names are compared as they
//! come; names and passwords outside ASCII must be prepared by the client (RFC 5802 5.1).

mod message;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use self::message::{Binding, ClientFinal, ClientFirst};
use crate::{Failure, Identity, Options, Step};

/// The server's share of an exchange's nonce: printable and without a comma, by construction.
#[derive(Clone, Eq, PartialEq)]
pub struct Nonce(String);

impl Nonce {
    /// Makes a nonce of random bytes; they must come from a cryptographic source and be used once.
    pub fn from_random(bytes: [u8; 18]) -> Self {
        Self(BASE64.encode(bytes))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// What identifies the TLS channel of this connection, for `SCRAM-SHA-256-PLUS`.
///
/// Fill it in exactly when that mechanism is offered: a client that finds it missing from the offer although
/// there are bindings is told that somebody removed it (RFC 5802 6).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ChannelBindings {
    /// `tls-exporter`: 32 bytes of keying material with the label `EXPORTER-Channel-Binding`. RFC 9266.
    pub tls_exporter: Option<Vec<u8>>,
    /// `tls-server-end-point`: the hash of the server's certificate. RFC 5929 4.
    pub tls_server_end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.tls_exporter.is_none() && self.tls_server_end_point.is_none()
    }

    fn of_type(&self, name: &str) -> Option<&[u8]> {
        match name {
            "tls-exporter" => self.tls_exporter.as_deref(),
            "tls-server-end-point" => self.tls_server_end_point.as_deref(),
            _ => None,
        }
    }
}

/// What a server keeps of a password. Source: RFC 5802 3.
#[derive(Clone, Eq, PartialEq)]
pub struct ScramVerifier {
    /// Random bytes, one salt a user.
    pub salt: Vec<u8>,
    /// How often the password was hashed; RFC 7677 4 wants at least 4096.
    pub iterations: u32,
    /// SHA-256 of the client's key.
    pub stored_key: [u8; 32],
    /// The key with which the server proves itself.
    pub server_key: [u8; 32],
}

impl fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramVerifier")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// The exchange's place between client-first and the last, empty response.
#[derive(Debug)]
pub(crate) struct Scram {
    options: Options,
    plus: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing received yet.
    Start,
    /// The user is known by name; the caller looks the verifier up.
    Lookup(ClientFirst),
    /// The server-first message is out.
    Proof(Pending),
    /// The server's own proof is out; the client acknowledges it with an empty response.
    Acknowledge(Identity),
    /// Over.
    Ended,
}

#[derive(Debug)]
struct Pending {
    first: ClientFirst,
    server_first: String,
    nonce: String,
    verifier: ScramVerifier,
}

impl Scram {
    pub(crate) fn new(options: Options, plus: bool) -> Self {
        Self {
            options,
            plus,
            state: State::Start,
        }
    }

    pub(crate) fn respond(&mut self, response: &[u8]) -> Step {
        let result = match std::mem::replace(&mut self.state, State::Ended) {
            State::Start => self.client_first(response),
            State::Proof(pending) => self.client_final(pending, response),
            State::Acknowledge(identity) if response.is_empty() => Ok(Step::Done(identity)),
            State::Acknowledge(_) => Err(Failure::Malformed("expected an empty response")),
            State::Lookup(_) | State::Ended => Err(Failure::OutOfOrder),
        };
        result.unwrap_or_else(Step::Failed)
    }

    pub(crate) fn verifier(&mut self, verifier: &ScramVerifier) -> Step {
        let State::Lookup(first) = std::mem::replace(&mut self.state, State::Ended) else {
            return Step::Failed(Failure::OutOfOrder);
        };
        let nonce = format!("{}{}", first.nonce, self.options.nonce.0);
        let salt = BASE64.encode(&verifier.salt);
        let server_first = format!("r={nonce},s={salt},i={}", verifier.iterations);
        let challenge = server_first.clone().into_bytes();
        self.state = State::Proof(Pending {
            first,
            server_first,
            nonce,
            verifier: verifier.clone(),
        });
        Step::Challenge(challenge)
    }

    fn client_first(&mut self, response: &[u8]) -> Result<Step, Failure> {
        let first = ClientFirst::parse(response)?;
        self.check_binding(&first.binding)?;
        let identity = first.identity.clone();
        self.state = State::Lookup(first);
        Ok(Step::NeedScram(identity))
    }

    /// Holds the client's flag against what was offered. RFC 5802 6.
    fn check_binding(&self, binding: &Binding) -> Result<(), Failure> {
        let bindings = &self.options.channel_bindings;
        match (binding, self.plus) {
            (Binding::Unsupported, false) => Ok(()),
            (Binding::NotOffered, false) if bindings.is_empty() => Ok(()),
            (Binding::NotOffered, false) => {
                Err(Failure::ChannelBinding("the client did not see our offer"))
            }
            (Binding::Used(_), false) => {
                Err(Failure::ChannelBinding("used without the -PLUS mechanism"))
            }
            (Binding::Used(name), true) if bindings.of_type(name).is_some() => Ok(()),
            (Binding::Used(_), true) => Err(Failure::ChannelBinding(
                "type not available on this connection",
            )),
            (Binding::Unsupported | Binding::NotOffered, true) => {
                Err(Failure::ChannelBinding("missing from the -PLUS mechanism"))
            }
        }
    }

    fn client_final(&mut self, pending: Pending, response: &[u8]) -> Result<Step, Failure> {
        let last = ClientFinal::parse(response)?;
        // RFC 5802 5.1, attribute c: the header as it was sent, then the channel's own bytes.
        let mut expected = pending.first.header.clone().into_bytes();
        if let Binding::Used(name) = &pending.first.binding {
            expected.extend_from_slice(
                self.options
                    .channel_bindings
                    .of_type(name)
                    .unwrap_or_default(),
            );
        }
        if !bool::from(expected.ct_eq(&last.channel)) {
            return Err(Failure::ChannelBinding(
                "the client's end of the channel is not ours",
            ));
        }
        if last.nonce != pending.nonce {
            return Err(Failure::Malformed("nonce differs"));
        }
        let message = format!(
            "{},{},{}",
            pending.first.bare, pending.server_first, last.without_proof
        );
        if !proof_fits(&pending.verifier, message.as_bytes(), &last.proof) {
            return Err(Failure::BadProof);
        }
        let signature = hmac_sha256(&pending.verifier.server_key, message.as_bytes());
        self.state = State::Acknowledge(pending.first.identity);
        Ok(Step::Challenge(
            format!("v={}", BASE64.encode(signature)).into_bytes(),
        ))
    }
}

/// Whether the proof was made with the client's key. RFC 5802 3:
/// `ClientKey := ClientProof XOR HMAC(StoredKey, AuthMessage)`, and `H(ClientKey)` is the stored key.
fn proof_fits(verifier: &ScramVerifier, message: &[u8], proof: &[u8; 32]) -> bool {
    let mut client_key = hmac_sha256(&verifier.stored_key, message);
    for (key, proof) in client_key.iter_mut().zip(proof) {
        *key ^= proof;
    }
    let stored_key: [u8; 32] = Sha256::digest(client_key).into();
    stored_key.ct_eq(&verifier.stored_key).into()
}

fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256>>::new((&key_block(key)).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// HMAC pads a short key with zeros to the hash's block (RFC 2104 2), which is what its infallible constructor takes.
fn key_block(key: &[u8; 32]) -> [u8; 64] {
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    block
}

#[cfg(test)]
mod tests;
