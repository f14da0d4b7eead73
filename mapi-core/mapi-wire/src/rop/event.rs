//! Events as the server tells them. Source: MS-OXCNOTIF 2.2.1.4.1.2.

use mapi_types::PropTag;

use super::{field::Field, notification::notification_types};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
    row::PropertyRow,
    text::Text,
};

/// An event. Source: MS-OXCNOTIF 2.2.1.4.1.2.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// To an object.
    Object(Box<ObjectEvent>),
    /// To a table.
    Table(Box<TableEvent>),
    /// Reserved: to be ignored.
    Extended {
        /// Bit 0x8000.
        message: bool,
        /// Bit 0x4000.
        search_folder: bool,
    },
}

/// An event to a folder or message.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectEvent {
    /// Whether it was in a search folder.
    pub search_folder: bool,
    /// The folder, or the folder of the message.
    pub folder_id: Id,
    /// The message, if it is about one.
    pub message_id: Option<Id>,
    /// What happened.
    pub change: Change,
    /// How many messages the folder has now.
    pub total_message_count: Option<u32>,
    /// How many of them are unread.
    pub unread_message_count: Option<u32>,
}

/// What happened to an object.
///
/// `parent_folder_id` is there for a folder, and for a message in a search folder.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It has come.
    NewMail {
        /// PidTagMessageFlags.
        message_flags: u32,
        /// Its class.
        message_class: Text,
    },
    /// It has been made.
    Created {
        /// Where.
        parent_folder_id: Option<Id>,
        /// Which properties it has; none: it is not said (0xFFFF).
        tags: Option<Vec<PropTag>>,
    },
    /// It has been deleted.
    Deleted {
        /// Where.
        parent_folder_id: Option<Id>,
    },
    /// It has changed.
    Modified {
        /// Which properties; none: it is not said (0xFFFF).
        tags: Option<Vec<PropTag>>,
    },
    /// It has moved.
    Moved(Origin),
    /// It has been copied.
    Copied(Origin),
    /// The search has found everything.
    SearchComplete,
}

/// Where a moved or copied object was.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Where it is now.
    pub parent_folder_id: Option<Id>,
    /// The folder as it was, or the folder the message was in.
    pub old_folder_id: Id,
    /// The message as it was, or the folder the folder was in.
    pub old_id: Id,
}

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
mod table_event {
    pub(super) const CHANGED: u16 = 0x0001;
    pub(super) const ROW_ADDED: u16 = 0x0003;
    pub(super) const ROW_DELETED: u16 = 0x0004;
    pub(super) const ROW_MODIFIED: u16 = 0x0005;
    pub(super) const RESTRICTION_CHANGED: u16 = 0x0007;
}

/// Bits of NotificationFlags beside the kind.
mod bit {
    pub(super) const TOTAL: u16 = 0x1000;
    pub(super) const UNREAD: u16 = 0x2000;
    pub(super) const SEARCH_FOLDER: u16 = 0x4000;
    pub(super) const MESSAGE: u16 = 0x8000;
    pub(super) const KIND: u16 = 0x0fff;
}

/// TagCount when it is not said which properties.
const TAGS_UNKNOWN: u16 = 0xffff;

const fn when(condition: bool, bit: u16) -> u16 {
    if condition { bit } else { 0 }
}

