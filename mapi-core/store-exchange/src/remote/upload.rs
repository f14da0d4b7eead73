//! Uploading messages under ids that the client chose, so that a lost answer doubles nothing.
//!
//! Source: MS-OXCFXICS 2.2.3.2.4.2 (import), 2.2.3.1.2 (FastTransfer upload), 2.2.3.2.4.7 (local replica ids).

use std::sync::Arc;

use mapi_types::{FileTime, PropTag, tags};
use mapi_wire::{
    Gid, Globcnt, Guid, Id, PropValue, TaggedValue,
    fast_transfer::{Encoder, Message},
    ics::{PredecessorChangeList, Xid},
    rop::{self, Response, open_mode, save_flags},
};
use tokio::sync::Mutex;

use super::{
    Remote, STARTS_MAX,
    write::{CHANGE_KEY, PAGE_OF_LOGON, change_key, change_key_of, mark_read},
};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, LoggedOn, Repeat, expect_rop, unexpected},
};

/// How many ids are asked for at a time.
const IDS_AT_ONCE: u32 = 256;

/// Octets of a stream in one ROP and in one batch.
pub(super) const PIECE_OCTETS: usize = 28 << 10;

/// SourceOperation: the content of a message.
pub(super) const COPY_TO: u8 = 1;

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

/// Which changes of a message the server has.
#[derive(Clone, Debug)]
pub(crate) struct Versions {
    pub(crate) change_key: Box<[u8]>,
    pub(crate) predecessors: PredecessorChangeList,
}

/// What is uploaded.
#[derive(Clone)]
pub(crate) struct Upload {
    pub(crate) chosen: Chosen,
    /// The changes that this one follows; empty for a new message. One that is not among them is not overwritten.
    pub(crate) after: PredecessorChangeList,
    pub(crate) modified: FileTime,
    pub(crate) message: Arc<Message>,
    pub(crate) associated: bool,
    pub(crate) read: bool,
    /// There may have been an attempt under this id, with an older change key: what it brought is replaced.
    pub(crate) again: bool,
}

/// What came of an attempt.
enum Uploaded {
    /// It is saved, and has this change key, if the server tells.
    Saved(Option<Box<[u8]>>),
    /// It was there: an earlier attempt whose answer was lost.
    There,
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

