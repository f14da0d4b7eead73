//! Source: MS-OXCROPS 2.2.12.

use mapi_wire::rop::*;

use super::{slot, target};
use crate::{
    names::codes::transfer,
    node::{Entry, Node},
    view::{
        Scene, View,
        hints::{bits, one_of, shown_elsewhere},
        views,
    },
};

views! {
    FastTransferDestinationConfigure {
        logon_id, input: slot, output: target,
        source_operation: one_of(transfer::SOURCE_OPERATION),
        copy_flags: bits(transfer::COPY_PROPERTIES),
    }
    FastTransferDestinationConfigureResponse { index: slot }
    FastTransferDestinationPutBuffer { logon_id, input: slot, transfer_data: of_stream }
    FastTransferDestinationPutBufferResponse { index: slot, result }
    FastTransferDestinationPutBufferExtended {
        logon_id, input: slot, transfer_data: of_stream,
    }
    FastTransferDestinationPutBufferExtendedResponse { index: slot, result }
    FastTransferSourceGetBuffer { logon_id, input: slot, buffer_size }
    FastTransferSourceGetBufferResponse {
        index: slot, transfer_status: one_of(transfer::STATUS), in_progress_count,
        total_step_count, reserved, transfer_buffer: of_stream,
    }
    FastTransferSourceCopyFolder {
        logon_id, input: slot, output: target, copy_flags: bits(transfer::COPY_FOLDER),
        send_options: bits(transfer::SEND_OPTIONS),
    }
    FastTransferSourceCopyFolderResponse { index: slot }
    FastTransferSourceCopyMessages {
        logon_id, input: slot, output: target, message_ids,
        copy_flags: bits(transfer::COPY_MESSAGES), send_options: bits(transfer::SEND_OPTIONS),
    }
    FastTransferSourceCopyMessagesResponse { index: slot }
    FastTransferSourceCopyTo {
        logon_id, input: slot, output: target, level, copy_flags: bits(transfer::COPY_TO),
        send_options: bits(transfer::SEND_OPTIONS), property_tags,
    }
    FastTransferSourceCopyToResponse { index: slot }
    FastTransferSourceCopyProperties {
        logon_id, input: slot, output: target, level,
        copy_flags: bits(transfer::COPY_PROPERTIES), send_options: bits(transfer::SEND_OPTIONS),
        property_tags,
    }
    FastTransferSourceCopyPropertiesResponse { index: slot }
    TellVersion { logon_id, input: slot, version }
    TellVersionResponse { index: slot }
    PutBuffer {
        transfer_status: one_of(transfer::STATUS), in_progress_count, total_step_count, reserved,
        buffer_used_size,
    }
    PutBufferExtended {
        transfer_status: one_of(transfer::STATUS), in_progress_count, total_step_count, reserved,
        buffer_used_size,
    }
}

/// A buffer of a stream: what it says stands beside it, as long as the stream can be read.
fn of_stream(octets: &[u8], scene: &Scene<'_>) -> Node {
    let transfer = scene.object.and_then(|object| object.transfer.as_ref());
    let transfer = transfer.and_then(|transfer| transfer.try_borrow().ok());
    match transfer.map(|transfer| transfer.is_broken()) {
        Some(false) => shown_elsewhere(octets, "stream"),
        Some(true) => Node::octets(octets, "of a stream that is broken here or before"),
        None => Node::octets(octets, "of a stream whose beginning was not seen"),
    }
}

impl View for BufferSize {
    fn view(&self, _: &Scene<'_>) -> Node {
        let (limit, size) = match self {
            Self::Exactly(size) => ("exactly", size),
            Self::UpTo(size) => ("up to", size),
        };
        Entry::new("limit", limit)
            .with("value", Node::Number((*size).into()))
            .into()
    }
}

/// Three numbers of 16 bits.
impl View for [u8; 6] {
    fn view(&self, _: &Scene<'_>) -> Node {
        let words = self.as_chunks::<2>().0.iter();
        Node::list(words.map(|word| Node::Number(u16::from_le_bytes(*word).into())))
    }
}
