//! The Exchange backend: a mailbox on an Exchange server, mirrored into the tables of the embedded store.
//!
//! The modules from below: [`http`] moves requests and says what may have arrived, [`auth`] proves who asks.

pub mod address_book;
pub mod auth;
mod backend;
pub mod discover;
pub mod fault;
pub mod http;
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
