//! RFC 5322 and MIME into MAPI properties, recipients and attachments, and back. Source: MS-OXCMAIL.

mod address_props;
mod attachment;
mod body;
mod class;
mod conversation;
mod export;
mod fields;
mod import;
mod language;
mod layout;
mod props;
mod recipients;
mod report;
mod subject;
mod warning;

pub(crate) use address_props::one_off_entry_id;
pub use export::{Export, Identity, Segment, export};
pub use import::{import, import_with_text};
pub use layout::{BodyParts, body_parts};
pub use subject::split_subject;
pub use warning::Warning;
