//! Names of properties whose ids differ from mailbox to mailbox. Source: MS-OXCDATA 2.6.1, MS-OXCFXICS 2.2.4.1.

use crate::{cursor::Utf16, ids::Guid};

/// What a property with an id of 0x8000 or above is called.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PropertyName {
    /// The property set.
    pub set: Guid,
    /// Which one of the set.
    pub id: NameId,
}

/// The part of a property's name that its set gives out.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum NameId {
    /// A number (LID).
    Number(u32),
    /// A text.
    Text(Utf16),
}
