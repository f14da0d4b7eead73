//! Source: MS-OXCROPS 2.2.6.

use mapi_wire::rop::*;

use super::{slot, target};
use crate::{
    names::codes::message,
    view::{
        hints::{bits, one_of, opaque, opaque_some},
        recipient, views,
    },
};

const CLIENT_DATA: &str = "what the client wants back";

views! {
    OpenMessage {
        logon_id, input: slot, output: target, code_page_id, folder_id,
        open_mode_flags: one_of(message::OPEN_MODE), message_id,
    }
    OpenMessageResponse {
        index: slot, has_named_properties, subject_prefix, normalized_subject,
        recipient_count, recipient_columns, recipient_rows: recipient::opened(recipient_columns),
    }
    CreateMessage {
        logon_id, input: slot, output: target, code_page_id, folder_id, associated_flag,
    }
    CreateMessageResponse { index: slot, message_id }
    SaveChangesMessage {
        logon_id, response: slot, input: slot, save_flags: bits(message::SAVE),
    }
    SaveChangesMessageResponse { index: slot, input: slot, message_id }
    RemoveAllRecipients { logon_id, input: slot, reserved }
    RemoveAllRecipientsResponse { index: slot }
    ModifyRecipients {
        logon_id, input: slot, recipient_columns,
        recipient_rows: recipient::modified(recipient_columns),
    }
    ModifyRecipientsResponse { index: slot }
    ReadRecipients { logon_id, input: slot, row_id, reserved }
    ReadRecipientsResponse { index: slot, recipient_rows: recipient::read }
    ReloadCachedInformation { logon_id, input: slot, reserved }
    ReloadCachedInformationResponse {
        index: slot, has_named_properties, subject_prefix, normalized_subject,
        recipient_count, recipient_columns, recipient_rows: recipient::opened(recipient_columns),
    }
    SetMessageStatus {
        logon_id, input: slot, message_id, message_status_flags: bits(message::STATUS),
        message_status_mask: bits(message::STATUS),
    }
    SetMessageStatusResponse {
        index: slot, message_status_flags: bits(message::STATUS),
    }
    GetMessageStatus { logon_id, input: slot, message_id }
    GetMessageStatusResponse {
        index: slot, message_status_flags: bits(message::STATUS),
    }
    SetReadFlags {
        logon_id, input: slot, want_asynchronous, read_flags: bits(message::READ), message_ids,
    }
    SetReadFlagsResponse { index: slot, partial_completion }
    SetMessageReadFlag {
        logon_id, response: slot, input: slot, read_flags: bits(message::READ),
        client_data: opaque_some(CLIENT_DATA),
    }
    SetMessageReadFlagResponse { index: slot, changed }
    ReadStatusChanged { logon_id, client_data: opaque(CLIENT_DATA) }
}
