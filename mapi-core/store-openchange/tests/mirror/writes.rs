//! Moving, deleting and changing items at our own request.

use mapi_store::{Changes, Deletion, ErrorKind, Expected, Object, Transfer};
use mapi_types::{
    BitChange, Change, ItemNumber, OwnedValue, Version,
    tags::{self, message_flags},
};
use store_openchange::{Body, Finished, Mirror, Moved, Options, Pending, RenderedOutcome, Written};

use crate::{
    kit::{Folder, draft, small_segments},
    remote::{
        complete, furnished, id, item, items, key, original, props, rendered, running, seen,
        subjects, with,
    },
};

fn moved(number: u32, to: &str) -> Moved {
    Moved {
        number: ItemNumber(number),
        id: id(to),
        change_key: Some(key("moved")),
    }
}

async fn save(mirror: &Mirror, folder: mapi_types::FolderId, text: &str) {
    let pending = Pending {
        id: id(text),
        change_key: None,
        draft: draft(text, 3_000),
    };
    mirror.begin_save(folder, &[pending]).await.unwrap();
    let finished = Finished {
        id: id(text),
        change_key: key("k"),
        props: props(text, 0),
    };
    mirror.finish_save(folder, vec![finished]).await.unwrap();
}

#[tokio::test]
async fn what_moves_keeps_its_key_and_its_bytes() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    let store = mirror.store();
    save(&mirror, inbox, "ours").await;
    mirror
        .apply_items(inbox, items(vec![item("theirs", "k")]))
        .await
        .unwrap();
    let gone = moved(9, "nowhere");
    let done = mirror
        .transferred(
            inbox,
            other,
            Transfer::Move,
            vec![moved(2, "t2"), gone, moved(1, "t1")],
        )
        .await
        .unwrap();
    let pairs: Vec<_> = done
        .iter()
        .map(|done| (done.source.0, done.target.number.0, &done.target.key.0[..]))
        .collect();
    assert_eq!(pairs, [(1, 1, &b"ours"[..]), (2, 2, &b"theirs"[..])]);
    assert_eq!(seen(&*store, inbox).await, []);
    assert!(
        original(&*store, other, 1)
            .await
            .unwrap()
            .starts_with("ours")
    );
    // What the next synchronization says of both is known.
    let echo = vec![
        item("t1", "moved"),
        with(
            item("t2", "moved"),
            tags::SUBJECT.tag(),
            OwnedValue::Str("theirs".into()),
        ),
    ];
    let applied = mirror.apply_items(other, items(echo)).await.unwrap();
    assert_eq!((applied.added, applied.stale), (0, 0));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn copies_have_new_keys_and_share_the_original() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    let store = mirror.store();
    save(&mirror, inbox, "ours").await;
    for folder in [other, inbox] {
        let done = mirror
            .transferred(inbox, folder, Transfer::Copy, vec![moved(1, "copy")])
            .await
            .unwrap();
        assert_eq!(&done[0].target.key.0[..], b"copy");
        let number = done[0].target.number;
        assert!(
            original(&*store, folder, number.0)
                .await
                .unwrap()
                .starts_with("ours")
        );
        let known = mirror
            .remote_ids(folder, &[number])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        assert_eq!((known.body, known.stale), (Body::Kept, false));
    }
    mirror
        .removed(inbox, vec![ItemNumber(1), ItemNumber(7)], Deletion::Hard)
        .await
        .unwrap();
    backend.compact().await.unwrap();
    assert!(
        original(&*store, other, 1)
            .await
            .unwrap()
            .starts_with("ours")
    );
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_copy_of_what_was_rendered_is_rendered_anew_and_counts_for_nothing_until_then() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    let store = mirror.store();
    mirror
        .apply_items(inbox, items(vec![item("theirs", "k")]))
        .await
        .unwrap();
    let made = rendered(1, "k", "as the remote has the source");
    mirror.put_rendered(inbox, vec![made]).await.unwrap();
    for folder in [other, inbox] {
        let before = store.folder(folder).await.unwrap().size;
        let done = mirror
            .transferred(inbox, folder, Transfer::Copy, vec![moved(1, "copy")])
            .await
            .unwrap();
        let number = done[0].target.number;
        let known = mirror.remote_ids(folder, &[number]).await.unwrap();
        let known = known[0].as_ref().unwrap();
        assert_eq!((known.body, known.stale), (Body::Missing, false));
        assert_eq!(store.folder(folder).await.unwrap().size, before);
        // The remote has it otherwise, and that is what the number stands for.
        let made = rendered(number.0, "moved", "as the remote has the copy");
        let outcome = mirror.put_rendered(folder, vec![made]).await.unwrap();
        assert_eq!(outcome, [RenderedOutcome::Stored]);
        let octets = original(&*store, folder, number.0).await.unwrap();
        assert!(octets.starts_with("as the remote has the copy"));
    }
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_leaves_while_a_pass_is_under_way_is_not_brought_back() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    let all = || ["a", "b", "c"].map(|text| item(text, "k")).to_vec();
    mirror.apply_items(inbox, items(all())).await.unwrap();
    mirror.restart(inbox).await.unwrap();
    mirror
        .removed(inbox, vec![ItemNumber(1)], Deletion::Hard)
        .await
        .unwrap();
    let b = vec![moved(2, "b2")];
    let moving = mirror.transferred(inbox, other, Transfer::Move, b);
    assert_eq!(moving.await.unwrap().len(), 1);
    // What the remote said before.
    mirror.apply_items(inbox, running(all())).await.unwrap();
    mirror.apply_items(inbox, complete(vec![])).await.unwrap();
    assert_eq!(subjects(&mirror, inbox).await, [(3, "c".to_owned())]);
    // It says so again later: somebody has put it back.
    let again = items(vec![item("a", "k")]);
    let applied = mirror.apply_items(inbox, again).await.unwrap();
    assert_eq!(applied.added, 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn an_arrival_that_was_synchronized_first_makes_room_for_what_moved() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    let store = mirror.store();
    save(&mirror, inbox, "a").await;
    save(&mirror, inbox, "b").await;
    mirror
        .apply_items(other, items(vec![item("t1", "moved")]))
        .await
        .unwrap();
    mirror.restart(other).await.unwrap();
    mirror
        .apply_items(other, running(vec![item("t2", "moved")]))
        .await
        .unwrap();
    mirror
        .transferred(
            inbox,
            other,
            Transfer::Move,
            vec![moved(1, "t1"), moved(2, "t2")],
        )
        .await
        .unwrap();
    let found: Vec<_> = seen(&*store, other)
        .await
        .into_iter()
        .map(|item| item.key)
        .collect();
    assert_eq!(found, [b"a", b"b"]);
    assert!(original(&*store, other, 2).await.unwrap().starts_with('a'));
    assert_eq!(mirror.progress(other).await.unwrap().staged, 0);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn within_a_folder_a_move_gives_new_numbers() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, other) = furnished(&data).await;
    save(&mirror, inbox, "a").await;
    let done = mirror
        .transferred(inbox, inbox, Transfer::Move, vec![moved(1, "a")])
        .await
        .unwrap();
    assert_eq!(
        (done[0].target.number, &done[0].target.key.0[..]),
        (ItemNumber(2), &b"a"[..])
    );
    // A key the target has already is not given twice.
    mirror
        .apply_items(other, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let done = mirror
        .transferred(inbox, other, Transfer::Move, vec![moved(2, "t")])
        .await
        .unwrap();
    assert_eq!(&done[0].target.key.0[..], b"a\0");
    let refused = mirror
        .transferred(inbox, mapi_types::FolderId(99), Transfer::Copy, vec![])
        .await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn deleting_says_what_was_there() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    mirror
        .apply_items(inbox, items(vec![item("a", "k"), item("b", "k")]))
        .await
        .unwrap();
    let gone = mirror
        .removed(inbox, vec![ItemNumber(2), ItemNumber(5)], Deletion::Hard)
        .await
        .unwrap();
    assert_eq!(gone, [ItemNumber(2)]);
    assert_eq!(mirror.numbers(inbox, &[id("b")]).await.unwrap(), [None]);
    assert_eq!(subjects(&mirror, inbox).await.len(), 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

fn written(number: u32, seen: Option<Version>, change_key: Option<&str>) -> Written {
    Written {
        item: Expected {
            item: ItemNumber(number),
            version: seen,
        },
        based_on: None,
        change_key: change_key.map(key),
    }
}

#[tokio::test]
async fn flags_we_set_are_no_news_when_they_come_back() {
    let data = Folder::new(Options::default());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    let store = mirror.store();
    mirror
        .apply_items(inbox, items(vec![item("a", "k"), item("b", "k")]))
        .await
        .unwrap();
    mirror
        .put_rendered(inbox, vec![rendered(1, "k", "hello")])
        .await
        .unwrap();
    let then = store.folder(inbox).await.unwrap().version;
    let read = BitChange {
        tag: tags::MESSAGE_FLAGS.tag(),
        set: message_flags::READ,
        clear: 0,
    };
    let change = Change {
        bits: vec![read],
        ..Change::default()
    };
    let all = vec![
        written(1, None, Some("k2")),
        written(2, Some(Version(0)), Some("k2")),
    ];
    let updated = mirror.updated(inbox, all, change).await.unwrap();
    assert_eq!(updated.changed, [ItemNumber(1)]);
    assert_eq!(updated.stale, [ItemNumber(2)]);
    assert!(updated.version.unwrap() > then);
    let mut echo = item("a", "k2");
    echo.props = props("a", message_flags::READ);
    let applied = mirror
        .apply_items(inbox, items(vec![echo, item("b", "k")]))
        .await
        .unwrap();
    assert_eq!((applied.changed, applied.stale), (0, 0));
    assert_eq!(Some(applied.version), updated.version);
    assert_eq!(original(&*store, inbox, 1).await.as_deref(), Some("hello"));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn content_we_change_has_a_new_number_and_is_rendered_again() {
    let data = Folder::new(small_segments());
    let (backend, mirror, inbox, _) = furnished(&data).await;
    let store = mirror.store();
    save(&mirror, inbox, "ours").await;
    let then = store.folder(inbox).await.unwrap().version;
    let change = Change {
        set: vec![(tags::SUBJECT.tag(), OwnedValue::Str("edited".into()))],
        ..Change::default()
    };
    let updated = mirror
        .updated(inbox, vec![written(1, None, Some("k2"))], change)
        .await
        .unwrap();
    assert_eq!(updated.renumbered, [(ItemNumber(1), ItemNumber(2))]);
    let known = mirror
        .remote_ids(inbox, &[ItemNumber(2)])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!((known.body, known.change_key), (Body::Missing, key("k2")));
    assert_eq!(mirror.unrendered(inbox, 9).await.unwrap(), [ItemNumber(2)]);
    assert_eq!(original(&*store, inbox, 2).await, None);
    assert_eq!(seen(&*store, inbox).await[0].size, None);
    assert_eq!(store.folder(inbox).await.unwrap().size, 0);
    assert_eq!(mirror.unsized_items(inbox).await.unwrap().0, 1);
    assert_eq!(backend.check().await.unwrap(), []);
    let Changes::Delta(delta) = store
        .changes(inbox, then, &[tags::SUBJECT.tag()], 9)
        .await
        .unwrap()
    else {
        unreachable!("the log reaches back")
    };
    assert_eq!((delta.removed, delta.rows.len()), (vec![ItemNumber(1)], 1));
    mirror
        .put_rendered(inbox, vec![rendered(2, "k2", "edited bytes")])
        .await
        .unwrap();
    let found = store
        .props(Object::Item(inbox, ItemNumber(2)), &[tags::SUBJECT.tag()])
        .await
        .unwrap();
    assert_eq!(found.get(&tags::SUBJECT), Some("edited"));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn our_write_does_not_hide_what_somebody_else_wrote() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, inbox, other) = furnished(&data).await;
    let all = ["a", "b", "c"].map(|text| item(text, "k"));
    mirror
        .apply_items(inbox, items(all.to_vec()))
        .await
        .unwrap();
    let bodies = (1..=3).map(|i| rendered(i, "k", "hello")).collect();
    mirror.put_rendered(inbox, bodies).await.unwrap();
    // The index knows of one change, of another it does not.
    mirror
        .apply_items(inbox, items(vec![item("a", "theirs")]))
        .await
        .unwrap();
    let flag = Change {
        set: vec![(tags::FLAG_STATUS.tag(), OwnedValue::I32(2))],
        ..Change::default()
    };
    let mut all: Vec<_> = (1..=3).map(|i| written(i, None, Some("ours"))).collect();
    all[1].based_on = Some(key("k"));
    all[2].based_on = Some(key("theirs"));
    mirror.updated(inbox, all, flag).await.unwrap();
    let stale = mirror.stale(inbox, 9).await.unwrap();
    assert_eq!(stale, [ItemNumber(3), ItemNumber(1)]);
    let unknown = Moved {
        change_key: None,
        ..moved(2, "t2")
    };
    mirror
        .transferred(inbox, other, Transfer::Move, vec![moved(1, "t1"), unknown])
        .await
        .unwrap();
    assert_eq!(mirror.stale(other, 9).await.unwrap(), [ItemNumber(1)]);
    let tell = vec![item("t2", "moved")];
    mirror.apply_items(other, items(tell)).await.unwrap();
    assert_eq!(mirror.stale(other, 9).await.unwrap().len(), 2);
}
