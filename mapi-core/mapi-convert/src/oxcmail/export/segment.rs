//! A message to be, as a recipe: octets here, octets to be encoded, octets of an original.

use std::{io, ops::Range};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use mapi_types::ReadAt;

use crate::{Limits, Scanned, Scanner};

/// Octets that one base64 line of 76 characters holds.
const BASE64_LINE_OCTETS: usize = 57;

/// Octets read from the original or encoded at once.
const PIECE_OCTETS: usize = BASE64_LINE_OCTETS * 1024;

/// A piece of an exported message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// These octets.
    Octets(Bytes),
    /// These octets in base64, in lines of 76 characters that end with CRLF.
    Base64(Bytes),
    /// A range of the message's original, as it is.
    Original(Range<u64>),
}

impl Segment {
    /// Octets of the message that it makes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::Base64(octets) => {
                let octets = octets.len() as u64;
                octets.div_ceil(3) * 4 + octets.div_ceil(BASE64_LINE_OCTETS as u64) * 2
            }
            Self::Original(range) => range.end.saturating_sub(range.start),
        }
    }

    /// Whether it makes none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An exported message. The same properties give the same octets, always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// Its pieces in order.
    pub segments: Vec<Segment>,
}

impl Export {
    /// Octets of the whole message (RFC822.SIZE).
    pub fn size(&self) -> u64 {
        self.segments.iter().map(Segment::len).sum()
    }

    /// Gives the message's octets to `sink`, in order, in pieces of bounded size.
    ///
    /// `original` holds the ranges of [`Segment::Original`]; blocking, unless it is in memory.
    /// Errors: of the original; `NotFound` when it is needed and not given.
    pub fn write(
        &self,
        original: Option<&dyn ReadAt>,
        sink: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        for segment in &self.segments {
            match segment {
                Segment::Octets(octets) => sink(octets),
                Segment::Base64(octets) => octets.chunks(PIECE_OCTETS).for_each(|piece| {
                    let mut lines = String::with_capacity(PIECE_OCTETS * 3 / 2);
                    for line in piece.chunks(BASE64_LINE_OCTETS) {
                        STANDARD.encode_string(line, &mut lines);
                        lines.push_str("\r\n");
                    }
                    sink(lines.as_bytes());
                }),
                Segment::Original(range) => {
                    let original = original.ok_or(io::ErrorKind::NotFound)?;
                    copy(original, range.clone(), sink)?;
                }
            }
        }
        Ok(())
    }

    /// The message's skeleton, as [`Scanner`] sees it.
    ///
    /// Errors: as for [`Export::write`].
    pub fn scan(&self, original: Option<&dyn ReadAt>, limits: Limits) -> io::Result<Scanned> {
        let mut scanner = Scanner::new(limits);
        self.write(original, &mut |octets| scanner.feed(octets))?;
        Ok(scanner.finish())
    }
}

fn copy(original: &dyn ReadAt, range: Range<u64>, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; PIECE_OCTETS];
    let mut at = range.start;
    while at < range.end {
        let len = usize::try_from(range.end - at)
            .unwrap_or(usize::MAX)
            .min(PIECE_OCTETS);
        let piece = buffer.get_mut(..len).ok_or(io::ErrorKind::InvalidInput)?;
        original.read_exact_at(piece, at)?;
        sink(piece);
        at += len as u64;
    }
    Ok(())
}
