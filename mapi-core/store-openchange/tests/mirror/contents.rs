//! The index of a folder's items.

use mapi_store::{Changes, ErrorKind, Expected, Notice, Object};
use mapi_types::{
    BitChange, Change, FileTime, ItemNumber, OwnedValue,
    tags::{self, message_flags, message_status},
};
use store_openchange::{FirstPass, ItemBatch, Options, RemoteItem, Written};

use crate::{
    kit::Folder,
    remote::{
        complete, furnished, id, item, items, key, mirror, one_folder, remote_folder, running,
        seen, subjects, tree, version, with,
    },
};

fn at(text: &str, time: u64, number_hint: Option<u32>) -> RemoteItem {
    let item = with(
        item(text, "k"),
        tags::MESSAGE_DELIVERY_TIME.tag(),
        OwnedValue::Time(FileTime(time)),
    );
    RemoteItem {
        number_hint,
        ..item
    }
}

fn pairs(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    expected
        .iter()
        .map(|(number, text)| (*number, (*text).to_owned()))
        .collect()
}

/// Runs a first pass of these batches, with a restart after each, and compares.
async fn check_first_pass(batches: Vec<Vec<RemoteItem>>, expected: &[(u32, &str)]) {
    let data = Folder::new(Options::default());
    let folder = {
        let mirror = mirror(&data.open()).await;
        one_folder(&mirror).await
    };
    let last = batches.len() - 1;
    for (at, batch) in batches.into_iter().enumerate() {
        let mirror = mirror(&data.open()).await;
        let sync = mirror.folder_sync(folder).await.unwrap();
        assert!(sync.passing && !sync.indexed);
        assert_eq!(subjects(&mirror, folder).await, []);
        let state = Some(format!("{at}").into());
        let batch = if at == last {
            complete(batch)
        } else {
            running(batch)
        };
        let batch = ItemBatch { state, ..batch };
        mirror.apply_items(folder, batch).await.unwrap();
        let sync = mirror.folder_sync(folder).await.unwrap();
        assert_eq!(sync.state.as_deref(), Some(at.to_string().as_bytes()));
        assert_eq!((sync.indexed, sync.passing), (at == last, at != last));
    }
    let backend = data.open();
    let mirror = mirror(&backend).await;
    assert_eq!(subjects(&mirror, folder).await, pairs(expected));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn numbers_ascend_by_arrival_although_the_newest_came_first() {
    check_first_pass(
        vec![
            vec![at("d", 40, None), at("c", 30, None)],
            vec![at("b", 20, None)],
            vec![at("a", 10, None)],
        ],
        &[(1, "a"), (2, "b"), (3, "c"), (4, "d")],
    )
    .await;
}

#[tokio::test]
async fn number_hints_are_the_numbers_when_every_item_has_its_own() {
    check_first_pass(
        vec![
            vec![at("c", 10, Some(70)), at("b", 40, Some(9))],
            vec![at("a", 20, Some(3))],
        ],
        &[(3, "a"), (9, "b"), (70, "c")],
    )
    .await;
    check_first_pass(
        vec![
            vec![at("c", 10, Some(70)), at("b", 40, Some(9))],
            vec![at("a", 20, Some(9)), at("d", 5, None)],
        ],
        &[(71, "a"), (72, "b"), (73, "c"), (74, "d")],
    )
    .await;
    check_first_pass(
        vec![vec![at("b", 10, Some(u32::MAX)), at("a", 40, Some(9))]],
        &[(10, "a"), (11, "b")],
    )
    .await;
}

#[tokio::test]
async fn what_has_its_number_before_the_first_pass_is_complete_is_shown_after_it_to_everybody() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let folder = one_folder(&mirror).await;
    let store = mirror.store();
    let changes = async |since| store.changes(folder, since, &[], 10).await.unwrap();
    let first = running(vec![at("d", 40, Some(8)), at("c", 30, Some(7))]);
    let applied = mirror.apply_items(folder, first).await.unwrap();
    assert_eq!((applied.added, applied.staged), (0, 2));
    // Somebody looks before it is complete, and sees nothing.
    let looked = version(&mirror, folder).await;
    let Changes::Delta(delta) = changes(mapi_types::Version(0)).await else {
        unreachable!("the log reaches back")
    };
    assert_eq!((delta.rows.len(), delta.removed.len()), (0, 0));
    let keys = [mapi_types::ItemKey(b"d".as_slice().into())];
    assert_eq!(store.find(folder, &keys).await.unwrap(), [None]);
    let mut second = complete(vec![at("b", 20, Some(3))]);
    second.removed = vec![id("c")];
    second.read = vec![(id("d"), true)];
    let applied = mirror.apply_items(folder, second).await.unwrap();
    assert_eq!(applied.added, 2);
    assert!(matches!(changes(looked).await, Changes::Expired));
    let seen = seen(&*store, folder).await;
    let found: Vec<_> = seen.iter().map(|item| (item.number, item.flags)).collect();
    assert_eq!(found, [(3, 0), (8, 1)]);
    assert_eq!(store.folder(folder).await.unwrap().unread, 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_first_pass_that_is_begun_again_keeps_what_it_brings_once_more_and_nothing_else() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let folder = one_folder(&mirror).await;
    let first = running(vec![at("gone", 40, Some(8)), at("c", 30, Some(7))]);
    mirror.apply_items(folder, first).await.unwrap();
    mirror.restart(folder).await.unwrap();
    // The second time an item has no number of its own.
    let again = running(vec![at("c", 30, Some(7)), at("b", 20, Some(6))]);
    mirror.apply_items(folder, again).await.unwrap();
    let last = complete(vec![at("a", 10, None)]);
    assert_eq!(mirror.apply_items(folder, last).await.unwrap().added, 3);
    let expected = pairs(&[(9, "b"), (10, "c"), (11, "a")]);
    assert_eq!(subjects(&mirror, folder).await, expected);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_was_asked_for_before_the_mirror_was_dropped_is_not_put_into_it_afterwards() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let whole = complete(vec![item("a", "k"), item("b", "k")]);
    let pass = Some(mirror.restart(folder).await.unwrap());
    let applied = mirror.apply_items(folder, ItemBatch { pass, ..whole });
    assert_eq!(applied.await.unwrap().added, 2);
    let before = mirror.folder_sync(folder).await.unwrap();
    assert_eq!(Some(before.pass), pass);
    // Nothing has changed at the remote; the answer comes when the mirror has been dropped.
    mirror.drop_contents().await.unwrap();
    let late = ItemBatch {
        state: Some("all of it".into()),
        first_pass: Some(FirstPass::Complete),
        pass: Some(before.pass),
        ..ItemBatch::default()
    };
    let refused = mirror.apply_items(folder, late).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert_eq!(mirror.folder_sync(folder).await.unwrap().state, None);
    assert_eq!(mirror.store().folder(folder).await.unwrap().items, 2);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn the_last_word_on_an_item_of_a_pass_counts() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    mirror.restart(folder).await.unwrap();
    let first = running(vec![item("a", "k"), item("b", "k"), item("c", "k")]);
    mirror.apply_items(folder, first).await.unwrap();
    let mut second = running(vec![with(
        item("a", "k2"),
        tags::SUBJECT.tag(),
        OwnedValue::Str("new".into()),
    )]);
    second.removed = vec![id("b"), id("unknown")];
    second.read = vec![(id("c"), true), (id("unknown"), true)];
    mirror.apply_items(folder, second).await.unwrap();
    let applied = mirror.apply_items(folder, complete(vec![])).await.unwrap();
    assert_eq!(applied.added, 2);
    let seen = seen(&*mirror.store(), folder).await;
    let found: Vec<_> = seen
        .iter()
        .map(|item| (item.subject.as_deref().unwrap(), item.flags))
        .collect();
    assert_eq!(found, [("new", 0), ("c", 1)]);
}

#[tokio::test]
async fn a_new_item_gets_the_next_number_and_keys_are_remote_ids() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .apply_items(folder, items(vec![at("b", 20, None), at("a", 10, None)]))
        .await
        .unwrap();
    let hinted = items(vec![at("c", 5, Some(900))]);
    mirror.apply_items(folder, hinted).await.unwrap();
    let seen = seen(&*mirror.store(), folder).await;
    let found: Vec<_> = seen
        .iter()
        .map(|item| (item.number, &item.key[..], item.size))
        .collect();
    let expected: [(u32, &[u8], Option<i64>); 3] =
        [(1, b"a", None), (2, b"b", None), (3, b"c", None)];
    assert_eq!(found, expected);
    let numbers = mirror.numbers(folder, &[id("c"), id("x")]).await.unwrap();
    assert_eq!(numbers, [Some(ItemNumber(3)), None]);
    let known = mirror
        .remote_ids(folder, &[ItemNumber(2), ItemNumber(9)])
        .await
        .unwrap();
    assert_eq!(known[0].as_ref().unwrap().id, id("b"));
    assert_eq!(known[0].as_ref().unwrap().change_key, key("k"));
    assert!(known[1].is_none());
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    let batch = items(vec![item("a", "k"), item("b", "k")]);
    mirror.apply_items(folder, batch.clone()).await.unwrap();
    let (before, then) = (
        seen(&*mirror.store(), folder).await,
        version(&mirror, folder).await,
    );
    let applied = mirror.apply_items(folder, batch).await.unwrap();
    assert_eq!((applied.added, applied.changed, applied.stale), (0, 0, 0));
    assert_eq!(seen(&*mirror.store(), folder).await, before);
    assert_eq!(version(&mirror, folder).await, then);
}

