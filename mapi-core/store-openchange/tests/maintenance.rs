//! Checking, compacting, backing up, restoring.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod kit;

use std::fs;

use kit::{
    Folder, alice, draft, folder, inbox, logon, provisioned, save, small_segments, subjects, text,
};
use mapi_store::{Backend, Changes, Deletion, ErrorKind, NewFolder, Object, Role, Store};
use mapi_types::{
    BitChange, Change, FolderId, ItemNumber, OwnedValue, Version,
    tags::{self, message_flags},
};
use store_openchange::{FaultKind, Options};

/// A mailbox with a bit of everything.
async fn furnish(store: &dyn Store) -> FolderId {
    let inbox = inbox(store).await;
    for i in 0..6 {
        save(store, inbox, &format!("item {i}"), 2_000).await;
    }
    store
        .delete(inbox, &[ItemNumber(2)], Deletion::Hard)
        .await
        .unwrap();
    store
        .delete(inbox, &[ItemNumber(3)], Deletion::Soft)
        .await
        .unwrap();
    let read = BitChange {
        tag: tags::MESSAGE_FLAGS.tag(),
        set: message_flags::READ,
        clear: 0,
    };
    let seen = mapi_store::Expected {
        item: ItemNumber(4),
        version: None,
    };
    store
        .update(
            inbox,
            &[seen],
            &Change {
                bits: vec![read],
                ..Change::default()
            },
        )
        .await
        .unwrap();
    let subject = vec![(tags::SUBJECT.tag(), OwnedValue::Str("edited".into()))];
    let edit = mapi_store::Expected {
        item: ItemNumber(5),
        version: None,
    };
    store
        .update(
            inbox,
            &[edit],
            &Change {
                set: subject,
                ..Change::default()
            },
        )
        .await
        .unwrap();
    let new = NewFolder {
        parent: Some(inbox),
        name: "Below".into(),
        class: "IPF.Note".into(),
    };
    let below = store.create_folder(&new).await.unwrap().id;
    save(store, below, "deep", 30_000).await;
    inbox
}

#[tokio::test]
async fn a_sound_store_has_no_fault() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let backend = data.open();
        let store = provisioned(&backend).await;
        furnish(&*store).await;
        assert_eq!(backend.check().await.unwrap(), []);
        drop((store, backend));
        assert_eq!(data.faults().await, []);
    }
}

/// Statements that spoil a mailbox, and what a check finds then.
const PLANTED: &[(&str, &[FaultKind])] = &[
    (
        "UPDATE folders SET items = items + 1 WHERE id = 1",
        &[FaultKind::Counts],
    ),
    (
        "UPDATE folders SET size = 0 WHERE id = 1",
        &[FaultKind::Counts],
    ),
    (
        "DELETE FROM expunged WHERE number = 2",
        &[FaultKind::Counts],
    ),
    (
        "UPDATE folders SET next_number = 4 WHERE id = 1",
        &[FaultKind::Numbers],
    ),
    (
        "UPDATE folders SET version = 3 WHERE id = 1",
        &[FaultKind::Numbers],
    ),
    (
        "UPDATE folders SET epoch = (SELECT min(epoch) FROM folders) WHERE id = 2",
        &[FaultKind::Numbers],
    ),
    ("UPDATE mailbox SET next_folder = 3", &[FaultKind::Numbers]),
    (
        "UPDATE folders SET parent = 99 WHERE id = 13",
        &[FaultKind::Tree],
    ),
    (
        "UPDATE folders SET parent = 13 WHERE id IN (1, 13)",
        &[FaultKind::Tree],
    ),
    ("DELETE FROM folders WHERE id = 8", &[FaultKind::Tree]),
    (
        "DELETE FROM contents WHERE id & 0xffffffff = 4",
        &[FaultKind::Rows],
    ),
    (
        "INSERT INTO facts VALUES (1 << 32 | 500, 1, x'', x'')",
        &[FaultKind::Rows],
    ),
    (
        "UPDATE items SET folder = 2 WHERE id = (1 << 32 | 4)",
        &[FaultKind::Numbers, FaultKind::Counts, FaultKind::Rows],
    ),
    (
        "UPDATE contents SET props = x'0102ff' WHERE id = (1 << 32 | 4)",
        &[FaultKind::Properties],
    ),
    (
        "UPDATE contents SET hash = zeroblob(32) WHERE id = (1 << 32 | 4)",
        &[FaultKind::Content],
    ),
    (
        "UPDATE mailbox SET id = 'bob@example.test'",
        &[FaultKind::Rows],
    ),
];

