//! Changing who may do what in a folder. Source: MS-OXCPERM 3.2.5.2.

use mapi_wire::{
    PropValue,
    rop::{ModifyPermissions, ModifyPermissionsResponse, PermissionData},
};

use super::call::{Call, Outcome};
use crate::model::{
    entry_id,
    error::{Code, Result},
    folder::Folder,
    permission::{MEMBER_DEFAULT, Rights},
    props::Props,
    tags,
};

/// One change, understood.
enum Change {
    Grant(String, Rights),
    Set(i64, Rights),
    Remove(i64),
}

/// Changes permissions.
pub(crate) fn modify(call: &mut Call<'_>, ask: &ModifyPermissions) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    call.need(call.mailbox(ask.input)?, fid, Rights::OWNER)?;
    let changes = ask
        .permissions_data
        .iter()
        .map(|data| understood(call, data));
    let changes = changes.collect::<Result<Vec<_>>>()?;
    let folder: &mut Folder = call.mailbox_mut(ask.input)?.folder_mut(fid)?;
    if ask.modify_flags & ModifyPermissions::REPLACE_ROWS != 0 {
        folder.permissions.clear();
    }
    for change in changes {
        let done = match change {
            Change::Grant(user, rights) => {
                folder.permissions.grant(&user, rights);
                true
            }
            Change::Set(member, rights) => folder.permissions.set(member, rights),
            Change::Remove(member) => folder.permissions.remove(member),
        };
        if !done {
            return Err(Code::NOT_FOUND.into());
        }
    }
    call.mailbox_mut(ask.input)?.touch_folder(fid)?;
    Ok(ModifyPermissionsResponse { index: ask.input }.into())
}

fn understood(call: &Call<'_>, data: &PermissionData) -> Result<Change> {
    let props = data
        .property_values
        .iter()
        .map(|value| (value.tag, value.value.clone()));
    let props: Props = props.collect();
    let member = match props.get(tags::MEMBER_ID) {
        Some(PropValue::I64(member)) => Some(*member),
        _ => None,
    };
    let rights = props
        .i32(tags::MEMBER_RIGHTS)
        .map(|rights| Rights(rights as u32));
    match (data.flags, member, rights) {
        (PermissionData::ADD_ROW, None, Some(rights)) => {
            let entry_id = props
                .binary(tags::ENTRY_ID)
                .ok_or(Code::INVALID_PARAMETER)?;
            let dn = entry_id::legacy_dn(entry_id).ok_or(Code::INVALID_PARAMETER)?;
            let user = call.organisation.by_dn(&dn).ok_or(Code::NOT_FOUND)?;
            Ok(Change::Grant(user.key.clone(), rights))
        }
        (PermissionData::MODIFY_ROW, Some(member), Some(rights)) => Ok(Change::Set(member, rights)),
        (PermissionData::REMOVE_ROW, Some(member), _) if member > MEMBER_DEFAULT => {
            Ok(Change::Remove(member))
        }
        _ => Err(Code::INVALID_PARAMETER),
    }
}
