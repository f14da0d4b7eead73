//! Source: MS-OXCROPS 2.2.5.

use mapi_wire::rop::*;

use super::slot;
use crate::{
    names::codes::table,
    node::Node,
    view::{
        Scene, View,
        hints::{bits, one_of, opaque},
        views,
    },
};

const BOOKMARK: &str = "a bookmark, the server's own";
const COLLAPSE_STATE: &str = "which categories are shown, the server's own";

views! {
    SetColumns { logon_id, input: slot, set_columns_flags: bits(table::ASYNC), property_tags }
    SetColumnsResponse { index: slot, table_status: one_of(table::STATUS) }
    SortTable { logon_id, input: slot, sort_table_flags: bits(table::ASYNC), sort }
    SortTableResponse { index: slot, table_status: one_of(table::STATUS) }
    Sort { category_count, expanded_count, orders }
    Restrict { logon_id, input: slot, restrict_flags: bits(table::ASYNC), restriction }
    RestrictResponse { index: slot, table_status: one_of(table::STATUS) }
    QueryRows {
        logon_id, input: slot, query_rows_flags: bits(table::QUERY_ROWS), forward_read, row_count,
    }
    QueryRowsResponse { index: slot, origin: one_of(table::BOOKMARK), rows }
    Abort { logon_id, input: slot }
    AbortResponse { index: slot, table_status: one_of(table::STATUS) }
    GetStatus { logon_id, input: slot }
    GetStatusResponse { index: slot, table_status: one_of(table::STATUS) }
    QueryPosition { logon_id, input: slot }
    QueryPositionResponse { index: slot, numerator, denominator }
    SeekRow {
        logon_id, input: slot, origin: one_of(table::BOOKMARK), row_count, want_row_moved_count,
    }
    SeekRowResponse { index: slot, has_sought_less, rows_sought }
    SeekRowBookmark {
        logon_id, input: slot, bookmark: opaque(BOOKMARK), row_count, want_row_moved_count,
    }
    SeekRowBookmarkResponse {
        index: slot, row_no_longer_visible, has_sought_less, rows_sought,
    }
    SeekRowFractional { logon_id, input: slot, numerator, denominator }
    SeekRowFractionalResponse { index: slot }
    CreateBookmark { logon_id, input: slot }
    CreateBookmarkResponse { index: slot, bookmark: opaque(BOOKMARK) }
    QueryColumnsAll { logon_id, input: slot }
    QueryColumnsAllResponse { index: slot, property_tags }
    FindRow {
        logon_id, input: slot, find_row_flags: bits(table::FIND_ROW), restriction,
        origin: one_of(table::BOOKMARK), bookmark: opaque(BOOKMARK),
    }
    FindRowResponse { index: slot, row_no_longer_visible, row }
    FreeBookmark { logon_id, input: slot, bookmark: opaque(BOOKMARK) }
    FreeBookmarkResponse { index: slot }
    ResetTable { logon_id, input: slot }
    ResetTableResponse { index: slot }
    ExpandRow { logon_id, input: slot, max_row_count, category_id: category }
    ExpandRowResponse { index: slot, expanded_row_count, rows }
    CollapseRow { logon_id, input: slot, category_id: category }
    CollapseRowResponse { index: slot, collapsed_row_count }
    GetCollapseState { logon_id, input: slot, row_id, row_instance_number }
    GetCollapseStateResponse { index: slot, collapse_state: opaque(COLLAPSE_STATE) }
    SetCollapseState { logon_id, input: slot, collapse_state: opaque(COLLAPSE_STATE) }
    SetCollapseStateResponse { index: slot, bookmark: opaque(BOOKMARK) }
}

/// A category: it looks like the id of a message.
fn category(id: &u64, scene: &Scene<'_>) -> Node {
    mapi_wire::Id::from_u64(*id).view(scene)
}
