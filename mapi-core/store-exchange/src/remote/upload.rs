//! Uploading messages under ids that the client chose, so that a lost answer doubles nothing.
//!
//! Source: MS-OXCFXICS 2.2.3.2.4.2 (import), 2.2.3.1.2 (FastTransfer upload), 2.2.3.2.4.7 (local replica ids).

use std::sync::Arc;

use mapi_types::{FileTime, PropTag, tags};
use mapi_wire::{
    Gid, Globcnt, Guid, Id, PropValue, TaggedValue,
    fast_transfer::{Encoder, Message},
    ics::Xid,
    rop::{self, Response, save_flags},
};
use tokio::sync::Mutex;

use super::{
    Remote,
    write::{change_key, change_key_of},
};
use crate::{
    fault::{Fault, Result, code},
    session::{Batch, LoggedOn, Repeat, expect_rop},
};

/// How many ids are asked for at a time.
const IDS_AT_ONCE: u32 = 256;

/// Octets of a stream in one ROP and in one batch.
const PIECE_OCTETS: usize = 28 << 10;

/// SourceOperation: the content of a message.
const COPY_TO: u8 = 1;

/// Ids that the server let this client give out.
#[derive(Debug, Default)]
pub(super) struct Reserved {
    replguid: Guid,
    next: u64,
    end: u64,
}

/// Ids and change keys for what is going to be uploaded.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) gid: Gid,
    /// The change key it will have.
    pub(crate) change_key: Xid,
}

/// A message that the server has now.
#[derive(Clone, Debug)]
pub(crate) struct Uploaded {
    pub(crate) id: Id,
    /// The change key it has.
    pub(crate) change_key: Option<Box<[u8]>>,
}

/// What is uploaded.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) chosen: Chosen,
    pub(crate) modified: FileTime,
    pub(crate) message: Arc<Message>,
    pub(crate) associated: bool,
}

impl Remote {
    /// Ids nobody else has. One request for hundreds of them.
    ///
    /// `namespace` is this mirror's, in which its changes are counted. Source: MS-OXCFXICS 3.3.5.2.1, 3.3.5.2.3.
    pub(crate) async fn choose(&self, count: usize, namespace: Guid) -> Result<Vec<Chosen>> {
        let mut reserved = self.known.reserved.lock().await;
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count {
            if reserved.next >= reserved.end {
                *reserved = self.reserve().await?;
            }
            let counter = reserved.next;
            reserved.next += 1;
            let gid = Gid {
                replguid: reserved.replguid,
                globcnt: Globcnt::from_u64(counter),
            };
            chosen.push(Chosen {
                gid,
                change_key: change_of(namespace, counter).unwrap_or_else(|| gid.into()),
            });
        }
        Ok(chosen)
    }

    async fn reserve(&self) -> Result<Reserved> {
        let mut answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, |logon| {
                let mut batch = Batch::new(logon);
                batch.push(rop::GetLocalReplicaIds {
                    logon_id: logon.logon_id,
                    input: Batch::LOGON,
                    id_count: IDS_AT_ONCE,
                });
                batch
            })
            .await?;
        let ids = expect_rop!(answers, GetLocalReplicaIds)?;
        let next = ids.global_count.to_u64();
        Ok(Reserved {
            replguid: ids.replguid,
            next,
            end: next + u64::from(IDS_AT_ONCE),
        })
    }

    /// Uploads a message under its chosen id; one that is there already becomes what this says.
    ///
    /// One request, unless it is large.
    pub(crate) async fn upload(&self, folder: Id, upload: &Upload) -> Result<Uploaded> {
        let mut encoder = Encoder::new();
        encoder.message(&upload.message);
        let mut pieces = Vec::new();
        while !encoder.is_empty() {
            pieces.push(encoder.take(PIECE_OCTETS));
        }
        let first = pieces.first().cloned().unwrap_or_default();
        let whole = pieces.len() <= 1;
        let what = upload.clone();
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                opening(logon, folder, &what, &first, whole)
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        expect_rop!(answers, SynchronizationOpenCollector)?;
        match expect_rop!(answers, SynchronizationImportMessageChange) {
            // An earlier attempt, whose answer was lost, has done it.
            Err(fault) if is_superseded(&fault) => {
                return Ok(Uploaded {
                    id: self.id(upload.chosen.gid).await?,
                    change_key: None,
                });
            }
            imported => imported?,
        };
        expect_rop!(answers, FastTransferDestinationConfigure)?;
        expect_rop!(answers, FastTransferDestinationPutBuffer)?;
        if whole {
            return saved(answers);
        }
        let generation = answers.generation;
        let handles = [answers.handle(MESSAGE)?, answers.handle(TRANSFER)?];
        for piece in pieces.into_iter().skip(1) {
            let mut answers = session
                .go_on(&self.store, generation, move |logon| {
                    let mut batch = Batch::new(logon);
                    let transfer = batch.known(handles[1]);
                    batch.push(put(logon.logon_id, transfer, &piece));
                    batch
                })
                .await?;
            expect_rop!(answers, FastTransferDestinationPutBuffer)?;
        }
        let answers = session
            .go_on(&self.store, generation, move |logon| {
                let mut batch = Batch::new(logon);
                let message = batch.known(handles[0]);
                let transfer = batch.known(handles[1]);
                closing(&mut batch, message, transfer);
                batch
            })
            .await?;
        saved(answers)
    }
}

