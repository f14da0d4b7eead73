//! What search folders find. Source: MS-OXCFOLD 3.2.5.4, 3.2.5.5.

use mapi_wire::rop::{
    GetSearchCriteria, GetSearchCriteriaResponse, SetSearchCriteria, SetSearchCriteriaResponse,
};

use super::call::{Call, Outcome, fid_of};
use crate::model::{
    error::{Code, Result},
    folder::FolderKind,
    permission::Rights,
    search::{SearchCriteria, flags},
};

/// Says what a search folder finds.
pub(crate) fn set(call: &mut Call<'_>, ask: &SetSearchCriteria) -> Outcome {
    let fid = call.folder_id(ask.input)?;
    let mailbox = call.mailbox(ask.input)?;
    call.need(mailbox, fid, Rights::OWNER)?;
    let folder = mailbox.folder(fid)?;
    if folder.kind != FolderKind::Search {
        return Err(Code::NOT_SUPPORTED.into());
    }
    let before = folder.search.clone();
    let folders = ask
        .folder_ids
        .iter()
        .map(|id| fid_of(*id))
        .collect::<Result<Vec<_>>>()?;
    let folders = match (folders.is_empty(), &before) {
        (true, Some(before)) => before.folders.clone(),
        (true, None) => return Err(Code::INVALID_PARAMETER.into()),
        (false, _) => folders,
    };
    let restriction = ask.restriction.clone();
    let restriction = restriction.or_else(|| before.and_then(|before| before.restriction));
    let folder = call.mailbox_mut(ask.input)?.folder_mut(fid)?;
    folder.search = Some(SearchCriteria {
        restriction,
        folders,
        recursive: ask.search_flags & flags::RECURSIVE != 0,
        stopped: ask.search_flags & flags::STOP != 0,
    });
    folder.generation += 1;
    Ok(SetSearchCriteriaResponse { index: ask.input }.into())
}

/// Says what a search folder finds.
pub(crate) fn get(call: &mut Call<'_>, ask: &GetSearchCriteria) -> Outcome {
    let (_, folder) = call.folder(ask.input)?;
    let search = folder.search.as_ref().ok_or(Code::NOT_INITIALIZED)?;
    let mut search_flags = flags::COMPLETE;
    if !search.stopped {
        search_flags |= flags::RUNNING;
    }
    if search.recursive {
        search_flags |= flags::ANSWER_RECURSIVE;
    }
    let folders = search.folders.iter().filter(|_| ask.include_folders);
    Ok(GetSearchCriteriaResponse {
        index: ask.input,
        restriction: search
            .restriction
            .clone()
            .filter(|_| ask.include_restriction),
        logon_id: ask.logon_id,
        folder_ids: folders.map(|fid| fid.to_wire()).collect(),
        search_flags,
    }
    .into())
}
