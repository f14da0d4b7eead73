//! Messages as clients read them: octets, and the facts of them.
//!
//! The same message gives the same octets, always: nothing in them depends on the time or on chance.

use std::{collections::HashMap, ops::Range};

use mapi_convert::{
    Limits, Scanned, Scanner, decode,
    oxcmail::{self, Identity},
};
use mapi_types::{
    Attachment, AttachmentData, ContentHash, Message, MessageTree, OwnedValue, PropBag, PropTag,
    tags,
};

use super::{content, hash, over};

/// The message as clients read it: its octets and the facts of them. The same message gives the same octets, always.
///
/// `key` identifies the message for ever; `domain` stands in ids that it lacks.
pub(crate) fn render(tree: MessageTree, key: &[u8], domain: &str) -> Message {
    let identity = Identity { key, domain };
    let (export, warnings) = oxcmail::export(&unmarked(&tree), &identity);
    if !warnings.is_empty() {
        tracing::debug!(
            warnings = warnings.len(),
            "a message could not be said wholly in MIME"
        );
    }
    let mut octets = Vec::with_capacity(usize::try_from(export.size()).unwrap_or_default());
    let mut scanner = Scanner::new(Limits::default());
    let written = export.write(None, &mut |piece| {
        octets.extend_from_slice(piece);
        scanner.feed(piece);
    });
    // Nothing of it is a range of an original, so there is nothing that could fail.
    debug_assert!(written.is_ok());
    let scanned = scanner.finish();
    Message {
        tree: referring(tree, &scanned, &octets),
        derived: scanned.derived(),
        original: Some(content(octets)),
    }
}

/// What people mark a message with without changing what it says.
const MARKS: [PropTag; 2] = [tags::KEYWORDS.tag(), tags::FLAG_REQUEST.tag()];

/// The message without marks: they are flags to clients, and may change under a number, whose octets may not.
fn unmarked(tree: &MessageTree) -> MessageTree {
    let mut unmarked = tree.clone();
    if MARKS.iter().any(|tag| tree.props.value(*tag).is_some()) {
        unmarked.props = tree.props.with(&[], &MARKS);
    }
    unmarked
}

/// A message that stands for one which cannot be had: what the index knows of it, and a text that says so.
pub(crate) fn substitute(index: &PropBag, key: &[u8], domain: &str) -> Message {
    const TEXT: &str = "This message could not be read from the Exchange server. \
        Another program may be able to show it.\r\n";
    let text = [(tags::BODY.tag(), OwnedValue::Str(TEXT.into()))];
    let tree = MessageTree {
        props: index.with(&text, &[]),
        ..MessageTree::default()
    };
    render(tree, key, domain)
}

/// The message with bodies and attachments as ranges of what was rendered: kept a second time they would only take
/// room.
fn referring(tree: MessageTree, scanned: &Scanned, octets: &[u8]) -> MessageTree {
    const BODIES: [PropTag; 3] = [
        tags::BODY.tag(),
        tags::BODY_HTML.tag(),
        tags::RTF_COMPRESSED.tag(),
    ];
    let delivered = tree.props.get(&tags::MESSAGE_DELIVERY_TIME);
    let (imported, _) = oxcmail::import(scanned, delivered.unwrap_or_default());
    let mut parts = HashMap::new();
    collect_parts(&imported.attachments, octets, &mut parts);
    let mut attachments = tree.attachments;
    attachments
        .iter_mut()
        .for_each(|attachment| refer(attachment, &parts));
    MessageTree {
        props: over(&imported.props, &tree.props).with(&[], &BODIES),
        recipients: tree.recipients,
        attachments,
    }
}

/// Where data stand in what was rendered, by their hash.
type Parts = HashMap<ContentHash, AttachmentData>;

fn collect_parts(attachments: &[Attachment], rendered: &[u8], parts: &mut Parts) {
    for attachment in attachments {
        match &attachment.data {
            AttachmentData::Part { range, encoding } => {
                let (Ok(start), Ok(end)) = (range.start.try_into(), range.end.try_into()) else {
                    continue;
                };
                let octets: &[u8] = rendered.get::<Range<usize>>(start..end).unwrap_or_default();
                let data = decode::decode(*encoding, octets);
                parts.insert(hash(&data), attachment.data.clone());
            }
            AttachmentData::Message(embedded) => {
                collect_parts(&embedded.attachments, rendered, parts);
            }
            AttachmentData::None | AttachmentData::Inline(_) => {}
        }
    }
}

