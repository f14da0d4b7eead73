//! Property bags: a revision, a count, then per property its tag and its value, by ascending tag.

use bytes::Bytes;
use mapi_types::{ContentHash, FileTime, Multi, PropTag, PropType, Value};

use super::{
    Externals, VALUE_INLINE_MAX,
    bytes::{Reader, put_run, put_varint, unzigzag, zigzag},
    damaged, invalid,
};
use crate::fail::Result;

const REVISION: u8 = 1;

/// In place of a length: the value lies apart.
const EXTERNAL: u64 = 0;

/// A stored value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stored<'a> {
    /// The value itself.
    Value(Value<'a>),
    /// A large value, kept as a content of its own.
    External { hash: ContentHash, len: u64 },
}

/// Encodes a bag. `props` must ascend by tag. Large values move into `externals`.
///
/// Errors: `Invalid` when a value is not of its tag's type.
pub(crate) fn encode_bag<'v>(
    props: impl Iterator<Item = (PropTag, Value<'v>)>,
    externals: &mut Externals,
    out: &mut Vec<u8>,
) -> Result<()> {
    encode_stored(
        props.map(|(tag, value)| (tag, Stored::Value(value))),
        externals,
        out,
    )
}

/// Like [`encode_bag`], with values that lie apart already.
pub(crate) fn encode_stored<'v>(
    props: impl Iterator<Item = (PropTag, Stored<'v>)>,
    externals: &mut Externals,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(REVISION);
    let mut body = Vec::with_capacity(512);
    let mut count = 0;
    for (tag, value) in props {
        body.extend_from_slice(&tag.0.to_le_bytes());
        match value {
            Stored::Value(value) if tag.prop_type() == Some(value.prop_type()) => {
                encode_value(value, externals, &mut body);
            }
            Stored::Value(_) => return Err(invalid()),
            Stored::External { hash, len } => put_external(hash, len, &mut body),
        }
        count += 1;
    }
    put_varint(out, count);
    out.extend_from_slice(&body);
    Ok(())
}

fn encode_value(value: Value<'_>, externals: &mut Externals, out: &mut Vec<u8>) {
    match value {
        Value::I16(v) => put_varint(out, zigzag(v.into())),
        Value::I32(v) => put_varint(out, zigzag(v.into())),
        Value::I64(v) => put_varint(out, zigzag(v)),
        Value::F64(v) => out.extend_from_slice(&v.to_bits().to_le_bytes()),
        Value::Bool(v) => out.push(v.into()),
        Value::Time(v) => out.extend_from_slice(&v.0.to_le_bytes()),
        Value::Guid(v) => out.extend_from_slice(v),
        Value::Str(v) => encode_octets(v.as_bytes(), externals, out),
        Value::Bin(v) => encode_octets(v, externals, out),
        Value::Strs(v) | Value::Bins(v) => encode_octets(v.packed(), externals, out),
    }
}

fn encode_octets(octets: &[u8], externals: &mut Externals, out: &mut Vec<u8>) {
    if octets.len() > VALUE_INLINE_MAX {
        let hash = externals.add(Bytes::copy_from_slice(octets));
        put_external(hash, octets.len() as u64, out);
    } else {
        put_varint(out, octets.len() as u64 + 1);
        out.extend_from_slice(octets);
    }
}

fn put_external(hash: ContentHash, len: u64, out: &mut Vec<u8>) {
    put_varint(out, EXTERNAL);
    out.extend_from_slice(&hash.0);
    put_varint(out, len);
}

/// Appends an encoded bag as a run, for containers of several bags.
pub(super) fn put_bag<'v>(
    props: impl Iterator<Item = (PropTag, Value<'v>)>,
    externals: &mut Externals,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut bag = Vec::new();
    encode_bag(props, externals, &mut bag)?;
    put_run(out, &bag);
    Ok(())
}

/// Reads an encoded bag without copying it.
#[derive(Clone, Copy)]
pub(crate) struct BagReader<'a> {
    rest: Reader<'a>,
    left: usize,
}

impl<'a> BagReader<'a> {
    /// Errors: `Corrupt`.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self> {
        let mut rest = Reader::new(bytes);
        if rest.byte()? != REVISION {
            return Err(damaged());
        }
        let left = rest.count()?;
        Ok(Self { rest, left })
    }

    /// The next property; `None` at the end, where nothing may be left over.
    pub(crate) fn next(&mut self) -> Result<Option<(PropTag, Stored<'a>)>> {
        if self.left == 0 {
            return self.rest.end().map(|()| None);
        }
        self.left -= 1;
        let tag = PropTag(u32::from_le_bytes(*self.rest.array()?));
        let value = decode_value(tag.prop_type().ok_or_else(damaged)?, &mut self.rest)?;
        Ok(Some((tag, value)))
    }

    /// One property; the bag is read only as far as needed.
    pub(crate) fn find(mut self, wanted: PropTag) -> Result<Option<Stored<'a>>> {
        while self.left > 0 {
            match self.next()? {
                Some((tag, value)) if tag == wanted => return Ok(Some(value)),
                Some((tag, _)) if tag > wanted => return Ok(None),
                _ => {}
            }
        }
        Ok(None)
    }
}

fn decode_value<'a>(kind: PropType, from: &mut Reader<'a>) -> Result<Stored<'a>> {
    Ok(Stored::Value(match kind {
        PropType::I16 => Value::I16(integer(from)?),
        PropType::I32 => Value::I32(integer(from)?),
        PropType::I64 => Value::I64(integer(from)?),
        PropType::F64 => Value::F64(f64::from_bits(u64::from_le_bytes(*from.array()?))),
        PropType::Bool => Value::Bool(from.byte()? != 0),
        PropType::Time => Value::Time(FileTime(u64::from_le_bytes(*from.array()?))),
        PropType::Guid => Value::Guid(from.array()?),
        PropType::Str | PropType::Bin | PropType::Strs | PropType::Bins => {
            return decode_octets(kind, from);
        }
    }))
}

fn integer<T: TryFrom<i64>>(from: &mut Reader<'_>) -> Result<T> {
    T::try_from(unzigzag(from.varint()?)).map_err(|_| damaged())
}

fn decode_octets<'a>(kind: PropType, from: &mut Reader<'a>) -> Result<Stored<'a>> {
    let octets = match from.varint()? {
        EXTERNAL => {
            let hash = ContentHash(*from.array()?);
            return Ok(Stored::External {
                hash,
                len: from.varint()?,
            });
        }
        more => from.take(more - 1)?,
    };
    Ok(Stored::Value(match kind {
        PropType::Str => Value::Str(std::str::from_utf8(octets).map_err(|_| damaged())?),
        PropType::Strs => Value::Strs(Multi::from_packed(octets)),
        PropType::Bins => Value::Bins(Multi::from_packed(octets)),
        _ => Value::Bin(octets),
    }))
}
