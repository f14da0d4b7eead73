//! Events as the server tells them. Source: MS-OXCNOTIF 2.2.1.4.1.2.

use mapi_types::PropTag;

use super::{
    field::Field,
    notification::notification_types,
    table_event::{TableChange, TableEvent},
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
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

/// Bits of NotificationFlags beside the kind.
pub(super) mod bit {
    pub(in crate::rop) const TOTAL: u16 = 0x1000;
    pub(in crate::rop) const UNREAD: u16 = 0x2000;
    pub(in crate::rop) const SEARCH_FOLDER: u16 = 0x4000;
    pub(in crate::rop) const MESSAGE: u16 = 0x8000;
    pub(in crate::rop) const KIND: u16 = 0x0fff;
}

/// TagCount when it is not said which properties.
const TAGS_UNKNOWN: u16 = 0xffff;

pub(super) const fn when(condition: bool, bit: u16) -> u16 {
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
