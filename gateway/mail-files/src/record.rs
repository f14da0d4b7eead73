//! What journals say.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use account::{FolderInfo, Role};
use serde::{Deserialize, Serialize};

use crate::marks::Marks;

/// A line of an export's journal.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Exported {
    /// Which folder it is; first, and again whenever it was renamed.
    Folder(FolderHead),
    /// A message has been written.
    Message(ExportedMessage),
    /// A message's marks have been brought up to date.
    Marks(u32, u64, Marks),
    /// A message has been deleted.
    Gone(u32),
}

/// What a folder is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct FolderHead {
    /// The mailbox's address.
    pub(crate) mailbox: String,
    /// Its number in the mailbox.
    pub(crate) folder: u64,
    /// Its names from the folder down that the export begins with; the Inbox of a whole mailbox has none.
    pub(crate) path: Vec<String>,
    /// PidTagContainerClass.
    pub(crate) class: String,
    /// What it is for, by the English name of that.
    pub(crate) role: Option<String>,
    /// What its numbers are valid for.
    pub(crate) epoch: u32,
}

/// A message that has been written.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct ExportedMessage {
    /// Its number.
    pub(crate) number: u32,
    /// The version it had.
    pub(crate) version: u64,
    /// The file it is in, without what may change of its name.
    pub(crate) file: String,
    /// When it was received, seconds since 1970.
    pub(crate) received: i64,
    /// Its flags and keywords.
    pub(crate) marks: Marks,
}

/// A line of an import's journal.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Imported {
    /// Which folder it goes into, and what numbers are valid for there.
    Folder(u64, u32),
    /// A message has been filed.
    Message(ImportedMessage),
    /// A message has been deleted because its file was gone.
    Gone(String),
}

/// A message that has been filed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct ImportedMessage {
    /// What its file is called, as [`text_of`] writes it.
    pub(crate) file: String,
    /// The file's size and time of change, in nanoseconds.
    pub(crate) stamp: (u64, i64),
    /// Its number in the folder.
    pub(crate) number: u32,
    /// The marks its file had.
    pub(crate) marks: Marks,
}

impl FolderHead {
    /// Of a folder that has this path in an export.
    pub(crate) fn of(mailbox: &str, folder: &FolderInfo, path: &[String]) -> Self {
        Self {
            mailbox: mailbox.to_owned(),
            folder: folder.id.0,
            path: path.to_vec(),
            class: folder.class.clone(),
            role: folder.role.map(|role| role.defaults().0.to_owned()),
            epoch: folder.epoch.0,
        }
    }

    /// Whether it is the same folder, renamed, restored or mirrored anew, perhaps.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let looks_the_same = self.epoch == other.epoch && self.path == other.path;
        self.mailbox == other.mailbox && (self.folder == other.folder || looks_the_same)
    }

    /// What it is for.
    pub(crate) fn role(&self) -> Option<Role> {
        let name = self.role.as_deref()?;
        Role::ALL.into_iter().find(|role| role.defaults().0 == name)
    }
}

/// A file name as text: what is no UTF-8 is escaped, and so is `%`.
pub(crate) fn text_of(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for octet in chunk.invalid() {
            text.push_str(&format!("%{octet:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_octets_become_texts_that_differ() {
        for (name, text) in [
            (&b"1700.M1.host"[..], "1700.M1.host"),
            (b"a%ff", "a%25ff"),
            (b"a\xff", "a%ff"),
            ("ä".as_bytes(), "ä"),
        ] {
            assert_eq!(text_of(OsStr::from_bytes(name)), text);
        }
    }
}
