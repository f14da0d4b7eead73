//! Headers of WebDAV and its relatives: values as text to types. The server hands in what HTTP gave it.
//!
//! A value that is not valid is an error or nothing, never a guess: a condition that was misread could lose data.

mod content_type;
mod entity_tag;
mod if_header;
mod simple;

pub use content_type::{AcceptVcard, MediaType};
pub use entity_tag::{EntityTag, EntityTags};
pub use if_header::{IfCondition, IfHeader, IfList};
pub use simple::{
    Depth, LockTimeout, Preferences, overwrite, parse_lock_token, parse_timeout, write_lock_token,
};
