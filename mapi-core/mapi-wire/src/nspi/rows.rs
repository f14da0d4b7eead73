//! Values of the address book: lists with their tags, and rows with their columns once for all.
//!
//! Source: MS-OXCMAPIHTTP 2.2.1.

use mapi_types::PropTag;

use crate::{
    cursor::{Reader, Result, Writer},
    http::Body,
    restriction::Restriction,
    value::{Dialect, PropValue, types},
};

/// The most cells of one response: a column of type PtypNull has no octets, so octets do not bound them.
pub const CELLS_MAX: usize = 0x4_0000;

/// The error of a property that is not there (MAPI_E_NOT_FOUND).
const NOT_FOUND: u32 = 0x8004_010f;

const FLAG_VALUE: u8 = 0x00;
const FLAG_MISSING: u8 = 0x01;
const FLAG_ERROR: u8 = 0x0a;

/// A property: tag and value. Source: MS-OXCMAPIHTTP 2.2.1.2.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged {
    /// The tag; of type PtypErrorCode where a property could not be read.
    pub tag: PropTag,
    /// The value, of the tag's type. `None`: a string, binary or multiple value that is not there, or an object, which
    /// has no value on the wire. Of another type, `None` is written as the error that there is no such property.
    pub value: Option<PropValue>,
}

impl Body for Tagged {
    const OCTETS_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self> {
        let tag = PropTag(reader.u32(name)?);
        let value = read_value(reader, tag.0 as u16)?;
        Ok(Self { tag, value })
    }

    fn write(&self, writer: &mut Writer) {
        let kind = self.tag.0 as u16;
        if self.value.is_none() && !may_be_absent(kind) {
            writer.u32(self.tag.0 & !0xffff | u32::from(types::ERROR));
            return writer.u32(NOT_FOUND);
        }
        writer.u32(self.tag.0);
        write_value(writer, kind, self.value.as_ref());
    }
}

/// Rows and what their cells mean. Source: MS-OXCMAPIHTTP 2.2.1.7 and the responses that have rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The columns.
    pub columns: Vec<PropTag>,
    /// The rows, each with one cell a column.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Whether each cell says by a flag how it is; always so where one has no value.
    pub is_flagged: bool,
    /// One cell a column.
    pub cells: Vec<Cell>,
}

/// What a row says of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The type of its value: that of the column, unless the column leaves it open (type 0).
    pub kind: u16,
    /// The value, or why there is none.
    pub state: CellState,
}

/// The state of a cell. Source: MS-OXCMAPIHTTP 2.2.1.5.
#[derive(Clone, Debug, PartialEq)]
pub enum CellState {
    /// The value; `None` as in [`Tagged`].
    Value(Option<PropValue>),
    /// There is none.
    Missing,
    /// It could not be read.
    Error(u32),
}

impl Rows {
    /// The value of a column in a row.
    pub fn value(&self, row: usize, column: PropTag) -> Option<&PropValue> {
        let place = self.columns.iter().position(|&tag| tag == column)?;
        match &self.rows.get(row)?.cells.get(place)?.state {
            CellState::Value(value) => value.as_ref(),
            CellState::Missing | CellState::Error(_) => None,
        }
    }
}

impl Body for Rows {
    const OCTETS_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        let columns = Vec::<PropTag>::read(reader, "columns")?;
        let count = reader.u32("a count of rows")? as usize;
        let count = reader.count(count, 1, "a count of rows")?;
        if count.saturating_mul(columns.len()) > CELLS_MAX {
            return Err(reader.error("fewer cells"));
        }
        let rows = (0..count).map(|_| Row::read(reader, &columns));
        let rows = rows.collect::<Result<_>>()?;
        Ok(Self { columns, rows })
    }

    fn write(&self, writer: &mut Writer) {
        self.columns.write(writer);
        writer.u32(self.rows.len() as u32);
        for row in &self.rows {
            row.write(writer, &self.columns);
        }
    }
}

