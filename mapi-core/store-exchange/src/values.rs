//! Property values between the wire and the core.
//!
//! The core knows eleven types; what has another (a float of 32 bits, a currency, a restriction) is left out, for no
//! converter asks for it. Strings of every encoding become UTF-8. Named properties are translated by a [`Names`].

use std::collections::HashMap;

use mapi_store::{PropName, PropNameId, fixed_id, fixed_name};
use mapi_types::{FileTime, Multi, OwnedValue, PropTag, PropType, Value, tags};
use mapi_wire::{
    Guid, PropValue, TaggedValue, Utf16,
    code_page::CodePage,
    fast_transfer::{self, Property},
    property_name::{NameId, PropertyName},
    value::types,
};

/// The lowest id of a named property.
const NAMED_FIRST: u16 = 0x8000;

/// PidTagMessageSize, which the core knows only in its wide form.
const MESSAGE_SIZE_NARROW: PropTag = PropTag(0x0e08_0003);

/// The local ids of named properties: those that are fixed, and those that a mirror has given out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    given: HashMap<PropertyName, u16>,
}

impl Names {
    /// The local id of a name.
    pub(crate) fn id(&self, name: &PropertyName) -> Option<u16> {
        fixed_id(&store_name(name)).or_else(|| self.given.get(name).copied())
    }

    /// The name behind a local id.
    pub(crate) fn name(&self, id: u16) -> Option<PropName> {
        let given = || self.given.iter().find(|(_, given)| **given == id);
        fixed_name(id).or_else(|| given().map(|(name, _)| store_name(name)))
    }

    /// Notes an id that the mirror has given out.
    pub(crate) fn learn(&mut self, name: PropertyName, id: u16) {
        self.given.insert(name, id);
    }

