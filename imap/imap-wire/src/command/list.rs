//! LIST, plain and extended (RFC 3501 6.3.8, RFC 5258, RFC 5819, RFC 6154), and LSUB.

use super::status::{StatusAttribute, attributes};
use crate::cursor::{Cursor, DecodeError};
use crate::limits::LIST_PATTERNS_MAX;
use crate::mailbox::{ListPattern, MailboxName};

/// `LIST [(selection)] reference patterns [RETURN (…)]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The reference name.
    pub reference: MailboxName,
    /// The patterns, at least one unless a client sent `()`.
    pub patterns: Vec<ListPattern>,
    /// Which mailboxes to show.
    pub select: ListSelect,
    /// What to say about them.
    pub returns: ListReturn,
    /// Whether extended syntax was used: then the answer to an empty pattern is not the separator's probe
    /// (RFC 5258 3).
    pub extended: bool,
}

/// `LSUB reference pattern`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lsub {
    /// The reference name.
    pub reference: MailboxName,
    /// The pattern.
    pub pattern: ListPattern,
}

/// The selection options of an extended LIST.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListSelect {
    /// `SUBSCRIBED`: subscribed names only, also of mailboxes that do not exist.
    pub subscribed: bool,
    /// `REMOTE`: remote mailboxes too.
    pub remote: bool,
    /// `RECURSIVEMATCH`: also parents of what matches.
    pub recursive_match: bool,
    /// `SPECIAL-USE`: mailboxes with a special use only (RFC 6154).
    pub special_use: bool,
}

/// The return options of an extended LIST.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListReturn {
    /// `SUBSCRIBED`: mark subscribed mailboxes.
    pub subscribed: bool,
    /// `CHILDREN`: say whether there are children.
    pub children: bool,
    /// `SPECIAL-USE`: say what mailboxes are for.
    pub special_use: bool,
    /// `MYRIGHTS`: add a MYRIGHTS response (RFC 8440).
    pub my_rights: bool,
    /// `STATUS (…)`: add a STATUS response (RFC 5819). Empty when not asked for.
    pub status: Vec<StatusAttribute>,
}

pub(super) fn list(cursor: &mut Cursor<'_>) -> Result<List, DecodeError> {
    let mut select = ListSelect::default();
    let mut extended = false;
    if cursor.take(b'(') {
        extended = true;
        select = selection(cursor)?;
        cursor.space()?;
    }
    let reference = cursor.mailbox()?;
    cursor.space()?;
    let patterns = if cursor.take(b'(') {
        extended = true;
        patterns(cursor)?
    } else {
        vec![cursor.list_pattern()?]
    };
    let mut returns = ListReturn::default();
    if cursor.take(b' ') {
        extended = true;
        cursor.expect_word("RETURN", "RETURN")?;
        cursor.space()?;
        returns = return_options(cursor)?;
    }
    Ok(List {
        reference,
        patterns,
        select,
        returns,
        extended,
    })
}

pub(super) fn lsub(cursor: &mut Cursor<'_>) -> Result<Lsub, DecodeError> {
    let reference = cursor.mailbox()?;
    cursor.space()?;
    Ok(Lsub {
        reference,
        pattern: cursor.list_pattern()?,
    })
}

/// The patterns up to the closing parenthesis.
fn patterns(cursor: &mut Cursor<'_>) -> Result<Vec<ListPattern>, DecodeError> {
    let mut patterns = Vec::new();
    while cursor.next_item(patterns.len())? {
        if patterns.len() == LIST_PATTERNS_MAX {
            return Err(cursor.error("at most 64 patterns"));
        }
        patterns.push(cursor.list_pattern()?);
    }
    Ok(patterns)
}

/// The selection options up to the closing parenthesis.
fn selection(cursor: &mut Cursor<'_>) -> Result<ListSelect, DecodeError> {
    let open = cursor.at();
    let mut select = ListSelect::default();
    let mut options = 0;
    while cursor.next_item(options)? {
        options += 1;
        let at = cursor.at();
        match &*cursor.atom_upper("a selection option")? {
            "SUBSCRIBED" => select.subscribed = true,
            "REMOTE" => select.remote = true,
            "RECURSIVEMATCH" => select.recursive_match = true,
            "SPECIAL-USE" => select.special_use = true,
            _ => return Err(DecodeError::new(at, "a selection option")),
        }
    }
    // RFC 5258 3.1: RECURSIVEMATCH means nothing without an option that it extends.
    if select.recursive_match && !select.subscribed && !select.special_use {
        return Err(DecodeError::new(
            open,
            "RECURSIVEMATCH beside another selection option",
        ));
    }
    Ok(select)
}

fn return_options(cursor: &mut Cursor<'_>) -> Result<ListReturn, DecodeError> {
    cursor.expect(b'(', "a list of return options")?;
    let mut returns = ListReturn::default();
    let mut options = 0;
    while cursor.next_item(options)? {
        options += 1;
        let at = cursor.at();
        match &*cursor.atom_upper("a return option")? {
            "SUBSCRIBED" => returns.subscribed = true,
            "CHILDREN" => returns.children = true,
            "SPECIAL-USE" => returns.special_use = true,
            "MYRIGHTS" => returns.my_rights = true,
            "STATUS" => {
                cursor.space()?;
                returns.status = attributes(cursor)?;
            }
            _ => return Err(DecodeError::new(at, "a return option")),
        }
    }
    Ok(returns)
}
