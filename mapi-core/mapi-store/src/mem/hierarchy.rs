//! The folder tree: names, places, permissions, and its change log.

use std::collections::HashSet;

use mapi_types::{Change, FolderId, OwnedValue, PropBag, PropTag, Version, tags};

use super::{
    access::{denied, no_folder},
    folder::Folder,
    item::inline,
    mailbox::{Mailbox, touched},
};
use crate::{
    Error, ErrorKind, FOLDER_NAME_BYTES_MAX, FolderInfo, HierarchyDelta, NewFolder, Notice,
    Permission, Principal, Result, Rights,
};

/// Properties of a folder that have ways of their own to change.
const FOLDER_FACTS: [PropTag; 4] = [
    tags::DISPLAY_NAME.tag(),
    tags::CONTENT_COUNT.tag(),
    tags::CONTENT_UNREAD_COUNT.tag(),
    tags::UNRENDERED_SIZE_MAX.tag(),
];

impl Mailbox {
    pub(super) fn hierarchy(&self, who: &Principal, since: Version) -> Result<HierarchyDelta> {
        if since > self.version {
            return Err(invalid(
                "the place lies after the end of the hierarchy's log",
            ));
        }
        let (mut changed, mut removed) = (Vec::new(), Vec::new());
        for folder in self
            .folders
            .values()
            .filter(|folder| folder.changed > since)
        {
            if self.sees(who, folder) {
                changed.push(self.seen_by(who, folder));
            } else if since > Version(0) {
                removed.push(folder.id);
            }
        }
        if since > Version(0) {
            let gone = self.removed.iter().filter(|(version, _)| *version > since);
            removed.extend(gone.map(|(_, id)| *id));
        }
        Ok(HierarchyDelta {
            to: self.version,
            changed,
            removed,
        })
    }

    pub(super) fn info(&self, who: &Principal, id: FolderId) -> Result<FolderInfo> {
        let folder = self.visible(who, id)?;
        Ok(self.seen_by(who, folder))
    }

    pub(super) fn create_folder(&mut self, who: &Principal, new: &NewFolder) -> Result<FolderInfo> {
        self.check_place(who, new.parent)?;
        self.check_name(new.parent, &new.name, None)?;
        let mut permissions = match new.parent {
            Some(parent) => self.visible(who, parent)?.permissions.clone(),
            None => Vec::new(),
        };
        if !self.is_owner(who) {
            // Who makes a folder in somebody else's mailbox owns it. Source: MS-OXCFOLD 3.2.5.2.
            let member = crate::Member::User(who.user.clone());
            permissions.retain(|row| row.member != member);
            permissions.push(Permission {
                member,
                rights: Rights::ALL,
            });
        }
        let mut folder = Folder::new(
            self.new_folder_id(),
            self.epochs.next(),
            &new.name,
            &new.class,
        );
        folder.parent = new.parent;
        folder.permissions = permissions;
        folder.changed = self.bump();
        let info = self.seen_by(who, &folder);
        self.folders.insert(folder.id, folder);
        self.notify(Notice::Hierarchy);
        Ok(info)
    }

    pub(super) fn move_folder(
        &mut self,
        who: &Principal,
        id: FolderId,
        parent: Option<FolderId>,
        name: &str,
    ) -> Result<()> {
        let folder = self.allowed(who, id, Rights::OWNER)?;
        if folder.role.is_some() {
            return Err(invalid("a special folder stays where it is"));
        }
        if folder.parent == parent && folder.name == name {
            return Ok(());
        }
        if folder.parent != parent {
            self.check_place(who, parent)?;
        }
        if self.ancestors(parent).any(|above| above.id == id) {
            return Err(invalid("a folder cannot go into itself"));
        }
        self.check_name(parent, name, Some(id))?;
        if let Some(folder) = self.folders.get_mut(&id) {
            folder.parent = parent;
            folder.name = name.into();
        }
        self.touch_tree(id);
        Ok(())
    }

    pub(super) fn delete_folder(&mut self, who: &Principal, id: FolderId) -> Result<()> {
        let folder = self.allowed(who, id, Rights::OWNER)?;
        if folder.role.is_some() {
            return Err(invalid("a special folder cannot be deleted"));
        }
        if self.folders.values().any(|below| below.parent == Some(id)) {
            return Err(invalid("the folder has subfolders"));
        }
        if let Some(folder) = self.folders.remove(&id) {
            self.keep_deleted(folder);
        }
        let version = self.bump();
        self.removed.push((version, id));
        self.notify(Notice::Hierarchy);
        Ok(())
    }

    pub(super) fn permissions(&self, who: &Principal, id: FolderId) -> Result<Vec<Permission>> {
        Ok(self.allowed(who, id, Rights::OWNER)?.permissions.clone())
    }

    pub(super) fn set_permissions(
        &mut self,
        who: &Principal,
        id: FolderId,
        permissions: &[Permission],
    ) -> Result<()> {
        let folder = self.allowed_mut(who, id, Rights::OWNER)?;
        let mut members = HashSet::new();
        if !permissions.iter().all(|row| members.insert(&row.member)) {
            return Err(invalid("a member is named twice"));
        }
        if folder.permissions != permissions {
            folder.permissions = permissions.into();
            self.touch_tree(id);
        }
        Ok(())
    }

