//! How the fields of ROPs are read and written: plain ones by their type, the others by a named codec.

use mapi_types::PropTag;

use super::special;
use crate::{
    cursor::{Reader, Result, Writer},
    ids::{Gid, Globcnt, Guid, Id},
    named::{MaybeNamed, NamelessSet},
    restriction::Restriction,
    table::SortOrder,
    text::{Text, TypedString},
    value::{Dialect, TaggedValue},
};

/// What a decoder must know beside the octets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Context<'a> {
    /// The columns of the rows that may come, if they are known.
    pub(super) columns: Option<&'a [PropTag]>,
    /// Whether the logon is to public folders.
    pub(super) public: bool,
    /// ReturnValue of the response.
    pub(super) code: u32,
    /// How the next response begins, if there is one.
    pub(super) next: Option<[u8; 2]>,
}

impl<'a> Context<'a> {
    pub(super) fn columns(self, reader: &Reader<'_>) -> Result<&'a [PropTag]> {
        self.columns
            .ok_or_else(|| reader.error("rows of columns that were set before"))
    }

    /// Whether nothing, or already the next response, follows. It tells apart two layouts of one response.
    pub(super) fn ends_here(self, reader: &Reader<'_>) -> bool {
        match (reader.peek(), self.next) {
            ([], _) => true,
            ([id, ..], _) if special::id::is_special(*id) => true,
            ([id, index, ..], Some(next)) => [*id, *index] == next,
            _ => false,
        }
    }
}

/// A field whose type alone says how it is written.
pub(super) trait Field: Sized {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self>;
    fn write(&self, writer: &mut Writer);
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
                Ok(Self::from_le_bytes(reader.array(expected)?))
            }
            fn write(&self, writer: &mut Writer) {
                writer.put(&self.to_le_bytes());
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, i32, i64);

impl Field for bool {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        reader.bool(expected)
    }
    fn write(&self, writer: &mut Writer) {
        writer.bool(*self);
    }
}

impl<const N: usize> Field for [u8; N] {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        reader.array(expected)
    }
    fn write(&self, writer: &mut Writer) {
        writer.put(self);
    }
}

impl Field for Id {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Self::read(reader, expected)
    }
    fn write(&self, writer: &mut Writer) {
        Self::write(*self, writer);
    }
}

impl Field for Guid {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self(reader.array(expected)?))
    }
    fn write(&self, writer: &mut Writer) {
        writer.put(&self.0);
    }
}

impl Field for Globcnt {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self(reader.array(expected)?))
    }
    fn write(&self, writer: &mut Writer) {
        writer.put(&self.0);
    }
}

/// As LongTermID, with its padding.
impl Field for Gid {
    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Self::read_long_term(reader)
    }
    fn write(&self, writer: &mut Writer) {
        self.write_long_term(writer);
    }
}

impl Field for PropTag {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self(reader.u32(expected)?))
    }
    fn write(&self, writer: &mut Writer) {
        writer.u32(self.0);
    }
}

impl Field for SortOrder {
    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Self::read(reader)
    }
    fn write(&self, writer: &mut Writer) {
        Self::write(self, writer);
    }
}

/// As MS-OXCDATA has it: requests name properties of which all have names.
impl Field for MaybeNamed {
    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Self::read(reader, NamelessSet::Present)
    }
    fn write(&self, writer: &mut Writer) {
        Self::write(self, writer);
    }
}

impl Field for TaggedValue {
    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Self::read(reader, Dialect::Rop)
    }
    fn write(&self, writer: &mut Writer) {
        Self::write(self, writer, Dialect::Rop);
    }
}

impl Field for TypedString {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Self::read(reader, expected)
    }
    fn write(&self, writer: &mut Writer) {
        Self::write(self, writer);
    }
}

/// A list whose count has 16 bits.
impl<T: Field> Field for Vec<T> {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        let count = usize::from(reader.u16(expected)?);
        let count = reader.count(count, 1, expected)?;
        (0..count).map(|_| T::read(reader, expected)).collect()
    }
    fn write(&self, writer: &mut Writer) {
        writer.u16(self.len() as u16);
        for one in self {
            one.write(writer);
        }
    }
}

/// Octets whose length has 16 bits.
impl Field for Box<[u8]> {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        let len = reader.u16(expected)?;
        Ok(reader.take(len.into(), expected)?.into())
    }
    fn write(&self, writer: &mut Writer) {
        writer.u16(self.len() as u16);
        writer.put(self);
    }
}

/// Octets whose length has 32 bits.
pub(super) mod octets32 {
    use super::*;

    pub(in crate::rop) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Box<[u8]>> {
        let len = reader.u32(expected)? as usize;
        Ok(reader.take(len, expected)?.into())
    }

    pub(in crate::rop) fn write(octets: &[u8], writer: &mut Writer) {
        writer.u32(octets.len() as u32);
        writer.put(octets);
    }
}

/// Octets up to a NUL.
pub(super) mod cstr {
    use super::*;

    pub(in crate::rop) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Box<[u8]>> {
        Ok(reader.cstr(expected)?.into())
    }

    pub(in crate::rop) fn write(text: &[u8], writer: &mut Writer) {
        writer.cstr(text);
    }
}

/// A string whose encoding a flag before it says.
pub(super) mod text {
    use super::*;

    pub(in crate::rop) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
        unicode: &bool,
    ) -> Result<Text> {
        Text::read(reader, *unicode, expected)
    }

    pub(in crate::rop) fn write(text: &Text, writer: &mut Writer, unicode: &bool) {
        text.write(writer, *unicode);
    }
}

/// A restriction after its size in octets; none when the size is 0.
pub(super) mod restriction {
    use super::*;

    pub(in crate::rop) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Option<Restriction>> {
        let size = usize::from(reader.u16(expected)?);
        if size == 0 {
            return Ok(None);
        }
        let mut inner = reader.window(size, expected)?;
        let restriction = Restriction::read(&mut inner, Dialect::Rop)?;
        inner.finish("the end of a restriction")?;
        Ok(Some(restriction))
    }

    pub(in crate::rop) fn write(restriction: &Option<Restriction>, writer: &mut Writer) {
        let start = writer.len();
        writer.u16(0);
        if let Some(restriction) = restriction {
            restriction.write(writer, Dialect::Rop);
            writer.set_u16(start, (writer.len() - start - 2) as u16);
        }
    }
}

/// A list of values after its size in octets, which counts the list's own count.
pub(super) mod sized_values {
    use super::*;

    pub(in crate::rop) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<TaggedValue>> {
        let size = usize::from(reader.u16(expected)?);
        let mut inner = reader.window(size, expected)?;
        let values = Field::read(&mut inner, expected)?;
        inner.finish("the end of property values")?;
        Ok(values)
    }

    pub(in crate::rop) fn write(values: &Vec<TaggedValue>, writer: &mut Writer) {
        let start = writer.len();
        writer.u16(0);
        Field::write(values, writer);
        writer.set_u16(start, (writer.len() - start - 2) as u16);
    }
}
