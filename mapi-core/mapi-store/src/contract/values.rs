//! Large values, whole messages and derived facts.

use std::sync::Arc;

use bytes::Bytes;
use mapi_types::{
    Attachment, AttachmentData, Derived, Draft, FileTime, ItemNumber, Message, MessageTree,
    OwnedValue, PropBag, PropTag, RowSet, TransferEncoding, Version, tags,
};

use super::mailbox::{Mailbox, any, draft, query, set, text, with};
use super::originals::{pattern, piece};
use crate::{Backend, INLINE_BYTES_MAX, Object, READ_BYTES_MAX, Table};

/// A value above 64 KiB is absent from rows and bags, and read in pieces; one of 64 KiB is inline.
pub async fn large_values_do_not_come_inline(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let html = pattern(INLINE_BYTES_MAX + 1);
    let plain = "ü".repeat(100_000);
    let rtf = pattern(INLINE_BYTES_MAX);
    let own = [
        (tags::BODY_HTML.tag(), OwnedValue::Bin(html.as_ref().into())),
        (tags::BODY.tag(), text(&plain)),
        (
            tags::RTF_COMPRESSED.tag(),
            OwnedValue::Bin(rtf.as_ref().into()),
        ),
    ];
    let mut draft = draft("a");
    let message = Arc::make_mut(&mut draft.message);
    message.tree.props = message.tree.props.with(&own, &[]);
    let saved = alice.save_draft(alice.inbox, draft).await;
    let columns = own.each_ref().map(|(tag, _)| *tag);
    let rows = query(&*alice.store, Table::Contents(alice.inbox), &columns).await;
    let row = rows.row(0).unwrap();
    assert_eq!(
        (row.get(&tags::BODY_HTML), row.get(&tags::BODY)),
        (None, None)
    );
    assert_eq!(row.get(&tags::RTF_COMPRESSED), Some(&*rtf));
    let object = Object::Item(alice.inbox, saved.number);
    assert_eq!(alice.store.props(object, &columns).await.unwrap().len(), 1);
    let changes = alice
        .store
        .changes(alice.inbox, Version(0), &columns, 10)
        .await
        .unwrap();
    let crate::Changes::Delta(delta) = changes else {
        panic!("expired")
    };
    assert_eq!(delta.rows.row(0).unwrap().get(&tags::BODY), None);
    let pieces = [
        piece(saved.number, tags::BODY_HTML.tag(), 65_530, 100),
        piece(saved.number, tags::BODY.tag(), 1, 3),
        piece(saved.number, tags::RTF_COMPRESSED.tag(), 1, 2),
    ];
    let read = alice.store.read_bytes(alice.inbox, &pieces).await.unwrap();
    assert_eq!(read[0], Some(html.slice(65_530..)));
    assert_eq!(
        read[1].as_deref(),
        Some(&plain.as_bytes()[1..4]),
        "offsets count octets"
    );
    assert_eq!(read[2], Some(rtf.slice(1..3)));
    let whole = alice
        .store
        .read_message(alice.inbox, saved.number)
        .await
        .unwrap();
    assert_eq!(
        whole.props.get(&tags::BODY),
        Some(&*plain),
        "a whole message has them"
    );
    assert_eq!(whole.props.get(&tags::BODY_HTML), Some(&*html));
}

/// A large value can be set, replaced and deleted like any other.
pub async fn large_values_change_like_others(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let item = alice.save("a").await.number;
    let large = "x".repeat(200_000);
    let change = set(tags::BODY.tag(), text(&large));
    let updated = alice
        .store
        .update(alice.inbox, &[any(item)], &change)
        .await
        .unwrap();
    let item = updated.renumbered[0].1;
    let again = alice
        .store
        .update(alice.inbox, &[any(item)], &change)
        .await
        .unwrap();
    assert_eq!(again.version, None, "the same value again is no change");
    let last = piece(item, tags::BODY.tag(), 199_999, 10);
    let read = alice.store.read_bytes(alice.inbox, &[last]).await.unwrap();
    assert_eq!(read, [Some(Bytes::from_static(b"x"))]);
    let change = set(tags::BODY.tag(), text("small"));
    let updated = alice
        .store
        .update(alice.inbox, &[any(item)], &change)
        .await
        .unwrap();
    let object = Object::Item(alice.inbox, updated.renumbered[0].1);
    let bag = alice
        .store
        .props(object, &[tags::BODY.tag()])
        .await
        .unwrap();
    assert_eq!(bag.get(&tags::BODY), Some("small"));
}

