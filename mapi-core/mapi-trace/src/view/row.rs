//! Rows, by their columns. Source: MS-OXCDATA 2.8.1; MS-OXCMAPIHTTP 2.2.1.

use mapi_types::PropTag;
use mapi_wire::{
    nspi::{self, CellState, Rows, Tagged},
    row::{Content, PropertyRow},
};

use super::{
    Scene, View,
    hints::error_code,
    property::{kind, tag, value},
};
use crate::node::{Entry, Node, VALUE};

/// A row of these columns.
pub(crate) fn row(row: &PropertyRow, columns: &[PropTag], scene: &Scene<'_>) -> Node {
    let PropertyRow { flagged, cells } = row;
    let cells = cells.iter().enumerate().map(|(place, cell)| {
        let column = columns.get(place).copied();
        let entry = head(column, cell.kind, scene);
        let column = typed(column.unwrap_or(PropTag(0)), cell.kind);
        let content = match &cell.content {
            Content::Value(content) => value(column, content, scene),
            Content::Absent => Node::Absent,
            Content::Error(code) => error_code(*code),
        };
        let entry = match &cell.content {
            Content::Error(_) => entry.and("state", "error"),
            Content::Value(_) | Content::Absent => entry,
        };
        entry.with(VALUE, content).into()
    });
    Entry::new("row", if *flagged { "flagged row" } else { "row" })
        .with("columns", Node::list(cells))
        .into()
}

/// What a column is, and the type of the value where the column leaves it open.
fn head(column: Option<PropTag>, open: Option<u16>, scene: &Scene<'_>) -> Entry {
    let entry = match column {
        Some(column) => tag(column, scene),
        None => Entry::new("tag", "a column that is not known"),
    };
    match open {
        Some(open) => entry.and("type", kind(open)),
        None => entry,
    }
}

fn typed(column: PropTag, open: Option<u16>) -> PropTag {
    match open {
        Some(open) => PropTag(column.0 & !0xffff | u32::from(open)),
        None => column,
    }
}

/// Rows of the columns of the scene.
impl View for PropertyRow {
    fn view(&self, scene: &Scene<'_>) -> Node {
        row(self, scene.columns, scene)
    }
}

impl View for Rows {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self { columns, rows } = self;
        let rows = rows.iter().map(|row| book_row(row, columns, scene));
        Entry::default()
            .with("columns", columns.view(scene))
            .with("rows", Node::list(rows))
            .into()
    }
}

fn book_row(row: &nspi::Row, columns: &[PropTag], scene: &Scene<'_>) -> Node {
    let nspi::Row { is_flagged, cells } = row;
    let cells = columns.iter().zip(cells).map(|(column, cell)| {
        let open = (column.0 as u16 == 0).then_some(cell.kind);
        let entry = head(Some(*column), open, scene);
        match &cell.state {
            CellState::Value(content) => {
                let content = content.as_ref();
                let node = content.map(|content| value(typed(*column, open), content, scene));
                entry.with(VALUE, node.unwrap_or_else(|| Node::word("no value")))
            }
            CellState::Missing => entry.with(VALUE, Node::Absent),
            CellState::Error(code) => entry.and("state", "error").with(VALUE, error_code(*code)),
        }
        .into()
    });
    Entry::new("row", if *is_flagged { "flagged row" } else { "row" })
        .with("columns", Node::list(cells))
        .into()
}

impl View for Tagged {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let content = self.value.as_ref();
        let content = content.map(|content| value(self.tag, content, scene));
        tag(self.tag, scene)
            .with(VALUE, content.unwrap_or_else(|| Node::word("no value")))
            .into()
    }
}
