//! Items whose original bytes are made when somebody needs them: nobody who asks rightly sees a difference.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use mapi_types::{ItemNumber, PropTag, tags};
use tokio::sync::broadcast::error::TryRecvError;

use super::{
    mailbox::{Mailbox, draft, numbers},
    originals::piece,
};
use crate::{Backend, Items, Object, Query, READ_BYTES_MAX, Table};

/// What asks for complete rows.
const COMPLETE: [PropTag; 3] = [
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::ITEM_SIZE.tag(),
    tags::DERIVED_RENDERER.tag(),
];

/// Every row then has the size of the bytes that are read; limit and filter hold.
pub async fn rows_asked_for_the_renderer_are_complete(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let all = three(&alice).await;
    let sizes = sizes(&alice, &all[1..]).await;
    assert_eq!(sizes.keys().copied().collect::<Vec<_>>(), all[1..]);
    for number in &all[1..] {
        let len = whole(&alice, *number).await.len() as i64;
        assert_eq!(sizes[number], len);
    }
    let bag = alice
        .store
        .props(Object::Item(alice.inbox, all[0]), &COMPLETE)
        .await
        .unwrap();
    let len = whole(&alice, all[0]).await.len() as i64;
    assert_eq!(bag.get(&tags::ITEM_SIZE), Some(len));
}

/// Prefix and original are of the same bytes, also when their reading is what renders them.
pub async fn the_first_pieces_read_belong_together(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let all = three(&alice).await;
    let first = whole(&alice, all[0]).await;
    assert!(!first.is_empty());
    assert_eq!(whole(&alice, all[0]).await, first);
    let sizes = sizes(&alice, &all).await;
    assert_eq!(sizes[&all[0]], first.len() as i64);
}

/// Numbers and versions stay, the change log tells nothing, and nobody is notified.
pub async fn rendering_is_no_change(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let all = three(&alice).await;
    let before = alice.info().await;
    let mut notices = alice.store.notices();
    sizes(&alice, &all).await;
    whole(&alice, all[0]).await;
    let after = alice.info().await;
    assert_eq!(
        (after.version, after.next_number, after.epoch),
        (before.version, before.next_number, before.epoch)
    );
    let delta = alice.delta(before.version).await;
    assert!(delta.rows.is_empty() && delta.removed.is_empty());
    assert_eq!(alice.inbox_numbers().await, all);
    assert_eq!(notices.try_recv().unwrap_err(), TryRecvError::Empty);
}

/// What is known and what is bounded are together never less than what clients fetch, and exact in the end.
pub async fn a_folder_bounds_the_size_of_its_items(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let all = three(&alice).await;
    let mut bounds = Vec::new();
    for asked in 0..=all.len() {
        sizes(&alice, &all[..asked]).await;
        bounds.push(alice.info().await.size + bound(&alice).await.unwrap_or(0));
    }
    let mut total = 0;
    for number in &all {
        total += whole(&alice, *number).await.len() as u64;
    }
    assert!(bounds.iter().all(|bound| *bound >= total), "{bounds:?}");
    assert_eq!(alice.info().await.size, total);
    assert_eq!(bound(&alice).await, None);
}

/// Three messages, the first with a prefix.
async fn three(alice: &Mailbox) -> Vec<ItemNumber> {
    let mut first = draft("one");
    first.prefix = Bytes::from_static(b"Return-Path: <a@example.org>\r\n");
    let drafts = [first, draft("two"), draft("number three")];
    let saved = alice.store.save(alice.inbox, &drafts).await.unwrap();
    saved.into_iter().map(|saved| saved.number).collect()
}

async fn sizes(alice: &Mailbox, items: &[ItemNumber]) -> BTreeMap<ItemNumber, i64> {
    let query = Query {
        table: Table::Contents(alice.inbox),
        columns: &COMPLETE,
        items: Items::Numbers(items),
        filter: None,
        sort: &[],
        limit: 100,
    };
    let rows = alice.store.query(&query).await.unwrap();
    let sizes = rows.rows().map(|row| row.get(&tags::ITEM_SIZE));
    let sizes = sizes.map(|size| size.expect("a size"));
    numbers(&rows).into_iter().zip(sizes).collect()
}

/// Prefix and original, read in one call.
async fn whole(alice: &Mailbox, item: ItemNumber) -> Bytes {
    let pieces = [tags::ORIGINAL_PREFIX.tag(), tags::ORIGINAL.tag()]
        .map(|tag| piece(item, tag, 0, READ_BYTES_MAX));
    let read = alice.store.read_bytes(alice.inbox, &pieces).await.unwrap();
    let mut halves = read.into_iter().map(Option::unwrap_or_default);
    let (prefix, original) = (halves.next().unwrap(), halves.next().unwrap());
    [prefix, original].concat().into()
}

async fn bound(alice: &Mailbox) -> Option<u64> {
    let tag = tags::UNRENDERED_SIZE_MAX;
    let object = Object::Folder(alice.inbox);
    let bag = alice.store.props(object, &[tag.tag()]).await.unwrap();
    bag.get(&tag).map(|octets| octets as u64)
}
