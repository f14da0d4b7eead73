//! Values of streams as values of ROPs, and the other way round. Source: MS-OXCFXICS 2.2.4.1.1, MS-OXCDATA 2.11.1.

use mapi_types::PropTag;

use super::property::{Property, Value, string_octets, unterminated, utf16_of};
use crate::{
    code_page::CodePage,
    cursor::{Reader, Writer},
    property_name::PropertyName,
    value::{Dialect, PropValue, TaggedValue, types},
};

impl Property {
    /// A property of a ROP as one of a stream; `name` is needed when its id is 0x8000 or above. `None` for values that
    /// streams do not carry: errors, restrictions, rule actions and nothing.
    pub fn from_tagged(tagged: &TaggedValue, name: Option<PropertyName>) -> Option<Self> {
        let value = match &tagged.value {
            PropValue::I16(v) => Value::I16(*v),
            PropValue::I32(v) => Value::I32(*v),
            PropValue::F32(v) => Value::F32(*v),
            PropValue::F64(v) | PropValue::FloatingTime(v) => Value::F64(*v),
            PropValue::I64(v) | PropValue::Currency(v) => Value::I64(*v),
            PropValue::Time(v) => Value::I64(v.cast_signed()),
            PropValue::Bool(v) => Value::Bool((*v).into()),
            PropValue::Guid(v) => Value::Guid(*v),
            PropValue::Object(v) | PropValue::Binary(v) => Value::Octets(v.clone()),
            PropValue::String8(v) => Value::Octets([v, &[0][..]].concat().into()),
            PropValue::String(v) => Value::Octets(string_octets(&v.0)),
            PropValue::ServerId(_) => Value::Octets(server_id_octets(&tagged.value)),
            PropValue::I16s(v) => Value::I16s(v.clone()),
            PropValue::I32s(v) => Value::I32s(v.clone()),
            PropValue::F32s(v) => Value::F32s(v.clone()),
            PropValue::F64s(v) | PropValue::FloatingTimes(v) => Value::F64s(v.clone()),
            PropValue::I64s(v) | PropValue::Currencies(v) => Value::I64s(v.clone()),
            PropValue::Times(v) => Value::I64s(v.iter().map(|v| v.cast_signed()).collect()),
            PropValue::Guids(v) => Value::Guids(v.clone()),
            PropValue::Binaries(v) => Value::OctetsList(v.clone()),
            PropValue::Strings8(v) => {
                Value::OctetsList(v.iter().map(|v| [v, &[0][..]].concat().into()).collect())
            }
            PropValue::Strings(v) => {
                Value::OctetsList(v.iter().map(|v| string_octets(&v.0)).collect())
            }
            _ => return None,
        };
        Some(Self {
            tag: tagged.tag,
            name,
            value,
        })
    }

    /// The property as one of a ROP. Strings of a code page become PtypString, so the type in the tag may be another;
    /// PtypString8 stays as it is. `None` for a value that is not of the tag's type.
    pub fn to_tagged(&self) -> Option<TaggedValue> {
        let kind = self.rop_kind();
        let page = self.page(CodePage::WESTERN);
        let value = match (&self.value, kind) {
            (Value::I16(v), _) => PropValue::I16(*v),
            (Value::I32(v), types::ERROR) => PropValue::Error(v.cast_unsigned()),
            (Value::I32(v), _) => PropValue::I32(*v),
            (Value::F32(v), _) => PropValue::F32(*v),
            (Value::F64(v), types::FLOATING_TIME) => PropValue::FloatingTime(*v),
            (Value::F64(v), _) => PropValue::F64(*v),
            (Value::I64(v), types::CURRENCY) => PropValue::Currency(*v),
            (Value::I64(v), types::TIME) => PropValue::Time(v.cast_unsigned()),
            (Value::I64(v), _) => PropValue::I64(*v),
            (Value::Bool(v), _) => PropValue::Bool(v & 0xff != 0),
            (Value::Guid(v), _) => PropValue::Guid(*v),
            (Value::Octets(v), types::STRING8) => PropValue::String8(unterminated(v, 1).into()),
            (Value::Octets(v), types::STRING) => PropValue::String(utf16_of(v, page?)),
            (Value::Octets(v), types::OBJECT) => PropValue::Object(v.clone()),
            (Value::Octets(v), types::SERVER_ID) => server_id(v)?,
            (Value::Octets(v), _) => PropValue::Binary(v.clone()),
            (Value::I16s(v), _) => PropValue::I16s(v.clone()),
            (Value::I32s(v), _) => PropValue::I32s(v.clone()),
            (Value::F32s(v), _) => PropValue::F32s(v.clone()),
            (Value::F64s(v), MULTIPLE_FLOATING_TIME) => PropValue::FloatingTimes(v.clone()),
            (Value::F64s(v), _) => PropValue::F64s(v.clone()),
            (Value::I64s(v), MULTIPLE_CURRENCY) => PropValue::Currencies(v.clone()),
            (Value::I64s(v), MULTIPLE_TIME) => {
                PropValue::Times(v.iter().map(|v| v.cast_unsigned()).collect())
            }
            (Value::I64s(v), _) => PropValue::I64s(v.clone()),
            (Value::Guids(v), _) => PropValue::Guids(v.clone()),
            (Value::OctetsList(v), MULTIPLE_STRING8) => {
                PropValue::Strings8(v.iter().map(|v| unterminated(v, 1).into()).collect())
            }
            (Value::OctetsList(v), MULTIPLE_STRING) => {
                let page = page?;
                PropValue::Strings(v.iter().map(|v| utf16_of(v, page)).collect())
            }
            (Value::OctetsList(v), _) => PropValue::Binaries(v.clone()),
        };
        let tag = PropTag(u32::from(self.tag.id()) << 16 | u32::from(kind));
        Some(TaggedValue { tag, value })
    }