/// Data that stand in what was rendered are said by their place.
fn refer(attachment: &mut Attachment, parts: &Parts) {
    match &mut attachment.data {
        AttachmentData::Inline(octets) if !octets.is_empty() => {
            if let Some(part) = parts.get(&hash(octets)) {
                attachment.data = part.clone();
            }
        }
        AttachmentData::Message(embedded) => embedded
            .attachments
            .iter_mut()
            .for_each(|attachment| refer(attachment, parts)),
        AttachmentData::None | AttachmentData::Inline(_) | AttachmentData::Part { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mapi_types::FileTime;

    use super::{super::draft::tests::draft, *};
    use crate::message::whole;

    #[test]
    fn marks_do_not_change_what_a_message_says() {
        let tree = whole(&draft(), FileTime::from_unix(0)).unwrap();
        let marks = [
            (tags::KEYWORDS.tag(), OwnedValue::strs(["Work"])),
            (
                tags::FLAG_REQUEST.tag(),
                OwnedValue::Str("Follow up".into()),
            ),
        ];
        let marked = MessageTree {
            props: tree.props.with(&marks, &[]),
            ..tree.clone()
        };
        let hash = |tree| {
            render(tree, b"1", "example.test")
                .original
                .map(|o| o.hash())
        };
        assert_eq!(hash(marked.clone()), hash(tree));
        let kept = render(marked, b"1", "example.test");
        assert!(kept.tree.props.get(&tags::KEYWORDS).is_some());
    }

    #[test]
    fn rendering_the_same_message_gives_the_same_octets() {
        let tree = || whole(&draft(), FileTime::from_unix(0)).unwrap();
        let hash = |key: &[u8]| {
            let message = render(tree(), key, "example.test");
            (
                message.original.map(|original| original.hash()),
                message.derived,
            )
        };
        assert_eq!(hash(b"1"), hash(b"1"));
        let message = render(tree(), b"1", "example.test");
        assert!(message.derived.structure.len() > 4);
        assert!(matches!(
            message.tree.attachments[0].data,
            AttachmentData::Part { .. }
        ));
        assert_eq!(message.tree.props.get(&tags::BODY), None);
    }

    #[test]
    fn attachments_keep_what_the_server_says_of_them() {
        let named = |name: &str| -> PropBag {
            let name = OwnedValue::Str(name.into());
            [(tags::DISPLAY_NAME.tag(), name)].into_iter().collect()
        };
        let tree = || MessageTree {
            props: named("subject"),
            recipients: Vec::new(),
            attachments: vec![
                Attachment {
                    props: named("nothing"),
                    data: AttachmentData::None,
                },
                Attachment {
                    props: named("data"),
                    data: AttachmentData::Inline(Bytes::from_static(b"\0\xff")),
                },
            ],
        };
        let message = render(tree(), b"1", "example.test");
        let attachments = &message.tree.attachments;
        assert_eq!(attachments[0], tree().attachments[0]);
        assert_eq!(attachments[1].props, named("data"));
        let AttachmentData::Part { range, encoding } = &attachments[1].data else {
            panic!("{:?}", attachments[1])
        };
        let mut octets = vec![0; (range.end - range.start) as usize];
        let original = message.original.unwrap();
        original
            .source()
            .read_exact_at(&mut octets, range.start)
            .unwrap();
        assert_eq!(decode::decode(*encoding, &octets), b"\0\xff");
    }

    #[test]
    fn a_message_that_cannot_be_had_is_one_that_says_so() {
        let subject = (tags::SUBJECT.tag(), OwnedValue::Str("Plans".into()));
        let index: PropBag = [subject].into_iter().collect();
        let message = || substitute(&index, b"1", "example.test");
        let original = message().original.unwrap();
        let text = String::from_utf8(original.source().in_memory().unwrap().to_vec()).unwrap();
        assert!(text.contains("Subject: Plans\r\n") && text.contains("could not be read"));
        assert_eq!(message().original.unwrap().hash(), original.hash());
    }
}