    pub(super) fn folder_props(
        &self,
        who: &Principal,
        id: FolderId,
        tags: &[PropTag],
    ) -> Result<PropBag> {
        let folder = self.visible(who, id)?;
        let values = tags
            .iter()
            .filter_map(|tag| Some((*tag, folder.value(*tag)?)));
        Ok(values
            .filter(|(_, value)| inline(value.as_value()).is_some())
            .collect())
    }

    pub(super) fn set_folder_props(
        &mut self,
        who: &Principal,
        id: FolderId,
        change: &Change,
    ) -> Result<()> {
        let folder = self.allowed(who, id, Rights::OWNER)?;
        if touched(change).any(|tag| FOLDER_FACTS.contains(&tag)) {
            return Err(invalid("the store computes this property of a folder"));
        }
        let old = values_of(change, |tag| folder.value(tag));
        let changes = change.apply(|tag| find(&old, tag));
        if changes.is_empty() {
            return Ok(());
        }
        if let Some(folder) = self.folders.get_mut(&id) {
            changes
                .into_iter()
                .for_each(|(tag, value)| folder.set(tag, value));
        }
        self.touch(id);
        Ok(())
    }

    pub(super) fn mailbox_props(&self, tags: &[PropTag]) -> PropBag {
        let values = tags
            .iter()
            .filter_map(|tag| Some((*tag, self.props.get(tag)?.clone())));
        values
            .filter(|(_, value)| inline(value.as_value()).is_some())
            .collect()
    }

    pub(super) fn set_mailbox_props(&mut self, who: &Principal, change: &Change) -> Result<()> {
        if !self.is_owner(who) {
            return Err(denied());
        }
        let old = values_of(change, |tag| self.props.get(&tag).cloned());
        for (tag, value) in change.apply(|tag| find(&old, tag)) {
            match value {
                Some(value) => self.props.insert(tag, value),
                None => self.props.remove(&tag),
            };
        }
        Ok(())
    }

    /// The folder as the principal sees it: below the nearest ancestor that it sees.
    fn seen_by(&self, who: &Principal, folder: &Folder) -> FolderInfo {
        let above = self
            .ancestors(folder.parent)
            .find(|above| self.sees(who, above));
        folder.info(above.map(|above| above.id), self.rights(who, folder))
    }

    /// The folder and all above it, upwards.
    fn ancestors(&self, folder: Option<FolderId>) -> impl Iterator<Item = &Folder> {
        let folder = folder.and_then(|id| self.folders.get(&id));
        std::iter::successors(folder, |below| self.folders.get(&below.parent?))
    }

    /// Errors: `NotFound`, `Denied` unless the principal may make folders there.
    fn check_place(&self, who: &Principal, parent: Option<FolderId>) -> Result<()> {
        match parent {
            Some(parent) => self
                .allowed(who, parent, Rights::CREATE_SUBFOLDER)
                .map(|_| ()),
            None if self.is_owner(who) => Ok(()),
            None => Err(denied()),
        }
    }

    /// Errors: `Invalid`, `Exists`.
    fn check_name(
        &self,
        parent: Option<FolderId>,
        name: &str,
        except: Option<FolderId>,
    ) -> Result<()> {
        if name.is_empty() || name.len() > FOLDER_NAME_BYTES_MAX || name.contains(char::is_control)
        {
            return Err(invalid("no folder can have this name"));
        }
        let lower = name.to_lowercase();
        let mut siblings = self
            .folders
            .values()
            .filter(|folder| folder.parent == parent && Some(folder.id) != except);
        if siblings.any(|sibling| sibling.name.to_lowercase() == lower) {
            return Err(Error::new(ErrorKind::Exists, "a sibling has this name"));
        }
        Ok(())
    }

    /// Gives a folder a new epoch without a notice. Errors: `NotFound`.
    pub(super) fn renew_epoch(&mut self, id: FolderId) -> Result<()> {
        let (epoch, version) = (self.epochs.next(), self.bump());
        let folder = self.folder_mut(id)?;
        folder.renew(epoch);
        folder.changed = version;
        Ok(())
    }

    /// Logs a change of one folder.
    fn touch(&mut self, id: FolderId) {
        let version = self.bump();
        if let Some(folder) = self.folders.get_mut(&id) {
            folder.changed = version;
        }
        self.notify(Notice::Hierarchy);
    }

    /// Logs a change of a folder and of all below it: their paths, and where others see them, change with it.
    fn touch_tree(&mut self, id: FolderId) {
        let version = self.bump();
        let below: Vec<FolderId> = self
            .folders
            .keys()
            .copied()
            .filter(|folder| self.ancestors(Some(*folder)).any(|above| above.id == id))
            .collect();
        for id in below {
            if let Some(folder) = self.folders.get_mut(&id) {
                folder.changed = version;
            }
        }
        self.notify(Notice::Hierarchy);
    }

    /// The folder, to change it. Errors: `NotFound`.
    pub(super) fn folder_mut(&mut self, id: FolderId) -> Result<&mut Folder> {
        self.folders.get_mut(&id).ok_or_else(no_folder)
    }
}

/// The present values of all properties a change touches.
fn values_of(
    change: &Change,
    value: impl Fn(PropTag) -> Option<OwnedValue>,
) -> Vec<(PropTag, OwnedValue)> {
    touched(change)
        .filter_map(|tag| Some((tag, value(tag)?)))
        .collect()
}

fn find(values: &[(PropTag, OwnedValue)], tag: PropTag) -> Option<mapi_types::Value<'_>> {
    values
        .iter()
        .find(|(found, _)| *found == tag)
        .map(|(_, value)| value.as_value())
}

fn invalid(context: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, context)
}
