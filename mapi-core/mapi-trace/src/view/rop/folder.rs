//! Source: MS-OXCROPS 2.2.4.

use mapi_wire::rop::*;

use super::{slot, target};
use crate::{
    names::codes::folder,
    view::{
        hints::{bits, one_of},
        views,
    },
};

views! {
    OpenFolder {
        logon_id, input: slot, output: target, folder_id, open_mode_flags: bits(folder::OPEN_MODE),
    }
    OpenFolderResponse { index: slot, has_rules, ghosted }
    CreateFolder {
        logon_id, input: slot, output: target, folder_type: one_of(folder::TYPE),
        use_unicode_strings, open_existing, reserved, display_name, comment,
    }
    CreateFolderResponse { index: slot, folder_id, existing }
    ExistingFolder { has_rules, ghosted }
    DeleteFolder {
        logon_id, input: slot, delete_folder_flags: bits(folder::DELETE), folder_id,
    }
    DeleteFolderResponse { index: slot, partial_completion }
    SetSearchCriteria {
        logon_id, input: slot, restriction, folder_ids, search_flags: bits(folder::SEARCH_REQUEST),
    }
    SetSearchCriteriaResponse { index: slot }
    GetSearchCriteria {
        logon_id, input: slot, use_unicode, include_restriction, include_folders,
    }
    GetSearchCriteriaResponse {
        index: slot, restriction, logon_id, folder_ids,
        search_flags: bits(folder::SEARCH_RESPONSE),
    }
    MoveCopyMessages {
        logon_id, source: slot, destination: slot, message_ids, want_asynchronous, want_copy,
    }
    MoveCopyMessagesResponse { index: slot, partial_completion }
    MoveFolder {
        logon_id, source: slot, destination: slot, want_asynchronous, use_unicode, folder_id,
        new_folder_name,
    }
    MoveFolderResponse { index: slot, partial_completion }
    CopyFolder {
        logon_id, source: slot, destination: slot, want_asynchronous, want_recursive, use_unicode,
        folder_id, new_folder_name,
    }
    CopyFolderResponse { index: slot, partial_completion }
    EmptyFolder { logon_id, input: slot, want_asynchronous, want_delete_associated }
    EmptyFolderResponse { index: slot, partial_completion }
    HardDeleteMessagesAndSubfolders {
        logon_id, input: slot, want_asynchronous, want_delete_associated,
    }
    HardDeleteMessagesAndSubfoldersResponse { index: slot, partial_completion }
    DeleteMessages { logon_id, input: slot, want_asynchronous, notify_non_read, message_ids }
    DeleteMessagesResponse { index: slot, partial_completion }
    HardDeleteMessages { logon_id, input: slot, want_asynchronous, notify_non_read, message_ids }
    HardDeleteMessagesResponse { index: slot, partial_completion }
    GetHierarchyTable {
        logon_id, input: slot, output: target, table_flags: bits(folder::HIERARCHY_TABLE),
    }
    GetHierarchyTableResponse { index: slot, row_count }
    GetContentsTable {
        logon_id, input: slot, output: target, table_flags: bits(folder::CONTENTS_TABLE),
    }
    GetContentsTableResponse { index: slot, row_count }
    Release { logon_id, input: slot }
}
