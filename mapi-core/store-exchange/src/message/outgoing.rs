//! Messages that go to the server: the core's terms as streams.

use mapi_store::PropName;
use mapi_types::{Attachment, AttachmentData, MessageTree, PropBag, PropTag, tags};
use mapi_wire::fast_transfer::{self, Property};

use crate::values::{to_stream, wire_name};

/// A message for a stream. `left_out` are properties that are set by other means.
pub(crate) fn to_message(
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
                to_attachment(one, number, left_out, name_of)
            })
            .collect(),
        ..fast_transfer::Message::default()
    }
}

fn to_attachment(
    attachment: &Attachment,
    number: i32,
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<PropName>,
) -> fast_transfer::Attachment {
    const DATA_BINARY: u32 = 0x3701_0102;
    const BY_VALUE: i32 = 1;
    const EMBEDDED: i32 = 5;
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
        AttachmentData::Message(tree) => Some(Box::new(to_message(tree, &|_| false, name_of))),
        AttachmentData::None | AttachmentData::Part { .. } => None,
    };
    fast_transfer::Attachment { props, embedded }
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