    /// Which changes of a message the server has; `None` when it is gone. One request.
    pub(crate) async fn versions(&self, folder: Id, message: Id) -> Result<Option<Versions>> {
        const PREDECESSORS: PropTag = PropTag(0x65e3_0102);
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let logon_id = logon.logon_id;
                let mut batch = Batch::new(logon);
                let input = batch.slot();
                batch.push(rop::OpenMessage {
                    logon_id,
                    input: Batch::LOGON,
                    output: input,
                    code_page_id: PAGE_OF_LOGON,
                    folder_id: folder,
                    open_mode_flags: open_mode::READ_ONLY,
                    message_id: message,
                });
                batch.push(rop::GetPropertiesSpecific {
                    logon_id,
                    input,
                    property_size_limit: 0,
                    want_unicode: 1,
                    property_tags: vec![CHANGE_KEY, PREDECESSORS],
                });
                batch.release(input);
                batch
            })
            .await?;
        match expect_rop!(answers, OpenMessage) {
            Ok(_) => {}
            Err(Fault::Operation { code, .. }) if is_gone(code) => return Ok(None),
            Err(fault) => return Err(fault),
        }
        let row = expect_rop!(answers, GetPropertiesSpecific)?.row;
        let (Some(PropValue::Binary(change_key)), Some(PropValue::Binary(list))) =
            (row.value(0), row.value(1))
        else {
            return Err(unexpected());
        };
        Ok(Some(Versions {
            change_key: change_key.clone(),
            predecessors: PredecessorChangeList::from_bytes(list)?,
        }))
    }

    /// Uploads a message under its chosen id; one that is there already becomes what this says. Returns the change key
    /// it has then, if the server tells.
    ///
    /// One request, unless it is large or there was an attempt before. Errors: `SYNC_CONFLICT` when the server has a
    /// change that is not among those before. After every other error that is an answer, what is there under the id may
    /// be no more than a part: see [`Self::is_whole`].
    pub(crate) async fn upload(&self, folder: Id, upload: &Upload) -> Result<Option<Box<[u8]>>> {
        let mut upload = upload.clone();
        let mut starts = 1;
        loop {
            let fault = match self.try_upload(folder, &upload).await {
                Ok(Uploaded::Saved(key)) => return Ok(key),
                Ok(Uploaded::There) => match self.is_whole(folder, &upload).await {
                    Ok(Some(false)) => None,
                    Ok(Some(true) | None) => return Ok(None),
                    Err(fault) => Some(fault),
                },
                Err(fault) => Some(fault),
            };
            let Some(fault) = fault else {
                if starts >= STARTS_MAX {
                    return Err(unexpected());
                }
                starts += 1;
                // What there is of it is a part, or not this: a newer version takes its place.
                upload.chosen.change_key = self.newer(folder, &upload.chosen).await?;
                upload.again = true;
                continue;
            };
            // Its id was chosen, so nothing is doubled.
            match fault.begins_anew() {
                Some(pause) if starts < STARTS_MAX => tokio::time::sleep(pause).await,
                _ => return Err(fault),
            }
            starts += 1;
        }
    }

    /// The change key of a version that is newer than the one that is there, and than this one.
    async fn newer(&self, folder: Id, than: &Chosen) -> Result<Xid> {
        let id = self.id(than.gid).await?;
        let there = self.versions(folder, id).await?;
        let mut before = there.map(|there| there.predecessors).unwrap_or_default();
        before.insert(than.change_key);
        following(than.change_key, &before).ok_or_else(unexpected)
    }

    async fn try_upload(&self, folder: Id, upload: &Upload) -> Result<Uploaded> {
        let mut pieces = pieces(&upload.message);
        let first = pieces.next().unwrap_or_default();
        let rest: Vec<_> = pieces.collect();
        // What may take the place of something is saved when all of it has arrived: a batch goes on after a ROP that
        // failed.
        let whole = rest.is_empty() && upload.after.is_empty() && !upload.again;
        let what = upload.clone();
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                opening(logon, folder, &what, &first, whole)
            })
            .await?;
        if whole {
            // Its last ROPs released everything.
            return match imported(&mut answers)? {
                true => saved(answers).map(Uploaded::Saved),
                false => Ok(Uploaded::There),
            };
        }
        let generation = answers.generation;
        let handles = |slots: &[u8]| {
            slots
                .iter()
                .filter_map(|slot| answers.handle(*slot).ok())
                .collect()
        };
        let above: Vec<u32> = handles(&[COLLECTOR, FOLDER]);
        let all: Vec<u32> = handles(&[TRANSFER, MESSAGE, COLLECTOR, FOLDER]);
        let done = match imported(&mut answers) {
            Ok(true) => {
                let rest = rest.into_iter();
                self.upload_rest(&answers, (MESSAGE, TRANSFER), rest, upload.read)
                    .await
                    .map(Some)
            }
            Ok(false) => Ok(None),
            Err(fault) => Err(fault),
        };
        // A server has room for so many, and a context in use is never left.
        let left = if matches!(done, Ok(Some(_))) {
            above
        } else {
            all
        };
        session.release_later(&self.store, generation, left);
        match done? {
            Some(answers) => saved(answers).map(Uploaded::Saved),
            None => Ok(Uploaded::There),
        }
    }

    /// Uploads what is left of a message, piece by piece, and saves it. `opened` gave the handles of the message and of the
    /// transfer, at these slots. One request a piece, and one to save.
    pub(super) async fn upload_rest(
        &self,
        opened: &Answers,
        (message, transfer): (u8, u8),
        rest: impl Iterator<Item = Vec<u8>>,
        read: bool,
    ) -> Result<Answers> {
        let session = &self.sessions.front;
        let generation = opened.generation;
        let (message, transfer) = (opened.handle(message)?, opened.handle(transfer)?);
        for piece in rest {
            let mut answers = session
                .go_on(&self.store, generation, move |logon| {
                    let mut batch = Batch::new(logon);
                    let transfer = batch.known(transfer);
                    batch.push(put(logon.logon_id, transfer, &piece));
                    batch
                })
                .await?;
            expect_rop!(answers, FastTransferDestinationPutBuffer)?;
        }
        session
            .go_on(&self.store, generation, move |logon| {
                let mut batch = Batch::new(logon);
                let message = batch.known(message);
                let transfer = batch.known(transfer);
                closing(&mut batch, (message, transfer), read);
                batch
            })
            .await
    }
}

/// Ids ascend, so the id of an object also counts its first change; a local id of eight octets tells these from the
/// changes of a server.
fn change_of(namespace: Guid, counter: u64) -> Option<Xid> {
    Xid::from_bytes(&[&namespace.0[..], &counter.to_be_bytes()].concat())
}

