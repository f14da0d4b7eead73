//! Deleting items, recoverably and for good.

use std::sync::Arc;

use mapi_types::{
    ItemNumber, tags,
    tags::{message_flags, message_status},
};

use super::mailbox::{Mailbox, any, bits, draft, fails, query};
use crate::{Backend, ByteRange, Deletion, ErrorKind, Expected, Object, Table, Transfer};

/// What is deleted for good is nowhere.
pub async fn hard_deletion_leaves_nothing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let gone = [saved[2].number, saved[0].number];
    let deleted = alice
        .store
        .delete(alice.inbox, &gone, Deletion::Hard)
        .await
        .unwrap();
    assert_eq!(deleted, [saved[0].number, saved[2].number], "ascending");
    assert_eq!(alice.inbox_numbers().await, [saved[1].number]);
    assert!(
        alice
            .numbers(Table::SoftDeleted(alice.inbox))
            .await
            .is_empty()
    );
    let info = alice.info().await;
    assert_eq!((info.items, info.unread), (1, 1));
    assert!(info.version > saved[2].version);
}

/// What is deleted softly is listed where it can be recovered from, under the number it had.
pub async fn soft_deletion_can_be_looked_into(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let gone = [saved[0].number, saved[2].number];
    let deleted = alice
        .store
        .delete(alice.inbox, &gone, Deletion::Soft)
        .await
        .unwrap();
    assert_eq!(deleted, gone);
    assert_eq!(alice.inbox_numbers().await, [saved[1].number]);
    assert_eq!(alice.numbers(Table::SoftDeleted(alice.inbox)).await, gone);
    let columns = [tags::SUBJECT.tag(), tags::SOURCE_KEY.tag()];
    let rows = query(&*alice.store, Table::SoftDeleted(alice.inbox), &columns).await;
    let row = rows.row(1).unwrap();
    assert_eq!(row.get(&tags::SUBJECT), Some("message 2"));
    assert_eq!(row.get(&tags::SOURCE_KEY), Some(&*saved[2].key.0));
    let info = alice.info().await;
    assert_eq!((info.items, info.unread, info.deleted), (1, 1, 0));
}

/// A softly deleted number finds nothing but in its table.
pub async fn a_softly_deleted_number_finds_nothing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let saved = alice.save("a").await;
    let (store, inbox, item) = (&*alice.store, alice.inbox, saved.number);
    store.delete(inbox, &[item], Deletion::Soft).await.unwrap();
    let version = alice.info().await.version;
    fails(store.read_message(inbox, item).await, ErrorKind::NotFound);
    let props = store
        .props(Object::Item(inbox, item), &[tags::SUBJECT.tag()])
        .await;
    fails(props, ErrorKind::NotFound);
    let piece = ByteRange {
        item,
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: 10,
    };
    assert_eq!(store.read_bytes(inbox, &[piece]).await.unwrap(), [None]);
    let read = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
    assert_eq!(
        store
            .update(inbox, &[any(item)], &read)
            .await
            .unwrap()
            .version,
        None
    );
    fails(
        store.replace(inbox, any(item), &draft("b")).await,
        ErrorKind::NotFound,
    );
    assert!(
        store
            .transfer(inbox, &[item], target, Transfer::Copy)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .delete(inbox, &[item], Deletion::Soft)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.find(inbox, &[saved.key]).await.unwrap(), [None]);
    assert_eq!(alice.info().await.version, version);
}

/// Deleting again, or what never was, is no error and no change.
pub async fn deleting_what_is_gone_changes_nothing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(2).await;
    let first = [saved[0].number];
    alice
        .store
        .delete(alice.inbox, &first, Deletion::Hard)
        .await
        .unwrap();
    let before = alice.info().await;
    for how in [Deletion::Hard, Deletion::Soft] {
        let again = [saved[0].number, ItemNumber(999)];
        assert!(
            alice
                .store
                .delete(alice.inbox, &again, how)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            alice
                .store
                .delete(alice.inbox, &[], how)
                .await
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(alice.info().await, before);
    let mixed = [saved[0].number, saved[1].number, saved[1].number];
    let deleted = alice
        .store
        .delete(alice.inbox, &mixed, Deletion::Hard)
        .await
        .unwrap();
    assert_eq!(deleted, [saved[1].number]);
}

/// An expunge decides by the marks as they are, not as they were when it was asked for.
pub async fn an_item_whose_mark_was_taken_off_is_not_expunged(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let all: Vec<ItemNumber> = saved.iter().map(|saved| saved.number).collect();
    let mark = |set, clear| bits(tags::MESSAGE_STATUS.tag(), set, clear);
    let expected: Vec<Expected> = all.iter().map(|&item| any(item)).collect();
    let marked = mark(message_status::DELETE_MARKED, 0);
    let updated = alice.store.update(alice.inbox, &expected, &marked).await;
    updated.unwrap();
    let saved_by_the_bell = mark(0, message_status::DELETE_MARKED);
    let updated = alice
        .store
        .update(alice.inbox, &expected[1..2], &saved_by_the_bell)
        .await;
    updated.unwrap();
    let deleted = alice
        .store
        .delete(alice.inbox, &all, Deletion::SoftIfMarked)
        .await
        .unwrap();
    assert_eq!(deleted, [all[0], all[2]]);
    let info = alice.info().await;
    assert_eq!((info.items, info.deleted), (1, 0));
    let again = alice
        .store
        .delete(alice.inbox, &all, Deletion::SoftIfMarked)
        .await
        .unwrap();
    assert!(again.is_empty());
    assert_eq!(alice.info().await, info);
}
