//! RFC 5322 and MIME into MAPI properties, recipients and attachments, and back. Source: MS-OXCMAIL.

mod address_props;
mod attachment;
mod class;
mod conversation;
mod fields;
mod import;
mod language;
mod layout;
mod props;
mod recipients;
mod report;
mod subject;
mod warning;

pub use import::import;
pub use subject::split_subject;
pub use warning::Warning;
