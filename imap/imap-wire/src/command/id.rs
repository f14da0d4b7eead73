//! ID (RFC 2971) and ENABLE (RFC 5161).

use crate::cursor::{Cursor, DecodeError};
use crate::limits::ID_PAIRS_MAX;

/// A field of ID and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPair {
    /// The field, such as `name`; octets that are not UTF-8 are replaced.
    pub field: String,
    /// Its value; `None` for `NIL`.
    pub value: Option<String>,
}

pub(super) fn id(cursor: &mut Cursor<'_>) -> Result<Vec<IdPair>, DecodeError> {
    if cursor.take_word("NIL") {
        return Ok(Vec::new());
    }
    cursor.expect(b'(', "NIL or a list of fields and values")?;
    let mut pairs = Vec::new();
    while cursor.next_item(pairs.len())? {
        if pairs.len() == ID_PAIRS_MAX {
            return Err(cursor.error("at most 30 fields"));
        }
        let field = String::from_utf8_lossy(&cursor.string()?).into_owned();
        cursor.space()?;
        let value = cursor
            .nstring()?
            .map(|value| String::from_utf8_lossy(&value).into_owned());
        pairs.push(IdPair { field, value });
    }
    Ok(pairs)
}

pub(super) fn enable(cursor: &mut Cursor<'_>) -> Result<Vec<Box<str>>, DecodeError> {
    let mut names = vec![cursor.atom_upper("a capability")?];
    while cursor.take(b' ') {
        names.push(cursor.atom_upper("a capability")?);
    }
    Ok(names)
}
