//! What was tried, step by step: for the log, and for whoever wants to know why a mailbox is not found.

use std::{error::Error as _, fmt, time::Duration};

use mapi_wire::DecodeError;

use super::Distrust;
use crate::{
    auth::Scheme,
    http::{self, Kind},
};

/// The most attempts that are told of.
const ATTEMPTS_MAX: usize = 64;

/// The most characters of what a server says that are told of.
const SAID_CHARS_MAX: usize = 200;

/// All attempts of one search, in order.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    /// The attempts; the first 64 of them.
    pub attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What was done.
    pub step: Step,
    /// The URL or the name that was asked.
    pub place: String,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Asked by Autodiscover version 2, which answers where POX is spoken.
    Json,
    /// Asked by POX: without credentials, and with them where they are wanted.
    Xml,
    /// Asked by SOAP, where POX had no answer.
    Soap,
    /// Asked DNS for an SRV record.
    Srv,
    /// Asked for a redirection over plain HTTP.
    HttpRedirect,
    /// Tried to reach an endpoint.
    Reach,
}

/// What came of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The settings of the mailbox.
    Settings,
    /// The endpoint can be reached.
    Reached,
    /// Another URL to ask.
    Redirect(String),
    /// Another address to ask for.
    RedirectAddress(String),
    /// There is no such record, or no redirection.
    Nothing,
    /// Nothing was sent: why this URL gets no password.
    Distrusted(Distrust),
    /// Nothing was sent: it has been asked before.
    Repeated,
    /// The exchange failed: what, and why where that is known.
    Failed(Kind, String),
    /// DNS or a connection failed: why.
    Broken(String),
    /// No complete answer came in time.
    TooSlow,
    /// The server refuses the credentials.
    Refused,
    /// The server offers no scheme that may be used.
    NoScheme(Vec<Scheme>),
    /// The authentication cannot go on: why.
    Stuck(String),
    /// The server asks to wait.
    Busy(Duration),
    /// Another HTTP status than was hoped for.
    Status(u16),
    /// Autodiscover's own error: its code and its text.
    Error(String, String),
    /// The answer cannot be read.
    Malformed(DecodeError),
}

impl Trail {
    pub(super) fn push(&mut self, attempt: Attempt) {
        tracing::debug!(%attempt, "autodiscover");
        if self.attempts.len() < ATTEMPTS_MAX {
            self.attempts.push(attempt);
        }
    }
}

impl From<http::Error> for Outcome {
    fn from(error: http::Error) -> Self {
        let mut why = String::new();
        let mut cause = error.source();
        while let Some(below) = cause {
            let between = if why.is_empty() { "" } else { ": " };
            why = format!("{why}{between}{below}");
            cause = below.source();
        }
        Self::Failed(error.kind, said(&why))
    }
}

/// What a server says, made fit for a line of a log.
pub(super) fn said(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    let line: String = text.chars().take(SAID_CHARS_MAX).map(visible).collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    words.join(" ")
}

impl fmt::Display for Trail {
    /// One line an attempt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.attempts
            .iter()
            .try_for_each(|attempt| writeln!(f, "{attempt}"))
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            place,
            outcome,
            took,
        } = self;
        write!(f, "{step} {place}: {outcome} ({} ms)", took.as_millis())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::Soap => "SOAP",
            Self::Srv => "SRV",
            Self::HttpRedirect => "HTTP redirect",
            Self::Reach => "reach",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings => f.write_str("the mailbox's settings"),
            Self::Reached => f.write_str("reached"),
            Self::Redirect(url) => write!(f, "ask {url}"),
            Self::RedirectAddress(address) => write!(f, "ask for {address}"),
            Self::Nothing => f.write_str("nothing there"),
            Self::Distrusted(why) => write!(f, "not asked: {why}"),
            Self::Repeated => f.write_str("not asked again"),
            Self::Failed(kind, why) if why.is_empty() => kind.fmt(f),
            Self::Failed(kind, why) => write!(f, "{kind}: {why}"),
            Self::Broken(why) => f.write_str(why),
            Self::TooSlow => f.write_str("no answer in time"),
            Self::Refused => f.write_str("the credentials are refused"),
            Self::NoScheme(offered) => {
                f.write_str("no usable authentication scheme; offered:")?;
                offered.iter().try_for_each(|scheme| write!(f, " {scheme}"))
            }
            Self::Stuck(why) => write!(f, "the authentication cannot go on: {why}"),
            Self::Busy(wait) => write!(f, "busy for {} s", wait.as_secs()),
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::Error(code, text) => write!(f, "error {code}: {text}"),
            Self::Malformed(error) => write!(f, "unreadable answer: {error}"),
        }
    }
}
