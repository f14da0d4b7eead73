//! A session context that is connected, with the stores that have been logged on to.

use std::{collections::HashMap, sync::Arc, time::Duration};

use mapi_wire::{
    Guid, Id, buffer,
    http::{Numbered, cookies::Cookies, emsmdb},
    rop::{
        self, BufferTooSmall, Failed, LogonResponse, Request, RequestBuffer, Response,
        ResponseBuffer,
    },
};

use tracing::Instrument;

use super::{Batch, Context, Handles, Located, StoreName, operation};
use crate::fault::{Fault, Result, code};

/// The code page of 8-bit strings; everything that can be is asked for in UTF-16.
const CODE_PAGE: u32 = 1252;
/// The locale: English, United States.
const LCID: u32 = 0x409;

/// How often one batch may be split because its answer has no room.
const SPLITS_MAX: usize = 300;

/// Slots that a batch can name.
const SLOTS_MAX: usize = 255;

/// A connected session context.
pub(super) struct Live {
    pub(super) context: Context,
    pub(super) generation: u64,
    user_dn: Arc<str>,
    rops: rop::Session,
    logons: HashMap<StoreName, LoggedOn>,
    /// Handles to be released with the next batch for their store.
    to_release: HashMap<StoreName, Vec<u32>>,
}

/// What a server said at logon.
#[derive(Clone, Debug)]
pub(crate) struct LoggedOn {
    pub(crate) logon_id: u8,
    pub(crate) handle: u32,
    /// The folders every store has, by the places of [`LogonResponse`].
    pub(crate) folders: [Id; LogonResponse::FOLDERS],
    /// The mailbox; that of its replica for public folders.
    pub(crate) mailbox_guid: Guid,
    pub(crate) replid: u16,
    pub(crate) replguid: Guid,
    /// Whether the user has the owner's rights.
    pub(crate) owner: bool,
    /// Whether the user may send as the owner.
    pub(crate) may_send_as: bool,
    /// Whether these are the public folders.
    pub(crate) is_public: bool,
}

impl LoggedOn {
    /// The folder whose children people see. Source: MS-OXCSTOR 2.2.1.1.3, 2.2.1.1.4.
    pub(crate) fn top(&self) -> Id {
        const PUBLIC_TOP: usize = 1;
        let place = match self.is_public {
            true => PUBLIC_TOP,
            false => LogonResponse::IPM_SUBTREE,
        };
        self.folders.get(place).copied().unwrap_or_default()
    }
}

/// What came of a batch.
pub(super) struct Executed {
    pub(super) responses: Vec<Response>,
    pub(super) handles: Vec<u32>,
    /// What answers no request.
    pub(super) unasked: Vec<Response>,
}

impl Live {
    /// Connects. `guid`, `client` and `left` are those of [`Context::after`]; the number of the client is the generation.
    pub(super) async fn connect(
        located: Located,
        guid: Guid,
        client: Numbered,
        left: Cookies,
    ) -> Result<Self> {
        let mut context = Context::after(located.server, guid, client, left);
        let connect = emsmdb::Connect {
            user_dn: (&*located.user_dn).into(),
            flags: 0,
            default_code_page: CODE_PAGE,
            lcid_sort: LCID,
            lcid_string: LCID,
        };
        let (error, connected) = context.call(&connect, None).await?;
        match (error, connected) {
            (code::SUCCESS, Some(_)) => {}
            (error, connected) => return Err(refused(error, connected)),
        }
        Ok(Self {
            context,
            generation: client.number,
            user_dn: located.user_dn,
            rops: rop::Session::default(),
            logons: HashMap::new(),
            to_release: HashMap::new(),
        })
    }

    /// Logs on to a store, unless that has been done.
    pub(super) async fn logon(&mut self, store: &StoreName) -> Result<LoggedOn> {
        if let Some(logon) = self.logons.get(store) {
            return Ok(logon.clone());
        }
        let logon_id = u8::try_from(self.logons.len()).map_err(|_| Fault::Expired)?;
        let request = self.logon_request(store, logon_id);
        let batch = RequestBuffer {
            requests: vec![request.into()],
            handles: vec![rop::NO_HANDLE],
        };
        let executed = self.execute(batch).await?;
        let handle = executed.handles.first().copied().unwrap_or(rop::NO_HANDLE);
        let logon = match executed.responses.into_iter().next() {
            Some(Response::Logon(response)) => logged_on(logon_id, handle, response),
            Some(Response::Failed(failed)) => return Err(self.refused_logon(store, &failed)),
            _ => return Err(super::unexpected()),
        };
        self.logons.insert(store.clone(), logon.clone());
        Ok(logon)
    }

