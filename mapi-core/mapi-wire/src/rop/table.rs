//! Tables: columns, order, restriction, rows, places. Source: MS-OXCROPS 2.2.5, MS-OXCTABL 2.2.2.

use mapi_types::PropTag;

use super::{
    field::{Context, restriction},
    layout::rops,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
    restriction::Restriction,
    row::PropertyRow,
    table::SortOrder,
};

/// TableFlags of the ROPs that open a table. Source: MS-OXCFOLD 2.2.1.13.1, 2.2.1.14.1.
pub mod table_flags {
    /// Associated messages instead of the others.
    pub const ASSOCIATED: u8 = 0x02;
    /// Folders at every depth.
    pub const DEPTH: u8 = 0x04;
    /// The server may answer before it knows whether it can.
    pub const DEFERRED_ERRORS: u8 = 0x08;
    /// No notifications about this table.
    pub const NO_NOTIFICATIONS: u8 = 0x10;
    /// What was softly deleted, instead.
    pub const SOFT_DELETES: u8 = 0x20;
    /// Strings in UTF-16.
    pub const USE_UNICODE: u8 = 0x40;
    /// Messages of conversations; in a hierarchy table, no notifications about one's own changes.
    pub const CONVERSATION_MEMBERS: u8 = 0x80;
}

/// A place in a table, as RopSeekRow and RopFindRow begin at it and RopQueryRows reports it.
/// Source: MS-OXCTABL 2.2.2.1.1.
pub mod bookmark {
    /// Before the first row.
    pub const BEGINNING: u8 = 0;
    /// Where the table stands.
    pub const CURRENT: u8 = 1;
    /// After the last row.
    pub const END: u8 = 2;
    /// The bookmark that stands beside it.
    pub const CUSTOM: u8 = 3;
}

rops! {
    /// Says which columns the rows have from now on. Source: MS-OXCROPS 2.2.5.1.
    0x12 SetColumns (input) {
        /// 0, or 1: it may take place later.
        set_columns_flags: u8,
        /// The columns.
        property_tags: Vec<PropTag>,
    } => SetColumnsResponse {
        /// 0: done.
        table_status: u8,
    }

    /// Says in which order the rows come. Source: MS-OXCROPS 2.2.5.2.
    0x13 SortTable (input) {
        /// 0, or 1: it may take place later.
        sort_table_flags: u8,
        /// By what to sort; the first of them make categories.
        sort: Sort,
    } => SortTableResponse {
        /// 0: done.
        table_status: u8,
    }

    /// Says which rows there are. Source: MS-OXCROPS 2.2.5.3.
    0x14 Restrict (input) {
        /// 0, or 1: it may take place later.
        restrict_flags: u8,
        /// The condition; none: all rows.
        restriction: Option<Restriction> [restriction],
    } => RestrictResponse {
        /// 0: done.
        table_status: u8,
    }

    /// Reads rows. Source: MS-OXCROPS 2.2.5.4.
    0x15 QueryRows (input) {
        /// [`Self::NO_ADVANCE`], [`Self::ENABLE_PACKED_BUFFERS`].
        query_rows_flags: u8,
        /// Whether from where the table stands towards its end.
        forward_read: bool,
        /// How many at most; fewer come when the buffer is full.
        row_count: u16,
    } => QueryRowsResponse {
        /// Where the table stands now: [`bookmark`].
        origin: u8,
        /// The rows.
        rows: Vec<PropertyRow> [rows],
    }

    /// Stops what a table does. Source: MS-OXCROPS 2.2.5.5.
    0x38 Abort (input) {} => AbortResponse {
        /// 0: done.
        table_status: u8,
    }

    /// Asks what a table does. Source: MS-OXCROPS 2.2.5.6.
    0x16 GetStatus (input) {} => GetStatusResponse {
        /// 0: nothing.
        table_status: u8,
    }

    /// Asks where a table stands. Source: MS-OXCROPS 2.2.5.7.
    0x17 QueryPosition (input) {} => QueryPositionResponse {
        /// Rows before it.
        numerator: u32,
        /// All rows.
        denominator: u32,
    }

    /// Goes to another row. Source: MS-OXCROPS 2.2.5.8.
    0x18 SeekRow (input) {
        /// From where: [`bookmark`].
        origin: u8,
        /// How many rows, backwards when negative.
        row_count: i32,
        /// Whether it shall be said how far it went.
        want_row_moved_count: bool,
    } => SeekRowResponse {
        /// Whether it went less far.
        has_sought_less: bool,
        /// How far it went.
        rows_sought: i32,
    }

    /// Goes to another row, from a bookmark. Source: MS-OXCROPS 2.2.5.9.
    0x19 SeekRowBookmark (input) {
        /// From where.
        bookmark: Box<[u8]>,
        /// How many rows, backwards when negative.
        row_count: i32,
        /// Whether it shall be said how far it went.
        want_row_moved_count: bool,
    } => SeekRowBookmarkResponse {
        /// Whether the row of the bookmark has gone.
        row_no_longer_visible: bool,
        /// Whether it went less far.
        has_sought_less: bool,
        /// How far it went.
        rows_sought: i32,
    }

    /// Goes to a fraction of the table. Source: MS-OXCROPS 2.2.5.10.
    0x1a SeekRowFractional (input) {
        /// So many …
        numerator: u32,
        /// … of so many.
        denominator: u32,
    } => SeekRowFractionalResponse {}

    /// Remembers where a table stands. Source: MS-OXCROPS 2.2.5.11.
    0x1b CreateBookmark (input) {} => CreateBookmarkResponse {
        /// The bookmark.
        bookmark: Box<[u8]>,
    }

    /// Asks for all columns a table has. Source: MS-OXCROPS 2.2.5.12.
    0x37 QueryColumnsAll (input) {} => QueryColumnsAllResponse {
        /// The columns.
        property_tags: Vec<PropTag>,
    }

    /// Finds the next row that meets a condition. Source: MS-OXCROPS 2.2.5.13.
    0x4f FindRow (input) {
        /// 0 forwards, 1 backwards.
        find_row_flags: u8,
        /// The condition.
        restriction: Option<Restriction> [restriction],
        /// From where: [`bookmark`].
        origin: u8,
        /// For [`bookmark::CUSTOM`].
        bookmark: Box<[u8]>,
    } => FindRowResponse {
        /// Whether the row of the bookmark has gone.
        row_no_longer_visible: bool,
        /// The row.
        row: Option<PropertyRow> [found_row],
    }

    /// Forgets a bookmark. Source: MS-OXCROPS 2.2.5.14.
    0x89 FreeBookmark (input) {
        /// The bookmark.
        bookmark: Box<[u8]>,
    } => FreeBookmarkResponse {}

    /// Forgets columns, order and restriction. Source: MS-OXCROPS 2.2.5.15.
    0x81 ResetTable (input) {} => ResetTableResponse {}

    /// Shows the rows of a category. Source: MS-OXCROPS 2.2.5.16.
    0x59 ExpandRow (input) {
        /// How many rows to return at most.
        max_row_count: u16,
        /// The category.
        category_id: u64,
    } => ExpandRowResponse {
        /// How many rows the category has.
        expanded_row_count: u32,
        /// The first of them.
        rows: Vec<PropertyRow> [rows],
    }

    /// Hides the rows of a category. Source: MS-OXCROPS 2.2.5.17.
    0x5a CollapseRow (input) {
        /// The category.
        category_id: u64,
    } => CollapseRowResponse {
        /// How many rows went.
        collapsed_row_count: u32,
    }

    /// Asks which categories are shown. Source: MS-OXCROPS 2.2.5.18.
    0x6b GetCollapseState (input) {
        /// The row to remember as the place.
        row_id: Id,
        /// Which of its rows, where a column shows one value a row.
        row_instance_number: u32,
    } => GetCollapseStateResponse {
        /// The state, for [`SetCollapseState`] only.
        collapse_state: Box<[u8]>,
    }

    /// Shows the categories that were shown. Source: MS-OXCROPS 2.2.5.19.
    0x6c SetCollapseState (input) {
        /// The state, from [`GetCollapseStateResponse`].
        collapse_state: Box<[u8]>,
    } => SetCollapseStateResponse {
        /// The place that was remembered.
        bookmark: Box<[u8]>,
    }
}

