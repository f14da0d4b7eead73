//! The folder tree.

use std::{collections::HashSet, sync::Arc};

use mapi_types::{FolderId, Version};

use super::mailbox::{Mailbox, fails, mail_folder, special};
use crate::{Backend, ErrorKind, FOLDER_NAME_BYTES_MAX, FolderInfo, HierarchyDelta, Role};

/// A new mailbox has a folder for every role, found by role; that for mail put away may come later.
pub async fn a_new_mailbox_has_its_special_folders(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tree = alice.store.hierarchy(Version(0)).await.unwrap();
    assert!(tree.removed.is_empty());
    for role in Role::ALL {
        let found: Vec<_> = tree
            .changed
            .iter()
            .filter(|folder| folder.role == Some(role))
            .collect();
        let folder = match found.as_slice() {
            [folder] => folder,
            [] if role == Role::Archive => continue,
            _ => panic!("{role:?}: {found:?}"),
        };
        assert_eq!(folder.class, role.defaults().1);
        assert_eq!(
            (folder.parent, folder.items, folder.hidden),
            (None, 0, false)
        );
    }
}

/// A folder is made as it was asked for.
pub async fn a_folder_is_made_below_another(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let top = alice
        .store
        .create_folder(&mail_folder(None, "Projekte / Kö & Co."))
        .await
        .unwrap();
    assert_eq!(
        (top.name.as_str(), top.parent),
        ("Projekte / Kö & Co.", None)
    );
    let below = mail_folder(Some(top.id), "2026");
    let below = alice.store.create_folder(&below).await.unwrap();
    assert_eq!(below.parent, Some(top.id));
    assert_eq!(
        (below.class.as_str(), below.role, below.items),
        ("IPF.Note", None, 0)
    );
    assert_eq!(alice.store.folder(below.id).await.unwrap(), below);
    // The same name elsewhere is another folder.
    let other = mail_folder(Some(alice.inbox), "2026");
    assert_ne!(
        alice.store.create_folder(&other).await.unwrap().id,
        below.id
    );
}

/// Names are of bounded length and without control characters.
pub async fn invalid_names_are_refused(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("good").await;
    let long = "n".repeat(FOLDER_NAME_BYTES_MAX + 1);
    let umlauts = "ü".repeat(128);
    for name in [
        "",
        "a\0b",
        "a\r\nb",
        "\u{7f}",
        "\u{85}",
        long.as_str(),
        umlauts.as_str(),
    ] {
        let made = alice.store.create_folder(&mail_folder(None, name)).await;
        fails(made, ErrorKind::Invalid);
        fails(
            alice.store.move_folder(folder, None, name).await,
            ErrorKind::Invalid,
        );
    }
    let longest = "n".repeat(FOLDER_NAME_BYTES_MAX);
    alice
        .store
        .create_folder(&mail_folder(None, &longest))
        .await
        .unwrap();
}

/// Siblings differ in more than case.
pub async fn siblings_have_different_names(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("Ärger").await;
    let other = alice.make_folder("Other").await;
    for name in ["Ärger", "ärger", "ÄRGER", "INBOX"] {
        let made = alice.store.create_folder(&mail_folder(None, name)).await;
        fails(made, ErrorKind::Exists);
        if name != "INBOX" {
            fails(
                alice.store.move_folder(other, None, name).await,
                ErrorKind::Exists,
            );
        }
    }
    // A folder may change the case of its own name.
    alice
        .store
        .move_folder(folder, None, "äRGER")
        .await
        .unwrap();
    assert_eq!(alice.store.folder(folder).await.unwrap().name, "äRGER");
    let below = mail_folder(Some(folder), "Other");
    alice.store.create_folder(&below).await.unwrap();
    fails(
        alice.store.move_folder(other, Some(folder), "other").await,
        ErrorKind::Exists,
    );
}

