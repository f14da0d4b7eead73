//! What waits for the remote: done here at once, carried out there in order, under ids that come later.

use mapi_store::{Deletion, ErrorKind, Expected, Transfer};
use mapi_types::{
    BitChange, Change, Draft, FileTime, FolderId, ItemKey, ItemNumber, tags, tags::message_flags,
};
use store_openchange::{
    Begun, Given, HierarchyBatch, Mirror, Moved, Options, Pending, QueueOutcome, QueueTerms,
    QueuedTask,
};

use crate::{
    kit::{Folder, draft, small_segments},
    remote::{
        complete, furnished, id, item, items, key, mirror, original, remote_folder, running, seen,
        tree,
    },
};

fn terms() -> QueueTerms {
    QueueTerms {
        operations_max: 100,
        bytes_max: 1 << 20,
        user: "alice@example.test".to_owned(),
        now: FileTime(7),
    }
}

fn marked() -> Change {
    Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set: message_flags::READ,
            clear: 0,
        }],
        ..Change::default()
    }
}

fn any(item: u32) -> Vec<Expected> {
    vec![Expected {
        item: ItemNumber(item),
        version: None,
    }]
}

/// Begins a draft under a stand-in and puts it down. Returns its number.
async fn put(mirror: &Mirror, folder: FolderId, stand_in: &str) -> u32 {
    let pending = Pending {
        id: id(stand_in),
        change_key: None,
        draft: Draft {
            key: Some(ItemKey(stand_in.as_bytes().into())),
            ..draft(&format!("draft {stand_in}"), 3_000)
        },
    };
    let saved = mirror
        .queue_drafts(folder, &[pending.clone(), pending], terms())
        .await
        .unwrap();
    // A key that is given twice is one item.
    assert_eq!(saved[0].number, saved[1].number);
    assert_eq!((saved[0].existing, saved[1].existing), (false, true));
    saved[0].number.0
}

async fn transfer(
    mirror: &Mirror,
    (from, to): (FolderId, FolderId),
    (number, stand_in): (u32, &str),
    how: Transfer,
) -> u32 {
    let moved = Moved {
        number: ItemNumber(number),
        id: id(stand_in),
        change_key: None,
    };
    let done = mirror
        .queue_transfer(from, to, (vec![(moved, None)], how), terms())
        .await
        .unwrap();
    done[0].target.number.0
}

async fn remove(mirror: &Mirror, folder: FolderId, number: u32) {
    let what = (vec![ItemNumber(number)], Deletion::Hard);
    let gone = mirror.queue_removal(folder, what, terms()).await.unwrap();
    assert_eq!(gone, [ItemNumber(number)]);
}

/// The remote does whatever waits first: new items are called `remote of STAND-IN`.
async fn carry_out(mirror: &Mirror, name: &str) -> String {
    let next = mirror.queue_next().await.unwrap().unwrap();
    let told = next.items.iter().map(|item| {
        let id = item.id.as_ref();
        id.map_or("new".into(), |id| String::from_utf8_lossy(&id.0))
    });
    let told: Vec<_> = told.collect();
    let arrived = QueueOutcome::Arrived {
        id: id(name),
        change_key: Some(key("k2")),
    };
    let (kind, outcome) = match next.task {
        QueuedTask::Save(_) => ("save", arrived),
        QueuedTask::Update(_) => ("update", QueueOutcome::Passed),
        QueuedTask::Delete => ("delete", QueueOutcome::Passed),
        QueuedTask::Transfer(Transfer::Copy, _) => ("copy", arrived),
        QueuedTask::Transfer(Transfer::Move, _) => ("move", arrived),
    };
    let text = format!("{kind} {}", told.join(" "));
    mirror
        .queue_done(next.id, vec![(next.items[0].position, outcome)])
        .await
        .unwrap();
    text
}

async fn refuse(mirror: &Mirror) {
    let next = mirror.queue_next().await.unwrap().unwrap();
    let all = next.items.iter().map(|item| item.position).collect();
    mirror
        .queue_refused(next.id, all, "Quota".to_owned())
        .await
        .unwrap();
}

