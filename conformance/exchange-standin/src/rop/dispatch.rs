//! Which function answers which ROP, and how a ROP fails.

use mapi_wire::rop::{
    Details, Failed, GetBufferRest, PutBuffer, PutBufferExtended, Request, RequestBuffer, Response,
    transfer_status,
};

use super::{
    attachment,
    call::{Call, Outcome, Refusal},
    copy, fast_transfer_destination, fast_transfer_source, folder, folder_messages, ids, logon,
    message, notification, permission, property, property_name, read_state, receive_folder,
    recipient, rule, save, search, stream, sync_download, sync_upload, sync_upload_folder, table,
    table_position, transport,
};
use crate::model::error::Code;

/// Carries out a ROP. RopRelease has no answer.
pub(crate) fn answer(call: &mut Call<'_>, request: &Request) -> Option<Response> {
    if let Request::Release(ask) = request {
        release(call, ask.input);
        return None;
    }
    let outcome = objects(call, request)
        .or_else(|| tables(call, request))
        .or_else(|| contents(call, request))
        .or_else(|| transfers(call, request))
        .unwrap_or(Err(Refusal::from(Code::NOT_SUPPORTED)));
    Some(outcome.unwrap_or_else(|refusal| failed(request, refusal)))
}

/// Gives a handle back. A client closes what it opened from an object before the object itself.
/// Source: MS-OXCROPS 3.1.5.3.
fn release(call: &mut Call<'_>, slot: u8) {
    let Ok((handle, _)) = call.entry(slot) else {
        call.violation("RopRelease of a handle that stands for nothing");
        return;
    };
    call.session.logons.retain(|_, logon| *logon != handle);
    if fast_transfer_destination::settle(call, handle).is_err() {
        call.violation("RopRelease of an upload that is not complete");
    }
    if call.session.objects.close(handle) > 0 {
        call.violation("RopRelease of an object before what was opened from it");
    }
}

/// Stores, folders and their properties.
fn objects(call: &mut Call<'_>, request: &Request) -> Option<Outcome> {
    Some(match request {
        Request::Logon(ask) => logon::logon(call, ask),
        Request::OpenFolder(ask) => folder::open(call, ask),
        Request::CreateFolder(ask) => folder::create(call, ask),
        Request::DeleteFolder(ask) => folder::delete(call, ask),
        Request::MoveFolder(ask) => folder::move_to(call, ask),
        Request::CopyFolder(ask) => folder::copy_to(call, ask),
        Request::EmptyFolder(ask) => folder_messages::empty(call, ask),
        Request::HardDeleteMessagesAndSubfolders(ask) => folder_messages::empty_hard(call, ask),
        Request::DeleteMessages(ask) => folder_messages::delete(call, ask),
        Request::HardDeleteMessages(ask) => folder_messages::delete_hard(call, ask),
        Request::MoveCopyMessages(ask) => folder_messages::move_copy(call, ask),
        Request::SetSearchCriteria(ask) => search::set(call, ask),
        Request::GetSearchCriteria(ask) => search::get(call, ask),
        Request::GetReceiveFolder(ask) => receive_folder::get(call, ask),
        Request::GetReceiveFolderTable(ask) => receive_folder::table(call, ask),
        Request::SetReceiveFolder(ask) => receive_folder::set(call, ask),
        Request::LongTermIdFromId(ask) => ids::long_term(call, ask),
        Request::IdFromLongTermId(ask) => ids::short(call, ask),
        Request::GetLocalReplicaIds(ask) => ids::reserve(call, ask),
        Request::SetLocalReplicaMidsetDeleted(ask) => ids::give_back(call, ask),
        Request::PublicFolderIsGhosted(ask) => ids::is_ghosted(call, ask),
        Request::GetPropertyIdsFromNames(ask) => property_name::ids(call, ask),
        Request::GetNamesFromPropertyIds(ask) => property_name::names(call, ask),
        Request::QueryNamedProperties(ask) => property_name::query(call, ask),
        Request::GetPropertiesSpecific(ask) => property::specific(call, ask),
        Request::GetPropertiesAll(ask) => property::all(call, ask),
        Request::GetPropertiesList(ask) => property::list(call, ask),
        Request::SetProperties(ask) => property::set(call, ask),
        Request::SetPropertiesNoReplicate(ask) => property::set_no_replicate(call, ask),
        Request::DeleteProperties(ask) => property::delete(call, ask),
        Request::DeletePropertiesNoReplicate(ask) => property::delete_no_replicate(call, ask),
        Request::ModifyPermissions(ask) => permission::modify(call, ask),
        Request::ModifyRules(ask) => rule::modify(call, ask),
        Request::RegisterNotification(ask) => notification::register(call, ask),
        _ => return None,
    })
}

