//! A message as a store gives it, in the words of a recorded one. Source: MS-OXCMSG 1.1.

use mapi_types::{
    Attachment, AttachmentData, MessageTree, PropBag, PropTag, TransferEncoding, Value,
};
use mapi_wire::{
    Guid, PropValue, Utf16,
    code_page::CodePage,
    property_name::{NameId, PropertyName},
};

use crate::{
    Detail, Pieces, json,
    node::{Entry, Node, VALUE},
    text,
    view::{Scene, property_named, property_value},
};

/// What a local id stands for: a property set, and a name in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    /// The property set, in wire order.
    pub set: [u8; 16],
    /// The name.
    pub name: NamedBy,
}

/// A name in a property set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NamedBy {
    /// A number (MNID_ID).
    Lid(u32),
    /// A string (MNID_STRING).
    Text(String),
}

/// A message with all its properties, recipients and attachments by name.
#[derive(Clone, Debug)]
pub struct Message(Entry);

impl Message {
    /// The message, with words in front that say which one it is. `name_of` tells what local ids stand for.
    pub fn new(
        head: &[(&'static str, String)],
        tree: &MessageTree,
        name_of: &dyn Fn(u16) -> Option<Named>,
    ) -> Self {
        let head = head.to_vec();
        let fields = fields(tree, name_of);
        Self(Entry { head, fields })
    }

    /// As text: a property a line, without a line end after the last.
    pub fn to_text(&self, detail: Detail) -> Pieces {
        let mut out = Pieces::default();
        text::write(&self.0, 0, detail, &mut out);
        out
    }

    /// As JSON: one object, on one line.
    pub fn to_json(&self, detail: Detail) -> Pieces {
        let mut out = Pieces::default();
        json::write(&self.0, detail, &mut out);
        out
    }
}

/// Names of local ids.
type Names<'a> = &'a dyn Fn(u16) -> Option<Named>;

fn fields(tree: &MessageTree, name_of: Names<'_>) -> Vec<(std::borrow::Cow<'static, str>, Node)> {
    let mut entry = Entry::default();
    entry.push("properties", properties(&tree.props, name_of));
    let recipients = tree.recipients.iter();
    let recipients = recipients.map(|bag| properties(bag, name_of));
    entry.push("recipients", Node::list(recipients));
    let attachments = tree.attachments.iter();
    let attachments = attachments.map(|one| attachment(one, name_of).into());
    entry.push("attachments", Node::list(attachments));
    entry.fields
}

fn attachment(attachment: &Attachment, name_of: Names<'_>) -> Entry {
    let mut entry = Entry::default();
    entry.push("properties", properties(&attachment.props, name_of));
    match &attachment.data {
        AttachmentData::None => entry.push("data", Node::Absent),
        AttachmentData::Inline(octets) => {
            entry.push("data", Node::shared(octets.clone(), "the data"))
        }
        AttachmentData::Part { range, encoding } => {
            let encoding = match encoding {
                TransferEncoding::Identity => "as it is",
                TransferEncoding::Base64 => "base64",
                TransferEncoding::QuotedPrintable => "quoted-printable",
            };
            let part = Entry::new("encoding", encoding)
                .with("from", Node::Number(range.start.into()))
                .with("to", Node::Number(range.end.into()));
            entry.push("in_original", part);
        }
        AttachmentData::Message(tree) => {
            let head = Vec::new();
            let fields = fields(tree, name_of);
            entry.push("message", Entry { head, fields });
        }
    }
    entry
}

fn properties(bag: &PropBag, name_of: Names<'_>) -> Node {
    let scene = Scene::new(CodePage::WESTERN);
    Node::list(bag.iter().map(|(tag, value)| {
        let name = name_of(tag.id()).map(property_name);
        let value = property_value(tag, &wire(value), &scene);
        let entry = property_named(tag, name.as_ref(), &scene);
        entry.with(VALUE, value).into()
    }))
}

fn property_name(named: Named) -> PropertyName {
    PropertyName {
        set: Guid(named.set),
        id: match named.name {
            NamedBy::Lid(lid) => NameId::Number(lid),
            NamedBy::Text(text) => NameId::Text(text.as_str().into()),
        },
    }
}

/// A value of the core as one of the wire.
fn wire(value: Value<'_>) -> PropValue {
    match value {
        Value::I16(value) => PropValue::I16(value),
        Value::I32(value) => PropValue::I32(value),
        Value::I64(value) => PropValue::I64(value),
        Value::F64(value) => PropValue::F64(value),
        Value::Bool(value) => PropValue::Bool(value),
        Value::Time(value) => PropValue::Time(value.0),
        Value::Guid(value) => PropValue::Guid(Guid(*value)),
        Value::Str(value) => PropValue::String(value.into()),
        Value::Bin(value) => PropValue::Binary(value.into()),
        Value::Strs(list) => PropValue::Strings(list.strs().map(Utf16::from).collect()),
        Value::Bins(list) => PropValue::Binaries(list.iter().map(Into::into).collect()),
    }
}

/// A property as people name it: by the document's name, else by set and number or text, else by its tag.
pub fn property_label(tag: PropTag, named: Option<Named>) -> String {
    let scene = Scene::new(CodePage::WESTERN);
    let name = named.map(property_name);
    let head = property_named(tag, name.as_ref(), &scene).head;
    let last = head.into_iter().next_back();
    last.map_or_else(String::new, |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mapi_types::{FileTime, OwnedValue, named, tags};

    use super::*;

    fn name_of(id: u16) -> Option<Named> {
        let known = named::known_name(id);
        known.map(|known| Named {
            set: known.set,
            name: match known.name {
                named::NameInSet::Lid(lid) => NamedBy::Lid(lid),
                named::NameInSet::Text(text) => NamedBy::Text(text.to_owned()),
            },
        })
    }

    fn tree() -> MessageTree {
        let start = FileTime::from_unix(1_800_000_000);
        let props = [
            (tags::SUBJECT.tag(), OwnedValue::Str("a \"b\"".into())),
            (tags::IMPORTANCE.tag(), OwnedValue::I32(2)),
            (tags::APPOINTMENT_START_WHOLE.tag(), OwnedValue::Time(start)),
            (PropTag(0x9001_0003), OwnedValue::I32(7)),
        ];
        let name = (tags::DISPLAY_NAME.tag(), OwnedValue::Str("x".into()));
        MessageTree {
            props: props.into_iter().collect(),
            recipients: vec![[name].into_iter().collect()],
            attachments: vec![Attachment {
                props: PropBag::default(),
                data: AttachmentData::Inline(Bytes::from_static(b"\x01\x02")),
            }],
        }
    }

    #[test]
    fn a_message_is_shown_by_the_names_of_the_documents() {
        let shown = Message::new(&[("item", "7".to_owned())], &tree(), &name_of);
        let json: String = shown.to_json(Detail::Short).collect();
        for expected in [
            r#"{"item":"7","properties":["#,
            r#"{"tag":"0x0037001f","name":"PidTagSubject","value":"a \"b\""}"#,
            r#"{"tag":"0x00170003","name":"PidTagImportance","value":{"number":2,"meaning":["high"]}}"#,
            r#""name":"PidLidAppointmentStartWhole","value":"2027-01-15T08:00:00Z"}"#,
            r#"{"tag":"0x90010003","value":7}"#,
            r#""recipients":[[{"tag":"0x3001001f","name":"PidTagDisplayName","value":"x"}]]"#,
            r#""hex":"0102""#,
        ] {
            assert!(json.contains(expected), "{expected} in {json}");
        }
        let text: String = shown.to_text(Detail::Short).collect();
        assert!(text.contains("PidLidAppointmentStartWhole"), "{text}");
    }

    #[test]
    fn a_label_is_the_best_name_there_is() {
        let check = |tag: PropTag, expected: &str| {
            assert_eq!(property_label(tag, name_of(tag.id())), expected);
        };
        check(tags::SUBJECT.tag(), "PidTagSubject");
        check(tags::BUSY_STATUS.tag(), "PidLidBusyStatus");
        check(PropTag(0x9001_0003), "0x90010003");
    }
}
