//! The server as its clients see it, by a raw client on `mapi-wire`.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod client;
mod execute;
mod faults;
mod first_sync;
mod folders;
mod http;
mod mailbox;
mod messages;
mod sending;
mod transport;
