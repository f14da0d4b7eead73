//! Carrying out a batch of ROPs within the room its answer has. Source: MS-OXCRPC 3.1.4.2.1, MS-OXCROPS 3.2.5.1.

use mapi_wire::{
    buffer::{self, PAYLOAD_BYTES_MAX, PAYLOADS_MAX, Packing},
    http::emsmdb::{CHAIN, Execute, NO_COMPRESSION, NO_XOR_MAGIC},
    rop::{
        self, Backoff, BufferTooSmall, Pending, Request, RequestBuffer, Response, ResponseBuffer,
        transfer_status,
    },
};

use super::{
    call::{Call, Refusal},
    dispatch,
    objects::Handle,
    packed,
};
use crate::{
    config::{Limits, Manners},
    counters::Counters,
    faults::{Faults, Seen, What},
    model::{error::Code, organisation::Organisation},
    session::Session,
};

/// RPC_X_BAD_STUB_DATA: a buffer beyond all bounds.
const BAD_STUB_DATA: u32 = 0x0000_06f7;

/// What a response needs when nothing of its length depends on data.
const RESPONSE_BYTES_FIXED: usize = 256;

/// What a ROP that is carried out alone has room for at least.
const ALONE_BYTES: usize = 0x7e00;

/// The most octets kept free for what could not be changed.
const PROBLEMS_BYTES_MAX: usize = 0x4000;

/// The fewest octets that must be left for another payload. Source: MS-OXCRPC 3.1.4.2.1.2.1.
const MORE_DATA_MIN: usize = 0x2000;

/// The same for RopQueryRows.
const MORE_ROWS_MIN: usize = 0x8000;

/// What a batch may look at and change.
pub(crate) struct Engine<'a> {
    /// People and mailboxes.
    pub(crate) organisation: &'a mut Organisation,
    /// Who asks, and what is open.
    pub(crate) session: &'a mut Session,
    /// What the server does beyond the ordinary.
    pub(crate) manners: Manners,
    /// How much of everything.
    pub(crate) limits: &'a Limits,
    /// What goes wrong.
    pub(crate) faults: &'a mut Faults,
    /// What was done.
    pub(crate) counters: &'a mut Counters,
    /// What the client did that no client may.
    pub(crate) violations: &'a mut Vec<String>,
}

/// A batch that was carried out.
pub(crate) struct Executed {
    /// The answers: the first, and what was packed behind it.
    pub(crate) payloads: Vec<Vec<u8>>,
    /// Octets that are left in the first payload, if notifications may be added to it.
    room: Option<usize>,
    first: ResponseBuffer,
    packing: Packing,
}

