//! The server as its clients see it, by a raw client on `mapi-wire`.

mod client;
mod first_sync;
mod http;
mod mailbox;
