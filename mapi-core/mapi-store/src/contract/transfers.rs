//! Copying and moving items.

use std::{collections::HashSet, sync::Arc};

use mapi_types::{FolderId, ItemNumber, OwnedValue, Version, tags, tags::message_flags};

use super::mailbox::{
    Mailbox, any, bits, delta, draft, fails, flagged, item_key, keyed, numbers, with,
};
use crate::{Backend, ByteRange, ErrorKind, Table, Transfer, Transferred};

/// A copy tells which item became which, in the order of the numbers, and the source stays.
pub async fn a_copy_tells_its_pairs(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let saved = alice.save_many(4).await;
    let before = alice.info().await;
    let backwards = [
        saved[3].number,
        saved[0].number,
        saved[2].number,
        saved[0].number,
    ];
    let copied = transfer(&alice, &backwards, target, Transfer::Copy).await;
    let expected = [saved[0].number, saved[2].number, saved[3].number];
    assert_eq!(sources(&copied), expected);
    assert!(copied.is_sorted_by(|a, b| a.target.number < b.target.number));
    assert_eq!(
        alice.numbers(Table::Contents(target)).await,
        targets(&copied)
    );
    assert_eq!(alice.info().await, before, "the source is as it was");
    for pair in &copied {
        let original = alice
            .store
            .read_message(alice.inbox, pair.source)
            .await
            .unwrap();
        let copy = alice
            .store
            .read_message(target, pair.target.number)
            .await
            .unwrap();
        // A server may add what it knows to one of them before the other.
        for saved_as in [tags::MESSAGE_CLASS.tag(), tags::SUBJECT.tag()] {
            let value = original.props.value(saved_as);
            assert!(value.is_some(), "{saved_as:?}");
            assert_eq!(copy.props.value(saved_as), value);
        }
        assert_eq!(copy.recipients, original.recipients);
        assert_eq!(copy.attachments, original.attachments);
    }
}

/// A copy is another item: it has a key of its own and changes apart.
pub async fn a_copy_has_a_key_of_its_own(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let saved = alice
        .save_draft(alice.inbox, keyed("k", flagged(draft("a"), 1)))
        .await;
    let mut keys = HashSet::from([saved.key.clone()]);
    for folder in [target, alice.inbox, target] {
        let copied = transfer(&alice, &[saved.number], folder, Transfer::Copy).await;
        assert!(keys.insert(copied[0].target.key.clone()));
        assert!(!copied[0].target.existing);
    }
    alice
        .flag(
            saved.number,
            tags::MESSAGE_FLAGS.tag(),
            0,
            message_flags::READ,
        )
        .await;
    let unread = alice.store.folder(target).await.unwrap().unread;
    assert_eq!(unread, 0, "the copies are still read");
    assert_eq!(alice.inbox_numbers().await.len(), 2);
}

/// A copy has its own flags, prefix and original bytes.
pub async fn a_copy_is_complete(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let own = [
        (
            tags::MESSAGE_FLAGS.tag(),
            OwnedValue::I32(message_flags::READ),
        ),
        (tags::KEYWORDS.tag(), OwnedValue::strs(["Work"])),
    ];
    let mut draft = with(draft("a"), &own);
    draft.prefix = "Return-Path: <a@example.org>\r\n".into();
    let saved = alice.save_draft(alice.inbox, draft).await;
    let columns = [
        tags::MESSAGE_FLAGS.tag(),
        tags::KEYWORDS.tag(),
        tags::SUBJECT.tag(),
        tags::ITEM_SIZE.tag(),
        tags::ORIGINAL_SIZE.tag(),
        tags::ORIGINAL_PREFIX.tag(),
    ];
    let bytes = read(&alice, alice.inbox, saved.number).await;
    let object = crate::Object::Item(alice.inbox, saved.number);
    let original = alice.store.props(object, &columns).await.unwrap();
    assert_eq!(original.len(), columns.len());
    for how in [Transfer::Copy, Transfer::Move] {
        let moved = transfer(&alice, &[saved.number], target, how).await;
        let number = moved[0].target.number;
        let object = crate::Object::Item(target, number);
        assert_eq!(alice.store.props(object, &columns).await.unwrap(), original);
        assert_eq!(read(&alice, target, number).await, bytes);
    }
}

/// What moved keeps its key, and the source's number is gone.
pub async fn a_move_keeps_the_key(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let saved = alice.save_many(3).await;
    let since = alice.info().await.version;
    let two = [saved[2].number, saved[0].number];
    let moved = transfer(&alice, &two, target, Transfer::Move).await;
    assert_eq!(sources(&moved), [saved[0].number, saved[2].number]);
    assert_eq!(moved[0].target.key, saved[0].key);
    assert_eq!(moved[1].target.key, saved[2].key);
    assert_eq!(alice.inbox_numbers().await, [saved[1].number]);
    let source = alice.delta(since).await;
    assert_eq!(source.removed, [saved[0].number, saved[2].number]);
    let arrived = delta(&*alice.store, target, Version(0)).await;
    assert_eq!(numbers(&arrived.rows), targets(&moved));
    // And back: the numbers are new, the keys are the same.
    let back = alice
        .store
        .transfer(target, &targets(&moved), alice.inbox, Transfer::Move)
        .await;
    let back = back.unwrap();
    assert!(back.iter().all(|pair| pair.target.number > saved[2].number));
    assert_eq!(back[0].target.key, saved[0].key);
}