/// A message comes back whole: values of every type, recipients, attachments, messages in messages. A server may have
/// added to them.
pub async fn a_message_comes_back_whole(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let tree = rich_tree();
    let message = Message {
        tree: tree.clone(),
        ..Message::default()
    };
    let draft = Draft {
        message: Arc::new(message),
        ..draft("a")
    };
    let saved = alice.save_draft(alice.inbox, draft).await;
    let columns: Vec<PropTag> = tree.props.iter().map(|(tag, _)| tag).collect();
    let object = Object::Item(alice.inbox, saved.number);
    for _ in ["as it was saved", "after it was read"] {
        let bag = alice.store.props(object, &columns).await.unwrap();
        assert_eq!(bag, tree.props);
        let rows = read_rows(&alice, &columns).await;
        assert!(rows.row(0).unwrap().values().eq(tree.props.iter()));
        let whole = alice.store.read_message(alice.inbox, saved.number).await;
        let whole = whole.unwrap();
        includes(&whole.props, &tree.props);
        assert_eq!(whole.recipients.len(), tree.recipients.len());
        for (recipient, given) in whole.recipients.iter().zip(&tree.recipients) {
            includes(recipient, given);
        }
        let read = attached(&alice, saved.number, &whole.attachments).await;
        assert_eq!(read.len(), tree.attachments.len());
        for (attachment, given) in read.iter().zip(&tree.attachments) {
            includes_attachment(attachment, given);
        }
    }
}

fn includes(bag: &PropBag, given: &PropBag) {
    for (tag, value) in given.iter() {
        assert_eq!(bag.value(tag), Some(value), "{tag:x?}");
    }
}

fn includes_attachment(attachment: &Attachment, given: &Attachment) {
    includes(&attachment.props, &given.props);
    match (&attachment.data, &given.data) {
        (AttachmentData::Message(message), AttachmentData::Message(given)) => {
            includes(&message.props, &given.props);
            assert_eq!(message.recipients.len(), given.recipients.len());
            assert_eq!(message.attachments.len(), given.attachments.len());
            for (inner, given) in message.attachments.iter().zip(&given.attachments) {
                includes_attachment(inner, given);
            }
        }
        (data, given) => assert_eq!(data, given),
    }
}

/// The attachments with their octets: those that are parts of the original are read there. They are in base64.
async fn attached(
    alice: &Mailbox,
    item: ItemNumber,
    attachments: &[Attachment],
) -> Vec<Attachment> {
    let mut all = attachments.to_vec();
    let mut open: Vec<&mut Attachment> = all.iter_mut().collect();
    while let Some(attachment) = open.pop() {
        if let AttachmentData::Part { range, encoding } = &attachment.data {
            assert_eq!(*encoding, TransferEncoding::Base64);
            let len = (range.end - range.start) as u32;
            let piece = piece(item, tags::ORIGINAL.tag(), range.start, len);
            let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
            let octets = base64(read[0].as_deref().unwrap());
            attachment.data = AttachmentData::Inline(octets.into());
        } else if let AttachmentData::Message(message) = &mut attachment.data {
            open.extend(&mut message.attachments);
        }
    }
    all
}

/// Undoes base64. Source: RFC 4648 4.
fn base64(text: &[u8]) -> Vec<u8> {
    let value = |octet: &u8| match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut octets, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for six in text.iter().filter_map(value) {
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count) as u8);
        }
    }
    octets
}

pub(super) async fn read_rows(alice: &Mailbox, columns: &[PropTag]) -> RowSet {
    query(&*alice.store, Table::Contents(alice.inbox), columns).await
}

/// A copy's own properties win over the shared ones.
pub async fn own_properties_win_over_shared_ones(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let own = [
        (tags::SUBJECT.tag(), text("own")),
        (
            tags::MESSAGE_DELIVERY_TIME.tag(),
            OwnedValue::Time(FileTime::from_unix(5)),
        ),
    ];
    let saved = alice
        .save_draft(alice.inbox, with(draft("shared"), &own))
        .await;
    let whole = alice
        .store
        .read_message(alice.inbox, saved.number)
        .await
        .unwrap();
    assert_eq!(whole.props.get(&tags::SUBJECT), Some("own"));
    assert_eq!(
        whole.props.get(&tags::MESSAGE_DELIVERY_TIME),
        Some(FileTime::from_unix(5))
    );
    assert_eq!(whole.props.get(&tags::MESSAGE_CLASS), Some("IPM.Note"));
    assert_eq!(
        whole.props.len(),
        3,
        "facts are not properties: {:?}",
        whole.props
    );
}

/// Facts that came with a message are served as columns.
pub async fn derived_facts_are_served(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let mut draft = draft("a");
    Arc::make_mut(&mut draft.message).derived = derived(1);
    let saved = alice.save_draft(alice.inbox, draft).await;
    assert_eq!(derived_of(&alice, saved.number).await, Some(derived(1)));
    let bare = alice.save("bare").await;
    assert_eq!(derived_of(&alice, bare.number).await, None);
}

