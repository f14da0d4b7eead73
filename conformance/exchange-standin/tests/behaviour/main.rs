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
mod folder_rops;
mod folders;
mod http;
mod mailbox;
mod message_lists;
mod message_parts;
mod message_rops;
mod messages;
mod notifications;
mod replay;
mod rights;
mod sending;
mod sync;
mod tables;
mod tls;
mod transfer;
mod transport;
mod upload;
