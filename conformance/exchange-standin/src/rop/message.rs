//! Opening and making messages, and what a folder's table shows of them. Source: MS-OXCMSG 3.2.5.1, 3.2.5.2, 3.2.5.8.

use std::sync::Arc;

use mapi_wire::{
    rop::{
        CreateMessage, CreateMessageResponse, GetMessageStatus, GetMessageStatusResponse,
        OpenMessage, OpenMessageResponse, ReloadCachedInformation, ReloadCachedInformationResponse,
        SetMessageStatus, SetMessageStatusResponse, open_mode,
    },
    text::TypedString,
};

use super::{
    call::{Call, Outcome, fid_of, mid_of, open_saved},
    objects::{Object, OpenMessage as Opened, Place},
    recipient,
};
use crate::model::{
    error::{Code, Result},
    ids::Fid,
    message::{Content, Message},
    named::FIRST_ID,
    permission::Rights,
    props::Props,
    tags,
};

/// Opens a message.
pub(crate) fn open(call: &mut Call<'_>, ask: &OpenMessage) -> Outcome {
    let fid = fid_of(ask.folder_id)?;
    let mailbox = call.mailbox(ask.input)?;
    let mid = mid_of(ask.message_id)?;
    let message = mailbox.folder(fid)?.message(mid).ok_or(Code::NOT_FOUND)?;
    let writable = access(
        call,
        mailbox.rights(call.user(), fid),
        message,
        ask.open_mode_flags,
    )?;
    let opened = open_saved(message, writable);
    let content = Arc::clone(&message.content);
    let recipients = recipient::Opened::of(&content, call.room);
    let (prefix, subject) = subject(&content.props);
    call.open(ask.output, ask.input, Object::Message(Box::new(opened)))?;
    Ok(OpenMessageResponse {
        index: ask.output,
        has_named_properties: has_named(&content),
        subject_prefix: prefix,
        normalized_subject: subject,
        recipient_count: recipients.count,
        recipient_columns: recipients.columns,
        recipient_rows: recipients.rows,
    }
    .into())
}

/// Whether a message may be opened for writing; an error when it may not be opened so at all.
fn access(call: &Call<'_>, rights: Rights, message: &Message, mode: u8) -> Result<bool> {
    let own = *message.creator == *call.user();
    let may_read = rights.has(Rights::READ_ANY) || own && rights.opens_folder();
    if !may_read {
        return match rights.opens_folder() {
            true => Err(Code::ACCESS_DENIED),
            false => Err(Code::NOT_FOUND),
        };
    }
    let may = rights.has(Rights::EDIT_ANY) || own && rights.has(Rights::EDIT_OWNED);
    match mode & open_mode::BEST_ACCESS {
        open_mode::READ_ONLY => Ok(false),
        open_mode::BEST_ACCESS => Ok(may),
        open_mode::READ_WRITE if may => Ok(true),
        _ => Err(Code::ACCESS_DENIED),
    }
}

/// PidTagAccess of a message. Source: MS-OXCPRPT 2.2.1.1.
pub(super) fn access_of(call: &Call<'_>, rights: Rights, message: &Message) -> i32 {
    const MODIFY: i32 = 0x01;
    const READ: i32 = 0x02;
    const DELETE: i32 = 0x04;
    let own = *message.creator == *call.user();
    let may = |any, owned| rights.has(any) || own && rights.has(owned);
    let mut bits = READ;
    if may(Rights::EDIT_ANY, Rights::EDIT_OWNED) {
        bits |= MODIFY;
    }
    if may(Rights::DELETE_ANY, Rights::DELETE_OWNED) {
        bits |= DELETE;
    }
    bits
}

/// Makes a message. It is there once it is saved.
pub(crate) fn create(call: &mut Call<'_>, ask: &CreateMessage) -> Outcome {
    let fid = fid_of(ask.folder_id)?;
    let mailbox = call.mailbox(ask.input)?;
    mailbox.folder(fid)?;
    call.need(mailbox, fid, Rights::CREATE)?;
    let opened = new_message(fid, ask.associated_flag);
    call.open(ask.output, ask.input, Object::Message(Box::new(opened)))?;
    Ok(CreateMessageResponse {
        index: ask.output,
        message_id: None,
    }
    .into())
}

/// A message that was never saved.
pub(crate) fn new_message(fid: Fid, associated: bool) -> Opened {
    Opened {
        place: Place::Folder {
            fid,
            mid: None,
            associated,
            import: None,
        },
        writable: true,
        content: Arc::default(),
        base: None,
        submitted: false,
    }
}

/// What opening gave, as it is now.
pub(crate) fn reload(call: &mut Call<'_>, ask: &ReloadCachedInformation) -> Outcome {
    let (_, message) = call.message(ask.input)?;
    let content = &message.content;
    let recipients = recipient::Opened::of(content, call.room);
    let (prefix, subject) = subject(&content.props);
    Ok(ReloadCachedInformationResponse {
        index: ask.input,
        has_named_properties: has_named(content),
        subject_prefix: prefix,
        normalized_subject: subject,
        recipient_count: recipients.count,
        recipient_columns: recipients.columns,
        recipient_rows: recipients.rows,
    }
    .into())
}

/// Whether a message has named properties.
pub(crate) fn has_named(content: &Content) -> bool {
    content.props.iter().any(|(tag, _)| tag.id() >= FIRST_ID)
}

/// The two parts of a subject.
pub(crate) fn subject(props: &Props) -> (TypedString, TypedString) {
    let typed = |tag| match props.text(tag) {
        None => TypedString::Absent,
        Some(text) if text.is_empty() => TypedString::Empty,
        Some(text) => TypedString::Unicode(text.as_str().into()),
    };
    (typed(tags::SUBJECT_PREFIX), typed(tags::NORMALIZED_SUBJECT))
}

/// Changes bits that the contents table shows.
pub(crate) fn set_status(call: &mut Call<'_>, ask: &SetMessageStatus) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    let mid = mid_of(ask.message_id)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::EDIT_ANY)?;
    let (status, mask) = (ask.message_status_flags, ask.message_status_mask);
    let before = call
        .mailbox_mut(ask.input)?
        .set_status(fid, mid, status, mask)?;
    Ok(SetMessageStatusResponse {
        index: ask.input,
        message_status_flags: before,
    }
    .into())
}

/// The bits that the contents table shows.
pub(crate) fn status(call: &mut Call<'_>, ask: &GetMessageStatus) -> Outcome {
    let (_, folder) = call.folder(ask.input)?;
    let message = folder
        .message(mid_of(ask.message_id)?)
        .ok_or(Code::NOT_FOUND)?;
    Ok(GetMessageStatusResponse {
        index: ask.input,
        message_status_flags: message.status,
    }
    .into())
}