    /// What a failed logon means. That somebody else's mailbox is on another server says nothing about where the
    /// user's own is.
    fn refused_logon(&self, store: &StoreName, failed: &Failed) -> Fault {
        let (rop, code) = (failed.rop_id, failed.code);
        match store {
            StoreName::Own => Fault::operation(rop, code),
            StoreName::Mailbox(dn) if dn.eq_ignore_ascii_case(&self.user_dn) => {
                Fault::operation(rop, code)
            }
            _ if code == code::WRONG_SERVER => Fault::Operation { rop, code },
            _ => Fault::operation(rop, code),
        }
    }

    fn logon_request(&self, store: &StoreName, logon_id: u8) -> rop::Logon {
        use rop::Logon as L;
        let (logon_flags, open_flags, dn) = match store {
            StoreName::Own => (
                L::PRIVATE,
                L::HOME_LOGON | L::TAKE_OWNERSHIP,
                Some(&self.user_dn),
            ),
            StoreName::Mailbox(dn) if dn.eq_ignore_ascii_case(&self.user_dn) => {
                (L::PRIVATE, L::HOME_LOGON | L::TAKE_OWNERSHIP, Some(dn))
            }
            StoreName::Mailbox(dn) => (L::PRIVATE, 0, Some(dn)),
            StoreName::Public => (0, L::PUBLIC, None),
        };
        let essdn = dn.map(|dn| dn.bytes().chain([0]).collect());
        rop::Logon {
            logon_id,
            output: 0,
            logon_flags,
            open_flags: open_flags | L::USE_PER_MDB_REPLID_MAPPING,
            store_state: 0,
            essdn: essdn.unwrap_or_default(),
        }
    }

    /// Notes handles that are of no more use.
    pub(super) fn release_later(&mut self, handles: Handles) {
        let waiting = self.to_release.entry(handles.store).or_default();
        waiting.extend(handles.handles);
    }

    /// A batch with the releases that wait for one, as far as they fit. They come first, for a server packs only behind
    /// the last ROP; their slots come last, for those of the batch are numbered already.
    pub(super) fn with_releases(
        &mut self,
        store: &StoreName,
        mut batch: RequestBuffer,
    ) -> RequestBuffer {
        const OCTETS_EACH: usize = 3 + 4;
        let Some(logon_id) = self.logons.get(store).map(|logon| logon.logon_id) else {
            return batch;
        };
        let Some(waiting) = self.to_release.get_mut(store).filter(|all| !all.is_empty()) else {
            return batch;
        };
        let slots = SLOTS_MAX.saturating_sub(batch.handles.len());
        let room = RequestBuffer::BYTES_MAX.saturating_sub(batch.encoded_len()) / OCTETS_EACH;
        let count = waiting.len().min(slots).min(room);
        let mut releases = Vec::with_capacity(count);
        for handle in waiting.drain(..count) {
            batch.handles.push(handle);
            releases.push(Request::Release(rop::Release {
                logon_id,
                input: (batch.handles.len() - 1) as u8,
            }));
        }
        batch.requests.splice(0..0, releases);
        batch
    }

    /// The store that a logon id stands for.
    pub(super) fn store(&self, logon_id: u8) -> Option<&StoreName> {
        let mut logons = self.logons.iter();
        logons
            .find(|(_, logon)| logon.logon_id == logon_id)
            .map(|(store, _)| store)
    }

    /// Has a batch carried out, whole, whatever room the server has for answers.
    pub(super) async fn execute(&mut self, mut batch: RequestBuffer) -> Result<Executed> {
        let mut done = Executed {
            responses: Vec::new(),
            handles: Vec::new(),
            unasked: Vec::new(),
        };
        for _ in 0..SPLITS_MAX {
            let span = operation::batch(&batch);
            let round = async {
                let answers = self.round(&batch).await;
                operation::batch_answered(answers.as_deref());
                answers
            };
            let answers = round.instrument(span).await?;
            let rest = take_in(&mut done, answers);
            let Some(rest) = rest else {
                return Ok(done);
            };
            batch = self.remaining(&batch, &rest, &done.handles)?;
        }
        Err(super::unexpected())
    }

    /// One request over the wire.
    async fn round(&mut self, batch: &RequestBuffer) -> Result<Vec<ResponseBuffer>> {
        let chained = matches!(
            batch.requests.last(),
            Some(
                Request::QueryRows(_)
                    | Request::ReadStream(_)
                    | Request::FastTransferSourceGetBuffer(_)
            )
        );
        let (flags, room) = match chained {
            true => (emsmdb::CHAIN, buffer::RESPONSE_BYTES_MAX),
            false => (0, buffer::RESPONSE_BYTES_UNPACKED),
        };
        let packed = buffer::join(&[batch.encode()], buffer::Packing::default());
        let execute = emsmdb::Execute {
            flags: flags | emsmdb::NO_XOR_MAGIC,
            rop_buffer: packed.map_err(|_| super::unexpected())?.into(),
            rop_out_max: room as u32,
        };
        let (error, executed) = self.context.call(&execute, None).await?;
        let Some(executed) = executed.filter(|_| error == code::SUCCESS) else {
            return Err(failed_whole(error));
        };
        let payloads = buffer::split(&executed.rop_buffer)?;
        let payloads = payloads.iter().map(|payload| &*payload.bytes);
        Ok(ResponseBuffer::decode_packed(
            payloads,
            batch,
            &mut self.rops,
        )?)
    }