#[tokio::test]
async fn flags_change_the_version_and_keep_the_number() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .apply_items(folder, items(vec![item("a", "k"), item("b", "k")]))
        .await
        .unwrap();
    let then = version(&mirror, folder).await;
    let flagged = with(item("a", "k2"), tags::FLAG_STATUS.tag(), OwnedValue::I32(2));
    let batch = ItemBatch {
        read: vec![(id("b"), true), (id("a"), false)],
        ..items(vec![flagged])
    };
    let applied = mirror.apply_items(folder, batch).await.unwrap();
    assert_eq!((applied.changed, applied.stale), (2, 0));
    let store = mirror.store();
    let changes = store
        .changes(folder, then, &[tags::FLAG_STATUS.tag()], 10)
        .await;
    let Changes::Delta(delta) = changes.unwrap() else {
        unreachable!("the log reaches back")
    };
    assert_eq!((delta.rows.len(), delta.removed.len()), (2, 0));
    // What is missing at the remote is missing here.
    mirror
        .apply_items(folder, items(vec![item("a", "k3")]))
        .await
        .unwrap();
    let props = store
        .props(
            mapi_store::Object::Item(folder, ItemNumber(1)),
            &[tags::FLAG_STATUS.tag()],
        )
        .await
        .unwrap();
    assert!(props.is_empty());
    assert_eq!(store.folder(folder).await.unwrap().unread, 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_gone_is_expunged() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .apply_items(folder, items(vec![item("a", "k"), item("b", "k")]))
        .await
        .unwrap();
    let then = version(&mirror, folder).await;
    let batch = ItemBatch {
        removed: vec![id("a")],
        ..ItemBatch::default()
    };
    mirror.apply_items(folder, batch).await.unwrap();
    let changes = mirror.store().changes(folder, then, &[], 10).await.unwrap();
    let Changes::Delta(delta) = changes else {
        unreachable!("the log reaches back")
    };
    assert_eq!(delta.removed, [ItemNumber(1)]);
    // It may come back, as another one.
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    assert_eq!(
        subjects(&mirror, folder).await,
        pairs(&[(2, "b"), (3, "a")])
    );
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_applies_nothing_writes_nothing() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    let log = || {
        let log = data.path().join("mailboxes/alice@example.test.sqlite-wal");
        std::fs::read(log).unwrap()
    };
    let many = (0..50).map(|i| item(&format!("{i}"), "k")).collect();
    let batch = ItemBatch {
        state: Some("state".into()),
        read: vec![(id("1"), false)],
        ..items(many)
    };
    mirror.apply_items(folder, batch.clone()).await.unwrap();
    let mut notices = mirror.store().notices();
    let before = log();
    mirror.apply_items(folder, batch).await.unwrap();
    mirror
        .apply_items(folder, ItemBatch::default())
        .await
        .unwrap();
    assert!(log() == before, "the log has grown or changed");
    assert!(notices.try_recv().is_err());
}

