//! Row ids: the folder in the high half, the item's number in the low one.

use mapi_types::FolderId;

use crate::{access::no_folder, fail::Result};

/// Folder ids stop here, so that row ids stay positive.
pub(crate) const FOLDER_MAX: i64 = i32::MAX as i64;

/// A folder's id as the tables have it. Errors: `NotFound` for one that no folder can have.
pub(crate) fn folder_row_id(folder: FolderId) -> Result<i64> {
    let id = i64::try_from(folder.0)
        .ok()
        .filter(|id| (1..=FOLDER_MAX).contains(id));
    id.ok_or_else(no_folder)
}

/// The row id of an item.
pub(crate) const fn row_id(folder: i64, number: u32) -> i64 {
    folder << 32 | number as i64
}

/// The number of the item with this row id.
pub(crate) const fn number_of(row_id: i64) -> u32 {
    row_id as u32
}
