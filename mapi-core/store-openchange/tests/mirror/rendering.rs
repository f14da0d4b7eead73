//! Bytes of items: made once, and never others under the same number.

use mapi_types::{FileTime, ItemNumber, OwnedValue, PropBag, tags};
use store_openchange::{Body, Evicted, Options, RenderedOutcome};

use crate::{
    kit::{Folder, small_segments},
    remote::{furnished, item, items, key, message_with, original, rendered, seen, version, with},
};

#[tokio::test]
async fn the_first_bytes_of_an_item_change_neither_number_nor_version() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let (backend, mirror, folder, _) = furnished(&data).await;
        let store = mirror.store();
        mirror
            .apply_items(folder, items(vec![item("a", "k")]))
            .await
            .unwrap();
        assert_eq!(mirror.unrendered(folder, 9).await.unwrap(), [ItemNumber(1)]);
        assert_eq!(original(&*store, folder, 1).await, None);
        // The remote's guess is no size.
        assert_eq!(store.folder(folder).await.unwrap().size, 0);
        assert_eq!(mirror.unsized_items(folder).await.unwrap(), (1, 100));
        let (before, then) = (seen(&*store, folder).await, version(&mirror, folder).await);
        let outcome = mirror
            .put_rendered(
                folder,
                vec![rendered(1, "k", "hello"), rendered(7, "k", "x")],
            )
            .await
            .unwrap();
        assert_eq!(outcome, [RenderedOutcome::Stored, RenderedOutcome::Gone]);
        assert_eq!(original(&*store, folder, 1).await.as_deref(), Some("hello"));
        let after = seen(&*store, folder).await;
        assert_eq!((after[0].number, after[0].version), (1, before[0].version));
        assert_eq!((before[0].size, after[0].size), (None, Some(5)));
        assert_eq!(version(&mirror, folder).await, then);
        assert_eq!(store.folder(folder).await.unwrap().size, 5);
        assert_eq!(mirror.unsized_items(folder).await.unwrap(), (0, 0));
        assert_eq!(mirror.unrendered(folder, 9).await.unwrap(), []);
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_was_served_stays_until_the_new_content_is_there_and_gets_a_new_number() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let store = mirror.store();
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    mirror
        .put_rendered(folder, vec![rendered(1, "k", "hello")])
        .await
        .unwrap();
    let edited = with(
        item("a", "k2"),
        tags::SUBJECT.tag(),
        OwnedValue::Str("b".into()),
    );
    let applied = mirror
        .apply_items(folder, items(vec![edited]))
        .await
        .unwrap();
    assert_eq!((applied.changed, applied.stale), (0, 1));
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), [ItemNumber(1)]);
    assert_eq!(original(&*store, folder, 1).await.as_deref(), Some("hello"));
    assert_eq!(seen(&*store, folder).await[0].subject.as_deref(), Some("a"));
    let outcome = mirror
        .put_rendered(folder, vec![rendered(1, "k2", "hello 2")])
        .await
        .unwrap();
    assert_eq!(outcome, [RenderedOutcome::Renumbered(ItemNumber(2))]);
    let after = seen(&*store, folder).await;
    assert_eq!((after.len(), after[0].number), (1, 2));
    assert_eq!(after[0].subject.as_deref(), Some("b"));
    assert_eq!(after[0].key, b"a");
    assert_eq!(original(&*store, folder, 1).await, None);
    assert_eq!(
        original(&*store, folder, 2).await.as_deref(),
        Some("hello 2")
    );
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn the_same_bytes_again_keep_the_number() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    let store = mirror.store();
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    mirror
        .put_rendered(folder, vec![rendered(1, "k", "hello")])
        .await
        .unwrap();
    mirror
        .apply_items(folder, items(vec![item("a", "k2")]))
        .await
        .unwrap();
    let before = seen(&*store, folder).await;
    let outcome = mirror
        .put_rendered(folder, vec![rendered(1, "k2", "hello")])
        .await
        .unwrap();
    assert_eq!(outcome, [RenderedOutcome::Stored]);
    assert_eq!(seen(&*store, folder).await, before);
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    let known = mirror
        .remote_ids(folder, &[ItemNumber(1)])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!((known.body, known.stale), (Body::Rendered, false));
    assert_eq!(known.change_key, key("k2"));
}