#[tokio::test]
async fn who_watches_is_told() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    let mut notices = mirror.store().notices();
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let expected = Notice::Folder(folder, version(&mirror, folder).await);
    assert_eq!(notices.recv().await.unwrap(), expected);
    mirror
        .apply_hierarchy(tree(vec![remote_folder("new", None)]))
        .await
        .unwrap();
    assert_eq!(notices.recv().await.unwrap(), Notice::Hierarchy);
}

#[tokio::test]
async fn content_nobody_has_seen_is_taken_as_it_is() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let then = version(&mirror, folder).await;
    let subject = |key, text: &str| {
        with(
            item("a", key),
            tags::SUBJECT.tag(),
            OwnedValue::Str(text.into()),
        )
    };
    // The change key says that nothing changed: this is only better known now.
    let silent = mirror
        .apply_items(folder, items(vec![subject("k", "b")]))
        .await
        .unwrap();
    assert_eq!((silent.changed, silent.version), (0, then));
    assert_eq!(subjects(&mirror, folder).await, pairs(&[(1, "b")]));
    let told = mirror
        .apply_items(folder, items(vec![subject("k2", "c")]))
        .await
        .unwrap();
    assert_eq!((told.changed, told.stale), (1, 0));
    assert!(told.version > then);
    assert_eq!(subjects(&mirror, folder).await, pairs(&[(1, "c")]));
}

