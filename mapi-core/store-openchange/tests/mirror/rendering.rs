//! Bytes of items: made once, and never others under the same number.

use mapi_types::{ItemNumber, OwnedValue, tags};
use store_openchange::{Body, Options, RenderedOutcome};

use crate::{
    kit::{Folder, small_segments},
    remote::{furnished, item, items, key, original, rendered, seen, version, with},
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
        assert_eq!(store.folder(folder).await.unwrap().size, 100);
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
