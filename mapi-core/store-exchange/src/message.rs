//! Whole messages between streams and the core, and the message as clients read it.
//!
//! Source: MS-OXCFXICS 2.2.4.2 (messageContent), MS-OXCMAIL 2.1.

mod draft;
mod incoming;
mod outgoing;
mod rendering;

use std::sync::Arc;

use bytes::Bytes;
use mapi_types::{Content, ContentHash, PropBag};

pub(crate) use self::{
    draft::{texts, whole},
    incoming::{SESSION_PAGE, all_props, bag, is_only_rtf, tree, values},
    outgoing::to_message,
    rendering::{render, substitute},
};

/// Octets in memory as a content.
pub(crate) fn content(octets: Vec<u8>) -> Content {
    let hash = hash(&octets);
    let len = octets.len() as u64;
    Content::new(Arc::new(Bytes::from(octets)), len, hash)
}

fn hash(octets: &[u8]) -> ContentHash {
    ContentHash(blake3::hash(octets).into())
}

/// `upper` over `lower`.
fn over(lower: &PropBag, upper: &PropBag) -> PropBag {
    let upper: Vec<_> = upper
        .iter()
        .map(|(tag, value)| (tag, value.to_owned()))
        .collect();
    lower.with(&upper, &[])
}
