//! How much the messages of a folder take at most whose bytes nobody has made yet.

use mapi_store::Result;
use mapi_types::{FolderId, OwnedValue, PropBag, PropTag, tags};

use super::ExchangeStore;

/// How many octets of a rendered message there may be for one that the server counts.
///
/// Servers count text in UTF-16, HTML in its code page, attachments as they are, all of it compressed by some. Rendered,
/// attachments are in base64 (four octets for three, and line ends), text may be in quoted-printable (three for one) and
/// is said twice when there is HTML.
const FACTOR: u64 = 4;

/// Octets that a message takes whatever is in it: header fields, boundaries, what encodings round up.
const EACH: u64 = 16 << 10;

impl ExchangeStore {
    /// Adds [`tags::UNRENDERED_SIZE_MAX`] to the properties of a folder, if it was asked for.
    pub(super) async fn with_bound(
        &self,
        folder: FolderId,
        wanted: &[PropTag],
        bag: PropBag,
    ) -> Result<PropBag> {
        let tag = tags::UNRENDERED_SIZE_MAX.tag();
        if !wanted.contains(&tag) {
            return Ok(bag);
        }
        // Who asks for sizes asks for those of all messages.
        self.mailbox.indexed(folder).await?;
        let (items, octets) = self.mailbox.mirror.unsized_items(folder).await?;
        Ok(match bound(items, octets) {
            Some(bound) => bag.with(&[(tag, OwnedValue::I64(bound))], &[]),
            None => bag,
        })
    }
}

/// What messages take at most that the server counts with so many octets; `None` when there are none.
fn bound(items: u32, octets: u64) -> Option<i64> {
    let each = EACH.saturating_mul(items.into());
    let bound = octets.saturating_mul(FACTOR).saturating_add(each);
    (items > 0).then(|| i64::try_from(bound).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_bound_as_long_as_there_is_a_message_without_a_size() {
        assert_eq!(bound(0, 0), None);
        assert_eq!(bound(1, 0), Some(16 << 10));
        assert_eq!(bound(2, 1000), Some((32 << 10) + 4000));
        assert_eq!(bound(u32::MAX, u64::MAX), Some(i64::MAX));
    }
}
