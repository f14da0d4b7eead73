//! LMTP sessions over `account`: mail servers hand over messages, and a message is acknowledged once it is durable.
//!
//! [`Server::serve`] runs one connection: `session` holds the protocol's state, `connection` the bounded buffers,
//! `data` the end of a message, `trace` the header fields that delivery adds. A session spawns nothing, waits for
//! one peer and holds one message's spool.
//! Source: RFC 2033 (LMTP), RFC 5321, 1652, 1870, 2034, 2920, 3030, 3207, 3461, 6531.

mod config;
mod connection;
mod data;
mod reply;
mod server;
mod session;
mod trace;
mod transaction;

pub use config::Config;
pub use server::{Peer, Server, Tls};