/// Ids ascend, so the id of an object also counts its first change; a local id of eight octets tells these from the
/// changes of a server.
fn change_of(namespace: Guid, counter: u64) -> Option<Xid> {
    Xid::from_bytes(&[&namespace.0[..], &counter.to_be_bytes()].concat())
}

/// Slots of a batch that uploads.
const COLLECTOR: u8 = 2;
const MESSAGE: u8 = 3;
const TRANSFER: u8 = 4;

fn opening(logon: &LoggedOn, folder: Id, what: &Upload, first: &[u8], whole: bool) -> Batch {
    let logon_id = logon.logon_id;
    let mut batch = Batch::new(logon);
    let input = batch.open_folder(folder);
    let collector = batch.slot();
    debug_assert_eq!(collector, COLLECTOR);
    batch.push(rop::SynchronizationOpenCollector {
        logon_id,
        input,
        output: collector,
        is_contents_collector: true,
    });
    let message = batch.slot();
    debug_assert_eq!(message, MESSAGE);
    batch.push(rop::SynchronizationImportMessageChange {
        logon_id,
        input: collector,
        output: message,
        import_flag: if what.associated { ASSOCIATED } else { 0 },
        property_values: identity(&what.chosen, what.modified),
    });
    let transfer = batch.slot();
    debug_assert_eq!(transfer, TRANSFER);
    batch.push(rop::FastTransferDestinationConfigure {
        logon_id,
        input: message,
        output: transfer,
        source_operation: COPY_TO,
        copy_flags: 0,
    });
    batch.push(put(logon_id, transfer, first));
    if whole {
        closing(&mut batch, message, transfer);
        batch.release(collector);
        batch.release(input);
    }
    batch
}

/// ImportFlag: a message for programs.
const ASSOCIATED: u8 = 0x10;

/// Which version of which message it is. Source: MS-OXCFXICS 2.2.3.2.4.2.1.
pub(super) fn identity(chosen: &Chosen, modified: FileTime) -> Vec<TaggedValue> {
    const CHANGE_KEY: PropTag = PropTag(0x65e2_0102);
    const PREDECESSORS: PropTag = PropTag(0x65e3_0102);
    let change = chosen.change_key.to_bytes();
    let binary = |tag, octets: &[u8]| TaggedValue {
        tag,
        value: PropValue::Binary(octets.into()),
    };
    vec![
        binary(tags::SOURCE_KEY.tag(), &chosen.gid.to_bytes()),
        TaggedValue {
            tag: tags::LAST_MODIFICATION_TIME.tag(),
            value: PropValue::Time(modified.0),
        },
        binary(CHANGE_KEY, &change),
        binary(PREDECESSORS, &chosen.predecessors()),
    ]
}

impl Chosen {
    /// The predecessor change list of a first version: the change itself.
    pub(super) fn predecessors(&self) -> Vec<u8> {
        let change = self.change_key.to_bytes();
        let mut list = vec![change.len() as u8];
        list.extend_from_slice(&change);
        list
    }
}

fn put(logon_id: u8, input: u8, piece: &[u8]) -> rop::Request {
    rop::FastTransferDestinationPutBuffer {
        logon_id,
        input,
        transfer_data: piece.into(),
    }
    .into()
}

fn closing(batch: &mut Batch, message: u8, transfer: u8) {
    let logon_id = batch.logon_id;
    batch.release(transfer);
    batch.push(rop::SaveChangesMessage {
        logon_id,
        response: message,
        input: message,
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
    });
    batch.push(change_key_of(logon_id, message));
    batch.release(message);
}

fn saved(mut answers: crate::session::Answers) -> Result<Uploaded> {
    let id = expect_rop!(answers, SaveChangesMessage)?.message_id;
    let change_key = match answers.take_any() {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        // It is saved all the same.
        _ => None,
    };
    Ok(Uploaded { id, change_key })
}

/// What a mailbox has reserved.
pub(super) type Reservation = Mutex<Reserved>;

/// Whether the server says that it has this version already, or a later one.
fn is_superseded(fault: &Fault) -> bool {
    fault.code() == Some(code::SYNC_IGNORE)
}
