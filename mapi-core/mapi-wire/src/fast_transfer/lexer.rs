//! Octets into atoms, however the stream was cut into buffers. Source: MS-OXCFXICS 2.2.4.1, 2.2.4.1.3.

use mapi_types::PropTag;

use super::{
    marker::Marker,
    property::{Layout, Property, Shape, Value},
};
use crate::{
    cursor::{DecodeError, Reader, Result},
    ids::Guid,
    property_name::{NameId, PropertyName},
};

/// The smallest thing a stream is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Atom {
    /// A word of the grammar.
    Marker(Marker),
    /// A property, also one about the stream itself.
    Property(Property),
}

/// The largest single value, in octets of the stream: a property with all its values.
pub const VALUE_OCTETS_MAX: usize = 256 << 20;

/// The longest stream, in octets. A mailbox has up to 100 GB; a stream is one folder of it at most.
pub const STREAM_OCTETS_MAX: usize = 1 << 40;

/// The longest name of a property, in UTF-16 units without the NUL. Source: MS-OXCDATA 2.6.1, where it is 127.
pub const NAME_UNITS_MAX: usize = 256;

/// Above this, a buffer that is empty again is given back.
const BUFFER_OCTETS_KEPT: usize = 1 << 20;

/// How much a parser holds of one event: octets of values, and a lump for each atom.
pub const EVENT_OCTETS_MAX: usize = 512 << 20;

/// How much of a stream is taken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of one property.
    pub value_octets_max: usize,
    /// Octets of the stream.
    pub stream_octets_max: usize,
    /// Octets of one event; of no interest to a lexer.
    pub event_octets_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            value_octets_max: VALUE_OCTETS_MAX,
            stream_octets_max: STREAM_OCTETS_MAX,
            event_octets_max: EVENT_OCTETS_MAX,
        }
    }
}

/// Makes atoms of a stream that comes in pieces, cut anywhere. Memory: what was fed and not taken yet.
#[derive(Clone, Debug, Default)]
pub struct Lexer {
    limits: Limits,
    buffer: Vec<u8>,
    /// Where in the buffer the next atom begins.
    start: usize,
    /// Where in the stream the next atom begins.
    position: usize,
    /// What is known of the next atom, so that nothing is measured twice.
    extent: Option<Extent>,
    /// After an error there is nothing but that error.
    error: Option<DecodeError>,
}

/// How far an atom reaches.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// Octets from its beginning to the end of what was measured.
    octets: usize,
    /// Values after that whose lengths were not read yet.
    values: u32,
}

impl Lexer {
    /// A lexer with limits of the caller's own.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes the next piece of the stream. Take all atoms before the next one.
    pub fn feed(&mut self, octets: &[u8]) {
        if self.error.is_some() {
            return;
        }
        if self.start > 0 && self.start >= self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
            if self.buffer.is_empty() && self.buffer.capacity() > BUFFER_OCTETS_KEPT {
                self.buffer = Vec::new();
            }
        }
        self.buffer.extend_from_slice(octets);
    }

    /// Where in the stream the next atom begins.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The next atom; `None` when its end has not come yet.
    pub fn next_atom(&mut self) -> Result<Option<Atom>> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let atom = self.advance();
        if let Err(error) = &atom {
            self.error = Some(error.clone());
            self.buffer = Vec::new();
            self.start = 0;
        }
        atom
    }

    /// Ends the stream: an error when an atom was cut off.
    pub fn finish(&self) -> Result<()> {
        match (&self.error, self.pending()) {
            (Some(error), _) => Err(error.clone()),
            (None, 0) => Ok(()),
            (None, pending) => Err(DecodeError {
                at: self.position + pending,
                expected: "the rest of an atom",
            }),
        }
    }

    const fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    fn advance(&mut self) -> Result<Option<Atom>> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some(extent) = measure(rest, self.extent, self.position, self.limits)? else {
            return Ok(None);
        };
        self.extent = Some(extent);
        let Some(octets) = rest.get(..extent.octets).filter(|_| extent.values == 0) else {
            return Ok(None);
        };
        let mut reader = Reader::at(octets, self.position);
        let atom = read_atom(&mut reader)?;
        reader.finish("the end of an atom")?;
        self.extent = None;
        self.start += extent.octets;
        self.position += extent.octets;
        Ok(Some(atom))
    }
}

/// Goes on measuring the atom that `rest` begins with; `None` when not even its beginning is there.
fn measure(
    rest: &[u8],
    known: Option<Extent>,
    position: usize,
    limits: Limits,
) -> Result<Option<Extent>> {
    let error = |expected| DecodeError {
        at: position,
        expected,
    };
    let mut extent = match known {
        Some(extent) => extent,
        None => match measure_head(rest, position)? {
            Some(extent) => extent,
            None => return Ok(None),
        },
    };
    loop {
        let lengths = (extent.values as usize).saturating_mul(4);
        let least = extent.octets.saturating_add(lengths);
        if least > limits.value_octets_max {
            return Err(error("a property that is not too large"));
        }
        if least > limits.stream_octets_max.saturating_sub(position) {
            return Err(error("a stream that is not too long"));
        }
        if extent.values == 0 {
            return Ok(Some(extent));
        }
        let Some(length) = rest.get(extent.octets..).and_then(|r| r.first_chunk()) else {
            return Ok(Some(extent));
        };
        let length = u32::from_le_bytes(*length) as usize;
        extent.octets = extent.octets.saturating_add(4).saturating_add(length);
        extent.values -= 1;
    }
}

