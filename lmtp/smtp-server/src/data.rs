//! Where a message that came by DATA ends, and which dots were only for transport. Source: RFC 5321 4.5.2.

use memchr::memchr;

/// Finds the end of a message in pieces of any size and drops the dots that the sender added.
///
/// Only CR LF `.` CR LF ends a message. Lines end with CR LF alone: a bare CR or LF is content, so no other
/// sequence can smuggle a second message into the first.
#[derive(Debug)]
pub(crate) struct DataDecoder {
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// After CR LF, or before the first octet.
    LineStart,
    /// After a dot at the start of a line; the dot is held back.
    Dot,
    /// After such a dot and CR; both are held back.
    DotCr,
    /// Within a line.
    Line,
    /// After a CR within a line; the CR was passed on.
    Cr,
    /// After the end.
    End,
}

/// What [`DataDecoder::next`] found at the start of its input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Piece<'a> {
    /// Octets of the input that are dealt with.
    pub(crate) used: usize,
    /// Octets of the message.
    pub(crate) content: &'a [u8],
    /// Whether the message has ended.
    pub(crate) end: bool,
}

impl DataDecoder {
    pub(crate) fn new() -> Self {
        Self {
            state: State::LineStart,
        }
    }

    /// Takes the next piece from `input`; call again with the rest until the input is used up or `end` is set.
    pub(crate) fn next<'a>(&mut self, input: &'a [u8]) -> Piece<'a> {
        let Some(&first) = input.first() else {
            return Piece {
                used: 0,
                content: &[],
                end: self.state == State::End,
            };
        };
        let held = |used, content| Piece {
            used,
            content,
            end: false,
        };
        match (self.state, first) {
            (State::End, _) => Piece {
                used: 0,
                content: &[],
                end: true,
            },
            (State::LineStart, b'.') => {
                self.state = State::Dot;
                held(1, &[])
            }
            (State::Dot, b'\r') => {
                self.state = State::DotCr;
                held(1, &[])
            }
            (State::DotCr, b'\n') => {
                self.state = State::End;
                Piece {
                    used: 1,
                    content: &[],
                    end: true,
                }
            }
            (State::DotCr, _) => {
                // The dot was transport's, the CR is the line's first octet of content.
                self.state = State::Cr;
                held(0, b"\r")
            }
            (State::Cr, b'\n') => {
                self.state = State::LineStart;
                held(1, b"\n")
            }
            _ => self.line(input),
        }
    }

    /// Passes on whole lines up to a dot at a line's start, or to the end of the input.
    fn line<'a>(&mut self, input: &'a [u8]) -> Piece<'a> {
        let mut used = 0;
        self.state = State::Line;
        while let Some(rest) = input.get(used..) {
            let Some(lf) = memchr(b'\n', rest) else {
                used = input.len();
                break;
            };
            let is_crlf = lf.checked_sub(1).and_then(|before| rest.get(before)) == Some(&b'\r');
            used += lf + 1;
            if is_crlf && input.get(used).is_none_or(|&next| next == b'.') {
                self.state = State::LineStart;
                return Piece {
                    used,
                    content: &input[..used],
                    end: false,
                };
            }
        }
        if input.last() == Some(&b'\r') {
            self.state = State::Cr;
        }
        Piece {
            used,
            content: &input[..used],
            end: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `wire` cut into pieces of `step` octets: the message and what follows it, or `None` without an end.
    fn decode(wire: &[u8], step: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut decoder = DataDecoder::new();
        let mut message = Vec::new();
        let mut at = 0;
        for chunk in wire.chunks(step) {
            let mut rest = chunk;
            while !rest.is_empty() {
                let piece = decoder.next(rest);
                message.extend_from_slice(piece.content);
                at += piece.used;
                rest = &rest[piece.used..];
                if piece.end {
                    return Some((message, wire[at..].to_vec()));
                }
            }
        }
        None
    }

    #[track_caller]
    fn check(wire: &[u8], message: &[u8], rest: &[u8]) {
        for step in 1..=wire.len() {
            assert_eq!(
                decode(wire, step),
                Some((message.to_vec(), rest.to_vec())),
                "step {step}"
            );
        }
    }

    #[test]
    fn dots_added_for_transport_are_removed() {
        check(b".\r\n", b"", b"");
        check(b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n");
        check(
            b"..\r\n...\r\n.x\r\n\r\n.\r\n",
            b".\r\n..\r\nx\r\n\r\n",
            b"",
        );
        check(b"a.\r\nb\r\n.\r\n", b"a.\r\nb\r\n", b"");
        check(b".\ra\r\n\r\r\n.\r\n", b"\ra\r\n\r\r\n", b"");
        check(b".\r\r\n.\r\n", b"\r\r\n", b"");
    }

    #[test]
    fn only_crlf_dot_crlf_ends_a_message() {
        for smuggled in [
            &b"\n.\n"[..],
            b"\n.\r\n",
            b"\r.\r",
            b"\r.\r\n",
            b"\r\n.\n",
            b"\r\n.\r",
            b"\r\n.\x00\r\n",
            b"\n.\r",
        ] {
            let wire = [b"a", smuggled, b"b"].concat();
            for step in 1..=wire.len() {
                assert_eq!(decode(&wire, step), None, "{smuggled:?} by {step}");
            }
        }
    }

    #[test]
    fn every_message_survives_the_way() {
        // All messages of 7 octets over the alphabet that matters, as a sender would stuff them.
        let alphabet = b".\r\nx";
        for n in 0..alphabet.len().pow(7) {
            let mut message: Vec<u8> = (0..7)
                .map(|i| alphabet[n / alphabet.len().pow(i) % alphabet.len()])
                .collect();
            message.extend_from_slice(b"\r\n");
            let mut wire = Vec::new();
            let mut line_start = true;
            for (i, &octet) in message.iter().enumerate() {
                if line_start && octet == b'.' {
                    wire.push(b'.');
                }
                wire.push(octet);
                line_start = octet == b'\n' && i > 0 && message[i - 1] == b'\r';
            }
            wire.extend_from_slice(b".\r\n");
            for step in [1, 2, 3, wire.len()] {
                assert_eq!(
                    decode(&wire, step),
                    Some((message.clone(), vec![])),
                    "{message:?} by {step}"
                );
            }
        }
    }
}
