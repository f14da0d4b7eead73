//! What is shown, piece by piece: many octets become digits only when their piece's turn comes.

use std::{collections::VecDeque, fmt, iter::FusedIterator};

use bytes::Bytes;

use crate::text::{OCTETS_A_LINE, hex};

/// Octets that become digits at one time; a multiple of those on one line.
const OCTETS_AT_ONCE: usize = 16 << 10;

/// Text in pieces, in order. Its memory is that of the text without the octets in it, whose digits take twice to three
/// times their room.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    before: VecDeque<Piece>,
    /// What comes after them.
    text: String,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Octets(Bytes, Layout),
}

/// How octets stand in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// As digits and nothing else.
    Digits,
    /// On lines of their own, with spaces in front and between.
    Lines {
        /// How many are in front.
        indent: usize,
    },
}

impl Pieces {
    pub(crate) fn push(&mut self, char: char) {
        self.text.push(char);
    }

    pub(crate) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn octets(&mut self, octets: &Bytes, layout: Layout) {
        if octets.len() <= OCTETS_AT_ONCE {
            return layout.write(octets, &mut self.text);
        }
        let text = std::mem::take(&mut self.text);
        self.before.push_back(Piece::Text(text));
        self.before.push_back(Piece::Octets(octets.clone(), layout));
    }
}

impl fmt::Write for Pieces {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        match self.before.pop_front() {
            Some(Piece::Text(text)) => Some(text),
            Some(Piece::Octets(mut octets, layout)) => {
                let mut text = String::new();
                let first = octets.split_to(octets.len().min(OCTETS_AT_ONCE));
                layout.write(&first, &mut text);
                if !octets.is_empty() {
                    self.before.push_front(Piece::Octets(octets, layout));
                }
                Some(text)
            }
            None if self.text.is_empty() => None,
            None => Some(std::mem::take(&mut self.text)),
        }
    }
}

impl FusedIterator for Pieces {}

impl Layout {
    fn write(self, octets: &[u8], out: &mut String) {
        match self {
            Self::Digits => {
                out.reserve(2 * octets.len());
                for octet in octets {
                    for nibble in [octet >> 4, octet & 0xf] {
                        out.extend(char::from_digit(nibble.into(), 16));
                    }
                }
            }
            Self::Lines { indent } => {
                for line in octets.chunks(OCTETS_A_LINE) {
                    out.push('\n');
                    out.extend(std::iter::repeat_n(' ', indent));
                    out.push_str(&hex(line));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets between two texts.
    fn pieces(octets: usize, layout: Layout) -> Pieces {
        let mut pieces = Pieces::default();
        pieces.push_str("before ");
        let octets: Vec<u8> = (0..octets).map(|at| (at % 251) as u8).collect();
        pieces.octets(&octets.into(), layout);
        pieces.push_str(" after");
        pieces
    }

    #[test]
    fn pieces_together_are_the_whole_and_none_is_long() {
        for octets in [
            0,
            1,
            OCTETS_AT_ONCE,
            OCTETS_AT_ONCE + 1,
            3 * OCTETS_AT_ONCE + 7,
        ] {
            for layout in [Layout::Digits, Layout::Lines { indent: 4 }] {
                let expected: Vec<u8> = (0..octets).map(|at| (at % 251) as u8).collect();
                let mut text = "before ".to_owned();
                layout.write(&expected, &mut text);
                text.push_str(" after");
                let pieces = pieces(octets, layout);
                assert_eq!(pieces.clone().collect::<String>(), text);
                let longest = pieces.map(|piece| piece.len()).max();
                assert!(longest.is_some_and(|longest| longest < 4 * OCTETS_AT_ONCE));
            }
        }
    }

    #[test]
    fn octets_are_written_as_digits_or_on_lines() {
        let write = |layout: Layout| {
            let mut out = String::new();
            layout.write(b"\x00\x1f\xff", &mut out);
            out
        };
        assert_eq!(write(Layout::Digits), "001fff");
        assert_eq!(write(Layout::Lines { indent: 2 }), "\n  00 1f ff");
    }
}
