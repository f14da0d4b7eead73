//! What happened in a mailbox, for those who asked to be told. Source: MS-OXCNOTIF 2.2.1.1.

use super::ids::{Fid, Mid};

/// What happened to a folder or message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Happening {
    /// Mail arrived (NewMail).
    NewMail,
    /// It was made (ObjectCreated).
    Created,
    /// It was deleted (ObjectDeleted).
    Deleted,
    /// It changed (ObjectModified).
    Modified,
    /// It is elsewhere now (ObjectMoved).
    Moved,
    /// It was copied here (ObjectCopied).
    Copied,
}

impl Happening {
    /// The bit of NotificationTypes. Source: MS-OXCNOTIF 2.2.1.1.
    pub const fn bit(self) -> u16 {
        match self {
            Self::NewMail => 0x02,
            Self::Created => 0x04,
            Self::Deleted => 0x08,
            Self::Modified => 0x10,
            Self::Moved => 0x20,
            Self::Copied => 0x40,
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// What.
    pub happening: Happening,
    /// To this folder, or to a message in it.
    pub folder: Fid,
    /// To this message.
    pub message: Option<Mid>,
    /// The folder that the folder is in.
    pub parent: Option<Fid>,
    /// Where it was before, or what it was copied from.
    pub old: Option<OldPlace>,
    /// How many messages the folder has, and how many of them unread, when that changed.
    pub counts: Option<(u32, u32)>,
    /// Flags and class of new mail.
    pub mail: Option<(i32, String)>,
}

/// Where something was before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OldPlace {
    /// The folder, or the message's folder.
    pub folder: Fid,
    /// The message.
    pub message: Option<Mid>,
    /// The folder that the folder was in.
    pub parent: Option<Fid>,
}

impl Event {
    /// Something that happened to a message.
    pub const fn message(happening: Happening, folder: Fid, message: Mid) -> Self {
        Self {
            happening,
            folder,
            message: Some(message),
            parent: None,
            old: None,
            counts: None,
            mail: None,
        }
    }

    /// Something that happened to a folder.
    pub const fn folder(happening: Happening, folder: Fid, parent: Option<Fid>) -> Self {
        Self {
            happening,
            folder,
            message: None,
            parent,
            old: None,
            counts: None,
            mail: None,
        }
    }
}
