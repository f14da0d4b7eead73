//! Why the queue did not do what it was asked for.

use std::{error, fmt};

/// Shorthand for what this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the queue did not do what it was asked for.
#[derive(Debug)]
pub struct Error {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    what: &'static str,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// A bound of the queue is reached.
    Full,
    /// The message has passed too many mail servers.
    Loop,
    /// A recipient or a sender that cannot be.
    Invalid,
    /// No such message.
    NotFound,
    /// The disk or the directory does not do its work; later it may.
    Unavailable,
}

impl Error {
    /// A failure without another one behind it.
    pub const fn new(kind: ErrorKind, what: &'static str) -> Self {
        Self {
            kind,
            what,
            source: None,
        }
    }

    /// A failure because of another one.
    pub fn with_source(
        kind: ErrorKind,
        what: &'static str,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            what,
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::with_source(
            ErrorKind::Unavailable,
            "the queue cannot be read or written",
            error,
        )
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::with_source(
            ErrorKind::Unavailable,
            "a queued message cannot be read or written",
            error,
        )
    }
}
