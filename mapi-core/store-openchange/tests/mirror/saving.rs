//! What we store ourselves: durable before the upload, and byte for byte ever after.

use std::sync::Arc;

use mapi_types::{Draft, FolderId, ItemKey, ItemNumber, Message, OwnedValue, PropBag, tags};
use store_openchange::{
    Begun, Body, Confirmed, Evicted, Finished, Mirror, Options, Pending, RemoteItem,
    RenderedOutcome,
};

use crate::{
    kit::{Folder, draft, small_segments},
    remote::{
        complete, furnished, id, item, items, key, mirror, one_folder, original, props, rendered,
        running, seen,
    },
};

fn pending(text: &str, key: Option<&str>) -> Pending {
    let key = key.map(|key| ItemKey(key.as_bytes().into()));
    Pending {
        id: id(text),
        change_key: None,
        draft: Draft {
            key,
            ..draft(&format!("draft {text}"), 3_000)
        },
    }
}

fn finished(text: &str, flags: i32) -> Finished {
    Finished {
        id: id(text),
        change_key: key("k1"),
        props: props("as the server has it", flags),
    }
}

#[tokio::test]
async fn what_was_begun_becomes_an_item_with_its_original() {
    for options in [Options::default(), small_segments()] {
        let data = Folder::new(options);
        let (backend, mirror, folder, _) = furnished(&data).await;
        let begun = mirror
            .begin_save(folder, &[pending("a", Some("key")), pending("b", None)])
            .await
            .unwrap();
        assert_eq!(begun, [Begun::Upload(id("a")), Begun::Upload(id("b"))]);
        assert_eq!(seen(&*mirror.store(), folder).await, []);
        assert_eq!(backend.check().await.unwrap(), []);
        let saved = mirror
            .finish_save(folder, vec![finished("a", 1), finished("b", 0)])
            .await
            .unwrap();
        assert_eq!(
            (saved[0].number, &saved[0].key.0[..]),
            (ItemNumber(1), &b"key"[..])
        );
        assert_eq!(
            (saved[1].number, &saved[1].key.0[..]),
            (ItemNumber(2), &b"b"[..])
        );
        let store = mirror.store();
        let text = original(&*store, folder, 1).await.unwrap();
        assert!(text.starts_with("draft a") && text.len() == 3_000);
        let known = mirror
            .remote_ids(folder, &[ItemNumber(1)])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        assert_eq!((known.body, known.stale), (Body::Kept, false));
        assert_eq!(store.folder(folder).await.unwrap().unread, 1);
        assert_eq!(mirror.pending(9).await.unwrap().len(), 0);
        assert_eq!(backend.check().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_lost_answer_doubles_nothing_and_loses_no_byte() {
    let data = Folder::new(small_segments());
    let folder = {
        let (_backend, mirror, folder, _) = furnished(&data).await;
        mirror
            .begin_save(folder, &[pending("a", Some("key"))])
            .await
            .unwrap();
        folder
    };
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let left = mirror.pending(9).await.unwrap();
    assert_eq!(
        (left.len(), &left[0].id, left[0].folder),
        (1, &id("a"), folder)
    );
    let message = &left[0].draft.message;
    assert_eq!(message.tree.props.get(&tags::SUBJECT), Some("draft a"));
    let mut octets = vec![0; 7];
    let content = message.original.as_ref().unwrap();
    content.source().read_exact_at(&mut octets, 0).unwrap();
    assert_eq!((&octets[..], content.len()), (&b"draft a"[..], 3_000));
    // The same once more is the same upload.
    let begun = mirror
        .begin_save(folder, &[pending("other", Some("key"))])
        .await
        .unwrap();
    assert_eq!(begun, [Begun::Upload(id("a"))]);
    mirror
        .apply_items(folder, items(vec![item("a", "k1")]))
        .await
        .unwrap();
    assert_eq!(mirror.pending(9).await.unwrap().len(), 0);
    let store = mirror.store();
    assert!(
        original(&*store, folder, 1)
            .await
            .unwrap()
            .starts_with("draft a")
    );
    // Somebody may have changed it already, until the answer tells.
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), [ItemNumber(1)]);
    let saved = mirror
        .finish_save(folder, vec![finished("a", 0)])
        .await
        .unwrap();
    assert_eq!(saved[0].number, ItemNumber(1));
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    let begun = mirror
        .begin_save(folder, &[pending("third", Some("key"))])
        .await
        .unwrap();
    assert!(matches!(&begun[..], [Begun::Existing(saved)] if saved.number == ItemNumber(1)));
    assert_eq!(seen(&*store, folder).await.len(), 1);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_forgotten_draft_leaves_nothing() {
    let data = Folder::new(small_segments());
    let (backend, mirror, folder, _) = furnished(&data).await;
    mirror
        .begin_save(folder, &[pending("a", None)])
        .await
        .unwrap();
    mirror
        .forget_pending(folder, vec![id("a"), id("x")])
        .await
        .unwrap();
    assert_eq!(mirror.pending(9).await.unwrap().len(), 0);
    let refused = mirror.finish_save(folder, vec![finished("a", 0)]).await;
    assert_eq!(refused.unwrap_err().kind, mapi_store::ErrorKind::NotFound);
    mirror
        .apply_items(folder, items(vec![item("a", "k1")]))
        .await
        .unwrap();
    assert_eq!(original(&*mirror.store(), folder, 1).await, None);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn the_date_a_draft_was_given_is_its_date() {
    let data = Folder::new(Options::default());
    let (_backend, mirror, folder, _) = furnished(&data).await;
    let date = mapi_types::FileTime(77);
    let mut dated = pending("a", None);
    let bag: PropBag = [(tags::MESSAGE_DELIVERY_TIME.tag(), OwnedValue::Time(date))]
        .into_iter()
        .collect();
    dated.draft.props = bag;
    mirror.begin_save(folder, &[dated]).await.unwrap();
    let saved = mirror
        .finish_save(folder, vec![finished("a", 1)])
        .await
        .unwrap();
    let wanted = [tags::MESSAGE_DELIVERY_TIME.tag(), tags::SUBJECT.tag()];
    let item = mapi_store::Object::Item(folder, saved[0].number);
    let found = mirror.store().props(item, &wanted).await.unwrap();
    assert_eq!(found.get(&tags::MESSAGE_DELIVERY_TIME), Some(date));
    assert_eq!(found.get(&tags::SUBJECT), Some("as the server has it"));
}

fn replacement(change_key: Option<&str>) -> Pending {
    Pending {
        id: id("a"),
        change_key: change_key.map(key),
        draft: draft("second content", 3_000),
    }
}

async fn saved_once(mirror: &Mirror, folder: FolderId) {
    mirror
        .begin_save(folder, &[pending("a", Some("href"))])
        .await
        .unwrap();
    mirror
        .finish_save(folder, vec![finished("a", 0)])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_draft_can_replace_the_content_of_an_item() {
    let data = Folder::new(small_segments());
    let (backend, mirror, folder, _) = furnished(&data).await;
    saved_once(&mirror, folder).await;
    let begun = mirror
        .begin_save(folder, &[replacement(Some("k2"))])
        .await
        .unwrap();
    assert_eq!(begun, [Begun::Upload(id("a"))]);
    let new = Finished {
        change_key: key("k2"),
        ..finished("a", 0)
    };
    let saved = mirror.finish_save(folder, vec![new]).await.unwrap();
    assert_eq!(
        (saved[0].number, &saved[0].key.0[..]),
        (ItemNumber(2), &b"href"[..])
    );
    let store = mirror.store();
    assert_eq!(seen(&*store, folder).await.len(), 1);
    assert!(
        original(&*store, folder, 2)
            .await
            .unwrap()
            .starts_with("second")
    );
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_replacement_whose_answer_was_lost_is_told_from_anothers_change() {
    let data = Folder::new(small_segments());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let store = mirror.store();
    saved_once(&mirror, folder).await;
    mirror
        .begin_save(folder, &[replacement(Some("k2"))])
        .await
        .unwrap();
    let applied = mirror
        .apply_items(folder, items(vec![item("a", "theirs")]))
        .await
        .unwrap();
    assert_eq!((applied.added, applied.stale), (0, 1));
    assert_eq!(mirror.pending(9).await.unwrap().len(), 1);
    assert!(
        original(&*store, folder, 1)
            .await
            .unwrap()
            .starts_with("draft a")
    );
    // A newer intent for the same item takes the place of the older one.
    mirror
        .begin_save(folder, &[replacement(Some("k3"))])
        .await
        .unwrap();
    assert_eq!(mirror.pending(9).await.unwrap().len(), 1);
    let applied = mirror
        .apply_items(folder, items(vec![item("a", "k3")]))
        .await
        .unwrap();
    assert_eq!(applied.added, 1);
    assert!(
        original(&*store, folder, 2)
            .await
            .unwrap()
            .starts_with("second")
    );
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    assert_eq!(mirror.pending(9).await.unwrap().len(), 0);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_kept_outlives_a_rendering_and_gives_way_to_a_change() {
    let data = Folder::new(small_segments());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let store = mirror.store();
    saved_once(&mirror, folder).await;
    let ours = original(&*store, folder, 1).await.unwrap();
    // The echo of our own write.
    let applied = mirror
        .apply_items(folder, items(vec![item("a", "k1")]))
        .await
        .unwrap();
    assert_eq!((applied.changed, applied.stale), (0, 0));
    let put = |key: &'static str, text: &'static str| {
        mirror.put_rendered(folder, vec![rendered(1, key, text)])
    };
    assert_eq!(
        put("k1", "of properties").await.unwrap(),
        [RenderedOutcome::Kept]
    );
    assert_eq!(mirror.evict(0).await.unwrap(), Evicted::default());
    assert_eq!(original(&*store, folder, 1).await.unwrap(), ours);
    // Somebody changed it, but not what it says.
    mirror
        .apply_items(folder, items(vec![item("a", "k2")]))
        .await
        .unwrap();
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), [ItemNumber(1)]);
    let confirmed = |index_key| Confirmed {
        number: ItemNumber(1),
        index_key: key(index_key),
        change_key: key("k2"),
    };
    for index_key in ["k1", "k2"] {
        let confirmed = vec![confirmed(index_key)];
        mirror.confirm(folder, confirmed).await.unwrap();
    }
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), []);
    assert_eq!(original(&*store, folder, 1).await.unwrap(), ours);
    // Somebody changed it.
    mirror
        .apply_items(folder, items(vec![item("a", "k3")]))
        .await
        .unwrap();
    let outcome = put("k3", "of properties").await.unwrap();
    assert_eq!(outcome, [RenderedOutcome::Renumbered(ItemNumber(2))]);
    assert_eq!(original(&*store, folder, 2).await.unwrap(), "of properties");
    let status = mirror.status().await.unwrap();
    assert_eq!(
        (status.folders[0].kept, status.folders[0].bytes_rendered),
        (0, 13)
    );
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn a_draft_without_bytes_is_rendered_like_what_others_stored() {
    let data = Folder::new(Options::default());
    let (backend, mirror, folder, _) = furnished(&data).await;
    let store = mirror.store();
    let mut bare = pending("a", None);
    let tree = bare.draft.message.tree.clone();
    bare.draft.message = Arc::new(Message {
        tree,
        ..Message::default()
    });
    mirror.begin_save(folder, &[bare]).await.unwrap();
    mirror
        .finish_save(folder, vec![finished("a", 0)])
        .await
        .unwrap();
    assert_eq!(mirror.unrendered(folder, 9).await.unwrap(), [ItemNumber(1)]);
    assert_eq!(seen(&*store, folder).await[0].size, None);
    assert_eq!(backend.check().await.unwrap(), []);
    let outcome = mirror
        .put_rendered(folder, vec![rendered(1, "k1", "made")])
        .await
        .unwrap();
    assert_eq!(outcome, [RenderedOutcome::Stored]);
    assert_eq!(backend.check().await.unwrap(), []);
}

#[tokio::test]
async fn drafts_saved_while_the_first_pass_runs_fit_into_its_order() {
    let data = Folder::new(Options::default());
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let folder = one_folder(&mirror).await;
    let hinted = |text: &str, hint| RemoteItem {
        number_hint: Some(hint),
        ..item(text, "k")
    };
    mirror
        .apply_items(folder, running(vec![hinted("y", 20)]))
        .await
        .unwrap();
    mirror
        .begin_save(folder, &[pending("a", None), pending("b", None)])
        .await
        .unwrap();
    let mut first = finished("a", 0);
    let number = (tags::INTERNET_ARTICLE_NUMBER.tag(), OwnedValue::I32(21));
    first.props = first.props.with(&[number], &[]);
    let saved = mirror.finish_save(folder, vec![first]).await.unwrap();
    assert_eq!(saved[0].number, ItemNumber(21));
    // Its answer was lost, but the pass brings it.
    let rest = vec![hinted("b", 22), hinted("a", 21), hinted("x", 10)];
    let rest: Vec<_> = rest
        .into_iter()
        .map(|item| RemoteItem {
            change_key: key("k1"),
            ..item
        })
        .collect();
    mirror.apply_items(folder, complete(rest)).await.unwrap();
    let found: Vec<(u32, Vec<u8>)> = seen(&*mirror.store(), folder)
        .await
        .into_iter()
        .map(|item| (item.number, item.key))
        .collect();
    let expected = [(10, "x"), (20, "y"), (21, "a"), (22, "b")];
    assert_eq!(found, expected.map(|(n, key)| (n, key.as_bytes().to_vec())));
    assert!(
        original(&*mirror.store(), folder, 22)
            .await
            .unwrap()
            .starts_with("draft b")
    );
    assert_eq!(mirror.stale(folder, 9).await.unwrap(), [ItemNumber(22)]);
    assert_eq!(backend.check().await.unwrap(), []);
}
