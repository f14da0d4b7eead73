//! What a login is for.

use std::fmt;

/// The protocol by which somebody logs in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Service {
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
    /// Message submission.
    Smtp,
    /// HTTP: calendars, contacts, pages.
    Http,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Imap, Self::Pop3, Self::Smtp, Self::Http];

    /// Its name in commands, files and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Smtp => "smtp",
            Self::Http => "http",
        }
    }

    /// The service of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
