//! The change log of a folder.

use std::{collections::BTreeMap, sync::Arc};

use mapi_types::{ItemNumber, Version, tags, tags::message_flags};

use super::mailbox::{Mailbox, any, bits, draft, numbers};
use crate::{Backend, Changes, Deletion, Delta};

/// A folder that never changed has no changes.
pub async fn an_empty_folder_has_no_changes(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let version = alice.info().await.version;
    for since in [Version(0), version] {
        let delta = alice.delta(since).await;
        assert!(delta.rows.is_empty() && delta.removed.is_empty());
        assert_eq!(delta.to, version);
    }
}

/// From 0 on, the log tells what is there now, in the order of the latest change.
pub async fn changes_since_zero_tell_everything(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(4).await;
    alice
        .flag(
            saved[0].number,
            tags::MESSAGE_FLAGS.tag(),
            message_flags::READ,
            0,
        )
        .await;
    alice
        .store
        .delete(alice.inbox, &[saved[2].number], Deletion::Hard)
        .await
        .unwrap();
    let delta = alice.delta(Version(0)).await;
    let expected = [saved[1].number, saved[3].number, saved[0].number];
    assert_eq!(numbers(&delta.rows), expected);
    assert_eq!(delta.to, alice.info().await.version);
    let versions: Vec<_> = delta
        .rows
        .rows()
        .map(|row| row.get(&tags::ITEM_VERSION))
        .collect();
    assert!(versions.is_sorted() && versions.iter().all(Option::is_some));
}

/// A later reader hears what is new, changed and gone, and nothing else.
pub async fn changes_since_a_version_tell_the_difference(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(4).await;
    let since = alice.info().await.version;
    alice
        .flag(
            saved[1].number,
            tags::MESSAGE_FLAGS.tag(),
            message_flags::READ,
            0,
        )
        .await;
    let gone = [saved[3].number, saved[0].number];
    alice
        .store
        .delete(alice.inbox, &gone, Deletion::Hard)
        .await
        .unwrap();
    let new = alice.save("new").await;
    let delta = alice.delta(since).await;
    assert_eq!(numbers(&delta.rows), [saved[1].number, new.number]);
    assert_eq!(
        delta.removed,
        [saved[0].number, saved[3].number],
        "ascending"
    );
    assert_eq!(
        delta.rows.row(0).unwrap().get(&tags::MESSAGE_FLAGS),
        Some(message_flags::READ)
    );
    let rest = alice.delta(delta.to).await;
    assert!(rest.rows.is_empty() && rest.removed.is_empty());
    assert_eq!(rest.to, delta.to);
}

/// A number that is gone is told to everybody who may have seen it, however often he asks.
pub async fn expunged_items_are_told_to_every_reader(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let before = alice.info().await.version;
    alice
        .store
        .delete(alice.inbox, &[saved[1].number], Deletion::Soft)
        .await
        .unwrap();
    let between = alice.info().await.version;
    alice
        .store
        .delete(alice.inbox, &[saved[0].number], Deletion::Hard)
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(
            alice.delta(before).await.removed,
            [saved[0].number, saved[1].number]
        );
        assert_eq!(alice.delta(between).await.removed, [saved[0].number]);
    }
}

/// An edit is the end of one number and the start of another.
pub async fn an_edit_is_a_removal_and_an_arrival(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let old = alice.save("old").await;
    let new = alice
        .store
        .replace(alice.inbox, any(old.number), &draft("new"))
        .await
        .unwrap();
    let delta = alice.delta(old.version).await;
    assert_eq!(numbers(&delta.rows), [new.number]);
    assert_eq!(delta.removed, [old.number]);
}

/// A version that the log has not reached is of another life: the reader starts anew.
pub async fn a_future_version_is_expired(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save("a").await;
    for since in [Version(saved.version.0 + 1), Version(i64::MAX as u64)] {
        let columns = [tags::ITEM_VERSION.tag()];
        let changes = alice
            .store
            .changes(alice.inbox, since, &columns, 10)
            .await
            .unwrap();
        assert!(matches!(changes, Changes::Expired), "{changes:?}");
    }
}

/// Reading page by page leads to the same as reading at once, and no version is split.
pub async fn pages_lead_to_the_whole_without_splitting_a_version(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(7).await;
    let batch: Vec<_> = (0..5).map(|_| draft("batch")).collect();
    alice.store.save(alice.inbox, &batch).await.unwrap();
    let some: Vec<_> = saved[1..5].iter().map(|saved| any(saved.number)).collect();
    let read = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
    alice.store.update(alice.inbox, &some, &read).await.unwrap();
    alice
        .store
        .delete(alice.inbox, &[saved[6].number], Deletion::Hard)
        .await
        .unwrap();
    let whole = alice.delta(Version(0)).await;
    for limit in [1, 2, 3, 7, 100] {
        let pages = pages(&alice, limit).await;
        let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
        let mut all = Vec::new();
        for (page, delta) in pages.iter().enumerate() {
            for row in delta.rows.rows() {
                let version = row.get(&tags::ITEM_VERSION).unwrap();
                assert!(
                    version as u64 <= delta.to.0,
                    "a row lies behind its page's end"
                );
                assert_eq!(
                    *seen.entry(version).or_insert(page),
                    page,
                    "a version is split"
                );
            }
            all.extend(numbers(&delta.rows));
        }
        assert_eq!(all, numbers(&whole.rows), "pages of {limit}");
        assert_eq!(pages.last().unwrap().to, whole.to);
    }
}

/// Somebody who follows the log holds what is there, whatever happens in between.
pub async fn a_follower_holds_what_is_there(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut held: Vec<ItemNumber> = Vec::new();
    let mut at = Version(0);
    for round in 0..30_u32 {
        let saved = alice.save("new").await.number;
        let first = alice.inbox_numbers().await[0];
        match round % 5 {
            0 => {
                alice
                    .flag(first, tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0)
                    .await
            }
            1 | 3 => {
                alice
                    .store
                    .delete(alice.inbox, &[first], Deletion::Hard)
                    .await
                    .unwrap();
            }
            2 => {
                alice
                    .store
                    .replace(alice.inbox, any(saved), &draft("new"))
                    .await
                    .unwrap();
            }
            _ => {}
        }
        if round % 3 == 0 {
            let delta = alice.delta(at).await;
            held.extend(numbers(&delta.rows));
            held.retain(|number| !delta.removed.contains(number));
            held.sort_unstable();
            held.dedup();
            at = delta.to;
            assert_eq!(held, alice.inbox_numbers().await, "round {round}");
        }
    }
}

async fn pages(alice: &Mailbox, limit: u32) -> Vec<Delta> {
    let columns = [
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::ITEM_VERSION.tag(),
    ];
    let (mut pages, mut at) = (Vec::new(), Version(0));
    loop {
        let changes = alice
            .store
            .changes(alice.inbox, at, &columns, limit)
            .await
            .unwrap();
        let Changes::Delta(delta) = changes else {
            panic!("expired at {at:?}")
        };
        assert!(delta.to > at || !delta.more, "a page leads on");
        at = delta.to;
        let more = delta.more;
        pages.push(delta);
        if !more {
            return pages;
        }
    }
}
