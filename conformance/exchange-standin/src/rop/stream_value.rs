//! Properties of objects as FastTransfer streams write them, and back. Source: MS-OXCFXICS 2.2.4.1.

use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue, Utf16,
    fast_transfer::{Property, Value},
    value::types,
};

use crate::model::{
    error::{Code, Result},
    named::{FIRST_ID, NamedProperties},
    props::{Props, as_type, type_of, type_of_value, with_type},
};

/// A property as a stream has it; `None` for what no stream carries. Without `unicode`, strings are 8-bit.
pub(crate) fn to_stream(
    tag: PropTag,
    value: &PropValue,
    named: &NamedProperties,
    unicode: bool,
) -> Option<Property> {
    let name = match tag.id() {
        FIRST_ID.. => Some(named.name(tag.id())?),
        _ => None,
    };
    let narrow = match (unicode, value) {
        (false, PropValue::String(_)) => as_type(value, types::STRING8),
        (false, PropValue::Strings(_)) => as_type(value, types::MULTIPLE | types::STRING8),
        _ => None,
    };
    let value = narrow.as_ref().unwrap_or(value);
    Some(Property {
        tag: with_type(tag, type_of_value(value)),
        name,
        value: stream_value(value)?,
    })
}

fn stream_value(value: &PropValue) -> Option<Value> {
    Some(match value {
        PropValue::I16(v) => Value::I16(*v),
        PropValue::I32(v) => Value::I32(*v),
        PropValue::Error(v) => Value::I32(*v as i32),
        PropValue::F32(v) => Value::F32(*v),
        PropValue::F64(v) | PropValue::FloatingTime(v) => Value::F64(*v),
        PropValue::Currency(v) | PropValue::I64(v) => Value::I64(*v),
        PropValue::Time(v) => Value::I64(*v as i64),
        PropValue::Bool(v) => Value::Bool((*v).into()),
        PropValue::Guid(v) => Value::Guid(*v),
        PropValue::Binary(v) | PropValue::Object(v) => Value::Octets(v.clone()),
        PropValue::String(v) => Value::Octets(wide(v)),
        PropValue::String8(v) => Value::Octets(narrow(v)),
        PropValue::I16s(v) => Value::I16s(v.clone()),
        PropValue::I32s(v) => Value::I32s(v.clone()),
        PropValue::F32s(v) => Value::F32s(v.clone()),
        PropValue::F64s(v) | PropValue::FloatingTimes(v) => Value::F64s(v.clone()),
        PropValue::Currencies(v) | PropValue::I64s(v) => Value::I64s(v.clone()),
        PropValue::Times(v) => Value::I64s(v.iter().map(|v| *v as i64).collect()),
        PropValue::Guids(v) => Value::Guids(v.clone()),
        PropValue::Strings(v) => Value::OctetsList(v.iter().map(wide).collect()),
        PropValue::Strings8(v) => Value::OctetsList(v.iter().map(|v| narrow(v)).collect()),
        PropValue::Binaries(v) => Value::OctetsList(v.clone()),
        PropValue::ServerId(v) => Value::Octets(server_id(v)),
        PropValue::Null | PropValue::Restriction(_) | PropValue::RuleAction(_) => return None,
    })
}

fn wide(text: &Utf16) -> Box<[u8]> {
    text.0
        .iter()
        .chain(&[0])
        .flat_map(|unit| unit.to_le_bytes())
        .collect()
}

fn narrow(text: &[u8]) -> Box<[u8]> {
    [text, &[0]].concat().into()
}

fn server_id(id: &mapi_wire::ServerId) -> Box<[u8]> {
    match id {
        mapi_wire::ServerId::Ours {
            folder,
            message,
            instance,
        } => {
            let mut octets = vec![1];
            octets.extend(folder.to_u64().to_le_bytes());
            octets.extend(message.to_u64().to_le_bytes());
            octets.extend(instance.to_le_bytes());
            octets.into()
        }
        mapi_wire::ServerId::Theirs(octets) => [&[0], &**octets].concat().into(),
    }
}

/// Properties of a stream as an object keeps them. Names get the ids of the mailbox.
pub(crate) fn from_stream(properties: &[Property], named: &mut NamedProperties) -> Result<Props> {
    let mut props = Props::default();
    for property in properties {
        let tag = match &property.name {
            Some(name) => {
                let id = named.id_or_new(name)?;
                PropTag(u32::from(id) << 16 | u32::from(type_of(property.tag)))
            }
            None => property.tag,
        };
        let value = kept_value(property).ok_or(Code::FORMAT_ERROR)?;
        props.set(with_type(tag, type_of_value(&value)), value);
    }
    Ok(props)
}

/// The bit of types that name a code page. Source: MS-OXCFXICS 2.2.4.1.1.1.
const CODE_PAGE: u16 = 0x8000;

