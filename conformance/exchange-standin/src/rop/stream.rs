//! Properties as streams. What is written counts once it is committed, or its object saved.
//! Source: MS-OXCPRPT 3.2.5.13 to 3.2.5.24.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::{
    PropValue, Utf16,
    rop::{
        ByteCount, CommitStream, CommitStreamResponse, Details, GetStreamSize,
        GetStreamSizeResponse, OpenStream, OpenStreamResponse, ReadStream, ReadStreamResponse,
        SeekStream, SeekStreamResponse, SetStreamSize, SetStreamSizeResponse, WriteAndCommitStream,
        WriteAndCommitStreamResponse, WriteStream, WriteStreamExtended,
        WriteStreamExtendedResponse, WriteStreamResponse,
    },
    value::types,
};

use super::{
    call::{Call, Outcome, Refusal},
    objects::{Handle, Object, Stream},
};
use crate::model::{
    error::{Code, Result},
    props::{Props, type_of},
    tags,
};

/// The most octets of a stream. Two GiB by the document; here as much as a test needs.
const BYTES_MAX: usize = 256 << 20;

/// Octets of an answer beside the data.
const HEAD_BYTES: usize = 8;

/// Opens a property as a stream.
pub(crate) fn open(call: &mut Call<'_>, ask: &OpenStream) -> Outcome {
    let kind = type_of(ask.property_tag);
    if !matches!(
        kind,
        types::BINARY | types::STRING | types::STRING8 | types::OBJECT
    ) {
        return Err(Code::NOT_SUPPORTED.into());
    }
    let writable = ask.open_mode_flags & (OpenStream::READ_WRITE | OpenStream::CREATE) != 0;
    if writable {
        need_writable(call, ask.input)?;
    }
    let data = match ask.open_mode_flags & OpenStream::CREATE {
        0 => octets(call, ask.input, ask.property_tag)?,
        _ => Vec::new(),
    };
    let stream_size = data.len() as u32;
    let stream = Stream {
        tag: ask.property_tag,
        data,
        position: 0,
        writable,
        dirty: ask.open_mode_flags & OpenStream::CREATE != 0,
    };
    call.open(ask.output, ask.input, Object::Stream(Box::new(stream)))?;
    Ok(OpenStreamResponse {
        index: ask.output,
        stream_size,
    }
    .into())
}

fn need_writable(call: &Call<'_>, slot: u8) -> Result<()> {
    let writable = match &call.entry(slot)?.1.object {
        Object::Message(message) => message.writable,
        Object::Attachment(open) => open.writable,
        Object::Folder(_) | Object::Logon => call.mailbox(slot)?.is_owner(call.user()),
        _ => return Err(Code::NOT_SUPPORTED),
    };
    match writable {
        true => Ok(()),
        false => Err(Code::ACCESS_DENIED),
    }
}

fn octets(call: &Call<'_>, slot: u8, tag: PropTag) -> Result<Vec<u8>> {
    let subject = call.subject(slot)?;
    match call.prop(slot, &subject, tag)? {
        PropValue::Binary(octets) | PropValue::Object(octets) | PropValue::String8(octets) => {
            Ok(octets.into())
        }
        PropValue::String(text) => Ok(text.0.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        _ => Err(Code::NOT_SUPPORTED),
    }
}

impl Call<'_> {
    fn stream_mut(&mut self, slot: u8) -> Result<&mut Stream> {
        match self.object_mut(slot)? {
            Object::Stream(stream) => Ok(stream),
            _ => Err(Code::NOT_SUPPORTED),
        }
    }
}

/// Reads on.
pub(crate) fn read(call: &mut Call<'_>, ask: &ReadStream) -> Outcome {
    let room = call
        .room
        .saturating_sub(HEAD_BYTES)
        .min(usize::from(u16::MAX));
    let wanted = match ask.byte_count {
        ByteCount::Exactly(count) => usize::from(count),
        ByteCount::UpTo(count) => (count as usize).min(room),
    };
    let stream = call.stream_mut(ask.input)?;
    let rest = stream.data.get(stream.position..).unwrap_or_default();
    let len = wanted.min(rest.len());
    if len > room {
        return Err(Code::BUFFER_TOO_SMALL.into());
    }
    let data = rest.get(..len).unwrap_or_default().into();
    stream.position += len;
    let index = ask.input;
    Ok(ReadStreamResponse { index, data }.into())
}

fn put(call: &mut Call<'_>, slot: u8, data: &[u8]) -> Result<usize> {
    let stream = call.stream_mut(slot)?;
    if !stream.writable {
        return Err(Code::STREAM_ACCESS_DENIED);
    }
    let end = stream.position + data.len();
    if end > BYTES_MAX {
        return Err(Code::TOO_BIG);
    }
    if stream.data.len() < end {
        stream.data.resize(end, 0);
    }
    if let Some(place) = stream.data.get_mut(stream.position..end) {
        place.copy_from_slice(data);
    }
    stream.position = end;
    stream.dirty = true;
    Ok(data.len())
}

/// Writes on.
pub(crate) fn write(call: &mut Call<'_>, ask: &WriteStream) -> Outcome {
    let index = ask.input;
    Ok(WriteStreamResponse {
        index,
        written_size: put(call, index, &ask.data)? as u16,
    }
    .into())
}

