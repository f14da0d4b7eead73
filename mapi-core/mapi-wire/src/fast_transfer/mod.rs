//! FastTransfer streams: whole folders and messages in one sequence of octets, in both directions.
//!
//! A [`Lexer`] makes atoms of the octets that come, buffer by buffer; a [`Parser`] makes [`Event`]s of atoms, one
//! message at a time, whatever produced the stream. An [`Encoder`] writes atoms and events and cuts the stream into
//! buffers where that is allowed. What a synchronization means, [`crate::ics`] says.
//!
//! Source: MS-OXCFXICS 2.2.4.

mod builder;
mod convert;
mod encoder;
mod event;
mod failure;
mod lexer;
mod marker;
mod message;
mod parser;
mod property;
mod write;

pub use builder::EMBEDDED_DEPTH_MAX;
pub use encoder::Encoder;
pub use event::{Event, FolderLevel, ListedMessage, MessageChange, PartialChange, PropertyGroup};
pub use failure::Failure;
pub use lexer::{
    Atom, EVENT_OCTETS_MAX, Lexer, Limits, NAME_UNITS_MAX, STREAM_OCTETS_MAX, VALUE_OCTETS_MAX,
};
pub use marker::{Marker, meta};
pub use message::{Attachment, Message};
pub use parser::{FOLDER_DEPTH_MAX, Parser};
pub use property::{Layout, Property, Shape, Value, find, find_id};
