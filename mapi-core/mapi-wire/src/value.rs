//! Property values as ROPs and NSPI write them. FastTransfer streams have a lexical layer of their own.
//!
//! Source: MS-OXCDATA 2.11; for NSPI, MS-OXCMAPIHTTP 2.2.1.

use mapi_types::PropTag;

use crate::{
    cursor::{Reader, Result, Utf16, Writer},
    ids::{Guid, Id},
    restriction::Restriction,
    rule::Action,
};

/// Who writes: the same values have different lengths and counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// ROP buffers: 16-bit lengths and counts.
    Rop,
    /// Rules and restrictions kept in properties: 32-bit lengths and counts.
    Extended,
    /// NSPI over HTTP: 32-bit lengths and counts, and an octet before what may be absent.
    Nspi,
}

impl Dialect {
    pub(crate) fn read_count(
        self,
        reader: &mut Reader<'_>,
        expected: &'static str,
    ) -> Result<usize> {
        let count = match self {
            Self::Rop => usize::from(reader.u16(expected)?),
            Self::Extended | Self::Nspi => reader.u32(expected)? as usize,
        };
        reader.count(count, 1, expected)
    }

    pub(crate) fn write_count(self, writer: &mut Writer, count: usize) {
        match self {
            Self::Rop => writer.u16(count as u16),
            Self::Extended | Self::Nspi => writer.u32(count as u32),
        }
    }
}

/// Property types on the wire. Source: MS-OXCDATA 2.11.1.
pub mod types {
    /// PtypUnspecified: the value says its type itself.
    pub const UNSPECIFIED: u16 = 0x0000;
    /// PtypNull.
    pub const NULL: u16 = 0x0001;
    /// PtypInteger16.
    pub const I16: u16 = 0x0002;
    /// PtypInteger32.
    pub const I32: u16 = 0x0003;
    /// PtypFloating32.
    pub const F32: u16 = 0x0004;
    /// PtypFloating64.
    pub const F64: u16 = 0x0005;
    /// PtypCurrency.
    pub const CURRENCY: u16 = 0x0006;
    /// PtypFloatingTime.
    pub const FLOATING_TIME: u16 = 0x0007;
    /// PtypErrorCode.
    pub const ERROR: u16 = 0x000a;
    /// PtypBoolean.
    pub const BOOL: u16 = 0x000b;
    /// PtypObject.
    pub const OBJECT: u16 = 0x000d;
    /// PtypInteger64.
    pub const I64: u16 = 0x0014;
    /// PtypString8.
    pub const STRING8: u16 = 0x001e;
    /// PtypString: UTF-16.
    pub const STRING: u16 = 0x001f;
    /// PtypTime.
    pub const TIME: u16 = 0x0040;
    /// PtypGuid.
    pub const GUID: u16 = 0x0048;
    /// PtypServerId.
    pub const SERVER_ID: u16 = 0x00fb;
    /// PtypRestriction.
    pub const RESTRICTION: u16 = 0x00fd;
    /// PtypRuleAction.
    pub const RULE_ACTION: u16 = 0x00fe;
    /// PtypBinary.
    pub const BINARY: u16 = 0x0102;
    /// The bit of all multiple-valued types.
    pub const MULTIPLE: u16 = 0x1000;
    /// The bits of a table column that shows one value of a multiple-valued property a row.
    pub const INSTANCE: u16 = 0x3000;
}

