//! Rows of values without their tags: the columns were said before. Source: MS-OXCDATA 2.8.1, 2.11.

use mapi_types::PropTag;

use crate::{
    cursor::{Reader, Result, Writer},
    value::{Dialect, PropValue, types},
};

/// One row of a table, or the answer to a question for certain properties.
///
/// A value for each column, in the columns' order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PropertyRow {
    /// Whether every value says of itself if it is there (FlaggedPropertyRow).
    pub flagged: bool,
    /// The values.
    pub cells: Vec<Cell>,
}

/// The value of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The type of the value, where the column left it open (PtypUnspecified).
    pub kind: Option<u16>,
    /// The value, or why there is none.
    pub content: Content,
}

/// A value, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// The value.
    Value(PropValue),
    /// There is none, and no reason is given.
    Absent,
    /// There is none for a reason: an error code such as 0x8004010F, not found.
    Error(u32),
}

/// Before a value of a flagged row. Source: MS-OXCDATA 2.11.5.
mod flag {
    pub(super) const VALUE: u8 = 0x00;
    pub(super) const ABSENT: u8 = 0x01;
    pub(super) const ERROR: u8 = 0x0a;
}

impl PropertyRow {
    /// A row of values for columns that have a type; flagged when one is missing.
    pub fn new(contents: impl IntoIterator<Item = Content>) -> Self {
        let cell = |content| Cell {
            kind: None,
            content,
        };
        let cells: Vec<Cell> = contents.into_iter().map(cell).collect();
        Self {
            flagged: cells.iter().any(Cell::is_missing),
            cells,
        }
    }

    /// The value of the column at `place`, if there is one.
    pub fn value(&self, place: usize) -> Option<&PropValue> {
        self.cells.get(place)?.value()
    }

    /// Reads a row of these columns.
    pub(crate) fn read(reader: &mut Reader<'_>, columns: &[PropTag]) -> Result<Self> {
        let flagged = match reader.u8("the kind of a row")? {
            0 => false,
            1 => true,
            _ => return Err(reader.error("a kind of row, 0 or 1")),
        };
        let cells = columns
            .iter()
            .map(|column| Cell::read(reader, column.0 as u16, flagged))
            .collect::<Result<_>>()?;
        Ok(Self { flagged, cells })
    }

    /// Writes the row. One that lacks a value becomes a flagged row whatever it says.
    pub(crate) fn write(&self, writer: &mut Writer) {
        let flagged = self.flagged || self.cells.iter().any(Cell::is_missing);
        writer.bool(flagged);
        for cell in &self.cells {
            cell.write(writer, flagged);
        }
    }
}

impl Cell {
    /// The value, if there is one.
    pub const fn value(&self) -> Option<&PropValue> {
        match &self.content {
            Content::Value(value) => Some(value),
            Content::Absent | Content::Error(_) => None,
        }
    }

    const fn is_missing(&self) -> bool {
        self.value().is_none()
    }

    fn read(reader: &mut Reader<'_>, column: u16, flagged: bool) -> Result<Self> {
        let kind = match column {
            types::UNSPECIFIED => Some(reader.u16("the type of a value")?),
            _ => None,
        };
        let content = match flagged {
            true => Content::read_flagged(reader, kind.unwrap_or(column))?,
            false => Content::read_value(reader, kind.unwrap_or(column))?,
        };
        Ok(Self { kind, content })
    }

    fn write(&self, writer: &mut Writer, flagged: bool) {
        if let Some(kind) = self.kind {
            writer.u16(kind);
        }
        let (flag, code) = match &self.content {
            Content::Value(_) => (flag::VALUE, None),
            Content::Absent => (flag::ABSENT, None),
            Content::Error(code) => (flag::ERROR, Some(*code)),
        };
        if flagged {
            writer.u8(flag);
        }
        if let Some(value) = self.value() {
            value.write(writer, Dialect::Rop);
        }
        if let Some(code) = code {
            writer.u32(code);
        }
    }
}

impl Content {
    fn read_flagged(reader: &mut Reader<'_>, kind: u16) -> Result<Self> {
        match reader.u8("whether a value is there")? {
            flag::VALUE => Ok(Self::Value(PropValue::read(reader, kind, Dialect::Rop)?)),
            flag::ABSENT => Ok(Self::Absent),
            flag::ERROR => Ok(Self::Error(reader.u32("an error code")?)),
            _ => Err(reader.error("a flag of a value: 0, 1 or 10")),
        }
    }

    /// A value of no octets is refused: a few columns of such a type would make rows of any size out of nothing.
    fn read_value(reader: &mut Reader<'_>, kind: u16) -> Result<Self> {
        match kind {
            types::NULL => Err(reader.error("a column type that has a value")),
            _ => Ok(Self::Value(PropValue::read(reader, kind, Dialect::Rop)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [PropTag; 3] = [
        PropTag(0x3001_001f),
        PropTag(0x1000_0000),
        PropTag(0x0e08_0003),
    ];

    fn check(bytes: &[u8], row: &PropertyRow) {
        let mut reader = Reader::new(bytes);
        assert_eq!(&PropertyRow::read(&mut reader, &COLUMNS).unwrap(), row);
        assert!(reader.is_empty());
        let mut writer = Writer::new();
        row.write(&mut writer);
        assert_eq!(writer.as_bytes(), bytes);
    }

    fn cell(kind: Option<u16>, content: Content) -> Cell {
        Cell { kind, content }
    }

    #[test]
    fn a_standard_row_has_values_only_and_a_type_where_the_column_has_none() {
        let row = PropertyRow {
            flagged: false,
            cells: vec![
                cell(None, Content::Value(PropValue::String("A".into()))),
                cell(Some(0x000b), Content::Value(PropValue::Bool(true))),
                cell(None, Content::Value(PropValue::I32(7))),
            ],
        };
        check(&[0, b'A', 0, 0, 0, 0x0b, 0, 1, 7, 0, 0, 0], &row);
    }

    #[test]
    fn a_flagged_row_says_what_is_missing_and_why() {
        let row = PropertyRow {
            flagged: true,
            cells: vec![
                cell(None, Content::Absent),
                cell(Some(0x000a), Content::Error(0x8004_010f)),
                cell(None, Content::Value(PropValue::I32(7))),
            ],
        };
        check(
            &[1, 1, 0x0a, 0, 0x0a, 0x0f, 0x01, 0x04, 0x80, 0, 7, 0, 0, 0],
            &row,
        );
    }

    #[test]
    fn columns_without_octets_do_not_make_rows_out_of_nothing() {
        let error = PropertyRow::read(&mut Reader::new(&[0]), &[PropTag(0x3001_0001)]).unwrap_err();
        assert_eq!(error.expected, "a column type that has a value");
    }
}