#[tokio::test]
async fn values_no_row_can_hold_are_left_out_and_the_status_is_our_own() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let mark = Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_STATUS.tag(),
            set: message_status::DELETE_MARKED,
            clear: 0,
        }],
        ..Change::default()
    };
    let written = Written {
        item: Expected {
            item: ItemNumber(1),
            version: None,
        },
        based_on: None,
        change_key: None,
    };
    mirror.updated(folder, vec![written], mark).await.unwrap();
    let huge = OwnedValue::Str("x".repeat(70_000).into());
    let words = OwnedValue::strs(["x".repeat(70_000)]);
    let mut odd = with(item("a", "k2"), tags::SUBJECT.tag(), huge);
    odd = with(odd, tags::KEYWORDS.tag(), words);
    odd = with(
        odd,
        tags::FLAG_STATUS.tag(),
        OwnedValue::Str("no number".into()),
    );
    odd = with(
        odd,
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        OwnedValue::I32(77),
    );
    mirror.apply_items(folder, items(vec![odd])).await.unwrap();
    assert_eq!(subjects(&mirror, folder).await, pairs(&[(1, "")]));
    assert_eq!(mirror.store().folder(folder).await.unwrap().deleted, 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_new_pass_keeps_numbers_and_expunges_what_it_does_not_bring() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let all = vec![item("a", "k"), item("b", "k"), item("c", "k")];
    mirror.apply_items(folder, items(all)).await.unwrap();
    let before = seen(&*mirror.store(), folder).await;
    mirror.restart(folder).await.unwrap();
    mirror
        .apply_items(folder, running(vec![item("d", "k"), item("c", "k")]))
        .await
        .unwrap();
    assert_eq!(seen(&*mirror.store(), folder).await, before);
    let progress = mirror.progress(folder).await.unwrap();
    assert_eq!((progress.staged, progress.unrendered), (1, 3));
    let applied = mirror
        .apply_items(folder, complete(vec![item("a", "k")]))
        .await
        .unwrap();
    assert_eq!((applied.added, applied.removed), (1, 1));
    let after = seen(&*mirror.store(), folder).await;
    assert_eq!(after[..2], [before[0].clone(), before[2].clone()]);
    assert_eq!((after.len(), after[2].number), (3, 4));
    // Without a pass the word has no effect.
    mirror.apply_items(folder, complete(vec![])).await.unwrap();
    assert_eq!(seen(&*mirror.store(), folder).await, after);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn hidden_items_are_in_their_own_table() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let flags = OwnedValue::I32(message_flags::ASSOCIATED);
    let hidden = with(item("a", "k"), tags::MESSAGE_FLAGS.tag(), flags);
    mirror
        .apply_items(folder, items(vec![hidden, item("b", "k")]))
        .await
        .unwrap();
    assert_eq!(subjects(&mirror, folder).await, pairs(&[(2, "b")]));
    assert_eq!(mirror.unrendered(folder, 9).await.unwrap(), [ItemNumber(2)]);
    let gone = ItemBatch {
        removed: vec![id("a")],
        ..ItemBatch::default()
    };
    assert_eq!(mirror.apply_items(folder, gone).await.unwrap().removed, 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn of_the_flags_of_a_known_item_only_reading_is_taken() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    let store = mirror.store();
    let flagged = |flags| {
        let flags = OwnedValue::I32(flags);
        items(vec![with(item("a", "k"), tags::MESSAGE_FLAGS.tag(), flags)])
    };
    // A new item has what the remote says.
    mirror.apply_items(inbox, flagged(0x8)).await.unwrap();
    let then = seen(&*store, inbox).await;
    assert_eq!(then[0].flags, 0x8);
    // What the remote keeps in the other bits is no news.
    mirror.apply_items(inbox, flagged(0x412)).await.unwrap();
    assert_eq!(seen(&*store, inbox).await, then);
    mirror.apply_items(inbox, flagged(0x413)).await.unwrap();
    let now = seen(&*store, inbox).await;
    assert_eq!(now[0].flags, 0x9);
    assert!(now[0].version > then[0].version);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_we_know_of_a_content_stays_as_long_as_the_content() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, inbox, _) = furnished(&data).await;
    let store = mirror.store();
    mirror
        .apply_items(inbox, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let body = |key: &str| {
        let item = Expected {
            item: ItemNumber(1),
            version: None,
        };
        let written = Written {
            item,
            based_on: Some(super::remote::key("k")),
            change_key: Some(super::remote::key(key)),
        };
        let change = Change {
            set: vec![(tags::BODY.tag(), OwnedValue::Str("ours".into()))],
            ..Change::default()
        };
        mirror.updated(inbox, vec![written], change)
    };
    body("k2").await.unwrap();
    let read = async || {
        let object = Object::Item(inbox, ItemNumber(2));
        let bag = store.props(object, &[tags::BODY.tag()]).await.unwrap();
        bag.get(&tags::BODY).map(str::to_owned)
    };
    // The echo of our own write.
    mirror
        .apply_items(inbox, items(vec![item("a", "k2")]))
        .await
        .unwrap();
    assert_eq!(read().await.as_deref(), Some("ours"));
    // Somebody else wrote: nobody knows what the body is.
    mirror
        .apply_items(inbox, items(vec![item("a", "k3")]))
        .await
        .unwrap();
    assert_eq!(read().await, None);
}
