//! Buffers of requests and of responses. Source: MS-OXCROPS 2.2.1, 3.1.5, 3.2.5.

use std::collections::BTreeMap;

use super::{
    Progress, Request, Response, WARN_WITH_ERRORS,
    field::Context,
    response_id,
    session::{Session, Tracker},
    special::id,
};
use crate::{
    cursor::{Reader, Result, Writer},
    rop::{
        Backoff, BufferTooSmall, Failed, GetPropertyIdsFromNames, Notify, Pending,
        QueryNamedProperties,
    },
};

/// What stands in a slot of the handle table that has no handle.
pub const NO_HANDLE: u32 = 0xffff_ffff;

/// A batch of requests: RopSize, RopsList, ServerObjectHandleTable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestBuffer {
    /// The requests, carried out in order.
    pub requests: Vec<Request>,
    /// The handle table; at most 255 slots can be named.
    pub handles: Vec<u32>,
}

/// The answer to a batch, or a further part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseBuffer {
    /// The responses, in the order of the requests, and what came without being asked for.
    pub responses: Vec<Response>,
    /// The handle table as it is now.
    pub handles: Vec<u32>,
}

impl RequestBuffer {
    /// How long a batch may be: what one extended buffer holds. Source: MS-OXCRPC 3.1.4.2.1.
    pub const BYTES_MAX: usize = 0x8000 - 8;

    /// How many octets it takes. Cost: it is written once.
    pub fn encoded_len(&self) -> usize {
        self.encode().len()
    }

    /// The octets. One longer than [`Self::BYTES_MAX`] is a fault of the caller: no server takes it.
    pub fn encode(&self) -> Vec<u8> {
        join(&self.handles, |writer| {
            for request in &self.requests {
                request.write(writer);
            }
        })
    }

    /// Reads a batch. `session` knows which logons are to public folders: there, some requests have more fields.
    pub fn decode(bytes: &[u8], session: &Session) -> Result<Self> {
        let (mut reader, handles) = split(bytes)?;
        let mut requests = Vec::new();
        // Logons of the same batch count already.
        let mut logons = BTreeMap::new();
        while let [_, rest @ ..] = reader.peek() {
            let public = rest.first().is_some_and(|logon_id| {
                let logon = logons.get(logon_id).copied();
                logon.unwrap_or_else(|| session.is_public(*logon_id))
            });
            let context = Context {
                public,
                ..Context::default()
            };
            let request = Request::read(&mut reader, context)?;
            if let Request::Logon(logon) = &request {
                logons.insert(logon.logon_id, logon.is_public());
            }
            requests.push(request);
        }
        Ok(Self { requests, handles })
    }

    /// For each request its response, if it has one.
    ///
    /// RopRelease has none, and neither have those that the server did not carry out.
    pub fn pair<'a>(&self, answer: &'a ResponseBuffer) -> Vec<Option<&'a Response>> {
        let mut responses = answer.responses.iter();
        let mut next = || responses.find(|response| response.answers_a_request());
        let response = |request: &Request| match request {
            Request::Release(_) => None,
            _ => next(),
        };
        self.requests.iter().map(response).collect()
    }

    /// What a further part of the answer answers: the last request once more. Source: MS-OXCRPC 3.1.4.2.1.2.
    pub fn continuation(&self, first: &ResponseBuffer) -> Self {
        let mut handles = self.handles.clone();
        for (handle, &answered) in handles.iter_mut().zip(&first.handles) {
            if answered != NO_HANDLE {
                *handle = answered;
            }
        }
        Self {
            requests: self.requests.last().cloned().into_iter().collect(),
            handles,
        }
    }
}

impl ResponseBuffer {
    /// The octets.
    pub fn encode(&self) -> Vec<u8> {
        join(&self.handles, |writer| {
            for response in &self.responses {
                response.write(writer);
            }
        })
    }

    /// Reads the answer to `batch`, which `session` takes note of.
    ///
    /// After an error the session knows what came before it; its context is best left.
    pub fn decode(bytes: &[u8], batch: &RequestBuffer, session: &mut Session) -> Result<Self> {
        let (mut reader, handles) = split(bytes)?;
        let mut tracker = Tracker::new(session, &batch.handles);
        let responses = read_all(&mut reader, &batch.requests, &mut tracker)?;
        tracker.finish(&handles);
        Ok(Self { responses, handles })
    }

    /// Reads an answer that came in several buffers: each further one answers the last request of the batch once more.
    pub fn decode_packed<'a>(
        payloads: impl IntoIterator<Item = &'a [u8]>,
        batch: &RequestBuffer,
        session: &mut Session,
    ) -> Result<Vec<Self>> {
        let mut answers: Vec<Self> = Vec::new();
        for payload in payloads {
            let answer = match answers.first() {
                None => Self::decode(payload, batch, session)?,
                Some(first) => Self::decode(payload, &batch.continuation(first), session)?,
            };
            answers.push(answer);
        }
        Ok(answers)
    }
}

/// RopSize counts itself.
const ROP_SIZE_OCTETS: usize = 2;

