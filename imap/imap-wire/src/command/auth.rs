//! LOGIN and AUTHENTICATE (RFC 3501 6.2, RFC 4959).

use std::fmt;

use crate::base64::{SaslReply, sasl_reply};
use crate::cursor::{Cursor, DecodeError};

/// Octets that must not reach a log: `Debug` shows their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} octets)", self.0.len())
    }
}

/// `LOGIN user password`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The user's name. RFC 3501 allows ASCII only; other octets must be UTF-8.
    pub user: String,
    /// The password's octets.
    pub password: Secret,
}

/// `AUTHENTICATE mechanism [initial-response]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticate {
    /// The SASL mechanism, in upper case.
    pub mechanism: Box<str>,
    /// The initial response, base64 undone; empty for `=`.
    pub initial_response: Option<Secret>,
}

pub(super) fn login(cursor: &mut Cursor<'_>) -> Result<Login, DecodeError> {
    let at = cursor.at();
    let user = cursor.astring()?.into_owned();
    let user = String::from_utf8(user).map_err(|_| DecodeError::new(at, "a user name in UTF-8"))?;
    cursor.space()?;
    let password = Secret(cursor.astring()?.into_owned());
    Ok(Login { user, password })
}

pub(super) fn authenticate(cursor: &mut Cursor<'_>) -> Result<Authenticate, DecodeError> {
    let mechanism = cursor.atom_upper("a SASL mechanism")?;
    let mut initial_response = None;
    // Spaces at the line's end are not an (empty) initial response: that is `=`.
    if cursor.skip_spaces() > 0 && !cursor.at_end_of_line() {
        let at = cursor.at();
        let word = cursor.rest_of_line().trim_ascii_end();
        let word = if word == b"=" { b"" } else { word };
        let SaslReply::Data(data) = sasl_reply(word) else {
            return Err(DecodeError::new(at, "an initial response in base64"));
        };
        initial_response = Some(Secret(data));
    }
    Ok(Authenticate {
        mechanism,
        initial_response,
    })
}
