//! Property values, borrowed and owned.

use crate::{FileTime, PropType};

/// A borrowed property value: small, `Copy`, no allocation. Source: MS-OXCDATA 2.11.
///
/// Values above 64 KiB are never inline: they are read as streams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// PtypInteger16.
    I16(i16),
    /// PtypInteger32.
    I32(i32),
    /// PtypInteger64.
    I64(i64),
    /// PtypFloating64.
    F64(f64),
    /// PtypBoolean.
    Bool(bool),
    /// PtypTime.
    Time(FileTime),
    /// PtypGuid, in wire order.
    Guid(&'a [u8; 16]),
    /// PtypString.
    Str(&'a str),
    /// PtypBinary.
    Bin(&'a [u8]),
    /// PtypMultipleString.
    Strs(Multi<'a>),
    /// PtypMultipleBinary.
    Bins(Multi<'a>),
}

/// Several strings or octet strings in one buffer: each a 32-bit little-endian length and its bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Multi<'a>(&'a [u8]);

impl<'a> Multi<'a> {
    /// Reads the packed form that [`OwnedValue::packed`] writes.
    pub const fn from_packed(packed: &'a [u8]) -> Self {
        Self(packed)
    }

    /// The packed form.
    pub const fn packed(self) -> &'a [u8] {
        self.0
    }

    /// The elements as octets; a damaged tail ends the iteration.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (len, tail) = rest.split_first_chunk::<4>()?;
            let (item, tail) = tail.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            rest = tail;
            Some(item)
        })
    }

    /// The elements as strings; one that is not UTF-8 is passed over.
    pub fn strs(self) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter_map(|item| std::str::from_utf8(item).ok())
    }
}

/// An owned property value, for building bags, changes and restrictions.
#[derive(Clone, Debug, PartialEq)]
pub enum OwnedValue {
    /// PtypInteger16.
    I16(i16),
    /// PtypInteger32.
    I32(i32),
    /// PtypInteger64.
    I64(i64),
    /// PtypFloating64.
    F64(f64),
    /// PtypBoolean.
    Bool(bool),
    /// PtypTime.
    Time(FileTime),
    /// PtypGuid.
    Guid([u8; 16]),
    /// PtypString.
    Str(Box<str>),
    /// PtypBinary.
    Bin(Box<[u8]>),
    /// PtypMultipleString, packed as [`Multi`] describes.
    Strs(Box<[u8]>),
    /// PtypMultipleBinary, packed as [`Multi`] describes.
    Bins(Box<[u8]>),
}

impl OwnedValue {
    /// Packs several elements for [`Self::Strs`] or [`Self::Bins`].
    pub fn packed<T: AsRef<[u8]>>(items: impl IntoIterator<Item = T>) -> Box<[u8]> {
        let mut packed = Vec::new();
        for item in items {
            let item = item.as_ref();
            packed.extend_from_slice(&(item.len() as u32).to_le_bytes());
            packed.extend_from_slice(item);
        }
        packed.into()
    }

    /// A PtypMultipleString value.
    pub fn strs<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::Strs(Self::packed(
            items.into_iter().map(|s| s.as_ref().as_bytes().to_vec()),
        ))
    }

    /// The borrowed view.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::I16(v) => Value::I16(*v),
            Self::I32(v) => Value::I32(*v),
            Self::I64(v) => Value::I64(*v),
            Self::F64(v) => Value::F64(*v),
            Self::Bool(v) => Value::Bool(*v),
            Self::Time(v) => Value::Time(*v),
            Self::Guid(v) => Value::Guid(v),
            Self::Str(v) => Value::Str(v),
            Self::Bin(v) => Value::Bin(v),
            Self::Strs(v) => Value::Strs(Multi(v)),
            Self::Bins(v) => Value::Bins(Multi(v)),
        }
    }
}

impl Value<'_> {
    /// The property type of this value.
    pub const fn prop_type(self) -> PropType {
        match self {
            Value::I16(_) => PropType::I16,
            Value::I32(_) => PropType::I32,
            Value::I64(_) => PropType::I64,
            Value::F64(_) => PropType::F64,
            Value::Bool(_) => PropType::Bool,
            Value::Time(_) => PropType::Time,
            Value::Guid(_) => PropType::Guid,
            Value::Str(_) => PropType::Str,
            Value::Bin(_) => PropType::Bin,
            Value::Strs(_) => PropType::Strs,
            Value::Bins(_) => PropType::Bins,
        }
    }

    /// A copy that owns its bytes.
    pub fn to_owned(self) -> OwnedValue {
        match self {
            Value::I16(v) => OwnedValue::I16(v),
            Value::I32(v) => OwnedValue::I32(v),
            Value::I64(v) => OwnedValue::I64(v),
            Value::F64(v) => OwnedValue::F64(v),
            Value::Bool(v) => OwnedValue::Bool(v),
            Value::Time(v) => OwnedValue::Time(v),
            Value::Guid(v) => OwnedValue::Guid(*v),
            Value::Str(v) => OwnedValue::Str(v.into()),
            Value::Bin(v) => OwnedValue::Bin(v.into()),
            Value::Strs(v) => OwnedValue::Strs(v.0.into()),
            Value::Bins(v) => OwnedValue::Bins(v.0.into()),
        }
    }
}