#[tokio::test]
async fn what_waits_is_here_at_once_and_gets_its_names_in_order() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let (_, _, inbox, other) = {
            let (backend, mirror, inbox, other) = furnished(&data).await;
            let number = put(&mirror, inbox, "p").await;
            mirror
                .queue_update(inbox, any(number), marked(), terms())
                .await
                .unwrap();
            let number = transfer(&mirror, (inbox, other), (number, "q"), Transfer::Move).await;
            transfer(&mirror, (other, inbox), (number, "r"), Transfer::Copy).await;
            assert_eq!(backend.check().await.unwrap(), []);
            (backend, mirror, inbox, other)
        };
        // It survives.
        let backend = data.open();
        let mirror = mirror(&backend).await;
        let store = mirror.store();
        let shown = seen(&*store, inbox).await;
        let status = mirror.queue_status().await.unwrap();
        assert_eq!((status.waiting, status.since), (4, Some(FileTime(7))));
        assert_eq!(mirror.status().await.unwrap().pending, 0);
        for (name, expected) in [
            ("P", "save new"),
            ("-", "update P"),
            ("Q", "move P"),
            ("R", "copy Q"),
        ] {
            assert_eq!(carry_out(&mirror, name).await, expected);
            assert_eq!(backend.check().await.unwrap(), []);
        }
        assert!(mirror.queue_next().await.unwrap().is_none());
        assert_eq!(seen(&*store, inbox).await, shown);
        let known = mirror.numbers(inbox, &[id("R")]).await.unwrap();
        assert_eq!(known, [Some(ItemNumber(2))]);
        let text = original(&*store, other, 1).await.unwrap();
        assert!(text.starts_with("draft p"));
        // The remote says the same.
        mirror
            .apply_items(other, items(vec![item("Q", "k2")]))
            .await
            .unwrap();
        assert_eq!(mirror.stale(other, 9).await.unwrap(), []);
    }
}

#[tokio::test]
async fn an_id_is_written_down_once() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, inbox, _) = furnished(&data).await;
    put(&mirror, inbox, "p").await;
    let given = |name: &str| Given {
        id: id(name),
        change_key: key(name),
    };
    let op = mirror.queue_next().await.unwrap().unwrap().id;
    for name in ["first", "second"] {
        mirror.queue_give(op, vec![(0, given(name))]).await.unwrap();
        let next = mirror.queue_next().await.unwrap().unwrap();
        assert_eq!(next.items[0].given, Some(given("first")));
    }
    assert_eq!(mirror.queue_tried(op).await.unwrap(), 1);
    assert_eq!(mirror.queue_tried(op).await.unwrap(), 2);
}

#[tokio::test]
async fn a_pass_over_all_items_leaves_what_the_remote_has_not_heard_of() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    mirror
        .apply_items(inbox, items(vec![item("gone", "k1")]))
        .await
        .unwrap();
    let number = put(&mirror, inbox, "p").await;
    mirror.drop_contents().await.unwrap();
    mirror.apply_items(inbox, complete(vec![])).await.unwrap();
    let store = mirror.store();
    assert_eq!(seen(&*store, inbox).await.len(), 1);
    let text = original(&*store, inbox, number).await.unwrap();
    assert!(text.starts_with("draft p"));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_arrives_while_a_pass_is_under_way_that_has_brought_it_stays() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    let batch = items(vec![item("a", "k1")]);
    mirror.apply_items(inbox, batch).await.unwrap();
    transfer(&mirror, (inbox, other), (1, "q"), Transfer::Move).await;
    put(&mirror, other, "p").await;
    mirror.restart(other).await.unwrap();
    // Attempts whose answers were lost had brought both.
    let brought = vec![item("Q", "k2"), item("P", "k2")];
    mirror.apply_items(other, running(brought)).await.unwrap();
    for name in ["Q", "P"] {
        carry_out(&mirror, name).await;
    }
    mirror.apply_items(other, complete(vec![])).await.unwrap();
    let shown = seen(&*mirror.store(), other).await;
    let numbers: Vec<_> = shown.iter().map(|item| item.number).collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn tries_are_counted_anew_when_some_of_an_operation_is_done() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, inbox, _) = furnished(&data).await;
    let both = items(vec![item("a", "k1"), item("b", "k1")]);
    mirror.apply_items(inbox, both).await.unwrap();
    let both = [any(1), any(2)].concat();
    let marked = mirror.queue_update(inbox, both, marked(), terms());
    marked.await.unwrap();
    let op = mirror.queue_next().await.unwrap().unwrap().id;
    assert_eq!(mirror.queue_tried(op).await.unwrap(), 1);
    let first = vec![(0, QueueOutcome::Passed)];
    mirror.queue_done(op, first).await.unwrap();
    assert_eq!(mirror.queue_tried(op).await.unwrap(), 1);
}

