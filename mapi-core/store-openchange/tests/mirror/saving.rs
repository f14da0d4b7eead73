//! What we store ourselves: durable before the upload, and byte for byte ever after.

use mapi_types::{Draft, ItemKey, ItemNumber, OwnedValue, PropBag, tags};
use store_openchange::{Begun, Body, Finished, Options, Pending};

use crate::{
    kit::{Folder, draft, small_segments},
    remote::{furnished, id, item, items, key, mirror, original, props, seen},
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
    let saved = mirror
        .finish_save(folder, vec![finished("a", 0)])
        .await
        .unwrap();
    assert_eq!(saved[0].number, ItemNumber(1));
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