    /// The type that a ROP has for the property.
    fn rop_kind(&self) -> u16 {
        match (self.kind(), &self.value) {
            // MS-OXCFXICS 3.1.5.2.1: the one property whose type is wrong.
            (types::I32, Value::Octets(_)) => types::BINARY,
            (kind, Value::Octets(_)) if kind & 0x8000 != 0 => types::STRING,
            (kind, Value::OctetsList(_)) if kind & 0x8000 != 0 => MULTIPLE_STRING,
            (kind, _) => kind,
        }
    }
}

const MULTIPLE_CURRENCY: u16 = types::CURRENCY | types::MULTIPLE;
const MULTIPLE_FLOATING_TIME: u16 = types::FLOATING_TIME | types::MULTIPLE;
const MULTIPLE_STRING: u16 = types::STRING | types::MULTIPLE;
const MULTIPLE_STRING8: u16 = types::STRING8 | types::MULTIPLE;
const MULTIPLE_TIME: u16 = types::TIME | types::MULTIPLE;

/// Octets of the length before a server id in a ROP.
const LENGTH: usize = 2;

fn server_id(octets: &[u8]) -> Option<PropValue> {
    let mut writer = Writer::new();
    writer.u16(u16::try_from(octets.len()).ok()?);
    writer.put(octets);
    let mut reader = Reader::new(writer.as_bytes());
    PropValue::read(&mut reader, types::SERVER_ID, Dialect::Rop).ok()
}

fn server_id_octets(id: &PropValue) -> Box<[u8]> {
    let mut writer = Writer::new();
    id.write(&mut writer, Dialect::Rop);
    writer.as_bytes().get(LENGTH..).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Id, ServerId};

    fn check(tag: u32, stream: Value, rop: PropValue) {
        let tag = PropTag(tag);
        let property = Property::new(tag, stream);
        let tagged = TaggedValue { tag, value: rop };
        assert_eq!(property.to_tagged().as_ref(), Some(&tagged));
        assert_eq!(Property::from_tagged(&tagged, None), Some(property));
    }

    #[test]
    fn values_of_streams_and_rops_are_the_same_in_other_forms() {
        let octets = |octets: &[u8]| Value::Octets(octets.into());
        check(
            0x0037_001f,
            octets(b"a\0\0\0"),
            PropValue::String("a".into()),
        );
        check(
            0x001a_001e,
            octets(b"a\0"),
            PropValue::String8(b"a".as_slice().into()),
        );
        check(0x3007_0040, Value::I64(-1), PropValue::Time(u64::MAX));
        check(0x674a_0014, Value::I64(-1), PropValue::I64(-1));
        check(0x0017_0006, Value::I64(5), PropValue::Currency(5));
        check(0x0029_000b, Value::Bool(1), PropValue::Bool(true));
        check(
            0x8000_101f,
            Value::OctetsList([b"a\0\0\0".as_slice().into()].into()),
            PropValue::Strings(["a".into()].into()),
        );
        check(
            0x3645_00fb,
            octets(&[[1].as_slice(), &[0; 16], &[7, 0, 0, 0]].concat()),
            PropValue::ServerId(ServerId::Ours {
                folder: Id::default(),
                message: Id::default(),
                instance: 7,
            }),
        );
    }

    #[test]
    fn a_string_of_a_code_page_becomes_utf_16() {
        let cases: [(u32, &[u8]); 4] = [
            (0x0037_84b0, b"\xfc\0\0\0"),
            (0x0037_84b1, b"\0\xfc\0\0"),
            (0x0037_84e4, b"\xfc\0"),
            (0x0037_fde9, "ü".as_bytes()),
        ];
        for (tag, octets) in cases {
            let property = Property::binary(tag, octets);
            let tagged = property.to_tagged().unwrap();
            assert_eq!(tagged.tag, PropTag(0x0037_001f));
            assert_eq!(tagged.value, PropValue::String("ü".into()), "{tag:x}");
            assert_eq!(property.to_text(CodePage::WESTERN).as_deref(), Some("ü"));
        }
    }

    #[test]
    fn the_given_ids_are_binary_whatever_their_type_says() {
        let tagged = Property::binary(0x4017_0003, &[1]).to_tagged().unwrap();
        assert_eq!(tagged.tag, PropTag(0x4017_0102));
    }
}