#[tokio::test]
async fn a_message_is_read_with_the_properties_of_index_and_rendering() {
    let data = Folder::new(small_segments());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let store = mirror.store();
    let icon = |item, number| with(item, tags::ICON_INDEX.tag(), OwnedValue::I32(number));
    mirror
        .apply_items(folder, items(vec![icon(item("a", "k"), 1)]))
        .await
        .unwrap();
    let long = "long ".repeat(30_000);
    let more: PropBag = [
        (tags::SUBJECT.tag(), OwnedValue::Str("from the tree".into())),
        (tags::BODY.tag(), OwnedValue::Str(long.clone().into())),
        // Flags of a rendering may be older than the index.
        (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(1)),
        (tags::ICON_INDEX.tag(), OwnedValue::I32(9)),
    ]
    .into_iter()
    .collect();
    let mut new = rendered(1, "k", "");
    new.message = message_with("hello", more);
    mirror.put_rendered(folder, vec![new]).await.unwrap();
    let tree = store.read_message(folder, ItemNumber(1)).await.unwrap();
    assert_eq!(tree.props.get(&tags::SUBJECT), Some("from the tree"));
    assert_eq!(tree.props.get(&tags::BODY), Some(&long[..]));
    assert_eq!(tree.props.get(&tags::INTERNET_MESSAGE_ID), Some("<m>"));
    assert_eq!(tree.props.get(&tags::MESSAGE_FLAGS), Some(0));
    assert_eq!(tree.props.get(&tags::ICON_INDEX), Some(1));
    // The index goes on changing flags, and leaves alone what it does not know.
    mirror
        .apply_items(folder, items(vec![icon(item("a", "k"), 2)]))
        .await
        .unwrap();
    let tree = store.read_message(folder, ItemNumber(1)).await.unwrap();
    assert_eq!(tree.props.get(&tags::ICON_INDEX), Some(2));
    assert_eq!(tree.props.get(&tags::SUBJECT), Some("a"));
    assert_eq!(tree.props.get(&tags::BODY), Some(&long[..]));
    assert_eq!(backend.check().await.unwrap(), []);
    // Evicted, the large value goes with the body.
    let status = mirror.status().await.unwrap();
    assert_eq!(status.folders[0].bytes_rendered, 150_005);
    mirror.evict(0).await.unwrap();
    let tree = store.read_message(folder, ItemNumber(1)).await.unwrap();
    assert_eq!(tree.props.get(&tags::BODY), None);
    assert_eq!(tree.props.get(&tags::INTERNET_MESSAGE_ID), Some("<m>"));
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn flags_of_a_stale_item_are_current_and_its_content_waits() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let store = mirror.store();
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    mirror
        .put_rendered(folder, vec![rendered(1, "k", "hello")])
        .await
        .unwrap();
    let date = FileTime(5_000);
    let mut edited = item("a", "k2");
    edited.props = edited.props.with(
        &[
            (tags::SUBJECT.tag(), OwnedValue::Str("b".into())),
            (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(1)),
            (tags::MESSAGE_DELIVERY_TIME.tag(), OwnedValue::Time(date)),
        ],
        &[],
    );
    let applied = mirror
        .apply_items(folder, items(vec![edited.clone()]))
        .await
        .unwrap();
    assert_eq!((applied.changed, applied.stale), (1, 1));
    let again = mirror
        .apply_items(folder, items(vec![edited.clone()]))
        .await
        .unwrap();
    assert_eq!((again.changed, again.stale), (0, 0));
    let found = seen(&*store, folder).await;
    assert_eq!(
        (found[0].flags, found[0].subject.as_deref()),
        (1, Some("a"))
    );
    // The next content is there before the one that was fetched.
    edited.change_key = key("k3");
    mirror
        .apply_items(folder, items(vec![edited]))
        .await
        .unwrap();
    let outcome = mirror
        .put_rendered(folder, vec![rendered(1, "k2", "hello 2")])
        .await
        .unwrap();
    assert_eq!(outcome, [RenderedOutcome::Outdated]);
    assert_eq!(original(&*store, folder, 1).await.as_deref(), Some("hello"));
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), [ItemNumber(1)]);
    mirror
        .put_rendered(folder, vec![rendered(1, "k3", "hello 3")])
        .await
        .unwrap();
    let tree = store.read_message(folder, ItemNumber(2)).await.unwrap();
    assert_eq!(tree.props.get(&tags::SUBJECT), Some("b"));
    assert_eq!(tree.props.get(&tags::MESSAGE_DELIVERY_TIME), Some(date));
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn bytes_read_before_the_index_heard_of_them_need_no_second_look() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let mut newer = rendered(1, "k2", "newer");
    newer.index_key = key("k");
    let outcome = mirror.put_rendered(folder, vec![newer]).await.unwrap();
    assert_eq!(outcome, [RenderedOutcome::Stored]);
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    let edited = with(
        item("a", "k2"),
        tags::SUBJECT.tag(),
        OwnedValue::Str("b".into()),
    );
    mirror
        .apply_items(folder, items(vec![edited]))
        .await
        .unwrap();
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    assert_eq!(
        seen(&*mirror.store(), folder).await[0].subject.as_deref(),
        Some("b")
    );
}