impl Engine<'_> {
    /// Carries out a request. The error is the ErrorCode of the body.
    pub(crate) fn run(&mut self, ask: &Execute) -> Result<Executed, u32> {
        let out_max = ask.rop_out_max as usize;
        if ask.rop_buffer.len() > buffer::REQUEST_BYTES_MAX {
            return Err(BAD_STUB_DATA);
        }
        if !(buffer::HEADER_BYTES..=buffer::RESPONSE_BYTES_MAX).contains(&out_max) {
            return Err(Code::RPC_FAILED.0);
        }
        let batch = self.decode(&ask.rop_buffer)?;
        let names: Vec<_> = batch
            .requests
            .iter()
            .map(|request| name_of(request.rop_id()))
            .collect();
        let backoff = self.fault(&names, |what| matches!(what, What::Backoff { .. }));
        if let Some(What::Backoff { duration_ms }) = backoff {
            return Ok(self.backed_off(&batch, duration_ms, ask.flags));
        }
        let limit = PAYLOAD_BYTES_MAX.min(out_max - buffer::HEADER_BYTES);
        let mut handles = batch.handles.clone();
        let first = self.batch(&batch, &mut handles, limit);
        let payload = first.encode();
        let complete = !first
            .responses
            .iter()
            .any(|r| matches!(r, Response::BufferTooSmall(_)));
        let room = limit.saturating_sub(payload.len());
        let left = (out_max - buffer::HEADER_BYTES).saturating_sub(payload.len());
        let mut payloads = vec![payload];
        if ask.flags & CHAIN != 0 && complete {
            payloads.extend(self.pack(&batch, &first, left));
        }
        self.session.wire.observe(&batch, &first);
        self.counters.objects_most = self.counters.objects_most.max(self.session.objects.len());
        Ok(Executed {
            room: (payloads.len() == 1 && complete).then_some(room),
            payloads,
            first,
            packing: packing(self.manners, ask.flags),
        })
    }

    fn decode(&mut self, rop_buffer: &[u8]) -> Result<RequestBuffer, u32> {
        let payloads = buffer::split(rop_buffer).map_err(|_| Code::RPC_FORMAT.0)?;
        let (first, further) = payloads.split_first().ok_or(Code::RPC_FORMAT.0)?;
        let mut batch = match RequestBuffer::decode(&first.bytes, &self.session.wire) {
            Ok(batch) => batch,
            Err(error) => {
                self.violations.push(format!(
                    "{}: ROPs that cannot be read: {error}",
                    self.session.user
                ));
                return Err(Code::RPC_FORMAT.0);
            }
        };
        if !further.is_empty() {
            if !self.manners.packed_uploads {
                self.violations
                    .push(format!("{}: a packed request", self.session.user));
                return Err(Code::RPC_FORMAT.0);
            }
            let further: Vec<_> = further.iter().map(|payload| &*payload.bytes).collect();
            packed::merge(&mut batch, &further, &self.session.wire).ok_or(Code::RPC_FORMAT.0)?;
        }
        Ok(batch)
    }

    fn fault(&mut self, rops: &[&'static str], wanted: impl Fn(&What) -> bool) -> Option<What> {
        let seen = Seen {
            user: Some(&self.session.user),
            request: Some("Execute"),
            rops,
        };
        self.faults.take(&seen, wanted)
    }

    fn backed_off(&self, batch: &RequestBuffer, duration_ms: u32, flags: u32) -> Executed {
        let backoff = Backoff {
            logon_id: batch.requests.first().map_or(0, Request::logon_id),
            duration_ms,
            rops: Vec::new(),
            additional_data: Box::default(),
        };
        let first = ResponseBuffer {
            responses: vec![Response::Backoff(backoff)],
            handles: batch.handles.clone(),
        };
        Executed {
            payloads: vec![first.encode()],
            room: None,
            first,
            packing: packing(self.manners, flags),
        }
    }

    /// Carries out the ROPs of a batch in order, as far as their answers fit into `limit` octets.
    fn batch(
        &mut self,
        batch: &RequestBuffer,
        handles: &mut Vec<Handle>,
        limit: usize,
    ) -> ResponseBuffer {
        let lengths: Vec<_> = batch.requests.iter().map(Request::encoded_len).collect();
        let mut rest: usize = lengths.iter().sum();
        let mut answer = ResponseBuffer::default();
        let mut used = ROP_SIZE_BYTES + 4 * handles.len();
        for (place, request) in batch.requests.iter().enumerate() {
            let after = rest - lengths.get(place).copied().unwrap_or_default();
            let reserve = if after > 0 {
                TOO_SMALL_BYTES + after
            } else {
                0
            };
            let room = limit.saturating_sub(used + reserve);
            let needed = needed(request);
            let alone = place == 0 && limit >= PAYLOAD_BYTES_MAX - buffer::HEADER_BYTES;
            if room < needed {
                answer
                    .responses
                    .push(too_small(batch, place, used + needed));
                break;
            }
            if let Some(response) = self.one(request, handles, (room, alone)) {
                let len = len_of(&response);
                if len <= room && (alone || !is_out_of_room(&response)) {
                    used += len;
                    answer.responses.push(response);
                } else if alone {
                    let refusal = Refusal::from(Code::BUFFER_TOO_SMALL);
                    answer.responses.push(dispatch::failed(request, refusal));
                    break;
                } else {
                    answer
                        .responses
                        .push(too_small(batch, place, used + len.max(room + 1)));
                    break;
                }
            }
            rest = after;
        }
        answer.handles.clone_from(handles);
        answer
    }

    /// Carries out one ROP. RopRelease has no answer.
    fn one(
        &mut self,
        request: &Request,
        handles: &mut Vec<Handle>,
        (room, alone): (usize, bool),
    ) -> Option<Response> {
        let name = name_of(request.rop_id());
        let fault = self.fault(&[name], |what| {
            matches!(what, What::RopError(_) | What::GetBufferBusy { .. })
        });
        let busy_ms = match fault {
            Some(What::GetBufferBusy { backoff_ms }) => Some(backoff_ms),
            Some(What::RopError(code)) => {
                self.counters.count_rop(name, true);
                return Some(dispatch::failed(request, Refusal::from(Code(code))));
            }
            _ => None,
        };
        let mut call = Call {
            organisation: self.organisation,
            session: self.session,
            limits: self.limits,
            manners: self.manners,
            violations: self.violations,
            handles,
            logon: request.logon_id(),
            room,
            room_alone: if alone { room } else { ALONE_BYTES },
            busy_ms,
        };
        let response = dispatch::answer(&mut call, request);
        let failed = matches!(response, Some(Response::Failed(_)));
        self.counters.count_rop(name, failed);
        response
    }

    /// Repeats the last ROP as long as its answers fit. Source: MS-OXCRPC 3.1.4.2.1.2.1.
    /// What fails then is left for the client to find out.
    fn pack(
        &mut self,
        batch: &RequestBuffer,
        first: &ResponseBuffer,
        mut room: usize,
    ) -> Vec<Vec<u8>> {
        let mut payloads = Vec::new();
        let Some(last) = batch.requests.last() else {
            return payloads;
        };
        let mut handles = first.handles.clone();
        let room_min = match last {
            Request::QueryRows(_) => MORE_ROWS_MIN,
            _ => MORE_DATA_MIN,
        };
        let mut next = first
            .responses
            .last()
            .and_then(|response| packed::next(last, response));
        while let Some(request) = next {
            if room < room_min + buffer::HEADER_BYTES || payloads.len() + 1 >= PAYLOADS_MAX {
                break;
            }
            let limit = PAYLOAD_BYTES_MAX.min(room - buffer::HEADER_BYTES);
            let again = RequestBuffer {
                requests: vec![request.clone()],
                handles: handles.clone(),
            };
            let answer = self.batch(&again, &mut handles, limit);
            if !answer.responses.iter().all(is_success) {
                break;
            }
            let payload = answer.encode();
            room = room.saturating_sub(payload.len() + buffer::HEADER_BYTES);
            payloads.push(payload);
            next = answer
                .responses
                .last()
                .and_then(|response| packed::next(&request, response));
        }
        payloads
    }
}

