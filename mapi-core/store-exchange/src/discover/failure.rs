//! Why a mailbox was not found.

use std::{error::Error as StdError, fmt, time::Duration};

use super::Trail;
use crate::fault::Fault;

/// A search without success.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// What was tried.
    pub trail: Trail,
}

/// Why a mailbox was not found. Each names what would help.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The address has no domain that could be asked.
    NoDomain,
    /// Nobody could be reached, or nobody answered as Autodiscover does.
    NoAnswer,
    /// Autodiscover answers, but does not know the user; its own words.
    Unknown(String),
    /// The host, named without protection, is outside of the user's domain and not allowed.
    Stranger(String),
    /// The place refuses the credentials. No further place was asked, for each refusal counts towards a lock-out.
    Refused(String),
    /// The place offers no authentication scheme that may be used.
    NoScheme(String),
    /// The place asks to wait.
    Busy(Duration),
    /// The search took too long, or there were too many redirections.
    Endless,
    /// The server offers neither MAPI over HTTP nor RPC over HTTP for this mailbox, or not the one that is wanted.
    NoTransport,
    /// The server names no endpoint that may be used: they are not https.
    NoPrivateUrl,
    /// The server does not say the user's distinguished name.
    NoName,
    /// Nobody can say where another user's mailbox is: the user's own was found without Autodiscover.
    NotAsked,
}

impl Reason {
    /// Whether a mailbox may be where the user's own is, although nobody said so.
    pub(super) const fn may_be_beside(&self) -> bool {
        matches!(self, Self::NotAsked | Self::Unknown(_))
    }

    /// Whether the same search may end otherwise later, with nothing changed by an administrator.
    pub(crate) const fn is_temporary(&self) -> bool {
        matches!(self, Self::NoAnswer | Self::Busy(_) | Self::Endless)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDomain => f.write_str(
                "the address has no domain to ask: set the autodiscover URL or the mailbox URL",
            ),
            Self::NoAnswer => f.write_str(
                "no Autodiscover server answers: check the autodiscover URL, or set the mailbox URL",
            ),
            Self::Unknown(said) => write!(f, "Autodiscover does not know the mailbox: {said}"),
            Self::Stranger(host) => write!(
                f,
                "only DNS or plain HTTP names {host}: if it is the mail system, allow that host"
            ),
            Self::Refused(place) => write!(f, "{place} refuses the credentials"),
            Self::NoScheme(place) => {
                write!(f, "{place} offers no usable authentication scheme")
            }
            Self::Busy(wait) => write!(f, "the server asks to wait {} s", wait.as_secs()),
            Self::Endless => f.write_str("Autodiscover comes to no end"),
            Self::NoTransport => f.write_str(
                "the server offers no MAPI over HTTP for this mailbox, and no RPC over HTTP or not the one that is \
                 configured: enable MAPI over HTTP on the server",
            ),
            Self::NoPrivateUrl => {
                f.write_str("the server names no https URL of the mailbox: set the mailbox URL")
            }
            Self::NoName => f.write_str(
                "the server does not say the user's distinguished name: set the user's name",
            ),
            Self::NotAsked => f.write_str(
                "without Autodiscover another user's mailbox is found by distinguished name only",
            ),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        match (&self.reason, self.trail.attempts.last()) {
            (Reason::NoAnswer, Some(last)) => write!(f, " (last: {last})"),
            _ => Ok(()),
        }
    }
}

impl StdError for Failure {}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        match &failure.reason {
            Reason::Refused(_) | Reason::NoScheme(_) => Self::Unauthenticated(failure.into()),
            Reason::Busy(wait) => Self::Busy(*wait),
            Reason::NoTransport => Self::Denied(
                "the server offers neither MAPI over HTTP nor RPC over HTTP for this mailbox",
            ),
            _ => Self::Away(failure.into()),
        }
    }
}
