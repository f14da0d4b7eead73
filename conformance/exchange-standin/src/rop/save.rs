//! Saving messages. Source: MS-OXCMSG 3.2.5.3, MS-OXCFXICS 3.2.5.9.4.2.

use std::sync::Arc;

use mapi_wire::{
    Id,
    rop::{SaveChangesMessage, SaveChangesMessageResponse, save_flags},
};

use super::{
    call::{Call, Outcome},
    fast_transfer_destination,
    objects::{Handle, Object, OpenMessage, Place},
    stream,
};
use crate::model::{
    error::{Code, Result},
    ids::Mid,
    message::Content,
    message_changes::NewMessage,
    permission::Rights,
};

/// Saves a message.
pub(crate) fn message(call: &mut Call<'_>, ask: &SaveChangesMessage) -> Outcome {
    let (handle, message) = call.message(ask.input)?;
    if !message.writable {
        return Err(Code::ACCESS_DENIED.into());
    }
    stream::commit_open(call, handle)?;
    fast_transfer_destination::settle_open(call, handle)?;
    let (_, message) = call.message(ask.input)?;
    let mid = match message.place {
        Place::Attachment => {
            embedded(call, ask.input, handle)?;
            None
        }
        Place::Folder { .. } => Some(in_folder(call, ask.input, ask.save_flags)?),
    };
    if ask.save_flags & save_flags::KEEP_OPEN_READ_WRITE == 0
        && let Object::Message(message) = call.object_mut(ask.input)?
    {
        message.writable = false;
    }
    Ok(SaveChangesMessageResponse {
        index: ask.response,
        input: ask.input,
        message_id: mid.map_or(Id::default(), Mid::to_wire),
    }
    .into())
}

/// Puts a message into the attachment it was opened from; that has to be saved too.
fn embedded(call: &mut Call<'_>, slot: u8, handle: Handle) -> Result<()> {
    let (_, message) = call.message(slot)?;
    let mut content = Content::clone(&message.content);
    content.derive();
    let content = Arc::new(content);
    let parent = call
        .session
        .objects
        .get(handle)?
        .parent
        .ok_or(Code::NULL_OBJECT)?;
    match &mut call.session.objects.get_mut(parent)?.object {
        Object::Attachment(open) if open.writable => {
            open.attachment.embedded = Some(Box::new(Content::clone(&content)));
        }
        _ => return Err(Code::ACCESS_DENIED),
    }
    let message = call.writable_message(slot)?;
    message.content = content;
    message.base = Some(Default::default());
    Ok(())
}

fn in_folder(call: &mut Call<'_>, slot: u8, flags: u8) -> Result<Mid> {
    let user: Arc<str> = call.user().into();
    let key = call.mailbox_key(slot)?;
    let message = call.writable_message(slot)?;
    let content = Content::clone(&message.content);
    let Place::Folder {
        fid,
        mid,
        associated,
        import,
    } = &mut message.place
    else {
        return Err(Code::NOT_SUPPORTED);
    };
    let (fid, mid, associated, import) = (*fid, *mid, *associated, import.take());
    let base = message.base;
    let mailbox = call.organisation.mailbox_mut(&key)?;
    let over = mailbox
        .quota
        .storage
        .is_some_and(|quota| mailbox.size() + content.size() as u64 > quota);
    if over {
        return Err(Code::QUOTA_EXCEEDED);
    }
    let mid = match (mid, import) {
        (None, None) => {
            may_create(mailbox.rights(&user, fid))?;
            mailbox.create_message(NewMessage {
                folder: fid,
                associated,
                mid: None,
                content,
                creator: user,
                version: None,
            })?
        }
        (_, Some(import)) => {
            let mid = import.mid;
            match mailbox.message(mid).is_ok() {
                true if import.loses => {
                    mailbox.absorb_version(mid, &import.version.predecessors)?;
                }
                true => mailbox.replace_content(mid, content, Some(import.version))?,
                false if mailbox.is_gone(mid) => return Err(Code::SYNC_OBJECT_DELETED),
                false => {
                    mailbox.create_message(NewMessage {
                        folder: fid,
                        associated,
                        mid: Some(mid),
                        content,
                        creator: user,
                        version: Some(import.version),
                    })?;
                }
            }
            mid
        }
        (Some(mid), None) => {
            let saved = mailbox.message(mid).map_err(|_| Code::OBJECT_DELETED)?;
            if base != Some(saved.cn) && flags & save_flags::FORCE_SAVE == 0 {
                return Err(Code::OBJECT_MODIFIED);
            }
            mailbox.replace_content(mid, content, None)?;
            mid
        }
    };
    refresh(call, slot, mid)?;
    note_upload(call, slot, mid)?;
    Ok(mid)
}

fn may_create(rights: Rights) -> Result<()> {
    match rights.has(Rights::CREATE) {
        true => Ok(()),
        false => Err(Code::ACCESS_DENIED),
    }
}

/// Makes an open message what was saved.
pub(crate) fn refresh(call: &mut Call<'_>, slot: u8, mid: Mid) -> Result<()> {
    let saved = Arc::clone(call.mailbox(slot)?.message(mid)?);
    let message: &mut OpenMessage = call.writable_message(slot)?;
    message.base = Some(saved.cn);
    message.content = Arc::clone(&saved.content);
    message.place = Place::Folder {
        fid: saved.folder,
        mid: Some(mid),
        associated: saved.associated,
        import: None,
    };
    Ok(())
}

/// Adds the change of an uploaded message to what its collector has seen.
fn note_upload(call: &mut Call<'_>, slot: u8, mid: Mid) -> Result<()> {
    let mailbox = call.mailbox(slot)?;
    let saved = mailbox.message(mid)?;
    let (id, cn, associated) = (
        mailbox.gid(mid.0),
        mailbox.gid(saved.cn.0),
        saved.associated,
    );
    let parent = call.entry(slot)?.1.parent;
    let Some(parent) = parent else {
        return Ok(());
    };
    if let Ok(entry) = call.session.objects.get_mut(parent)
        && let Object::Collector(collector) = &mut entry.object
    {
        collector.note_message(id, cn, associated);
    }
    Ok(())
}
