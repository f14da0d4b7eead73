//! What changes on the server: asking to be told, and being told. Source: MS-OXCROPS 2.2.14, MS-OXCNOTIF 2.2.1.

use mapi_types::PropTag;

use super::{
    event::Event,
    field::{Context, Field},
    layout::rops,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
};

rops! {
    /// Asks to be told of events. The output handle stands in every [`Notify`] about them.
    /// Source: MS-OXCROPS 2.2.14.1.
    0x29 RegisterNotification (input output) {
        /// [`notification_types`].
        notification_types: u16,
        /// 0; there with [`notification_types::EXTENDED`] only.
        reserved: Option<u8> [extended notification_types],
        /// Events where.
        scope: Scope,
    } => RegisterNotificationResponse {}
}

/// Kinds of events, as bits. Source: MS-OXCNOTIF 2.2.1.2.1.1, 2.2.1.4.1.2.
pub mod notification_types {
    /// A message has come.
    pub const NEW_MAIL: u16 = 0x0002;
    /// An object has been made.
    pub const OBJECT_CREATED: u16 = 0x0004;
    /// An object has been deleted.
    pub const OBJECT_DELETED: u16 = 0x0008;
    /// An object has changed.
    pub const OBJECT_MODIFIED: u16 = 0x0010;
    /// An object has moved.
    pub const OBJECT_MOVED: u16 = 0x0020;
    /// An object has been copied.
    pub const OBJECT_COPIED: u16 = 0x0040;
    /// A search folder has found everything.
    pub const SEARCH_COMPLETE: u16 = 0x0080;
    /// A table has changed.
    pub const TABLE_MODIFIED: u16 = 0x0100;
    /// Reserved.
    pub const EXTENDED: u16 = 0x0400;
}

/// Where events are to be told of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// In the whole store.
    WholeStore,
    /// At one object.
    Object {
        /// The folder.
        folder_id: Id,
        /// The message; zero: the folder itself.
        message_id: Id,
    },
}

impl Field for Scope {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(match reader.bool(expected)? {
            true => Self::WholeStore,
            false => Self::Object {
                folder_id: Field::read(reader, expected)?,
                message_id: Field::read(reader, expected)?,
            },
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.bool(matches!(self, Self::WholeStore));
        if let Self::Object {
            folder_id,
            message_id,
        } = self
        {
            folder_id.write(writer);
            message_id.write(writer);
        }
    }
}

mod extended {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
        types: &u16,
    ) -> Result<Option<u8>> {
        match types & notification_types::EXTENDED {
            0 => Ok(None),
            _ => reader.u8(expected).map(Some),
        }
    }

    pub(super) fn write(reserved: &Option<u8>, writer: &mut Writer, types: &u16) {
        if types & notification_types::EXTENDED != 0 {
            writer.u8(reserved.unwrap_or_default());
        }
    }
}

/// An event that was asked for. Source: MS-OXCROPS 2.2.14.2.
#[derive(Clone, Debug, PartialEq)]
pub struct Notify {
    /// The handle of the subscription, or of the table.
    pub handle: u32,
    /// The logon.
    pub logon_id: u8,
    /// What happened.
    pub event: Event,
}

impl Notify {
    /// Reads it from behind its RopId; `columns_of` knows the columns of tables by handle.
    pub(super) fn read<'c>(
        reader: &mut Reader<'_>,
        columns_of: impl FnOnce(u32) -> Option<&'c [PropTag]>,
    ) -> Result<Self> {
        let handle = reader.u32("the handle of a notification")?;
        let logon_id = reader.u8("the logon of a notification")?;
        let event = Event::read(reader, columns_of(handle))?;
        Ok(Self {
            handle,
            logon_id,
            event,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u32(self.handle);
        writer.u8(self.logon_id);
        self.event.write(writer);
    }
}
