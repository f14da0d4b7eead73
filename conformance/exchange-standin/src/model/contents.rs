//! Which messages the tables of a folder show.

use std::sync::Arc;

use super::{
    condition::{MessageSubject, meets},
    folder::{Folder, FolderKind},
    mailbox::Mailbox,
    message::Message,
};

/// Which of a folder's messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shown {
    /// Those for people.
    Normal,
    /// Those for programs (FAI).
    Associated,
    /// Those deleted for people that can still be had back.
    SoftDeleted,
    /// Those deleted for programs that can still be had back.
    SoftDeletedAssociated,
}

impl Mailbox {
    /// The messages of a folder, by id.
    pub fn shown(&self, folder: &Folder, which: Shown) -> Vec<Arc<Message>> {
        let deleted = |associated| {
            let deleted = folder.soft_deleted().values();
            deleted
                .filter(move |message| message.associated == associated)
                .cloned()
                .collect()
        };
        match which {
            Shown::Normal if folder.kind == FolderKind::Search => self.found_by(folder),
            Shown::Normal => folder.normal().values().cloned().collect(),
            Shown::Associated => folder.associated().values().cloned().collect(),
            Shown::SoftDeleted => deleted(false),
            Shown::SoftDeletedAssociated => deleted(true),
        }
    }

    /// What a search folder finds now.
    pub fn found_by(&self, folder: &Folder) -> Vec<Arc<Message>> {
        let Some(search) = &folder.search else {
            return Vec::new();
        };
        let mut folders = search.folders.clone();
        if search.recursive {
            for root in &search.folders {
                folders.extend(self.descendants(*root).into_iter().map(|(fid, _)| fid));
            }
        }
        folders.sort();
        folders.dedup();
        let folders = folders.into_iter().filter_map(|fid| self.folder(fid).ok());
        let messages = folders.flat_map(|folder| folder.normal().values());
        let wanted = |message: &&Arc<Message>| {
            let restriction = search.restriction.as_ref();
            restriction.is_none_or(|restriction| meets(&MessageSubject(self, message), restriction))
        };
        messages.filter(wanted).cloned().collect()
    }
}
