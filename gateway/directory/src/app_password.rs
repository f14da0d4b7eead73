//! App passwords: secrets of the gateway's own making, one for each program of a user.
//!
//! They are kept as HMAC-SHA-256 under the directory's own key, not as argon2id hashes. A slow hash makes guesses dear
//! where people choose passwords. Of these there are 2^138: nobody who reads the file can try a share of them that
//! matters, however fast a try is. So checking one costs microseconds, and a user may have many.

use std::{collections::BTreeSet, fmt};

use subtle::ConstantTimeEq as _;

use crate::{
    Address, Error, Service, password,
    scram::{mac, tag},
};

/// The most app passwords of one user.
pub const APP_PASSWORDS_MAX: usize = 100;
/// The longest name of one, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// Symbols of one; 28 of 31 carry 138 bits.
const SYMBOLS: usize = 28;
/// Symbols that are shown together.
const GROUP_SYMBOLS: usize = 4;
/// Symbols of what it is called by.
const ID_SYMBOLS: usize = 6;

/// What anybody may know of an app password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AppPassword {
    /// What it is called by: no other of the directory has it.
    pub id: String,
    /// What its user calls it, such as the program that has it.
    pub name: String,
    /// What it opens; at least one.
    pub services: BTreeSet<Service>,
    /// When it was made: RFC 3339, in UTC.
    pub created: String,
    /// When it was last used, to the minute: RFC 3339, in UTC.
    pub last_used: Option<String>,
}

/// An app password in the shape in which it is compared. No `Debug`.
#[derive(Clone)]
pub(crate) struct Candidate([u8; SYMBOLS]);

/// What is kept of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct AppPasswordEntry {
    pub(crate) public: AppPassword,
    pub(crate) hash: [u8; 32],
}

impl Candidate {
    /// What somebody typed, if it can be an app password: case, spaces and hyphens do not matter.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > 3 * SYMBOLS {
            return None;
        }
        let mut symbols = text
            .iter()
            .filter(|&&octet| !matches!(octet, b' ' | b'-'))
            .map(u8::to_ascii_lowercase);
        let mut candidate = [0; SYMBOLS];
        for place in &mut candidate {
            *place = symbols
                .next()
                .filter(|&symbol| password::is_symbol(symbol))?;
        }
        symbols.next().is_none().then_some(Self(candidate))
    }

    /// What is kept of it as a user's.
    pub(crate) fn hash(&self, key: &[u8; 32], user: &Address) -> Result<[u8; 32], Error> {
        let user = user.to_string();
        // An address contains no null byte.
        let pieces = [b"app password:", user.as_bytes(), b"\0", &self.0];
        Ok(tag(mac(key)?, &pieces))
    }
}

impl AppPasswordEntry {
    /// Whether what is kept of a candidate is this one. Takes constant time.
    pub(crate) fn fits(&self, hash: &[u8; 32]) -> bool {
        self.hash.ct_eq(hash).into()
    }
}

/// Makes one up, as its user gets to see it.
pub(crate) fn generate() -> Result<String, Error> {
    password::symbols(SYMBOLS, GROUP_SYMBOLS)
}

/// Makes up what one is called by.
pub(crate) fn generate_id() -> Result<String, Error> {
    password::symbols(ID_SYMBOLS, ID_SYMBOLS)
}

/// Whether a text can be what one is called by.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == ID_SYMBOLS && text.bytes().all(password::is_symbol)
}

/// Refuses a name that cannot be shown on a line.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    match name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(Error::AppPassword(
            "its name is longer than 100 bytes, or has a control character",
        )),
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Candidate(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_password_is_recognised_however_it_is_typed() {
        let made = generate().expect("random");
        assert_eq!(made.len(), SYMBOLS + SYMBOLS / GROUP_SYMBOLS - 1);
        let address = Address::parse("alice@example.test").expect("address");
        let hash = |text: &str| {
            let candidate = Candidate::parse(text.as_bytes())?;
            Some(candidate.hash(&[7; 32], &address).expect("hashed"))
        };
        let expected = hash(&made);
        assert!(expected.is_some());
        for typed in [
            made.replace('-', ""),
            made.replace('-', " "),
            made.to_uppercase(),
        ] {
            assert_eq!(hash(&typed), expected, "{typed}");
        }
        for other in [
            "",
            "open sesame",
            &format!("{made}a"),
            &made[1..],
            &made.replace('-', "------------"),
            &made.replacen('-', "0", 1),
        ] {
            assert_eq!(hash(other), None, "{other}");
        }
    }

    #[test]
    fn the_hash_is_of_one_user_under_one_key() {
        let candidate = Candidate::parse(&[b'a'; SYMBOLS]).expect("candidate");
        let hash = |key, user| {
            let user = Address::parse(user).expect("address");
            candidate.hash(&key, &user).expect("hashed")
        };
        let known = hash([1; 32], "alice@example.test");
        assert_eq!(hash([1; 32], "ALICE@example.test"), known);
        assert_ne!(hash([2; 32], "alice@example.test"), known);
        assert_ne!(hash([1; 32], "bob@example.test"), known);
    }
}