/// Facts computed later take their place, and neither number nor version nor log notice.
pub async fn derived_facts_can_be_put_later(backend: Arc<dyn Backend>) {
    let alice = Mailbox::new(backend).await;
    let saved = alice.save_many(2).await;
    for saved in &saved {
        assert_eq!(derived_of(&alice, saved.number).await, None);
    }
    let before = alice.info().await;
    let large = Derived {
        structure: pattern(INLINE_BYTES_MAX + 1),
        ..derived(8)
    };
    let facts = [
        (saved[0].number, derived(7)),
        (ItemNumber(999), derived(7)),
        (saved[1].number, large.clone()),
    ];
    alice.store.put_derived(alice.inbox, &facts).await.unwrap();
    assert_eq!(derived_of(&alice, saved[0].number).await, Some(derived(7)));
    alice
        .store
        .put_derived(alice.inbox, &[(saved[0].number, derived(9))])
        .await
        .unwrap();
    assert_eq!(derived_of(&alice, saved[0].number).await, Some(derived(9)));
    let tag = tags::DERIVED_STRUCTURE.tag();
    let object = Object::Item(alice.inbox, saved[1].number);
    assert!(alice.store.props(object, &[tag]).await.unwrap().is_empty());
    let piece = piece(saved[1].number, tag, 0, READ_BYTES_MAX);
    let read = alice.store.read_bytes(alice.inbox, &[piece]).await.unwrap();
    assert_eq!(
        read,
        [Some(large.structure)],
        "a large fact is read in pieces"
    );
    assert_eq!(alice.info().await, before);
    assert!(alice.delta(before.version).await.rows.is_empty());
}

fn derived(renderer: u32) -> Derived {
    Derived {
        renderer,
        envelope: format!("envelope {renderer}").into(),
        structure: Bytes::from_static(b"\0structure\xff"),
        header: "Subject: a\r\n\r\n".into(),
    }
}

async fn derived_of(alice: &Mailbox, item: ItemNumber) -> Option<Derived> {
    let columns = [
        tags::DERIVED_RENDERER.tag(),
        tags::DERIVED_ENVELOPE.tag(),
        tags::DERIVED_STRUCTURE.tag(),
        tags::DERIVED_HEADER.tag(),
    ];
    let object = Object::Item(alice.inbox, item);
    let bag = alice.store.props(object, &columns).await.unwrap();
    let octets = |value: Option<&[u8]>| value.map(Bytes::copy_from_slice).unwrap_or_default();
    Some(Derived {
        renderer: bag.get(&tags::DERIVED_RENDERER)? as u32,
        envelope: octets(bag.get(&tags::DERIVED_ENVELOPE)),
        structure: octets(bag.get(&tags::DERIVED_STRUCTURE)),
        header: octets(bag.get(&tags::DERIVED_HEADER)),
    })
}

/// [`rich_tree`] with what a server of others would not keep.
pub(super) fn exact_tree() -> MessageTree {
    let tree = rich_tree();
    let more = [
        (tags::SUBJECT.tag(), text("Grüße\0 \u{1f4e7}")),
        (tags::RTF_IN_SYNC.tag(), OwnedValue::Bool(false)),
        (tags::RECORD_KEY.tag(), OwnedValue::Bin([].into())),
    ];
    MessageTree {
        props: tree.props.with(&more, &[]),
        ..tree
    }
}

fn rich_tree() -> MessageTree {
    let guid = *b"0123456789abcdef";
    let props = [
        (PropTag(0x6801_0002), OwnedValue::I16(-3)),
        (tags::IMPORTANCE.tag(), OwnedValue::I32(i32::MIN)),
        (PropTag(0x6802_0014), OwnedValue::I64(i64::MIN)),
        (PropTag(0x6803_0005), OwnedValue::F64(-0.5)),
        (tags::READ_RECEIPT_REQUESTED.tag(), OwnedValue::Bool(true)),
        (
            tags::CLIENT_SUBMIT_TIME.tag(),
            OwnedValue::Time(FileTime(i64::MAX as u64)),
        ),
        (PropTag(0x6804_0048), OwnedValue::Guid(guid)),
        (tags::SUBJECT.tag(), text("Grüße \u{1f4e7}")),
        (tags::BODY.tag(), text("")),
        (
            tags::CONVERSATION_INDEX.tag(),
            OwnedValue::Bin([0, 255, 1].into()),
        ),
        (tags::KEYWORDS.tag(), OwnedValue::strs(["a", "", "ü"])),
        (
            PropTag(0x6805_1102),
            OwnedValue::Bins(OwnedValue::packed([&[0_u8, 255][..], &[]])),
        ),
        (tags::MESSAGE_CLASS.tag(), text("IPM.Note")),
    ];
    let bag = |text_of: &str| -> PropBag {
        [(tags::DISPLAY_NAME.tag(), text(text_of))]
            .into_iter()
            .collect()
    };
    let attachment = |name: &str, data| Attachment {
        props: bag(name),
        data,
    };
    let inner = MessageTree {
        props: bag("inner"),
        recipients: vec![bag("someone")],
        attachments: vec![attachment("deep", AttachmentData::Inline(pattern(100_000)))],
    };
    MessageTree {
        props: props.into_iter().collect(),
        recipients: vec![bag("alice"), PropBag::default(), bag("bob")],
        attachments: vec![
            attachment("none", AttachmentData::None),
            attachment(
                "inline",
                AttachmentData::Inline(Bytes::from_static(b"\0\xff")),
            ),
            attachment("message", AttachmentData::Message(Box::new(inner))),
        ],
    }
}
