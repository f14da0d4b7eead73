//! What is done to messages of a folder without opening them. Source: MS-OXCFOLD 3.2.5.6, 3.2.5.8 to 3.2.5.11.

use mapi_wire::{
    Id,
    rop::{
        DeleteMessages, DeleteMessagesResponse, EmptyFolder, EmptyFolderResponse,
        HardDeleteMessages, HardDeleteMessagesAndSubfolders,
        HardDeleteMessagesAndSubfoldersResponse, HardDeleteMessagesResponse, MoveCopyMessages,
        MoveCopyMessagesResponse,
    },
};

use super::{
    call::{Call, Outcome},
    folder::destination,
};
use crate::model::{
    error::{Code, Result},
    ids::{Fid, Mid},
    message_changes::Deletion,
    permission::Rights,
};

/// Deletes messages softly.
pub(crate) fn delete(call: &mut Call<'_>, ask: &DeleteMessages) -> Outcome {
    let plan = (Deletion::Soft, ask.notify_non_read);
    let index = ask.input;
    Ok(DeleteMessagesResponse {
        index,
        partial_completion: delete_all(call, index, &ask.message_ids, plan)?,
    }
    .into())
}

/// Deletes messages for good.
pub(crate) fn delete_hard(call: &mut Call<'_>, ask: &HardDeleteMessages) -> Outcome {
    let plan = (Deletion::Hard, ask.notify_non_read);
    let index = ask.input;
    Ok(HardDeleteMessagesResponse {
        index,
        partial_completion: delete_all(call, index, &ask.message_ids, plan)?,
    }
    .into())
}

/// Deletes messages; whether some stay. `how` says also whether receipts go out.
fn delete_all(call: &mut Call<'_>, slot: u8, ids: &[Id], how: (Deletion, bool)) -> Result<bool> {
    let fid = call.folder_id(slot)?;
    let user = call.user().to_owned();
    let rights = call.mailbox(slot)?.rights(&user, fid);
    let mut partial = false;
    for id in ids {
        let mailbox = call.mailbox_mut(slot)?;
        let Some(mid) = Mid::from_wire(*id) else {
            partial = true;
            continue;
        };
        let own = mailbox
            .message(mid)
            .is_ok_and(|message| *message.creator == *user);
        let may = rights.has(Rights::DELETE_ANY) || own && rights.has(Rights::DELETE_OWNED);
        partial |= !may || mailbox.delete_message(fid, mid, how.0, how.1).is_err();
    }
    Ok(partial)
}

/// Deletes all messages and folders of a folder softly.
pub(crate) fn empty(call: &mut Call<'_>, ask: &EmptyFolder) -> Outcome {
    let index = ask.input;
    Ok(EmptyFolderResponse {
        index,
        partial_completion: empty_all(call, index, ask.want_delete_associated, Deletion::Soft)?,
    }
    .into())
}

/// Deletes all messages and folders of a folder for good.
pub(crate) fn empty_hard(call: &mut Call<'_>, ask: &HardDeleteMessagesAndSubfolders) -> Outcome {
    let index = ask.input;
    Ok(HardDeleteMessagesAndSubfoldersResponse {
        index,
        partial_completion: empty_all(call, index, ask.want_delete_associated, Deletion::Hard)?,
    }
    .into())
}

fn empty_all(call: &mut Call<'_>, slot: u8, associated: bool, how: Deletion) -> Result<bool> {
    let fid = call.folder_id(slot)?;
    call.need(call.mailbox(slot)?, fid, Rights::DELETE_ANY)?;
    let mailbox = call.mailbox_mut(slot)?;
    let folder = mailbox.folder(fid)?;
    let doomed = folder
        .all()
        .filter(|message| associated || !message.associated);
    let doomed: Vec<_> = doomed.map(|message| message.mid).collect();
    for mid in doomed {
        mailbox.delete_message(fid, mid, how, false)?;
    }
    let children: Vec<_> = mailbox.children(fid).map(|child| child.fid).collect();
    let mut partial = false;
    for child in children {
        partial |= mailbox.delete_folder(child).is_err();
    }
    Ok(partial)
}

/// Moves or copies messages to another folder.
pub(crate) fn move_copy(call: &mut Call<'_>, ask: &MoveCopyMessages) -> Outcome {
    let from = call.folder_id(ask.source)?;
    let to = destination(call, ask.source, ask.destination)?;
    let mailbox = call.mailbox(ask.source)?;
    call.need(mailbox, to, Rights::CREATE)?;
    call.need(mailbox, from, Rights::READ_ANY)?;
    let mids: Vec<_> = ask
        .message_ids
        .iter()
        .filter_map(|id| Mid::from_wire(*id))
        .collect();
    let done = match ask.want_copy {
        true => {
            let user = call.user().to_owned();
            call.mailbox_mut(ask.source)?
                .copy_messages(from, to, &mids, &user)?
        }
        false => move_all(call, ask.source, (from, to), &mids)?,
    };
    let index = ask.source;
    Ok(MoveCopyMessagesResponse {
        index,
        partial_completion: done.len() < ask.message_ids.len(),
    }
    .into())
}

fn move_all(call: &mut Call<'_>, slot: u8, way: (Fid, Fid), mids: &[Mid]) -> Result<Vec<Mid>> {
    let (from, to) = way;
    let user = call.user().to_owned();
    let mailbox = call.mailbox_mut(slot)?;
    let rights = mailbox.rights(&user, from);
    let may = |mid: &&Mid| {
        let own = || {
            mailbox
                .message(**mid)
                .is_ok_and(|message| *message.creator == *user)
        };
        rights.has(Rights::DELETE_ANY) || rights.has(Rights::DELETE_OWNED) && own()
    };
    let allowed: Vec<_> = mids.iter().filter(may).copied().collect();
    match allowed.is_empty() && !mids.is_empty() {
        true => Err(Code::ACCESS_DENIED),
        false => mailbox.move_messages(from, to, &allowed),
    }
}