/// A renamed folder keeps its id, epoch, numbers and items.
pub async fn a_renamed_folder_keeps_its_items(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("old").await;
    let below = alice
        .store
        .create_folder(&mail_folder(Some(folder), "below"))
        .await
        .unwrap();
    alice.save_draft(folder, super::mailbox::draft("a")).await;
    let before = alice.store.folder(folder).await.unwrap();
    alice
        .store
        .move_folder(folder, Some(alice.inbox), "new")
        .await
        .unwrap();
    let after = alice.store.folder(folder).await.unwrap();
    let expected = FolderInfo {
        name: "new".into(),
        parent: Some(alice.inbox),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(
        alice.store.folder(below.id).await.unwrap().parent,
        Some(folder)
    );
    alice.store.move_folder(folder, None, "new").await.unwrap();
    assert_eq!(alice.store.folder(folder).await.unwrap().parent, None);
}

/// A folder goes neither into itself nor into what is below it.
pub async fn a_folder_cannot_move_below_itself(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let top = alice.make_folder("top").await;
    let middle = alice
        .store
        .create_folder(&mail_folder(Some(top), "middle"))
        .await
        .unwrap()
        .id;
    let low = alice
        .store
        .create_folder(&mail_folder(Some(middle), "low"))
        .await
        .unwrap()
        .id;
    for target in [top, middle, low] {
        let moved = alice.store.move_folder(top, Some(target), "x").await;
        fails(moved, ErrorKind::Invalid);
    }
    fails(
        alice
            .store
            .move_folder(top, Some(FolderId(1 << 60)), "x")
            .await,
        ErrorKind::NotFound,
    );
    assert_eq!(alice.store.folder(top).await.unwrap().parent, None);
}

/// Special folders stay.
pub async fn special_folders_cannot_be_moved_or_deleted(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("folder").await;
    for special in all_special(&alice).await {
        let renamed = alice.store.move_folder(special.id, None, "renamed").await;
        fails(renamed, ErrorKind::Invalid);
        let moved = alice
            .store
            .move_folder(special.id, Some(folder), &special.name)
            .await;
        fails(moved, ErrorKind::Invalid);
        fails(
            alice.store.delete_folder(special.id).await,
            ErrorKind::Invalid,
        );
        assert_eq!(alice.store.folder(special.id).await.unwrap(), special);
    }
}

/// A deleted folder is gone with its items; one with subfolders is not deleted.
pub async fn a_folder_is_deleted_with_its_items(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let top = alice.make_folder("top").await;
    let below = alice
        .store
        .create_folder(&mail_folder(Some(top), "below"))
        .await
        .unwrap()
        .id;
    let saved = alice.save_draft(below, super::mailbox::draft("a")).await;
    fails(alice.store.delete_folder(top).await, ErrorKind::Invalid);
    alice.store.delete_folder(below).await.unwrap();
    fails(alice.store.folder(below).await, ErrorKind::NotFound);
    fails(
        alice.store.read_message(below, saved.number).await,
        ErrorKind::NotFound,
    );
    fails(alice.store.delete_folder(below).await, ErrorKind::NotFound);
    alice.store.delete_folder(top).await.unwrap();
}

/// A folder made again under the same name is another one: other id, other epoch.
pub async fn a_folder_made_again_has_another_epoch(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (mut epochs, mut ids) = (HashSet::new(), HashSet::new());
    for _ in 0..5 {
        let folder = alice
            .store
            .create_folder(&mail_folder(None, "again"))
            .await
            .unwrap();
        assert_ne!(folder.epoch.0, 0);
        assert!(epochs.insert(folder.epoch), "an epoch came twice");
        assert!(ids.insert(folder.id), "an id came twice");
        alice
            .save_draft(folder.id, super::mailbox::draft("a"))
            .await;
        alice.store.delete_folder(folder.id).await.unwrap();
    }
    for special in all_special(&alice).await {
        assert_ne!(special.epoch.0, 0);
    }
}

/// The log of the tree tells new, renamed, moved and deleted folders.
pub async fn hierarchy_changes_are_told(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let start = hierarchy(&alice, Version(0)).await.to;
    let (a, b) = (alice.make_folder("a").await, alice.make_folder("b").await);
    let made = hierarchy(&alice, start).await;
    assert_eq!(ids(&made), HashSet::from([a, b]));
    assert!(made.to > start && made.removed.is_empty());
    alice.store.move_folder(a, Some(b), "c").await.unwrap();
    let moved = hierarchy(&alice, made.to).await;
    assert_eq!(ids(&moved), HashSet::from([a]));
    assert_eq!(
        (moved.changed[0].name.as_str(), moved.changed[0].parent),
        ("c", Some(b))
    );
    alice.store.delete_folder(a).await.unwrap();
    let deleted = hierarchy(&alice, moved.to).await;
    assert_eq!((ids(&deleted), deleted.removed), (HashSet::new(), vec![a]));
    let all = hierarchy(&alice, start).await;
    assert_eq!((ids(&all), all.to), (HashSet::from([b]), deleted.to));
    assert_eq!(all.removed, [a]);
}

/// A refused change, and one that changes nothing, leave the log where it is.
pub async fn nothing_changed_is_no_hierarchy_change(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("folder").await;
    let before = hierarchy(&alice, Version(0)).await.to;
    alice
        .store
        .move_folder(folder, None, "folder")
        .await
        .unwrap();
    fails(
        alice.store.move_folder(folder, None, "").await,
        ErrorKind::Invalid,
    );
    fails(
        alice
            .store
            .create_folder(&mail_folder(None, "Folder"))
            .await,
        ErrorKind::Exists,
    );
    let after = hierarchy(&alice, before).await;
    assert_eq!((ids(&after), after.to), (HashSet::new(), before));
    assert!(after.removed.is_empty());
}

/// Mail that comes and goes is no change of the tree, but its counts are as of now.
pub async fn counts_alone_are_no_hierarchy_change(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let before = hierarchy(&alice, Version(0)).await.to;
    alice.save("a").await;
    assert_eq!(ids(&hierarchy(&alice, before).await), HashSet::new());
    let inbox = special(&*alice.store, Role::Inbox).await;
    assert_eq!(inbox, alice.info().await);
    assert_eq!(inbox.items, 1);
}

/// A place that the log has not reached makes no sense.
pub async fn a_future_hierarchy_version_is_invalid(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let to = hierarchy(&alice, Version(0)).await.to;
    fails(
        alice.store.hierarchy(Version(to.0 + 1)).await,
        ErrorKind::Invalid,
    );
}

async fn all_special(alice: &Mailbox) -> Vec<FolderInfo> {
    let tree = hierarchy(alice, Version(0)).await;
    let special = tree.changed.into_iter();
    let special: Vec<_> = special.filter(|folder| folder.role.is_some()).collect();
    assert!(special.len() >= Role::ALL.len() - 1);
    special
}

async fn hierarchy(alice: &Mailbox, since: Version) -> HierarchyDelta {
    alice.store.hierarchy(since).await.unwrap()
}

fn ids(delta: &HierarchyDelta) -> HashSet<FolderId> {
    delta.changed.iter().map(|folder| folder.id).collect()
}
