//! SELECT and EXAMINE with CONDSTORE and QRESYNC (RFC 7162 3.1.8, 3.2.5).

use std::num::NonZeroU32;

use crate::cursor::{Cursor, DecodeError};
use crate::mailbox::MailboxName;
use crate::sequence::SequenceSet;

/// `SELECT mailbox [(…)]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// The mailbox to open.
    pub mailbox: MailboxName,
    /// Whether `CONDSTORE` was given.
    pub condstore: bool,
    /// What the client knows of the mailbox, when it resynchronises.
    pub qresync: Option<Qresync>,
}

/// `QRESYNC (uidvalidity modseq [known-uids] [(known-sequences known-uids)])`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qresync {
    /// The UIDVALIDITY the client knows.
    pub uid_validity: NonZeroU32,
    /// The highest MODSEQ the client knows. The grammar wants it above 0; 0 is taken and means all.
    pub mod_seq: u64,
    /// The UIDs the client knows; all up to UIDNEXT when absent.
    pub known_uids: Option<SequenceSet>,
    /// Sequence numbers and the UIDs the client thinks they have.
    pub match_data: Option<(SequenceSet, SequenceSet)>,
}

pub(super) fn select(cursor: &mut Cursor<'_>) -> Result<Select, DecodeError> {
    let mut select = Select {
        mailbox: cursor.mailbox()?,
        condstore: false,
        qresync: None,
    };
    if !cursor.take(b' ') {
        return Ok(select);
    }
    cursor.expect(b'(', "a list of parameters")?;
    loop {
        let at = cursor.at();
        match &*cursor.atom_upper("CONDSTORE or QRESYNC")? {
            "CONDSTORE" => select.condstore = true,
            "QRESYNC" => {
                cursor.space()?;
                select.qresync = Some(qresync(cursor)?);
            }
            _ => return Err(DecodeError::new(at, "CONDSTORE or QRESYNC")),
        }
        if !cursor.next_item(1)? {
            return Ok(select);
        }
    }
}

fn qresync(cursor: &mut Cursor<'_>) -> Result<Qresync, DecodeError> {
    cursor.expect(b'(', "\"(\"")?;
    let uid_validity = cursor.nonzero_number()?;
    cursor.space()?;
    let mut qresync = Qresync {
        uid_validity,
        mod_seq: cursor.mod_sequence()?,
        known_uids: None,
        match_data: None,
    };
    if cursor.peek() == Some(b' ') && cursor.peek_second() != Some(b'(') {
        cursor.space()?;
        qresync.known_uids = Some(cursor.known_set()?);
    }
    if cursor.take(b' ') {
        cursor.expect(b'(', "known sequence numbers and UIDs")?;
        let sequences = cursor.known_set()?;
        cursor.space()?;
        qresync.match_data = Some((sequences, cursor.known_set()?));
        cursor.expect(b')', "\")\"")?;
    }
    cursor.expect(b')', "\")\"")?;
    Ok(qresync)
}
