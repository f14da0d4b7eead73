//! Why a document cannot be read.

use std::fmt;

/// What is wrong, and on which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Line of the document, from 1; of a folded content line, the first.
    pub line: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a line. Source: RFC 5545 3.1, 3.4, 3.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// [`super::Limits::size_bytes_max`].
    TooLarge,
    /// [`super::Limits::lines_max`].
    TooManyLines,
    /// [`super::Limits::line_bytes_max`].
    LineTooLong,
    /// [`super::Limits::depth_max`].
    TooDeep,
    /// [`super::Limits::params_max`].
    TooManyParams,
    /// The octets are no UTF-8.
    NotUtf8,
    /// A continuation continues nothing.
    NothingToContinue,
    /// No name before `:` or `;`, or one with characters that names have not.
    BadName,
    /// No colon.
    NoValue,
    /// A parameter without `=`.
    BadParam,
    /// A quoted parameter value without its end.
    OpenQuote,
    /// A property outside of every component.
    OutsideComponent,
    /// An END without its BEGIN, or of another component than the one that is open.
    UnexpectedEnd,
    /// The document ends within a component.
    Unfinished,
    /// There is no component.
    Empty,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the document is too large",
            Self::TooManyLines => "the document has too many lines",
            Self::LineTooLong => "the line is too long",
            Self::TooDeep => "too many components within each other",
            Self::TooManyParams => "too many parameters",
            Self::NotUtf8 => "not UTF-8",
            Self::NothingToContinue => "a continuation of nothing",
            Self::BadName => "no valid name",
            Self::NoValue => "no colon",
            Self::BadParam => "a parameter without a value",
            Self::OpenQuote => "a quoted value without its end",
            Self::OutsideComponent => "a property outside of every component",
            Self::UnexpectedEnd => "END of what is not open",
            Self::Unfinished => "the document ends within a component",
            Self::Empty => "no component",
        })
    }
}

impl std::error::Error for Error {}
