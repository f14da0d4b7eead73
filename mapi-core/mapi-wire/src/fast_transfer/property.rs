//! Properties of a FastTransfer stream, exactly as they are on the wire. Source: MS-OXCFXICS 2.2.4.1.1 to 2.2.4.1.3.

use mapi_types::PropTag;

use crate::{
    code_page::CodePage,
    cursor::Utf16,
    ids::{Guid, Id},
    property_name::PropertyName,
    value::types,
};

/// A property with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The tag. Ids from 0x8000 mean nothing without `name`, and nothing in another mailbox.
    pub tag: PropTag,
    /// The name; there exactly when the id is 0x8000 or above.
    pub name: Option<PropertyName>,
    /// The value, of the shape that [`Layout`] gives the tag.
    pub value: Value,
}

/// A value by its shape. What it means, the type in the tag says: a time is an `I64`, a string is `Octets`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// PtypInteger16.
    I16(i16),
    /// PtypInteger32, PtypErrorCode.
    I32(i32),
    /// PtypFloating32.
    F32(f32),
    /// PtypFloating64, PtypFloatingTime.
    F64(f64),
    /// PtypInteger64, PtypCurrency, PtypTime.
    I64(i64),
    /// PtypBoolean: two octets here, of which the low one counts.
    Bool(u16),
    /// PtypGuid.
    Guid(Guid),
    /// PtypString8, PtypString and strings in a code page, each with the terminator if it came with one; PtypBinary,
    /// PtypServerId, PtypObject.
    Octets(Box<[u8]>),
    /// PtypMultipleInteger16.
    I16s(Box<[i16]>),
    /// PtypMultipleInteger32.
    I32s(Box<[i32]>),
    /// PtypMultipleFloating32.
    F32s(Box<[f32]>),
    /// PtypMultipleFloating64, PtypMultipleFloatingTime.
    F64s(Box<[f64]>),
    /// PtypMultipleInteger64, PtypMultipleCurrency, PtypMultipleTime.
    I64s(Box<[i64]>),
    /// PtypMultipleGuid.
    Guids(Box<[Guid]>),
    /// Multiple strings or binary values.
    OctetsList(Box<[Box<[u8]>]>),
}

impl Value {
    /// About how much memory the value takes beside itself.
    pub(super) fn octets(&self) -> usize {
        match self {
            Self::I16(_) | Self::I32(_) | Self::F32(_) | Self::F64(_) => 0,
            Self::I64(_) | Self::Bool(_) | Self::Guid(_) => 0,
            Self::Octets(value) => value.len(),
            Self::I16s(values) => 2 * values.len(),
            Self::I32s(values) => 4 * values.len(),
            Self::F32s(values) => 4 * values.len(),
            Self::F64s(values) => 8 * values.len(),
            Self::I64s(values) => 8 * values.len(),
            Self::Guids(values) => 16 * values.len(),
            Self::OctetsList(values) => values.iter().map(|value| 16 + value.len()).sum(),
        }
    }
}

/// The bit of types that name a code page; the other bits are its number.
const CODE_PAGE: u16 = 0x8000;

/// Code page 65001 does not fit in 15 bits: this type is it, not page 32233, which is none.
const TYPE_UTF8: u16 = 0xfde9;

/// Multiple strings in UTF-16, as a code page type. The other types with both bits are single strings.
const TYPE_UTF16_MULTIPLE: u16 = 0x94b0;

/// How the octets of a value lie in a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// One value of the type.
    One(Shape),
    /// A count of 32 bits, then the values.
    Many(Shape),
}

/// How one value lies in a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Two octets.
    I16,
    /// Four octets.
    I32,
    /// Four octets.
    F32,
    /// Eight octets.
    F64,
    /// Eight octets.
    I64,
    /// Two octets.
    Bool,
    /// 16 octets.
    Guid,
    /// A length of 32 bits, then so many octets.
    Octets,
}

impl Shape {
    /// Octets of a value of fixed size.
    pub const fn size(self) -> Option<usize> {
        Some(match self {
            Self::I16 | Self::Bool => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 | Self::I64 => 8,
            Self::Guid => 16,
            Self::Octets => return None,
        })
    }

    const fn of(kind: u16) -> Option<Self> {
        Some(match kind {
            types::I16 => Self::I16,
            types::I32 | types::ERROR => Self::I32,
            types::F32 => Self::F32,
            types::F64 | types::FLOATING_TIME => Self::F64,
            types::I64 | types::CURRENCY | types::TIME => Self::I64,
            types::BOOL => Self::Bool,
            types::GUID => Self::Guid,
            types::STRING8 | types::STRING | types::BINARY | types::SERVER_ID | types::OBJECT => {
                Self::Octets
            }
            _ => return None,
        })
    }
}

impl Layout {
    /// The layout of a property's value; `None` for types that streams do not carry.
    pub const fn of(tag: PropTag) -> Option<Self> {
        let kind = tag.0 as u16;
        // MS-OXCFXICS 3.1.5.2.1: the one property whose type is wrong.
        if tag.0 == super::meta::IDSET_GIVEN.0 {
            return Some(Self::One(Shape::Octets));
        }
        if kind == TYPE_UTF16_MULTIPLE {
            return Some(Self::Many(Shape::Octets));
        }
        if kind & CODE_PAGE != 0 {
            return Some(Self::One(Shape::Octets));
        }
        match (
            kind & types::MULTIPLE != 0,
            Shape::of(kind & !types::MULTIPLE),
        ) {
            (_, None) | (true, Some(Shape::Bool)) => None,
            (false, Some(shape)) => Some(Self::One(shape)),
            (true, Some(shape)) => Some(Self::Many(shape)),
        }
    }
}

