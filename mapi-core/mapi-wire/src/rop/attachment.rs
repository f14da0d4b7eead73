//! Attachments and messages within them. Source: MS-OXCROPS 2.2.6.12–18, MS-OXCMSG 2.2.3.12–18.

use mapi_types::PropTag;

use super::{field::Context, layout::rops, message::opened_recipients};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
    recipient::OpenRecipientRow,
    text::TypedString,
};

rops! {
    /// Opens an attachment. Source: MS-OXCROPS 2.2.6.12.
    0x22 OpenAttachment (input output) {
        /// [`super::open_mode`].
        open_attachment_flags: u8,
        /// Its number in the message.
        attachment_id: u32,
    } => OpenAttachmentResponse {}

    /// Makes an attachment. Source: MS-OXCROPS 2.2.6.13.
    0x23 CreateAttachment (input output) {} => CreateAttachmentResponse {
        /// Its number in the message.
        attachment_id: u32,
    }

    /// Removes an attachment. Source: MS-OXCROPS 2.2.6.14.
    0x24 DeleteAttachment (input) {
        /// Its number in the message.
        attachment_id: u32,
    } => DeleteAttachmentResponse {}

    /// Saves an attachment into its message. Source: MS-OXCROPS 2.2.6.15.
    0x25 SaveChangesAttachment (response input) {
        /// [`super::save_flags`].
        save_flags: u8,
    } => SaveChangesAttachmentResponse {}

    /// Opens the message within an attachment. Source: MS-OXCROPS 2.2.6.16.
    0x46 OpenEmbeddedMessage (input output) {
        /// The code page of 8-bit strings; 0x0fff: that of the logon.
        code_page_id: u16,
        /// [`super::open_mode`].
        open_mode_flags: u8,
    } => OpenEmbeddedMessageResponse {
        /// Reserved, 0.
        reserved: u8,
        /// Its id.
        message_id: Id,
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

    /// Opens the table of a message's attachments. Source: MS-OXCROPS 2.2.6.17.
    0x21 GetAttachmentTable (input output) {
        /// [`super::table_flags`].
        table_flags: u8,
    } => GetAttachmentTableResponse {}

    /// Asks for the numbers of a message's attachments. Source: MS-OXCROPS 2.2.6.18.
    0x52 GetValidAttachments (input) {} => GetValidAttachmentsResponse {
        /// The numbers.
        attachment_ids: Vec<u32> [attachment_ids],
    }
}

mod attachment_ids {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<u32>> {
        let count = reader.u32(expected)? as usize;
        let count = reader.count(count, 4, expected)?;
        (0..count).map(|_| reader.u32(expected)).collect()
    }

    pub(super) fn write(ids: &[u32], writer: &mut Writer) {
        writer.u32(ids.len() as u32);
        for &id in ids {
            writer.u32(id);
        }
    }
}
