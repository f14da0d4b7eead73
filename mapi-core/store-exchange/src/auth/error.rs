//! Why a request could not be made as somebody.

use std::{error::Error as StdError, fmt};

use super::{Scheme, oauth};
use crate::http::{self, Sent};

/// What is wrong when a key distribution centre finds the time of a request wrong.
pub(crate) const CLOCKS_DIFFER: &str = "the clocks differ too much";

/// Why a request could not be made as somebody. No variant holds anything secret.
#[derive(Debug)]
pub enum Error {
    /// The exchange itself failed.
    Http(http::Error),
    /// The server refuses these credentials. It has not executed the request.
    Unauthenticated,
    /// The server offers no scheme that both the policy and the credentials allow.
    NoScheme {
        /// What it offers.
        offered: Vec<Scheme>,
    },
    /// The scheme cannot go on: the text says why.
    Mechanism(String),
    /// Who decides about the credentials cannot be reached: why.
    Away(String),
    /// There is no token to send.
    Token(oauth::Error),
}

impl Error {
    /// Whether nobody has said no: the same may succeed later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Http(_) | Self::Away(_) => true,
            Self::Token(error) => error.is_temporary(),
            Self::Unauthenticated | Self::NoScheme { .. } | Self::Mechanism(_) => false,
        }
    }

    /// Whether the request may have taken effect.
    pub fn sent(&self) -> Sent {
        match self {
            Self::Http(error) => error.sent,
            Self::Unauthenticated
            | Self::NoScheme { .. }
            | Self::Mechanism(_)
            | Self::Away(_)
            | Self::Token(_) => Sent::No,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => error.fmt(f),
            Self::Unauthenticated => f.write_str("the server refuses these credentials"),
            Self::NoScheme { offered } => {
                f.write_str("the server offers no usable authentication scheme, but")?;
                for scheme in offered {
                    write!(f, " {scheme}")?;
                }
                if offered.is_empty() {
                    f.write_str(" none that is known")?;
                }
                Ok(())
            }
            Self::Token(error) => error.fmt(f),
            Self::Away(why) => write!(f, "nobody can tell about the credentials: {why}"),
            Self::Mechanism(why) => write!(f, "the authentication cannot go on: {why}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Http(error) => error.source(),
            _ => None,
        }
    }
}

impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        Self::Token(error)
    }
}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        Self::Http(error)
    }
}