impl Property {
    /// A property with a fixed id.
    pub const fn new(tag: PropTag, value: Value) -> Self {
        Self {
            tag,
            name: None,
            value,
        }
    }

    /// PtypInteger32.
    pub const fn i32(tag: u32, value: i32) -> Self {
        Self::new(PropTag(tag), Value::I32(value))
    }

    /// PtypInteger64, PtypTime or PtypCurrency.
    pub const fn i64(tag: u32, value: i64) -> Self {
        Self::new(PropTag(tag), Value::I64(value))
    }

    /// PtypBoolean.
    pub const fn bool(tag: u32, value: bool) -> Self {
        Self::new(PropTag(tag), Value::Bool(value as u16))
    }

    /// PtypBinary.
    pub fn binary(tag: u32, value: &[u8]) -> Self {
        Self::new(PropTag(tag), Value::Octets(value.into()))
    }

    /// PtypString, with its terminator.
    pub fn string(tag: u32, text: &str) -> Self {
        let octets = string_octets(&Utf16::from(text).0);
        Self::new(PropTag(tag), Value::Octets(octets))
    }

    /// The type in the tag.
    pub const fn kind(&self) -> u16 {
        self.tag.0 as u16
    }

    /// The value of a PtypInteger32 or PtypErrorCode.
    pub const fn as_i32(&self) -> Option<i32> {
        match self.value {
            Value::I32(value) => Some(value),
            _ => None,
        }
    }

    /// The value of a PtypInteger64, PtypTime or PtypCurrency.
    pub const fn as_i64(&self) -> Option<i64> {
        match self.value {
            Value::I64(value) => Some(value),
            _ => None,
        }
    }

    /// The value of a PtypInteger64 that is an object id or a change number.
    pub fn as_id(&self) -> Option<Id> {
        Some(Id::from_u64(self.as_i64()?.cast_unsigned()))
    }

    /// The value of a PtypBoolean.
    pub const fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value & 0xff != 0),
            _ => None,
        }
    }

    /// The octets of a value of variable length, terminators included.
    pub fn as_octets(&self) -> Option<&[u8]> {
        match &self.value {
            Value::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    /// The text of a string of any kind, without its terminator. `page` is the code page of the logon, in which
    /// PtypString8 comes.
    pub fn to_text(&self, page: CodePage) -> Option<String> {
        match (&self.value, self.page(page)) {
            (Value::Octets(octets), Some(page)) => Some(text(octets, page)),
            _ => None,
        }
    }

    /// The texts of multiple strings of any kind.
    pub fn to_texts(&self, page: CodePage) -> Option<Vec<String>> {
        match (&self.value, self.page(page)) {
            (Value::OctetsList(list), Some(page)) => {
                Some(list.iter().map(|octets| text(octets, page)).collect())
            }
            _ => None,
        }
    }

    /// The code page of a string; `None` when the property is no string.
    pub(super) fn page(&self, string8: CodePage) -> Option<CodePage> {
        const STRINGS8: u16 = types::STRING8 | types::MULTIPLE;
        const STRINGS: u16 = types::STRING | types::MULTIPLE;
        match self.kind() {
            types::STRING8 | STRINGS8 => Some(string8),
            types::STRING | STRINGS | TYPE_UTF16_MULTIPLE => Some(CodePage::UTF16),
            TYPE_UTF8 => Some(CodePage::UTF8),
            kind if kind & CODE_PAGE != 0 => Some(CodePage(kind & !CODE_PAGE)),
            _ => None,
        }
    }
}

/// Undoes a code page.
fn text(octets: &[u8], page: CodePage) -> String {
    match page {
        CodePage::UTF16 => utf16_of(octets, page).to_text(),
        _ => page.decode(unterminated(octets, page.unit())),
    }
}

/// Undoes a code page into UTF-16, which keeps half pairs if it was that.
pub(super) fn utf16_of(octets: &[u8], page: CodePage) -> Utf16 {
    let octets = unterminated(octets, page.unit());
    match page {
        CodePage::UTF16 => Utf16::from_le_bytes(octets),
        _ => page.decode(octets).as_str().into(),
    }
}

/// A string without the NUL at its end, which not all servers write (MS-OXCFXICS 2.2.4.1.1). A unit has 1 or 2 octets.
pub(super) fn unterminated(octets: &[u8], unit: usize) -> &[u8] {
    let end = [0; 2];
    let end = end.get(..unit).unwrap_or(&end);
    octets.strip_suffix(end).unwrap_or(octets)
}

/// The octets of a PtypString, with its terminator.
pub(super) fn string_octets(units: &[u16]) -> Box<[u8]> {
    let units = units.iter().chain(&[0]);
    units.flat_map(|unit| unit.to_le_bytes()).collect()
}

/// The first property with this id, whatever its type: strings come in several.
pub fn find_id(props: &[Property], id: u16) -> Option<&Property> {
    props.iter().find(|property| property.tag.id() == id)
}

/// The first property with this tag.
pub fn find(props: &[Property], tag: PropTag) -> Option<&Property> {
    props.iter().find(|property| property.tag == tag)
}
