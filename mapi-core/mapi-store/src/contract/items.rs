//! Saving and replacing items: numbers, keys, retries.

use std::{collections::HashSet, sync::Arc};

use mapi_types::{ItemKey, ItemNumber, Version, tags, tags::message_flags};

use super::mailbox::{Mailbox, any, draft, fails, flagged, item_key, keyed};
use crate::{Backend, Deletion, ErrorKind, Expected, ITEM_KEY_BYTES_MAX, Table};

/// Later items have larger numbers, from 1 or more on.
pub async fn numbers_ascend_in_order_of_saving(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(5).await;
    assert!(saved.is_sorted_by(|a, b| a.number < b.number && a.version < b.version));
    assert!(
        saved
            .iter()
            .all(|saved| saved.number >= ItemNumber(1) && !saved.existing)
    );
    let numbers: Vec<_> = saved.iter().map(|saved| saved.number).collect();
    assert_eq!(alice.inbox_numbers().await, numbers);
}

/// The number of a deleted item is never given again, not even when it was the last.
pub async fn numbers_are_never_reused_after_deletion(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let all: Vec<_> = saved.iter().map(|saved| saved.number).collect();
    alice
        .store
        .delete(alice.inbox, &all, Deletion::Hard)
        .await
        .unwrap();
    let next = alice.save("after").await;
    assert!(next.number > saved[2].number);
    assert!(next.version > saved[2].version);
}

/// What a folder announces as its next number is what the next item gets.
pub async fn the_next_number_is_announced(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    for _ in 0..3 {
        let announced = alice.info().await.next_number;
        assert_eq!(alice.save("a").await.number, announced);
    }
}

/// A batch is saved in its order.
pub async fn a_batch_gets_ascending_numbers(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let drafts = [draft("a"), draft("b"), draft("c")];
    let saved = alice.store.save(alice.inbox, &drafts).await.unwrap();
    assert_eq!(saved.len(), 3);
    assert!(saved.is_sorted_by(|a, b| a.number < b.number && a.version <= b.version));
    let subjects: Vec<_> = {
        let mut subjects = Vec::new();
        for saved in &saved {
            let message = alice
                .store
                .read_message(alice.inbox, saved.number)
                .await
                .unwrap();
            subjects.push(message.props.get(&tags::SUBJECT).unwrap().to_owned());
        }
        subjects
    };
    assert_eq!(subjects, ["a", "b", "c"]);
    assert!(alice.store.save(alice.inbox, &[]).await.unwrap().is_empty());
}

/// One draft that cannot be saved keeps the whole batch out, and changes nothing.
pub async fn a_batch_is_saved_whole_or_not_at_all(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    alice.save("before").await;
    let before = alice.info().await;
    let long = "k".repeat(ITEM_KEY_BYTES_MAX + 1);
    let drafts = [draft("good"), keyed(&long, draft("bad")), draft("good too")];
    fails(
        alice.store.save(alice.inbox, &drafts).await,
        ErrorKind::Invalid,
    );
    let drafts = [draft("good"), keyed("", draft("bad"))];
    fails(
        alice.store.save(alice.inbox, &drafts).await,
        ErrorKind::Invalid,
    );
    let after = alice.info().await;
    assert_eq!((before.items, before.version), (after.items, after.version));
}

/// The store makes keys of a replica GUID and a counter, each once in the mailbox.
pub async fn generated_keys_are_unique_in_the_mailbox(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let other = alice.make_folder("Other").await;
    let mut keys = HashSet::new();
    for i in 0..10 {
        let folder = if i % 2 == 0 { alice.inbox } else { other };
        let saved = alice.save_draft(folder, draft("a")).await;
        assert_eq!(saved.key.0.len(), 22);
        assert!(keys.insert(saved.key));
    }
}

/// A key the caller chose is the item's.
pub async fn a_chosen_key_is_kept(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let longest = "k".repeat(ITEM_KEY_BYTES_MAX);
    for key in ["event-1.ics", "Event-1.ics", longest.as_str()] {
        let saved = alice.save_draft(alice.inbox, keyed(key, draft("a"))).await;
        assert_eq!(saved.key, item_key(key));
        assert!(!saved.existing, "keys are octets: case counts");
    }
}

