//! What is to be moved, and how.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How messages lie in files.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Format {
    /// Maildir, with folders as Maildir++ has them: a file for each message.
    Maildir,
    /// A folder of `.eml` files.
    Eml,
}

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct Export {
    /// The folder the files go into; made when it is not there.
    pub to: PathBuf,
    /// How.
    pub format: Format,
    /// The path of the folder to export with what is below it; none: the whole mailbox.
    pub folder: Option<String>,
    /// Whether files go of messages that are no longer in the mailbox.
    pub delete: bool,
}

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Import {
    /// Where the files are.
    pub from: PathBuf,
    /// How they lie there; `None`: as it looks.
    pub format: Option<Format>,
    /// The path of the folder they go into, folders below it; none: each to the folder of its name, and what is in no
    /// folder to the Inbox.
    pub into: Option<String>,
    /// Whether messages go that an earlier run imported and whose files are gone.
    pub delete: bool,
    /// Where the journals go that tell what has been imported; `None`: beside the files.
    pub journal: Option<PathBuf>,
}
