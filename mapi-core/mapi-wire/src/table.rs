//! What is said about tables beside their rows: order, and the columns that documents fix.

use mapi_types::PropTag;

use crate::cursor::{Reader, Result, Writer};

/// One column to sort by. Source: MS-OXCDATA 2.13.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SortOrder {
    /// The column.
    pub tag: PropTag,
    /// Which end comes first: [`Self::ASCENDING`], [`Self::DESCENDING`], [`Self::MAXIMUM_CATEGORY`].
    pub order: u8,
}

impl SortOrder {
    /// The smallest first.
    pub const ASCENDING: u8 = 0;
    /// The largest first.
    pub const DESCENDING: u8 = 1;
    /// Categories in the order of the largest value of this column within each.
    pub const MAXIMUM_CATEGORY: u8 = 4;

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            tag: PropTag(reader.u32("a column to sort by")?),
            order: reader.u8("a direction to sort in")?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u32(self.tag.0);
        writer.u8(self.order);
    }
}

/// Columns of the Receive folder table: PidTagFolderId, PidTagMessageClass as 8-bit string, PidTagLastModificationTime.
/// Source: MS-OXCROPS 2.2.3.4.2.
pub const RECEIVE_FOLDER_COLUMNS: [PropTag; 3] = [
    PropTag(0x6748_0014),
    PropTag(0x001a_001e),
    PropTag(0x3008_0040),
];