/// Saving again under the same key names what is there, without a new version.
pub async fn a_retried_save_saves_nothing_twice(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let attempt = keyed("delivery-1", draft("a"));
    let first = alice.save_draft(alice.inbox, attempt.clone()).await;
    let before = alice.info().await;
    let again = alice.save_draft(alice.inbox, attempt.clone()).await;
    assert!(again.existing);
    assert_eq!((again.number, &again.key), (first.number, &first.key));
    assert_eq!(alice.info().await, before);
    let other = alice.make_folder("Other").await;
    assert!(
        !alice.save_draft(other, attempt).await.existing,
        "keys count per folder"
    );
}

/// A retry of a batch that was saved in part, by another batch, saves the rest.
pub async fn a_retried_batch_saves_what_is_missing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let first = alice.save_draft(alice.inbox, keyed("b", draft("b"))).await;
    let drafts = [
        keyed("a", draft("a")),
        keyed("b", draft("b")),
        keyed("a", draft("a")),
    ];
    let saved = alice.store.save(alice.inbox, &drafts).await.unwrap();
    let existing: Vec<_> = saved.iter().map(|saved| saved.existing).collect();
    assert_eq!(
        existing,
        [false, true, true],
        "a key given twice in one batch is one item"
    );
    assert_eq!(saved[1].number, first.number);
    assert_eq!(saved[2].number, saved[0].number);
    assert_eq!(alice.inbox_numbers().await, [first.number, saved[0].number]);
}

/// A retry names the number the item has now, after an edit.
pub async fn a_retried_save_names_the_number_of_today(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let attempt = keyed("k", draft("a"));
    let first = alice.save_draft(alice.inbox, attempt.clone()).await;
    let replaced = alice
        .store
        .replace(alice.inbox, any(first.number), &draft("b"))
        .await
        .unwrap();
    let again = alice.save_draft(alice.inbox, attempt).await;
    assert_eq!((again.number, again.existing), (replaced.number, true));
}

/// Once its item is deleted, a key can be used again, with a new number.
pub async fn the_key_of_a_deleted_item_is_free(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    for how in [Deletion::Hard, Deletion::Soft, Deletion::Hard] {
        let saved = alice.save_draft(alice.inbox, keyed("k", draft("a"))).await;
        assert!(!saved.existing);
        alice
            .store
            .delete(alice.inbox, &[saved.number], how)
            .await
            .unwrap();
        assert_eq!(
            alice
                .store
                .find(alice.inbox, &[item_key("k")])
                .await
                .unwrap(),
            [None]
        );
        assert!(alice.info().await.next_number > saved.number);
    }
}

/// Keys are looked up in a batch, one answer a key.
pub async fn find_answers_every_key(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let a = alice.save_draft(alice.inbox, keyed("a", draft("a"))).await;
    let b = alice.save("b").await;
    let keys = [
        b.key,
        item_key("unknown"),
        a.key.clone(),
        a.key,
        ItemKey([].into()),
    ];
    let found = alice.store.find(alice.inbox, &keys).await.unwrap();
    assert_eq!(
        found,
        [Some(b.number), None, Some(a.number), Some(a.number), None]
    );
    assert!(alice.store.find(alice.inbox, &[]).await.unwrap().is_empty());
}

/// A replaced item keeps its key, and its old number is gone.
pub async fn replacing_keeps_the_key_and_renumbers(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let old = &saved[1];
    let expect = Expected {
        item: old.number,
        version: Some(old.version),
    };
    let new = alice
        .store
        .replace(alice.inbox, expect, &draft("new"))
        .await
        .unwrap();
    assert_eq!(new.key, old.key);
    assert!(new.number > saved[2].number && new.version > saved[2].version && !new.existing);
    assert_eq!(
        alice.inbox_numbers().await,
        [saved[0].number, saved[2].number, new.number]
    );
    fails(
        alice.store.read_message(alice.inbox, old.number).await,
        ErrorKind::NotFound,
    );
    let message = alice
        .store
        .read_message(alice.inbox, new.number)
        .await
        .unwrap();
    assert_eq!(message.props.get(&tags::SUBJECT), Some("new"));
    let found = alice
        .store
        .find(alice.inbox, std::slice::from_ref(&old.key))
        .await
        .unwrap();
    assert_eq!(found, [Some(new.number)]);
}

