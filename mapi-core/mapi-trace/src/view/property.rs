//! Properties: tags by name, values by type and, where a property is known, by what it is. Source: MS-OXCDATA 2.11.

use mapi_types::PropTag;
use mapi_wire::{
    PropValue, ServerId, TaggedValue,
    named::MaybeNamed,
    property_name::{NameId, PropertyName},
    table::SortOrder,
    value::types,
};

use super::{
    Scene, View, binary,
    hints::{bits_code, error_code, one_of, one_of_code},
    ids,
    text::string8,
    time, views,
};
use crate::{
    names::{self, codes, property_codes::Meaning},
    node::{Entry, Node, VALUE},
};

/// Ids from here on are named by each mailbox for itself, but not in the address book.
const NAMED: u16 = 0x8000;

/// A tag with its name.
pub(crate) fn tag(tag: PropTag, scene: &Scene<'_>) -> Entry {
    let name = match (scene.logon, tag.id() >= NAMED && !scene.is_address_book) {
        (Some(logon), true) => logon.names.get(&tag.id()).map(name_text),
        (None, true) => None,
        (_, false) => names::property(tag).map(str::to_owned),
    };
    let entry = Entry::new("tag", format!("{:#010x}", tag.0));
    match name {
        Some(name) => entry.and("name", name),
        None => entry,
    }
}

/// A tag with its name, as a property of a stream has it.
pub(crate) fn tag_named(tag: PropTag, name: Option<&PropertyName>, scene: &Scene<'_>) -> Entry {
    match name {
        Some(name) => Entry::new("tag", format!("{:#010x}", tag.0)).and("name", name_text(name)),
        None => self::tag(tag, scene),
    }
}

/// The name of a named property: that of the documents where they have one, and where it belongs.
pub(crate) fn property_name(name: &PropertyName) -> Entry {
    let set = match names::set(name.set) {
        Some(set) => set.to_owned(),
        None => name.set.to_string(),
    };
    let entry = Entry::new("set", set);
    match &name.id {
        NameId::Number(number) => {
            let entry = entry.and("lid", format!("{number:#06x}"));
            let known = names::set(name.set).and_then(|set| names::lid(set, *number));
            match known {
                Some(known) => entry.and("name", known),
                None => entry,
            }
        }
        NameId::Text(text) => entry.and("text", crate::text::quoted(&text.to_text())),
    }
}

/// The same in one word or a few.
fn name_text(name: &PropertyName) -> String {
    let words = property_name(name).head;
    match words.last() {
        Some(("name", known)) => known.clone(),
        _ => {
            let words: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
            words.join(":")
        }
    }
}

/// A property with its value.
pub(crate) fn property(tag: PropTag, value: Node, scene: &Scene<'_>) -> Node {
    self::tag(tag, scene).with(VALUE, value).into()
}

/// A value, shown by its type and by what the property is.
pub(crate) fn value(tag: PropTag, value: &PropValue, scene: &Scene<'_>) -> Node {
    let known = tag.id() < NAMED || scene.is_address_book;
    match value {
        PropValue::I32(number) if known => {
            coded(tag, u64::from(number.cast_unsigned()), 8).unwrap_or_else(|| number.view(scene))
        }
        PropValue::I64(number) if known => match names::property_codes::meaning(tag.id()) {
            Some(Meaning::Id) => {
                let id = mapi_wire::Id::from_u64(number.cast_unsigned());
                Node::Word(ids::id(id, scene.logon))
            }
            _ => number.view(scene),
        },
        PropValue::Binary(octets) => binary::value(tag, octets, scene),
        PropValue::Binaries(list) => {
            Node::list(list.iter().map(|octets| binary::value(tag, octets, scene)))
        }
        value => plain(value, scene),
    }
}

fn coded(tag: PropTag, number: u64, digits: usize) -> Option<Node> {
    Some(match names::property_codes::meaning(tag.id())? {
        Meaning::One(codes) => one_of_code(number, digits, codes),
        Meaning::Bits(codes) => bits_code(number, digits, codes),
        Meaning::Error => error_code(number as u32),
        Meaning::Id => return None,
    })
}

