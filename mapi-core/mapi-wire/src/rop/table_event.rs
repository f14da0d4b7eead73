//! Events to tables. Source: MS-OXCNOTIF 2.2.1.4.1.2.

use mapi_types::PropTag;

use super::{
    event::{bit, when},
    notification::notification_types,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
    row::PropertyRow,
};

/// An event to a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableEvent {
    /// Whether it is a contents table.
    pub message: bool,
    /// Whether it is the table of a search folder.
    pub search_folder: bool,
    /// What happened.
    pub change: TableChange,
}

/// What happened to a table.
#[derive(Clone, Debug, PartialEq)]
pub enum TableChange {
    /// Everything may be different.
    Changed,
    /// A row has come.
    RowAdded(AddedRow),
    /// A row has gone.
    RowDeleted(RowId),
    /// A row is different.
    RowModified(AddedRow),
    /// Another restriction holds.
    RestrictionChanged,
}

/// Which row it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowId {
    /// The folder, or the folder of the message.
    pub folder_id: Id,
    /// In a contents table: the message, and which of its rows.
    pub message: Option<(Id, u32)>,
}

/// A row and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct AddedRow {
    /// Which row.
    pub id: RowId,
    /// After which row it stands; zero: it is the first.
    pub after: RowId,
    /// The row.
    pub data: RowData,
}

/// The values of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum RowData {
    /// Values of the columns that were set for the table.
    Row(PropertyRow),
    /// Octets, because its columns are not known here: they were set before this session was watched, or changed
    /// between the event and its being told.
    Octets(Box<[u8]>),
}

/// TableEventType.
mod kind {
    pub(super) const CHANGED: u16 = 0x0001;
    pub(super) const ROW_ADDED: u16 = 0x0003;
    pub(super) const ROW_DELETED: u16 = 0x0004;
    pub(super) const ROW_MODIFIED: u16 = 0x0005;
    pub(super) const RESTRICTION_CHANGED: u16 = 0x0007;
}

impl TableEvent {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u16(
            notification_types::TABLE_MODIFIED
                | when(self.message, bit::MESSAGE)
                | when(self.search_folder, bit::SEARCH_FOLDER),
        );
        self.change.write(writer);
    }
}

impl TableChange {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        message: bool,
        columns: Option<&[PropTag]>,
    ) -> Result<Self> {
        Ok(match reader.u16("the kind of a table event")? {
            kind::CHANGED => Self::Changed,
            kind::ROW_ADDED => Self::RowAdded(AddedRow::read(reader, message, columns)?),
            kind::ROW_DELETED => Self::RowDeleted(RowId::read(reader, message)?),
            kind::ROW_MODIFIED => Self::RowModified(AddedRow::read(reader, message, columns)?),
            kind::RESTRICTION_CHANGED => Self::RestrictionChanged,
            _ => return Err(reader.error("a known kind of table event")),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Changed => writer.u16(kind::CHANGED),
            Self::RowAdded(row) => {
                writer.u16(kind::ROW_ADDED);
                row.write(writer);
            }
            Self::RowDeleted(id) => {
                writer.u16(kind::ROW_DELETED);
                id.write(writer);
            }
            Self::RowModified(row) => {
                writer.u16(kind::ROW_MODIFIED);
                row.write(writer);
            }
            Self::RestrictionChanged => writer.u16(kind::RESTRICTION_CHANGED),
        }
    }
}

impl RowId {
    fn read(reader: &mut Reader<'_>, message: bool) -> Result<Self> {
        let folder_id = Id::read(reader, "the folder of a row")?;
        let message = match message {
            true => Some((
                Id::read(reader, "the message of a row")?,
                reader.u32("the instance of a row")?,
            )),
            false => None,
        };
        Ok(Self { folder_id, message })
    }

    fn write(self, writer: &mut Writer) {
        self.folder_id.write(writer);
        if let Some((id, instance)) = self.message {
            id.write(writer);
            writer.u32(instance);
        }
    }
}

impl AddedRow {
    fn read(reader: &mut Reader<'_>, message: bool, columns: Option<&[PropTag]>) -> Result<Self> {
        Ok(Self {
            id: RowId::read(reader, message)?,
            after: RowId::read(reader, message)?,
            data: RowData::read(reader, columns)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        self.id.write(writer);
        self.after.write(writer);
        let start = writer.len();
        writer.u16(0);
        match &self.data {
            RowData::Row(row) => row.write(writer),
            RowData::Octets(octets) => writer.put(octets),
        }
        writer.set_u16(start, (writer.len() - start - 2) as u16);
    }
}

impl RowData {
    fn read(reader: &mut Reader<'_>, columns: Option<&[PropTag]>) -> Result<Self> {
        let size = reader.u16("the size of a row")?;
        let window = reader.window(size.into(), "a row")?;
        let row = columns.and_then(|columns| {
            let mut window = window.clone();
            let row = PropertyRow::read(&mut window, columns).ok()?;
            window.is_empty().then_some(row)
        });
        Ok(match row {
            Some(row) => Self::Row(row),
            None => Self::Octets(window.peek().into()),
        })
    }
}
