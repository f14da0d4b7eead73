//! Content lines of a document, unfolded, with the octets each came from. Source: RFC 5545 3.1.

use std::{borrow::Cow, ops::Range};

use memchr::memchr;

use super::{Error, Limits, Reason};

/// The content lines of a document, in order. Their ranges follow each other without gaps.
pub(super) struct Lines<'a> {
    source: &'a [u8],
    at: usize,
    /// Lines before `at`.
    before: usize,
    limits: &'a Limits,
}

/// One content line.
pub(super) struct ContentLine<'a> {
    /// Its octets in the document: continuations, line ends and blank lines that follow it included.
    pub(super) range: Range<usize>,
    /// The number of its first line, from 1.
    pub(super) number: usize,
    /// Its text after unfolding.
    pub(super) text: Cow<'a, str>,
}

impl<'a> Lines<'a> {
    /// The lines of `source` from `at` on.
    pub(super) const fn new(source: &'a [u8], at: usize, limits: &'a Limits) -> Self {
        Self {
            source,
            at,
            before: 0,
            limits,
        }
    }

    /// Consumes blank lines; returns where they end.
    pub(super) fn skip_blank(&mut self) -> usize {
        while let Some(line) = self.peek() {
            if !line.octets.is_empty() {
                break;
            }
            self.advance(&line);
        }
        self.at
    }

    /// The next content line.
    pub(super) fn next(&mut self) -> Option<Result<ContentLine<'a>, Error>> {
        let first = self.peek()?;
        let (start, number) = (self.at, self.before + 1);
        let fail = |reason| {
            Some(Err(Error {
                line: number,
                reason,
            }))
        };
        if is_continuation(first.octets) {
            return fail(Reason::NothingToContinue);
        }
        self.advance(&first);
        let mut octets = Cow::Borrowed(first.octets);
        while let Some(next) = self.peek() {
            match next.octets.split_first() {
                None => {}
                Some((_, rest)) if is_continuation(next.octets) => {
                    octets.to_mut().extend_from_slice(rest);
                }
                Some(_) => break,
            }
            self.advance(&next);
            if octets.len() > self.limits.line_bytes_max {
                return fail(Reason::LineTooLong);
            }
        }
        if self.before > self.limits.lines_max {
            return fail(Reason::TooManyLines);
        }
        if octets.len() > self.limits.line_bytes_max {
            return fail(Reason::LineTooLong);
        }
        // Folding may cut a character in two, so octets are put together before they are read.
        let text = match octets {
            Cow::Borrowed(octets) => std::str::from_utf8(octets).ok().map(Cow::Borrowed),
            Cow::Owned(octets) => String::from_utf8(octets).ok().map(Cow::Owned),
        };
        let Some(text) = text else {
            return fail(Reason::NotUtf8);
        };
        Some(Ok(ContentLine {
            range: start..self.at,
            number,
            text,
        }))
    }

    /// The number of the last line that was read.
    pub(super) const fn number(&self) -> usize {
        self.before
    }

    fn peek(&self) -> Option<Physical<'a>> {
        let rest = self.source.get(self.at..)?;
        if rest.is_empty() {
            return None;
        }
        let (octets, len) = match memchr(b'\n', rest) {
            Some(end) => (rest.get(..end)?, end + 1),
            None => (rest, rest.len()),
        };
        let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
        Some(Physical { octets, len })
    }

    const fn advance(&mut self, line: &Physical<'_>) {
        self.at += line.len;
        self.before += 1;
    }
}

/// A line as it stands in the document.
struct Physical<'a> {
    /// Without the line end.
    octets: &'a [u8],
    /// With it.
    len: usize,
}

fn is_continuation(octets: &[u8]) -> bool {
    matches!(octets.first(), Some(b' ' | b'\t'))
}
