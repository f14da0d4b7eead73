//! What Exchange and its clients say to each other, encoded and decoded in both directions. Sans-IO.
//!
//! Layers, from the outside in: [`http`] (request and response bodies of MAPI over HTTP), [`buffer`] (extended buffers:
//! compression, packing), [`rop`] (remote operations), [`fast_transfer`] (streams of whole objects) and [`ics`]
//! (what a client has seen). Beside them [`nspi`] (the address book), [`autodiscover`] and [`rpc`] (the stubs of RPC
//! over HTTP).
//!
//! Unknown or broken bytes give a [`DecodeError`] that says where and what was expected; nothing here panics, loops or
//! reserves memory by what a peer announces.

pub mod autodiscover;
pub mod availability;
pub mod buffer;
pub mod code_page;
pub mod cursor;
pub mod entry_id;
pub mod fast_transfer;
pub mod http;
pub mod ics;
pub mod ids;
pub mod lz77;
pub mod named;
pub mod nspi;
pub mod own_folder;
pub mod property_name;
pub mod recipient;
pub mod restriction;
pub mod rop;
pub mod row;
pub mod rpc;
pub mod rule;
pub mod table;
pub mod text;
pub mod value;
pub mod web_service;

pub use cursor::{DecodeError, Reader, Utf16, Writer};
pub use ids::{Gid, Globcnt, Guid, Id};
pub use value::{Dialect, PropValue, ServerId, TaggedValue};
