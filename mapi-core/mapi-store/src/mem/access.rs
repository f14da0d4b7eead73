//! Who may do what.
//!
//! The owner may do everything. Others have what a folder's permission table gives: their own row, else the
//! default row; who did not log in has an empty address and the anonymous row. A folder that is not visible to the
//! principal is `NotFound`: its existence is nobody's business. A visible one without the right is `Denied`.

use mapi_types::FolderId;

use super::{folder::Folder, item::Item, mailbox::Mailbox};
use crate::{Error, ErrorKind, Member, Principal, Result, Rights};

impl Mailbox {
    pub(super) fn is_owner(&self, who: &Principal) -> bool {
        who.user == self.id.0
    }

    /// Whether the principal may open the mailbox: it owns it or sees a folder of it.
    pub(super) fn is_open_to(&self, who: &Principal) -> bool {
        self.is_owner(who) || self.folders.values().any(|folder| self.sees(who, folder))
    }

    pub(super) fn rights(&self, who: &Principal, folder: &Folder) -> Rights {
        if self.is_owner(who) {
            return Rights::ALL;
        }
        let own = folder.permissions.iter().find(|row| match &row.member {
            Member::User(user) => user.eq_ignore_ascii_case(&who.user),
            Member::Anonymous => who.user.is_empty(),
            Member::Default => false,
        });
        let default = || {
            folder
                .permissions
                .iter()
                .find(|row| row.member == Member::Default)
        };
        let row = own.or_else(|| default().filter(|_| !who.user.is_empty()));
        row.map_or(Rights::NONE, |row| row.rights)
    }

    pub(super) fn sees(&self, who: &Principal, folder: &Folder) -> bool {
        self.rights(who, folder).allow(Rights::VISIBLE)
    }

    /// A folder the principal sees. Errors: `NotFound`.
    pub(super) fn visible(&self, who: &Principal, id: FolderId) -> Result<&Folder> {
        let folder = self
            .folders
            .get(&id)
            .filter(|folder| self.sees(who, folder));
        folder.ok_or_else(no_folder)
    }

    /// A folder in which the principal has these rights. Errors: `NotFound`, `Denied`.
    pub(super) fn allowed(&self, who: &Principal, id: FolderId, needed: Rights) -> Result<&Folder> {
        let folder = self.visible(who, id)?;
        if self.rights(who, folder).allow(needed) {
            Ok(folder)
        } else {
            Err(denied())
        }
    }

    /// Like [`Self::allowed`], to change the folder.
    pub(super) fn allowed_mut(
        &mut self,
        who: &Principal,
        id: FolderId,
        needed: Rights,
    ) -> Result<&mut Folder> {
        self.allowed(who, id, needed)?;
        self.folders.get_mut(&id).ok_or_else(no_folder)
    }

    /// Errors: `Denied` unless the principal may do this to all of the items: either to any, or to its own.
    pub(super) fn check_items<'i>(
        &self,
        who: &Principal,
        folder: &Folder,
        (any, owned): (Rights, Rights),
        mut items: impl Iterator<Item = &'i Item>,
    ) -> Result<()> {
        let rights = self.rights(who, folder);
        let may =
            rights.allow(any) || rights.allow(owned) && items.all(|item| item.creator == who.user);
        if may { Ok(()) } else { Err(denied()) }
    }
}

pub(super) fn no_folder() -> Error {
    Error::new(ErrorKind::NotFound, "no such folder")
}

pub(super) fn no_item() -> Error {
    Error::new(ErrorKind::NotFound, "no such item")
}

pub(super) fn denied() -> Error {
    Error::new(ErrorKind::Denied, "the principal may not")
}
