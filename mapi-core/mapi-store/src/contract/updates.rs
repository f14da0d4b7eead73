//! Changing properties of items in batches.

use std::sync::Arc;

use mapi_types::{
    Change, ItemNumber, OwnedValue, PropTag, StringsChange, Version, tags,
    tags::{message_flags, message_status},
};

use super::mailbox::{Mailbox, any, bits, draft, fails, flagged, numbers, query, set, text, with};
use crate::{Backend, ErrorKind, Expected, Object, Table, Updated};

/// A flag keeps the number and raises the version.
pub async fn a_flag_change_keeps_the_number(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(2).await;
    let change = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
    let updated = alice
        .store
        .update(alice.inbox, &[any(saved[0].number)], &change)
        .await
        .unwrap();
    let version = updated.version.unwrap();
    assert!(version > saved[1].version);
    let expected = Updated {
        version: Some(version),
        changed: vec![saved[0].number],
        renumbered: vec![],
        stale: vec![],
    };
    assert_eq!(updated, expected);
    assert_eq!(alice.info().await.version, version);
    assert_eq!(
        i32_of(&alice, saved[0].number, tags::MESSAGE_FLAGS.tag()).await,
        Some(1)
    );
    assert_eq!(
        numbers(&alice.delta(saved[1].version).await.rows),
        [saved[0].number]
    );
}

/// Every kind of flag keeps the number of a mail.
pub async fn flags_of_every_kind_keep_the_number(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let item = alice.save("a").await.number;
    let changes = [
        set(tags::FLAG_STATUS.tag(), OwnedValue::I32(2)),
        set(tags::FOLLOWUP_ICON.tag(), OwnedValue::I32(6)),
        set(tags::ICON_INDEX.tag(), OwnedValue::I32(0x105)),
        set(tags::LAST_VERB_EXECUTED.tag(), OwnedValue::I32(102)),
        bits(tags::MESSAGE_STATUS.tag(), message_status::FORWARDED, 0),
        keywords(&["Work"], &[]),
        Change {
            delete: vec![tags::FLAG_STATUS.tag()],
            ..Change::default()
        },
    ];
    for change in changes {
        let updated = alice
            .store
            .update(alice.inbox, &[any(item)], &change)
            .await
            .unwrap();
        assert_eq!(updated.changed, [item], "{change:?}");
    }
}

/// What leaves an item as it was gives no version.
pub async fn a_change_that_changes_nothing_gives_no_version(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let read = flagged(draft("a"), message_flags::READ);
    let item = alice.save_draft(alice.inbox, read).await.number;
    let before = alice.info().await;
    let changes = [
        bits(
            tags::MESSAGE_FLAGS.tag(),
            message_flags::READ,
            message_flags::UNSENT,
        ),
        bits(tags::MESSAGE_STATUS.tag(), 0, message_status::DELETE_MARKED),
        keywords(&[], &["absent"]),
        set(tags::SUBJECT.tag(), text("a")),
        Change {
            delete: vec![tags::FLAG_STATUS.tag()],
            ..Change::default()
        },
        Change::default(),
    ];
    for change in changes {
        let updated = alice
            .store
            .update(alice.inbox, &[any(item)], &change)
            .await
            .unwrap();
        assert_eq!(updated, Updated::default(), "{change:?}");
    }
    assert_eq!(alice.info().await, before);
}

/// Bits are set and cleared whatever else each item has, and all in one version.
pub async fn bits_are_deltas_in_one_version(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut items = Vec::new();
    for flags in [0x8, 0x9, 0x1, 0x2000] {
        items.push(
            alice
                .save_draft(alice.inbox, flagged(draft("a"), flags))
                .await
                .number,
        );
    }
    let expected: Vec<_> = items.iter().map(|item| any(*item)).collect();
    let change = bits(
        tags::MESSAGE_FLAGS.tag(),
        message_flags::READ,
        message_flags::UNSENT,
    );
    let updated = alice
        .store
        .update(alice.inbox, &expected, &change)
        .await
        .unwrap();
    assert_eq!(
        updated.changed,
        [items[0], items[1], items[3]],
        "the third is as it was"
    );
    let rows = query(&*alice.store, Table::Contents(alice.inbox), &FACTS).await;
    let flags: Vec<_> = rows
        .rows()
        .map(|row| row.get(&tags::MESSAGE_FLAGS).unwrap())
        .collect();
    assert_eq!(flags, [0x1, 0x1, 0x1, 0x2001]);
    let versions: Vec<_> = rows
        .rows()
        .map(|row| row.get(&tags::ITEM_VERSION).unwrap() as u64)
        .collect();
    let version = updated.version.unwrap().0;
    assert_eq!(
        (versions[0], versions[1], versions[3]),
        (version, version, version)
    );
    assert!(versions[2] < version);
}

