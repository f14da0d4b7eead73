//! Marking messages as read or not, with or without receipts. Source: MS-OXCMSG 3.2.5.10, 3.2.5.11.

use mapi_wire::rop::{
    ReadStatusChanged, SetMessageReadFlag, SetMessageReadFlagResponse, SetReadFlags,
    SetReadFlagsResponse,
};

use super::{
    call::{Call, Outcome},
    objects::Place,
};
use crate::model::{
    error::{Code, Result},
    ids::Mid,
    mailbox::MailboxKind,
    permission::Rights,
    read_state::read_flags,
};

const KNOWN: u8 = read_flags::SUPPRESS
    | read_flags::CLEAR
    | read_flags::RECEIPT_ONLY
    | read_flags::CLEAR_NOTIFY_READ
    | read_flags::CLEAR_NOTIFY_UNREAD;

/// Marking as unread goes only together with the suppression of receipts. Source: MS-OXCMSG 2.2.3.10.1.
const fn check(flags: u8) -> Result<()> {
    let clears = flags & read_flags::CLEAR != 0 && flags & read_flags::SUPPRESS == 0;
    match clears || flags & !KNOWN != 0 {
        true => Err(Code::INVALID_PARAMETER),
        false => Ok(()),
    }
}

/// Marks messages of a folder; all of them when none is named.
pub(crate) fn folder(call: &mut Call<'_>, ask: &SetReadFlags) -> Outcome {
    check(ask.read_flags)?;
    let fid = call.folder_id(ask.input)?;
    let mailbox = call.mailbox(ask.input)?;
    call.need(mailbox, fid, Rights::READ_ANY)?;
    let folder = mailbox.folder(fid)?;
    let mids: Vec<Option<Mid>> = match ask.message_ids.is_empty() {
        true => folder.normal().keys().copied().map(Some).collect(),
        false => {
            let mids = ask.message_ids.iter().map(|id| Mid::from_wire(*id));
            mids.map(|mid| mid.filter(|mid| folder.message(*mid).is_some()))
                .collect()
        }
    };
    let mailbox = call.mailbox_mut(ask.input)?;
    let mut partial = false;
    for mid in mids {
        partial |= match mid {
            Some(mid) => mailbox.set_read_flags(mid, ask.read_flags).is_err(),
            None => true,
        };
    }
    Ok(SetReadFlagsResponse {
        index: ask.input,
        partial_completion: partial,
    }
    .into())
}

/// Marks an open message.
pub(crate) fn message(call: &mut Call<'_>, ask: &SetMessageReadFlag) -> Outcome {
    check(ask.read_flags)?;
    let (_, message) = call.message(ask.input)?;
    let Place::Folder { mid: Some(mid), .. } = message.place else {
        return Err(Code::NOT_SUPPORTED.into());
    };
    let mailbox = call.mailbox_mut(ask.input)?;
    let public = mailbox.kind == MailboxKind::Public;
    let has_changed = mailbox.set_read_flags(mid, ask.read_flags)?;
    let client_data = ask.client_data.filter(|_| public && has_changed);
    Ok(SetMessageReadFlagResponse {
        index: ask.response,
        changed: client_data.map(|client_data| ReadStatusChanged {
            logon_id: ask.logon_id,
            client_data,
        }),
    }
    .into())
}