/// Tables.
fn tables(call: &mut Call<'_>, request: &Request) -> Option<Outcome> {
    Some(match request {
        Request::GetHierarchyTable(ask) => table::hierarchy(call, ask),
        Request::GetContentsTable(ask) => table::contents(call, ask),
        Request::GetAttachmentTable(ask) => table::attachments(call, ask),
        Request::GetPermissionsTable(ask) => table::permissions(call, ask),
        Request::GetRulesTable(ask) => table::rules(call, ask),
        Request::SetColumns(ask) => table::set_columns(call, ask),
        Request::SortTable(ask) => table::sort(call, ask),
        Request::Restrict(ask) => table::restrict(call, ask),
        Request::ResetTable(ask) => table::reset(call, ask),
        Request::QueryColumnsAll(ask) => table::all_columns(call, ask),
        Request::GetStatus(ask) => table::status(call, ask),
        Request::Abort(_) => Err(Code::UNABLE_TO_ABORT.into()),
        Request::QueryRows(ask) => table_position::query_rows(call, ask),
        Request::QueryPosition(ask) => table_position::position(call, ask),
        Request::SeekRow(ask) => table_position::seek(call, ask),
        Request::SeekRowBookmark(ask) => table_position::seek_bookmark(call, ask),
        Request::SeekRowFractional(ask) => table_position::seek_fraction(call, ask),
        Request::CreateBookmark(ask) => table_position::create_bookmark(call, ask),
        Request::FreeBookmark(ask) => table_position::free_bookmark(call, ask),
        Request::FindRow(ask) => table_position::find(call, ask),
        _ => return None,
    })
}

/// Messages and what is in them.
fn contents(call: &mut Call<'_>, request: &Request) -> Option<Outcome> {
    Some(match request {
        Request::OpenMessage(ask) => message::open(call, ask),
        Request::CreateMessage(ask) => message::create(call, ask),
        Request::ReloadCachedInformation(ask) => message::reload(call, ask),
        Request::SaveChangesMessage(ask) => save::message(call, ask),
        Request::SetMessageStatus(ask) => message::set_status(call, ask),
        Request::GetMessageStatus(ask) => message::status(call, ask),
        Request::SetReadFlags(ask) => read_state::folder(call, ask),
        Request::SetMessageReadFlag(ask) => read_state::message(call, ask),
        Request::ModifyRecipients(ask) => recipient::modify(call, ask),
        Request::RemoveAllRecipients(ask) => recipient::remove_all(call, ask),
        Request::ReadRecipients(ask) => recipient::read(call, ask),
        Request::OpenAttachment(ask) => attachment::open(call, ask),
        Request::CreateAttachment(ask) => attachment::create(call, ask),
        Request::DeleteAttachment(ask) => attachment::delete(call, ask),
        Request::SaveChangesAttachment(ask) => attachment::save(call, ask),
        Request::OpenEmbeddedMessage(ask) => attachment::open_embedded(call, ask),
        Request::OpenStream(ask) => stream::open(call, ask),
        Request::ReadStream(ask) => stream::read(call, ask),
        Request::WriteStream(ask) => stream::write(call, ask),
        Request::WriteStreamExtended(ask) => stream::write_extended(call, ask),
        Request::WriteAndCommitStream(ask) => stream::write_and_commit(call, ask),
        Request::CommitStream(ask) => stream::commit(call, ask),
        Request::GetStreamSize(ask) => stream::size(call, ask),
        Request::SetStreamSize(ask) => stream::set_size(call, ask),
        Request::SeekStream(ask) => stream::seek(call, ask),
        Request::CopyTo(ask) => copy::to(call, ask),
        Request::CopyProperties(ask) => copy::properties(call, ask),
        Request::SubmitMessage(ask) => transport::submit(call, ask),
        Request::TransportSend(ask) => transport::send(call, ask),
        Request::AbortSubmit(_) => Err(Code::UNABLE_TO_ABORT.into()),
        Request::GetAddressTypes(ask) => transport::address_types(call, ask),
        Request::GetTransportFolder(ask) => transport::folder(call, ask),
        Request::OptionsData(ask) => transport::options(call, ask),
        Request::SetSpooler(ask) => transport::set_spooler(call, ask),
        _ => return None,
    })
}