/// Strings are added once and removed, compared without case; the last takes the property along.
pub async fn strings_are_deltas(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let own = [(tags::KEYWORDS.tag(), OwnedValue::strs(["Work", "Später"]))];
    let item = alice
        .save_draft(alice.inbox, with(draft("a"), &own))
        .await
        .number;
    let apply = async |change: Change| {
        alice
            .store
            .update(alice.inbox, &[any(item)], &change)
            .await
            .unwrap();
        keywords_of(&alice, item).await
    };
    assert_eq!(
        apply(keywords(&["WORK", "New"], &[])).await,
        ["Work", "Später", "New"]
    );
    assert_eq!(
        apply(keywords(&["Last"], &["work", "none"])).await,
        ["Später", "New", "Last"]
    );
    assert!(
        apply(keywords(&[], &["Später", "new", "last"]))
            .await
            .is_empty()
    );
    let bag = alice
        .store
        .props(Object::Item(alice.inbox, item), &[tags::KEYWORDS.tag()])
        .await;
    assert!(bag.unwrap().is_empty());
}

/// Of a batch, those that changed meanwhile are named and left alone; the others change.
pub async fn stale_items_are_named_and_left_alone(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(4).await;
    alice
        .flag(saved[1].number, tags::FLAG_STATUS.tag(), 2, 0)
        .await;
    let expected: Vec<_> = saved
        .iter()
        .map(|saved| Expected {
            item: saved.number,
            version: Some(saved.version),
        })
        .collect();
    let read = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
    let updated = alice
        .store
        .update(alice.inbox, &expected, &read)
        .await
        .unwrap();
    assert_eq!(updated.stale, [saved[1].number]);
    assert_eq!(
        updated.changed,
        [saved[0].number, saved[2].number, saved[3].number]
    );
    let flags = i32_of(&alice, saved[1].number, tags::MESSAGE_FLAGS.tag()).await;
    assert_eq!(flags.unwrap_or(0) & message_flags::READ, 0);
    // Any version from the item's on is fresh enough.
    let seen = alice.info().await.version;
    let fresh = Expected {
        item: saved[1].number,
        version: Some(seen),
    };
    let updated = alice
        .store
        .update(alice.inbox, &[fresh], &read)
        .await
        .unwrap();
    assert_eq!(
        (updated.changed, updated.stale),
        (vec![saved[1].number], vec![])
    );
}

/// When all are stale, nothing changes.
pub async fn a_batch_of_stale_items_gives_no_version(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let item = alice.save("a").await.number;
    let before = alice.info().await;
    let stale = Expected {
        item,
        version: Some(Version(0)),
    };
    let read = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
    let updated = alice
        .store
        .update(alice.inbox, &[stale], &read)
        .await
        .unwrap();
    assert_eq!(
        updated,
        Updated {
            stale: vec![item],
            ..Updated::default()
        }
    );
    assert_eq!(alice.info().await, before);
}

/// Items that are gone are left out of the answer.
pub async fn missing_items_are_left_out(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let item = alice.save("a").await.number;
    let read = bits(tags::MESSAGE_FLAGS.tag(), message_flags::READ, 0);
    let items = [any(item), any(ItemNumber(4_000_000_000)), any(item)];
    let updated = alice
        .store
        .update(alice.inbox, &items, &read)
        .await
        .unwrap();
    assert_eq!(updated.changed, [item], "each once");
    assert_eq!(updated.stale, []);
    let none = alice
        .store
        .update(alice.inbox, &[any(ItemNumber(999))], &read)
        .await
        .unwrap();
    assert_eq!(none, Updated::default());
    assert_eq!(
        alice.store.update(alice.inbox, &[], &read).await.unwrap(),
        Updated::default()
    );
}

/// What the store computes, nobody sets.
pub async fn computed_properties_cannot_be_set(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let forged = [
        (tags::INTERNET_ARTICLE_NUMBER.tag(), OwnedValue::I32(77)),
        (tags::ITEM_VERSION.tag(), OwnedValue::I64(77)),
        (
            tags::SOURCE_KEY.tag(),
            OwnedValue::Bin(Box::from(*b"forged")),
        ),
    ];
    let saved = alice
        .save_draft(alice.inbox, with(draft("a"), &forged))
        .await;
    let columns = forged.clone().map(|(tag, _)| tag);
    let real = async || {
        let bag = alice
            .store
            .props(Object::Item(alice.inbox, saved.number), &columns)
            .await
            .unwrap();
        assert_eq!(
            bag.get(&tags::INTERNET_ARTICLE_NUMBER),
            Some(saved.number.0 as i32)
        );
        assert_eq!(bag.get(&tags::ITEM_VERSION), Some(saved.version.0 as i64));
        assert_eq!(bag.get(&tags::SOURCE_KEY), Some(&*saved.key.0));
    };
    real().await;
    for (tag, value) in forged {
        let refused = alice
            .store
            .update(alice.inbox, &[any(saved.number)], &set(tag, value))
            .await;
        fails(refused, ErrorKind::Invalid);
    }
    real().await;
}

