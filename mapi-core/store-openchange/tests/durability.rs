//! What is acknowledged is there after the store was closed, however it was closed.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod kit;

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::FileExt,
};

use kit::{Folder, alice, folder, inbox, logon, provisioned, save, small_segments, subjects, text};
use mapi_store::{Backend, ErrorKind, Role};
use mapi_types::{MailboxId, Version};
use store_openchange::{OpenChange, Options};

#[tokio::test]
async fn everything_is_there_after_closing_and_opening() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let (saved, before) = {
            let backend = data.open();
            let store = provisioned(&backend).await;
            let inbox = inbox(&*store).await;
            let saved = save(&*store, inbox, "first", 3_000).await;
            (saved, folder(&*store, Role::Inbox).await)
        };
        let backend = data.open();
        let store = logon(&backend).await;
        assert_eq!(folder(&*store, Role::Inbox).await, before);
        assert_eq!(text(&*store, before.id, saved.number, 5).await, "first");
        let next = save(&*store, before.id, "second", 100).await;
        assert_eq!(next.number, before.next_number);
    }
}

#[tokio::test]
async fn only_one_opens_a_data_folder_at_a_time() {
    let data = Folder::new(Options::default());
    let first = data.open();
    let second = OpenChange::open(data.path(), Options::default());
    assert_eq!(second.err().unwrap().kind, ErrorKind::Unavailable);
    drop(first);
    data.open();
}

#[tokio::test]
async fn a_torn_record_at_the_end_of_a_segment_is_cut_off() {
    let data = Folder::new(small_segments());
    let saved = {
        let backend = data.open();
        let store = provisioned(&backend).await;
        let inbox = inbox(&*store).await;
        save(&*store, inbox, "whole", 500).await
    };
    let segment = data.segments().pop().unwrap();
    let whole = fs::read(&segment).unwrap();
    // The same record again, as far as it got; and a stretch that was never written.
    for torn in [
        &whole[..10],
        &whole[..60],
        &whole[..whole.len() - 1],
        &[0; 300],
    ] {
        OpenOptions::new()
            .append(true)
            .open(&segment)
            .unwrap()
            .write_all(torn)
            .unwrap();
        let backend = data.open();
        let store = logon(&backend).await;
        let inbox = inbox(&*store).await;
        assert_eq!(fs::metadata(&segment).unwrap().len(), whole.len() as u64);
        assert_eq!(text(&*store, inbox, saved.number, 5).await, "whole");
    }
    let backend = data.open();
    let store = logon(&backend).await;
    let inbox = inbox(&*store).await;
    let next = save(&*store, inbox, "next", 500).await;
    assert_eq!(text(&*store, inbox, next.number, 4).await, "next");
    drop((store, backend));
    assert_eq!(data.faults().await, []);
}

#[tokio::test]
async fn a_damaged_record_costs_only_itself() {
    let data = Folder::new(small_segments());
    let (inbox, items) = {
        let backend = data.open();
        let store = provisioned(&backend).await;
        let inbox = inbox(&*store).await;
        let mut items = Vec::new();
        for name in ["one", "two", "three"] {
            items.push(save(&*store, inbox, name, 1_000).await.number);
        }
        (inbox, items)
    };
    let segment = data.segments().pop().unwrap();
    let file = OpenOptions::new().write(true).open(&segment).unwrap();
    file.write_all_at(b"damage", 1_500).unwrap();
    let backend = data.open();
    let store = logon(&backend).await;
    assert_eq!(text(&*store, inbox, items[0], 3).await, "one");
    assert_eq!(text(&*store, inbox, items[2], 5).await, "three");
    save(&*store, inbox, "four", 1_000).await;
    drop((store, backend));
    let mut faults = data.faults().await;
    faults.sort_by_key(|kind| *kind as u8);
    assert_eq!(
        faults,
        [
            store_openchange::FaultKind::Content,
            store_openchange::FaultKind::Segment
        ]
    );
}

#[tokio::test]
async fn a_lost_or_damaged_index_is_made_anew() {
    let data = Folder::new(small_segments());
    let mut items = Vec::new();
    let inbox = {
        let backend = data.open();
        let store = provisioned(&backend).await;
        let inbox = inbox(&*store).await;
        for i in 0..30 {
            items.push(
                save(&*store, inbox, &format!("item {i:02}"), 3_000)
                    .await
                    .number,
            );
        }
        inbox
    };
    assert!(data.segments().len() > 3);
    let index = data.path().join("segments/index.sqlite");
    for damage in [None, Some("no database at all".repeat(300))] {
        match damage {
            None => fs::remove_file(&index).unwrap(),
            Some(text) => fs::write(&index, text).unwrap(),
        }
        let backend = data.open();
        let store = logon(&backend).await;
        for (i, item) in items.iter().enumerate() {
            assert_eq!(text(&*store, inbox, *item, 7).await, format!("item {i:02}"));
        }
    }
    assert_eq!(data.faults().await, []);
}