/// A property value of any type.
#[derive(Clone, Debug, PartialEq)]
pub enum PropValue {
    /// PtypNull.
    Null,
    /// PtypInteger16.
    I16(i16),
    /// PtypInteger32.
    I32(i32),
    /// PtypFloating32.
    F32(f32),
    /// PtypFloating64.
    F64(f64),
    /// PtypCurrency: ten-thousandths.
    Currency(i64),
    /// PtypFloatingTime: days since 1899-12-30.
    FloatingTime(f64),
    /// PtypErrorCode: in a row, why there is no value.
    Error(u32),
    /// PtypBoolean.
    Bool(bool),
    /// PtypObject.
    Object(Box<[u8]>),
    /// PtypInteger64.
    I64(i64),
    /// PtypString8, in the code page of the logon, without NUL.
    String8(Box<[u8]>),
    /// PtypString.
    String(Utf16),
    /// PtypTime: 100 ns ticks since 1601-01-01 UTC.
    Time(u64),
    /// PtypGuid.
    Guid(Guid),
    /// PtypServerId.
    ServerId(ServerId),
    /// PtypRestriction.
    Restriction(Box<Restriction>),
    /// PtypRuleAction.
    RuleAction(Box<[Action]>),
    /// PtypBinary.
    Binary(Box<[u8]>),
    /// PtypMultipleInteger16.
    I16s(Box<[i16]>),
    /// PtypMultipleInteger32.
    I32s(Box<[i32]>),
    /// PtypMultipleFloating32.
    F32s(Box<[f32]>),
    /// PtypMultipleFloating64.
    F64s(Box<[f64]>),
    /// PtypMultipleCurrency.
    Currencies(Box<[i64]>),
    /// PtypMultipleFloatingTime.
    FloatingTimes(Box<[f64]>),
    /// PtypMultipleInteger64.
    I64s(Box<[i64]>),
    /// PtypMultipleString8.
    Strings8(Box<[Box<[u8]>]>),
    /// PtypMultipleString.
    Strings(Box<[Utf16]>),
    /// PtypMultipleTime.
    Times(Box<[u64]>),
    /// PtypMultipleGuid.
    Guids(Box<[Guid]>),
    /// PtypMultipleBinary.
    Binaries(Box<[Box<[u8]>]>),
}

/// What a rule or a task names an object of a server by. Source: MS-OXCDATA 2.11.1.4.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerId {
    /// A folder or message of the server.
    Ours {
        /// The folder.
        folder: Id,
        /// The message; zero for a folder.
        message: Id,
        /// The row of a multiple-valued property.
        instance: u32,
    },
    /// What a client put there.
    Theirs(Box<[u8]>),
}

/// A value with its tag. Source: MS-OXCDATA 2.11.4.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedValue {
    /// The tag.
    pub tag: PropTag,
    /// The value, of the tag's type.
    pub value: PropValue,
}

impl TaggedValue {
    pub(crate) fn read(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Self> {
        let tag = PropTag(reader.u32("a property tag")?);
        let value = PropValue::read(reader, tag.0 as u16, dialect)?;
        Ok(Self { tag, value })
    }

    pub(crate) fn write(&self, writer: &mut Writer, dialect: Dialect) {
        writer.u32(self.tag.0);
        self.value.write(writer, dialect);
    }
}

impl PropValue {
    /// Reads a value of type `kind`. Source: MS-OXCDATA 2.11.1.
    pub(crate) fn read(reader: &mut Reader<'_>, kind: u16, dialect: Dialect) -> Result<Self> {
        let kind = match kind & types::INSTANCE {
            types::INSTANCE => kind & !types::INSTANCE,
            _ => kind,
        };
        Ok(match kind {
            types::NULL => Self::Null,
            types::I16 => Self::I16(i16_of(reader)?),
            types::I32 => Self::I32(i32_of(reader)?),
            types::F32 => Self::F32(f32_of(reader)?),
            types::F64 => Self::F64(f64_of(reader)?),
            types::CURRENCY => Self::Currency(i64_of(reader)?),
            types::FLOATING_TIME => Self::FloatingTime(f64_of(reader)?),
            types::ERROR => Self::Error(reader.u32("an error code")?),
            types::BOOL => Self::Bool(reader.bool("a boolean")?),
            types::OBJECT => Self::Object(octets(reader, dialect)?),
            types::I64 => Self::I64(i64_of(reader)?),
            types::STRING8 => Self::String8(present(reader, dialect, string8)?),
            types::STRING => Self::String(present(reader, dialect, string)?),
            types::TIME => Self::Time(reader.u64("a time")?),
            types::GUID => Self::Guid(Guid::read(reader)?),
            types::SERVER_ID => Self::ServerId(server_id(reader)?),
            types::RESTRICTION => Self::Restriction(Box::new(Restriction::read(reader, dialect)?)),
            types::RULE_ACTION => Self::RuleAction(Action::read_all(reader, dialect)?),
            types::BINARY => Self::Binary(present(reader, dialect, |r| octets(r, dialect))?),
            _ if kind & types::MULTIPLE != 0 => present(reader, dialect, |r| {
                Self::read_multiple(r, kind & !types::MULTIPLE, dialect)
            })?,
            _ => return Err(reader.error("a known property type")),
        })
    }

