//! A draft made ready for its rows, before it waits in the mailbox's queue.

use bytes::Bytes;
use mapi_store::ITEM_KEY_BYTES_MAX;
use mapi_types::{Content, ContentHash, Derived, Draft, ItemKey, PropBag, PropTag, Value};

use crate::{
    access::invalid,
    codec::{Externals, encode_bag, encode_parts},
    fail::Result,
    hot::{Hot, hot_column, is_fact},
};

/// See the module. Everything is shared or encoded already, so that the writer thread only binds it.
pub(crate) struct Prepared {
    pub(crate) key: Option<ItemKey>,
    pub(crate) hot: Hot,
    pub(crate) props: Vec<u8>,
    pub(crate) parts: Vec<u8>,
    pub(crate) prefix: Bytes,
    pub(super) original: Option<Original>,
    pub(crate) derived: Derived,
    /// Large values kept apart.
    pub(crate) attached: Vec<ContentHash>,
    /// Octets of the message as a client fetches it; of its properties when it has no original.
    pub(crate) size: u64,
    /// Of the original.
    pub(crate) digest: Option<ContentHash>,
    /// Octets of original, large values and parts.
    pub(crate) stored_bytes: u64,
}

/// Where the original of a draft goes.
pub(super) enum Original {
    /// Into the row.
    Inline(Bytes),
    /// Into a segment.
    Segment(ContentHash, u64),
}

impl Original {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Segment(_, len) => *len,
        }
    }
}

impl Prepared {
    /// The columns `hash` and `body` of the original.
    pub(crate) fn original_columns(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        match &self.original {
            None => (None, None),
            Some(Original::Inline(bytes)) => (None, Some(&bytes[..])),
            Some(Original::Segment(hash, _)) => (Some(&hash.0[..]), None),
        }
    }

    /// What a draft becomes, and the contents to be stored before its rows. Originals of up to `inline_max` octets
    /// that are in memory go into the row.
    ///
    /// Errors: `Invalid`, `TooBig`.
    pub(crate) fn new(draft: &Draft, inline_max: u64) -> Result<(Self, Vec<Content>)> {
        let fits = |key: &ItemKey| (1..=ITEM_KEY_BYTES_MAX).contains(&key.0.len());
        if !draft.key.as_ref().is_none_or(fits) {
            return Err(invalid("an item key has 1 to 255 bytes"));
        }
        let message = &*draft.message;
        let mut hot = Hot::default();
        for (tag, value) in message.tree.props.iter().chain(draft.props.iter()) {
            hot.set(tag, Some(value))?;
        }
        let mut externals = Externals::default();
        let mut props = Vec::with_capacity(1024);
        let cold = merged(&message.tree.props, &draft.props)
            .filter(|(tag, _)| hot_column(*tag).is_none() && !is_fact(*tag));
        encode_bag(cold, &mut externals, &mut props)?;
        let parts = encode_parts(&message.tree, &mut externals)?;
        let attached: Vec<ContentHash> = externals.0.iter().map(Content::hash).collect();
        let mut contents = externals.0;
        let original =
            message
                .original
                .as_ref()
                .map(|content| match content.source().in_memory() {
                    Some(bytes)
                        if content.len() <= inline_max && bytes.len() as u64 == content.len() =>
                    {
                        Original::Inline(bytes.clone())
                    }
                    _ => {
                        contents.push(content.clone());
                        Original::Segment(content.hash(), content.len())
                    }
                });
        let body = match &original {
            Some(original) => original.len(),
            None => {
                (props.len() + parts.len()) as u64 + contents.iter().map(Content::len).sum::<u64>()
            }
        };
        let inline = match &original {
            Some(Original::Inline(bytes)) => bytes.len() as u64,
            _ => 0,
        };
        let prepared = Self {
            key: draft.key.clone(),
            hot,
            props,
            parts,
            size: draft.prefix.len() as u64 + body,
            prefix: draft.prefix.clone(),
            original,
            derived: message.derived.clone(),
            attached,
            digest: message.original.as_ref().map(Content::hash),
            stored_bytes: inline + contents.iter().map(Content::len).sum::<u64>(),
        };
        Ok((prepared, contents))
    }
}

/// The properties of two bags by ascending tag; those of `own` win.
fn merged<'b>(shared: &'b PropBag, own: &'b PropBag) -> impl Iterator<Item = (PropTag, Value<'b>)> {
    let (mut shared, mut own) = (shared.iter().peekable(), own.iter().peekable());
    std::iter::from_fn(move || match (shared.peek(), own.peek()) {
        (Some((a, _)), Some((b, _))) if a < b => shared.next(),
        (Some((a, _)), Some((b, _))) if a == b => {
            shared.next();
            own.next()
        }
        (_, Some(_)) => own.next(),
        (_, None) => shared.next(),
    })
}