impl Row {
    fn read(reader: &mut Reader<'_>, columns: &[PropTag]) -> Result<Self> {
        let is_flagged = match reader.u8("the flag of a row")? {
            0 => false,
            1 => true,
            _ => return Err(reader.error("a row with flag 0 or 1 before it")),
        };
        let cells = columns.iter().map(|column| {
            let kind = match column.0 as u16 {
                types::UNSPECIFIED => reader.u16("the type of a cell")?,
                kind => kind,
            };
            let state = match is_flagged {
                true => CellState::read_flagged(reader, kind)?,
                false => CellState::Value(read_value(reader, kind)?),
            };
            Ok(Cell { kind, state })
        });
        let cells = cells.collect::<Result<_>>()?;
        Ok(Self { is_flagged, cells })
    }

    fn write(&self, writer: &mut Writer, columns: &[PropTag]) {
        let is_flagged = self.is_flagged
            || self.cells.len() < columns.len()
            || self.cells.iter().any(|cell| !cell.has_plain_form());
        writer.bool(is_flagged);
        for (place, column) in columns.iter().enumerate() {
            let (kind, state) = match self.cells.get(place) {
                Some(cell) => (cell.kind, &cell.state),
                None => (column.0 as u16, &CellState::Missing),
            };
            if column.0 as u16 == types::UNSPECIFIED {
                writer.u16(kind);
            }
            match state {
                CellState::Value(None) if !may_be_absent(kind) => writer.u8(FLAG_MISSING),
                CellState::Value(value) => {
                    if is_flagged {
                        writer.u8(FLAG_VALUE);
                    }
                    write_value(writer, kind, value.as_ref());
                }
                CellState::Missing => writer.u8(FLAG_MISSING),
                CellState::Error(error) => {
                    writer.u8(FLAG_ERROR);
                    writer.u32(*error);
                }
            }
        }
    }
}

impl Cell {
    /// Whether it can be written in a row without flags.
    const fn has_plain_form(&self) -> bool {
        match &self.state {
            CellState::Value(Some(_)) => true,
            CellState::Value(None) => may_be_absent(self.kind),
            CellState::Missing | CellState::Error(_) => false,
        }
    }
}

impl CellState {
    fn read_flagged(reader: &mut Reader<'_>, kind: u16) -> Result<Self> {
        match reader.u8("the flag of a cell")? {
            FLAG_VALUE => Ok(Self::Value(read_value(reader, kind)?)),
            FLAG_MISSING => Ok(Self::Missing),
            FLAG_ERROR => Ok(Self::Error(reader.u32("the error of a cell")?)),
            _ => Err(reader.error("a cell with flag 0, 1 or 10 before it")),
        }
    }
}

impl Body for Restriction {
    const OCTETS_MIN: usize = 1;

    fn read(reader: &mut Reader<'_>, _: &'static str) -> Result<Self> {
        Self::read(reader, Dialect::Nspi)
    }

    fn write(&self, writer: &mut Writer) {
        self.write(writer, Dialect::Nspi);
    }
}

/// Whether a value of this type may be absent and still be written. Source: MS-OXCMAPIHTTP 2.2.1.1.
const fn may_be_absent(kind: u16) -> bool {
    has_presence(kind) || matches!(kind, types::OBJECT | types::NULL)
}

/// Whether an octet before a value of this type says that it is there.
const fn has_presence(kind: u16) -> bool {
    let is_multiple = kind & types::MULTIPLE != 0 && kind & types::INSTANCE != types::INSTANCE;
    is_multiple || matches!(kind, types::STRING | types::STRING8 | types::BINARY)
}

/// Reads a value. An object has no octets: it would be a table.
fn read_value(reader: &mut Reader<'_>, kind: u16) -> Result<Option<PropValue>> {
    if kind == types::OBJECT {
        return Ok(None);
    }
    if has_presence(kind) && reader.peek().first() == Some(&0) {
        reader.take(1, "whether a value follows")?;
        return Ok(None);
    }
    PropValue::read(reader, kind, Dialect::Nspi).map(Some)
}

