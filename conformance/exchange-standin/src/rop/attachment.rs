//! Attachments and messages in them. Source: MS-OXCMSG 3.2.5.12 to 3.2.5.16.

use std::sync::Arc;

use mapi_wire::{
    Id, PropValue,
    rop::{
        CreateAttachment, CreateAttachmentResponse, DeleteAttachment, DeleteAttachmentResponse,
        OpenAttachment, OpenAttachmentResponse, OpenEmbeddedMessage, OpenEmbeddedMessageResponse,
        SaveChangesAttachment, SaveChangesAttachmentResponse, open_mode, save_flags,
    },
};

use super::{
    call::{Call, Outcome},
    message,
    objects::{Object, OpenAttachment as Opened, OpenMessage, Place},
    recipient, stream,
};
use crate::model::{
    error::{Code, Result},
    message::{Attachment, Content},
    tags,
};

/// PidTagAttachMethod of an attachment that is a message.
const EMBEDDED: i32 = 5;

/// Opens an attachment.
pub(crate) fn open(call: &mut Call<'_>, ask: &OpenAttachment) -> Outcome {
    let (_, message) = call.message(ask.input)?;
    let attachment = message
        .content
        .attachment(ask.attachment_id)
        .ok_or(Code::NOT_FOUND)?;
    let writable = match ask.open_attachment_flags & open_mode::BEST_ACCESS {
        open_mode::READ_ONLY => false,
        open_mode::BEST_ACCESS => message.writable,
        _ if message.writable => true,
        _ => return Err(Code::ACCESS_DENIED.into()),
    };
    let opened = Opened {
        attachment: attachment.clone(),
        writable,
    };
    call.open(ask.output, ask.input, Object::Attachment(Box::new(opened)))?;
    Ok(OpenAttachmentResponse { index: ask.output }.into())
}

/// Makes an attachment. It is there once it and its message are saved.
pub(crate) fn create(call: &mut Call<'_>, ask: &CreateAttachment) -> Outcome {
    let message = call.writable_message(ask.input)?;
    let number = Arc::make_mut(&mut message.content).take_attachment_number();
    let mut attachment = Attachment {
        number,
        ..Attachment::default()
    };
    attachment
        .props
        .set(tags::RENDERING_POSITION, PropValue::I32(-1));
    let now = call.organisation.clock.now();
    for tag in [tags::CREATION_TIME, tags::LAST_MODIFICATION_TIME] {
        attachment.props.set(tag, PropValue::Time(now));
    }
    let opened = Opened {
        attachment,
        writable: true,
    };
    call.open(ask.output, ask.input, Object::Attachment(Box::new(opened)))?;
    Ok(CreateAttachmentResponse {
        index: ask.output,
        attachment_id: number,
    }
    .into())
}

/// Removes an attachment.
pub(crate) fn delete(call: &mut Call<'_>, ask: &DeleteAttachment) -> Outcome {
    let message = call.writable_message(ask.input)?;
    message
        .content
        .attachment(ask.attachment_id)
        .ok_or(Code::NOT_FOUND)?;
    let attachments = &mut Arc::make_mut(&mut message.content).attachments;
    attachments.retain(|attachment| attachment.number != ask.attachment_id);
    Ok(DeleteAttachmentResponse { index: ask.input }.into())
}

/// Saves an attachment into its open message.
pub(crate) fn save(call: &mut Call<'_>, ask: &SaveChangesAttachment) -> Outcome {
    let (handle, _) = call.entry(ask.input)?;
    stream::commit_open(call, handle)?;
    let (_, entry) = call.entry(ask.input)?;
    let parent = entry.parent.ok_or(Code::NULL_OBJECT)?;
    let attachment = match &entry.object {
        Object::Attachment(open) if open.writable => open.attachment.clone(),
        Object::Attachment(_) => return Err(Code::ACCESS_DENIED.into()),
        _ => return Err(Code::NOT_SUPPORTED.into()),
    };
    match &mut call.session.objects.get_mut(parent)?.object {
        Object::Message(message) if message.writable => {
            Arc::make_mut(&mut message.content).put_attachment(attachment);
        }
        _ => return Err(Code::ACCESS_DENIED.into()),
    }
    if ask.save_flags & save_flags::KEEP_OPEN_READ_WRITE == 0
        && let Object::Attachment(open) = call.object_mut(ask.input)?
    {
        open.writable = false;
    }
    let index = ask.response;
    Ok(SaveChangesAttachmentResponse { index }.into())
}

/// Opens or makes the message in an attachment.
pub(crate) fn open_embedded(call: &mut Call<'_>, ask: &OpenEmbeddedMessage) -> Outcome {
    let (_, entry) = call.entry(ask.input)?;
    let Object::Attachment(open) = &entry.object else {
        return Err(Code::NOT_SUPPORTED.into());
    };
    let (content, is_new) = content(open, ask.open_mode_flags)?;
    let writable = ask.open_mode_flags & open_mode::BEST_ACCESS != 0 && open.writable;
    let content = Arc::new(content);
    let recipients = recipient::Opened::of(&content, call.room);
    let (prefix, subject) = message::subject(&content.props);
    let has_named_properties = message::has_named(&content);
    let opened = OpenMessage {
        place: Place::Attachment,
        writable,
        content,
        base: (!is_new).then(Default::default),
        submitted: false,
    };
    call.open(ask.output, ask.input, Object::Message(Box::new(opened)))?;
    Ok(OpenEmbeddedMessageResponse {
        index: ask.output,
        reserved: 0,
        message_id: Id::default(),
        has_named_properties,
        subject_prefix: prefix,
        normalized_subject: subject,
        recipient_count: recipients.count,
        recipient_columns: recipients.columns,
        recipient_rows: recipients.rows,
    }
    .into())
}

/// The message in an attachment, and whether it was made just now.
fn content(open: &Opened, mode: u8) -> Result<(Content, bool)> {
    let method = open.attachment.props.i32(tags::ATTACH_METHOD);
    match &open.attachment.embedded {
        Some(content) => Ok((Content::clone(content), false)),
        None if mode & open_mode::CREATE == 0 => Err(Code::NOT_FOUND),
        None if !open.writable || method != Some(EMBEDDED) => Err(Code::ACCESS_DENIED),
        None => Ok((Content::default(), true)),
    }
}
