//! APPEND (RFC 3501 6.3.11), of several messages (RFC 3502), binary (RFC 3516) and UTF-8 (RFC 6855).

use crate::cursor::{Cursor, DecodeError};
use crate::date::DateTime;
use crate::flag::Flag;
use crate::mailbox::MailboxName;

/// `APPEND mailbox message…`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Where to.
    pub mailbox: MailboxName,
    /// The messages, at least one, in order.
    pub messages: Vec<AppendMessage>,
}

/// One message of an APPEND.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendMessage {
    /// Its flags.
    pub flags: Vec<Flag>,
    /// Its internal date; the time of arrival when absent.
    pub date: Option<DateTime>,
    /// Its octets.
    pub data: AppendData,
    /// Whether it came as `UTF8 (~{…})` (RFC 6855 4).
    pub utf8: bool,
}

/// Where a message's octets are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendData {
    /// In memory.
    Inline(Vec<u8>),
    /// Streamed: the number is [`LiteralHeader::index`](crate::LiteralHeader::index), the length in octets.
    Streamed {
        /// Which literal of the command.
        index: usize,
        /// Its length in octets.
        len: u64,
    },
}

pub(super) fn append(cursor: &mut Cursor<'_>) -> Result<Append, DecodeError> {
    let mailbox = cursor.mailbox()?;
    let mut messages = Vec::new();
    cursor.space()?;
    loop {
        messages.push(message(cursor)?);
        if !cursor.take(b' ') {
            return Ok(Append { mailbox, messages });
        }
    }
}

fn message(cursor: &mut Cursor<'_>) -> Result<AppendMessage, DecodeError> {
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = cursor.flag_list()?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        date = Some(cursor.date_time()?);
        cursor.space()?;
    }
    let utf8 = cursor.take_word("UTF8");
    if utf8 {
        cursor.space()?;
        cursor.expect(b'(', "\"(\"")?;
    }
    let data = cursor.append_literal()?;
    if utf8 {
        cursor.expect(b')', "\")\"")?;
    }
    Ok(AppendMessage {
        flags,
        date,
        data,
        utf8,
    })
}
