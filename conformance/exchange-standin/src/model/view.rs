//! A message as an open handle sees it: saved or not, with changes that nobody else sees yet.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::{PropValue, value::types};

use super::{
    mailbox::Mailbox,
    message::{Content, Message},
    message_props,
    props::as_type,
    tags::{self, message_flags},
};

/// A message, or what will become one.
#[derive(Clone, Debug)]
pub enum View {
    /// It is in a folder; its content is that of the handle.
    Saved(Box<Message>),
    /// It is in no folder yet, or within another message.
    Loose(Arc<Content>),
}

/// Properties of a loose message that are computed.
const COMPUTED: [PropTag; 5] = [
    tags::MESSAGE_FLAGS,
    tags::MESSAGE_SIZE,
    tags::HAS_ATTACHMENTS,
    tags::OBJECT_TYPE,
    tags::ACCESS_LEVEL,
];

impl View {
    /// Its content.
    pub fn content(&self) -> &Content {
        match self {
            Self::Saved(message) => &message.content,
            Self::Loose(content) => content,
        }
    }

    /// A property, in the type that is asked for.
    pub fn prop(&self, mailbox: &Mailbox, tag: PropTag) -> Option<PropValue> {
        match self {
            Self::Saved(message) => mailbox.message_prop(message, tag),
            Self::Loose(content) => loose_prop(content, tag),
        }
    }

    /// The tags of all properties.
    pub fn tags(&self, mailbox: &Mailbox) -> Vec<PropTag> {
        match self {
            Self::Saved(message) => mailbox.message_tags(message),
            Self::Loose(content) => {
                let kept = content.props.iter().map(|(tag, _)| tag);
                let kept = kept.filter(|tag| !message_props::is_computed(*tag));
                let mut tags: Vec<_> = kept.chain(COMPUTED).collect();
                tags.sort();
                tags
            }
        }
    }
}

/// A property of a message that is in no folder.
pub fn loose_prop(content: &Content, tag: PropTag) -> Option<PropValue> {
    let size = content.size();
    let is = |known: PropTag| known.id() == tag.id();
    let value = if is(tags::MESSAGE_FLAGS) {
        let unsaved = message_flags::UNSENT | message_flags::READ;
        let flags = content.props.i32(tags::MESSAGE_FLAGS).unwrap_or(unsaved);
        let attached = match content.attachments.is_empty() {
            true => 0,
            false => message_flags::HAS_ATTACH,
        };
        PropValue::I32(flags | attached)
    } else if is(tags::MESSAGE_SIZE) {
        match tag.0 as u16 {
            types::I64 => PropValue::I64(size as i64),
            _ => PropValue::I32(i32::try_from(size).unwrap_or(i32::MAX)),
        }
    } else if is(tags::HAS_ATTACHMENTS) {
        PropValue::Bool(!content.attachments.is_empty())
    } else if is(tags::OBJECT_TYPE) {
        PropValue::I32(5)
    } else if is(tags::ACCESS_LEVEL) {
        PropValue::I32(1)
    } else if message_props::is_computed(tag) {
        return None;
    } else {
        return content.props.read(tag);
    };
    as_type(&value, tag.0 as u16)
}
