//! What ends a command, in words for the person who typed it.

use std::{error::Error, fmt};

/// A failed command: what was being done, and why it did not work.
#[derive(Debug)]
pub(crate) struct Failure {
    doing: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            doing: what.into(),
            cause: None,
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
        })
    }
}