/// Within one folder a move gives new numbers and keeps the keys.
pub async fn a_move_within_one_folder_renumbers(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let since = alice.info().await.version;
    let two = [saved[0].number, saved[1].number];
    let moved = transfer(&alice, &two, alice.inbox, Transfer::Move).await;
    assert_eq!(sources(&moved), two);
    assert!(moved[0].target.number > saved[2].number);
    assert_eq!(
        (&moved[0].target.key, &moved[1].target.key),
        (&saved[0].key, &saved[1].key)
    );
    let now = [
        saved[2].number,
        moved[0].target.number,
        moved[1].target.number,
    ];
    assert_eq!(alice.inbox_numbers().await, now);
    assert_eq!(alice.delta(since).await.removed, two);
    assert_eq!(alice.info().await.items, 3);
    let found = alice
        .store
        .find(alice.inbox, std::slice::from_ref(&saved[0].key))
        .await
        .unwrap();
    assert_eq!(found, [Some(moved[0].target.number)]);
}

/// Items that are gone are left out; when none is left, nothing changes.
pub async fn missing_items_are_not_transferred(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let saved = alice.save_many(1).await;
    let mixed = [saved[0].number, ItemNumber(999)];
    let copied = transfer(&alice, &mixed, target, Transfer::Copy).await;
    assert_eq!(sources(&copied), [saved[0].number]);
    let before = alice.store.folder(target).await.unwrap();
    for how in [Transfer::Copy, Transfer::Move] {
        assert!(
            transfer(&alice, &[ItemNumber(999)], target, how)
                .await
                .is_empty()
        );
        assert!(transfer(&alice, &[], target, how).await.is_empty());
    }
    assert_eq!(alice.store.folder(target).await.unwrap(), before);
}

/// A move that meets a key which the target has already moves nothing at all.
pub async fn a_move_onto_a_taken_key_moves_nothing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let first = alice.save("free").await;
    let second = alice
        .save_draft(alice.inbox, keyed("taken", draft("a")))
        .await;
    alice.save_draft(target, keyed("taken", draft("b"))).await;
    let before = alice.info().await;
    let items = [first.number, second.number];
    let moved = alice
        .store
        .transfer(alice.inbox, &items, target, Transfer::Move)
        .await;
    fails(moved, ErrorKind::Exists);
    assert_eq!(alice.info().await, before);
    assert_eq!(alice.store.folder(target).await.unwrap().items, 1);
    assert_eq!(
        transfer(&alice, &items, target, Transfer::Copy).await.len(),
        2
    );
    let found = alice
        .store
        .find(alice.inbox, &[item_key("taken")])
        .await
        .unwrap();
    assert_eq!(found, [Some(second.number)]);
}

/// A number that was moved away finds nothing, so a stale reference acts on nothing else.
pub async fn a_moved_number_finds_nothing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let target = alice.make_folder("Target").await;
    let saved = alice.save("a").await;
    transfer(&alice, &[saved.number], target, Transfer::Move).await;
    alice.save("next").await;
    fails(
        alice.store.read_message(alice.inbox, saved.number).await,
        ErrorKind::NotFound,
    );
    let read = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
    let updated = alice
        .store
        .update(alice.inbox, &[any(saved.number)], &read)
        .await
        .unwrap();
    assert_eq!(updated.version, None);
    assert!(
        transfer(&alice, &[saved.number], target, Transfer::Move)
            .await
            .is_empty()
    );
}

async fn transfer(
    alice: &Mailbox,
    items: &[ItemNumber],
    to: FolderId,
    how: Transfer,
) -> Vec<Transferred> {
    alice
        .store
        .transfer(alice.inbox, items, to, how)
        .await
        .expect("transfer")
}

async fn read(alice: &Mailbox, folder: FolderId, item: ItemNumber) -> bytes::Bytes {
    let piece = ByteRange {
        item,
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: 1 << 20,
    };
    alice
        .store
        .read_bytes(folder, &[piece])
        .await
        .unwrap()
        .remove(0)
        .expect("an original")
}

fn sources(pairs: &[Transferred]) -> Vec<ItemNumber> {
    pairs.iter().map(|pair| pair.source).collect()
}

fn targets(pairs: &[Transferred]) -> Vec<ItemNumber> {
    pairs.iter().map(|pair| pair.target.number).collect()
}