/// A change in the namespace of this one that those before do not include: this one, unless another database of the
/// server counts anew, so that it comes after what follows it. The server would ignore it then. `None`: there is none.
pub(crate) fn following(change: Xid, before: &PredecessorChangeList) -> Option<Xid> {
    let mut known = before.iter();
    let last = known.find(|known| known.namespace == change.namespace);
    match last.filter(|last| last.local >= change.local) {
        Some(last) => next(last),
        None => Some(change),
    }
}

/// The next change of the same namespace.
fn next(than: Xid) -> Option<Xid> {
    let octets = than.to_bytes();
    let (namespace, local) = octets.split_first_chunk::<16>()?;
    let local = u64::from_be_bytes(local.try_into().ok()?);
    change_of(Guid(*namespace), local.checked_add(1)?)
}

/// A message as a stream, in pieces.
pub(super) fn pieces(message: &Message) -> impl Iterator<Item = Vec<u8>> {
    let mut encoder = Encoder::new();
    encoder.message(message);
    std::iter::from_fn(move || (!encoder.is_empty()).then(|| encoder.take(PIECE_OCTETS)))
}

/// Slots of a batch that uploads.
const FOLDER: u8 = 1;
const COLLECTOR: u8 = 2;
const MESSAGE: u8 = 3;
const TRANSFER: u8 = 4;

fn opening(logon: &LoggedOn, folder: Id, what: &Upload, first: &[u8], whole: bool) -> Batch {
    let logon_id = logon.logon_id;
    let mut batch = Batch::new(logon);
    let input = batch.open_folder(folder);
    debug_assert_eq!(input, FOLDER);
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
        import_flag: import_flag(what.associated),
        property_values: identity(&what.chosen, what.modified, &what.after),
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
        closing(&mut batch, (message, transfer), what.read);
        batch.release(collector);
        batch.release(input);
    }
    batch
}

/// ImportFlag of a message, which may be one for programs. Source: MS-OXCFXICS 2.2.3.2.4.2.1.
pub(super) const fn import_flag(associated: bool) -> u8 {
    const ASSOCIATED: u8 = 0x10;
    const FAIL_ON_CONFLICT: u8 = 0x40;
    match associated {
        true => FAIL_ON_CONFLICT | ASSOCIATED,
        false => FAIL_ON_CONFLICT,
    }
}

/// Which version of which message it is, and what it follows. Source: MS-OXCFXICS 2.2.3.2.4.2.1.
pub(super) fn identity(
    chosen: &Chosen,
    modified: FileTime,
    after: &PredecessorChangeList,
) -> Vec<TaggedValue> {
    const PREDECESSORS: PropTag = PropTag(0x65e3_0102);
    let change = chosen.change_key.to_bytes();
    let mut predecessors = after.clone();
    predecessors.insert(chosen.change_key);
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
        binary(PREDECESSORS, &predecessors.to_bytes()),
    ]
}

pub(super) fn put(logon_id: u8, input: u8, piece: &[u8]) -> rop::Request {
    rop::FastTransferDestinationPutBuffer {
        logon_id,
        input,
        transfer_data: piece.into(),
    }
    .into()
}

pub(super) fn closing(batch: &mut Batch, (message, transfer): (u8, u8), read: bool) {
    let logon_id = batch.logon_id;
    batch.release(transfer);
    batch.push(rop::SaveChangesMessage {
        logon_id,
        response: message,
        input: message,
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
    });
    batch.push(change_key_of(logon_id, message));
    // A message whose content is replaced stays read or unread with some servers, others forget it.
    mark_read(batch, message, read);
    batch.release(message);
}

/// Whether a message was imported and begun to be uploaded; `false`: the server has it already, or a newer one.
fn imported(answers: &mut Answers) -> Result<bool> {
    expect_rop!(answers, OpenFolder)?;
    expect_rop!(answers, SynchronizationOpenCollector)?;
    match expect_rop!(answers, SynchronizationImportMessageChange) {
        Ok(_) => {}
        Err(Fault::Operation { code, .. }) if code == code::SYNC_IGNORE => return Ok(false),
        Err(fault) => return Err(fault),
    }
    expect_rop!(answers, FastTransferDestinationConfigure)?;
    expect_rop!(answers, FastTransferDestinationPutBuffer)?;
    Ok(true)
}

/// What comes after the message was saved changes nothing about that.
fn saved(mut answers: Answers) -> Result<Option<Box<[u8]>>> {
    expect_rop!(answers, SaveChangesMessage)?;
    Ok(match answers.take_any() {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        _ => None,
    })
}

const fn is_gone(code: u32) -> bool {
    matches!(code, code::NOT_FOUND | code::OBJECT_DELETED)
}

/// What a mailbox has reserved.
pub(super) type Reservation = Mutex<Reserved>;
