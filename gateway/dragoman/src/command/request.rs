//! What a command asks of a running server, and what it answers: one JSON line each on the admin socket.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cli::SendHow;

/// A request. It carries passwords, so it has no `Debug`.
#[derive(Deserialize, Serialize)]
pub(crate) enum Request {
    UserAdd {
        address: String,
        password: String,
    },
    UserPasswd {
        address: String,
        password: String,
    },
    UserRemove {
        address: String,
        purge: bool,
    },
    UserList,
    AppPassword {
        address: String,
        change: AppPasswordChange,
    },
    AliasAdd {
        alias: String,
        address: String,
    },
    AliasRemove {
        alias: String,
    },
    AliasList,
    GrantAdd {
        mailbox: String,
        member: String,
        rights: String,
        folder: String,
    },
    GrantList {
        mailbox: String,
        folder: String,
    },
    GrantSend {
        address: String,
        member: String,
        how: SendHow,
    },
    Senders {
        address: Option<String>,
    },
    SharedAdd {
        address: String,
    },
    Backup {
        mailbox: String,
        to: PathBuf,
        folder: Option<String>,
    },
    MirrorStatus {
        mailbox: Option<String>,
    },
    MirrorDrop {
        mailbox: String,
    },
    MirrorRetry {
        mailbox: String,
    },
    MirrorExport {
        mailbox: String,
        to: PathBuf,
    },
    MirrorReset {
        mailbox: String,
        yes: bool,
    },
    QueueList {
        address: Option<String>,
    },
    QueueShow {
        id: String,
    },
    QueueChange {
        change: QueueChange,
        ids: Vec<String>,
    },
    QuotaShow {
        mailbox: Option<String>,
    },
    QuotaSet {
        mailbox: String,
        change: QuotaChange,
    },
    QuotaUnset {
        mailbox: String,
    },
    Recover {
        mailbox: String,
        what: Recovery,
    },
    Fsck,
    Compact,
}

/// Limits to be set; `None`: as they are. `Some(None)`: none from now on.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct QuotaChange {
    pub(crate) warn: Asked,
    pub(crate) send: Asked,
    pub(crate) receive: Asked,
    pub(crate) warn_messages: Asked,
    pub(crate) send_messages: Asked,
    pub(crate) receive_messages: Asked,
}

/// A limit that somebody asks for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Asked {
    /// As it is.
    #[default]
    AsItIs,
    /// No limit.
    None,
    /// This.
    At(u64),
}

/// What happens with what was deleted.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Recovery {
    /// The latest of a folder, or of all.
    List {
        folder: Option<String>,
        limit: usize,
    },
    Show(String),
    Restore(Which),
    Purge(Which),
}

/// Which deleted items are meant.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Which {
    /// These, as lists name them.
    Items(Vec<String>),
    /// Those of a folder that is there or was, by its path.
    Folder(String),
    /// All of the mailbox.
    All,
}

/// What happens to a user's app passwords.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum AppPasswordChange {
    Add { name: String, services: Vec<String> },
    List,
    Remove { which: String },
    Require { required: bool },
}

/// What happens to messages in the outgoing queue.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum QueueChange {
    Retry,
    Hold,
    Release,
    Delete,
}

impl Request {
    /// Whether it makes sense where there is no data folder yet. For anything else, a misspelt folder is an error.
    pub(crate) const fn begins_a_folder(&self) -> bool {
        matches!(self, Self::UserAdd { .. } | Self::SharedAdd { .. })
    }
}

/// The answer.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) enum Answer {
    /// It is done; lines to print.
    Done(Vec<String>),
    /// It is not done, and why.
    Failed(String),
}
