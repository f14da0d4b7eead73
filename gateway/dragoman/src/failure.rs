//! What ends a command, in words for the person who typed it.

use std::{error::Error, fmt};

use mapi_store::ErrorKind;

/// A failed command: what was being done, and why it did not work.
#[derive(Debug)]
pub(crate) struct Failure {
    doing: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    /// What the process ends with.
    exit: u8,
}

/// The exit code of a failure that says no more.
const FAILED: u8 = 1;

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            doing: what.into(),
            cause: None,
            exit: FAILED,
        }
    }

    /// What a store or an Exchange server says.
    pub(crate) fn of(error: mapi_store::Error) -> Self {
        let exit = exit_code(error.kind);
        Self {
            exit,
            ..Self::new(error.context)
        }
    }

    /// What a running server said, with its exit code.
    pub(crate) fn ended(exit: u8, what: String) -> Self {
        Self {
            exit,
            ..Self::new(what)
        }
    }

    /// The same, with an exit code that tells why: see [`exit_code`].
    pub(crate) fn telling(self) -> Self {
        let mut exit = self.exit;
        let mut cause = self
            .cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static));
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<mapi_store::Error>() {
                exit = exit_code(error.kind);
            } else if let Some(failure) = error.downcast_ref::<Self>()
                && failure.exit != FAILED
            {
                exit = failure.exit;
            }
            cause = error.source();
        }
        Self { exit, ..self }
    }

    /// What the process ends with.
    pub(crate) const fn exit_code(&self) -> u8 {
        self.exit
    }
}

/// The exit code of a meaning. 2 is a command line that is not understood.
const fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::NotFound => 3,
        ErrorKind::Denied | ErrorKind::Unauthenticated => 4,
        ErrorKind::Conflict | ErrorKind::Quota | ErrorKind::Throttled | ErrorKind::Unavailable => 5,
        ErrorKind::Unsupported => 6,
        ErrorKind::Corrupt
        | ErrorKind::Exists
        | ErrorKind::Internal
        | ErrorKind::Invalid
        | ErrorKind::TooBig => FAILED,
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self {
            cause: Some(error.into()),
            ..Self::new("input or output")
        }
    }
}

/// Its text names its causes already.
impl Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        let mut cause = self
            .cause
            .as_ref()
            .map(|cause| &**cause as &(dyn Error + 'static));
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Says what was being done when something failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Failure {
            doing: what(),
            cause: Some(cause.into()),
            exit: FAILED,
        })
    }
}