/// Writes on, from several packed buffers.
pub(crate) fn write_extended(call: &mut Call<'_>, ask: &WriteStreamExtended) -> Outcome {
    let index = ask.input;
    Ok(WriteStreamExtendedResponse {
        index,
        written_size: put(call, index, &ask.data)? as u32,
    }
    .into())
}

/// Writes on and commits.
pub(crate) fn write_and_commit(call: &mut Call<'_>, ask: &WriteAndCommitStream) -> Outcome {
    let index = ask.input;
    let written_size = put(call, index, &ask.data)? as u16;
    let (handle, _) = call.entry(index)?;
    commit_one(call, handle).map_err(|code| Refusal {
        code,
        details: Some(Details::Written(written_size)),
    })?;
    Ok(WriteAndCommitStreamResponse {
        index,
        written_size,
    }
    .into())
}

/// Makes what was written part of the object.
pub(crate) fn commit(call: &mut Call<'_>, ask: &CommitStream) -> Outcome {
    let stream = call.stream_mut(ask.input)?;
    if !stream.writable {
        return Err(Code::STREAM_ACCESS_DENIED.into());
    }
    let (handle, _) = call.entry(ask.input)?;
    commit_one(call, handle)?;
    Ok(CommitStreamResponse { index: ask.input }.into())
}

/// Commits all streams that are open on an object which is being saved.
pub(crate) fn commit_open(call: &mut Call<'_>, parent: Handle) -> Result<()> {
    let open = call.session.objects.iter().filter(|(_, entry)| {
        let dirty = matches!(&entry.object, Object::Stream(stream) if stream.dirty);
        dirty && entry.parent == Some(parent)
    });
    let open: Vec<_> = open.map(|(handle, _)| handle).collect();
    open.into_iter()
        .try_for_each(|handle| commit_one(call, handle))
}

fn commit_one(call: &mut Call<'_>, handle: Handle) -> Result<()> {
    let entry = call.session.objects.get_mut(handle)?;
    let parent = entry.parent.ok_or(Code::NULL_OBJECT)?;
    let mailbox = Arc::clone(&entry.mailbox);
    let Object::Stream(stream) = &mut entry.object else {
        return Err(Code::NOT_SUPPORTED);
    };
    stream.dirty = false;
    let tag = stream.tag;
    let value = match type_of(tag) {
        types::STRING => PropValue::String(Utf16::from_le_bytes(&stream.data)),
        types::STRING8 => PropValue::String8(stream.data.as_slice().into()),
        types::OBJECT => PropValue::Object(stream.data.as_slice().into()),
        _ => PropValue::Binary(stream.data.as_slice().into()),
    };
    match &mut call.session.objects.get_mut(parent)?.object {
        Object::Message(message) => {
            let content = Arc::make_mut(&mut message.content);
            content.props.set(tag, value);
            drop_other_bodies(&mut content.props, tag);
        }
        Object::Attachment(open) => open.attachment.props.set(tag, value),
        Object::Folder(fid) => {
            let fid = *fid;
            let mailbox = call.organisation.mailbox_mut(&mailbox)?;
            mailbox.change_folder(fid, Props::from_iter([(tag, value)]), &[])?;
        }
        Object::Logon => call
            .organisation
            .mailbox_mut(&mailbox)?
            .props
            .set(tag, value),
        _ => return Err(Code::NOT_SUPPORTED),
    }
    Ok(())
}

/// An HTML body makes a compressed RTF body untrue. Source: MS-OXBBODY 2.1.
fn drop_other_bodies(props: &mut Props, written: PropTag) {
    if written == tags::HTML {
        props.remove(tags::RTF_COMPRESSED);
    }
}

/// How long a stream is.
pub(crate) fn size(call: &mut Call<'_>, ask: &GetStreamSize) -> Outcome {
    let stream = call.stream_mut(ask.input)?;
    Ok(GetStreamSizeResponse {
        index: ask.input,
        stream_size: stream.data.len() as u32,
    }
    .into())
}

/// Makes a stream longer or shorter.
pub(crate) fn set_size(call: &mut Call<'_>, ask: &SetStreamSize) -> Outcome {
    let stream = call.stream_mut(ask.input)?;
    if !stream.writable {
        return Err(Code::STREAM_ACCESS_DENIED.into());
    }
    match usize::try_from(ask.stream_size) {
        Ok(size) if size <= BYTES_MAX => stream.data.resize(size, 0),
        _ => return Err(Code::TOO_BIG.into()),
    }
    stream.dirty = true;
    Ok(SetStreamSizeResponse { index: ask.input }.into())
}

/// Goes to another place.
pub(crate) fn seek(call: &mut Call<'_>, ask: &SeekStream) -> Outcome {
    let stream = call.stream_mut(ask.input)?;
    let from = match ask.origin {
        0 => 0,
        1 => stream.position as i64,
        2 => stream.data.len() as i64,
        _ => return Err(Code::INVALID_PARAMETER.into()),
    };
    let place = from
        .checked_add(ask.offset)
        .filter(|place| (0..=BYTES_MAX as i64).contains(place));
    let place = place.ok_or(Code::STREAM_SEEK_ERROR)?;
    stream.position = place as usize;
    Ok(SeekStreamResponse {
        index: ask.input,
        new_position: place as u64,
    }
    .into())
}
