//! What only a store promises that keeps everything itself: its mailboxes are its own, its items are what was given to
//! it and nothing else, and no server in between makes something of them.

use std::sync::Arc;

use bytes::Bytes;
use mapi_types::{
    Attachment, AttachmentData, Change, Draft, Message, PropBag, PropTag, TransferEncoding,
    Version, tags, tags::message_flags,
};

use super::{
    mailbox::{Mailbox, any, content, draft, set, text},
    originals::{original, piece, sizes},
    renumbering::{FACTS, full_draft},
    values::{exact_tree, read_rows},
};
use crate::{Backend, Object, Role};

/// A new mailbox has a folder for every role, under its usual name.
pub async fn a_new_mailbox_has_a_folder_for_every_role(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tree = alice.store.hierarchy(Version(0)).await.unwrap();
    for role in Role::ALL {
        let mut folders = tree.changed.iter();
        let folder = folders.find(|folder| folder.role == Some(role)).unwrap();
        assert_eq!(
            (folder.name.as_str(), folder.class.as_str()),
            role.defaults()
        );
    }
}

/// Values of every type come back as they were, and nothing beside them.
pub async fn a_message_comes_back_as_it_was_given(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tree = exact_tree();
    let message = Message {
        tree: tree.clone(),
        ..Message::default()
    };
    let draft = Draft {
        message: Arc::new(message),
        ..draft("a")
    };
    let saved = alice.save_draft(alice.inbox, draft).await;
    let whole = alice.store.read_message(alice.inbox, saved.number).await;
    assert_eq!(whole.unwrap(), tree);
    let columns: Vec<PropTag> = tree.props.iter().map(|(tag, _)| tag).collect();
    let object = Object::Item(alice.inbox, saved.number);
    let bag = alice.store.props(object, &columns).await.unwrap();
    assert_eq!(bag, tree.props);
    let rows = read_rows(&alice, &columns).await;
    assert!(rows.row(0).unwrap().values().eq(tree.props.iter()));
}

/// A message without an original has none afterwards.
pub async fn no_original_is_made_of_properties(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut draft = draft("a");
    Arc::make_mut(&mut draft.message).original = None;
    let saved = alice.save_draft(alice.inbox, draft).await;
    let bag = sizes(&alice, saved.number).await;
    assert_eq!(bag.get(&tags::ORIGINAL_SIZE), None);
    let piece = piece(saved.number, tags::ORIGINAL.tag(), 0, 10);
    let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
    assert_eq!(read, [None]);
}

/// Facts about an original go when the content changes.
pub async fn a_content_change_leaves_no_facts(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let old = alice.save_draft(alice.inbox, full_draft()).await;
    let change = Change {
        set: vec![
            (tags::SUBJECT.tag(), text("new")),
            (tags::BODY.tag(), text("body")),
        ],
        ..Change::default()
    };
    let items = [any(old.number)];
    let updated = alice.store.update(alice.inbox, &items, &change).await;
    let new = updated.unwrap().renumbered[0].1;
    let object = Object::Item(alice.inbox, new);
    let bag = alice.store.props(object, &FACTS).await.unwrap();
    assert!(bag.get(&tags::ITEM_SIZE).unwrap() > 0);
    assert_eq!(bag.get(&tags::MESSAGE_FLAGS), Some(message_flags::READ));
    let left: Vec<PropTag> = bag.iter().map(|(tag, _)| tag).collect();
    assert_eq!(
        left.len(),
        4,
        "facts about the original are gone: {left:x?}"
    );
}

/// Attachments of an edited message are where they were, and so are their octets.
pub async fn parts_of_an_edited_message_stay_where_they_were(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let attachment = Attachment {
        props: PropBag::default(),
        data: AttachmentData::Part {
            range: 14..18,
            encoding: TransferEncoding::Base64,
        },
    };
    let mut draft = original(content("Subject: a\r\n\r\nQUJD\r\n"));
    Arc::make_mut(&mut draft.message).tree.attachments = vec![attachment.clone()];
    let saved = alice.save_draft(alice.inbox, draft).await;
    let change = set(tags::SUBJECT.tag(), text("edited"));
    let items = [any(saved.number)];
    let updated = alice.store.update(alice.inbox, &items, &change).await;
    let item = updated.unwrap().renumbered[0].1;
    let whole = alice.store.read_message(alice.inbox, item).await.unwrap();
    assert_eq!(whole.attachments, [attachment]);
    let piece = piece(item, tags::ORIGINAL.tag(), 14, 4);
    let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
    assert_eq!(read, [Some(Bytes::from_static(b"QUJD"))]);
}
