//! How property bags and message objects are kept in a row: compact, self-contained, checked when read.
//!
//! Every encoding begins with a revision octet. Whatever the bytes are, decoding ends in a value or in `Corrupt`.

mod bag;
mod bytes;
mod change;
mod tree;

pub(crate) use bag::{BagReader, Stored, encode_bag, encode_stored};
pub(crate) use change::{decode_change, encode_change};
pub(crate) use tree::{Externals, decode_parts, encode_parts, large_values, own, take_bag};

use mapi_store::ErrorKind;

use crate::fail::Fail;

/// Values above this many octets are kept apart, as contents of their own.
pub(crate) const VALUE_INLINE_MAX: usize = 64 << 10;

/// How deep messages may lie in messages.
pub(crate) const EMBEDDED_DEPTH_MAX: usize = 64;

fn damaged() -> Fail {
    Fail::corrupt("stored properties are damaged")
}

fn invalid() -> Fail {
    Fail::new(
        ErrorKind::Invalid,
        "a property value is not of its tag's type",
    )
}
