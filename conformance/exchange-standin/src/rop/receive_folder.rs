//! Where mail goes when it arrives. Source: MS-OXCSTOR 3.2.5.2 to 3.2.5.4.

use mapi_wire::{
    Id, PropValue,
    rop::{
        GetReceiveFolder, GetReceiveFolderResponse, GetReceiveFolderTable,
        GetReceiveFolderTableResponse, SetReceiveFolder, SetReceiveFolderResponse,
    },
    row::{Content, PropertyRow},
};

use super::call::{Call, Outcome, fid_of};
use crate::model::{error::Code, mailbox::ReceiveFolder};

/// The longest class with its NUL. Source: MS-OXCSTOR 2.2.1.2.1.
const CLASS_BYTES_MAX: usize = 254;

/// Where mail of a class goes.
pub(crate) fn get(call: &mut Call<'_>, ask: &GetReceiveFolder) -> Outcome {
    let class = class(&ask.message_class)?;
    let mailbox = call.store(ask.input)?;
    let found = mailbox.receive_folder(&class).ok_or(Code::NOT_FOUND)?;
    Ok(GetReceiveFolderResponse {
        index: ask.input,
        folder_id: found.folder.to_wire(),
        explicit_message_class: found.class.as_bytes().into(),
    }
    .into())
}

/// All that is said about it.
pub(crate) fn table(call: &mut Call<'_>, ask: &GetReceiveFolderTable) -> Outcome {
    let mailbox = call.store(ask.input)?;
    let row = |entry: &ReceiveFolder| {
        let id = entry.folder.to_wire().to_u64() as i64;
        PropertyRow::new([
            Content::Value(PropValue::I64(id)),
            Content::Value(PropValue::String8(entry.class.as_bytes().into())),
            Content::Value(PropValue::Time(entry.modified)),
        ])
    };
    Ok(GetReceiveFolderTableResponse {
        index: ask.input,
        rows: mailbox.receive.iter().map(row).collect(),
    }
    .into())
}

/// Says where mail of a class goes.
pub(crate) fn set(call: &mut Call<'_>, ask: &SetReceiveFolder) -> Outcome {
    let class = class(&ask.message_class)?;
    let user = call.user().to_owned();
    let mailbox = call.store(ask.input)?;
    if !mailbox.is_owner(&user) {
        return Err(Code::ACCESS_DENIED.into());
    }
    let fixed = ["", "IPM", "REPORT.IPM"];
    if fixed.iter().any(|fixed| fixed.eq_ignore_ascii_case(&class)) && !class.is_empty() {
        return Err(Code::ACCESS_DENIED.into());
    }
    let folder = match ask.folder_id == Id::default() {
        true if class.is_empty() => return Err(Code::FAILED.into()),
        true => None,
        false => Some(mailbox.folder(fid_of(ask.folder_id)?)?.fid),
    };
    let mailbox = call.mailbox_mut(ask.input)?;
    let modified = mailbox.clock.now();
    mailbox
        .receive
        .retain(|entry| !entry.class.eq_ignore_ascii_case(&class));
    mailbox.receive.extend(folder.map(|folder| ReceiveFolder {
        class,
        folder,
        modified,
    }));
    Ok(SetReceiveFolderResponse { index: ask.input }.into())
}

fn class(octets: &[u8]) -> Result<String, Code> {
    let ascii = octets.iter().all(|octet| (0x20..0x7f).contains(octet));
    match ascii && octets.len() <= CLASS_BYTES_MAX {
        true => Ok(String::from_utf8_lossy(octets).into_owned()),
        false => Err(Code::INVALID_PARAMETER),
    }
}