    fn read_multiple(reader: &mut Reader<'_>, kind: u16, dialect: Dialect) -> Result<Self> {
        Ok(match kind {
            types::I16 => Self::I16s(many(reader, 2, i16_of)?),
            types::I32 => Self::I32s(many(reader, 4, i32_of)?),
            types::F32 => Self::F32s(many(reader, 4, f32_of)?),
            types::F64 => Self::F64s(many(reader, 8, f64_of)?),
            types::CURRENCY => Self::Currencies(many(reader, 8, i64_of)?),
            types::FLOATING_TIME => Self::FloatingTimes(many(reader, 8, f64_of)?),
            types::I64 => Self::I64s(many(reader, 8, i64_of)?),
            types::STRING8 => Self::Strings8(many(reader, 1, |r| element(r, dialect, string8))?),
            types::STRING => Self::Strings(many(reader, 1, |r| element(r, dialect, string))?),
            types::TIME => Self::Times(many(reader, 8, |r| r.u64("a time"))?),
            types::GUID => Self::Guids(many(reader, 16, Guid::read)?),
            types::BINARY => Self::Binaries(many(reader, 1, |r| {
                element(r, dialect, |r| octets(r, dialect))
            })?),
            _ => return Err(reader.error("a known multiple-valued property type")),
        })
    }

    /// Writes the value without its tag.
    pub(crate) fn write(&self, writer: &mut Writer, dialect: Dialect) {
        if dialect == Dialect::Nspi && self.may_be_absent() {
            writer.u8(PRESENT);
        }
        match self {
            Self::Null => {}
            Self::I16(v) => writer.put(&v.to_le_bytes()),
            Self::I32(v) => writer.put(&v.to_le_bytes()),
            Self::F32(v) => writer.put(&v.to_le_bytes()),
            Self::F64(v) | Self::FloatingTime(v) => writer.put(&v.to_le_bytes()),
            Self::Currency(v) | Self::I64(v) => writer.put(&v.to_le_bytes()),
            Self::Error(v) => writer.u32(*v),
            Self::Bool(v) => writer.bool(*v),
            Self::String8(v) => writer.cstr(v),
            Self::String(v) => writer.wstr(v),
            Self::Time(v) => writer.u64(*v),
            Self::Guid(v) => writer.put(&v.0),
            Self::ServerId(v) => write_server_id(writer, v),
            Self::Restriction(v) => v.write(writer, dialect),
            Self::RuleAction(v) => Action::write_all(v, writer, dialect),
            Self::Object(v) | Self::Binary(v) => write_octets(writer, v, dialect),
            Self::I16s(v) => each(writer, v, |w, v| w.put(&v.to_le_bytes())),
            Self::I32s(v) => each(writer, v, |w, v| w.put(&v.to_le_bytes())),
            Self::F32s(v) => each(writer, v, |w, v| w.put(&v.to_le_bytes())),
            Self::F64s(v) | Self::FloatingTimes(v) => {
                each(writer, v, |w, v| w.put(&v.to_le_bytes()));
            }
            Self::Currencies(v) | Self::I64s(v) => each(writer, v, |w, v| w.put(&v.to_le_bytes())),
            Self::Times(v) => each(writer, v, |w, v| w.u64(*v)),
            Self::Guids(v) => each(writer, v, |w, v| w.put(&v.0)),
            Self::Strings8(v) => each(writer, v, |w, v| {
                mark(w, dialect);
                w.cstr(v);
            }),
            Self::Strings(v) => each(writer, v, |w, v| {
                mark(w, dialect);
                w.wstr(v);
            }),
            Self::Binaries(v) => each(writer, v, |w, v| {
                mark(w, dialect);
                write_octets(w, v, dialect);
            }),
        }
    }

