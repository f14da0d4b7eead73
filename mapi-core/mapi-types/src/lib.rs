//! MAPI data shapes, for every crate of the core: property tags, values, rows, ids, drafts and restrictions.
//!
//! Data only: no I/O, no clock, no randomness. Names follow MS-OXCDATA and MS-OXPROPS. Strings are UTF-8 and times
//! are UTC [`FileTime`] everywhere above the stores; a store translates named properties to the fixed local ids
//! of [`tags`], so no other crate handles a property-id mapping.

mod bag;
mod busy;
mod change;
mod content;
mod draft;
mod ids;
pub mod named;
mod restriction;
mod rows;
mod tag;
pub mod tags;
mod value;

pub use bag::PropBag;
pub use busy::BusyStatus;
pub use change::{BitChange, Change, StringsChange, changes_content};
pub use content::{Content, ContentHash, ReadAt};
pub use draft::{
    Attachment, AttachmentData, Derived, Draft, Message, MessageTree, TransferEncoding,
};
pub use ids::{Epoch, FileTime, FolderId, ItemKey, ItemNumber, MailboxId, Version};
pub use restriction::{Relation, Restriction, SortOrder, TextMatch, compare};
pub use rows::{Row, RowSet, RowSetBuilder};
pub use tag::{Kind, PropTag, PropType, Tag, kind};
pub use value::{Multi, OwnedValue, Value};
