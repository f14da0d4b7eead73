//! Why a check did not hold: one sentence for the report. Checks never panic; they return this.

use std::fmt;

/// The reason a check failed, as shown in the report.
#[derive(Debug)]
pub struct Failure(pub String);

/// What a check returns.
pub type Outcome<T = ()> = Result<T, Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// A failure with this text.
pub fn failure<T>(text: impl Into<String>) -> Outcome<T> {
    Err(Failure(text.into()))
}

/// Fails with `why` unless `condition` holds.
pub fn ensure(condition: bool, why: impl FnOnce() -> String) -> Outcome {
    if condition { Ok(()) } else { failure(why()) }
}

/// Adds what was being done to a failure.
pub trait Context<T> {
    /// Puts `what: ` before the reason.
    fn during(self, what: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn during(self, what: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{what}: {}", error.into().0)))
    }
}

/// Bytes for a report: printable, shortened to about `max` bytes.
pub fn shown(bytes: &[u8], max: usize) -> String {
    let head = bytes.get(..max).unwrap_or(bytes);
    let more = if head.len() < bytes.len() { "…" } else { "" };
    format!("{}{more}", head.escape_ascii())
}