#[tokio::test]
async fn an_evicted_body_comes_back_and_another_one_is_another_item() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let (backend, mirror, folder, _) = furnished(&data).await;
        let store = mirror.store();
        let all = (1..=4).map(|i| item(&format!("{i}"), "k")).collect();
        mirror.apply_items(folder, items(all)).await.unwrap();
        let texts = |i: u32| format!("{i}").repeat(100);
        let bodies = (1..=4).map(|i| rendered(i, "k", &texts(i))).collect();
        mirror.put_rendered(folder, bodies).await.unwrap();
        // Number 1 is read; of the rest, 2 and 3 are the oldest.
        original(&*store, folder, 1).await.unwrap();
        let before = seen(&*store, folder).await;
        let evicted = mirror.evict(250).await.unwrap();
        assert_eq!((evicted.items, evicted.bytes), (2, 200));
        assert_eq!(mirror.evict(250).await.unwrap(), Evicted::default());
        let here = [true, false, false, true];
        for (i, here) in (1..=4).zip(here) {
            assert_eq!(original(&*store, folder, i).await.is_some(), here, "{i}");
        }
        assert_eq!(seen(&*store, folder).await, before);
        let known = mirror
            .remote_ids(folder, &[ItemNumber(2)])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        assert_eq!(known.body, Body::Evicted);
        assert_eq!(mirror.unrendered(folder, 9).await.unwrap(), []);
        assert_eq!(backend.check().await.unwrap(), []);
        let again = vec![
            rendered(2, "k", &texts(2)),
            rendered(3, "k", "rendered otherwise"),
        ];
        let outcome = mirror.put_rendered(folder, again).await.unwrap();
        let expected = [
            RenderedOutcome::Stored,
            RenderedOutcome::Renumbered(ItemNumber(5)),
        ];
        assert_eq!(outcome, expected);
        assert_eq!(original(&*store, folder, 2).await.unwrap(), texts(2));
        assert_eq!(
            original(&*store, folder, 5).await.unwrap(),
            "rendered otherwise"
        );
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn many_bodies_are_evicted_in_several_transactions() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let all = (1..=2_500).map(|i| item(&format!("{i:04}"), "k")).collect();
    mirror.apply_items(folder, items(all)).await.unwrap();
    let bodies = (1..=2_500)
        .map(|i| rendered(i, "k", "0123456789"))
        .collect();
    mirror.put_rendered(folder, bodies).await.unwrap();
    let evicted = mirror.evict(95).await.unwrap();
    assert_eq!((evicted.items, evicted.bytes), (2_491, 24_910));
    assert!(original(&*mirror.store(), folder, 2_491).await.is_none());
    assert!(original(&*mirror.store(), folder, 2_492).await.is_some());
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_has_no_original_is_not_rendered() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .apply_items(folder, items(vec![item("a", "k")]))
        .await
        .unwrap();
    let mut empty = rendered(1, "k", "");
    empty.message = std::sync::Arc::default();
    let refused = mirror.put_rendered(folder, vec![empty]).await;
    assert_eq!(refused.unwrap_err().kind, mapi_store::ErrorKind::Invalid);
}
