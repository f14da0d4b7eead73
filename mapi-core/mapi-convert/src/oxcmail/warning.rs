//! What a conversion could not carry over.

use mapi_types::PropTag;

/// Something that a conversion left out or guessed; the message itself is never refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A limit of the scanner was met: some parts or header fields were not seen.
    LimitMet,
    /// A text was cut at 64 KiB.
    Truncated(PropTag),
    /// A binary value above 64 KiB, or one that its property's format does not allow, was left out.
    Omitted(PropTag),
    /// A header field was there and could not be understood.
    Unreadable(&'static str),
    /// So many recipients beyond the limit were left out.
    RecipientsLeftOut(usize),
}
