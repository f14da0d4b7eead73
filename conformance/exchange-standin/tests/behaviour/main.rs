//! The server as its clients see it, by a raw client on `mapi-wire`.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod address_book;
mod bulk;
mod client;
mod control;
mod discovery;
mod execute;
mod faults;
mod first_sync;
mod folders;
mod http;
mod mailbox;
mod messages;
mod notifications;
mod sending;
mod sync;
mod transfer;
mod transport;
mod upload;
