//! A mailbox's folders as one principal sees them.

use std::collections::{BTreeMap, HashMap};

use mapi_store::{FolderInfo, HierarchyDelta, Role};
use mapi_types::{FolderId, Version};

/// A snapshot of a mailbox's folder tree.
///
/// Names, places, roles and rights are true as of the snapshot. Counts, sizes and versions are those of the time the
/// folder itself last changed: ask [`crate::Account::folder`] for them.
#[derive(Clone, Debug, Default)]
pub struct FolderTree {
    version: Version,
    folders: BTreeMap<FolderId, FolderInfo>,
    children: HashMap<Option<FolderId>, Vec<FolderId>>,
}

impl From<HierarchyDelta> for FolderTree {
    /// The tree that has come from nothing by this.
    fn from(whole: HierarchyDelta) -> Self {
        Self::default().merge(whole)
    }
}

impl FolderTree {
    /// The tree after a delta.
    pub(crate) fn merge(&self, delta: HierarchyDelta) -> Self {
        let mut folders = self.folders.clone();
        for gone in &delta.removed {
            folders.remove(gone);
        }
        folders.extend(delta.changed.into_iter().map(|folder| (folder.id, folder)));
        let mut children: HashMap<Option<FolderId>, Vec<FolderId>> = HashMap::new();
        for folder in folders.values() {
            // A folder may be visible in one that is not: it then stands at the top.
            let parent = folder.parent.filter(|parent| folders.contains_key(parent));
            children.entry(parent).or_default().push(folder.id);
        }
        for siblings in children.values_mut() {
            siblings
                .sort_by_cached_key(|id| folders.get(id).map(|folder| folder.name.to_lowercase()));
        }
        Self {
            version: delta.to,
            folders,
            children,
        }
    }

    /// The snapshot's place in the tree's change log.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How many folders are visible.
    pub fn len(&self) -> usize {
        self.folders.len()
    }

    /// Whether no folder is visible.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty()
    }

    /// A folder.
    pub fn get(&self, folder: FolderId) -> Option<&FolderInfo> {
        self.folders.get(&folder)
    }

    /// Every folder, by id.
    pub fn iter(&self) -> impl Iterator<Item = &FolderInfo> {
        self.folders.values()
    }

    /// The folders in one, or at the top, by name without case.
    pub fn children(&self, parent: Option<FolderId>) -> impl Iterator<Item = &FolderInfo> {
        self.children
            .get(&parent)
            .into_iter()
            .flatten()
            .filter_map(|id| self.folders.get(id))
    }

    /// The folder of that name in one, or at the top; names are compared without case.
    pub fn child(&self, parent: Option<FolderId>, name: &str) -> Option<&FolderInfo> {
        let name = name.to_lowercase();
        self.children(parent)
            .find(|folder| folder.name.to_lowercase() == name)
    }

    /// The folder a folder is in, if that is visible.
    pub fn parent(&self, folder: FolderId) -> Option<&FolderInfo> {
        self.get(self.get(folder)?.parent?)
    }

    /// The special folder for a purpose.
    pub fn role(&self, role: Role) -> Option<&FolderInfo> {
        self.folders
            .values()
            .find(|folder| folder.role == Some(role))
    }

    /// The names from the top down to a folder; empty when there is no such folder.
    pub fn path(&self, folder: FolderId) -> Vec<&str> {
        let mut names = Vec::new();
        let mut at = self.get(folder);
        while let Some(folder) = at {
            names.push(folder.name.as_str());
            // A store that reports a cycle must not hang us.
            if names.len() > self.folders.len() {
                break;
            }
            at = self.parent(folder.id);
        }
        names.reverse();
        names
    }
}

#[cfg(test)]
mod tests {
    use mapi_store::Rights;
    use mapi_types::{Epoch, ItemNumber};

    use super::*;

    fn folder(id: u64, parent: Option<u64>, name: &str) -> FolderInfo {
        FolderInfo {
            id: FolderId(id),
            parent: parent.map(FolderId),
            name: name.into(),
            class: "IPF.Note".into(),
            role: None,
            hidden: false,
            rights: Rights::ALL,
            epoch: Epoch(1),
            next_number: ItemNumber(1),
            version: Version(0),
            items: 0,
            unread: 0,
            deleted: 0,
            size: 0,
        }
    }

    fn delta(changed: Vec<FolderInfo>, removed: &[u64]) -> HierarchyDelta {
        let removed = removed.iter().map(|id| FolderId(*id)).collect();
        HierarchyDelta {
            to: Version(7),
            changed,
            removed,
        }
    }

    #[test]
    fn folders_are_found_by_path_and_sorted_by_name_without_case() {
        let tree = FolderTree::default().merge(delta(
            vec![
                folder(1, None, "beta"),
                folder(2, None, "Alpha"),
                folder(3, Some(1), "x/y"),
            ],
            &[],
        ));
        let top: Vec<_> = tree
            .children(None)
            .map(|folder| folder.name.as_str())
            .collect();
        assert_eq!(top, ["Alpha", "beta"]);
        assert_eq!(tree.path(FolderId(3)), ["beta", "x/y"]);
        assert_eq!(
            tree.child(None, "ALPHA").map(|folder| folder.id),
            Some(FolderId(2))
        );
        assert_eq!(tree.path(FolderId(9)), [""; 0]);
    }

    #[test]
    fn a_folder_in_an_invisible_one_stands_at_the_top() {
        let tree = FolderTree::default()
            .merge(delta(
                vec![folder(1, None, "a"), folder(2, Some(1), "b")],
                &[],
            ))
            .merge(delta(vec![], &[1]));
        assert_eq!(
            tree.children(None)
                .map(|folder| folder.id)
                .collect::<Vec<_>>(),
            [FolderId(2)]
        );
        assert_eq!(tree.path(FolderId(2)), ["b"]);
    }

    #[test]
    fn a_cycle_ends() {
        let tree = FolderTree::default().merge(delta(
            vec![folder(1, Some(2), "a"), folder(2, Some(1), "b")],
            &[],
        ));
        assert!(tree.path(FolderId(1)).len() <= 3);
    }
}