/// Measures an atom up to its value, with the value if that has a fixed size.
fn measure_head(rest: &[u8], position: usize) -> Result<Option<Extent>> {
    let mut reader = Reader::at(rest, position);
    // What is missing here comes with the next piece: only the fields themselves can be wrong.
    let Ok(tag) = reader.u32("") else {
        return Ok(None);
    };
    let whole = |octets, values| Ok(Some(Extent { octets, values }));
    if Marker::from_tag(tag).is_some() {
        return whole(4, 0);
    }
    let tag = PropTag(tag);
    let Some(layout) = Layout::of(tag) else {
        return Err(DecodeError {
            at: position,
            expected: "a marker, or a property of a known type",
        });
    };
    let name = match is_named(tag) {
        true => measure_name(&reader)?,
        false => Some(0),
    };
    let Some(head) = name.map(|octets| 4 + octets) else {
        return Ok(None);
    };
    match layout {
        Layout::One(shape) => match shape.size() {
            Some(size) => whole(head + size, 0),
            None => whole(head, 1),
        },
        Layout::Many(shape) => {
            let Some(count) = rest.get(head..).and_then(|rest| rest.first_chunk()) else {
                return Ok(None);
            };
            let count = u32::from_le_bytes(*count);
            match shape.size() {
                Some(size) => whole(
                    (count as usize)
                        .saturating_mul(size)
                        .saturating_add(head + 4),
                    0,
                ),
                None => whole(head + 4, count),
            }
        }
    }
}

/// Octets of a name; `None` when its end has not come yet.
fn measure_name(reader: &Reader<'_>) -> Result<Option<usize>> {
    const HEAD: usize = 17;
    let rest = reader.peek();
    match rest.get(HEAD - 1) {
        None => Ok(None),
        Some(&name_kind::NUMBER) => Ok(Some(HEAD + 4)),
        Some(&name_kind::TEXT) => {
            let units = rest.get(HEAD..).unwrap_or_default().as_chunks::<2>().0;
            let end = units
                .iter()
                .take(NAME_UNITS_MAX + 1)
                .position(|unit| *unit == [0, 0]);
            match end {
                Some(len) => Ok(Some(HEAD + 2 * len + 2)),
                None if units.len() > NAME_UNITS_MAX => Err(reader.error("a shorter name")),
                None => Ok(None),
            }
        }
        Some(_) => Err(reader.error("a name that is a number or a text")),
    }
}

/// What the name of a property is.
pub(super) mod name_kind {
    pub(in crate::fast_transfer) const NUMBER: u8 = 0;
    pub(in crate::fast_transfer) const TEXT: u8 = 1;
}

/// Whether a property has a name in the stream.
pub(super) const fn is_named(tag: PropTag) -> bool {
    tag.id() >= 0x8000
}

/// Reads an atom that is there as a whole.
fn read_atom(reader: &mut Reader<'_>) -> Result<Atom> {
    let tag = reader.u32("a marker or a property tag")?;
    if let Some(marker) = Marker::from_tag(tag) {
        return Ok(Atom::Marker(marker));
    }
    let tag = PropTag(tag);
    let name = match is_named(tag) {
        true => Some(read_name(reader)?),
        false => None,
    };
    let value = match Layout::of(tag) {
        Some(Layout::One(shape)) => read_one(reader, shape)?,
        Some(Layout::Many(shape)) => read_many(reader, shape)?,
        None => return Err(reader.error("a property of a known type")),
    };
    Ok(Atom::Property(Property { tag, name, value }))
}

fn read_name(reader: &mut Reader<'_>) -> Result<PropertyName> {
    let set = Guid(reader.array("a property set")?);
    let id = match reader.u8("the kind of a name")? {
        name_kind::NUMBER => NameId::Number(reader.u32("the number of a property")?),
        _ => NameId::Text(reader.wstr("the name of a property with its NUL")?),
    };
    Ok(PropertyName { set, id })
}

fn read_one(reader: &mut Reader<'_>, shape: Shape) -> Result<Value> {
    Ok(match shape {
        Shape::I16 => Value::I16(i16_of(reader)?),
        Shape::I32 => Value::I32(i32_of(reader)?),
        Shape::F32 => Value::F32(f32_of(reader)?),
        Shape::F64 => Value::F64(f64_of(reader)?),
        Shape::I64 => Value::I64(i64_of(reader)?),
        Shape::Bool => Value::Bool(reader.u16("a boolean")?),
        Shape::Guid => Value::Guid(guid_of(reader)?),
        Shape::Octets => Value::Octets(octets_of(reader)?),
    })
}

fn read_many(reader: &mut Reader<'_>, shape: Shape) -> Result<Value> {
    Ok(match shape {
        Shape::I16 => Value::I16s(many(reader, 2, i16_of)?),
        Shape::I32 => Value::I32s(many(reader, 4, i32_of)?),
        Shape::F32 => Value::F32s(many(reader, 4, f32_of)?),
        Shape::F64 => Value::F64s(many(reader, 8, f64_of)?),
        Shape::I64 => Value::I64s(many(reader, 8, i64_of)?),
        Shape::Guid => Value::Guids(many(reader, 16, guid_of)?),
        Shape::Octets => Value::OctetsList(many(reader, 4, octets_of)?),
        Shape::Bool => return Err(reader.error("a property of a known type")),
    })
}

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

fn guid_of(reader: &mut Reader<'_>) -> Result<Guid> {
    Ok(Guid(reader.array("a guid")?))
}

fn octets_of(reader: &mut Reader<'_>) -> Result<Box<[u8]>> {
    let len = reader.u32("the length of a value")? as usize;
    Ok(reader.take(len, "a value")?.into())
}
