//! Octets of messages as clients fetch them: this copy's own header fields, then the original.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use mapi_store::{ByteRange, Error, ErrorKind, READ_BYTES_MAX, Result};
use mapi_types::{FolderId, ItemNumber, PropTag, tags};

use crate::{Account, Facts};

/// The most octets of one [`Piece`].
pub const PIECE_BYTES_MAX: u64 = READ_BYTES_MAX as u64;

/// A piece of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Piece {
    /// The message.
    pub item: ItemNumber,
    /// Octets, from the first of this copy's own header fields; at most [`PIECE_BYTES_MAX`]. May reach beyond the end.
    pub range: Range<u64>,
}

impl Account {
    /// Reads pieces of messages, in their order; short at a message's end, `None` for a message that is gone.
    ///
    /// One call to the store, and another when a piece begins within a message about which nothing is cached.
    /// Errors: `Invalid` (a piece is too long), `NotFound`, `Denied`, `Unavailable`.
    pub async fn read(&self, folder: FolderId, pieces: &[Piece]) -> Result<Vec<Option<Bytes>>> {
        let length = |piece: &Piece| piece.range.end.saturating_sub(piece.range.start);
        if pieces.iter().any(|piece| length(piece) > PIECE_BYTES_MAX) {
            return Err(Error::new(ErrorKind::Invalid, "a piece is too long"));
        }
        let prefixes = self.prefix_lengths(folder, pieces).await?;
        let mut wanted: Vec<ByteRange> = Vec::with_capacity(2 * pieces.len());
        for (piece, prefix) in pieces.iter().zip(prefixes) {
            wanted.extend(halves(piece, prefix));
        }
        let mut read = self.0.store.read_bytes(folder, &wanted).await?.into_iter();
        let halves = pieces.iter().map(|piece| {
            let (prefix, original) = (read.next().flatten(), read.next().flatten());
            Some(join(
                prefix.unwrap_or_default(),
                original?,
                length(piece) as usize,
            ))
        });
        Ok(halves.collect())
    }

    /// How long the prefixes are, where that matters.
    async fn prefix_lengths(&self, folder: FolderId, pieces: &[Piece]) -> Result<Vec<Option<u64>>> {
        let inner = |piece: &&Piece| piece.range.start > 0;
        let mut items: Vec<ItemNumber> = pieces
            .iter()
            .filter(inner)
            .map(|piece| piece.item)
            .collect();
        items.dedup();
        let facts = if items.is_empty() {
            Vec::new()
        } else {
            self.facts(folder, &items, Facts::NONE).await?
        };
        let mut known = items.iter().zip(&facts).peekable();
        let lengths = pieces.iter().map(|piece| {
            if !inner(&piece) {
                return None;
            }
            while known.next_if(|(item, _)| **item != piece.item).is_some() {}
            let (_, facts) = known.peek()?;
            facts.as_ref().map(|facts| facts.prefix_len())
        });
        Ok(lengths.collect())
    }
}

/// The pieces of prefix and original that a piece of a message is made of.
///
/// A piece from the beginning need not know where the prefix ends: it asks both for as much as is wanted.
fn halves(piece: &Piece, prefix_len: Option<u64>) -> [ByteRange; 2] {
    let Range { start, end } = piece.range.clone();
    let cut = |tag: PropTag, range: Range<u64>| ByteRange {
        item: piece.item,
        tag,
        offset: range.start,
        len: range.end.saturating_sub(range.start).min(PIECE_BYTES_MAX) as u32,
    };
    let (prefix, original) = match prefix_len {
        Some(len) => (
            start.min(len)..end.min(len),
            start.saturating_sub(len)..end.saturating_sub(len),
        ),
        None => (start..end, start..end),
    };
    [
        cut(tags::ORIGINAL_PREFIX.tag(), prefix),
        cut(tags::ORIGINAL.tag(), original),
    ]
}

fn join(prefix: Bytes, original: Bytes, len: usize) -> Bytes {
    if prefix.is_empty() {
        return original.slice(..len.min(original.len()));
    }
    let mut both = BytesMut::with_capacity(len.min(prefix.len() + original.len()));
    both.extend_from_slice(prefix.get(..len).unwrap_or(&prefix));
    let room = len - both.len();
    both.extend_from_slice(original.get(..room).unwrap_or(&original));
    both.freeze()
}
