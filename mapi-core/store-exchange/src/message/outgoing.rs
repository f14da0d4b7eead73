//! Messages that go to the server: the core's terms as streams.

use mapi_convert::oxcmail::{self, Identity};
use mapi_store::PropName;
use mapi_types::{Attachment, AttachmentData, MessageTree, OwnedValue, PropBag, PropTag, tags};
use mapi_wire::fast_transfer::{self, EMBEDDED_DEPTH_MAX, Property};

use crate::values::{to_stream, wire_name};

/// PidTagAttachMethod of data in the attachment itself. Source: MS-OXCMSG 2.2.2.9.
const BY_VALUE: i32 = 1;

/// A message for a stream. `left_out` are properties that are set by other means.
pub(crate) fn to_message(
    tree: &MessageTree,
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<PropName>,
) -> fast_transfer::Message {
    at_depth(0, tree, left_out, name_of)
}

/// The same of a message that so many others contain.
fn at_depth(
    depth: usize,
    tree: &MessageTree,
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<PropName>,
) -> fast_transfer::Message {
    let props = |bag: &PropBag| stream_props(bag, left_out, name_of);
    fast_transfer::Message {
        props: props(&tree.props),
        recipients: tree
            .recipients
            .iter()
            .enumerate()
            .map(|(row, recipient)| {
                let row = i32::try_from(row).unwrap_or(i32::MAX);
                let mut recipient = props(recipient);
                recipient.retain(|prop| prop.tag != tags::ROWID.tag());
                recipient.insert(0, Property::i32(tags::ROWID.tag().0, row));
                recipient
            })
            .collect(),
        attachments: tree
            .attachments
            .iter()
            .enumerate()
            .map(|(number, one)| {
                let number = i32::try_from(number).unwrap_or(i32::MAX);
                to_attachment(depth, (one, number), left_out, name_of)
            })
            .collect(),
        ..fast_transfer::Message::default()
    }
}

fn to_attachment(
    depth: usize,
    (attachment, number): (&Attachment, i32),
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<PropName>,
) -> fast_transfer::Attachment {
    const DATA_BINARY: u32 = 0x3701_0102;
    const EMBEDDED: i32 = 5;
    let file;
    let attachment = match &attachment.data {
        AttachmentData::Message(tree) if depth >= EMBEDDED_DEPTH_MAX => {
            file = as_file(attachment, tree);
            &file
        }
        _ => attachment,
    };
    let mut props = stream_props(&attachment.props, left_out, name_of);
    props.retain(|prop| prop.tag != tags::ATTACH_NUMBER.tag());
    // Without a method there is no data: MS-OXCMSG 2.2.2.9.
    let method = match &attachment.data {
        AttachmentData::Inline(_) => Some(BY_VALUE),
        AttachmentData::Message(_) => Some(EMBEDDED),
        AttachmentData::None | AttachmentData::Part { .. } => None,
    };
    if let Some(method) = method
        && attachment.props.get(&tags::ATTACH_METHOD).is_none()
    {
        props.push(Property::i32(tags::ATTACH_METHOD.tag().0, method));
    }
    props.insert(0, Property::i32(tags::ATTACH_NUMBER.tag().0, number));
    let embedded = match &attachment.data {
        AttachmentData::Inline(octets) => {
            props.push(Property::binary(DATA_BINARY, octets));
            None
        }
        // Embedded messages are never left unsaid; what is set by other means concerns only the outermost.
        AttachmentData::Message(tree) => {
            Some(Box::new(at_depth(depth + 1, tree, &|_| false, name_of)))
        }
        AttachmentData::None | AttachmentData::Part { .. } => None,
    };
    fast_transfer::Attachment { props, embedded }
}