fn write_value(writer: &mut Writer, kind: u16, value: Option<&PropValue>) {
    match value {
        _ if kind == types::OBJECT => {}
        Some(value) => value.write(writer, Dialect::Nspi),
        None if has_presence(kind) => writer.u8(0),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Body + std::fmt::Debug + PartialEq>(value: &T, bytes: &[u8]) {
        let mut reader = Reader::new(bytes);
        assert_eq!(&T::read(&mut reader, "it").unwrap(), value);
        assert!(reader.is_empty());
        let mut writer = Writer::new();
        value.write(&mut writer);
        assert_eq!(writer.as_bytes(), bytes);
    }

    fn cell(kind: u16, state: CellState) -> Cell {
        Cell { kind, state }
    }

    #[test]
    fn an_absent_string_is_one_octet() {
        let tag = PropTag(0x3001_001f);
        check(&Tagged { tag, value: None }, &[0x1f, 0, 1, 0x30, 0]);
        let value = Some(PropValue::String("a".into()));
        check(
            &Tagged { tag, value },
            &[0x1f, 0, 1, 0x30, 0xff, b'a', 0, 0, 0],
        );
    }

    #[test]
    fn an_object_has_no_octets() {
        let tag = PropTag(0x8005_000d);
        check(&Tagged { tag, value: None }, &[0x0d, 0, 5, 0x80]);
    }

    #[test]
    fn an_absent_number_is_written_as_an_error() {
        let tag = PropTag(0x3900_0003);
        let mut writer = Writer::new();
        Tagged { tag, value: None }.write(&mut writer);
        assert_eq!(writer.as_bytes(), [0x0a, 0, 0, 0x39, 0x0f, 1, 4, 0x80]);
    }

    #[test]
    fn cells_have_flags_where_one_has_no_value() {
        let rows = Rows {
            columns: vec![
                PropTag(0x3001_001e),
                PropTag(0x3900_0003),
                PropTag(0x3a00_0000),
            ],
            rows: vec![
                Row {
                    is_flagged: false,
                    cells: vec![
                        cell(0x1e, CellState::Value(None)),
                        cell(3, CellState::Value(Some(PropValue::I32(6)))),
                        cell(0x0b, CellState::Value(Some(PropValue::Bool(true)))),
                    ],
                },
                Row {
                    is_flagged: true,
                    cells: vec![
                        cell(
                            0x1e,
                            CellState::Value(Some(PropValue::String8(b"x".as_slice().into()))),
                        ),
                        cell(3, CellState::Missing),
                        cell(0x0b, CellState::Error(NOT_FOUND)),
                    ],
                },
            ],
        };
        check(
            &rows,
            &[
                3, 0, 0, 0, 0x1e, 0, 1, 0x30, 3, 0, 0, 0x39, 0, 0, 0, 0x3a, 2, 0, 0,
                0, // columns, count
                0, 0, 6, 0, 0, 0, 0x0b, 0, 1, // plain
                1, 0, 0xff, b'x', 0, 1, 0x0b, 0, 0x0a, 0x0f, 1, 4, 0x80, // flagged
            ],
        );
        assert_eq!(
            rows.value(0, PropTag(0x3900_0003)),
            Some(&PropValue::I32(6))
        );
        assert_eq!(rows.value(1, PropTag(0x3900_0003)), None);
        assert_eq!(rows.value(2, PropTag(0x3900_0003)), None);
    }

    #[test]
    fn a_row_that_lacks_cells_is_filled_with_missing_ones() {
        let rows = Rows {
            columns: vec![PropTag(0x3900_0003)],
            rows: vec![Row::default()],
        };
        let mut writer = Writer::new();
        rows.write(&mut writer);
        assert_eq!(
            writer.as_bytes(),
            [1, 0, 0, 0, 3, 0, 0, 0x39, 1, 0, 0, 0, 1, 1]
        );
    }

    #[test]
    fn columns_without_octets_do_not_fill_the_memory() {
        let mut bytes = 1024_u32.to_le_bytes().to_vec();
        bytes.extend([1, 0, 0, 0].repeat(1024));
        bytes.extend(1024_u32.to_le_bytes());
        bytes.extend([0; 1024]);
        let error = Rows::read(&mut Reader::new(&bytes), "rows").unwrap_err();
        assert_eq!(error.expected, "fewer cells");
    }

    #[test]
    fn a_flag_nobody_knows_is_refused() {
        let error = Rows::read(&mut Reader::new(&[0, 0, 0, 0, 1, 0, 0, 0, 2]), "rows").unwrap_err();
        assert_eq!(
            (error.at, error.expected),
            (9, "a row with flag 0 or 1 before it")
        );
    }
}
