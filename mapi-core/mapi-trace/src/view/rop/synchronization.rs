//! Source: MS-OXCROPS 2.2.13.

use mapi_wire::{
    ics::{PredecessorChangeList, Xid},
    rop::*,
};

use super::{slot, target};
use crate::{
    names::codes::transfer,
    node::Node,
    view::{
        Scene,
        hints::{bits, one_of, shown_elsewhere},
        ids, views,
    },
};

views! {
    SynchronizationConfigure {
        logon_id, input: slot, output: target,
        synchronization_type: one_of(transfer::SYNC_TYPE),
        send_options: bits(transfer::SEND_OPTIONS), synchronization_flags: bits(transfer::SYNC),
        restriction, synchronization_extra_flags: bits(transfer::SYNC_EXTRA), property_tags,
    }
    SynchronizationConfigureResponse { index: slot }
    SynchronizationImportMessageChange {
        logon_id, input: slot, output: target, import_flag: bits(transfer::IMPORT),
        property_values,
    }
    SynchronizationImportMessageChangeResponse { index: slot, message_id }
    SynchronizationImportReadStateChanges { logon_id, input: slot, message_read_states }
    SynchronizationImportReadStateChangesResponse { index: slot }
    MessageReadState { message_id: key, mark_as_read }
    SynchronizationImportHierarchyChange {
        logon_id, input: slot, hierarchy_values, property_values,
    }
    SynchronizationImportHierarchyChangeResponse { index: slot, folder_id }
    SynchronizationImportDeletes {
        logon_id, input: slot, import_delete_flags: bits(transfer::IMPORT_DELETES),
        property_values,
    }
    SynchronizationImportDeletesResponse { index: slot }
    SynchronizationImportMessageMove {
        logon_id, input: slot, source_folder_id: key, source_message_id: key,
        predecessor_change_list: predecessors, destination_message_id: key, change_number: key,
    }
    SynchronizationImportMessageMoveResponse { index: slot, message_id }
    SynchronizationOpenCollector {
        logon_id, input: slot, output: target, is_contents_collector,
    }
    SynchronizationOpenCollectorResponse { index: slot }
    SynchronizationGetTransferState { logon_id, input: slot, output: target }
    SynchronizationGetTransferStateResponse { index: slot }
    SynchronizationUploadStateStreamBegin {
        logon_id, input: slot, state_property, transfer_buffer_size,
    }
    SynchronizationUploadStateStreamBeginResponse { index: slot }
    SynchronizationUploadStateStreamContinue {
        logon_id, input: slot, stream_data: of_state,
    }
    SynchronizationUploadStateStreamContinueResponse { index: slot }
    SynchronizationUploadStateStreamEnd { logon_id, input: slot }
    SynchronizationUploadStateStreamEndResponse { index: slot }
    SetLocalReplicaMidsetDeleted { logon_id, input: slot, long_term_id_ranges }
    SetLocalReplicaMidsetDeletedResponse { index: slot }
    LongTermIdRange { min, max }
    GetLocalReplicaIds { logon_id, input: slot, id_count }
    GetLocalReplicaIdsResponse { index: slot, replguid, global_count }
}

/// A part of a set, which is shown where it is complete.
fn of_state(octets: &[u8], scene: &Scene<'_>) -> Node {
    let state = scene.object.and_then(|object| object.state.as_ref());
    match state.map(|state| state.has_room(octets.len())) {
        Some(true) => shown_elsewhere(octets, "state, at its end"),
        Some(false) => Node::octets(octets, "of a set that is too large to be kept"),
        None => Node::octets(octets, "of a set whose beginning was not seen"),
    }
}

/// A source key or change key.
fn key(octets: &[u8], _: &Scene<'_>) -> Node {
    match Xid::from_bytes(octets) {
        Some(id) => Node::Word(ids::xid(id)),
        None => Node::octets(octets, "a key of another form"),
    }
}

fn predecessors(octets: &[u8], _: &Scene<'_>) -> Node {
    match PredecessorChangeList::from_bytes(octets) {
        Ok(list) if list.to_bytes() == octets => {
            Node::list(list.iter().map(|id| Node::Word(ids::xid(id))))
        }
        _ => Node::octets(octets, "a predecessor change list of another form"),
    }
}