/// A message so deep within others that a stream cannot say it: as a file with its MIME.
fn as_file(attachment: &Attachment, tree: &MessageTree) -> Attachment {
    let identity = Identity {
        key: b"",
        domain: "localhost",
    };
    let (export, _) = oxcmail::export(tree, &identity);
    let mut octets = Vec::with_capacity(usize::try_from(export.size()).unwrap_or_default());
    // Nothing of it is a range of an original, so there is nothing that could fail.
    let _ = export.write(None, &mut |piece| octets.extend_from_slice(piece));
    let said = [
        (tags::ATTACH_METHOD.tag(), OwnedValue::I32(BY_VALUE)),
        (
            tags::ATTACH_MIME_TAG.tag(),
            OwnedValue::Str("message/rfc822".into()),
        ),
    ];
    Attachment {
        props: attachment.props.with(&said, &[]),
        data: AttachmentData::Inline(octets.into()),
    }
}

fn stream_props(
    bag: &PropBag,
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<PropName>,
) -> Vec<Property> {
    let wanted = bag
        .iter()
        .filter(|(tag, _)| !left_out(*tag) && !is_ours(*tag));
    let mut props: Vec<_> = wanted
        .filter_map(|(tag, value)| {
            let name = match tag.id() {
                0..0x8000 => None,
                id => Some(wire_name(&name_of(id)?)),
            };
            Some(to_stream(tag.id(), name, value))
        })
        .collect();
    // gromox 3.10 takes the flags for all there is to say of receipts, until something says more; and a list of strings
    // only once something has come after it.
    props.sort_by_key(|prop| match &prop.value {
        _ if prop.tag == tags::MESSAGE_FLAGS.tag() => 0,
        fast_transfer::Value::OctetsList(_) => 1,
        _ => 2,
    });
    props
}

/// Facts that never leave the process.
fn is_ours(tag: PropTag) -> bool {
    (0x6f00..=0x6fff).contains(&tag.id())
}

#[cfg(test)]
mod tests {
    use mapi_types::OwnedValue;

    use super::*;
    use crate::values::Names;

    /// A message of this subject, and one within it as often as said.
    fn nested(levels: usize) -> MessageTree {
        let mut tree = MessageTree::default();
        for level in (0..=levels).rev() {
            let subject = OwnedValue::Str(format!("level {level}").into());
            let inner = std::mem::take(&mut tree);
            let attachments = match level == levels {
                true => Vec::new(),
                false => vec![Attachment {
                    props: PropBag::default(),
                    data: AttachmentData::Message(Box::new(inner)),
                }],
            };
            tree = MessageTree {
                props: [(tags::SUBJECT.tag(), subject)].into_iter().collect(),
                recipients: vec![PropBag::default()],
                attachments,
            };
        }
        tree
    }

    #[test]
    fn what_lies_too_deep_for_a_stream_goes_as_a_file() {
        for (levels, in_file) in [(0, false), (31, false), (32, true), (60, true)] {
            let message = to_message(&nested(levels), &|_| false, &|_| None);
            let mut encoder = fast_transfer::Encoder::new();
            encoder.message(&message);
            let octets = encoder.take(usize::MAX);
            let mut parser = fast_transfer::Parser::new(fast_transfer::Limits::default());
            parser.feed(&octets);
            while parser.next_event().unwrap().is_some() {}
            parser.finish().unwrap();
            let deepest = format!("Subject: level {levels}");
            let found = octets
                .windows(deepest.len())
                .any(|part| part == deepest.as_bytes());
            assert_eq!(found, in_file, "{levels}");
        }
    }

    #[test]
    fn flags_come_first_and_lists_not_last() {
        let props = [
            (tags::SUBJECT.tag(), OwnedValue::Str("a".into())),
            (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(1)),
            (tags::KEYWORDS.tag(), OwnedValue::strs(["Work"])),
        ];
        let names = Names::default();
        let bag = props.into_iter().collect();
        let stream = stream_props(&bag, &|_| false, &|id| names.name(id));
        let ids: Vec<_> = stream.iter().map(|prop| prop.tag.id()).collect();
        let expected = [
            tags::MESSAGE_FLAGS.tag(),
            tags::KEYWORDS.tag(),
            tags::SUBJECT.tag(),
        ];
        assert_eq!(ids, expected.map(PropTag::id));
    }
}
