//! Source: MS-OXCROPS 2.2.9.

use mapi_wire::{Utf16, rop::*};

use super::{slot, target};
use crate::{
    names::codes::property,
    node::{Entry, Node},
    view::{
        Scene, View,
        hints::{bits, one_of},
        property::is_utf16,
        views,
    },
};

views! {
    OpenStream {
        logon_id, input: slot, output: target, property_tag,
        open_mode_flags: one_of(property::STREAM_OPEN),
    }
    OpenStreamResponse { index: slot, stream_size }
    ReadStream { logon_id, input: slot, byte_count }
    ReadStreamResponse { index: slot, data: part }
    WriteStream { logon_id, input: slot, data: part }
    WriteStreamResponse { index: slot, written_size }
    WriteStreamExtended { logon_id, input: slot, data: part }
    WriteStreamExtendedResponse { index: slot, written_size }
    CommitStream { logon_id, input: slot }
    CommitStreamResponse { index: slot }
    GetStreamSize { logon_id, input: slot }
    GetStreamSizeResponse { index: slot, stream_size }
    SetStreamSize { logon_id, input: slot, stream_size }
    SetStreamSizeResponse { index: slot }
    SeekStream { logon_id, input: slot, origin: one_of(property::SEEK_ORIGIN), offset }
    SeekStreamResponse { index: slot, new_position }
    CopyToStream { logon_id, source: slot, destination: slot, byte_count }
    CopyToStreamResponse { index: slot, read_byte_count, written_byte_count }
    LockRegionStream {
        logon_id, input: slot, region_offset, region_size, lock_flags: bits(property::LOCK),
    }
    LockRegionStreamResponse { index: slot }
    UnlockRegionStream {
        logon_id, input: slot, region_offset, region_size, lock_flags: bits(property::LOCK),
    }
    UnlockRegionStreamResponse { index: slot }
    WriteAndCommitStream { logon_id, input: slot, data: part }
    WriteAndCommitStreamResponse { index: slot, written_size }
    CloneStream { logon_id, input: slot, output: target }
    CloneStreamResponse { index: slot }
}

/// A part of a value. Of a string in UTF-16 it is text, unless it is cut within a unit or a pair.
fn part(octets: &[u8], scene: &Scene<'_>) -> Node {
    let stream_of = scene.object.and_then(|object| object.stream_of);
    match stream_of {
        Some(tag) if is_utf16(tag) && octets.len().is_multiple_of(2) => {
            Utf16::from_le_bytes(octets).view(scene)
        }
        _ => Node::octets(octets, "a part of a value"),
    }
}

impl View for ByteCount {
    fn view(&self, _: &Scene<'_>) -> Node {
        let (limit, count) = match self {
            Self::Exactly(count) => ("exactly", u32::from(*count)),
            Self::UpTo(count) => ("up to", *count),
        };
        Entry::new("limit", limit)
            .with("value", Node::Number(count.into()))
            .into()
    }
}
