//! Messages as downloads write them. Source: MS-OXCFXICS 2.2.4.3.11, 2.2.4.3.15, 3.2.5.10, 3.2.5.12.

use mapi_types::PropTag;
use mapi_wire::{
    PropValue,
    fast_transfer::{self, ListedMessage, MessageChange, Property},
    ics::MessageProgress,
};

use super::{objects::Style, stream_value::to_stream};
use crate::model::{
    body,
    ids::own_id,
    mailbox::Mailbox,
    message::{Attachment, Content, Message, Recipient},
    message_props, tags,
    view::{View, loose_prop},
};

/// Computed properties that come with a whole message. The others say where it is, and not what.
const COMPUTED: [PropTag; 6] = [
    tags::MESSAGE_FLAGS,
    tags::MESSAGE_SIZE,
    tags::HAS_ATTACHMENTS,
    tags::INTERNET_ARTICLE_NUMBER,
    tags::READ,
    tags::ACCESS_LEVEL,
];

/// Properties of the header of a change; they do not come again with the message.
const HEADER: [PropTag; 6] = [
    tags::SOURCE_KEY,
    tags::LAST_MODIFICATION_TIME,
    tags::CHANGE_KEY,
    tags::PREDECESSOR_CHANGE_LIST,
    tags::ASSOCIATED,
    tags::MID,
];

/// The formats of a body.
const BODIES: [PropTag; 3] = [tags::BODY, tags::RTF_COMPRESSED, tags::HTML];

/// Writes messages of a mailbox in a style.
pub(crate) struct MessageStream<'a> {
    /// The mailbox.
    pub(crate) mailbox: &'a Mailbox,
    /// How messages look.
    pub(crate) style: &'a Style,
}

