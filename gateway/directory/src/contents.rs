//! What a directory holds: plain data, without indexes.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Address, AddressError, ScramVerifier, app_password::AppPasswordEntry};

/// The longest name of a mailbox, in bytes: stores name files after it, with an ending of their own.
const MAILBOX_BYTES_MAX: usize = 200;

/// The name of a mailbox: the lower-case address of its user, or of the shared mailbox.
///
/// It is safe as the stem of a file name: it has no `/`, `\` or control character, does not begin with a dot, and is
/// at most 200 bytes long.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MailboxName(String);

impl MailboxName {
    /// The mailbox of an address, if an address like that can have one.
    pub fn of(address: &Address) -> Result<Self, AddressError> {
        let name = address.to_string();
        if let Some(c) = name
            .chars()
            .find(|&c| matches!(c, '/' | '\\' | '"') || c.is_control())
        {
            return Err(AddressError::MailboxCharacter(c));
        }
        if name.len() > MAILBOX_BYTES_MAX {
            Err(AddressError::MailboxTooLong)
        } else {
            Ok(Self(name))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Somebody with a mailbox who can log in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The address, which is also the login name.
    pub address: Address,
    /// The user's mailbox.
    pub mailbox: MailboxName,
    /// When the user was added: RFC 3339, in UTC.
    pub created: String,
    /// Whether logging in is barred. Mail is still accepted.
    pub disabled: bool,
    /// Whether app passwords alone are taken: the user's own password opens nothing.
    pub app_passwords_only: bool,
}

/// An address that stands for others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alias {
    /// The address.
    pub address: Address,
    /// What it stands for: users, shared mailboxes or further aliases.
    pub targets: Vec<Address>,
}

/// A mailbox that receives mail and has no login of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shared {
    /// The address.
    pub address: Address,
    /// The mailbox.
    pub mailbox: MailboxName,
}

/// How somebody may send in another's name; more is greater.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendGrant {
    /// As the one who sends for the other: From names the other, and Sender oneself (RFC 5322 3.6.2).
    OnBehalf,
    /// As the other.
    As,
}

/// Who may send in whose name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sender {
    /// The address of a user, a shared mailbox or an alias.
    pub name: Address,
    /// Whose mailbox may send in this name.
    pub member: Address,
    /// How.
    pub grant: SendGrant,
}

/// A user's entry.
#[derive(Clone)]
pub(crate) struct UserEntry {
    pub(crate) user: User,
    /// An argon2id hash as a PHC string; without one no password is right.
    pub(crate) password: Option<String>,
    /// The verifier for SCRAM-SHA-256; without one the mechanism never succeeds.
    pub(crate) scram: Option<ScramVerifier>,
    pub(crate) app_passwords: Vec<AppPasswordEntry>,
}

/// All of a directory. An address is in one of the three maps at most.
#[derive(Clone)]
pub(crate) struct Contents {
    /// Makes the salts of users who do not exist, so that they stay the same over restarts.
    pub(crate) salt_key: [u8; 32],
    pub(crate) users: BTreeMap<Address, UserEntry>,
    pub(crate) aliases: BTreeMap<Address, Vec<Address>>,
    pub(crate) shared: BTreeMap<Address, Shared>,
    /// By name and member.
    pub(crate) senders: BTreeMap<(Address, Address), SendGrant>,
}

impl Contents {
    /// A directory of nobody.
    pub(crate) fn empty(salt_key: [u8; 32]) -> Self {
        Self {
            salt_key,
            users: BTreeMap::new(),
            aliases: BTreeMap::new(),
            shared: BTreeMap::new(),
            senders: BTreeMap::new(),
        }
    }

    /// Whether the address is taken.
    pub(crate) fn knows(&self, address: &Address) -> bool {
        self.users.contains_key(address)
            || self.aliases.contains_key(address)
            || self.shared.contains_key(address)
    }
}