impl Event {
    /// Reads it; `columns` are those of the table it may be about.
    pub(super) fn read(reader: &mut Reader<'_>, columns: Option<&[PropTag]>) -> Result<Self> {
        let flags = reader.u16("notification flags")?;
        let message = flags & bit::MESSAGE != 0;
        let search_folder = flags & bit::SEARCH_FOLDER != 0;
        Ok(match flags & bit::KIND {
            notification_types::TABLE_MODIFIED => Self::Table(Box::new(TableEvent {
                message,
                search_folder,
                change: TableChange::read(reader, message, columns)?,
            })),
            notification_types::EXTENDED => Self::Extended {
                message,
                search_folder,
            },
            _ => Self::Object(Box::new(ObjectEvent::read(reader, flags)?)),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Object(event) => event.write(writer),
            Self::Table(event) => event.write(writer),
            Self::Extended {
                message,
                search_folder,
            } => writer.u16(
                notification_types::EXTENDED
                    | when(*message, bit::MESSAGE)
                    | when(*search_folder, bit::SEARCH_FOLDER),
            ),
        }
    }
}

impl ObjectEvent {
    fn read(reader: &mut Reader<'_>, flags: u16) -> Result<Self> {
        let message = flags & bit::MESSAGE != 0;
        let search_folder = flags & bit::SEARCH_FOLDER != 0;
        let folder_id = Id::read(reader, "the folder of an event")?;
        let message_id = match message {
            true => Some(Id::read(reader, "the message of an event")?),
            false => None,
        };
        let change = Change::read_head(reader, flags & bit::KIND, message == search_folder)?;
        let mut count = |bit, expected| match flags & bit {
            0 => Ok(None),
            _ => reader.u32(expected).map(Some),
        };
        let total_message_count = count(bit::TOTAL, "a count of messages")?;
        let unread_message_count = count(bit::UNREAD, "a count of unread messages")?;
        let change = match change {
            Some(change) => change,
            None => Change::read_new_mail(reader)?,
        };
        Ok(Self {
            search_folder,
            folder_id,
            message_id,
            change,
            total_message_count,
            unread_message_count,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(
            self.change.kind()
                | when(self.message_id.is_some(), bit::MESSAGE)
                | when(self.search_folder, bit::SEARCH_FOLDER)
                | when(self.total_message_count.is_some(), bit::TOTAL)
                | when(self.unread_message_count.is_some(), bit::UNREAD),
        );
        self.folder_id.write(writer);
        if let Some(id) = self.message_id {
            id.write(writer);
        }
        self.change.write_head(writer);
        for count in [self.total_message_count, self.unread_message_count]
            .into_iter()
            .flatten()
        {
            writer.u32(count);
        }
        self.change.write_new_mail(writer);
    }
}

impl Change {
    /// Reads what stands before the counts; new mail has nothing there.
    fn read_head(reader: &mut Reader<'_>, kind: u16, parent: bool) -> Result<Option<Self>> {
        let parent_folder_id = |reader: &mut Reader<'_>| match parent {
            true => Id::read(reader, "the parent folder of an event").map(Some),
            false => Ok(None),
        };
        Ok(Some(match kind {
            notification_types::NEW_MAIL => return Ok(None),
            notification_types::OBJECT_CREATED => Self::Created {
                parent_folder_id: parent_folder_id(reader)?,
                tags: read_tags(reader)?,
            },
            notification_types::OBJECT_DELETED => Self::Deleted {
                parent_folder_id: parent_folder_id(reader)?,
            },
            notification_types::OBJECT_MODIFIED => Self::Modified {
                tags: read_tags(reader)?,
            },
            notification_types::OBJECT_MOVED | notification_types::OBJECT_COPIED => {
                let origin = Origin {
                    parent_folder_id: parent_folder_id(reader)?,
                    old_folder_id: Id::read(reader, "the old folder of an event")?,
                    old_id: Id::read(reader, "the old message or parent folder of an event")?,
                };
                match kind {
                    notification_types::OBJECT_MOVED => Self::Moved(origin),
                    _ => Self::Copied(origin),
                }
            }
            notification_types::SEARCH_COMPLETE => Self::SearchComplete,
            _ => return Err(reader.error("a known kind of notification")),
        }))
    }

    fn read_new_mail(reader: &mut Reader<'_>) -> Result<Self> {
        let message_flags = reader.u32("the flags of a new message")?;
        let unicode = reader.bool("whether a class is UTF-16")?;
        Ok(Self::NewMail {
            message_flags,
            message_class: Text::read(reader, unicode, "the class of a new message")?,
        })
    }

    const fn kind(&self) -> u16 {
        match self {
            Self::NewMail { .. } => notification_types::NEW_MAIL,
            Self::Created { .. } => notification_types::OBJECT_CREATED,
            Self::Deleted { .. } => notification_types::OBJECT_DELETED,
            Self::Modified { .. } => notification_types::OBJECT_MODIFIED,
            Self::Moved(_) => notification_types::OBJECT_MOVED,
            Self::Copied(_) => notification_types::OBJECT_COPIED,
            Self::SearchComplete => notification_types::SEARCH_COMPLETE,
        }
    }

    fn write_head(&self, writer: &mut Writer) {
        let parent = match self {
            Self::Created {
                parent_folder_id, ..
            }
            | Self::Deleted { parent_folder_id } => *parent_folder_id,
            Self::Moved(origin) | Self::Copied(origin) => origin.parent_folder_id,
            Self::NewMail { .. } | Self::Modified { .. } | Self::SearchComplete => None,
        };
        if let Some(id) = parent {
            id.write(writer);
        }
        match self {
            Self::Moved(origin) | Self::Copied(origin) => {
                origin.old_folder_id.write(writer);
                origin.old_id.write(writer);
            }
            Self::Created { tags, .. } | Self::Modified { tags } => write_tags(writer, tags),
            Self::NewMail { .. } | Self::Deleted { .. } | Self::SearchComplete => {}
        }
    }

    fn write_new_mail(&self, writer: &mut Writer) {
        if let Self::NewMail {
            message_flags,
            message_class,
        } = self
        {
            let unicode = matches!(message_class, Text::Unicode(_));
            writer.u32(*message_flags);
            writer.bool(unicode);
            message_class.write(writer, unicode);
        }
    }
}

fn read_tags(reader: &mut Reader<'_>) -> Result<Option<Vec<PropTag>>> {
    const EXPECTED: &str = "the properties of an event";
    let count = reader.u16(EXPECTED)?;
    if count == TAGS_UNKNOWN {
        return Ok(None);
    }
    let count = reader.count(count.into(), 4, EXPECTED)?;
    (0..count)
        .map(|_| Field::read(reader, EXPECTED))
        .collect::<Result<_>>()
        .map(Some)
}

fn write_tags(writer: &mut Writer, tags: &Option<Vec<PropTag>>) {
    match tags {
        Some(tags) => tags.write(writer),
        None => writer.u16(TAGS_UNKNOWN),
    }
}

impl TableEvent {
    fn write(&self, writer: &mut Writer) {
        writer.u16(
            notification_types::TABLE_MODIFIED
                | when(self.message, bit::MESSAGE)
                | when(self.search_folder, bit::SEARCH_FOLDER),
        );
        self.change.write(writer);
    }
}

impl TableChange {
    fn read(reader: &mut Reader<'_>, message: bool, columns: Option<&[PropTag]>) -> Result<Self> {
        Ok(match reader.u16("the kind of a table event")? {
            table_event::CHANGED => Self::Changed,
            table_event::ROW_ADDED => Self::RowAdded(AddedRow::read(reader, message, columns)?),
            table_event::ROW_DELETED => Self::RowDeleted(RowId::read(reader, message)?),
            table_event::ROW_MODIFIED => {
                Self::RowModified(AddedRow::read(reader, message, columns)?)
            }
            table_event::RESTRICTION_CHANGED => Self::RestrictionChanged,
            _ => return Err(reader.error("a known kind of table event")),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Changed => writer.u16(table_event::CHANGED),
            Self::RowAdded(row) => {
                writer.u16(table_event::ROW_ADDED);
                row.write(writer);
            }
            Self::RowDeleted(id) => {
                writer.u16(table_event::ROW_DELETED);
                id.write(writer);
            }
            Self::RowModified(row) => {
                writer.u16(table_event::ROW_MODIFIED);
                row.write(writer);
            }
            Self::RestrictionChanged => writer.u16(table_event::RESTRICTION_CHANGED),
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
