//! MIME, iCalendar and MAPI properties into each other, for the layers above the stores.
//!
//! Pure: no I/O, no clock, no randomness; time is a parameter. Nothing here fails on ugly mail: what cannot be
//! understood is kept as opaque bytes, and converters return warnings beside their value. Files are named after the
//! document they follow.
#![warn(clippy::indexing_slicing)]

pub mod address;
pub mod charset;
mod cursor;
pub mod date;
pub mod decode;
pub mod encoded_word;
pub mod flowed;
pub mod header;
pub mod html;
pub mod ical;
mod item;
pub mod oxcmail;
pub mod oxocal;
pub mod oxocntc;
pub mod oxonote;
pub mod oxotask;
pub mod parameter;
pub mod skeleton;
pub mod text;

pub use item::{Common, Importance};
pub use skeleton::{
    EnvelopeView, Limits, Part, PartKind, PartView, RENDERER, Scanned, Scanner, SectionKind,
    StructureView,
};
