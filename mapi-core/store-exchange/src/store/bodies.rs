//! Texts of items whose bytes were made: they stand in these alone, and are decoded when somebody asks.

use bytes::Bytes;
use mapi_store::{ByteRange, Result};
use mapi_types::{FolderId, ItemNumber, PropTag, tags};
use tokio::task::spawn_blocking;

use super::ExchangeStore;
use crate::message::texts;

const TEXTS: [PropTag; 2] = [tags::BODY.tag(), tags::BODY_HTML.tag()];

impl ExchangeStore {
    /// Answers pieces of texts that are no properties any more.
    pub(super) async fn decoded(
        &self,
        folder: FolderId,
        pieces: &[ByteRange],
        mut found: Vec<Option<Bytes>>,
    ) -> Result<Vec<Option<Bytes>>> {
        let mut known: Option<(ItemNumber, [Option<Bytes>; 2])> = None;
        for (piece, found) in pieces.iter().zip(&mut found) {
            let text = TEXTS.iter().position(|tag| *tag == piece.tag);
            let (Some(text), None) = (text, &found) else {
                continue;
            };
            let texts = match known.take() {
                Some((item, texts)) if item == piece.item => texts,
                _ => self.texts(folder, piece.item).await?,
            };
            let whole = texts.get(text).cloned().flatten();
            *found = whole.map(|whole| cut(&whole, piece.offset, piece.len));
            known = Some((piece.item, texts));
        }
        Ok(found)
    }

    /// Text and HTML of an item, from its original.
    async fn texts(&self, folder: FolderId, item: ItemNumber) -> Result<[Option<Bytes>; 2]> {
        let Some(octets) = self.mailbox.octets_of(folder, item).await? else {
            return Ok([None, None]);
        };
        let texts = spawn_blocking(move || texts(octets)).await;
        Ok(texts.unwrap_or_default())
    }
}

/// A piece; empty behind the end.
fn cut(whole: &Bytes, offset: u64, len: u32) -> Bytes {
    let from = usize::try_from(offset).map_or(whole.len(), |from| from.min(whole.len()));
    let to = whole.len().min(from.saturating_add(len as usize));
    whole.slice(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_with_the_text() {
        let whole = Bytes::from_static(b"0123456789");
        assert_eq!(cut(&whole, 8, 5), "89");
        assert_eq!(cut(&whole, 2, 3), "234");
        assert_eq!(cut(&whole, 10, 1), "");
        assert_eq!(cut(&whole, u64::MAX, u32::MAX), "");
    }
}
