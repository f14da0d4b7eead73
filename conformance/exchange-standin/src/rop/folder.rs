//! Opening, making, moving, copying and deleting folders. Source: MS-OXCFOLD 3.2.5.

use mapi_wire::{
    PropValue,
    rop::{
        CopyFolder, CopyFolderResponse, CreateFolder, CreateFolderResponse, DeleteFolder,
        DeleteFolderResponse, ExistingFolder, MoveFolder, MoveFolderResponse, OpenFolder,
        OpenFolderResponse,
    },
};

use super::{
    call::{Call, Outcome, fid_of},
    objects::Object,
};
use crate::model::{
    error::{Code, Result},
    folder_changes::FolderPlan,
    ids::Fid,
    permission::Rights,
    props::Props,
    tags,
};

/// Opens a folder.
pub(crate) fn open(call: &mut Call<'_>, ask: &OpenFolder) -> Outcome {
    let mailbox = call.mailbox(ask.input)?;
    let folder = mailbox.folder(fid_of(ask.folder_id)?)?;
    let fid = folder.fid;
    let has_rules = folder.rules.rows().next().is_some();
    if !mailbox.rights(call.user(), fid).opens_folder() {
        return Err(Code::NOT_FOUND.into());
    }
    call.open(ask.output, ask.input, Object::Folder(fid))?;
    let index = ask.output;
    Ok(OpenFolderResponse {
        index,
        has_rules,
        ghosted: None,
    }
    .into())
}

/// Makes a folder, or opens the one of that name.
pub(crate) fn create(call: &mut Call<'_>, ask: &CreateFolder) -> Outcome {
    let parent = call.folder_id(ask.input)?;
    let mailbox = call.mailbox(ask.input)?;
    if !matches!(
        ask.folder_type,
        CreateFolder::GENERIC | CreateFolder::SEARCH
    ) {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let name = ask.display_name.to_text();
    let existing = mailbox.child_named(parent, &name);
    let fid = match existing {
        Some(fid) if ask.open_existing => fid,
        Some(_) => return Err(Code::DUPLICATE_NAME.into()),
        None => {
            call.need(mailbox, parent, Rights::CREATE_SUBFOLDER)?;
            make(call, ask, parent, &name)?
        }
    };
    call.open(ask.output, ask.input, Object::Folder(fid))?;
    Ok(CreateFolderResponse {
        index: ask.output,
        folder_id: fid.to_wire(),
        existing: existing.map(|_| ExistingFolder {
            has_rules: false,
            ghosted: None,
        }),
    }
    .into())
}

fn make(call: &mut Call<'_>, ask: &CreateFolder, parent: Fid, name: &str) -> Result<Fid> {
    let creator = call.user().to_owned();
    let mailbox = call.mailbox_mut(ask.input)?;
    let fid = mailbox.create_folder(&FolderPlan {
        parent,
        name,
        search: ask.folder_type == CreateFolder::SEARCH,
        creator: &creator,
        fid: None,
    })?;
    let comment = ask.comment.to_text();
    if !comment.is_empty() {
        let comment = PropValue::String(comment.as_str().into());
        mailbox.change_folder(fid, Props::from_iter([(tags::COMMENT, comment)]), &[])?;
    }
    Ok(fid)
}

/// Deletes a folder. One with messages or folders stays, unless the flags say that they go with it.
pub(crate) fn delete(call: &mut Call<'_>, ask: &DeleteFolder) -> Outcome {
    let fid = child(call, ask.input, fid_of(ask.folder_id)?)?;
    let mailbox = call.mailbox(ask.input)?;
    call.need(mailbox, fid, Rights::OWNER)?;
    let folder = mailbox.folder(fid)?;
    let flags = ask.delete_folder_flags;
    let messages = !folder.normal().is_empty() && flags & DeleteFolder::DELETE_MESSAGES == 0;
    let folders =
        mailbox.children(fid).next().is_some() && flags & DeleteFolder::DELETE_FOLDERS == 0;
    let stays = messages || folders;
    if !stays {
        call.mailbox_mut(ask.input)?.delete_folder(fid)?;
    }
    Ok(DeleteFolderResponse {
        index: ask.input,
        partial_completion: stays,
    }
    .into())
}

/// Moves a folder.
pub(crate) fn move_to(call: &mut Call<'_>, ask: &MoveFolder) -> Outcome {
    let fid = child(call, ask.source, fid_of(ask.folder_id)?)?;
    let target = destination(call, ask.source, ask.destination)?;
    let mailbox = call.mailbox(ask.source)?;
    call.need(mailbox, fid, Rights::OWNER)?;
    call.need(mailbox, target, Rights::CREATE_SUBFOLDER)?;
    let name = ask.new_folder_name.to_text();
    call.mailbox_mut(ask.source)?
        .move_folder(fid, target, &name)?;
    let index = ask.source;
    Ok(MoveFolderResponse {
        index,
        partial_completion: false,
    }
    .into())
}

/// Copies a folder.
pub(crate) fn copy_to(call: &mut Call<'_>, ask: &CopyFolder) -> Outcome {
    let fid = child(call, ask.source, fid_of(ask.folder_id)?)?;
    let target = destination(call, ask.source, ask.destination)?;
    let mailbox = call.mailbox(ask.source)?;
    call.need(mailbox, fid, Rights::READ_ANY)?;
    call.need(mailbox, target, Rights::CREATE_SUBFOLDER)?;
    let creator = call.user().to_owned();
    let name = ask.new_folder_name.to_text();
    let plan = FolderPlan {
        parent: target,
        name: &name,
        search: false,
        creator: &creator,
        fid: None,
    };
    call.mailbox_mut(ask.source)?
        .copy_folder(fid, &plan, ask.want_recursive)?;
    let index = ask.source;
    Ok(CopyFolderResponse {
        index,
        partial_completion: false,
    }
    .into())
}

/// A folder that is in the folder of a slot.
fn child(call: &Call<'_>, slot: u8, fid: Fid) -> Result<Fid> {
    let parent = call.folder_id(slot)?;
    let folder = call.mailbox(slot)?.folder(fid)?;
    match folder.parent == Some(parent) {
        true => Ok(fid),
        false => Err(Code::NOT_FOUND),
    }
}

/// The folder in the slot of a destination, which must be in the mailbox of the source.
pub(crate) fn destination(call: &Call<'_>, source: u8, slot: u8) -> Result<Fid> {
    let target = call.folder_id(slot).map_err(|code| match code {
        Code::NULL_OBJECT => Code::DESTINATION_NULL_OBJECT,
        code => code,
    })?;
    match call.mailbox_key(source)? == call.mailbox_key(slot)? {
        true => Ok(target),
        false => Err(Code::NOT_SUPPORTED),
    }
}
