//! Property tags: an id, a type, and the Rust type a reader gets.

use std::marker::PhantomData;

use crate::{FileTime, Value, value::Multi};

/// A property tag: id in the high 16 bits, type in the low 16. Source: MS-OXCDATA 2.9.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct PropTag(pub u32);

impl PropTag {
    /// The property id (high 16 bits).
    pub const fn id(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The property type, if it is one we carry.
    pub const fn prop_type(self) -> Option<PropType> {
        Some(match self.0 as u16 {
            0x0002 => PropType::I16,
            0x0003 => PropType::I32,
            0x0005 => PropType::F64,
            0x000b => PropType::Bool,
            0x0014 => PropType::I64,
            0x001f => PropType::Str,
            0x0040 => PropType::Time,
            0x0048 => PropType::Guid,
            0x0102 => PropType::Bin,
            0x101f => PropType::Strs,
            0x1102 => PropType::Bins,
            _ => return None,
        })
    }
}

/// The property types values travel as. Source: MS-OXCDATA 2.11.1 (the numbers are its own).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u16)]
pub enum PropType {
    /// PtypInteger16.
    I16 = 0x0002,
    /// PtypInteger32.
    I32 = 0x0003,
    /// PtypFloating64.
    F64 = 0x0005,
    /// PtypBoolean.
    Bool = 0x000b,
    /// PtypInteger64.
    I64 = 0x0014,
    /// PtypString, UTF-8 here.
    Str = 0x001f,
    /// PtypTime.
    Time = 0x0040,
    /// PtypGuid.
    Guid = 0x0048,
    /// PtypBinary.
    Bin = 0x0102,
    /// PtypMultipleString, UTF-8 here.
    Strs = 0x101f,
    /// PtypMultipleBinary.
    Bins = 0x1102,
}

/// Maps a property type to the Rust type a reader gets.
pub trait Kind {
    /// The property type.
    const TYPE: PropType;
    /// What [`crate::Row::get`] and [`crate::PropBag::get`] return.
    type Ref<'a>;
    /// The value as that type, or `None` if the value is of another type.
    fn read(value: Value<'_>) -> Option<Self::Ref<'_>>;
}

/// A property tag whose type is known at compile time.
pub struct Tag<K>(PropTag, PhantomData<fn() -> K>);

impl<K> Clone for Tag<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Tag<K> {}

impl<K: Kind> Tag<K> {
    /// The tag with this property id and the type of `K`.
    pub const fn new(id: u16) -> Self {
        Self(PropTag((id as u32) << 16 | K::TYPE as u32), PhantomData)
    }

    /// The untyped tag.
    pub const fn tag(&self) -> PropTag {
        self.0
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $variant:ident, $read:ty;)*) => {$(
        $(#[$doc])*
        pub enum $name {}
        impl Kind for $name {
            const TYPE: PropType = PropType::$variant;
            type Ref<'a> = $read;
            fn read(value: Value<'_>) -> Option<$read> {
                match value {
                    Value::$variant(v) => Some(v),
                    _ => None,
                }
            }
        }
    )*};
}

/// The kinds of property a [`Tag`] can have.
pub mod kind {
    use super::{FileTime, Kind, Multi, PropType, Value};
    // Lifetimes of `Ref<'a>` are elided in the table: `'_` would not name it.
    type Text<'a> = &'a str;
    type Octets<'a> = &'a [u8];

    kinds! {
        /// 16-bit integer.
        Short, I16, i16;
        /// 32-bit integer.
        Long, I32, i32;
        /// 64-bit integer.
        LongLong, I64, i64;
        /// Floating point.
        Double, F64, f64;
        /// Boolean.
        Boolean, Bool, bool;
        /// UTC time.
        Time, Time, FileTime;
    }

    macro_rules! borrowed {
        ($($(#[$doc:meta])* $name:ident, $variant:ident, $read:ident;)*) => {$(
            $(#[$doc])*
            pub enum $name {}
            impl Kind for $name {
                const TYPE: PropType = PropType::$variant;
                type Ref<'a> = $read<'a>;
                fn read(value: Value<'_>) -> Option<$read<'_>> {
                    match value {
                        Value::$variant(v) => Some(v),
                        _ => None,
                    }
                }
            }
        )*};
    }
    borrowed! {
        /// UTF-8 text.
        Str, Str, Text;
        /// Octets.
        Bin, Bin, Octets;
        /// Several strings.
        Strs, Strs, Multi;
        /// Several octet strings.
        Bins, Bins, Multi;
    }
}
