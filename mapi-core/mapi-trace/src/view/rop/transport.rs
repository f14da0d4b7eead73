//! Source: MS-OXCROPS 2.2.7.

use mapi_wire::rop::*;

use super::slot;
use crate::{
    names::codes::message,
    view::{
        Scene,
        hints::{bits, one_of, opaque, string8, strings8},
        views,
    },
};

views! {
    SubmitMessage { logon_id, input: slot, submit_flags: bits(message::SUBMIT) }
    SubmitMessageResponse { index: slot }
    AbortSubmit { logon_id, input: slot, folder_id, message_id }
    AbortSubmitResponse { index: slot }
    GetAddressTypes { logon_id, input: slot }
    GetAddressTypesResponse {
        index: slot,
        address_types: |types: &Vec<Box<[u8]>>, scene: &Scene<'_>| strings8(types, scene),
    }
    SetSpooler { logon_id, input: slot }
    SetSpoolerResponse { index: slot }
    SpoolerLockMessage {
        logon_id, input: slot, message_id, lock_state: one_of(message::LOCK_STATE),
    }
    SpoolerLockMessageResponse { index: slot }
    TransportSend { logon_id, input: slot }
    TransportSendResponse { index: slot, no_properties_returned, property_values }
    TransportNewMail {
        logon_id, input: slot, message_id, folder_id, message_class: string8,
        message_flags: bits(message::FLAGS),
    }
    TransportNewMailResponse { index: slot }
    GetTransportFolder { logon_id, input: slot }
    GetTransportFolderResponse { index: slot, folder_id }
    OptionsData { logon_id, input: slot, address_type: string8, want_win32 }
    OptionsDataResponse {
        index: slot, reserved, options_info: opaque("options of a kind of address"), help,
    }
    HelpFile { data: opaque("a help file"), name: string8 }
}