/// A property that came with the shared message can be hidden and changed for one copy alone.
pub async fn copies_of_one_message_change_apart(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let shared = [(tags::FLAG_STATUS.tag(), OwnedValue::I32(2))];
    let mut original = draft("a");
    let message = Arc::make_mut(&mut original.message);
    message.tree.props = message.tree.props.with(&shared, &[]);
    let own = with(
        original.clone(),
        &[(tags::FLAG_STATUS.tag(), OwnedValue::I32(1))],
    );
    let saved = alice
        .store
        .save(alice.inbox, &[original.clone(), own, original])
        .await
        .unwrap();
    let [a, b, c] = [saved[0].number, saved[1].number, saved[2].number];
    let delete = Change {
        delete: vec![tags::FLAG_STATUS.tag()],
        ..Change::default()
    };
    alice
        .store
        .update(alice.inbox, &[any(a)], &delete)
        .await
        .unwrap();
    let status = async |item| i32_of(&alice, item, tags::FLAG_STATUS.tag()).await;
    assert_eq!(
        (status(a).await, status(b).await, status(c).await),
        (None, Some(1), Some(2))
    );
    let message = alice.store.read_message(alice.inbox, a).await.unwrap();
    assert_eq!(message.props.get(&tags::FLAG_STATUS), None);
    let message = alice.store.read_message(alice.inbox, b).await.unwrap();
    assert_eq!(message.props.get(&tags::FLAG_STATUS), Some(1));
}

/// Counts of a folder follow its items' flags.
pub async fn counts_follow_read_state_and_deletion_marks(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    alice
        .save_draft(alice.inbox, flagged(draft("read"), message_flags::READ))
        .await;
    let counts = async || {
        let info = alice.info().await;
        (info.items, info.unread, info.deleted)
    };
    assert_eq!(counts().await, (4, 3, 0));
    let flags = tags::MESSAGE_FLAGS.tag();
    alice
        .flag(saved[0].number, flags, message_flags::READ, 0)
        .await;
    let status = tags::MESSAGE_STATUS.tag();
    alice
        .flag(saved[1].number, status, message_status::DELETE_MARKED, 0)
        .await;
    assert_eq!(counts().await, (4, 2, 1));
    alice
        .flag(saved[0].number, flags, 0, message_flags::READ)
        .await;
    alice
        .flag(saved[1].number, status, 0, message_status::DELETE_MARKED)
        .await;
    assert_eq!(counts().await, (4, 3, 0));
    alice
        .flag(saved[2].number, flags, message_flags::READ, 0)
        .await;
    alice
        .store
        .replace(alice.inbox, any(saved[2].number), &draft("unread"))
        .await
        .unwrap();
    assert_eq!(counts().await, (4, 3, 0));
    let gone = [saved[0].number];
    alice
        .store
        .delete(alice.inbox, &gone, crate::Deletion::Soft)
        .await
        .unwrap();
    assert_eq!(counts().await, (3, 2, 0));
}

const FACTS: [PropTag; 2] = [tags::MESSAGE_FLAGS.tag(), tags::ITEM_VERSION.tag()];

pub(super) fn keywords(add: &[&str], remove: &[&str]) -> Change {
    let boxed = |strings: &[&str]| strings.iter().map(|string| Box::from(*string)).collect();
    let strings = StringsChange {
        tag: tags::KEYWORDS.tag(),
        add: boxed(add),
        remove: boxed(remove),
    };
    Change {
        strings: vec![strings],
        ..Change::default()
    }
}

pub(super) async fn keywords_of(alice: &Mailbox, item: ItemNumber) -> Vec<String> {
    let object = Object::Item(alice.inbox, item);
    let bag = alice
        .store
        .props(object, &[tags::KEYWORDS.tag()])
        .await
        .unwrap();
    bag.get(&tags::KEYWORDS)
        .into_iter()
        .flat_map(|words| words.strs())
        .map(String::from)
        .collect()
}

async fn i32_of(alice: &Mailbox, item: ItemNumber, tag: PropTag) -> Option<i32> {
    let bag = alice
        .store
        .props(Object::Item(alice.inbox, item), &[tag])
        .await
        .unwrap();
    match bag.value(tag) {
        Some(mapi_types::Value::I32(value)) => Some(value),
        _ => None,
    }
}
