//! Uploads of whole objects. Source: MS-OXCFXICS 2.2.3.1.2, 3.2.5.8.2.

use std::sync::Arc;

use mapi_wire::{
    fast_transfer::{self, Event, FolderLevel, Limits, Parser, Property, meta},
    rop::{
        FastTransferDestinationConfigure, FastTransferDestinationConfigureResponse,
        FastTransferDestinationPutBuffer, FastTransferDestinationPutBufferExtended,
        FastTransferDestinationPutBufferExtendedResponse, FastTransferDestinationPutBufferResponse,
        PutBuffer, PutBufferExtended, TellVersion, TellVersionResponse, transfer_status,
    },
};

use super::{
    call::{Call, Outcome},
    objects::{Destination, Handle, Object},
    stream_value::from_stream,
};
use crate::model::{
    error::{Code, Result},
    folder_changes::FolderPlan,
    folder_props,
    ids::Fid,
    message::{Attachment, Content, Recipient},
    message_changes::NewMessage,
    message_props,
    named::NamedProperties,
    permission::Rights,
    props::Props,
    tags,
};

/// SourceOperation. Source: MS-OXCFXICS 2.2.3.1.2.1.1.
mod operation {
    pub(super) const COPY_TO: u8 = 1;
    pub(super) const COPY_FOLDER: u8 = 4;
}