    /// The names among these properties that have no local id yet.
    pub(crate) fn unknown<'a>(
        &self,
        props: impl IntoIterator<Item = &'a Property>,
    ) -> Vec<PropertyName> {
        let names = props.into_iter().filter_map(|prop| prop.name.as_ref());
        let mut names: Vec<_> = names
            .filter(|name| self.id(name).is_none())
            .cloned()
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A name as the seam writes it.
pub(crate) fn store_name(name: &PropertyName) -> PropName {
    PropName {
        set: name.set.0,
        id: match &name.id {
            NameId::Number(lid) => PropNameId::Lid(*lid),
            NameId::Text(text) => PropNameId::Name(text.to_text()),
        },
    }
}

/// A name as the wire writes it.
pub(crate) fn wire_name(name: &PropName) -> PropertyName {
    PropertyName {
        set: Guid(name.set),
        id: match &name.id {
            PropNameId::Lid(lid) => NameId::Number(*lid),
            PropNameId::Name(text) => NameId::Text(text.as_str().into()),
        },
    }
}

/// A property of a stream; `None` when its type or its name is not known here.
pub(crate) fn from_stream(
    prop: &Property,
    names: &Names,
    page: CodePage,
) -> Option<(PropTag, OwnedValue)> {
    use fast_transfer::Value as Wire;
    let id = match &prop.name {
        Some(name) => names.id(name)?,
        None if prop.tag.id() < NAMED_FIRST => prop.tag.id(),
        None => return None,
    };
    if let Some(text) = prop.to_text(page) {
        return Some((tag(id, PropType::Str), OwnedValue::Str(text.into())));
    }
    if let Some(texts) = prop.to_texts(page) {
        return Some((tag(id, PropType::Strs), OwnedValue::strs(texts)));
    }
    if prop.tag == MESSAGE_SIZE_NARROW {
        let size = prop.as_i32()?.cast_unsigned();
        return Some((tags::MESSAGE_SIZE.tag(), OwnedValue::I64(size.into())));
    }
    let value = match (prop.kind(), &prop.value) {
        (types::I16, Wire::I16(value)) => OwnedValue::I16(*value),
        (types::I32, Wire::I32(value)) => OwnedValue::I32(*value),
        (types::F64, Wire::F64(value)) => OwnedValue::F64(*value),
        (types::BOOL, Wire::Bool(_)) => OwnedValue::Bool(prop.as_bool()?),
        (types::I64, Wire::I64(value)) => OwnedValue::I64(*value),
        (types::TIME, Wire::I64(value)) => OwnedValue::Time(FileTime(value.cast_unsigned())),
        (types::GUID, Wire::Guid(value)) => OwnedValue::Guid(value.0),
        (types::BINARY, Wire::Octets(value)) => OwnedValue::Bin(value.clone()),
        (_, Wire::OctetsList(list)) => OwnedValue::Bins(OwnedValue::packed(list)),
        _ => return None,
    };
    Some((tag(id, value.as_value().prop_type()), value))
}

/// A value of a row; `None` when its type is not known here.
pub(crate) fn from_row(tag_of: PropTag, value: &PropValue) -> Option<(PropTag, OwnedValue)> {
    let value = match value {
        PropValue::I16(value) => OwnedValue::I16(*value),
        PropValue::I32(value) => OwnedValue::I32(*value),
        PropValue::F64(value) => OwnedValue::F64(*value),
        PropValue::Bool(value) => OwnedValue::Bool(*value),
        PropValue::I64(value) => OwnedValue::I64(*value),
        PropValue::Time(value) => OwnedValue::Time(FileTime(*value)),
        PropValue::Guid(value) => OwnedValue::Guid(value.0),
        PropValue::String(text) => OwnedValue::Str(text.to_text().into()),
        PropValue::Binary(octets) => OwnedValue::Bin(octets.clone()),
        PropValue::Strings(texts) => OwnedValue::strs(texts.iter().map(Utf16::to_text)),
        PropValue::Binaries(list) => OwnedValue::Bins(OwnedValue::packed(list)),
        _ => return None,
    };
    Some((tag(tag_of.id(), value.as_value().prop_type()), value))
}

/// A value for a ROP.
pub(crate) fn to_row(value: Value<'_>) -> PropValue {
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

/// A property for a ROP, under the id that the server gave its name.
pub(crate) fn tagged(id: u16, value: Value<'_>) -> TaggedValue {
    TaggedValue {
        tag: tag(id, value.prop_type()),
        value: to_row(value),
    }
}

/// A property for a stream. Named ones carry their name, and an id that only has to be one of a named property.
pub(crate) fn to_stream(id: u16, name: Option<PropertyName>, value: Value<'_>) -> Property {
    use fast_transfer::Value as Wire;
    let wire = match value {
        Value::I16(value) => Wire::I16(value),
        Value::I32(value) => Wire::I32(value),
        Value::I64(value) => Wire::I64(value),
        Value::F64(value) => Wire::F64(value),
        Value::Bool(value) => Wire::Bool(value.into()),
        Value::Time(value) => Wire::I64(value.0.cast_signed()),
        Value::Guid(value) => Wire::Guid(Guid(*value)),
        Value::Str(value) => Wire::Octets(terminated(value)),
        Value::Bin(value) => Wire::Octets(value.into()),
        Value::Strs(list) => Wire::OctetsList(list.strs().map(terminated).collect()),
        Value::Bins(list) => Wire::OctetsList(octets(list)),
    };
    Property {
        tag: tag(id, value.prop_type()),
        name,
        value: wire,
    }
}

fn octets(list: Multi<'_>) -> Box<[Box<[u8]>]> {
    list.iter().map(Into::into).collect()
}

/// UTF-16 with its terminator.
fn terminated(text: &str) -> Box<[u8]> {
    let units = text.encode_utf16().filter(|&unit| unit != 0).chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}

/// A tag from its halves.
pub(crate) const fn tag(id: u16, kind: PropType) -> PropTag {
    PropTag((id as u32) << 16 | kind as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: CodePage = CodePage(1252);

    #[test]
    fn what_goes_into_a_stream_comes_back() {
        let values = [
            OwnedValue::I16(-3),
            OwnedValue::I32(7),
            OwnedValue::I64(i64::MIN),
            OwnedValue::F64(0.5),
            OwnedValue::Bool(true),
            OwnedValue::Time(FileTime(1 << 60)),
            OwnedValue::Guid([9; 16]),
            OwnedValue::Str("Grüße 🐦".into()),
            OwnedValue::Bin([0, 1, 2].into()),
            OwnedValue::strs(["a", ""]),
            OwnedValue::Bins(OwnedValue::packed([&b"x"[..], b""])),
        ];
        for value in values {
            let prop = to_stream(0x3001, None, value.as_value());
            let back = from_stream(&prop, &Names::default(), PAGE);
            assert_eq!(back, Some((prop.tag, value.clone())));
            let row = tagged(0x3001, value.as_value());
            assert_eq!(from_row(row.tag, &row.value), Some((row.tag, value)));
        }
    }

    #[test]
    fn values_of_a_rop_have_their_types() {
        let check = |value: OwnedValue, tag: u32, expected: PropValue| {
            let row = tagged(0x3001, value.as_value());
            assert_eq!((row.tag, row.value), (PropTag(tag), expected));
        };
        check(OwnedValue::I32(7), 0x3001_0003, PropValue::I32(7));
        check(OwnedValue::Bool(true), 0x3001_000b, PropValue::Bool(true));
        let time = OwnedValue::Time(FileTime(9));
        check(time, 0x3001_0040, PropValue::Time(9));
        let text = OwnedValue::Str("ü".into());
        check(text, 0x3001_001f, PropValue::String("ü".into()));
        let octets = OwnedValue::Bin([1].into());
        check(octets, 0x3001_0102, PropValue::Binary([1].into()));
        let texts = PropValue::Strings(["a".into(), "".into()].into());
        check(OwnedValue::strs(["a", ""]), 0x3001_101f, texts);
    }

    #[test]
    fn named_properties_get_their_local_ids() {
        let keywords = PropertyName {
            set: Guid(mapi_store::PS_PUBLIC_STRINGS),
            id: NameId::Text("Keywords".into()),
        };
        let other = PropertyName {
            set: Guid([1; 16]),
            id: NameId::Number(5),
        };
        let value = OwnedValue::strs(["Work"]);
        let mut names = Names::default();
        let prop = |name: &PropertyName| to_stream(0x8765, Some(name.clone()), value.as_value());
        let (found, _) = from_stream(&prop(&keywords), &names, PAGE).unwrap();
        assert_eq!(found, tags::KEYWORDS.tag());
        assert_eq!(from_stream(&prop(&other), &names, PAGE), None);
        assert_eq!(
            names.unknown([&prop(&keywords), &prop(&other)]),
            std::slice::from_ref(&other)
        );
        names.learn(other.clone(), 0x9001);
        let (found, _) = from_stream(&prop(&other), &names, PAGE).unwrap();
        assert_eq!(found.id(), 0x9001);
    }
}