    /// Whether NSPI puts an octet before a value of this type. Source: MS-OXCMAPIHTTP 2.2.1.1.
    const fn may_be_absent(&self) -> bool {
        !matches!(
            self,
            Self::Null
                | Self::I16(_)
                | Self::I32(_)
                | Self::F32(_)
                | Self::F64(_)
                | Self::Currency(_)
                | Self::FloatingTime(_)
                | Self::Error(_)
                | Self::Bool(_)
                | Self::Object(_)
                | Self::I64(_)
                | Self::Time(_)
                | Self::Guid(_)
                | Self::ServerId(_)
                | Self::Restriction(_)
                | Self::RuleAction(_)
        )
    }
}

/// What stands before a value that is there; readers take any octet but 0.
const PRESENT: u8 = 0xff;

/// Reads an octet that says whether a value follows, where the dialect has one. An absent value counts as an error:
/// rows say that by their own flags.
fn present<T>(
    reader: &mut Reader<'_>,
    dialect: Dialect,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T>,
) -> Result<T> {
    if dialect == Dialect::Nspi && !reader.bool("whether a value follows")? {
        return Err(reader.error("a value"));
    }
    read(reader)
}

/// Reads an element of a multiple value. One that is not there is an empty one, so that the others keep their places.
/// Source: MS-OXCMAPIHTTP 2.2.1.1; the null pointers of MS-OXNSPI 2.2.2.2 StringArray_r and its like.
fn element<T: Default>(
    reader: &mut Reader<'_>,
    dialect: Dialect,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T>,
) -> Result<T> {
    if dialect == Dialect::Nspi && !reader.bool("whether an element follows")? {
        return Ok(T::default());
    }
    read(reader)
}

fn mark(writer: &mut Writer, dialect: Dialect) {
    if dialect == Dialect::Nspi {
        writer.u8(PRESENT);
    }
}

fn i16_of(reader: &mut Reader<'_>) -> Result<i16> {
    Ok(i16::from_le_bytes(reader.array("a 16-bit number")?))
}

fn i32_of(reader: &mut Reader<'_>) -> Result<i32> {
    Ok(i32::from_le_bytes(reader.array("a 32-bit number")?))
}

fn i64_of(reader: &mut Reader<'_>) -> Result<i64> {
    Ok(i64::from_le_bytes(reader.array("a 64-bit number")?))
}

fn f32_of(reader: &mut Reader<'_>) -> Result<f32> {
    Ok(f32::from_le_bytes(reader.array("a 32-bit float")?))
}

fn f64_of(reader: &mut Reader<'_>) -> Result<f64> {
    Ok(f64::from_le_bytes(reader.array("a 64-bit float")?))
}

fn string8(reader: &mut Reader<'_>) -> Result<Box<[u8]>> {
    Ok(reader.cstr("an 8-bit string with its NUL")?.into())
}

fn string(reader: &mut Reader<'_>) -> Result<Utf16> {
    reader.wstr("a UTF-16 string with its NUL")
}

fn octets(reader: &mut Reader<'_>, dialect: Dialect) -> Result<Box<[u8]>> {
    let len = dialect.read_count(reader, "the length of a binary value")?;
    Ok(reader.take(len, "a binary value")?.into())
}

fn write_octets(writer: &mut Writer, octets: &[u8], dialect: Dialect) {
    dialect.write_count(writer, octets.len());
    writer.put(octets);
}

/// The values of a multiple-valued property; their count has 32 bits everywhere.
fn many<T>(
    reader: &mut Reader<'_>,
    octets_min: usize,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T>,
) -> Result<Box<[T]>> {
    const EXPECTED: &str = "a count of values";
    let count = reader.u32(EXPECTED)? as usize;
    let count = reader.count(count, octets_min, EXPECTED)?;
    (0..count).map(|_| read(reader)).collect()
}

fn each<T>(writer: &mut Writer, values: &[T], mut write: impl FnMut(&mut Writer, &T)) {
    writer.u32(values.len() as u32);
    for value in values {
        write(writer, value);
    }
}

fn server_id(reader: &mut Reader<'_>) -> Result<ServerId> {
    let len = usize::from(reader.u16("the length of a server id")?);
    let mut inner = reader.window(len, "a server id")?;
    if inner.u8("the kind of a server id")? == 0 {
        return Ok(ServerId::Theirs(inner.rest().into()));
    }
    let id = ServerId::Ours {
        folder: Id::read(&mut inner, "a folder id")?,
        message: Id::read(&mut inner, "a message id")?,
        instance: inner.u32("an instance number")?,
    };
    inner.finish("the end of a server id")?;
    Ok(id)
}

fn write_server_id(writer: &mut Writer, id: &ServerId) {
    match id {
        ServerId::Ours {
            folder,
            message,
            instance,
        } => {
            writer.u16(21);
            writer.u8(1);
            folder.write(writer);
            message.write(writer);
            writer.u32(*instance);
        }
        ServerId::Theirs(octets) => {
            writer.u16(1 + octets.len() as u16);
            writer.u8(0);
            writer.put(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: u16, dialect: Dialect, bytes: &[u8], value: &PropValue) {
        let mut reader = Reader::new(bytes);
        assert_eq!(&PropValue::read(&mut reader, kind, dialect).unwrap(), value);
        assert!(reader.is_empty());
        let mut writer = Writer::new();
        value.write(&mut writer, dialect);
        assert_eq!(writer.as_bytes(), bytes);
    }

    #[test]
    fn lengths_follow_the_dialect() {
        let value = PropValue::Binary([7, 8].into());
        check(types::BINARY, Dialect::Rop, &[2, 0, 7, 8], &value);
        check(
            types::BINARY,
            Dialect::Extended,
            &[2, 0, 0, 0, 7, 8],
            &value,
        );
        check(
            types::BINARY,
            Dialect::Nspi,
            &[0xff, 2, 0, 0, 0, 7, 8],
            &value,
        );
    }

    #[test]
    fn every_element_says_in_nspi_that_it_is_there() {
        let value = PropValue::Strings([Utf16::from("a")].into());
        let nspi = [0xff, 1, 0, 0, 0, 0xff, b'a', 0, 0, 0];
        check(0x101f, Dialect::Nspi, &nspi, &value);
        check(0x101f, Dialect::Rop, &[1, 0, 0, 0, b'a', 0, 0, 0], &value);
    }

    #[test]
    fn an_element_that_is_not_there_in_nspi_is_an_empty_one() {
        let read = |kind, octets: &[u8]| {
            let mut reader = Reader::new(octets);
            let value = PropValue::read(&mut reader, kind, Dialect::Nspi).unwrap();
            assert!(reader.is_empty());
            value
        };
        let strings = [0xff, 3, 0, 0, 0, 0, 0xff, b'a', 0, 0, 0, 0];
        let expected = ["", "a", ""].map(Utf16::from);
        assert_eq!(read(0x101f, &strings), PropValue::Strings(expected.into()));
        let strings = [0xff, 2, 0, 0, 0, 0xff, b'a', 0, 0];
        let expected: [Box<[u8]>; 2] = [b"a".as_slice().into(), Box::default()];
        assert_eq!(read(0x101e, &strings), PropValue::Strings8(expected.into()));
        let octets = [0xff, 2, 0, 0, 0, 0, 0xff, 1, 0, 0, 0, 7];
        let expected: [Box<[u8]>; 2] = [Box::default(), [7].into()];
        assert_eq!(read(0x1102, &octets), PropValue::Binaries(expected.into()));
    }

    #[test]
    fn an_instance_column_has_the_single_value() {
        let mut reader = Reader::new(&[b'a', 0, 0, 0]);
        let value = PropValue::read(&mut reader, 0x301f, Dialect::Rop);
        assert_eq!(value, Ok(PropValue::String("a".into())));
    }

    #[test]
    fn an_announced_length_beyond_the_buffer_is_an_error_with_its_place() {
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0x7f]);
        let error = PropValue::read(&mut reader, 0x1003, Dialect::Rop).unwrap_err();
        assert_eq!(error.expected, "a count of values");
    }
}