/// A value, shown by its type alone.
fn plain(value: &PropValue, scene: &Scene<'_>) -> Node {
    match value {
        PropValue::Null => Node::Absent,
        PropValue::I16(v) => v.view(scene),
        PropValue::I32(v) => v.view(scene),
        PropValue::F32(v) => v.view(scene),
        PropValue::F64(v) | PropValue::FloatingTime(v) => v.view(scene),
        PropValue::Currency(v) => currency(*v),
        PropValue::Error(v) => error_code(*v),
        PropValue::Bool(v) => v.view(scene),
        PropValue::Object(v) => Node::octets(v, "an object"),
        PropValue::I64(v) => v.view(scene),
        PropValue::String8(v) => string8(v, scene.page),
        PropValue::String(v) => v.view(scene),
        PropValue::Time(v) => time::time(*v),
        PropValue::Guid(v) => v.view(scene),
        PropValue::ServerId(v) => v.view(scene),
        PropValue::Restriction(v) => v.view(scene),
        PropValue::RuleAction(v) => v.view(scene),
        PropValue::Binary(v) => Node::octets(v, "a binary value"),
        PropValue::I16s(v) => v.view(scene),
        PropValue::I32s(v) => v.view(scene),
        PropValue::F32s(v) => v.view(scene),
        PropValue::F64s(v) | PropValue::FloatingTimes(v) => v.view(scene),
        PropValue::Currencies(v) => Node::list(v.iter().map(|v| currency(*v))),
        PropValue::I64s(v) => v.view(scene),
        PropValue::Strings8(v) => Node::list(v.iter().map(|v| string8(v, scene.page))),
        PropValue::Strings(v) => v.view(scene),
        PropValue::Times(v) => Node::list(v.iter().map(|v| time::time(*v))),
        PropValue::Guids(v) => v.view(scene),
        PropValue::Binaries(v) => Node::list(v.iter().map(|v| Node::octets(v, "a binary value"))),
    }
}

/// Ten-thousandths.
fn currency(value: i64) -> Node {
    let sign = if value < 0 { "-" } else { "" };
    let value = value.unsigned_abs();
    Node::Word(format!("{sign}{}.{:04}", value / 10_000, value % 10_000))
}

impl View for PropTag {
    fn view(&self, scene: &Scene<'_>) -> Node {
        tag(*self, scene).into()
    }
}

impl View for TaggedValue {
    fn view(&self, scene: &Scene<'_>) -> Node {
        property(self.tag, value(self.tag, &self.value, scene), scene)
    }
}

impl View for ServerId {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Ours {
                folder,
                message,
                instance,
            } => Entry::new("server_id", "ours")
                .with("folder", folder.view(scene))
                .with("message", message.view(scene))
                .with("instance", instance.view(scene))
                .into(),
            Self::Theirs(octets) => Entry::new("server_id", "theirs")
                .with("id", Node::octets(octets, "a client's own id"))
                .into(),
        }
    }
}

impl View for PropertyName {
    fn view(&self, _: &Scene<'_>) -> Node {
        property_name(self).into()
    }
}

impl View for MaybeNamed {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Named(name) => name.view(scene),
            Self::Nameless(set) => Entry::new("nameless", "nameless")
                .with("set", set.view(scene))
                .into(),
        }
    }
}

views! {
    SortOrder { tag, order: one_of(codes::table::SORT) }
}

/// The type of a value where the column leaves it open.
pub(crate) fn kind(kind: u16) -> String {
    match names::property_type(kind) {
        Some(name) => name.to_owned(),
        None => format!("type {kind:#06x}"),
    }
}

/// Whether a property is a string of UTF-16, as a stream of its octets is.
pub(crate) const fn is_utf16(tag: PropTag) -> bool {
    tag.0 as u16 == types::STRING
}
