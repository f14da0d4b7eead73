//! Folders that a client uploads. Source: MS-OXCFXICS 2.2.3.2.4.3, 3.2.5.9.4.3.

use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue, TaggedValue,
    rop::{SynchronizationImportHierarchyChange, SynchronizationImportHierarchyChangeResponse},
};

use super::{
    call::{Call, Outcome},
    sync_upload::{binary, check_namespace, own_counter, version},
};
use crate::model::{
    change::Descent,
    error::{Code, Result},
    folder_changes::{FolderPlan, Version},
    ids::Fid,
    mailbox::Mailbox,
    permission::Rights,
    props::{Props, type_of_value, with_type},
    tags,
};

/// A folder as a client has it.
struct Uploaded {
    parent: Fid,
    fid: Fid,
    version: Version,
    name: String,
}

/// Uploads a folder.
pub(crate) fn folder(call: &mut Call<'_>, ask: &SynchronizationImportHierarchyChange) -> Outcome {
    let root = call.collector(ask.input, false)?;
    let mailbox = call.mailbox(ask.input)?;
    let uploaded = understood(mailbox, root, &ask.hierarchy_values)?;
    call.need(mailbox, uploaded.parent, Rights::CREATE_SUBFOLDER)?;
    check_namespace(call, ask.input, &uploaded.version.change_key)?;
    let user = call.user().to_owned();
    let others: Props = ask
        .property_values
        .iter()
        .map(|value| {
            (
                with_type(value.tag, type_of_value(&value.value)),
                value.value.clone(),
            )
        })
        .collect();
    let mailbox = call.mailbox_mut(ask.input)?;
    let fid = uploaded.fid;
    match mailbox.folder(fid).is_ok() {
        true => change(mailbox, &uploaded)?,
        false if mailbox.is_folder_gone(fid) => return Err(Code::SYNC_OBJECT_DELETED.into()),
        false if !mailbox.is_free(fid.0) => return Err(Code::INVALID_PARAMETER.into()),
        false => {
            mailbox.create_folder(&FolderPlan {
                parent: uploaded.parent,
                name: &uploaded.name,
                search: false,
                creator: &user,
                fid: Some(fid),
            })?;
        }
    }
    mailbox.change_folder(fid, others, &[])?;
    mailbox.adopt_folder_version(fid, &uploaded.version)?;
    let (id, change) = (mailbox.gid(fid.0), mailbox.gid(mailbox.folder(fid)?.cn.0));
    let state = &mut call.collector_mut(ask.input)?.upload.state;
    state.idset_given.insert(id);
    state.cnset_seen.insert(change);
    Ok(SynchronizationImportHierarchyChangeResponse {
        index: ask.input,
        folder_id: Id::default(),
    }
    .into())
}

/// PidTagParentSourceKey, PidTagSourceKey, three of the version, PidTagDisplayName, in this order.
fn understood(mailbox: &Mailbox, root: Fid, values: &[TaggedValue]) -> Result<Uploaded> {
    let [parent, source_key, modified, change_key, predecessors, name] = values else {
        return Err(Code::INVALID_PARAMETER);
    };
    let parent = match binary(parent, tags::PARENT_SOURCE_KEY)? {
        [] => root,
        key => Fid(own_counter(mailbox, key)?),
    };
    mailbox.folder(parent).map_err(|_| Code::SYNC_NO_PARENT)?;
    let name = match (&name.value, name.tag) {
        (PropValue::String(text), tags::DISPLAY_NAME) => text.to_text(),
        (PropValue::String8(text), PropTag(0x3001_001e)) => {
            String::from_utf8_lossy(text).into_owned()
        }
        _ => return Err(Code::INVALID_PARAMETER),
    };
    Ok(Uploaded {
        parent,
        fid: Fid(own_counter(mailbox, binary(source_key, tags::SOURCE_KEY)?)?),
        version: version(&[modified.clone(), change_key.clone(), predecessors.clone()])?,
        name,
    })
}

/// Changes a folder that is here. What the client has not seen yet wins when it is newer.
fn change(mailbox: &mut Mailbox, uploaded: &Uploaded) -> Result<()> {
    let folder = mailbox.folder(uploaded.fid)?;
    match uploaded.version.predecessors.compare(&folder.predecessors) {
        Descent::Same | Descent::Older => return Err(Code::SYNC_IGNORE),
        Descent::Conflict => {
            let here = folder
                .props
                .time(tags::LAST_MODIFICATION_TIME)
                .unwrap_or_default();
            if here >= uploaded.version.modified {
                return Err(Code::SYNC_IGNORE);
            }
        }
        Descent::Newer => {}
    }
    if folder.parent == Some(uploaded.parent) {
        let name = PropValue::String(uploaded.name.as_str().into());
        return mailbox.change_folder(
            uploaded.fid,
            Props::from_iter([(tags::DISPLAY_NAME, name)]),
            &[],
        );
    }
    let moved = mailbox.move_folder(uploaded.fid, uploaded.parent, &uploaded.name);
    moved.map_err(|code| match code {
        Code::FOLDER_CYCLE => Code::SYNC_CYCLE,
        code => code,
    })
}