fn join(handles: &[u32], write_list: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.u16(0);
    write_list(&mut writer);
    writer.set_u16(0, writer.len() as u16);
    for &handle in handles {
        writer.u32(handle);
    }
    writer.into_bytes()
}

fn split(bytes: &[u8]) -> Result<(Reader<'_>, Vec<u32>)> {
    let mut reader = Reader::new(bytes);
    let size = usize::from(reader.u16("RopSize")?);
    let Some(size) = size.checked_sub(ROP_SIZE_OCTETS) else {
        return Err(Reader::new(bytes).error("a RopSize of at least 2"));
    };
    let list = reader.window(size, "a list of ROPs as long as RopSize says")?;
    let mut handles = Vec::new();
    while !reader.is_empty() {
        handles.push(reader.u32("a handle")?);
    }
    Ok((list, handles))
}

fn read_all(
    reader: &mut Reader<'_>,
    requests: &[Request],
    tracker: &mut Tracker<'_>,
) -> Result<Vec<Response>> {
    let mut responses = Vec::new();
    // Whether the server said why it does not answer the rest.
    let mut excused = false;
    for (place, request) in requests.iter().enumerate() {
        if let Request::Release(ask) = request {
            tracker.release(ask.input);
            continue;
        }
        excused |= read_unasked(reader, tracker, &mut responses)?;
        if reader.is_empty() && excused {
            break;
        }
        let rest = requests.get(place + 1..).unwrap_or_default();
        let response = read_answer(reader, request, rest, tracker)?;
        tracker.note(request, &response);
        responses.push(response);
    }
    read_unasked(reader, tracker, &mut responses)?;
    reader.finish("the end of the responses")?;
    Ok(responses)
}

/// Reads responses that answer no request. Returns whether one of them excuses missing answers.
fn read_unasked(
    reader: &mut Reader<'_>,
    tracker: &Tracker<'_>,
    responses: &mut Vec<Response>,
) -> Result<bool> {
    let mut excused = false;
    while let Some(&rop_id) = reader.peek().first()
        && id::is_special(rop_id)
    {
        reader.u8("a RopId")?;
        responses.push(match rop_id {
            id::NOTIFY => {
                Response::Notify(Notify::read(reader, |handle| tracker.columns_of(handle))?)
            }
            id::PENDING => Response::Pending(Pending::read(reader)?),
            id::BACKOFF => {
                excused = true;
                Response::Backoff(Backoff::read(reader)?)
            }
            _ => {
                excused = true;
                Response::BufferTooSmall(BufferTooSmall::read(reader)?)
            }
        });
    }
    Ok(excused)
}

fn read_answer(
    reader: &mut Reader<'_>,
    request: &Request,
    rest: &[Request],
    tracker: &Tracker<'_>,
) -> Result<Response> {
    let before = reader.clone();
    let rop_id = reader.u8("the response to a ROP")?;
    if rop_id != response_id(request.rop_id()) && !may_stand_for(rop_id, request) {
        return Err(before.error("the RopId that was asked for"));
    }
    let index = reader.u8("the slot of a response")?;
    let code = reader.u32("ReturnValue")?;
    let mut context = tracker.context(request);
    context.code = code;
    context.next = next_head(rest);
    // Only these say with a warning that they are complete all the same: MS-OXCROPS 2.2.8.10.2, and gromox for
    // names that have no number.
    let warned = code == WARN_WITH_ERRORS
        && matches!(
            rop_id,
            GetPropertyIdsFromNames::ROP_ID | QueryNamedProperties::ROP_ID
        );
    if code != 0 && !warned {
        let failed = Failed::read(reader, (rop_id, index), context)?;
        return Ok(Response::Failed(failed));
    }
    let rop_id = match rop_id == response_id(request.rop_id()) {
        true => request.rop_id(),
        false => rop_id,
    };
    Response::read(rop_id, reader, index, context)
}

/// Whether a response with `rop_id` may come instead of the one asked for: progress of something long, or the end of
/// it where its progress was asked for. Source: MS-OXCPRPT 3.2.5.20.
const fn may_stand_for(rop_id: u8, request: &Request) -> bool {
    if rop_id == Progress::ROP_ID {
        return is_long(request.rop_id());
    }
    matches!(request, Request::Progress(_)) && is_long(rop_id)
}

/// Whether a ROP may be carried out asynchronously: those with WantAsynchronous.
const fn is_long(rop_id: u8) -> bool {
    use crate::rop::*;
    matches!(
        rop_id,
        CopyFolder::ROP_ID
            | CopyProperties::ROP_ID
            | CopyTo::ROP_ID
            | DeleteMessages::ROP_ID
            | EmptyFolder::ROP_ID
            | HardDeleteMessages::ROP_ID
            | HardDeleteMessagesAndSubfolders::ROP_ID
            | MoveCopyMessages::ROP_ID
            | MoveFolder::ROP_ID
            | SetReadFlags::ROP_ID
    )
}

/// How the response to the first of `requests` that has one begins.
fn next_head(requests: &[Request]) -> Option<[u8; 2]> {
    let next = requests
        .iter()
        .find(|request| !matches!(request, Request::Release(_)))?;
    Some([response_id(next.rop_id()), next.slots().response])
}