impl MessageStream<'_> {
    /// A message of a synchronization.
    pub(crate) fn change(&self, message: &Message) -> MessageChange {
        let style = self.style;
        let whole = message.associated && style.all_of_hidden;
        let mut body = self.message(&View::Saved(Box::new(message.clone())), whole);
        body.props
            .retain(|property| !HEADER.iter().any(|tag| tag.id() == property.tag.id()));
        body.replaces_recipients = self.has_part(tags::MESSAGE_RECIPIENTS, whole);
        body.replaces_attachments = self.has_part(tags::MESSAGE_ATTACHMENTS, whole);
        let progress = MessageProgress {
            octets: message.size as u32,
            associated: message.associated,
        };
        MessageChange {
            progress: style.with_progress.then(|| progress.to_properties()),
            header: self.header(message),
            message: body,
        }
    }

    /// What a message of a synchronization is. Source: MS-OXCFXICS 2.2.4.3.12.
    fn header(&self, message: &Message) -> Vec<Property> {
        let id = |tag: PropTag, counter: u64| Property::i64(tag.0, own_id(counter).to_u64() as i64);
        let modified = message
            .content
            .props
            .time(tags::LAST_MODIFICATION_TIME)
            .unwrap_or_default();
        let mut header = vec![
            Property::binary(
                tags::SOURCE_KEY.0,
                &self.mailbox.gid(message.mid.0).to_bytes(),
            ),
            Property::i64(tags::LAST_MODIFICATION_TIME.0, modified as i64),
            Property::binary(tags::CHANGE_KEY.0, &message.change_key.to_bytes()),
            Property::binary(
                tags::PREDECESSOR_CHANGE_LIST.0,
                &message.predecessors.to_bytes(),
            ),
            Property::bool(tags::ASSOCIATED.0, message.associated),
        ];
        if self.style.with_id {
            header.push(id(tags::MID, message.mid.0));
        }
        if self.style.with_size {
            header.push(Property::i32(tags::MESSAGE_SIZE.0, message.size as i32));
        }
        if self.style.with_change {
            header.push(id(tags::CHANGE_NUMBER, message.cn.0));
        }
        header
    }

    /// A message of a list.
    pub(crate) fn listed(&self, message: &Message) -> ListedMessage {
        let view = View::Saved(Box::new(message.clone()));
        let mut body = self.message(&view, false);
        if self.style.with_entry_id {
            body.props.splice(0..0, self.identification(message));
        }
        ListedMessage {
            associated: message.associated,
            message: body,
        }
    }

    /// Which message it is, and which change of it. Source: MS-OXCFXICS 2.2.3.1.1.3.1 (`SendEntryId`).
    fn identification(&self, message: &Message) -> [Property; 4] {
        let entry_id = self.mailbox.message_entry_id(message.folder, message.mid);
        let source_key = self.mailbox.gid(message.mid.0).to_bytes();
        [
            Property::binary(tags::ENTRY_ID.0, &entry_id),
            Property::binary(tags::SOURCE_KEY.0, &source_key),
            Property::binary(tags::CHANGE_KEY.0, &message.change_key.to_bytes()),
            Property::binary(
                tags::PREDECESSOR_CHANGE_LIST.0,
                &message.predecessors.to_bytes(),
            ),
        ]
    }

    /// A message with what is in it; with `whole`, whatever the style leaves out.
    pub(crate) fn message(&self, view: &View, whole: bool) -> fast_transfer::Message {
        let content = view.content();
        let prop = |tag| view.prop(self.mailbox, tag);
        let mut message = fast_transfer::Message {
            props: self.props(content, &prop, whole),
            ..fast_transfer::Message::default()
        };
        if self.has_part(tags::MESSAGE_RECIPIENTS, whole) {
            message.recipients = content
                .recipients
                .iter()
                .map(|r| self.recipient(r))
                .collect();
        }
        if self.has_part(tags::MESSAGE_ATTACHMENTS, whole) {
            let attachments = content.attachments.iter();
            message.attachments = attachments.map(|a| self.attachment(a)).collect();
        }
        message
    }

    /// Whether recipients or attachments come.
    pub(crate) fn has_part(&self, part: PropTag, whole: bool) -> bool {
        whole || self.style.tags.contains(&part) == self.style.only
    }

    fn props(
        &self,
        content: &Content,
        prop: &dyn Fn(PropTag) -> Option<PropValue>,
        whole: bool,
    ) -> Vec<Property> {
        let style = self.style;
        if style.only && !whole {
            let made = |tag: PropTag| prop(tag).or_else(|| body::made(&content.props, tag));
            let wanted = style.tags.iter();
            return wanted
                .filter_map(|tag| self.property(*tag, &made(*tag)?))
                .collect();
        }
        let excluded =
            |tag: PropTag| !whole && style.tags.iter().any(|other| other.id() == tag.id());
        let kept = content.props.iter().map(|(tag, _)| tag);
        let kept =
            kept.filter(|tag| !message_props::is_computed(*tag) && self.is_wanted_body(*tag));
        let mut props: Vec<_> = kept
            .chain(COMPUTED)
            .filter(|tag| !excluded(*tag))
            .filter_map(|tag| self.property(tag, &prop(tag)?))
            .collect();
        if !style.best_body && !excluded(tags::RTF_COMPRESSED) {
            let kept = content.props.binary(tags::RTF_COMPRESSED).map(Into::into);
            let rtf = kept
                .or_else(|| body::rtf(&content.props))
                .map(PropValue::Binary);
            props.extend(rtf.and_then(|rtf| self.property(tags::RTF_COMPRESSED, &rtf)));
        }
        props
    }

    /// Without BestBody the body comes as RTF alone. Source: MS-OXCFXICS 2.2.3.2.1.1.1.
    fn is_wanted_body(&self, tag: PropTag) -> bool {
        self.style.best_body || !BODIES.iter().any(|body| body.id() == tag.id())
    }

    fn recipient(&self, recipient: &Recipient) -> Vec<Property> {
        let mut props = vec![
            Property::i32(tags::ROW_ID.0, recipient.row as i32),
            Property::i32(tags::RECIPIENT_TYPE.0, recipient.kind.into()),
        ];
        let others = recipient.props.iter();
        let others = others.filter(|(tag, _)| ![tags::ROW_ID, tags::RECIPIENT_TYPE].contains(tag));
        props.extend(others.filter_map(|(tag, value)| self.property(tag, value)));
        props
    }

    /// An attachment with the message in it.
    pub(crate) fn attachment(&self, attachment: &Attachment) -> fast_transfer::Attachment {
        let mut props = vec![Property::i32(
            tags::ATTACH_NUMBER.0,
            attachment.number as i32,
        )];
        let others = attachment.props.iter();
        props.extend(others.filter_map(|(tag, value)| self.property(tag, value)));
        props.push(Property::i32(tags::ATTACH_SIZE.0, attachment.size() as i32));
        fast_transfer::Attachment {
            props,
            embedded: attachment
                .embedded
                .as_ref()
                .map(|content| Box::new(self.embedded(content))),
        }
    }

    fn embedded(&self, content: &Content) -> fast_transfer::Message {
        let prop = |tag| loose_prop(content, tag);
        fast_transfer::Message {
            props: self.props(content, &prop, true),
            recipients: content
                .recipients
                .iter()
                .map(|r| self.recipient(r))
                .collect(),
            attachments: content
                .attachments
                .iter()
                .map(|a| self.attachment(a))
                .collect(),
            ..fast_transfer::Message::default()
        }
    }

    /// A property as the stream has it.
    pub(crate) fn property(&self, tag: PropTag, value: &PropValue) -> Option<Property> {
        to_stream(tag, value, &self.mailbox.named, self.style.unicode)
    }
}
