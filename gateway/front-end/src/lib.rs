//! What the sessions of every protocol share: the other end, a connection with bounded buffers and deadlines, and the
//! way in.
//!
//! [`Connection`] knows octets and no protocol; a front end cuts them into what its protocol has. [`Logins`] lets
//! users prove who they are, in the order a [`Throttle`] wants, and leaves it to the front end how that is said.
//! Every login that ends is one line in the log, of target `audit`. Nothing here spawns, and nothing a peer sends is
//! parsed but certificates.
//! Sources: RFC 4422 (SASL), RFC 8314 (passwords and TLS).

mod audit;
mod certificate;
mod connection;
mod login;
mod peer;
mod server;
mod throttle;
mod tls;
mod trial;

pub use certificate::{ClientCertificate, Fingerprint};
pub use connection::{Connection, Stream, Wait};
pub use login::{Login, Logins, NotOffered, Progress, RandomSource, Refusal, TermsOf};
pub use peer::{Peer, TlsState};
pub use server::{OpenConnection, StartTls};
pub use throttle::{Attempt, LoginOutcome, Throttle, Turn, Unthrottled};
pub use tls::{Channel, Tls};