fn kept_value(property: &Property) -> Option<PropValue> {
    let kind = type_of(property.tag);
    let octets = || property.as_octets();
    if kind & CODE_PAGE != 0 || matches!(kind, types::STRING | types::STRING8) {
        let text = property.to_text(mapi_wire::code_page::CodePage::WESTERN)?;
        return Some(PropValue::String(text.as_str().into()));
    }
    Some(match (&property.value, kind) {
        (Value::I16(v), _) => PropValue::I16(*v),
        (Value::I32(v), types::ERROR) => PropValue::Error(*v as u32),
        (Value::I32(v), _) => PropValue::I32(*v),
        (Value::F32(v), _) => PropValue::F32(*v),
        (Value::F64(v), types::FLOATING_TIME) => PropValue::FloatingTime(*v),
        (Value::F64(v), _) => PropValue::F64(*v),
        (Value::I64(v), types::TIME) => PropValue::Time(*v as u64),
        (Value::I64(v), types::CURRENCY) => PropValue::Currency(*v),
        (Value::I64(v), _) => PropValue::I64(*v),
        (Value::Bool(v), _) => PropValue::Bool(*v & 0xff != 0),
        (Value::Guid(v), _) => PropValue::Guid(*v),
        (Value::Octets(_), types::OBJECT) => PropValue::Object(octets()?.into()),
        (Value::Octets(_), types::SERVER_ID) => PropValue::ServerId(kept_server_id(octets()?)?),
        (Value::Octets(_), _) => PropValue::Binary(octets()?.into()),
        (Value::I16s(v), _) => PropValue::I16s(v.clone()),
        (Value::I32s(v), _) => PropValue::I32s(v.clone()),
        (Value::F32s(v), _) => PropValue::F32s(v.clone()),
        (Value::F64s(v), _) => PropValue::F64s(v.clone()),
        (Value::I64s(v), _) if kind == types::MULTIPLE | types::TIME => {
            PropValue::Times(v.iter().map(|v| *v as u64).collect())
        }
        (Value::I64s(v), _) => PropValue::I64s(v.clone()),
        (Value::Guids(v), _) => PropValue::Guids(v.clone()),
        (Value::OctetsList(v), _) if kind == types::MULTIPLE | types::BINARY => {
            PropValue::Binaries(v.clone())
        }
        (Value::OctetsList(_), _) => {
            let texts = property.to_texts(mapi_wire::code_page::CodePage::WESTERN)?;
            PropValue::Strings(texts.iter().map(|text| text.as_str().into()).collect())
        }
    })
}

fn kept_server_id(octets: &[u8]) -> Option<mapi_wire::ServerId> {
    let (kind, rest) = octets.split_first()?;
    if *kind == 0 {
        return Some(mapi_wire::ServerId::Theirs(rest.into()));
    }
    let (folder, rest) = rest.split_first_chunk::<8>()?;
    let (message, rest) = rest.split_first_chunk::<8>()?;
    let id = |octets: &[u8; 8]| Id::from_u64(u64::from_le_bytes(*octets));
    Some(mapi_wire::ServerId::Ours {
        folder: id(folder),
        message: id(message),
        instance: u32::from_le_bytes(rest.try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use mapi_wire::{
        Guid,
        property_name::{NameId, PropertyName},
    };

    use super::*;

    #[test]
    fn what_a_stream_carries_comes_back_as_it_was() {
        let mut named = NamedProperties::new(0x8100, 10);
        let name = PropertyName {
            set: Guid([7; 16]),
            id: NameId::Number(0x8570),
        };
        let id = named.id_or_new(&name).unwrap();
        let values = [
            (0x0037_001f, PropValue::String("Grüße".into())),
            (0x0e06_0040, PropValue::Time(7)),
            (0x0e1b_000b, PropValue::Bool(true)),
            (0x1013_0102, PropValue::Binary((*b"<p>").into())),
            (
                0x6740_00fb,
                PropValue::ServerId(mapi_wire::ServerId::Ours {
                    folder: Id::from_u64(9),
                    message: Id::default(),
                    instance: 3,
                }),
            ),
            (
                u32::from(id) << 16 | 0x101f,
                PropValue::Strings(["a".into(), "b".into()].into()),
            ),
        ];
        let props: Props = values
            .iter()
            .map(|(tag, value)| (PropTag(*tag), value.clone()))
            .collect();
        for unicode in [true, false] {
            let stream = props
                .iter()
                .map(|(tag, value)| to_stream(tag, value, &named, unicode).unwrap());
            let stream: Vec<_> = stream.collect();
            assert_eq!(
                from_stream(&stream, &mut named),
                Ok(props.clone()),
                "{unicode}"
            );
        }
    }
}
