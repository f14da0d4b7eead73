//! Server-side authentication mechanisms (SASL, RFC 4422), shared by every front end.
//!
//! The crate performs no I/O, reads no clock and makes no randomness: a front end feeds it the client's
//! responses and does what each [`Step`] asks for (send a challenge, check a password or a token, look up a verifier).
//! Invariants: no input makes it panic, nothing longer than [`RESPONSE_BYTES_MAX`] is kept, a password is
//! held in a [`Secret`], and an exchange that has ended stays ended.
//!
//! ```
//! use sasl::{Exchange, Mechanism, Nonce, Options, Step};
//!
//! // The nonce's bytes come from a cryptographic source.
//! let options = Options::new(Nonce::from_random([0; 18]));
//! let mut exchange = Exchange::new(Mechanism::Plain, options);
//! match exchange.start(Some(b"\0alice@example.test\0open sesame")) {
//!     Step::NeedPassword(login) => assert_eq!(login.authcid, "alice@example.test"),
//!     other => unreachable!("{other:?}"),
//! }
//! ```

mod exchange;
mod external;
mod line;
mod login;
mod mechanism;
mod plain;
mod scram;
mod secret;
mod token;

pub use exchange::{Exchange, Failure, Identity, Options, PasswordLogin, Step};
pub use line::{LineError, decode_initial, decode_line, encode_line};
pub use mechanism::Mechanism;
pub use scram::{ChannelBindings, Nonce, ScramVerifier};
pub use secret::Secret;
pub use token::{TokenLogin, TokenTerms};

/// The longest decoded response a client may send, in bytes: a token, names, and what the mechanism adds.
pub const RESPONSE_BYTES_MAX: usize = 24 * 1024;
/// The longest line with such a response in base64, its line end included.
pub const RESPONSE_LINE_BYTES_MAX: usize = RESPONSE_BYTES_MAX.div_ceil(3) * 4 + 2;
/// The longest user name (authentication or authorisation identity), in bytes.
pub const NAME_BYTES_MAX: usize = 1024;
/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// The longest token, in bytes. Tokens with many groups and claims reach 12 KiB; more than 16 KiB no web server takes in
/// a header field.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;
