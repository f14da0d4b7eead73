//! What can go wrong in a store, by meaning: every front end maps it without a wildcard.

use std::{borrow::Cow, error::Error as StdError, fmt, io};

/// The meanings of a failure. MAPI codes stay in [`Error::source`], for the log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorKind {
    /// The item changed since the caller looked, or another writer won.
    Conflict,
    /// Stored data is damaged.
    Corrupt,
    /// The principal may not.
    Denied,
    /// The name or key is taken.
    Exists,
    /// A fault of ours.
    Internal,
    /// The request makes no sense (a name with a control character, a folder moved into itself).
    Invalid,
    /// No such mailbox, folder or item.
    NotFound,
    /// The mailbox is full.
    Quota,
    /// Too many requests; later.
    Throttled,
    /// The message exceeds a limit.
    TooBig,
    /// Credentials are missing, wrong or expired.
    Unauthenticated,
    /// Temporarily out of reach: disk full, server away, shutting down.
    Unavailable,
    /// This store cannot do that.
    Unsupported,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Conflict | Self::Throttled | Self::Unavailable)
    }
}

/// A failure: its meaning, what was being done, and its cause for the log.
#[derive(Debug)]
pub struct Error {
    /// The meaning.
    pub kind: ErrorKind,
    /// What was being done or what is wrong; lower case, no secrets, no message content.
    pub context: Cow<'static, str>,
    /// The cause, for the log alone.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of a store operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error without a deeper cause.
    pub fn new(kind: ErrorKind, context: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            context: context.into(),
            source: None,
        }
    }

    /// An error with its cause.
    pub fn with_source(
        kind: ErrorKind,
        context: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            context: context.into(),
            source: Some(source.into()),
        }
    }

    /// Whether a disk is full: the cause is an [`io::Error`] that says so.
    pub fn is_disk_full(&self) -> bool {
        let cause = self.source.as_deref();
        let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
        cause.is_some_and(|cause| {
            matches!(
                cause.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.context, self.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
