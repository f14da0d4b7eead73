//! The MIME skeleton: what IMAP asks about a message, computed once, so that reading never parses.
//!
//! [`Scanner`] sees a message's octets once, in whatever pieces they arrive, and yields [`Scanned`]: the part tree with
//! octet ranges, and the header blocks. [`Scanned::derived`] encodes it into what a store keeps beside the message
//! ([`mapi_types::Derived`]); [`EnvelopeView`] and [`StructureView`] read that encoding in place.
//!
//! Octet ranges count from the first octet of the original. A copy's own header fields (`Draft::prefix`) stand before
//! that: whoever serves a copy with a prefix of `n` octets shows prefix and header as one block, and adds `n` to every
//! other range. Sizes of bodies do not change.
//!
//! Ranges nest: a part lies within its parent's body. The line end before a boundary line belongs to the boundary.
//! Source: RFC 2046 5.1, RFC 9051 6.4.5.1 and 7.5.2.

mod codec;
mod encode;
mod envelope;
mod part;
mod scanner;
mod structure;

pub use envelope::{AddressView, Addresses, EnvelopeView};
pub use part::{Part, PartKind, Scanned};
pub use scanner::{Limits, Scanner};
pub use structure::{Params, PartView, SectionKind, StructureView};

/// Revision of the skeleton's rules and encoding; a store's facts of an earlier one are computed again.
pub const RENDERER: u32 = 1;