/// FastTransfer and synchronization.
fn transfers(call: &mut Call<'_>, request: &Request) -> Option<Outcome> {
    Some(match request {
        Request::FastTransferSourceCopyMessages(ask) => fast_transfer_source::messages(call, ask),
        Request::FastTransferSourceCopyFolder(ask) => fast_transfer_source::folder(call, ask),
        Request::FastTransferSourceCopyTo(ask) => fast_transfer_source::to(call, ask),
        Request::FastTransferSourceCopyProperties(ask) => {
            fast_transfer_source::properties(call, ask)
        }
        Request::FastTransferSourceGetBuffer(ask) => fast_transfer_source::get_buffer(call, ask),
        Request::FastTransferDestinationConfigure(ask) => {
            fast_transfer_destination::configure(call, ask)
        }
        Request::FastTransferDestinationPutBuffer(ask) => fast_transfer_destination::put(call, ask),
        Request::FastTransferDestinationPutBufferExtended(ask) => {
            fast_transfer_destination::put_extended(call, ask)
        }
        Request::TellVersion(ask) => fast_transfer_destination::tell_version(call, ask),
        Request::SynchronizationConfigure(ask) => sync_download::configure(call, ask),
        Request::SynchronizationUploadStateStreamBegin(ask) => sync_download::begin(call, ask),
        Request::SynchronizationUploadStateStreamContinue(ask) => sync_download::go_on(call, ask),
        Request::SynchronizationUploadStateStreamEnd(ask) => sync_download::end(call, ask),
        Request::SynchronizationGetTransferState(ask) => sync_download::state(call, ask),
        Request::SynchronizationOpenCollector(ask) => sync_upload::open(call, ask),
        Request::SynchronizationImportMessageChange(ask) => sync_upload::message(call, ask),
        Request::SynchronizationImportHierarchyChange(ask) => sync_upload_folder::folder(call, ask),
        Request::SynchronizationImportDeletes(ask) => sync_upload::deletes(call, ask),
        Request::SynchronizationImportMessageMove(ask) => sync_upload::message_move(call, ask),
        Request::SynchronizationImportReadStateChanges(ask) => sync_upload::read_states(call, ask),
        _ => return None,
    })
}

/// The answer of a ROP that failed.
pub(crate) fn failed(request: &Request, refusal: Refusal) -> Response {
    let (index, destination) = slots(request);
    let destination = match refusal.code {
        Code::DESTINATION_NULL_OBJECT => destination.map(u32::from),
        _ => None,
    };
    let rop_id = match request {
        // Source: MS-OXCROPS 2.2.6.9.2.
        Request::GetMessageStatus(_) => 0x20,
        request => request.rop_id(),
    };
    Response::Failed(Failed {
        rop_id,
        index,
        code: refusal.code.0,
        destination,
        details: refusal.details.unwrap_or_else(|| details(request)),
    })
}

/// ROPs whose answer names the second of their two slots: those that open something.
const OPENING: [u8; 24] = [
    0x02, 0x03, 0x04, 0x05, 0x06, 0x1c, 0x21, 0x22, 0x23, 0x29, 0x2b, 0x3b, 0x3e, 0x3f, 0x46, 0x4b,
    0x4c, 0x4d, 0x53, 0x69, 0x70, 0x72, 0x7e, 0x82,
];

/// The slot that the answer of a ROP names, and the slot of its destination.
fn slots(request: &Request) -> (u8, Option<u8>) {
    let alone = RequestBuffer {
        requests: vec![request.clone()],
        handles: Vec::new(),
    };
    let octets = alone.encode();
    // Behind RopSize, RopId and LogonId.
    let slot = |place: usize| octets.get(4 + place).copied();
    let first = slot(0).unwrap_or_default();
    match OPENING.contains(&request.rop_id()) {
        true => (slot(1).unwrap_or_default(), None),
        false => (first, slot(1)),
    }
}

/// What a ROP says beside the code when it fails.
fn details(request: &Request) -> Details {
    match request {
        Request::DeleteFolder(_)
        | Request::EmptyFolder(_)
        | Request::DeleteMessages(_)
        | Request::HardDeleteMessages(_)
        | Request::HardDeleteMessagesAndSubfolders(_)
        | Request::SetReadFlags(_)
        | Request::MoveCopyMessages(_)
        | Request::MoveFolder(_)
        | Request::CopyFolder(_) => Details::Partial(false),
        Request::ReadStream(_) => Details::Read(Box::default()),
        Request::WriteStream(_) | Request::WriteAndCommitStream(_) => Details::Written(0),
        Request::WriteStreamExtended(_) => Details::WrittenExtended(0),
        Request::CopyToStream(_) => Details::Copied {
            read_byte_count: 0,
            written_byte_count: 0,
        },
        Request::FastTransferDestinationPutBuffer(_) => Details::PutBuffer(PutBuffer::default()),
        Request::FastTransferDestinationPutBufferExtended(_) => {
            Details::PutBufferExtended(PutBufferExtended::default())
        }
        Request::FastTransferSourceGetBuffer(_) => Details::GetBuffer {
            transfer_status: transfer_status::ERROR,
            in_progress_count: 0,
            total_step_count: 0,
            reserved: 0,
            rest: GetBufferRest::TransferBuffer(Box::default()),
        },
        _ => Details::None,
    }
}
