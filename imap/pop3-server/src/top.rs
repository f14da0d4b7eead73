//! Where TOP ends: after a message's header, the blank line, and so many lines of its body. Sans-IO.
//! Source: RFC 1939 7.

use memchr::memchr;

/// Finds the end in octets that come in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Top {
    /// Lines still to come, those of the header aside.
    lines_left: u64,
    part: Part,
    line: Line,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Header,
    Body,
    Done,
}

/// What is known of the line that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Empty,
    /// A CR and nothing else.
    Cr,
    Filled,
}

impl Top {
    /// The header and so many lines.
    pub(crate) const fn new(lines: u64) -> Self {
        Self {
            lines_left: lines,
            part: Part::Header,
            line: Line::Empty,
        }
    }

    /// How many of the message's next octets belong to it.
    pub(crate) fn take(&mut self, octets: &[u8]) -> usize {
        let mut taken = 0;
        while self.part != Part::Done {
            let rest = octets.get(taken..).unwrap_or_default();
            let Some(end) = memchr(b'\n', rest) else {
                self.line = self.line.with(rest);
                return octets.len();
            };
            let (text, _) = rest.split_at(end);
            taken += end + 1;
            self.end_line(self.line.with(text));
        }
        taken
    }

    /// Whether nothing more belongs to it.
    pub(crate) fn is_done(&self) -> bool {
        self.part == Part::Done
    }

    fn end_line(&mut self, line: Line) {
        self.line = Line::Empty;
        match self.part {
            Part::Header if line == Line::Filled => return,
            Part::Header => self.part = Part::Body,
            Part::Body | Part::Done => self.lines_left = self.lines_left.saturating_sub(1),
        }
        if self.lines_left == 0 {
            self.part = Part::Done;
        }
    }
}

impl Line {
    fn with(self, octets: &[u8]) -> Self {
        match (self, octets) {
            (line, []) => line,
            (Self::Empty, [b'\r']) => Self::Cr,
            _ => Self::Filled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top(message: &[u8], lines: u64, step: usize) -> Vec<u8> {
        let mut top = Top::new(lines);
        let mut out = Vec::new();
        for piece in message.chunks(step) {
            let taken = top.take(piece);
            out.extend_from_slice(&piece[..taken]);
        }
        out
    }

    #[test]
    fn a_top_is_the_header_a_blank_line_and_lines_of_the_body() {
        let message = b"A: 1\r\nB:\r\n 2\r\n\r\none\r\n\r\nthree\r\n";
        for (message, lines, expected) in [
            (&message[..], 0, 16),
            (message, 1, 21),
            (message, 2, 23),
            (message, 3, 30),
            (message, u64::MAX, 30),
            (b"A: 1\n\none\ntwo", 1, 10),
            (b"A: 1\n\none\ntwo", 2, 13),
            (b"\r\nbody\r\n", 0, 2),
            (b"A: 1\r\n\r\r\n\r\nbody", 0, 11),
            (b"no header ends", 5, 14),
            (b"", 5, 0),
        ] {
            for step in 1..=message.len().max(1) {
                assert_eq!(
                    top(message, lines, step),
                    &message[..expected],
                    "{} lines of {}",
                    lines,
                    message.escape_ascii()
                );
            }
        }
    }
}
