//! How a command ends, and how that is said. Sources: RFC 1939 3, RFC 2449 8, RFC 3206.

use std::{borrow::Cow, io};

use account::{Error, ErrorKind};

/// A response code (RFC 2449 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Who logs in, or how, is what is wrong. Source: RFC 3206 4.
    Auth,
    /// The trouble will pass. Source: RFC 3206 4.
    SysTemp,
    /// The trouble stays until somebody sees to it. Source: RFC 3206 4.
    SysPerm,
}

/// A command that succeeded.
#[derive(Debug)]
pub(crate) enum Done {
    /// One line says so.
    Line(Cow<'static, str>),
    /// All of it is written.
    Written,
    /// One line says so, and the session is over.
    Over(Cow<'static, str>),
    /// One line says so, then TLS begins.
    StartTls(&'static str),
}

/// A command that failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The client's fault: it broke the protocol's rules.
    Bad(&'static str),
    /// It cannot be done.
    No(Option<Code>, Cow<'static, str>),
    /// It cannot be done, and the session is over.
    Over(Option<Code>, Cow<'static, str>),
    /// The client is gone, or cannot be served on.
    Io(io::Error),
}

/// The end of a command.
pub(crate) type Reply = Result<Done, Failure>;

impl Code {
    const fn text(self) -> &'static str {
        match self {
            Self::Auth => "[AUTH] ",
            Self::SysTemp => "[SYS/TEMP] ",
            Self::SysPerm => "[SYS/PERM] ",
        }
    }
}

impl Done {
    /// Success in one line.
    pub(crate) fn line(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Line(text.into())
    }
}

impl Failure {
    /// What cannot be done, for a reason without a code.
    pub(crate) const fn no(text: &'static str) -> Self {
        Self::No(None, Cow::Borrowed(text))
    }

    /// The user is not let in.
    pub(crate) const fn auth(text: &'static str) -> Self {
        Self::No(Some(Code::Auth), Cow::Borrowed(text))
    }
}

/// Writes success.
pub(crate) fn ok(out: &mut Vec<u8>, text: &str) {
    for part in ["+OK ", text, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Writes failure.
pub(crate) fn err(out: &mut Vec<u8>, code: Option<Code>, text: &str) {
    for part in ["-ERR ", code.map_or("", Code::text), text, "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, text) = match error.kind {
            ErrorKind::Throttled => (Some(Code::SysTemp), "too much to do, try again later"),
            ErrorKind::Unavailable => (Some(Code::SysTemp), "temporarily unavailable"),
            ErrorKind::Conflict => (Some(Code::SysTemp), "somebody else is changing it"),
            ErrorKind::Corrupt => (Some(Code::SysPerm), "stored data is damaged"),
            ErrorKind::Internal => (Some(Code::SysPerm), "internal error"),
            ErrorKind::Quota => (Some(Code::SysPerm), "the mailbox is full"),
            ErrorKind::Denied => (Some(Code::SysPerm), "you may not do that"),
            ErrorKind::NotFound => (None, "it is gone"),
            ErrorKind::Unauthenticated => (Some(Code::Auth), "wrong user name or password"),
            ErrorKind::Exists | ErrorKind::Invalid | ErrorKind::TooBig | ErrorKind::Unsupported => {
                (Some(Code::SysPerm), "it cannot be done")
            }
        };
        if code.is_some() {
            tracing::warn!(%error, cause = error.source.as_ref().map(tracing::field::display), "command failed");
        }
        Self::No(code, Cow::Borrowed(text))
    }
}
