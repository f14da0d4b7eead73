//! Ids of one logon and ids for everybody. Source: MS-OXCSTOR 3.2.5.8, 3.2.5.9, MS-OXCFXICS 3.2.5.9.4.7.

use mapi_wire::{
    Globcnt,
    rop::{
        GetLocalReplicaIds, GetLocalReplicaIdsResponse, IdFromLongTermId, IdFromLongTermIdResponse,
        LongTermIdFromId, LongTermIdFromIdResponse, PublicFolderIsGhosted,
        PublicFolderIsGhostedResponse, SetLocalReplicaMidsetDeleted,
        SetLocalReplicaMidsetDeletedResponse,
    },
};

use super::call::{Call, Outcome, fid_of};
use crate::model::{
    error::Code,
    ids::{own_counter, own_id},
};

/// The most ids given out at once. The document leaves it to the server.
const RESERVED_MAX: u32 = 0x1_0000;

/// An id of this logon, for everybody.
pub(crate) fn long_term(call: &mut Call<'_>, ask: &LongTermIdFromId) -> Outcome {
    let mailbox = call.mailbox(ask.input)?;
    let counter = own_counter(ask.object_id).filter(|counter| *counter > 0);
    let counter = counter.ok_or(Code::NOT_FOUND)?;
    Ok(LongTermIdFromIdResponse {
        index: ask.input,
        long_term_id: mailbox.gid(counter),
    }
    .into())
}

/// An id for everybody, in this logon.
pub(crate) fn short(call: &mut Call<'_>, ask: &IdFromLongTermId) -> Outcome {
    let mailbox = call.mailbox(ask.input)?;
    if ask.long_term_id.globcnt == Globcnt::default() {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let counter = mailbox
        .own_counter(ask.long_term_id)
        .ok_or(Code::NOT_FOUND)?;
    Ok(IdFromLongTermIdResponse {
        index: ask.input,
        object_id: own_id(counter),
    }
    .into())
}

/// Sets ids aside for the client.
pub(crate) fn reserve(call: &mut Call<'_>, ask: &GetLocalReplicaIds) -> Outcome {
    call.store(ask.input)?;
    if ask.id_count == 0 || ask.id_count > RESERVED_MAX {
        return Err(Code::INVALID_PARAMETER.into());
    }
    let mailbox = call.mailbox_mut(ask.input)?;
    let first = mailbox
        .reserve(ask.id_count)
        .ok_or(Code::INVALID_PARAMETER)?;
    Ok(GetLocalReplicaIdsResponse {
        index: ask.input,
        replguid: mailbox.replica,
        global_count: Globcnt::from_u64(first),
    }
    .into())
}

/// The client will not use ids after all.
pub(crate) fn give_back(call: &mut Call<'_>, ask: &SetLocalReplicaMidsetDeleted) -> Outcome {
    call.folder_id(ask.input)?;
    Ok(SetLocalReplicaMidsetDeletedResponse { index: ask.input }.into())
}

/// Whether a public folder is elsewhere: none is.
pub(crate) fn is_ghosted(call: &mut Call<'_>, ask: &PublicFolderIsGhosted) -> Outcome {
    call.store(ask.input)?.folder(fid_of(ask.folder_id)?)?;
    Ok(PublicFolderIsGhostedResponse {
        index: ask.input,
        ghosted: None,
    }
    .into())
}