#[tokio::test]
async fn planted_faults_are_named() {
    for (statement, expected) in PLANTED {
        let data = Folder::new(small_segments());
        {
            let backend = data.open();
            let store = provisioned(&backend).await;
            furnish(&*store).await;
        }
        data.sql(statement);
        let mut found = data.faults().await;
        found.dedup();
        assert_eq!(found, *expected, "{statement}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let data = Folder::new(small_segments());
    provisioned(&data.open()).await;
    fs::write(
        data.path().join("mailboxes/alice@example.test.sqlite"),
        "x".repeat(9_000),
    )
    .unwrap();
    assert_eq!(data.faults().await, [FaultKind::Unreadable]);
}

#[tokio::test]
async fn compacting_frees_what_nobody_refers_to_and_keeps_the_rest() {
    let data = Folder::new(small_segments());
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    for i in 0..60 {
        save(&*store, inbox, &format!("item {i:02}"), 3_000).await;
    }
    let gone: Vec<ItemNumber> = (1..=60).filter(|i| i % 10 != 0).map(ItemNumber).collect();
    store.delete(inbox, &gone, Deletion::Hard).await.unwrap();
    let before = data.segments().len();
    let compacted = backend.compact().await.unwrap();
    assert!(
        compacted.segments > 5 && data.segments().len() < before,
        "{compacted:?}"
    );
    for i in (10..=60).step_by(10) {
        assert_eq!(
            text(&*store, inbox, ItemNumber(i), 7).await,
            format!("item {:02}", i - 1)
        );
    }
    // The segment that was being written is full of holes too, and may be full by now.
    backend.compact().await.unwrap();
    assert_eq!(backend.compact().await.unwrap().segments, 0);
    // A content that went can come back.
    let again = save(&*store, inbox, "item 00", 3_000).await;
    assert_eq!(text(&*store, inbox, again.number, 7).await, "item 00");
    assert_eq!(backend.check().await.unwrap(), []);
    drop((store, backend));
    assert_eq!(data.faults().await, []);
}

#[tokio::test]
async fn compacting_while_mail_arrives_loses_nothing() {
    let data = Folder::new(small_segments());
    let backend = std::sync::Arc::new(data.open());
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    let writer = tokio::spawn({
        let store = std::sync::Arc::clone(&store);
        async move {
            for i in 0..150 {
                // The same few contents again and again: most saves find theirs stored already.
                let saved = save(&*store, inbox, &format!("content {}", i % 7), 4_000).await;
                if i % 3 != 0 {
                    store
                        .delete(inbox, &[saved.number], Deletion::Hard)
                        .await
                        .unwrap();
                }
            }
        }
    });
    while !writer.is_finished() {
        backend.compact().await.unwrap();
    }
    writer.await.unwrap();
    assert_eq!(backend.check().await.unwrap(), []);
    for (number, subject) in subjects(&*store, inbox).await {
        assert_eq!(
            text(&*store, inbox, ItemNumber(number), subject.len()).await,
            subject
        );
    }
}

#[tokio::test]
async fn a_mailbox_comes_back_from_its_backup_elsewhere() {
    for options in [Options::default(), small_segments()] {
        let (source, target) = (Folder::new(options.clone()), Folder::new(options));
        let file = source.path().join("backup");
        let (before, inbox_before) = {
            let backend = source.open();
            let store = provisioned(&backend).await;
            let inbox = furnish(&*store).await;
            backend.backup(&alice(), None, &file).await.unwrap();
            let refused = backend.backup(&alice(), None, &file).await;
            assert_eq!(refused.unwrap_err().kind, ErrorKind::Exists);
            (
                subjects(&*store, inbox).await,
                folder(&*store, Role::Inbox).await,
            )
        };
        let backend = target.open();
        backend.restore(&alice(), None, &file).await.unwrap();
        let store = logon(&backend).await;
        let after = folder(&*store, Role::Inbox).await;
        assert_eq!(subjects(&*store, after.id).await, before);
        assert_ne!(after.epoch, inbox_before.epoch);
        assert_eq!(
            (after.items, after.unread, after.size),
            (inbox_before.items, inbox_before.unread, inbox_before.size)
        );
        assert_eq!(text(&*store, after.id, ItemNumber(1), 6).await, "item 0");
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn restoring_a_mailbox_undoes_what_happened_since() {
    let data = Folder::new(small_segments());
    let file = data.path().join("backup");
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = furnish(&*store).await;
    let (subjects_then, then) = (
        subjects(&*store, inbox).await,
        folder(&*store, Role::Inbox).await,
    );
    let tree = store.hierarchy(Version(0)).await.unwrap();
    backend.backup(&alice(), None, &file).await.unwrap();
    save(&*store, inbox, "since", 100).await;
    store
        .delete(inbox, &[ItemNumber(1)], Deletion::Hard)
        .await
        .unwrap();
    let new = NewFolder {
        parent: None,
        name: "Since".into(),
        class: "IPF.Note".into(),
    };
    let since = store.create_folder(&new).await.unwrap().id;
    let now = folder(&*store, Role::Inbox).await;
    backend.restore(&alice(), None, &file).await.unwrap();
    let restored = folder(&*store, Role::Inbox).await;
    assert_eq!(subjects(&*store, inbox).await, subjects_then);
    assert!(restored.epoch.0 > then.epoch.0);
    assert!(restored.next_number >= now.next_number && restored.version > now.version);
    let changes = store.changes(inbox, now.version, &[], 10).await.unwrap();
    assert!(matches!(changes, Changes::Expired));
    let delta = store.hierarchy(tree.to).await.unwrap();
    assert!(delta.removed.contains(&since));
    assert_eq!(delta.changed.len(), tree.changed.len());
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn one_folder_comes_back_with_what_is_below_it() {
    let data = Folder::new(small_segments());
    let file = data.path().join("backup");
    let backend = data.open();
    let store = provisioned(&backend).await;
    let new = NewFolder {
        parent: None,
        name: "Project".into(),
        class: "IPF.Note".into(),
    };
    let project = store.create_folder(&new).await.unwrap();
    let below = NewFolder {
        parent: Some(project.id),
        name: "Old".into(),
        class: "IPF.Note".into(),
    };
    let old = store.create_folder(&below).await.unwrap();
    save(&*store, project.id, "plan", 2_000).await;
    save(&*store, old.id, "draft of the plan", 2_000).await;
    let inbox = inbox(&*store).await;
    save(&*store, inbox, "stays out", 2_000).await;
    backend
        .backup(&alice(), Some(project.id), &file)
        .await
        .unwrap();
    store.delete_folder(old.id).await.unwrap();
    store.delete_folder(project.id).await.unwrap();
    save(&*store, inbox, "later", 2_000).await;
    backend
        .restore(&alice(), Some(project.id), &file)
        .await
        .unwrap();
    let back = store.folder(old.id).await.unwrap();
    assert_eq!((back.name.as_str(), back.parent), ("Old", Some(project.id)));
    assert!(back.epoch.0 > old.epoch.0);
    assert_eq!(
        subjects(&*store, project.id).await,
        [(1, "plan".to_owned())]
    );
    assert_eq!(text(&*store, old.id, ItemNumber(1), 5).await, "draft");
    assert_eq!(subjects(&*store, inbox).await.len(), 2);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_folder_of_a_former_life_becomes_a_new_folder() {
    let data = Folder::new(small_segments());
    let file = data.path().join("backup");
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox_then = furnish(&*store).await;
    let then = subjects(&*store, inbox_then).await;
    backend.backup(&alice(), None, &file).await.unwrap();
    backend.remove(&alice()).await.unwrap();
    let store = provisioned(&backend).await;
    let inbox_now = inbox(&*store).await;
    save(&*store, inbox_now, "new life", 100).await;
    backend
        .restore(&alice(), Some(inbox_then), &file)
        .await
        .unwrap();
    assert_eq!(subjects(&*store, inbox_now).await.len(), 1);
    let tree = store.hierarchy(Version(0)).await.unwrap();
    let restored = tree
        .changed
        .iter()
        .find(|folder| folder.name == "Inbox (restored)")
        .unwrap();
    assert_eq!(restored.role, None);
    assert_eq!(subjects(&*store, restored.id).await, then);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_no_backup_is_refused() {
    let data = Folder::new(small_segments());
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = furnish(&*store).await;
    let (no_backup, one_folder) = (data.path().join("no backup"), data.path().join("folder"));
    fs::write(&no_backup, "hello").unwrap();
    let refused = backend.restore(&alice(), None, &no_backup).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    backend
        .backup(&alice(), Some(inbox), &one_folder)
        .await
        .unwrap();
    let refused = backend.restore(&alice(), None, &one_folder).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Invalid);
    let refused = backend
        .restore(&alice(), Some(FolderId(999)), &one_folder)
        .await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn subscriptions_and_large_values_are_in_the_backup() {
    let data = Folder::new(Options::default());
    let file = data.path().join("backup");
    let backend = data.open();
    let store = provisioned(&backend).await;
    let inbox = inbox(&*store).await;
    let names = OwnedValue::strs(["Inbox", "Sent"]);
    let change = Change {
        set: vec![(tags::SUBSCRIPTIONS.tag(), names)],
        ..Change::default()
    };
    store.set_props(Object::Mailbox, &change).await.unwrap();
    let mut large = draft("large", 500);
    large.props = [(
        tags::BODY.tag(),
        OwnedValue::Str("long ".repeat(50_000).into()),
    )]
    .into_iter()
    .collect();
    let saved = store.save(inbox, &[large]).await.unwrap().remove(0);
    backend.backup(&alice(), None, &file).await.unwrap();
    backend.remove(&alice()).await.unwrap();
    // Nothing refers to the large value any more; the backup has it.
    backend.compact().await.unwrap();
    backend.restore(&alice(), None, &file).await.unwrap();
    let store = logon(&backend).await;
    let props = store
        .props(Object::Mailbox, &[tags::SUBSCRIPTIONS.tag()])
        .await
        .unwrap();
    assert_eq!(props.get(&tags::SUBSCRIPTIONS).unwrap().strs().count(), 2);
    let tree = store.read_message(inbox, saved.number).await.unwrap();
    assert_eq!(tree.props.get(&tags::BODY).unwrap().len(), 250_000);
}
