//! What a ROP does to the objects of a session, as far as a reader of the session must know.
//!
//! A request is followed twice: when it is asked, so that later requests of the batch can be explained, and when it is
//! answered, which alone counts for later batches.

use std::{cell::RefCell, rc::Rc};

use mapi_types::PropTag;
use mapi_wire::{
    code_page::CodePage,
    named::MaybeNamed,
    rop::{LogonResponse, Request, Response, Store, transfer_status},
};

use crate::{
    made,
    object::{Batch, Logon, Object, folder_names},
    transfer::{Brought, StateUpload, Transfer},
    view::acts_on,
};

/// What came out of a ROP beside its own fields.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What a buffer of a stream brought.
    pub(crate) brought: Option<Brought>,
    /// What its end brought.
    pub(crate) end: Option<Brought>,
    /// The stream.
    pub(crate) transfer: Option<Rc<RefCell<Transfer>>>,
    /// Whether the stream ended because its handle was given back: then it may end anywhere.
    pub(crate) is_left: bool,
    /// A set of a client's state that is complete.
    pub(crate) state: Option<StateUpload>,
    /// Why a stream is not read any further.
    pub(crate) given_up: Option<&'static str>,
}

/// Follows a request that is asked.
pub(crate) fn asked(batch: &mut Batch<'_>, request: &Request) -> Outcome {
    let mut outcome = Outcome::default();
    match request {
        Request::FastTransferDestinationPutBuffer(ask) => {
            feed(batch, ask.input, &ask.transfer_data, &mut outcome);
        }
        Request::FastTransferDestinationPutBufferExtended(ask) => {
            feed(batch, ask.input, &ask.transfer_data, &mut outcome);
        }
        Request::Release(ask) => {
            leave(batch, ask.input, &mut outcome);
            batch.release(ask.input);
        }
        request => follow(batch, request, &mut outcome),
    }
    outcome
}

/// Follows a request that succeeded.
pub(crate) fn answered(batch: &mut Batch<'_>, request: &Request, response: &Response) -> Outcome {
    let mut outcome = Outcome::default();
    if matches!(response, Response::Failed(_)) {
        return outcome;
    }
    follow(batch, request, &mut outcome);
    // What was complete when it was asked has been shown.
    outcome.state = None;
    match (request, response) {
        (
            Request::FastTransferDestinationPutBuffer(ask),
            Response::FastTransferDestinationPutBuffer(answer),
        ) => put(
            batch,
            ask.input,
            (&ask.transfer_data, answer.result.buffer_used_size),
            &mut outcome,
        ),
        (
            Request::FastTransferDestinationPutBufferExtended(ask),
            Response::FastTransferDestinationPutBufferExtended(answer),
        ) => put(
            batch,
            ask.input,
            (&ask.transfer_data, answer.result.buffer_used_size),
            &mut outcome,
        ),
        (
            Request::FastTransferSourceGetBuffer(ask),
            Response::FastTransferSourceGetBuffer(answer),
        ) => {
            feed(batch, ask.input, &answer.transfer_buffer, &mut outcome);
            if answer.transfer_status == transfer_status::DONE {
                outcome.end = with_transfer(batch, ask.input, Transfer::finish);
            }
        }
        (Request::Logon(ask), Response::Logon(answer)) => {
            batch.log_on(ask.logon_id, logon(answer));
            made::make(batch, request);
        }
        (request, response) => learn(batch, request, response),
    }
    outcome
}

/// Follows what a request says by itself.
fn follow(batch: &mut Batch<'_>, request: &Request, outcome: &mut Outcome) {
    match request {
        Request::SetColumns(ask) => set_columns(batch, ask.input, &ask.property_tags),
        Request::ResetTable(ask) => set_columns(batch, ask.input, &[]),
        Request::ModifyRecipients(ask) => {
            // A message that was opened has columns already, and keeps them.
            batch.change(ask.input, |object| {
                if object.columns.is_empty() {
                    object.columns.clone_from(&ask.recipient_columns);
                }
            });
        }
        Request::SynchronizationUploadStateStreamBegin(ask) => {
            let state = StateUpload {
                property: ask.state_property,
                octets: Vec::new(),
            };
            batch.change(ask.input, |object| object.state = Some(state));
        }
        Request::SynchronizationUploadStateStreamContinue(ask) => {
            batch.change(ask.input, |object| {
                if let Some(state) = &mut object.state {
                    state.push(&ask.stream_data);
                }
            });
        }
        Request::SynchronizationUploadStateStreamEnd(ask) => {
            outcome.state = batch
                .change(ask.input, |object| object.state.take())
                .flatten();
        }
        request => made::make(batch, request),
    }
}