#[tokio::test]
async fn one_body_for_many_mailboxes_is_stored_once() {
    let data = Folder::new(small_segments());
    let backend = data.open();
    for name in ["a", "b", "c", "d"] {
        let id = MailboxId(format!("{name}@example.test"));
        backend.provision(&id).await.unwrap();
        let store = backend
            .logon(&mapi_store::Principal { user: id.0.clone() }, &id)
            .await
            .unwrap();
        let inbox = inbox(&*store).await;
        save(&*store, inbox, "for all", 10_000).await;
    }
    let octets: u64 = data
        .segments()
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!((10_000..11_000).contains(&octets), "{octets}");
}

/// A copy of the files at any moment between two writes is a store that opens and has all that was acknowledged.
#[tokio::test]
async fn a_copy_taken_under_way_opens_and_has_what_was_acknowledged() {
    let data = Folder::new(small_segments());
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    for round in 1..=8 {
        save(&*store, inbox, &format!("round {round}"), 5_000).await;
        let copy = Folder::new(small_segments());
        copy_all(data.path(), copy.path());
        let reopened = copy.open();
        let store = logon(&reopened).await;
        let found = subjects(&*store, inbox).await;
        assert_eq!(found.len(), round);
        assert_eq!(reopened.check().await.unwrap(), []);
    }
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_all(&entry.path(), &target);
        } else if !entry.path().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_mailbox_made_again_has_later_epochs_and_none_of_the_old_items() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let store = provisioned(&backend).await;
    let before = folder(&*store, Role::Inbox).await;
    save(&*store, before.id, "old", 100).await;
    backend.remove(&kit::alice()).await.unwrap();
    assert_eq!(
        store.hierarchy(Version(0)).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    let store = provisioned(&backend).await;
    let after = folder(&*store, Role::Inbox).await;
    assert!(after.epoch.0 > before.epoch.0);
    assert_eq!(after.items, 0);
}

#[tokio::test]
async fn the_log_of_a_removed_mailbox_is_not_taken_for_that_of_the_next_one() {
    let data = Folder::new(Options::default());
    let log = data.path().join("mailboxes/alice@example.test.sqlite-wal");
    let left_behind = {
        let backend = data.open();
        let store = provisioned(&backend).await;
        save(&*store, inbox(&*store).await, "of the old mailbox", 100).await;
        fs::read(&log).unwrap()
    };
    // Power went while the mailbox was removed: its log is still there.
    data.open().remove(&alice()).await.unwrap();
    fs::write(&log, left_behind).unwrap();
    let backend = data.open();
    let store = provisioned(&backend).await;
    assert_eq!(folder(&*store, Role::Inbox).await.items, 0);
    assert!(backend.check().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_mailbox_of_a_newer_program_is_left_alone_and_named() {
    let data = Folder::new(Options::default());
    provisioned(&data.open()).await;
    data.sql("PRAGMA user_version = 77");
    let backend = data.open();
    let who = mapi_store::Principal {
        user: kit::alice().0,
    };
    let refused = backend.logon(&who, &kit::alice()).await;
    assert_eq!(refused.err().unwrap().kind, ErrorKind::Unsupported);
    let faults = backend.check().await.unwrap();
    assert_eq!(faults.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_made_opened_and_removed_by_many_at_once_are_whole_or_not_there() {
    let data = Folder::new(Options::default());
    let backend = std::sync::Arc::new(data.open());
    let mut tasks = Vec::new();
    for task in 0..6 {
        let backend = std::sync::Arc::clone(&backend);
        tasks.push(tokio::spawn(async move {
            let who = mapi_store::Principal {
                user: kit::alice().0,
            };
            for round in 0..15 {
                match (task + round) % 3 {
                    0 => drop(backend.provision(&kit::alice()).await),
                    1 => drop(backend.remove(&kit::alice()).await),
                    _ => {}
                }
                let Ok(store) = backend.logon(&who, &kit::alice()).await else {
                    continue;
                };
                let saved = store
                    .save(mapi_types::FolderId(1), &[kit::draft("text", 100)])
                    .await;
                assert!(
                    saved.is_ok() || saved.is_err_and(|error| error.kind == ErrorKind::NotFound)
                );
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(backend.check().await.unwrap(), []);
}