#[tokio::test]
async fn an_operation_that_is_set_aside_is_listed_and_comes_again_when_asked_for() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, inbox, _) = furnished(&data).await;
    let batch = items(vec![item("a", "k1")]);
    mirror.apply_items(inbox, batch).await.unwrap();
    remove(&mirror, inbox, 1).await;
    put(&mirror, inbox, "p").await;
    let reason = || "Corrupt".to_owned();
    mirror.queue_set_aside(reason()).await.unwrap();
    assert_eq!(carry_out(&mirror, "P").await, "save new");
    let status = mirror.queue_status().await.unwrap();
    assert_eq!((status.waiting, status.refused.len()), (0, 1));
    assert_eq!(status.refused[0].reason, "Corrupt");
    assert_eq!(mirror.queue_retry().await.unwrap(), 1);
    assert_eq!(carry_out(&mirror, "-").await, "delete a");
    mirror.queue_set_aside(reason()).await.unwrap();
}

#[tokio::test]
async fn a_refused_move_goes_back_and_what_followed_it_is_done_there() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    mirror
        .apply_items(inbox, items(vec![item("a", "k1"), item("b", "k1")]))
        .await
        .unwrap();
    let first = transfer(&mirror, (inbox, other), (1, "p"), Transfer::Move).await;
    mirror
        .queue_update(other, any(first), marked(), terms())
        .await
        .unwrap();
    let second = transfer(&mirror, (inbox, other), (2, "q"), Transfer::Move).await;
    remove(&mirror, other, second).await;
    refuse(&mirror).await;
    assert_eq!(carry_out(&mirror, "-").await, "update a");
    refuse(&mirror).await;
    // It was deleted from where it was moved to.
    assert_eq!(carry_out(&mirror, "-").await, "delete b");
    let known = mirror.numbers(inbox, &[id("a"), id("b")]).await.unwrap();
    assert_eq!(known, [Some(ItemNumber(3)), None]);
    assert_eq!(seen(&*mirror.store(), other).await, []);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn of_a_refused_copy_the_source_is_not_deleted() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    mirror
        .apply_items(inbox, items(vec![item("a", "k1")]))
        .await
        .unwrap();
    let copy = transfer(&mirror, (inbox, other), (1, "p"), Transfer::Copy).await;
    remove(&mirror, inbox, 1).await;
    mirror
        .queue_update(other, any(copy), marked(), terms())
        .await
        .unwrap();
    refuse(&mirror).await;
    assert!(mirror.queue_next().await.unwrap().is_none());
    assert_eq!(seen(&*mirror.store(), other).await, []);
    // The folder is read anew, and so it is found again.
    assert_eq!(mirror.folder_sync(inbox).await.unwrap().state, None);
    mirror
        .apply_items(inbox, complete(vec![item("a", "k1")]))
        .await
        .unwrap();
    assert_eq!(seen(&*mirror.store(), inbox).await.len(), 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_refused_message_is_where_its_owner_put_it_until_it_is_deleted() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    let number = put(&mirror, inbox, "p").await;
    // As clients move that know no better.
    let copy = transfer(&mirror, (inbox, other), (number, "q"), Transfer::Copy).await;
    remove(&mirror, inbox, number).await;
    transfer(&mirror, (other, inbox), (copy, "r"), Transfer::Copy).await;
    refuse(&mirror).await;
    assert_eq!(backend.check().await.unwrap(), []);
    let status = mirror.queue_status().await.unwrap();
    assert_eq!((status.waiting, status.refused.len()), (0, 1));
    assert_eq!(status.refused[0].folder, other);
    assert_eq!(seen(&*mirror.store(), inbox).await, []);
    let drafts = mirror.queue_refused_drafts().await.unwrap();
    assert_eq!(drafts.len(), 1);
    // It can be marked, which its upload says, but not copied.
    mirror
        .queue_update(other, any(copy), marked(), terms())
        .await
        .unwrap();
    let moved = Moved {
        number: ItemNumber(copy),
        id: id("s"),
        change_key: None,
    };
    let refused = mirror
        .queue_transfer(other, inbox, (vec![(moved, None)], Transfer::Copy), terms())
        .await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(mirror.queue_retry().await.unwrap(), 1);
    let next = mirror.queue_next().await.unwrap().unwrap();
    let QueuedTask::Save(draft) = next.task else {
        panic!("{next:?}")
    };
    let flags = draft.draft.message.tree.props.get(&tags::MESSAGE_FLAGS);
    assert_eq!(flags, Some(message_flags::READ));
    refuse(&mirror).await;
    remove(&mirror, other, copy).await;
    assert_eq!(mirror.queue_status().await.unwrap(), Default::default());
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_message_whose_folder_is_gone_is_put_elsewhere() {
    for gone_here in [false, true] {
        let data = Folder::new(Options::default());
        let (backend, mirror, inbox, other) = furnished(&data).await;
        put(&mirror, other, "p").await;
        if gone_here {
            let mut batch = tree(vec![remote_folder("Inbox", None)]);
            batch = HierarchyBatch {
                removed: vec![id("Other")],
                ..batch
            };
            mirror.apply_hierarchy(batch).await.unwrap();
            assert_eq!(backend.check().await.unwrap(), []);
        }
        let op = mirror.queue_next().await.unwrap().unwrap().id;
        mirror.queue_rehomed(op, inbox).await.unwrap();
        assert_eq!(carry_out(&mirror, "P").await, "save new");
        let text = original(&*mirror.store(), inbox, 1).await.unwrap();
        assert!(text.starts_with("draft p"));
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_is_gone_at_the_remote_goes_with_all_that_was_made_of_it() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    mirror
        .apply_items(inbox, items(vec![item("a", "k1")]))
        .await
        .unwrap();
    let moved = transfer(&mirror, (inbox, other), (1, "p"), Transfer::Move).await;
    transfer(&mirror, (other, inbox), (moved, "q"), Transfer::Copy).await;
    let op = mirror.queue_next().await.unwrap().unwrap().id;
    mirror
        .queue_done(op, vec![(0, QueueOutcome::Gone)])
        .await
        .unwrap();
    assert!(mirror.queue_next().await.unwrap().is_none());
    for folder in [inbox, other] {
        assert_eq!(seen(&*mirror.store(), folder).await, []);
    }
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_queue_has_bounds_and_takes_only_what_can_wait() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    put(&mirror, inbox, "p").await;
    let full = [
        QueueTerms {
            operations_max: 1,
            ..terms()
        },
        QueueTerms {
            bytes_max: 5_000,
            ..terms()
        },
    ];
    for terms in full {
        let pending = Pending {
            id: id("q"),
            change_key: None,
            draft: draft("more", 3_000),
        };
        let refused = mirror.queue_drafts(inbox, &[pending], terms).await;
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Unavailable);
    }
    // Nothing is left of what had no room.
    assert_eq!(mirror.status().await.unwrap().pending, 0);
    let change = Change {
        delete: vec![tags::SUBJECT.tag()],
        ..Change::default()
    };
    let refused = mirror.queue_update(inbox, any(1), change, terms()).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unsupported);
    assert_eq!(seen(&*mirror.store(), inbox).await.len(), 1);
    assert_eq!(mirror.queue_status().await.unwrap().waiting, 1);
    assert_eq!(backend.check().await.unwrap(), []);
    mirror.reset().await.unwrap();
    assert_eq!(mirror.queue_status().await.unwrap(), Default::default());
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_draft_whose_upload_may_have_got_there_waits_under_its_own_id() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    let pending = Pending {
        id: id("a"),
        change_key: Some(key("k1")),
        draft: draft("draft a", 3_000),
    };
    let begun = mirror.begin_save(inbox, &[pending]).await.unwrap();
    assert_eq!(begun, [Begun::Upload(id("a"))]);
    let saved = mirror.queue_begun(inbox, begun, terms()).await.unwrap();
    let next = mirror.queue_next().await.unwrap().unwrap();
    let given = next.items[0].given.clone().unwrap();
    assert_eq!((given.id, given.change_key), (id("a"), key("k1")));
    // What the remote says of it before makes no second item of it.
    mirror
        .apply_items(inbox, items(vec![item("a", "k1")]))
        .await
        .unwrap();
    assert_eq!(carry_out(&mirror, "a").await, "save new");
    let known = mirror.numbers(inbox, &[id("a")]).await.unwrap();
    assert_eq!(known, [Some(saved[0].number)]);
    assert_eq!(seen(&*mirror.store(), inbox).await.len(), 1);
    assert_eq!(backend.check().await.unwrap(), []);
}
