//! Mailbox names and LIST patterns, decoded to UTF-8.

use std::fmt;

/// A mailbox name in UTF-8, with the hierarchy separators the client wrote. `INBOX` is always spelled so.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(String);

impl MailboxName {
    /// The name as given, except that any spelling of `inbox` becomes `INBOX` (RFC 3501 5.1).
    #[must_use]
    pub fn new(name: &str) -> Self {
        if name.eq_ignore_ascii_case("INBOX") {
            return Self("INBOX".to_owned());
        }
        Self(name.to_owned())
    }

    /// The name a client sent: UTF-8 where it has octets above 127, else modified UTF-7.
    #[must_use]
    pub fn from_wire(bytes: &[u8]) -> Self {
        Self::new(&crate::mutf7::decode(bytes))
    }

    /// The name in UTF-8.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the INBOX.
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A LIST pattern in UTF-8, with its wildcards `*` (anything) and `%` (anything but the separator).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListPattern(String);

impl ListPattern {
    /// The pattern a client sent: UTF-8 where it has octets above 127, else modified UTF-7.
    #[must_use]
    pub fn from_wire(bytes: &[u8]) -> Self {
        Self(crate::mutf7::decode(bytes))
    }

    /// The pattern in UTF-8.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
