//! Messages: opening, making, saving, recipients, read and status marks. Source: MS-OXCROPS 2.2.6, MS-OXCMSG 2.2.3.

use mapi_types::PropTag;

use super::{field::Context, layout::rops};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
    recipient::{ModifyRecipientRow, OpenRecipientRow, ReadRecipientRow},
    text::TypedString,
};

rops! {
    /// Opens a message. Source: MS-OXCROPS 2.2.6.1.
    0x03 OpenMessage (input output) {
        /// The code page of 8-bit strings; 0x0fff: that of the logon.
        code_page_id: u16,
        /// Its folder.
        folder_id: Id,
        /// [`open_mode`].
        open_mode_flags: u8,
        /// The message.
        message_id: Id,
    } => OpenMessageResponse {
        /// Whether it has named properties.
        has_named_properties: bool,
        /// The prefix of its subject.
        subject_prefix: TypedString,
        /// The rest of its subject.
        normalized_subject: TypedString,
        /// How many recipients it has; rows may be fewer.
        recipient_count: u16,
        /// The columns of recipients.
        recipient_columns: Vec<PropTag>,
        /// The first recipients.
        recipient_rows: Vec<OpenRecipientRow> [opened_recipients recipient_columns],
    }

    /// Makes a message; it is there once it is saved. Source: MS-OXCROPS 2.2.6.2.
    0x06 CreateMessage (input output) {
        /// The code page of 8-bit strings; 0x0fff: that of the logon.
        code_page_id: u16,
        /// Its folder.
        folder_id: Id,
        /// Whether it is an associated message.
        associated_flag: bool,
    } => CreateMessageResponse {
        /// Its id, when the server gives one at once.
        message_id: Option<Id> [possible_id],
    }

    /// Saves a message. Source: MS-OXCROPS 2.2.6.3.
    0x0c SaveChangesMessage (response input) {
        /// [`save_flags`].
        save_flags: u8,
    } => SaveChangesMessageResponse {
        /// The slot of the message.
        input: u8,
        /// Its id.
        message_id: Id,
    }

    /// Removes all recipients. Source: MS-OXCROPS 2.2.6.4.
    0x0d RemoveAllRecipients (input) {
        /// Reserved, 0.
        reserved: u32,
    } => RemoveAllRecipientsResponse {}

    /// Adds, changes and removes recipients. Source: MS-OXCROPS 2.2.6.5.
    0x0e ModifyRecipients (input) {
        /// The columns of what follows.
        recipient_columns: Vec<PropTag>,
        /// The recipients.
        recipient_rows: Vec<ModifyRecipientRow> [modified_recipients recipient_columns],
    } => ModifyRecipientsResponse {}

    /// Reads recipients. Source: MS-OXCROPS 2.2.6.6.
    0x0f ReadRecipients (input) {
        /// The number of the first.
        row_id: u32,
        /// Reserved, 0.
        reserved: u16,
    } => ReadRecipientsResponse {
        /// As many as fit.
        recipient_rows: Vec<ReadRecipientRow> [read_recipients],
    }

    /// Asks again for what opening gave. Source: MS-OXCROPS 2.2.6.7.
    0x10 ReloadCachedInformation (input) {
        /// Reserved, 0.
        reserved: u16,
    } => ReloadCachedInformationResponse {
        /// Whether it has named properties.
        has_named_properties: bool,
        /// The prefix of its subject.
        subject_prefix: TypedString,
        /// The rest of its subject.
        normalized_subject: TypedString,
        /// How many recipients it has; rows may be fewer.
        recipient_count: u16,
        /// The columns of recipients.
        recipient_columns: Vec<PropTag>,
        /// The first recipients.
        recipient_rows: Vec<OpenRecipientRow> [opened_recipients recipient_columns],
    }

    /// Changes bits that a contents table shows for a message. Source: MS-OXCROPS 2.2.6.8.
    0x20 SetMessageStatus (input) {
        /// The message.
        message_id: Id,
        /// The bits.
        message_status_flags: u32,
        /// Which of them to change.
        message_status_mask: u32,
    } => SetMessageStatusResponse {
        /// The bits before.
        message_status_flags: u32,
    }

    /// Asks for bits that a contents table shows for a message. The response has the number of [`SetMessageStatus`].
    /// Source: MS-OXCROPS 2.2.6.9.
    0x1f GetMessageStatus (input) {
        /// The message.
        message_id: Id,
    } => GetMessageStatusResponse {
        /// The bits.
        message_status_flags: u32,
    }

    /// Marks messages of a folder as read or not. Source: MS-OXCROPS 2.2.6.10.
    0x66 SetReadFlags (input) {
        /// Whether [`super::ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// [`read_flags`].
        read_flags: u8,
        /// The messages.
        message_ids: Vec<Id>,
    } => SetReadFlagsResponse {
        /// Whether a part could not be done.
        partial_completion: bool,
    }

    /// Marks an open message as read or not. Source: MS-OXCROPS 2.2.6.11.
    0x11 SetMessageReadFlag (response input) {
        /// [`read_flags`].
        read_flags: u8,
        /// Comes back with the answer; public folders only.
        client_data: Option<[u8; 24]> [client_data],
    } => SetMessageReadFlagResponse {
        /// What was asked, when the mark of a public folder's message changed.
        changed: Option<ReadStatusChanged> [changed],
    }
}

