//! The properties of one object.
//!
//! A property is named by its id; its type belongs to the value. Strings are kept as UTF-16, whatever came, and given
//! out as the type that is asked for. Source: MS-OXCDATA 2.11.1, MS-OXCPRPT 3.2.5.1.

use mapi_types::PropTag;
use mapi_wire::{PropValue, Utf16, value::types};

/// Properties, sorted by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Props(Vec<(PropTag, PropValue)>);

impl Props {
    /// The value of a property, of whatever type it is.
    pub fn get(&self, tag: PropTag) -> Option<&PropValue> {
        let place = self.place(tag).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// The value of a property as the type of `tag`; `None` when it is missing or of a type that cannot become that.
    pub fn read(&self, tag: PropTag) -> Option<PropValue> {
        as_type(self.get(tag)?, tag.0 as u16)
    }

    /// The text of a property.
    pub fn text(&self, tag: PropTag) -> Option<String> {
        match self.get(tag)? {
            PropValue::String(text) => Some(text.to_text()),
            _ => None,
        }
    }

    /// The number of a property.
    pub fn i32(&self, tag: PropTag) -> Option<i32> {
        match self.get(tag)? {
            PropValue::I32(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether a boolean property is there and true.
    pub fn is_true(&self, tag: PropTag) -> bool {
        self.get(tag) == Some(&PropValue::Bool(true))
    }

    /// The time of a property.
    pub fn time(&self, tag: PropTag) -> Option<u64> {
        match self.get(tag)? {
            PropValue::Time(ticks) => Some(*ticks),
            _ => None,
        }
    }

    /// The octets of a binary property.
    pub fn binary(&self, tag: PropTag) -> Option<&[u8]> {
        match self.get(tag)? {
            PropValue::Binary(octets) | PropValue::Object(octets) => Some(octets),
            _ => None,
        }
    }

    /// Sets a property, also to another type than it had.
    pub fn set(&mut self, tag: PropTag, value: PropValue) {
        let (tag, value) = unicode(tag, value);
        match self.place(tag) {
            Ok(place) => {
                if let Some(slot) = self.0.get_mut(place) {
                    *slot = (tag, value);
                }
            }
            Err(place) => self.0.insert(place, (tag, value)),
        }
    }

    /// Sets a text.
    pub fn set_text(&mut self, tag: PropTag, text: &str) {
        self.set(tag, PropValue::String(text.into()));
    }

    /// Sets a property unless it is there.
    pub fn set_default(&mut self, tag: PropTag, value: PropValue) {
        if self.get(tag).is_none() {
            self.set(tag, value);
        }
    }

    /// Removes a property; whether it was there.
    pub fn remove(&mut self, tag: PropTag) -> bool {
        match self.place(tag) {
            Ok(place) => {
                self.0.remove(place);
                true
            }
            Err(_) => false,
        }
    }

    /// Keeps those that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(PropTag) -> bool) {
        self.0.retain(|(tag, _)| keep(*tag));
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = (PropTag, &PropValue)> {
        self.0.iter().map(|(tag, value)| (*tag, value))
    }

    /// About how many octets they take.
    pub fn size(&self) -> usize {
        self.0
            .iter()
            .map(|(_, value)| 4 + size_of_value(value))
            .sum()
    }

    fn place(&self, tag: PropTag) -> Result<usize, usize> {
        self.0.binary_search_by_key(&tag.id(), |(tag, _)| tag.id())
    }
}

impl FromIterator<(PropTag, PropValue)> for Props {
    fn from_iter<I: IntoIterator<Item = (PropTag, PropValue)>>(all: I) -> Self {
        let mut props = Self::default();
        props.extend(all);
        props
    }
}

impl Extend<(PropTag, PropValue)> for Props {
    fn extend<I: IntoIterator<Item = (PropTag, PropValue)>>(&mut self, all: I) {
        for (tag, value) in all {
            self.set(tag, value);
        }
    }
}

/// The tag with another type.
pub const fn with_type(tag: PropTag, kind: u16) -> PropTag {
    PropTag(tag.0 & 0xffff_0000 | kind as u32)
}

/// The type of a tag.
pub const fn type_of(tag: PropTag) -> u16 {
    tag.0 as u16
}

/// A value as another type, where that is the same value: strings of both kinds, and what asks for no type.
pub fn as_type(value: &PropValue, kind: u16) -> Option<PropValue> {
    let own = type_of_value(value);
    if kind == own || kind == types::UNSPECIFIED {
        return Some(value.clone());
    }
    match (value, kind) {
        (PropValue::String(text), types::STRING8) => {
            Some(PropValue::String8(to_windows_1252(text)))
        }
        (PropValue::Strings(all), STRINGS8) => Some(PropValue::Strings8(
            all.iter().map(to_windows_1252).collect(),
        )),
        (PropValue::I32(number), types::I64) => Some(PropValue::I64((*number).into())),
        (PropValue::I64(number), types::I32) => Some(PropValue::I32(i32::try_from(*number).ok()?)),
        (PropValue::Object(octets), types::BINARY) => Some(PropValue::Binary(octets.clone())),
        _ => None,
    }
}

const STRINGS8: u16 = types::MULTIPLE | types::STRING8;
const STRINGS: u16 = types::MULTIPLE | types::STRING;

/// The same property with its strings in UTF-16.
fn unicode(tag: PropTag, value: PropValue) -> (PropTag, PropValue) {
    match value {
        PropValue::String8(octets) => (
            with_type(tag, types::STRING),
            PropValue::String(from_windows_1252(&octets)),
        ),
        PropValue::Strings8(all) => (
            with_type(tag, STRINGS),
            PropValue::Strings(all.iter().map(|octets| from_windows_1252(octets)).collect()),
        ),
        value => (with_type(tag, type_of_value(&value)), value),
    }
}

fn from_windows_1252(octets: &[u8]) -> Utf16 {
    Utf16::from(
        &*encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(octets)
            .0,
    )
}

fn to_windows_1252(text: &Utf16) -> Box<[u8]> {
    let text: String = text.to_text();
    let octet = |c: char| {
        let mut buffer = [0; 4];
        let (octets, _, unmappable) = encoding_rs::WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
        match (unmappable, octets.first()) {
            (false, Some(octet)) => *octet,
            _ => b'?',
        }
    };
    text.chars().map(octet).collect()
}

/// The type that a value has on the wire.
pub const fn type_of_value(value: &PropValue) -> u16 {
    match value {
        PropValue::Null => types::NULL,
        PropValue::I16(_) => types::I16,
        PropValue::I32(_) => types::I32,
        PropValue::F32(_) => types::F32,
        PropValue::F64(_) => types::F64,
        PropValue::Currency(_) => types::CURRENCY,
        PropValue::FloatingTime(_) => types::FLOATING_TIME,
        PropValue::Error(_) => types::ERROR,
        PropValue::Bool(_) => types::BOOL,
        PropValue::Object(_) => types::OBJECT,
        PropValue::I64(_) => types::I64,
        PropValue::String8(_) => types::STRING8,
        PropValue::String(_) => types::STRING,
        PropValue::Time(_) => types::TIME,
        PropValue::Guid(_) => types::GUID,
        PropValue::ServerId(_) => types::SERVER_ID,
        PropValue::Restriction(_) => types::RESTRICTION,
        PropValue::RuleAction(_) => types::RULE_ACTION,
        PropValue::Binary(_) => types::BINARY,
        PropValue::I16s(_) => types::MULTIPLE | types::I16,
        PropValue::I32s(_) => types::MULTIPLE | types::I32,
        PropValue::F32s(_) => types::MULTIPLE | types::F32,
        PropValue::F64s(_) => types::MULTIPLE | types::F64,
        PropValue::Currencies(_) => types::MULTIPLE | types::CURRENCY,
        PropValue::FloatingTimes(_) => types::MULTIPLE | types::FLOATING_TIME,
        PropValue::I64s(_) => types::MULTIPLE | types::I64,
        PropValue::Strings8(_) => STRINGS8,
        PropValue::Strings(_) => STRINGS,
        PropValue::Times(_) => types::MULTIPLE | types::TIME,
        PropValue::Guids(_) => types::MULTIPLE | types::GUID,
        PropValue::Binaries(_) => types::MULTIPLE | types::BINARY,
    }
}

/// About how many octets a value takes.
pub fn size_of_value(value: &PropValue) -> usize {
    match value {
        PropValue::Null => 0,
        PropValue::I16(_) => 2,
        PropValue::Bool(_) => 1,
        PropValue::I32(_) | PropValue::F32(_) | PropValue::Error(_) => 4,
        PropValue::F64(_)
        | PropValue::Currency(_)
        | PropValue::FloatingTime(_)
        | PropValue::I64(_)
        | PropValue::Time(_) => 8,
        PropValue::Guid(_) => 16,
        PropValue::ServerId(_) => 23,
        PropValue::Object(v) | PropValue::Binary(v) | PropValue::String8(v) => v.len(),
        PropValue::String(v) => 2 * v.0.len(),
        PropValue::Restriction(_) | PropValue::RuleAction(_) => 64,
        PropValue::I16s(v) => 2 * v.len(),
        PropValue::I32s(v) => 4 * v.len(),
        PropValue::F32s(v) => 4 * v.len(),
        PropValue::F64s(v) | PropValue::FloatingTimes(v) => 8 * v.len(),
        PropValue::Currencies(v) | PropValue::I64s(v) => 8 * v.len(),
        PropValue::Times(v) => 8 * v.len(),
        PropValue::Guids(v) => 16 * v.len(),
        PropValue::Strings8(v) | PropValue::Binaries(v) => v.iter().map(|v| v.len()).sum(),
        PropValue::Strings(v) => v.iter().map(|v| 2 * v.0.len()).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT_W: PropTag = PropTag(0x0037_001f);
    const SUBJECT_A: PropTag = PropTag(0x0037_001e);

    #[test]
    fn a_string_is_one_property_whatever_its_encoding() {
        let mut props = Props::default();
        props.set(SUBJECT_A, PropValue::String8((*b"K\xf6ln").into()));
        assert_eq!(props.text(SUBJECT_W).as_deref(), Some("Köln"));
        assert_eq!(
            props.read(SUBJECT_W),
            Some(PropValue::String("Köln".into()))
        );
        assert_eq!(
            props.read(SUBJECT_A),
            Some(PropValue::String8((*b"K\xf6ln").into()))
        );
        assert_eq!(props.read(PropTag(0x0037_0003)), None);
        assert_eq!(props.iter().count(), 1);
        assert!(props.remove(SUBJECT_A));
        assert_eq!(props.get(SUBJECT_W), None);
    }

    #[test]
    fn what_the_code_page_lacks_becomes_a_question_mark() {
        let value = PropValue::String("a→b".into());
        assert_eq!(
            as_type(&value, types::STRING8),
            Some(PropValue::String8((*b"a?b").into()))
        );
    }
}
