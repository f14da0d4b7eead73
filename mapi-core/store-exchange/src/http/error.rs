//! What went wrong with a request, and whether the server may have seen it.

use std::{error::Error as StdError, fmt};

use hyper::StatusCode;

/// Whether a request that failed may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The last byte of the request was never handed to the network: the server cannot have executed it, so it may be
    /// sent again as it is (MS-OXCMAPIHTTP 3.1.7.1).
    No,
    /// All of it was handed over: the server may or may not have executed it (MS-OXCMAPIHTTP 3.1.7.2).
    Maybe,
}

/// A failure of one request or connection.
#[derive(Debug)]
pub struct Error {
    /// What failed.
    pub kind: Kind,
    /// Whether the request may have taken effect.
    pub sent: Sent,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This side declined: the text says why.
    Declined(&'static str),
    /// The host name has no address.
    Resolve,
    /// No address of the host accepted a connection.
    Connect,
    /// The proxy refused, or did not speak HTTP; its status where it gave one.
    Proxy(Option<StatusCode>),
    /// The TLS handshake failed, most often because the certificate is not trusted.
    Tls,
    /// Nothing moved for the time that the phase allows.
    Timeout(Phase),
    /// The connection ended before the answer was complete.
    Closed,
    /// The answer is not HTTP/1.1.
    Protocol,
    /// The answer exceeds its bound.
    TooBig,
}

/// A phase with a time limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Resolving the name, opening the TCP connection, and the proxy's CONNECT.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Sending a request and reading its answer: neither direction moved.
    Idle,
}

impl Error {
    /// A failure before anything of the request was sent.
    pub(crate) fn unsent(kind: Kind) -> Self {
        Self {
            kind,
            sent: Sent::No,
            source: None,
        }
    }

    /// The same failure with another verdict.
    pub(crate) fn with_sent(mut self, sent: Sent) -> Self {
        self.sent = sent;
        self
    }

    /// The same failure with its cause.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        f.write_str(match self.sent {
            Sent::No => " (the request was not sent)",
            Sent::Maybe => " (the request may have been executed)",
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declined(why) => f.write_str(why),
            Self::Resolve => f.write_str("the host name has no address"),
            Self::Connect => f.write_str("no connection to the host"),
            Self::Proxy(None) => f.write_str("the proxy did not answer CONNECT in HTTP"),
            Self::Proxy(Some(status)) => write!(f, "the proxy refused CONNECT with {status}"),
            Self::Tls => f.write_str("the TLS handshake failed"),
            Self::Timeout(Phase::Connect) => f.write_str("connecting took too long"),
            Self::Timeout(Phase::Tls) => f.write_str("the TLS handshake took too long"),
            Self::Timeout(Phase::Idle) => f.write_str("the server was silent for too long"),
            Self::Closed => f.write_str("the connection ended before the answer was complete"),
            Self::Protocol => f.write_str("the answer is not HTTP/1.1"),
            Self::TooBig => f.write_str("the answer is larger than allowed"),
        }
    }
}
