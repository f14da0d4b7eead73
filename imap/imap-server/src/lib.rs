//! IMAP sessions over `account`: mail clients read and change their mailboxes.
//!
//! [`Server::serve`] runs one connection. `connection` holds the bounded buffers, `session` reads commands and answers
//! them, `state` says what a session has, `view` numbers the messages, `plan` prepares FETCH, and `command` has one
//! file for each command. A session spawns nothing, and holds no lock while it writes.
//!
//! Mailboxes are folders as IMAP clients see them (`mailboxes`, `mailbox_name`), UIDs are item numbers, UIDVALIDITY is
//! the epoch and MODSEQ the version.
//! Sources: RFC 3501 (IMAP4rev1), RFC 2177 (IDLE), RFC 2342 (NAMESPACE), RFC 2971 (ID), RFC 3348 (CHILDREN), RFC 3502
//! (MULTIAPPEND), RFC 3691 (UNSELECT), RFC 4315 (UIDPLUS), RFC 4731 (ESEARCH), RFC 4959 (SASL-IR), RFC 5032 (WITHIN),
//! RFC 5161 (ENABLE), RFC 5258 (LIST-EXTENDED), RFC 5819 (LIST-STATUS), RFC 6154 (SPECIAL-USE), RFC 6851 (MOVE), RFC
//! 7162 (CONDSTORE), RFC 7888 (LITERAL+), RFC 7889 (APPENDLIMIT), RFC 8438 (STATUS=SIZE).

mod capability;
mod command;
mod config;
mod connection;
mod flags;
mod mailbox_name;
mod mailboxes;
mod operation;
mod pattern;
mod plan;
mod recent;
mod reply;
mod server;
mod session;
mod state;
mod sync;
mod uid_validity;
mod view;
mod work;

pub use config::Config;
pub use server::Server;