impl QueryRows {
    /// QueryRowsFlags: the table stays where it stands.
    pub const NO_ADVANCE: u8 = 0x01;
    /// QueryRowsFlags: the server may answer in several buffers.
    pub const ENABLE_PACKED_BUFFERS: u8 = 0x02;
}

/// By what to sort, and how many of these columns make categories. Source: MS-OXCTABL 2.2.2.3.1.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sort {
    /// How many of the first make categories.
    pub category_count: u16,
    /// How many of the first show their rows from the beginning.
    pub expanded_count: u16,
    /// The columns.
    pub orders: Vec<SortOrder>,
}

impl super::field::Field for Sort {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        let count = usize::from(reader.u16(expected)?);
        let category_count = reader.u16(expected)?;
        let expanded_count = reader.u16(expected)?;
        let count = reader.count(count, 5, expected)?;
        Ok(Self {
            category_count,
            expanded_count,
            orders: (0..count)
                .map(|_| SortOrder::read(reader))
                .collect::<Result<_>>()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.orders.len() as u16);
        writer.u16(self.category_count);
        writer.u16(self.expanded_count);
        for order in &self.orders {
            order.write(writer);
        }
    }
}

/// Rows of the columns that were set before.
mod rows {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<PropertyRow>> {
        let count = usize::from(reader.u16(expected)?);
        let count = reader.count(count, 1, expected)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let columns = context.columns(reader)?;
        (0..count)
            .map(|_| PropertyRow::read(reader, columns))
            .collect()
    }

    pub(super) fn write(rows: &[PropertyRow], writer: &mut Writer) {
        writer.u16(rows.len() as u16);
        for row in rows {
            row.write(writer);
        }
    }
}

/// One row of the columns that were set before, after an octet that says whether it is there.
mod found_row {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        expected: &'static str,
    ) -> Result<Option<PropertyRow>> {
        match reader.bool(expected)? {
            true => Ok(Some(PropertyRow::read(reader, context.columns(reader)?)?)),
            false => Ok(None),
        }
    }

    pub(super) fn write(row: &Option<PropertyRow>, writer: &mut Writer) {
        writer.bool(row.is_some());
        if let Some(row) = row {
            row.write(writer);
        }
    }
}
