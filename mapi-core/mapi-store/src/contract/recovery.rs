//! What only a store promises that keeps for a while what was deleted: it comes back as it was.

use std::{sync::Arc, time::SystemTime};

use mapi_types::{
    FileTime, FolderId, ItemNumber, OwnedValue, tags,
    tags::{message_flags, message_status},
};

use super::mailbox::{
    BOB, Mailbox, draft, fails, flagged, item_key, keyed, logon, mail_folder, numbers, query, with,
};
use crate::{Backend, ByteRange, Deletion, ErrorKind, Member, Permission, Rights, Store, Table};

/// When the item that comes back had been received.
const RECEIVED: i64 = 1_600_000_000;

/// Recovered items have new numbers, and all else is as it was: key, octets, date, flags, but not the mark by
/// which they were deleted.
pub async fn what_was_deleted_comes_back_as_it_was(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let received = FileTime::from_unix(RECEIVED);
    let marked = message_status::DELETE_MARKED;
    let full = [
        (
            tags::MESSAGE_FLAGS.tag(),
            OwnedValue::I32(message_flags::READ),
        ),
        (tags::MESSAGE_STATUS.tag(), OwnedValue::I32(marked)),
        (
            tags::MESSAGE_DELIVERY_TIME.tag(),
            OwnedValue::Time(received),
        ),
        (tags::FLAG_STATUS.tag(), OwnedValue::I32(2)),
    ];
    let first = alice.save("other").await;
    let saved = alice.save_draft(inbox, with(draft("a"), &full)).await;
    // Sizes count once the items are rendered.
    let renderer = [tags::DERIVED_RENDERER.tag()];
    query(store, Table::Contents(inbox), &renderer).await;
    let before = alice.info().await;
    let gone = [saved.number];
    let expunged = store.delete(inbox, &gone, Deletion::SoftIfMarked).await;
    assert_eq!(expunged.unwrap(), gone);
    let gone = alice.info().await;
    assert_eq!((gone.items, gone.unread, gone.deleted), (1, 1, 0));
    let recovered = store.recover(inbox, &[saved.number], inbox).await.unwrap();
    let [recovered] = &recovered[..] else {
        panic!("{recovered:?}")
    };
    assert_eq!(recovered.source, saved.number);
    let target = &recovered.target;
    assert!(target.number > saved.number && target.version > gone.version);
    assert_eq!((&target.key, target.existing), (&saved.key, false));
    is_as_it_was(store, inbox, &[first.number, target.number]).await;
    let piece = ByteRange {
        item: target.number,
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: 1000,
    };
    let octets = store.read_bytes(inbox, &[piece]).await.unwrap();
    assert_eq!(
        octets[0].as_deref(),
        Some(&b"Subject: a\r\n\r\ntext\r\n"[..])
    );
    let after = alice.info().await;
    assert_eq!((after.items, after.unread, after.deleted), (2, 1, 0));
    assert_eq!(after.size, before.size);
    assert!(alice.numbers(Table::SoftDeleted(inbox)).await.is_empty());
    // Whoever follows the folder hears of a new item and of no return.
    let delta = alice.delta(gone.version).await;
    assert_eq!(numbers(&delta.rows), [target.number]);
    assert!(delta.removed.is_empty());
}

/// The second of these items is the recovered one.
async fn is_as_it_was(store: &dyn Store, inbox: FolderId, there: &[ItemNumber]) {
    let received = FileTime::from_unix(RECEIVED);
    let columns = [
        tags::SUBJECT.tag(),
        tags::MESSAGE_FLAGS.tag(),
        tags::MESSAGE_STATUS.tag(),
        tags::MESSAGE_DELIVERY_TIME.tag(),
        tags::FLAG_STATUS.tag(),
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::DELETED_ON.tag(),
    ];
    let rows = query(store, Table::Contents(inbox), &columns).await;
    assert_eq!(numbers(&rows), there);
    let row = rows.row(1).unwrap();
    assert_eq!(row.get(&tags::SUBJECT), Some("a"));
    assert_eq!(row.get(&tags::MESSAGE_FLAGS), Some(message_flags::READ));
    assert_eq!(row.get(&tags::MESSAGE_STATUS).unwrap_or(0), 0);
    assert_eq!(row.get(&tags::MESSAGE_DELIVERY_TIME), Some(received));
    assert_eq!(row.get(&tags::FLAG_STATUS), Some(2));
    assert_eq!(row.get(&tags::DELETED_ON), None);
}

