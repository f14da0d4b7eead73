//! Properties of a message: those that are kept, and those computed from what it is and where.

use mapi_types::PropTag;
use mapi_wire::{PropValue, value::types};

use super::{
    ids::own_id,
    mailbox::Mailbox,
    message::Message,
    props::{as_type, with_type},
    tags,
};

/// The properties of a message that are computed. A client cannot set them.
pub const COMPUTED: [PropTag; 27] = [
    tags::MESSAGE_FLAGS,
    tags::MESSAGE_SIZE,
    tags::PARENT_ENTRY_ID,
    tags::MESSAGE_STATUS,
    tags::HAS_ATTACHMENTS,
    tags::INTERNET_ARTICLE_NUMBER,
    tags::READ,
    tags::ACCESS_LEVEL,
    tags::INSTANCE_KEY,
    tags::MAPPING_SIGNATURE,
    tags::RECORD_KEY,
    tags::STORE_RECORD_KEY,
    tags::STORE_ENTRY_ID,
    tags::OBJECT_TYPE,
    tags::ENTRY_ID,
    tags::SOURCE_KEY,
    tags::PARENT_SOURCE_KEY,
    tags::CHANGE_KEY,
    tags::PREDECESSOR_CHANGE_LIST,
    tags::FOLDER_ID,
    tags::PARENT_FOLDER_ID,
    tags::MID,
    tags::INST_ID,
    tags::INSTANCE_NUM,
    tags::CHANGE_NUMBER,
    tags::ASSOCIATED,
    tags::LAST_MODIFIER_NAME,
];

/// PidTagObjectType of a message. Source: MS-OXCPRPT 2.2.1.7.
const MAPI_MESSAGE: i32 = 5;

/// Whether a property of a message is computed.
pub fn is_computed(tag: PropTag) -> bool {
    COMPUTED.iter().any(|known| known.id() == tag.id())
}

impl Mailbox {
    /// A property of a message, in the type that is asked for.
    pub fn message_prop(&self, message: &Message, tag: PropTag) -> Option<PropValue> {
        match self.computed_message_prop(message, tag) {
            Some(value) => as_type(&value, tag.0 as u16),
            None if is_computed(tag) => None,
            None => message.content.props.read(tag),
        }
    }

    /// The tags of all properties of a message.
    pub fn message_tags(&self, message: &Message) -> Vec<PropTag> {
        let kept = message.content.props.iter().map(|(tag, _)| tag);
        let kept = kept.filter(|tag| !is_computed(*tag));
        let computed = COMPUTED
            .into_iter()
            .filter(|tag| *tag != tags::LAST_MODIFIER_NAME);
        let mut tags: Vec<_> = kept.chain(computed).collect();
        tags.sort();
        tags
    }

    fn computed_message_prop(&self, message: &Message, tag: PropTag) -> Option<PropValue> {
        let (fid, mid) = (message.folder, message.mid);
        let binary = |octets: &[u8]| Some(PropValue::Binary(octets.into()));
        let id = |counter: u64| Some(PropValue::I64(own_id(counter).to_u64() as i64));
        let size = message.size;
        match with_type(tag, type_of_computed(tag)) {
            tags::MESSAGE_FLAGS => Some(PropValue::I32(message.flags())),
            tags::MESSAGE_SIZE => match tag.0 as u16 {
                types::I64 => Some(PropValue::I64(size as i64)),
                _ => Some(PropValue::I32(i32::try_from(size).unwrap_or(i32::MAX))),
            },
            tags::MESSAGE_STATUS => Some(PropValue::I32(message.status as i32)),
            tags::HAS_ATTACHMENTS => Some(PropValue::Bool(!message.content.attachments.is_empty())),
            tags::INTERNET_ARTICLE_NUMBER => Some(PropValue::I32(message.article as i32)),
            tags::READ => Some(PropValue::Bool(message.read)),
            tags::ACCESS_LEVEL => Some(PropValue::I32(1)),
            tags::INSTANCE_KEY => binary(&own_id(mid.0).to_u64().to_le_bytes()),
            tags::MAPPING_SIGNATURE | tags::STORE_RECORD_KEY => binary(&self.guid.0),
            tags::RECORD_KEY | tags::ENTRY_ID => binary(&self.message_entry_id(fid, mid)),
            tags::PARENT_ENTRY_ID => binary(&self.folder_entry_id(fid)),
            tags::STORE_ENTRY_ID => binary(&self.store_entry_id()),
            tags::OBJECT_TYPE => Some(PropValue::I32(MAPI_MESSAGE)),
            tags::SOURCE_KEY => binary(&self.gid(mid.0).to_bytes()),
            tags::PARENT_SOURCE_KEY => binary(&self.gid(fid.0).to_bytes()),
            tags::CHANGE_KEY => binary(&message.change_key.to_bytes()),
            tags::PREDECESSOR_CHANGE_LIST => binary(&message.predecessors.to_bytes()),
            tags::FOLDER_ID | tags::PARENT_FOLDER_ID => id(fid.0),
            tags::MID | tags::INST_ID => id(mid.0),
            tags::INSTANCE_NUM => Some(PropValue::I32(0)),
            tags::CHANGE_NUMBER => id(message.cn.0),
            tags::ASSOCIATED => Some(PropValue::Bool(message.associated)),
            tags::LAST_MODIFIER_NAME => Some(PropValue::String(self.display_name.as_str().into())),
            _ => None,
        }
    }
}

/// The type under which a computed property is listed, whatever type was asked for.
fn type_of_computed(tag: PropTag) -> u16 {
    let known = COMPUTED.iter().find(|known| known.id() == tag.id());
    known.map_or(tag.0 as u16, |known| known.0 as u16)
}
