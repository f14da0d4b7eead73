//! The grammar of IMAP, without I/O: bytes become commands, responses become bytes.
//!
//! A session feeds what it reads to a [`Framer`], which cuts the stream into bounded command frames and lets the
//! session decide about every literal; [`decode`] turns a frame into a [`Command`]; a [`Writer`] appends responses to
//! a reused buffer. Nothing here reads a clock, a file or a socket, and no input makes it panic.
//!
//! Sources: RFC 3501 (IMAP4rev1) and RFC 9051 (IMAP4rev2) with the extensions named where they are obeyed.

#![warn(clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, reason = "a failing test may panic")
)]

mod base64;
pub mod command;
mod cursor;
mod date;
mod flag;
mod frame;
pub mod keyword;
pub mod limits;
mod mailbox;
pub mod mutf7;
pub mod response;
mod section;
mod sequence;

pub use base64::{SaslReply, encode_base64, sasl_reply};
pub use command::{Command, CommandBody, Tag, decode};
pub use cursor::DecodeError;
pub use date::{Date, DateTime};
pub use flag::{Flag, FlagBits, Keyword};
pub use frame::{Answer, Event, Frame, Framer, LiteralHeader, Mode, Refusal, RefusalReason};
pub use limits::Limits;
pub use mailbox::{ListPattern, MailboxName};
pub use response::{Code, FetchWriter, Status, Writer};
pub use section::{BodySection, Partial, Section, SectionText};
pub use sequence::{MessageSet, NumberSet, SequenceRange, SequenceSet, SetNumber};
