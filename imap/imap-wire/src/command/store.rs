//! STORE (RFC 3501 6.4.6, RFC 7162 3.1.3), COPY and MOVE (RFC 6851).

use crate::cursor::{Cursor, DecodeError};
use crate::flag::Flag;
use crate::mailbox::MailboxName;
use crate::sequence::MessageSet;

/// `STORE set [(UNCHANGEDSINCE n)] FLAGS …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Whether `set` holds UIDs.
    pub uid: bool,
    /// The messages to change.
    pub set: MessageSet,
    /// Change only what has at most this MODSEQ.
    pub unchanged_since: Option<u64>,
    /// What to do with the flags.
    pub op: StoreOp,
    /// Whether no FETCH response is wanted (`.SILENT`).
    pub silent: bool,
    /// The flags, possibly none.
    pub flags: Vec<Flag>,
}

/// How STORE changes flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreOp {
    /// `FLAGS`: these and no others.
    Replace,
    /// `+FLAGS`: these too.
    Add,
    /// `-FLAGS`: not these.
    Remove,
}

/// `COPY set mailbox` or `MOVE set mailbox`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Whether `set` holds UIDs.
    pub uid: bool,
    /// The messages.
    pub set: MessageSet,
    /// Where to.
    pub mailbox: MailboxName,
}

pub(super) fn store(cursor: &mut Cursor<'_>, uid: bool) -> Result<Store, DecodeError> {
    let set = cursor.message_set()?;
    cursor.space()?;
    let mut unchanged_since = None;
    if cursor.take(b'(') {
        cursor.expect_word("UNCHANGEDSINCE", "UNCHANGEDSINCE")?;
        cursor.space()?;
        unchanged_since = Some(cursor.mod_sequence()?);
        cursor.expect(b')', "\")\"")?;
        cursor.space()?;
    }
    let op = if cursor.take(b'+') {
        StoreOp::Add
    } else if cursor.take(b'-') {
        StoreOp::Remove
    } else {
        StoreOp::Replace
    };
    let at = cursor.at();
    let silent = match &*cursor.atom_upper("FLAGS")? {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(DecodeError::new(at, "FLAGS or FLAGS.SILENT")),
    };
    cursor.space()?;
    let flags = if cursor.peek() == Some(b'(') {
        cursor.flag_list()?
    } else {
        cursor.flags()?
    };
    Ok(Store {
        uid,
        set,
        unchanged_since,
        op,
        silent,
        flags,
    })
}

pub(super) fn transfer(cursor: &mut Cursor<'_>, uid: bool) -> Result<Transfer, DecodeError> {
    let set = cursor.message_set()?;
    cursor.space()?;
    Ok(Transfer {
        uid,
        set,
        mailbox: cursor.mailbox()?,
    })
}
