//! Mail sessions over `account`, in two profiles of one protocol: delivery (LMTP), where mail servers hand over messages
//! for mailboxes here, and submission, where users who have logged in send mail.
//!
//! [`Server::serve`] runs one connection: `session` holds the protocol's state, `envelope`, `login` and `message` its
//! commands, `deliver` and `submit` what becomes of a message, `connection` the bounded buffers, `data` the end of a
//! message, `trace` the header fields that are added. A message is acknowledged once it is durable. A session spawns
//! nothing, waits for one peer and holds one message's spool.
//! Source: RFC 2033 (LMTP), RFC 6409 (submission), RFC 5321, 1870, 2034, 2920, 3030, 3207, 3461, 4865, 4954, 6152, 6531,
//! 8689.

mod config;
mod connection;
mod data;
mod deliver;
mod envelope;
mod login;
mod message;
mod passing;
mod reply;
mod server;
mod session;
mod submit;
mod trace;
mod transaction;

pub use config::{Config, MailboxFull};
pub use front_end::{Peer, TlsState as Tls};
pub use server::Server;
