//! ROPs by their document names, with all their fields. A file for each group of MS-OXCROPS 2.2.

mod attachment;
mod event;
mod failure;
mod fast_transfer;
mod folder;
mod logon;
mod message;
mod property;
mod rights;
pub(crate) mod slot;
mod special;
mod store;
mod stream;
mod synchronization;
mod table;
mod transport;

use mapi_wire::rop::{self, Request, Response};

use super::{Scene, View};
use crate::node::{Entry, Node};

use self::slot::{slot, target};

/// A ROP as it stands in a document.
fn titled(rop_id: u8, node: Node) -> Entry {
    let title = match rop::name(rop_id) {
        Some(name) => format!("Rop{name}"),
        None => format!("ROP {rop_id:#04x}"),
    };
    let mut titled = Entry::new("rop", title);
    match node {
        Node::Entry(entry) => {
            titled.head.extend(entry.head);
            titled.fields = entry.fields;
        }
        Node::Absent => {}
        node => titled.push("value", node),
    }
    titled
}

/// Says for every ROP that its view is that of its struct, and which slot it acts on.
macro_rules! all {
    (none { $($no:ident)+ } source { $($from:ident)+ } input { $($of:ident)+ }) => {
        all! { $($no)+ $($from)+ $($of)+ }

        /// The slot of what a request acts on.
        pub(crate) const fn acts_on(request: &Request) -> Option<u8> {
            match request {
                Request::Release(ask) => Some(ask.input),
                $(Request::$no(_) => None,)+
                $(Request::$from(ask) => Some(ask.source),)+
                $(Request::$of(ask) => Some(ask.input),)+
            }
        }
    };
    ($($name:ident)+) => {
        fn ask(request: &Request, scene: &Scene<'_>) -> Node {
            match request {
                Request::Release(ask) => ask.view(scene),
                $(Request::$name(ask) => ask.view(scene),)+
            }
        }

        fn answer(response: &Response, scene: &Scene<'_>) -> Node {
            match response {
                Response::Failed(failed) => failed.view(scene),
                Response::Notify(notify) => notify.view(scene),
                Response::Pending(pending) => pending.view(scene),
                Response::Backoff(backoff) => backoff.view(scene),
                Response::BufferTooSmall(too_small) => too_small.view(scene),
                $(Response::$name(answer) => answer.view(scene),)+
            }
        }
    };
}

all! {
    none { Logon }
    source {
        MoveCopyMessages MoveFolder CopyFolder CopyProperties CopyTo CopyToStream
    }
    input {
        OpenFolder OpenMessage GetHierarchyTable GetContentsTable CreateMessage
        GetPropertiesSpecific GetPropertiesAll GetPropertiesList SetProperties DeleteProperties
        SaveChangesMessage RemoveAllRecipients ModifyRecipients ReadRecipients
        ReloadCachedInformation SetMessageReadFlag SetColumns SortTable Restrict QueryRows
        GetStatus QueryPosition SeekRow SeekRowBookmark SeekRowFractional CreateBookmark
        CreateFolder DeleteFolder DeleteMessages GetMessageStatus SetMessageStatus
        GetAttachmentTable OpenAttachment CreateAttachment DeleteAttachment
        SaveChangesAttachment SetReceiveFolder GetReceiveFolder RegisterNotification OpenStream
        ReadStream WriteStream SeekStream SetStreamSize SetSearchCriteria GetSearchCriteria
        SubmitMessage AbortSubmit QueryColumnsAll Abort CloneStream GetPermissionsTable
        GetRulesTable ModifyPermissions ModifyRules GetOwningServers LongTermIdFromId
        IdFromLongTermId PublicFolderIsGhosted OpenEmbeddedMessage SetSpooler SpoolerLockMessage
        GetAddressTypes TransportSend FastTransferSourceCopyMessages
        FastTransferSourceCopyFolder FastTransferSourceCopyTo FastTransferSourceGetBuffer
        FindRow Progress TransportNewMail GetValidAttachments FastTransferDestinationConfigure
        FastTransferDestinationPutBuffer GetNamesFromPropertyIds GetPropertyIdsFromNames
        UpdateDeferredActionMessages EmptyFolder ExpandRow CollapseRow LockRegionStream
        UnlockRegionStream CommitStream GetStreamSize QueryNamedProperties GetPerUserLongTermIds
        GetPerUserGuid ReadPerUserInformation WritePerUserInformation SetReadFlags
        GetReceiveFolderTable FastTransferSourceCopyProperties GetCollapseState SetCollapseState
        GetTransportFolder OptionsData SynchronizationConfigure
        SynchronizationImportMessageChange SynchronizationImportHierarchyChange
        SynchronizationImportDeletes SynchronizationUploadStateStreamBegin
        SynchronizationUploadStateStreamContinue SynchronizationUploadStateStreamEnd
        SynchronizationImportMessageMove SetPropertiesNoReplicate DeletePropertiesNoReplicate
        GetStoreState SynchronizationOpenCollector GetLocalReplicaIds
        SynchronizationImportReadStateChanges ResetTable SynchronizationGetTransferState
        TellVersion FreeBookmark WriteAndCommitStream HardDeleteMessages
        HardDeleteMessagesAndSubfolders SetLocalReplicaMidsetDeleted
        FastTransferDestinationPutBufferExtended WriteStreamExtended
    }
}

/// A request.
pub(crate) fn request(request: &Request, scene: &Scene<'_>) -> Entry {
    titled(request.rop_id(), ask(request, scene))
}

/// The response to a request. Its name is that of the request, for one ROP is answered with the number of another.
pub(crate) fn response(request: &Request, response: &Response, scene: &Scene<'_>) -> Entry {
    let rop_id = match response {
        Response::Failed(_) | Response::GetMessageStatus(_) => request.rop_id(),
        response => response.rop_id(),
    };
    titled(rop_id, answer(response, scene))
}

/// A response that answers no request.
pub(crate) fn unasked(response: &Response, scene: &Scene<'_>) -> Entry {
    titled(response.rop_id(), answer(response, scene))
}