impl Executed {
    /// The ROP buffer of the response, with notifications that wait where there is room for them.
    pub(crate) fn finish(mut self, session: &mut Session, counters: &mut Counters) -> Vec<u8> {
        if let Some(room) = self.room {
            let before = self.first.responses.len();
            add_notifications(&mut self.first, session, room, counters);
            if self.first.responses.len() > before {
                self.payloads = vec![self.first.encode()];
            }
        }
        // What is too long is a fault of this server; the client sees an empty buffer.
        buffer::join(&self.payloads, self.packing).unwrap_or_default()
    }
}

fn add_notifications(
    answer: &mut ResponseBuffer,
    session: &mut Session,
    mut room: usize,
    counters: &mut Counters,
) {
    while let Some(notify) = session.notifications.front() {
        let response = Response::Notify(notify.clone());
        let len = len_of(&response) + PENDING_BYTES;
        if len > room {
            answer
                .responses
                .push(Response::Pending(Pending { session_index: 0 }));
            return;
        }
        room -= len - PENDING_BYTES;
        counters.notifications += 1;
        answer.responses.push(response);
        session.notifications.pop_front();
    }
}

/// Whether a ROP says that its answer does not fit; it has not been carried out then.
const fn is_out_of_room(response: &Response) -> bool {
    matches!(response, Response::Failed(failed) if failed.code == Code::BUFFER_TOO_SMALL.0)
}

const fn is_success(response: &Response) -> bool {
    !matches!(response, Response::Failed(_) | Response::BufferTooSmall(_))
}

/// RopSize.
const ROP_SIZE_BYTES: usize = 2;

/// RopId and SizeNeeded of RopBufferTooSmall.
const TOO_SMALL_BYTES: usize = 3;

/// Octets of RopPending.
const PENDING_BYTES: usize = 3;

fn len_of(response: &Response) -> usize {
    let alone = ResponseBuffer {
        responses: vec![response.clone()],
        handles: Vec::new(),
    };
    alone.encode().len() - ROP_SIZE_BYTES
}

/// What the answer to a ROP takes at least; a ROP that changes something takes no more than that.
fn needed(request: &Request) -> usize {
    let problems = match request {
        Request::Release(_) => return 0,
        Request::SetProperties(ask) => ask.property_values.len(),
        Request::DeleteProperties(ask) => ask.property_tags.len(),
        Request::CopyProperties(ask) => ask.property_tags.len(),
        Request::GetPropertiesSpecific(ask) => return 32 + 5 * ask.property_tags.len(),
        _ => 0,
    };
    RESPONSE_BYTES_FIXED + (10 * problems).min(PROBLEMS_BYTES_MAX)
}

fn too_small(batch: &RequestBuffer, place: usize, needed: usize) -> Response {
    let rest = RequestBuffer {
        requests: batch.requests.get(place..).unwrap_or_default().to_vec(),
        handles: Vec::new(),
    };
    let rest = rest.encode();
    Response::BufferTooSmall(BufferTooSmall {
        size_needed: u16::try_from(needed + buffer::HEADER_BYTES).unwrap_or(u16::MAX),
        request_buffers: rest.get(ROP_SIZE_BYTES..).unwrap_or_default().into(),
    })
}

const fn packing(manners: Manners, flags: u32) -> Packing {
    Packing {
        compressed: manners.compresses && flags & NO_COMPRESSION == 0,
        obfuscated: manners.obfuscates && flags & NO_XOR_MAGIC == 0,
    }
}

fn name_of(rop_id: u8) -> &'static str {
    rop::name(rop_id).unwrap_or("unknown")
}

/// Whether a download goes on.
pub(crate) const fn goes_on(status: u16) -> bool {
    status == transfer_status::PARTIAL
}