/// OpenModeFlags of messages and attachments. Source: MS-OXCMSG 2.2.3.1.1.
pub mod open_mode {
    /// For reading.
    pub const READ_ONLY: u8 = 0x00;
    /// For reading and writing.
    pub const READ_WRITE: u8 = 0x01;
    /// An embedded message: makes it. Source: MS-OXCMSG 2.2.3.16.1.
    pub const CREATE: u8 = 0x02;
    /// For writing if that is allowed.
    pub const BEST_ACCESS: u8 = 0x03;
    /// Also a message that was softly deleted.
    pub const OPEN_SOFT_DELETED: u8 = 0x04;
}

/// SaveFlags. Source: MS-OXCMSG 2.2.3.3.1.
pub mod save_flags {
    /// It stays open for reading.
    pub const KEEP_OPEN_READ_ONLY: u8 = 0x01;
    /// It stays open for writing.
    pub const KEEP_OPEN_READ_WRITE: u8 = 0x02;
    /// Over what was changed meanwhile.
    pub const FORCE_SAVE: u8 = 0x04;
}

/// ReadFlags. Without [`SUPPRESS_RECEIPT`](read_flags::SUPPRESS_RECEIPT) a read receipt goes to who asked for one.
/// Source: MS-OXCMSG 2.2.3.10.1.
pub mod read_flags {
    /// Read.
    pub const DEFAULT: u8 = 0x00;
    /// Read, without a receipt.
    pub const SUPPRESS_RECEIPT: u8 = 0x01;
    /// Unread; with [`SUPPRESS_RECEIPT`].
    pub const CLEAR_READ_FLAG: u8 = 0x04;
    /// Only the receipt.
    pub const GENERATE_RECEIPT_ONLY: u8 = 0x10;
    /// No more receipt for reading it.
    pub const CLEAR_NOTIFY_READ: u8 = 0x20;
    /// No more receipt for not reading it.
    pub const CLEAR_NOTIFY_UNREAD: u8 = 0x40;
}

/// Which message of a public folder changed its read mark. Source: MS-OXCROPS 2.2.6.11.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadStatusChanged {
    /// As in the request.
    pub logon_id: u8,
    /// As in the request.
    pub client_data: [u8; 24],
}

/// Recipients after a count of one octet.
pub(super) mod opened_recipients {
    use super::*;

    pub(in crate::rop) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
        columns: &[PropTag],
    ) -> Result<Vec<OpenRecipientRow>> {
        let count = reader.u8(expected)?;
        (0..count)
            .map(|_| OpenRecipientRow::read(reader, columns))
            .collect()
    }

    /// Those beyond the count's octet are left out: they are to be read separately.
    pub(in crate::rop) fn write(rows: &[OpenRecipientRow], writer: &mut Writer, _: &[PropTag]) {
        let count = rows.len().min(usize::from(u8::MAX));
        writer.u8(count as u8);
        for row in rows.iter().take(count) {
            row.write(writer);
        }
    }
}

mod read_recipients {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<ReadRecipientRow>> {
        let count = reader.u8(expected)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        let columns = context.columns(reader)?;
        (0..count)
            .map(|_| ReadRecipientRow::read(reader, columns))
            .collect()
    }

    /// Those beyond the count's octet are left out: the client asks again.
    pub(super) fn write(rows: &[ReadRecipientRow], writer: &mut Writer) {
        let count = rows.len().min(usize::from(u8::MAX));
        writer.u8(count as u8);
        for row in rows.iter().take(count) {
            row.write(writer);
        }
    }
}

mod modified_recipients {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
        columns: &[PropTag],
    ) -> Result<Vec<ModifyRecipientRow>> {
        let count = usize::from(reader.u16(expected)?);
        let count = reader.count(count, 1, expected)?;
        (0..count)
            .map(|_| ModifyRecipientRow::read(reader, columns))
            .collect()
    }

    pub(super) fn write(rows: &[ModifyRecipientRow], writer: &mut Writer, _: &[PropTag]) {
        writer.u16(rows.len() as u16);
        for row in rows {
            row.write(writer);
        }
    }
}

mod possible_id {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Option<Id>> {
        match reader.bool(expected)? {
            true => Id::read(reader, expected).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn write(id: &Option<Id>, writer: &mut Writer) {
        writer.bool(id.is_some());
        if let Some(id) = id {
            id.write(writer);
        }
    }
}

mod client_data {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        expected: &'static str,
    ) -> Result<Option<[u8; 24]>> {
        match context.public {
            true => reader.array(expected).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn write(data: &Option<[u8; 24]>, writer: &mut Writer) {
        writer.put(data.as_ref().map_or(&[], |data| data));
    }
}

mod changed {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Option<ReadStatusChanged>> {
        Ok(match reader.bool(expected)? {
            true => Some(ReadStatusChanged {
                logon_id: reader.u8(expected)?,
                client_data: reader.array(expected)?,
            }),
            false => None,
        })
    }

    pub(super) fn write(changed: &Option<ReadStatusChanged>, writer: &mut Writer) {
        writer.bool(changed.is_some());
        if let Some(changed) = changed {
            writer.u8(changed.logon_id);
            writer.put(&changed.client_data);
        }
    }
}
