//! Table rows in one allocation per kind of data.

use std::sync::Arc;

use crate::{FileTime, Kind, PropTag, PropType, Tag, Value, value::Multi};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Cell {
    /// The number itself, or the offset of text or bytes.
    data: u64,
    len: u32,
    /// `None`: the row has no such property.
    kind: Option<PropType>,
}

/// Rows of a table: `columns.len()` cells per row, row-major; texts and octets in one buffer each.
#[derive(Debug, PartialEq)]
pub struct RowSet {
    columns: Arc<[PropTag]>,
    cells: Box<[Cell]>,
    text: Box<str>,
    octets: Box<[u8]>,
}

/// One row of a [`RowSet`].
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    set: &'a RowSet,
    first: usize,
}

impl RowSet {
    /// The columns, in order.
    pub fn columns(&self) -> &Arc<[PropTag]> {
        &self.columns
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.cells.len() / self.columns.len().max(1)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The rows, in the table's order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        let width = self.columns.len().max(1);
        (0..self.len()).map(move |row| Row {
            set: self,
            first: row * width,
        })
    }

    /// Row number `row`.
    pub fn row(&self, row: usize) -> Option<Row<'_>> {
        (row < self.len()).then(|| Row {
            set: self,
            first: row * self.columns.len(),
        })
    }
}

impl<'a> Row<'a> {
    /// The value of a property; `None` if the row has none or the column was not asked for.
    pub fn value(self, tag: PropTag) -> Option<Value<'a>> {
        self.at(self.set.columns.iter().position(|&column| column == tag)?)
    }

    /// The value in column number `column`: the fast way for code that chose the columns itself.
    pub fn at(self, column: usize) -> Option<Value<'a>> {
        let Cell { data, len, kind } = *self.set.cells.get(self.first + column)?;
        let range = data as usize..data as usize + len as usize;
        let octets = || self.set.octets.get(range.clone());
        Some(match kind? {
            PropType::I16 => Value::I16(data as i16),
            PropType::I32 => Value::I32(data as i32),
            PropType::I64 => Value::I64(data as i64),
            PropType::F64 => Value::F64(f64::from_bits(data)),
            PropType::Bool => Value::Bool(data != 0),
            PropType::Time => Value::Time(FileTime(data)),
            PropType::Guid => Value::Guid(octets()?.first_chunk()?),
            PropType::Str => Value::Str(self.set.text.get(range)?),
            PropType::Bin => Value::Bin(octets()?),
            PropType::Strs => Value::Strs(Multi::from_packed(octets()?)),
            PropType::Bins => Value::Bins(Multi::from_packed(octets()?)),
        })
    }

    /// The value of a typed property.
    pub fn get<K: Kind>(self, tag: &Tag<K>) -> Option<K::Ref<'a>> {
        K::read(self.value(tag.tag())?)
    }

    /// Every property of the row with its value.
    pub fn values(self) -> impl Iterator<Item = (PropTag, Value<'a>)> {
        self.set
            .columns
            .iter()
            .enumerate()
            .filter_map(move |(i, &tag)| Some((tag, self.at(i)?)))
    }
}

/// Builds a [`RowSet`] cell by cell, in row-major order.
#[derive(Debug)]
pub struct RowSetBuilder {
    columns: Arc<[PropTag]>,
    cells: Vec<Cell>,
    text: String,
    octets: Vec<u8>,
}

impl RowSetBuilder {
    /// An empty set with these columns.
    pub fn new(columns: impl Into<Arc<[PropTag]>>) -> Self {
        Self {
            columns: columns.into(),
            cells: Vec::new(),
            text: String::new(),
            octets: Vec::new(),
        }
    }

    /// The columns, in order.
    pub fn columns(&self) -> &Arc<[PropTag]> {
        &self.columns
    }

    /// Appends the next cell; `None` where the row has no such property.
    pub fn push(&mut self, value: Option<Value<'_>>) {
        let kind = value.map(Value::prop_type);
        let (data, len) = match value {
            None => (0, 0),
            Some(Value::I16(v)) => (v as u64, 0),
            Some(Value::I32(v)) => (v as u64, 0),
            Some(Value::I64(v)) => (v as u64, 0),
            Some(Value::F64(v)) => (v.to_bits(), 0),
            Some(Value::Bool(v)) => (u64::from(v), 0),
            Some(Value::Time(v)) => (v.0, 0),
            Some(Value::Str(v)) => {
                let at = self.text.len() as u64;
                self.text.push_str(v);
                (at, v.len())
            }
            Some(Value::Guid(v)) => self.push_octets(v),
            Some(Value::Bin(v)) => self.push_octets(v),
            Some(Value::Strs(v) | Value::Bins(v)) => self.push_octets(v.packed()),
        };
        self.cells.push(Cell {
            data,
            len: len as u32,
            kind,
        });
    }

    fn push_octets(&mut self, octets: &[u8]) -> (u64, usize) {
        let at = self.octets.len() as u64;
        self.octets.extend_from_slice(octets);
        (at, octets.len())
    }

    /// The finished set. A row begun but not completed is filled up with missing values.
    pub fn build(mut self) -> RowSet {
        while !self.cells.len().is_multiple_of(self.columns.len().max(1)) {
            self.push(None);
        }
        RowSet {
            columns: self.columns,
            cells: self.cells.into(),
            text: self.text.into(),
            octets: self.octets.into(),
        }
    }
}
