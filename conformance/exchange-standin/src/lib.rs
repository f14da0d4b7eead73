//! A MAPI/HTTP server for tests: it behaves as the documents say Exchange does, strictly, and fails on demand.
//!
//! [`Server::start`] runs one with people and mailboxes in memory. A test talks to it as to Exchange: Autodiscover,
//! MAPI over HTTP for the mailbox and for the address book, RPC over HTTP for the mailbox, and of the web services whose
//! mailbox is whose. Beside that it may change mailboxes as another client would ([`MailboxAccess`]), make things go wrong ([`FaultAccess`]), and ask what its client did: [`Counters`],
//! receipts that went out, and violations, things no client may do although a server may let them pass.
//!
//! It decodes and encodes with `mapi-wire` and shares nothing else with the client it judges.

mod access;
mod autodiscover;
mod config;
mod control;
mod counters;
mod emsmdb;
mod faults;
mod http;
mod mapi_http;
pub mod model;
mod nspi;
mod rop;
mod rpc;
mod server;
mod session;
mod state;
mod web_services;

pub use access::MailboxAccess;
pub use autodiscover::Redirect;
pub use config::{Config, Limits, Manners, Rpc, Timing, WebServices};
pub use counters::Counters;
pub use faults::{Fault, NotificationFault, What, When};
pub use server::{FaultAccess, Server};
