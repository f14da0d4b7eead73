//! Folders by the paths that people write, such as `Inbox/Projects`.

use account::{FolderId, FolderInfo, FolderTree, Role};

/// The folder of a path, without regard to case; special ones also by their English names, whatever theirs are.
pub(crate) fn find<'t>(tree: &'t FolderTree, path: &str) -> Option<&'t FolderInfo> {
    let mut names = path.split('/');
    let first = names.next()?;
    let special = || {
        let mut roles = Role::ALL.into_iter();
        let role = roles.find(|role| role.defaults().0.eq_ignore_ascii_case(first))?;
        tree.role(role)
    };
    let at = tree.child(None, first).or_else(special)?;
    names.try_fold(at, |at, name| tree.child(Some(at.id), name))
}

/// The path of a folder; empty when the tree has no such folder.
pub(crate) fn of(tree: &FolderTree, folder: FolderId) -> String {
    tree.path(folder).join("/")
}

#[cfg(test)]
mod tests {
    use account::{Rights, Version};
    use mapi_store::HierarchyDelta;
    use mapi_types::{Epoch, ItemNumber};

    use super::*;

    fn folder(id: u64, parent: Option<u64>, name: &str, role: Option<Role>) -> FolderInfo {
        FolderInfo {
            id: FolderId(id),
            parent: parent.map(FolderId),
            name: name.to_owned(),
            class: "IPF.Note".to_owned(),
            role,
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

    #[test]
    fn folders_are_found_by_path_by_english_name_and_where_their_parents_are_hidden() {
        let tree = FolderTree::from(HierarchyDelta {
            to: Version(1),
            changed: vec![
                folder(1, None, "Posteingang", Some(Role::Inbox)),
                folder(2, Some(1), "Projects", None),
                folder(3, Some(9), "Shared", None),
            ],
            removed: Vec::new(),
        });
        for (path, expected) in [
            ("posteingang", Some(1)),
            ("INBOX", Some(1)),
            ("Inbox/projects", Some(2)),
            ("Shared", Some(3)),
            ("Projects", None),
            ("Inbox/", None),
            ("", None),
        ] {
            let found = find(&tree, path).map(|folder| folder.id.0);
            assert_eq!(found, expected, "{path}");
        }
        assert_eq!(of(&tree, FolderId(2)), "Posteingang/Projects");
        assert_eq!(of(&tree, FolderId(3)), "Shared");
        assert_eq!(of(&tree, FolderId(9)), "");
    }
}
