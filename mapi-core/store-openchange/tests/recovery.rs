//! What was deleted, over the whole data folder: purging in time, giving back its room, backups.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod kit;

use std::time::{Duration, SystemTime};

use kit::{Folder, alice, draft, inbox, logon, provisioned, save, small_segments};
use mapi_store::{Backend, Deletion, NewFolder, Store};
use mapi_types::{FileTime, FolderId, ItemNumber};
use store_openchange::{Options, Purged};

const HOUR: Duration = Duration::from_secs(3600);

fn hour_ago() -> FileTime {
    FileTime::from(SystemTime::now() - HOUR)
}

fn in_an_hour() -> FileTime {
    FileTime::from(SystemTime::now() + HOUR)
}

/// A folder with items, some deleted, and a deleted folder with items.
async fn furnish(store: &dyn Store, items: u32) -> FolderId {
    let inbox = inbox(store).await;
    let new = NewFolder {
        parent: None,
        name: "Old".into(),
        class: "IPF.Note".into(),
    };
    let old = store.create_folder(&new).await.unwrap().id;
    for i in 0..items {
        save(store, inbox, &format!("item {i}"), 5_000).await;
        save(store, old, &format!("old {i}"), 5_000).await;
    }
    let gone: Vec<_> = (1..=items / 2).map(ItemNumber).collect();
    store.delete(inbox, &gone, Deletion::Soft).await.unwrap();
    store.delete_folder(old).await.unwrap();
    old
}

#[tokio::test]
async fn what_was_deleted_is_purged_when_its_time_has_come_and_its_room_given_back() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let backend = data.open();
        let store = provisioned(&backend).await;
        // More than one transaction purges.
        let old = furnish(&*store, 150).await;
        let inbox = inbox(&*store).await;
        let before = store.folder(inbox).await.unwrap();
        assert_eq!(backend.check().await.unwrap(), []);
        let kept = backend.purge_deleted(hour_ago()).await.unwrap();
        assert_eq!(kept, Purged::default());
        assert_eq!(store.deleted_folders().await.unwrap()[0].items, 150);
        let purged = backend.purge_deleted(in_an_hour()).await.unwrap();
        let prefix = "Return-Path: <>\r\n".len() as u64;
        let expected = Purged {
            items: 75 + 150,
            octets: (75 + 150) * (5_000 + prefix),
            unreadable: 0,
        };
        assert_eq!(purged, expected);
        assert_eq!(store.deleted_folders().await.unwrap(), []);
        let lost = store.recover(inbox, &[ItemNumber(1)], inbox).await;
        assert!(lost.unwrap().is_empty());
        assert!(store.recover(old, &[], inbox).await.is_err());
        // Clients hear nothing of it.
        assert_eq!(store.folder(inbox).await.unwrap(), before);
        let segments = data.segments().len();
        backend.compact().await.unwrap();
        let left = data.segments().len();
        assert!(left < segments || segments <= 1, "{left} of {segments}");
        assert_eq!(backend.check().await.unwrap(), []);
        drop((store, backend));
        assert_eq!(data.faults().await, []);
    }
}

#[tokio::test]
async fn a_restored_mailbox_can_recover_what_it_could_when_it_was_saved() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let store = provisioned(&backend).await;
    let old = furnish(&*store, 4).await;
    let inbox = inbox(&*store).await;
    let file = data.path().join("backup");
    backend.backup(&alice(), None, &file).await.unwrap();
    backend.purge_deleted(in_an_hour()).await.unwrap();
    backend.restore(&alice(), None, &file).await.unwrap();
    assert_eq!(backend.check().await.unwrap(), []);
    let store = logon(&backend).await;
    let all: Vec<_> = (1..=4).map(ItemNumber).collect();
    let recovered = store.recover(old, &all, inbox).await.unwrap();
    assert_eq!(recovered.len(), 4);
    let recovered = store.recover(inbox, &all, inbox).await.unwrap();
    assert_eq!(recovered.len(), 2);
    assert_eq!(store.folder(inbox).await.unwrap().items, 8);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_restored_mailbox_has_the_folders_that_were_deleted_since() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    let new = NewFolder {
        parent: None,
        name: "Kept".into(),
        class: "IPF.Note".into(),
    };
    // Items that are there, in one folder; in the other, none that was there when the backup was taken.
    let kept = store.create_folder(&new).await.unwrap().id;
    let emptied = NewFolder {
        name: "Emptied".into(),
        ..new
    };
    let emptied = store.create_folder(&emptied).await.unwrap().id;
    for i in 0..3 {
        save(&*store, kept, &format!("kept {i}"), 500).await;
        save(&*store, emptied, &format!("old {i}"), 500).await;
    }
    let file = data.path().join("backup");
    backend.backup(&alice(), None, &file).await.unwrap();
    let all: Vec<_> = (1..=3).map(ItemNumber).collect();
    store.delete(emptied, &all, Deletion::Hard).await.unwrap();
    save(&*store, emptied, "new", 500).await;
    store.delete_folder(kept).await.unwrap();
    store.delete_folder(emptied).await.unwrap();
    backend.restore(&alice(), None, &file).await.unwrap();
    assert_eq!(backend.check().await.unwrap(), []);
    let store = logon(&backend).await;
    assert_eq!(store.deleted_folders().await.unwrap(), []);
    for folder in [kept, emptied] {
        assert_eq!(store.folder(folder).await.unwrap().items, 3);
    }
    assert_eq!(store.folder(inbox).await.unwrap().items, 0);
}

#[tokio::test]
async fn a_folders_backup_has_nothing_of_deleted_folders() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let store = provisioned(&backend).await;
    furnish(&*store, 4).await;
    let inbox = inbox(&*store).await;
    let file = data.path().join("backup");
    backend.backup(&alice(), Some(inbox), &file).await.unwrap();
    backend.remove(&alice()).await.unwrap();
    let store = provisioned(&backend).await;
    let restored = backend.restore(&alice(), Some(inbox), &file).await;
    restored.unwrap();
    assert_eq!(store.deleted_folders().await.unwrap(), []);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_mailbox_that_is_written_to_is_swept_meanwhile() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let store = provisioned(&backend).await;
    furnish(&*store, 120).await;
    let inbox = inbox(&*store).await;
    let writing = async {
        for i in 0..100 {
            store
                .save(inbox, &[draft(&format!("new {i}"), 100)])
                .await
                .unwrap();
        }
    };
    let (purged, ()) = tokio::join!(backend.purge_deleted(in_an_hour()), writing);
    assert_eq!(purged.unwrap().items, 60 + 120);
    assert_eq!(store.folder(inbox).await.unwrap().items, 60 + 100);
    assert_eq!(backend.check().await.unwrap(), []);
}
