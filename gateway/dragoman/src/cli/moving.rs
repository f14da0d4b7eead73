//! The command line of `dragoman export` and `dragoman import`. What is asked goes to a running server as it stands here.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::Place;

/// Whose mailbox.
#[derive(Args, Clone, Debug, Deserialize, Serialize)]
#[group(skip)]
pub(crate) struct Whose {
    /// The mailbox's address, or the name of an account in the configuration.
    pub(crate) mailbox: String,
    /// A file with the owner's password at the Exchange server, where none is configured; for its owner alone to read.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub(crate) password_file: Option<PathBuf>,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) place: Place,
}

/// What to export, and whereto.
#[derive(Args, Debug, Deserialize, Serialize)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) who: Whose,
    /// The folder for the files; made when it is not there. A running server writes them, as its own user.
    pub(crate) to: PathBuf,
    /// How messages lie in files.
    #[arg(long, value_enum, default_value_t = Format::Maildir)]
    pub(crate) format: Format,
    /// Only this folder and what is below it, by its path such as `Inbox/Projects`.
    #[arg(long)]
    pub(crate) folder: Option<String>,
    /// Delete the files of messages that are no longer in the mailbox.
    #[arg(long)]
    pub(crate) delete: bool,
}

/// What to import, and whereto.
#[derive(Args, Debug, Deserialize, Serialize)]
pub(crate) struct Import {
    #[command(flatten)]
    pub(crate) who: Whose,
    /// Where the files are. A running server reads them, as its own user.
    pub(crate) from: PathBuf,
    /// How messages lie in files; without, as it looks.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// The folder that everything goes into, by its path; made when it is not there. Without, folders are those of the
    /// mailbox, and messages in no folder go to the Inbox.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<String>,
    /// Delete messages that were imported earlier and whose files are gone.
    #[arg(long)]
    pub(crate) delete: bool,
    /// A folder for the notes of what has been imported, instead of beside the files.
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,
}

/// How messages lie in files.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ValueEnum)]
pub(crate) enum Format {
    /// A file for each message, folders as Maildir++ has them.
    Maildir,
    /// A folder of .eml files for each folder.
    Eml,
}

impl From<Format> for mail_files::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Maildir => Self::Maildir,
            Format::Eml => Self::Eml,
        }
    }
}
