//! Changes of content: a new number under the same key.

use std::sync::Arc;

use mapi_types::{Change, Derived, Draft, Message, PropTag, Version, tags, tags::message_flags};

use super::mailbox::{Mailbox, any, delta, draft, draft_of, flagged, keyed, numbers, set, text};
use super::originals::piece;
use super::updates::{keywords, keywords_of};
use crate::{Backend, Object, READ_BYTES_MAX};

/// A new content gets a new number under the same key; the bytes it came as are no longer its bytes.
pub async fn a_content_change_renumbers(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let old = alice
        .save_draft(alice.inbox, keyed("k", full_draft()))
        .await;
    let later = alice.save("later").await;
    let change = Change {
        set: vec![
            (tags::SUBJECT.tag(), text("new")),
            (tags::BODY.tag(), text("body")),
        ],
        ..Change::default()
    };
    let updated = alice
        .store
        .update(alice.inbox, &[any(old.number)], &change)
        .await
        .unwrap();
    let new = updated.renumbered[0].1;
    assert_eq!(updated.renumbered, [(old.number, new)]);
    assert!(new > later.number && updated.changed.is_empty());
    let found = alice.store.find(alice.inbox, &[old.key]).await.unwrap();
    assert_eq!(found, [Some(new)]);
    let delta = alice.delta(later.version).await;
    assert_eq!(
        (numbers(&delta.rows), delta.removed),
        (vec![new], vec![old.number])
    );
    let object = Object::Item(alice.inbox, new);
    let bag = alice.store.props(object, &FACTS).await.unwrap();
    assert_eq!(bag.get(&tags::SUBJECT), Some("new"));
    assert_eq!(
        bag.get(&tags::MESSAGE_FLAGS),
        Some(message_flags::READ),
        "flags stay"
    );
    let size = bag.get(&tags::ITEM_SIZE).unwrap();
    assert!(size > 0);
    assert_eq!(
        bag.get(&tags::ITEM_VERSION),
        updated.version.map(|version| version.0 as i64)
    );
    // Facts are gone, or those of the new bytes.
    assert_eq!(bag.get(&tags::ORIGINAL_PREFIX).unwrap_or_default(), b"");
    assert_ne!(bag.get(&tags::DERIVED_ENVELOPE), Some(&b"envelope"[..]));
    match bag.get(&tags::ORIGINAL_SIZE) {
        None => assert_eq!(bag.len(), 4, "{bag:?}"),
        Some(original) => {
            assert_eq!(original, size);
            let piece = piece(new, tags::ORIGINAL.tag(), 0, READ_BYTES_MAX);
            let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
            let bytes = read[0].as_deref().unwrap();
            assert_eq!(bytes.len() as i64, size);
            assert!(bytes.windows(12).any(|part| part == b"Subject: new"));
        }
    }
}

/// What there is to know of an item and of its bytes; asks for them.
pub(super) const FACTS: [PropTag; 10] = [
    tags::SUBJECT.tag(),
    tags::MESSAGE_FLAGS.tag(),
    tags::ITEM_SIZE.tag(),
    tags::ITEM_VERSION.tag(),
    tags::ORIGINAL_SIZE.tag(),
    tags::ORIGINAL_PREFIX.tag(),
    tags::DERIVED_RENDERER.tag(),
    tags::DERIVED_ENVELOPE.tag(),
    tags::DERIVED_STRUCTURE.tag(),
    tags::DERIVED_HEADER.tag(),
];

/// Categories are flags of a mail and content of an event.
pub async fn categories_renumber_events_but_not_mail(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mail = alice
        .save_draft(alice.inbox, draft_of("IPM.Note.SMIME", "a"))
        .await
        .number;
    let event = alice
        .save_draft(alice.inbox, draft_of("IPM.Appointment", "b"))
        .await
        .number;
    let change = keywords(&["Work"], &[]);
    let updated = alice
        .store
        .update(alice.inbox, &[any(mail), any(event)], &change)
        .await
        .unwrap();
    assert_eq!(updated.changed, [mail]);
    assert_eq!(updated.renumbered.len(), 1);
    assert_eq!(updated.renumbered[0].0, event);
    assert_eq!(keywords_of(&alice, updated.renumbered[0].1).await, ["Work"]);
    let delta = delta(&*alice.store, alice.inbox, Version(0)).await;
    assert_eq!(Some(delta.to), updated.version, "one batch is one version");
}

/// Renumbered items keep their order.
pub async fn renumbered_items_keep_their_order(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(3).await;
    let backwards: Vec<_> = saved.iter().rev().map(|saved| any(saved.number)).collect();
    let change = set(tags::BODY.tag(), text("edited"));
    let updated = alice
        .store
        .update(alice.inbox, &backwards, &change)
        .await
        .unwrap();
    let old: Vec<_> = updated.renumbered.iter().map(|(old, _)| *old).collect();
    assert_eq!(
        old,
        saved.iter().map(|saved| saved.number).collect::<Vec<_>>()
    );
    assert!(updated.renumbered.is_sorted_by(|a, b| a.1 < b.1));
    let new: Vec<_> = updated.renumbered.iter().map(|(_, new)| *new).collect();
    assert_eq!(alice.inbox_numbers().await, new);
}

/// A read mail with everything that belongs to an original.
pub(super) fn full_draft() -> Draft {
    let plain = draft("old");
    let derived = Derived {
        renderer: 3,
        envelope: "envelope".into(),
        structure: "structure".into(),
        header: "Subject: old\r\n\r\n".into(),
    };
    let message = Message {
        derived,
        ..(*plain.message).clone()
    };
    let draft = Draft {
        message: Arc::new(message),
        prefix: "Return-Path: <a@example.org>\r\n".into(),
        ..plain
    };
    flagged(draft, message_flags::READ)
}
