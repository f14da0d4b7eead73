//! Why a run ends, or why one message could not be moved.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What went wrong.
#[derive(Debug)]
pub enum Error {
    /// The mailbox, and what was being done.
    Mailbox(String, account::Error),
    /// A file.
    File(PathBuf, io::Error),
    /// What was asked for makes no sense, or files are not what they should be.
    Invalid(String),
    /// Nobody listens any more.
    Abandoned,
}

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Whether it may be gone in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Mailbox(_, error) if error.kind.is_transient())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mailbox(doing, error) => write!(f, "{doing}: {error}"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Invalid(why) => f.write_str(why),
            Self::Abandoned => f.write_str("nobody reads the answer any more"),
        }
    }
}

/// Its text names its cause.
impl std::error::Error for Error {}

/// Says which file an error is about.
pub(crate) trait At<T> {
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|error| Error::File(path.to_owned(), error))
    }
}

/// Says what was being done with the mailbox.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Doing<T> for account::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::Mailbox(what(), error))
    }
}
