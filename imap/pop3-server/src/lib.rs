//! POP3 sessions over `account`: mail clients fetch what is in their Inbox, and delete it.
//!
//! [`Server::serve`] runs one connection. `session` reads commands and answers them, `login` lets users in, `maildrop`
//! is the Inbox as a session saw it at its login, `listing`, `retrieve` and `update` are what can be done with it.
//! `line`, `command`, `stuffing` and `top` are the protocol's grammar; they see octets and no connection.
//!
//! A session spawns nothing and locks nothing: several may have one Inbox open, beside any number of IMAP sessions.
//! Its maildrop is a snapshot, which is read and never held; messages go at QUIT, all in one change of the store.
//! What a message is called by UIDL is made of the folder's epoch and the item's number, and so never changes and
//! never names anything else.
//!
//! Messages are sent octet for octet as they are kept, but for the dots that the protocol wants and a line end that it
//! cannot do without. That includes what RFC 6856 5 would have converted for a client that does not ask for UTF8:
//! such clients have read header fields in UTF-8 for as long as there have been any.
//! Sources: RFC 1939 (POP3), RFC 2449 (CAPA), RFC 2595 and 8314 (TLS), RFC 3206 (SYS and AUTH), RFC 5034 (SASL), RFC
//! 6856 (UTF8, LANG).

mod capability;
mod command;
mod config;
mod ending;
mod language;
mod line;
mod listing;
mod login;
mod maildrop;
mod operation;
mod reply;
mod retrieve;
mod server;
mod session;
mod stuffing;
mod top;
mod update;

#[cfg(test)]
#[path = "../fuzz/checks/content.rs"]
mod check_content;
#[cfg(test)]
#[path = "../fuzz/checks/lines.rs"]
mod check_lines;

pub use config::{Config, Seen};
pub use server::Server;