/// Items are recovered into any folder of the mailbox, in the order of their numbers.
pub async fn a_recovered_item_goes_anywhere(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let target = alice.make_folder("Target").await;
    let saved = alice.save_many(3).await;
    let all: Vec<ItemNumber> = saved.iter().map(|saved| saved.number).collect();
    store.delete(inbox, &all, Deletion::Soft).await.unwrap();
    let asked = [all[2], all[0], all[2]];
    let recovered = store.recover(inbox, &asked, target).await.unwrap();
    let pairs: Vec<_> = recovered
        .iter()
        .map(|pair| (pair.source, pair.target.number))
        .collect();
    assert_eq!(pairs, [(all[0], ItemNumber(1)), (all[2], ItemNumber(2))]);
    assert_eq!(alice.numbers(Table::Contents(target)).await.len(), 2);
    assert_eq!(alice.numbers(Table::SoftDeleted(inbox)).await, [all[1]]);
    assert_eq!(alice.info().await.items, 0);
    let nowhere = FolderId(1 << 60);
    let lost = store.recover(inbox, &[all[1]], nowhere).await;
    fails(lost, ErrorKind::NotFound);
    assert_eq!(alice.numbers(Table::SoftDeleted(inbox)).await, [all[1]]);
}

/// A call that is repeated finds nothing more to do, and what was never deleted is not recovered.
pub async fn recovering_again_changes_nothing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let saved = alice.save_many(2).await;
    let gone = [saved[0].number];
    store.delete(inbox, &gone, Deletion::Soft).await.unwrap();
    assert_eq!(store.recover(inbox, &gone, inbox).await.unwrap().len(), 1);
    let after = alice.info().await;
    let again = [saved[0].number, saved[1].number, ItemNumber(999)];
    assert!(
        store
            .recover(inbox, &again, inbox)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.purge(inbox, &again).await.unwrap().is_empty());
    assert_eq!(alice.info().await, after);
}

/// A key whose item was deleted is free: who has it meanwhile keeps it.
pub async fn a_key_that_was_given_again_stays_with_the_new_item(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let old = alice.save_draft(inbox, keyed("key", draft("old"))).await;
    let gone = [old.number];
    store.delete(inbox, &gone, Deletion::Soft).await.unwrap();
    let new = alice.save_draft(inbox, keyed("key", draft("new"))).await;
    assert!(!new.existing);
    let recovered = store.recover(inbox, &gone, inbox).await.unwrap();
    assert_ne!(recovered[0].target.key, item_key("key"));
    let keys = [item_key("key"), recovered[0].target.key.clone()];
    let found = store.find(inbox, &keys).await.unwrap();
    let target = recovered[0].target.number;
    assert_eq!(found, [Some(new.number), Some(target)]);
}

/// An associated item comes back as one, and does not count.
pub async fn associated_items_come_back_to_their_table(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let hidden = flagged(draft("hidden"), message_flags::ASSOCIATED);
    let saved = alice.save_draft(inbox, hidden).await;
    let gone = [saved.number];
    store.delete(inbox, &gone, Deletion::Soft).await.unwrap();
    assert!(alice.numbers(Table::Associated(inbox)).await.is_empty());
    let recovered = store.recover(inbox, &gone, inbox).await.unwrap();
    let there = alice.numbers(Table::Associated(inbox)).await;
    assert_eq!(there, [recovered[0].target.number]);
    assert_eq!(alice.info().await.items, 0);
}

/// What is purged cannot be recovered, and is no change that clients hear of.
pub async fn purged_items_are_gone_for_good(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let saved = alice.save_many(3).await;
    let gone = [saved[0].number, saved[1].number];
    store.delete(inbox, &gone, Deletion::Soft).await.unwrap();
    let before = alice.info().await;
    let some = [gone[1], saved[2].number];
    assert_eq!(store.purge(inbox, &some).await.unwrap(), [gone[1]]);
    assert_eq!(alice.info().await, before);
    assert_eq!(alice.numbers(Table::SoftDeleted(inbox)).await, [gone[0]]);
    let recovered = store.recover(inbox, &gone, inbox).await.unwrap();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].source, gone[0]);
}

