//! How many octets values take in the answer to a ROP, so that rows can be counted before they are written.

use mapi_types::PropTag;
use mapi_wire::{
    PropValue,
    row::{Cell, Content, PropertyRow},
    value::types,
};

use crate::model::{
    error::Code,
    props::{size_of_value, type_of, type_of_value},
};

/// At least the octets of a value.
pub(crate) fn value(value: &PropValue) -> usize {
    let lengths = match value {
        PropValue::String(_) => 2,
        PropValue::String8(_) => 1,
        PropValue::Binary(_) | PropValue::Object(_) => 2,
        PropValue::Strings(all) => 4 + 2 * all.len(),
        PropValue::Strings8(all) | PropValue::Binaries(all) => 4 + 2 * all.len(),
        PropValue::Restriction(_) | PropValue::RuleAction(_) => 0x1000,
        _ => 4,
    };
    lengths + size_of_value(value)
}

/// At least the octets of a row.
pub(crate) fn row(row: &PropertyRow) -> usize {
    let cell = |cell: &Cell| match &cell.content {
        Content::Value(found) => 3 + value(found),
        Content::Absent => 3,
        Content::Error(_) => 7,
    };
    1 + row.cells.iter().map(cell).sum::<usize>()
}

/// The cell of a column; one without a type says that of its value.
pub(crate) fn cell(tag: PropTag, found: Result<PropValue, Code>) -> Cell {
    let untyped = type_of(tag) == types::UNSPECIFIED;
    let (kind, content) = match found {
        Ok(value) => (type_of_value(&value), Content::Value(value)),
        Err(code) => (types::ERROR, Content::Error(code.0)),
    };
    Cell {
        kind: untyped.then_some(kind),
        content,
    }
}

/// A row of cells.
pub(crate) fn row_of(cells: Vec<Cell>) -> PropertyRow {
    let missing = |cell: &Cell| !matches!(cell.content, Content::Value(_));
    PropertyRow {
        flagged: cells.iter().any(missing),
        cells,
    }
}