/// Learns from a response.
fn learn(batch: &mut Batch<'_>, request: &Request, response: &Response) {
    match (request, response) {
        (Request::OpenMessage(ask), Response::OpenMessage(answer)) => {
            opened(
                batch,
                ask.output,
                ask.code_page_id,
                &answer.recipient_columns,
            );
        }
        (Request::OpenEmbeddedMessage(ask), Response::OpenEmbeddedMessage(answer)) => {
            opened(
                batch,
                ask.output,
                ask.code_page_id,
                &answer.recipient_columns,
            );
        }
        (Request::ReloadCachedInformation(ask), Response::ReloadCachedInformation(answer)) => {
            set_columns(batch, ask.input, &answer.recipient_columns);
        }
        (Request::CreateFolder(ask), Response::CreateFolder(answer)) => {
            let title = made::folder(answer.folder_id, batch.logon(ask.logon_id));
            batch.change(ask.output, |object| object.title = title);
        }
        (Request::SaveChangesMessage(ask), Response::SaveChangesMessage(answer)) => {
            let title = made::message(answer.message_id);
            batch.change(ask.input, |object| object.title = title);
        }
        (Request::GetPropertyIdsFromNames(ask), Response::GetPropertyIdsFromNames(answer)) => {
            let pairs = answer.property_ids.iter().zip(&ask.property_names);
            learn_names(batch, ask.logon_id, pairs);
        }
        (Request::GetNamesFromPropertyIds(ask), Response::GetNamesFromPropertyIds(answer)) => {
            let pairs = ask.property_ids.iter().zip(&answer.property_names);
            learn_names(batch, ask.logon_id, pairs);
        }
        (Request::QueryNamedProperties(ask), Response::QueryNamedProperties(answer)) => {
            let pairs = answer.properties.iter().map(|(id, name)| (id, name));
            learn_names(batch, ask.logon_id, pairs);
        }
        _ => {}
    }
}

fn logon(answer: &LogonResponse) -> Logon {
    let names = folder_names(matches!(answer.store, Store::Private(_)));
    let folders = answer.folder_ids.into_iter().zip(names);
    Logon {
        folders: folders
            .filter(|(id, _)| *id != Default::default())
            .collect(),
        names: Default::default(),
    }
}

fn learn_names<'n>(
    batch: &mut Batch<'_>,
    logon_id: u8,
    pairs: impl Iterator<Item = (&'n u16, &'n MaybeNamed)>,
) {
    batch.change_logon(logon_id, |logon| {
        for (id, name) in pairs {
            if let (1.., Some(name)) = (*id, name.name()) {
                logon.names.insert(*id, name.clone());
            }
        }
    });
}

fn opened(batch: &mut Batch<'_>, slot: u8, code_page: u16, columns: &[PropTag]) {
    batch.change(slot, |object| {
        object.columns = columns.to_vec();
        object.page = page(code_page);
    });
}

/// The code page of a message; none where it is that of the logon. Source: MS-OXCMSG 2.2.3.1.1.
const fn page(id: u16) -> Option<CodePage> {
    match id {
        0 | 0x0fff => None,
        id => Some(CodePage(id)),
    }
}

fn set_columns(batch: &mut Batch<'_>, slot: u8, columns: &[PropTag]) {
    batch.change(slot, |object| object.columns = columns.to_vec());
}

/// An upload was answered. One that the batch itself began is another one now, and is fed once more.
fn put(batch: &mut Batch<'_>, slot: u8, (sent, used): (&[u8], u16), outcome: &mut Outcome) {
    if batch.has_made(slot) {
        with_transfer(batch, slot, |transfer| transfer.feed(sent));
    }
    if usize::from(used) != sent.len() {
        with_transfer(batch, slot, Transfer::give_up);
        outcome.given_up = Some("the server took only a part; what comes after it is not read");
    }
}

fn feed(batch: &Batch<'_>, slot: u8, octets: &[u8], outcome: &mut Outcome) {
    outcome.brought = with_transfer(batch, slot, |transfer| transfer.feed(octets));
    outcome.transfer = transfer(batch, slot);
}

/// A handle is given back: an upload ends so, and a download that nobody wants any more.
fn leave(batch: &Batch<'_>, slot: u8, outcome: &mut Outcome) {
    let end = with_transfer(batch, slot, |transfer| {
        let is_open = transfer.is_open();
        is_open.then(|| transfer.finish())
    });
    outcome.end = end.flatten();
    outcome.transfer = transfer(batch, slot);
    outcome.is_left = true;
}

fn transfer(batch: &Batch<'_>, slot: u8) -> Option<Rc<RefCell<Transfer>>> {
    batch.object(slot)?.transfer.clone()
}

fn with_transfer<T>(
    batch: &Batch<'_>,
    slot: u8,
    act: impl FnOnce(&mut Transfer) -> T,
) -> Option<T> {
    let transfer = transfer(batch, slot)?;
    let mut transfer = transfer.try_borrow_mut().ok()?;
    Some(act(&mut transfer))
}

/// The object that a request acts on.
pub(crate) fn object<'b>(batch: &'b Batch<'_>, request: &Request) -> Option<&'b Object> {
    batch.object(acts_on(request)?)
}
