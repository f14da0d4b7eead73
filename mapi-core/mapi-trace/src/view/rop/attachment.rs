//! Source: MS-OXCROPS 2.2.6.12–18.

use mapi_wire::rop::*;

use super::{slot, target};
use crate::{
    names::codes::{folder, message},
    view::{
        hints::{bits, one_of},
        recipient, views,
    },
};

views! {
    OpenAttachment {
        logon_id, input: slot, output: target,
        open_attachment_flags: one_of(message::OPEN_MODE), attachment_id,
    }
    OpenAttachmentResponse { index: slot }
    CreateAttachment { logon_id, input: slot, output: target }
    CreateAttachmentResponse { index: slot, attachment_id }
    DeleteAttachment { logon_id, input: slot, attachment_id }
    DeleteAttachmentResponse { index: slot }
    SaveChangesAttachment {
        logon_id, response: slot, input: slot, save_flags: bits(message::SAVE),
    }
    SaveChangesAttachmentResponse { index: slot }
    OpenEmbeddedMessage {
        logon_id, input: slot, output: target, code_page_id,
        open_mode_flags: one_of(message::OPEN_MODE),
    }
    OpenEmbeddedMessageResponse {
        index: slot, reserved, message_id, has_named_properties, subject_prefix,
        normalized_subject, recipient_count, recipient_columns,
        recipient_rows: recipient::opened(recipient_columns),
    }
    GetAttachmentTable {
        logon_id, input: slot, output: target, table_flags: bits(folder::CONTENTS_TABLE),
    }
    GetAttachmentTableResponse { index: slot }
    GetValidAttachments { logon_id, input: slot }
    GetValidAttachmentsResponse { index: slot, attachment_ids }
}
