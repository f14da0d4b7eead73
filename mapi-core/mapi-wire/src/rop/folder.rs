//! Folders: opening, making, searching, moving, emptying. Source: MS-OXCROPS 2.2.4, MS-OXCFOLD 2.2.1.

use super::{
    field::{Field, restriction, text},
    layout::rops,
    store::Servers,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
    restriction::Restriction,
    text::Text,
};

rops! {
    /// Opens a folder. Source: MS-OXCROPS 2.2.4.1.
    0x02 OpenFolder (input output) {
        /// The folder.
        folder_id: Id,
        /// 0, or [`Self::OPEN_SOFT_DELETED`].
        open_mode_flags: u8,
    } => OpenFolderResponse {
        /// Whether rules are set on it.
        has_rules: bool,
        /// The servers that have it, when this one does not.
        ghosted: Option<Servers>,
    }

    /// Makes a folder. Source: MS-OXCROPS 2.2.4.2.
    0x1c CreateFolder (input output) {
        /// [`Self::GENERIC`] or [`Self::SEARCH`].
        folder_type: u8,
        /// Whether both names are UTF-16.
        use_unicode_strings: bool,
        /// Whether a folder of that name is opened instead of an error.
        open_existing: bool,
        /// Reserved, 0.
        reserved: u8,
        /// Its name.
        display_name: Text [text use_unicode_strings],
        /// Its description.
        comment: Text [text use_unicode_strings],
    } => CreateFolderResponse {
        /// The folder.
        folder_id: Id,
        /// What is said of a folder that was there already.
        existing: Option<ExistingFolder>,
    }

    /// Removes a folder. Source: MS-OXCROPS 2.2.4.3.
    0x1d DeleteFolder (input) {
        /// [`Self::DELETE_MESSAGES`] and so on.
        delete_folder_flags: u8,
        /// The folder, a child of the input.
        folder_id: Id,
    } => DeleteFolderResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Says what a search folder finds. Source: MS-OXCROPS 2.2.4.4.
    0x30 SetSearchCriteria (input) {
        /// The condition; none: as before.
        restriction: Option<Restriction> [restriction],
        /// Where to search; none: as before.
        folder_ids: Vec<Id>,
        /// Start, stop, recursive and so on: MS-OXCFOLD 2.2.1.4.1.
        search_flags: u32,
    } => SetSearchCriteriaResponse {}

    /// Asks what a search folder finds. Source: MS-OXCROPS 2.2.4.5.
    0x31 GetSearchCriteria (input) {
        /// Whether strings shall be UTF-16.
        use_unicode: bool,
        /// Whether the condition is wanted.
        include_restriction: bool,
        /// Whether the folders are wanted.
        include_folders: bool,
    } => GetSearchCriteriaResponse {
        /// The condition.
        restriction: Option<Restriction> [restriction],
        /// As in the request.
        logon_id: u8,
        /// Where it searches.
        folder_ids: Vec<Id>,
        /// How the search goes: MS-OXCFOLD 2.2.1.5.2.
        search_flags: u32,
    }

    /// Moves or copies messages to another folder. Source: MS-OXCROPS 2.2.4.6.
    0x33 MoveCopyMessages (source destination) {
        /// The messages.
        message_ids: Vec<Id>,
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether they stay where they are as well.
        want_copy: bool,
    } => MoveCopyMessagesResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Moves a folder. Source: MS-OXCROPS 2.2.4.7.
    0x35 MoveFolder (source destination) {
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether the name is UTF-16.
        use_unicode: bool,
        /// The folder, a child of the source.
        folder_id: Id,
        /// Its name at the destination.
        new_folder_name: Text [text use_unicode],
    } => MoveFolderResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Copies a folder. Source: MS-OXCROPS 2.2.4.8.
    0x36 CopyFolder (source destination) {
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether its subfolders go with it.
        want_recursive: bool,
        /// Whether the name is UTF-16.
        use_unicode: bool,
        /// The folder, a child of the source.
        folder_id: Id,
        /// The copy's name.
        new_folder_name: Text [text use_unicode],
    } => CopyFolderResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Deletes all messages and subfolders, softly. Source: MS-OXCROPS 2.2.4.9.
    0x58 EmptyFolder (input) {
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether associated messages go too.
        want_delete_associated: bool,
    } => EmptyFolderResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Deletes all messages and subfolders for good. Source: MS-OXCROPS 2.2.4.10.
    0x92 HardDeleteMessagesAndSubfolders (input) {
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether associated messages go too.
        want_delete_associated: bool,
    } => HardDeleteMessagesAndSubfoldersResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Deletes messages, softly. Source: MS-OXCROPS 2.2.4.11.
    0x1e DeleteMessages (input) {
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether senders who asked are told that it was not read.
        notify_non_read: bool,
        /// The messages.
        message_ids: Vec<Id>,
    } => DeleteMessagesResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Deletes messages for good. Source: MS-OXCROPS 2.2.4.12.
    0x91 HardDeleteMessages (input) {
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether senders who asked are told that it was not read.
        notify_non_read: bool,
        /// The messages.
        message_ids: Vec<Id>,
    } => HardDeleteMessagesResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Opens the table of a folder's subfolders. Source: MS-OXCROPS 2.2.4.13.
    0x04 GetHierarchyTable (input output) {
        /// [`super::table_flags`].
        table_flags: u8,
    } => GetHierarchyTableResponse {
        /// How many rows there may be.
        row_count: u32,
    }

    /// Opens the table of a folder's messages. Source: MS-OXCROPS 2.2.4.14.
    0x05 GetContentsTable (input output) {
        /// [`super::table_flags`].
        table_flags: u8,
    } => GetContentsTableResponse {
        /// How many rows there may be.
        row_count: u32,
    }
}

impl OpenFolder {
    /// OpenModeFlags: also a folder that was softly deleted.
    pub const OPEN_SOFT_DELETED: u8 = 0x04;
}

impl CreateFolder {
    /// FolderType: one with messages.
    pub const GENERIC: u8 = 1;
    /// FolderType: one that finds messages.
    pub const SEARCH: u8 = 2;
}

impl DeleteFolder {
    /// DeleteFolderFlags: its messages too; else a folder with messages stays.
    pub const DELETE_MESSAGES: u8 = 0x01;
    /// DeleteFolderFlags: its subfolders too; else a folder with subfolders stays.
    pub const DELETE_FOLDERS: u8 = 0x04;
    /// DeleteFolderFlags: for good.
    pub const DELETE_HARD_DELETE: u8 = 0x10;
}

/// What a server says of a folder that was there already. Source: MS-OXCROPS 2.2.4.2.2.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExistingFolder {
    /// Whether rules are set on it.
    pub has_rules: bool,
    /// The servers that have it, when this one does not.
    pub ghosted: Option<Servers>,
}

/// After an octet that says whether the folder was there.
impl Field for Option<ExistingFolder> {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(match reader.bool(expected)? {
            true => Some(ExistingFolder {
                has_rules: Field::read(reader, expected)?,
                ghosted: Field::read(reader, expected)?,
            }),
            false => None,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.bool(self.is_some());
        if let Some(folder) = self {
            folder.has_rules.write(writer);
            folder.ghosted.write(writer);
        }
    }
}
