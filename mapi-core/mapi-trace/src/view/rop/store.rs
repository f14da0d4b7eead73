//! Source: MS-OXCROPS 2.2.3.

use mapi_wire::{rop::*, row::PropertyRow, table::RECEIVE_FOLDER_COLUMNS};

use super::slot;
use crate::{
    names::codes::logon,
    node::Node,
    view::{
        Scene,
        hints::{bits, opaque, string8, strings8},
        row, views,
    },
};

const READ_MARKS: &str = "a part of a set of change numbers";

views! {
    SetReceiveFolder { logon_id, input: slot, folder_id, message_class: string8 }
    SetReceiveFolderResponse { index: slot }
    GetReceiveFolder { logon_id, input: slot, message_class: string8 }
    GetReceiveFolderResponse { index: slot, folder_id, explicit_message_class: string8 }
    GetReceiveFolderTable { logon_id, input: slot }
    GetReceiveFolderTableResponse { index: slot, rows: receive_folders }
    GetStoreState { logon_id, input: slot }
    GetStoreStateResponse { index: slot, store_state: bits(logon::STORE_STATE) }
    GetOwningServers { logon_id, input: slot, folder_id }
    GetOwningServersResponse { index: slot, servers }
    PublicFolderIsGhosted { logon_id, input: slot, folder_id }
    PublicFolderIsGhostedResponse { index: slot, ghosted }
    LongTermIdFromId { logon_id, input: slot, object_id }
    LongTermIdFromIdResponse { index: slot, long_term_id }
    IdFromLongTermId { logon_id, input: slot, long_term_id }
    IdFromLongTermIdResponse { index: slot, object_id }
    GetPerUserLongTermIds { logon_id, input: slot, database_guid }
    GetPerUserLongTermIdsResponse { index: slot, long_term_ids }
    GetPerUserGuid { logon_id, input: slot, long_term_id }
    GetPerUserGuidResponse { index: slot, database_guid }
    ReadPerUserInformation {
        logon_id, input: slot, folder_id, reserved, data_offset, max_data_size,
    }
    ReadPerUserInformationResponse { index: slot, has_finished, data: opaque(READ_MARKS) }
    WritePerUserInformation {
        logon_id, input: slot, folder_id, has_finished, data_offset, data: opaque(READ_MARKS),
        replguid,
    }
    WritePerUserInformationResponse { index: slot }
    Servers {
        cheap_count,
        names: |names: &Vec<Box<[u8]>>, scene: &Scene<'_>| strings8(names, scene),
    }
}

fn receive_folders(rows: &[PropertyRow], scene: &Scene<'_>) -> Node {
    Node::list(
        rows.iter()
            .map(|row| row::row(row, &RECEIVE_FOLDER_COLUMNS, scene)),
    )
}