/// Nobody overwrites a change that he has not seen.
pub async fn replacing_with_a_stale_expectation_is_a_conflict(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let old = alice.save("old").await;
    let expect = Expected {
        item: old.number,
        version: Some(old.version),
    };
    alice
        .flag(
            old.number,
            tags::MESSAGE_FLAGS.tag(),
            message_flags::READ,
            0,
        )
        .await;
    let before = alice.info().await;
    let refused = alice
        .store
        .replace(alice.inbox, expect, &draft("new"))
        .await;
    fails(refused, ErrorKind::Conflict);
    assert_eq!(alice.info().await, before);
    let message = alice
        .store
        .read_message(alice.inbox, old.number)
        .await
        .unwrap();
    assert_eq!(message.props.get(&tags::SUBJECT), Some("old"));
}

/// What is not there cannot be replaced: the loser of two edits hears of it.
pub async fn replacing_a_missing_item_is_not_found(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let old = alice.save("old").await;
    alice
        .store
        .replace(alice.inbox, any(old.number), &draft("new"))
        .await
        .unwrap();
    let late = alice
        .store
        .replace(alice.inbox, any(old.number), &draft("late"))
        .await;
    fails(late, ErrorKind::NotFound);
    let never = alice
        .store
        .replace(alice.inbox, any(ItemNumber(999)), &draft("late"))
        .await;
    fails(never, ErrorKind::NotFound);
}

/// Associated items have their own table and stay out of counts and changes, but share numbers and keys.
pub async fn associated_items_have_a_table_of_their_own(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let normal = alice.save("mail").await;
    let hidden = keyed("rules", flagged(draft("rules"), message_flags::ASSOCIATED));
    let hidden = alice.save_draft(alice.inbox, hidden).await;
    assert!(hidden.number > normal.number);
    assert_eq!(alice.inbox_numbers().await, [normal.number]);
    assert_eq!(
        alice.numbers(Table::Associated(alice.inbox)).await,
        [hidden.number]
    );
    let info = alice.info().await;
    assert_eq!((info.items, info.unread), (1, 1));
    assert_eq!(alice.delta(Version(0)).await.rows.len(), 1);
    // Not even a change of the bit moves an item between the tables.
    let flags = tags::MESSAGE_FLAGS.tag();
    alice
        .flag(
            hidden.number,
            flags,
            message_flags::READ,
            message_flags::ASSOCIATED,
        )
        .await;
    alice
        .flag(normal.number, flags, message_flags::ASSOCIATED, 0)
        .await;
    assert_eq!(alice.inbox_numbers().await, [normal.number]);
    assert_eq!(
        alice.numbers(Table::Associated(alice.inbox)).await,
        [hidden.number]
    );
    let found = alice
        .store
        .find(alice.inbox, &[item_key("rules")])
        .await
        .unwrap();
    assert_eq!(found, [Some(hidden.number)]);
}

/// An associated item stays one when it is replaced, and its end is no news of the folder's mail.
pub async fn associated_items_change_apart(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let table = Table::Associated(alice.inbox);
    let mail = alice.save("mail").await;
    let hidden = flagged(draft("rules"), message_flags::ASSOCIATED);
    let hidden = alice.save_draft(alice.inbox, hidden).await;
    let replaced = any(hidden.number);
    let replaced = alice
        .store
        .replace(alice.inbox, replaced, &draft("new rules"))
        .await
        .unwrap();
    assert_eq!(alice.numbers(table).await, [replaced.number]);
    assert_eq!(alice.inbox_numbers().await, [mail.number]);
    let since = alice.info().await.version;
    let gone = [replaced.number];
    alice
        .store
        .delete(alice.inbox, &gone, Deletion::Hard)
        .await
        .unwrap();
    assert!(alice.numbers(table).await.is_empty());
    let delta = alice.delta(since).await;
    assert!(
        delta.removed.is_empty() && delta.rows.is_empty(),
        "{delta:?}"
    );
}
