//! Atoms into octets, cut into buffers where that is allowed. Source: MS-OXCFXICS 2.2.4.1, 2.2.4.1.3.

use std::collections::VecDeque;

use super::{
    lexer::{Atom, name_kind},
    marker::Marker,
    property::{Property, Value},
};
use crate::property_name::{NameId, PropertyName};

/// Writes a stream. A sender takes buffers of it with [`Encoder::take`] while it goes on writing.
///
/// A property has a name exactly when its id is 0x8000 or above, and a value of the shape its tag says; what is not
/// so, nobody can read.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    octets: Vec<u8>,
    /// Where in `octets` the stream goes on for the receiver.
    taken: usize,
    /// What the octets not taken yet consist of.
    pieces: VecDeque<Piece>,
}

/// Octets that may be cut after every `unit` of them.
#[derive(Clone, Copy, Debug)]
struct Piece {
    len: usize,
    unit: usize,
}

impl Encoder {
    /// The least that [`Encoder::take`] can always take something of: the largest value of fixed size with the longest
    /// name.
    pub const TAKE_MIN: usize = 4 + 17 + 2 * (super::NAME_UNITS_MAX + 1) + 16;

    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many octets wait to be taken.
    pub const fn len(&self) -> usize {
        self.octets.len() - self.taken
    }

    /// Whether all octets were taken.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All octets not taken yet.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.octets.drain(..self.taken);
        self.octets
    }

    /// The next octets, at most `max`, which should be [`Encoder::TAKE_MIN`] or more. They end between two atoms or
    /// within a value of variable length, as receivers demand. Empty only when all were taken, or `max` is too small.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let mut len = 0;
        while let Some(piece) = self.pieces.front_mut() {
            let room = max - len;
            if piece.len > room {
                let fits = room - room % piece.unit.max(1);
                piece.len -= fits;
                len += fits;
                break;
            }
            len += piece.len;
            self.pieces.pop_front();
        }
        let end = self.taken + len;
        let octets = self
            .octets
            .get(self.taken..end)
            .unwrap_or_default()
            .to_vec();
        self.taken = end;
        if self.taken >= self.octets.len() / 2 {
            self.octets.drain(..self.taken);
            self.taken = 0;
        }
        octets
    }

    /// Writes an atom.
    pub fn atom(&mut self, atom: &Atom) {
        match atom {
            Atom::Marker(marker) => self.marker(*marker),
            Atom::Property(property) => self.property(property),
        }
    }

    /// Writes a marker.
    pub fn marker(&mut self, marker: Marker) {
        self.whole(|octets| octets.extend(marker.tag().to_le_bytes()));
    }

    /// Writes properties.
    pub fn properties(&mut self, properties: &[Property]) {
        for property in properties {
            self.property(property);
        }
    }

    /// Writes a property.
    pub fn property(&mut self, property: &Property) {
        let head = |octets: &mut Vec<u8>| {
            octets.extend(property.tag.0.to_le_bytes());
            if let Some(name) = &property.name {
                write_name(octets, name);
            }
        };
        match &property.value {
            Value::I16(v) => self.one(head, v.to_le_bytes()),
            Value::I32(v) => self.one(head, v.to_le_bytes()),
            Value::F32(v) => self.one(head, v.to_le_bytes()),
            Value::F64(v) => self.one(head, v.to_le_bytes()),
            Value::I64(v) => self.one(head, v.to_le_bytes()),
            Value::Bool(v) => self.one(head, v.to_le_bytes()),
            Value::Guid(v) => self.one(head, v.0),
            Value::Octets(v) => self.lengthy(head, v),
            Value::I16s(v) => self.many(head, v, |v| v.to_le_bytes()),
            Value::I32s(v) => self.many(head, v, |v| v.to_le_bytes()),
            Value::F32s(v) => self.many(head, v, |v| v.to_le_bytes()),
            Value::F64s(v) => self.many(head, v, |v| v.to_le_bytes()),
            Value::I64s(v) => self.many(head, v, |v| v.to_le_bytes()),
            Value::Guids(v) => self.many(head, v, |v| v.0),
            Value::OctetsList(v) => {
                self.many(head, v, |_| []);
                for value in v {
                    self.lengthy(|_| (), value);
                }
            }
        }
    }

    /// Writes what no cut may divide.
    fn whole(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.octets.len();
        write(&mut self.octets);
        let len = self.octets.len() - start;
        self.pieces.push_back(Piece { len, unit: len });
    }

    fn one<const N: usize>(&mut self, head: impl FnOnce(&mut Vec<u8>), value: [u8; N]) {
        self.whole(|octets| {
            head(octets);
            octets.extend(value);
        });
    }

    /// Writes the head and a length together, then a value that may be cut anywhere.
    fn lengthy(&mut self, head: impl FnOnce(&mut Vec<u8>), value: &[u8]) {
        self.whole(|octets| {
            head(octets);
            octets.extend((value.len() as u32).to_le_bytes());
        });
        self.octets.extend_from_slice(value);
        self.pieces.push_back(Piece {
            len: value.len(),
            unit: 1,
        });
    }

    /// Writes the head and a count together, then values that may be cut between two of them.
    fn many<T, const N: usize>(
        &mut self,
        head: impl FnOnce(&mut Vec<u8>),
        values: &[T],
        octets_of: impl Fn(&T) -> [u8; N],
    ) {
        self.whole(|octets| {
            head(octets);
            octets.extend((values.len() as u32).to_le_bytes());
        });
        self.octets.extend(values.iter().flat_map(octets_of));
        self.pieces.push_back(Piece {
            len: N * values.len(),
            unit: N,
        });
    }
}

fn write_name(octets: &mut Vec<u8>, name: &PropertyName) {
    octets.extend(name.set.0);
    match &name.id {
        NameId::Number(number) => {
            octets.push(name_kind::NUMBER);
            octets.extend(number.to_le_bytes());
        }
        NameId::Text(text) => {
            octets.push(name_kind::TEXT);
            let units = text.0.iter().take_while(|&&unit| unit != 0);
            let units = units.take(super::NAME_UNITS_MAX).chain(&[0]);
            octets.extend(units.flat_map(|unit| unit.to_le_bytes()));
        }
    }
}
