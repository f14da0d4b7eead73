//! Mailboxes as files: [`export`] writes a mailbox, or one folder with what is below it, as Maildir, mbox or EML;
//! [`import`] reads such files into a mailbox. Both may be interrupted at any point and run again.
//!
//! Beside the files of each folder lies a journal of what has been moved. It is written after what it tells of is
//! durable, so whatever it misses is moved again; and moving again doubles nothing: an exported message has the same
//! file name, or place in its mbox, every time, and an imported one the same key in its folder.
//!
//! Octets are not changed, whatever a message consists of. Flags, keywords and dates go where each format keeps them, and
//! into the journal, which an import reads as well.
//!
//! `maildir`, `mbox` and `eml` know one format each; `folder_name` maps names of folders to file names, `marks` flags to
//! letters, `journal` and `record` are what is written down; `engine` modules move messages and do not know formats.

mod durable;
mod error;
mod export;
mod folder_name;
mod import;
mod journal;
mod keyword_file;
mod layout;
mod marks;
mod message_files;
mod options;
mod record;
mod report;
mod source;

pub use error::{Error, Result};
pub use export::export;
pub use import::import;
pub use options::{Export, Format, Import};
pub use report::{Progress, Report, Tally};
