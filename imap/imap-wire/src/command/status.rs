//! STATUS and its attributes (RFC 3501 6.3.10, RFC 7162, RFC 8438, RFC 9051, RFC 7889, RFC 8474).

use crate::cursor::{Cursor, DecodeError};
use crate::mailbox::MailboxName;

/// `STATUS mailbox (…)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCommand {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// The attributes asked for, at least one, in the client's order.
    pub attributes: Vec<StatusAttribute>,
}

/// An attribute of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusAttribute {
    /// Number of messages.
    Messages,
    /// Number of messages with `\Recent`.
    Recent,
    /// Number of messages without `\Seen`.
    Unseen,
    /// Number of messages with `\Deleted`.
    Deleted,
    /// The next UID.
    UidNext,
    /// The UIDVALIDITY.
    UidValidity,
    /// The highest MODSEQ (RFC 7162).
    HighestModSeq,
    /// Octets of all messages together (RFC 8438).
    Size,
    /// Octets a message may have at most (RFC 7889).
    AppendLimit,
    /// The mailbox's object id (RFC 8474).
    MailboxId,
    /// Octets that removing `\Deleted` messages would free (RFC 9208).
    DeletedStorage,
}

impl StatusAttribute {
    const ALL: [Self; 11] = [
        Self::Messages,
        Self::Recent,
        Self::Unseen,
        Self::Deleted,
        Self::UidNext,
        Self::UidValidity,
        Self::HighestModSeq,
        Self::Size,
        Self::AppendLimit,
        Self::MailboxId,
        Self::DeletedStorage,
    ];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::Unseen => "UNSEEN",
            Self::Deleted => "DELETED",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::Size => "SIZE",
            Self::AppendLimit => "APPENDLIMIT",
            Self::MailboxId => "MAILBOXID",
            Self::DeletedStorage => "DELETED-STORAGE",
        }
    }
}

pub(super) fn status(cursor: &mut Cursor<'_>) -> Result<StatusCommand, DecodeError> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    Ok(StatusCommand {
        mailbox,
        attributes: attributes(cursor)?,
    })
}

/// The attributes in parentheses; doubled ones are kept once.
pub(super) fn attributes(cursor: &mut Cursor<'_>) -> Result<Vec<StatusAttribute>, DecodeError> {
    cursor.expect(b'(', "a list of status attributes")?;
    let mut attributes = Vec::new();
    loop {
        let at = cursor.at();
        let name = cursor.atom_upper("a status attribute")?;
        let Some(attribute) = StatusAttribute::ALL
            .into_iter()
            .find(|known| known.name() == &*name)
        else {
            return Err(DecodeError::new(at, "a status attribute"));
        };
        if !attributes.contains(&attribute) {
            attributes.push(attribute);
        }
        if !cursor.next_item(attributes.len())? {
            return Ok(attributes);
        }
    }
}