/// Begins an upload into the object of a slot.
pub(crate) fn configure(call: &mut Call<'_>, ask: &FastTransferDestinationConfigure) -> Outcome {
    if !(operation::COPY_TO..=operation::COPY_FOLDER).contains(&ask.source_operation) {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let folders = match &call.entry(ask.input)?.1.object {
        Object::Folder(fid) => {
            let fid = *fid;
            call.need(call.mailbox(ask.input)?, fid, Rights::CREATE)?;
            vec![fid]
        }
        Object::Message(message) if message.writable => Vec::new(),
        Object::Attachment(open) if open.writable => Vec::new(),
        Object::Message(_) | Object::Attachment(_) => return Err(Code::ACCESS_DENIED.into()),
        _ => return Err(Code::NOT_SUPPORTED.into()),
    };
    let destination = Destination {
        parser: Parser::new(Limits::default()),
        folders,
        broken: None,
    };
    call.open(
        ask.output,
        ask.input,
        Object::Destination(Box::new(destination)),
    )?;
    Ok(FastTransferDestinationConfigureResponse { index: ask.output }.into())
}

/// Takes a part.
pub(crate) fn put(call: &mut Call<'_>, ask: &FastTransferDestinationPutBuffer) -> Outcome {
    feed(call, ask.input, &ask.transfer_data)?;
    Ok(FastTransferDestinationPutBufferResponse {
        index: ask.input,
        result: PutBuffer {
            transfer_status: transfer_status::PARTIAL,
            buffer_used_size: ask.transfer_data.len() as u16,
            ..PutBuffer::default()
        },
    }
    .into())
}

/// Takes a part, from several packed buffers.
pub(crate) fn put_extended(
    call: &mut Call<'_>,
    ask: &FastTransferDestinationPutBufferExtended,
) -> Outcome {
    feed(call, ask.input, &ask.transfer_data)?;
    Ok(FastTransferDestinationPutBufferExtendedResponse {
        index: ask.input,
        result: PutBufferExtended {
            transfer_status: transfer_status::PARTIAL,
            buffer_used_size: ask.transfer_data.len() as u16,
            ..PutBufferExtended::default()
        },
    }
    .into())
}

/// Which version the source has: it makes no difference here.
pub(crate) fn tell_version(call: &mut Call<'_>, ask: &TellVersion) -> Outcome {
    match call.object_mut(ask.input)? {
        Object::Destination(_) | Object::Source(_) | Object::Sync(_) => {
            Ok(TellVersionResponse { index: ask.input }.into())
        }
        _ => Err(Code::NOT_SUPPORTED.into()),
    }
}

fn feed(call: &mut Call<'_>, slot: u8, octets: &[u8]) -> Result<()> {
    let (handle, _) = call.entry(slot)?;
    let Object::Destination(destination) = call.object_mut(slot)? else {
        return Err(Code::NOT_SUPPORTED);
    };
    if let Some(code) = destination.broken {
        return Err(code);
    }
    destination.parser.feed(octets);
    let done = take_events(call, handle);
    if let Err(code) = done
        && let Object::Destination(destination) = call.object_mut(slot)?
    {
        destination.broken = Some(code);
    }
    done
}

/// Ends uploads into an object: what is complete only at their end counts now.
pub(crate) fn settle(call: &mut Call<'_>, handle: Handle) -> Result<()> {
    let Object::Destination(destination) = &mut call.session.objects.get_mut(handle)?.object else {
        return Ok(());
    };
    if destination.broken.is_some() {
        return Ok(());
    }
    destination.broken = Some(Code::FAILED);
    destination
        .parser
        .finish()
        .map_err(|_| Code::FORMAT_ERROR)?;
    take_events(call, handle)
}

/// Ends all uploads into an object.
pub(crate) fn settle_open(call: &mut Call<'_>, parent: Handle) -> Result<()> {
    let open = call.session.objects.iter().filter(|(_, entry)| {
        matches!(entry.object, Object::Destination(_)) && entry.parent == Some(parent)
    });
    let open: Vec<_> = open.map(|(handle, _)| handle).collect();
    open.into_iter().try_for_each(|handle| settle(call, handle))
}

fn take_events(call: &mut Call<'_>, handle: Handle) -> Result<()> {
    loop {
        let Object::Destination(destination) = &mut call.session.objects.get_mut(handle)?.object
        else {
            return Ok(());
        };
        match destination
            .parser
            .next_event()
            .map_err(|_| Code::FORMAT_ERROR)?
        {
            Some(event) => apply(call, handle, event)?,
            None => return Ok(()),
        }
    }
}

fn apply(call: &mut Call<'_>, handle: Handle, event: Event) -> Result<()> {
    let entry = call.session.objects.get(handle)?;
    let key = Arc::clone(&entry.mailbox);
    let parent = entry.parent.ok_or(Code::NULL_OBJECT)?;
    let Object::Destination(destination) = &entry.object else {
        return Ok(());
    };
    let folder = destination.folders.last().copied();
    let creator = call.session.user.as_str().into();
    let mailbox = call.organisation.mailbox_mut(&key)?;
    match (event, folder) {
        (Event::Message(listed), Some(folder)) => {
            let content = content(&listed.message, &mut mailbox.named)?;
            mailbox.create_message(NewMessage {
                folder,
                associated: listed.associated,
                mid: None,
                content,
                creator,
                version: None,
            })?;
        }
        (Event::FolderBegin(level, props), Some(parent)) => {
            let mut props = from_stream(&props, &mut mailbox.named)?;
            props.retain(|tag| !folder_props::is_computed(tag));
            let fid = match level {
                FolderLevel::Content => parent,
                _ => make_folder(mailbox, parent, &props, &creator)?,
            };
            props.remove(tags::DISPLAY_NAME);
            mailbox.change_folder(fid, props, &[])?;
            if let Object::Destination(destination) =
                &mut call.session.objects.get_mut(handle)?.object
            {
                destination.folders.push(fid);
            }
        }
        (Event::FolderEnd(_), Some(_)) => {
            if let Object::Destination(destination) =
                &mut call.session.objects.get_mut(handle)?.object
            {
                destination.folders.pop();
            }
        }
        (Event::Content(message), None) => {
            let change = content(&message, &mut mailbox.named)?;
            into_object(call, parent, change, &message)?;
        }
        (Event::AttachmentContent(attachment), None) => {
            let change = attachment_of(&attachment, 0, &mut mailbox.named)?;
            if let Object::Attachment(open) = &mut call.session.objects.get_mut(parent)?.object {
                let all = change.props.iter().map(|(tag, value)| (tag, value.clone()));
                open.attachment.props.extend(all);
                open.attachment.embedded = change.embedded.or(open.attachment.embedded.take());
            }
        }
        (Event::Warning(_) | Event::Failure(_) | Event::FolderReplaces(_), _) => {}
        _ => return Err(Code::FORMAT_ERROR),
    }
    Ok(())
}

fn make_folder(
    mailbox: &mut crate::model::mailbox::Mailbox,
    parent: Fid,
    props: &Props,
    creator: &str,
) -> Result<Fid> {
    let name = props.text(tags::DISPLAY_NAME).unwrap_or_default();
    mailbox.create_folder(&FolderPlan {
        parent,
        name: &name,
        search: false,
        creator,
        fid: None,
    })
}

/// Puts what came into an open message.
fn into_object(
    call: &mut Call<'_>,
    parent: Handle,
    change: Content,
    message: &fast_transfer::Message,
) -> Result<()> {
    match &mut call.session.objects.get_mut(parent)?.object {
        Object::Message(open) => {
            let content = Arc::make_mut(&mut open.content);
            content
                .props
                .extend(change.props.iter().map(|(tag, value)| (tag, value.clone())));
            if message.replaces_recipients {
                content.recipients.clear();
            }
            content.recipients.extend(change.recipients);
            if message.replaces_attachments {
                content.attachments.clear();
            }
            for mut attachment in change.attachments {
                attachment.number = content.take_attachment_number();
                content.attachments.push(attachment);
            }
            Ok(())
        }
        Object::Attachment(open) => {
            open.attachment
                .props
                .extend(change.props.iter().map(|(tag, value)| (tag, value.clone())));
            Ok(())
        }
        _ => Err(Code::NULL_OBJECT),
    }
}

/// A message of a stream as this server keeps it.
pub(crate) fn content(
    message: &fast_transfer::Message,
    named: &mut NamedProperties,
) -> Result<Content> {
    let mut content = Content {
        props: from_stream(&without_meta(&message.props), named)?,
        ..Content::default()
    };
    content
        .props
        .retain(|tag| !message_props::is_computed(tag) || tag.id() == tags::MESSAGE_FLAGS.id());
    for (row, props) in message.recipients.iter().enumerate() {
        let mut props = from_stream(props, named)?;
        let kind = props.i32(tags::RECIPIENT_TYPE).unwrap_or(1) as u8;
        let row = props.i32(tags::ROW_ID).unwrap_or(row as i32) as u32;
        for tag in [tags::RECIPIENT_TYPE, tags::ROW_ID] {
            props.remove(tag);
        }
        content.recipients.push(Recipient { row, kind, props });
    }
    for attachment in &message.attachments {
        let number = content.take_attachment_number();
        content
            .attachments
            .push(attachment_of(attachment, number, named)?);
    }
    Ok(content)
}

fn attachment_of(
    attachment: &fast_transfer::Attachment,
    number: u32,
    named: &mut NamedProperties,
) -> Result<Attachment> {
    let mut props = from_stream(&attachment.props, named)?;
    for tag in [tags::ATTACH_NUMBER, tags::ATTACH_SIZE] {
        props.remove(tag);
    }
    let embedded = attachment.embedded.as_ref();
    let embedded = embedded
        .map(|message| content(message, named))
        .transpose()?;
    Ok(Attachment {
        number,
        props,
        embedded: embedded.map(Box::new),
    })
}

fn without_meta(props: &[Property]) -> Vec<Property> {
    let meta = [meta::DELETES, meta::WARNING, meta::DN_PREFIX];
    props
        .iter()
        .filter(|property| !meta.contains(&property.tag))
        .cloned()
        .collect()
}