/// The items of a deleted folder, and those that had been deleted in it before, are listed under its id, and come back
/// into another.
pub async fn a_deleted_folder_keeps_its_items(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let top = alice.make_folder("Top").await;
    let made = store.create_folder(&mail_folder(Some(top), "Low")).await;
    let folder = made.unwrap().id;
    let first = alice.save_draft(folder, draft("first")).await.number;
    let second = alice.save_draft(folder, draft("second")).await.number;
    let gone = store.delete(folder, &[first], Deletion::Soft).await;
    assert_eq!(gone.unwrap(), [first]);
    store.delete_folder(folder).await.unwrap();
    fails(store.folder(folder).await, ErrorKind::NotFound);
    let deleted = store.deleted_folders().await.unwrap();
    let [deleted] = &deleted[..] else {
        panic!("{deleted:?}")
    };
    assert_eq!((deleted.id, deleted.parent), (folder, Some(top)));
    assert_eq!((deleted.name.as_str(), deleted.items), ("Low", 2));
    assert_eq!(deleted.class, "IPF.Note");
    let listed = alice.numbers(Table::SoftDeleted(folder)).await;
    assert_eq!(listed, [first, second]);
    let nothing = store.save(folder, &[draft("late")]).await;
    fails(nothing, ErrorKind::NotFound);
    let back = store.recover(inbox, &[second], folder).await;
    fails(back, ErrorKind::NotFound);
    let again = store.create_folder(&mail_folder(Some(top), "Low")).await;
    let again = again.unwrap().id;
    assert_ne!(again, folder);
    let recovered = store.recover(folder, &[first], again).await.unwrap();
    assert_eq!(recovered.len(), 1);
    assert_eq!(store.deleted_folders().await.unwrap()[0].items, 1);
    assert_eq!(store.purge(folder, &[second]).await.unwrap(), [second]);
    // With its last item, the folder goes.
    assert!(store.deleted_folders().await.unwrap().is_empty());
    assert_eq!(alice.numbers(Table::Contents(again)).await.len(), 1);
}

/// There is nothing to recover of an empty folder.
pub async fn a_folder_without_items_leaves_nothing(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let folder = alice.make_folder("Empty").await;
    alice.store.delete_folder(folder).await.unwrap();
    assert!(alice.store.deleted_folders().await.unwrap().is_empty());
    fails(
        alice.store.recover(folder, &[], alice.inbox).await,
        ErrorKind::NotFound,
    );
}

/// A softly deleted item has the time when that happened, whether it went alone or with its folder.
pub async fn what_was_deleted_is_told_when(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let folder = alice.make_folder("Folder").await;
    alice.save_draft(folder, draft("b")).await;
    let saved = alice.save("a").await;
    let begin = FileTime::from(SystemTime::now());
    let gone = [saved.number];
    store.delete(inbox, &gone, Deletion::Soft).await.unwrap();
    store.delete_folder(folder).await.unwrap();
    let end = FileTime::from(SystemTime::now());
    for table in [Table::SoftDeleted(inbox), Table::SoftDeleted(folder)] {
        let rows = query(store, table, &[tags::DELETED_ON.tag()]).await;
        let when = rows.row(0).unwrap().get(&tags::DELETED_ON).unwrap();
        assert!(begin <= when && when <= end, "{begin:?} {when:?} {end:?}");
    }
    let deleted = store.deleted_folders().await.unwrap()[0].deleted;
    assert!(begin <= deleted && deleted <= end);
}

/// Who may delete an item may bring it back and purge it; of deleted folders the owner alone hears.
pub async fn guests_recover_what_they_may_delete(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let (store, inbox) = (&*alice.store, alice.inbox);
    let saved = alice.save_many(2).await;
    let gone = [saved[0].number];
    store.delete(inbox, &gone, Deletion::Soft).await.unwrap();
    let folder = alice.make_folder("Folder").await;
    let share = |rights| {
        [Permission {
            member: Member::User(BOB.into()),
            rights,
        }]
    };
    let shared = store.set_permissions(folder, &share(Rights::ALL)).await;
    shared.unwrap();
    let lost = alice.save_draft(folder, draft("lost")).await.number;
    store.delete_folder(folder).await.unwrap();
    let cases = [(Rights::REVIEWER, false), (Rights::EDITOR, true)];
    for (rights, may) in cases {
        let shared = store.set_permissions(inbox, &share(rights)).await;
        shared.unwrap();
        let bob = logon(&*alice.backend, BOB).await.unwrap();
        fails(bob.deleted_folders().await, ErrorKind::Denied);
        let not_his = bob.recover(folder, &[lost], inbox).await;
        fails(not_his, ErrorKind::NotFound);
        if may {
            assert_eq!(bob.recover(inbox, &gone, inbox).await.unwrap().len(), 1);
        } else {
            fails(bob.recover(inbox, &gone, inbox).await, ErrorKind::Denied);
            fails(bob.purge(inbox, &gone).await, ErrorKind::Denied);
        }
    }
    assert_eq!(alice.inbox_numbers().await.len(), 2);
}