    /// What a server had no room to answer.
    fn remaining(
        &self,
        batch: &RequestBuffer,
        rest: &BufferTooSmall,
        handles: &[u32],
    ) -> Result<RequestBuffer> {
        let list = rest.request_buffers.len();
        let size = u16::try_from(list + 2).map_err(|_| super::unexpected())?;
        let mut octets = size.to_le_bytes().to_vec();
        octets.extend_from_slice(&rest.request_buffers);
        let mut remaining = RequestBuffer::decode(&octets, &self.rops)?;
        if remaining.requests.is_empty() || remaining.requests.len() >= batch.requests.len() {
            // It does not get any further.
            return Err(super::unexpected());
        }
        remaining.handles = handles.to_vec();
        Ok(remaining)
    }

    /// The longest time to leave the context alone.
    pub(super) fn ping_after(&self) -> Duration {
        const UNSAID: Duration = Duration::from_secs(600);
        self.context.expires_after().unwrap_or(UNSAID).mul_f64(0.5)
    }
}

/// Sorts answers into those that were asked for and the others. Returns what the server had no room for.
fn take_in(done: &mut Executed, answers: Vec<ResponseBuffer>) -> Option<BufferTooSmall> {
    let mut rest = None;
    for answer in answers {
        if done.handles.is_empty() {
            done.handles = answer.handles;
        } else {
            for (known, now) in done.handles.iter_mut().zip(answer.handles) {
                if now != rop::NO_HANDLE {
                    *known = now;
                }
            }
        }
        for response in answer.responses {
            match response {
                Response::BufferTooSmall(too_small) => rest = Some(too_small),
                Response::Notify(_) | Response::Pending(_) | Response::Backoff(_) => {
                    done.unasked.push(response);
                }
                response => done.responses.push(response),
            }
        }
    }
    rest
}

fn logged_on(logon_id: u8, handle: u32, response: LogonResponse) -> LoggedOn {
    let is_public = matches!(response.store, rop::Store::Public { .. });
    let (mailbox_guid, replid, replguid, flags) = match response.store {
        rop::Store::Private(mailbox) => (
            mailbox.mailbox_guid,
            mailbox.replid,
            mailbox.replguid,
            mailbox.response_flags,
        ),
        rop::Store::Public {
            replid, replguid, ..
        } => (replguid, replid, replguid, 0),
    };
    LoggedOn {
        logon_id,
        handle,
        folders: response.folder_ids,
        mailbox_guid,
        replid,
        replguid,
        owner: flags & rop::Mailbox::OWNER_RIGHT != 0,
        may_send_as: flags & rop::Mailbox::SEND_AS_RIGHT != 0,
        is_public,
    }
}

/// What a failed Connect means. Source: MS-OXCRPC 3.1.4.1.
fn refused(error: u32, connected: Option<emsmdb::Connected>) -> Fault {
    match error {
        code::SERVER_BUSY => {
            let delay = connected.map_or(0, |connected| connected.retry_delay);
            match delay {
                0 => Fault::Busy(crate::fault::BUSY_DEFAULT),
                ms => Fault::Busy(Duration::from_millis(ms.into())),
            }
        }
        code::ACCESS_DENIED | code::LOGIN_FAILURE | code::UNKNOWN_USER => {
            Fault::Denied("the server does not let this user use the mailbox by MAPI")
        }
        code::PROTOCOL_DISABLED => Fault::Denied("MAPI is switched off for this mailbox"),
        error => Fault::operation(0, error),
    }
}

/// What a failed Execute means. Source: MS-OXCRPC 3.1.4.2.
fn failed_whole(error: u32) -> Fault {
    match error {
        code::SERVER_BUSY => Fault::Busy(crate::fault::BUSY_DEFAULT),
        // The server did not understand the batch, or could not carry it out: which part it did is not known.
        code::RPC_FORMAT | code::SERVER_OUT_OF_MEMORY => {
            Fault::Lost(format!("the batch failed with {error:#x}").into())
        }
        error => Fault::operation(0, error),
    }
}

/// Whether a ROP failed because the server is busy, and for how long to wait.
pub(super) fn busy(response: &Response) -> Option<Duration> {
    let Response::Failed(Failed { code, details, .. }) = response else {
        return None;
    };
    match details {
        rop::Details::GetBuffer {
            rest: rop::GetBufferRest::Backoff {
                backoff_time_ms, ..
            },
            ..
        } => Some(Duration::from_millis((*backoff_time_ms).into())),
        _ if *code == code::SERVER_BUSY => Some(crate::fault::BUSY_DEFAULT),
        _ => None,
    }
}

impl Batch {
    pub(super) fn into_buffer(self) -> RequestBuffer {
        self.buffer
    }
}
