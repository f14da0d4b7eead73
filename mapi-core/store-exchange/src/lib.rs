//! The Exchange backend: a mailbox on an Exchange server, mirrored into the tables of the embedded store.
//!
//! The modules from below: [`http`] moves requests and says what may have arrived; [`auth`] proves who asks; [`discover`]
//! finds the mailbox; `rpc` makes calls through an HTTP proxy, for servers without MAPI over HTTP; `session` keeps a session
//! context going over either; `remote` is a mailbox in batches and downloads, [`address_book`] the address book; `mailbox`
//! keeps the mirror, `store` reads it and writes through; [`Exchange`] is all of it as a backend.

pub mod address_book;
pub mod auth;
mod backend;
pub mod discover;
pub mod fault;
pub mod http;
mod identity;
mod mailbox;
mod message;
mod options;
pub mod probe;
mod remote;
mod rpc;
mod session;
mod store;
mod values;

pub use backend::{Entrance, Exchange, Kind, Reachable};
pub use mailbox::Progress;
pub use options::{Options, Outage, QueueLimits};
