//! Sending a text so that its receiver finds its end: dots are doubled where a line begins with one. Sans-IO.
//! Source: RFC 1939 3.
//!
//! A line begins after every LF, also after one without a CR: many clients take that for a line's end, and a message
//! must not be able to end itself in their eyes and go on as the server's next answer.

use memchr::memmem::Finder;

/// Where in a text the sender is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stuffing {
    /// The last octets, if any.
    last: Option<u8>,
    before_last: Option<u8>,
}

/// Octets to send, after a dot when `dot` says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) dot: bool,
    pub(crate) octets: &'a [u8],
}

/// What to send for a part of a text.
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    rest: &'a [u8],
    dot: bool,
    dots: Finder<'static>,
}

impl Stuffing {
    /// What to send for the text's next octets.
    pub(crate) fn pieces<'a>(&mut self, octets: &'a [u8]) -> Pieces<'a> {
        let at_line_start = matches!(self.last, None | Some(b'\n'));
        match octets {
            [] => {}
            [last] => {
                *self = Self {
                    last: Some(*last),
                    before_last: self.last,
                }
            }
            [.., before, last] => {
                *self = Self {
                    last: Some(*last),
                    before_last: Some(*before),
                }
            }
        }
        Pieces {
            rest: octets,
            dot: at_line_start && octets.first() == Some(&b'.'),
            dots: Finder::new(b"\n."),
        }
    }

    /// What to send after the text: its last line's end where it is missing, and the dot.
    pub(crate) const fn end(self) -> &'static [u8] {
        match self.is_complete() {
            true => b".\r\n",
            false => b"\r\n.\r\n",
        }
    }

    /// Whether the text so far ends with its last line's end; one without any line does.
    pub(crate) const fn is_complete(self) -> bool {
        matches!(
            (self.before_last, self.last),
            (_, None) | (Some(b'\r'), Some(b'\n'))
        )
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let found = self.dots.find(self.rest);
        let (octets, rest) = self
            .rest
            .split_at(found.map_or(self.rest.len(), |at| at + 1));
        self.rest = rest;
        let dot = std::mem::replace(&mut self.dot, found.is_some());
        Some(Piece { dot, octets })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::check_content::{check, stuffed};

    #[test]
    fn dots_are_doubled_at_the_beginning_of_every_line() {
        for (text, sent) in [
            (&b""[..], &b".\r\n"[..]),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b".\r\n..\r\n.x.\r\n", b"..\r\n...\r\n..x.\r\n.\r\n"),
            (b"a\n.\r\nb\n", b"a\n..\r\nb\n\r\n.\r\n"),
            (b"no end", b"no end\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b"\r", b"\r\r\n.\r\n"),
            (b"\n", b"\n\r\n.\r\n"),
            (b"\0\xff\r\n\r\n", b"\0\xff\r\n\r\n.\r\n"),
        ] {
            for step in 1..=text.len().max(1) {
                assert_eq!(
                    stuffed(text, step),
                    sent,
                    "{} by {step}",
                    text.escape_ascii()
                );
            }
        }
    }

    proptest! {
        #[test]
        fn every_text_survives_the_way(
            input in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'.'), Just(b'x'), any::<u8>()],
                0..60,
            ),
        ) {
            check(&input);
        }
    }
}
