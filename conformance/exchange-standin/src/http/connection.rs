//! One connection: requests in, answers out, and whatever shall go wrong on the way.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mapi_wire::{
    http::{
        Endpoint, ResponseCode, decode_request,
        emsmdb::{Execute, NotificationWaited},
        framing, header,
    },
    rop,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep, timeout},
};

use super::{
    auth,
    request::{Head, Received, Request, RequestReader},
    response::{Out, Response},
};
use crate::{
    autodiscover::{self, JSON_PATH, POX_PATH},
    config::WebServices,
    control, emsmdb,
    faults::{Seen, What},
    mapi_http::{self, Answer, Done, Wait},
    model::error::Code,
    nspi, rpc,
    state::Shared,
    web_services,
};

/// What faults call requests of Autodiscover.
const AUTODISCOVER: &str = "autodiscover";

/// Serves a connection until it ends, or the server starts anew.
pub(crate) async fn serve<S>(mut io: S, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut starts = shared.starts.subscribe();
    starts.mark_unchanged();
    shared.lock().counters.connections += 1;
    tokio::select! {
        _ = requests(&mut io, &shared) => {}
        _ = starts.changed() => {}
    }
}

async fn requests<S>(io: &mut S, shared: &Arc<Shared>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut reader = RequestReader::new();
    loop {
        let allowance = |head: &Head| {
            let mut state = shared.lock();
            let user = auth::user_of(head, &state.organisation);
            let seen = seen(head, user.as_deref(), &[]);
            state.faults.cut_request_after(&seen)
        };
        match reader.next(io, &allowance).await? {
            Received::Complete(request, len) => {
                let close = request.head.close;
                one(io, shared, request, len).await?;
                if close {
                    return Ok(());
                }
            }
            Received::Channel(head, rest) => {
                return rpc::serve(io, shared, *head, rest).await;
            }
            Received::Malformed => {
                return Out::new(io, None).whole(&Response::empty(400)).await;
            }
            Received::Cut(head) => {
                let mut state = shared.lock();
                let user = auth::user_of(&head, &state.organisation);
                let seen = seen(&head, user.as_deref(), &[]);
                state.faults.cut(&seen);
                return Ok(());
            }
            Received::Ended => return Ok(()),
        }
    }
}

/// What faults are asked about.
fn seen<'a>(head: &'a Head, user: Option<&'a str>, rops: &'a [&'static str]) -> Seen<'a> {
    let path = head.path();
    let request = match path.starts_with("/autodiscover/") {
        true => Some(AUTODISCOVER),
        false => head.field(header::REQUEST_TYPE),
    };
    Seen {
        user,
        request,
        rops,
    }
}

/// Answers one request.
async fn one<S>(io: &mut S, shared: &Arc<Shared>, request: Request, len: u64) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    if rpc::is_echo(&request.head) {
        let response = match shared.user_of(&request.head) {
            Some(_) => rpc::echo(),
            None => auth::unauthorized(),
        };
        return Out::new(io, None).whole(&response).await;
    }
    if request.head.path().starts_with(control::PATH) {
        return Out::new(io, None)
            .whole(&control::answer(shared, &request))
            .await;
    }
    let (answer, late, cut_after) = {
        let mut state = shared.lock();
        let counters = &mut state.counters;
        counters.requests += 1;
        counters.bytes_in += len;
        counters.last_request_bytes = len;
        if let Some(kind) = request.head.field(header::REQUEST_TYPE) {
            *counters.by_type.entry(kind.to_owned()).or_default() += 1;
        }
        let user = auth::user_of(&request.head, &state.organisation);
        let rops = rops_of(&request);
        let before = seen(&request.head, user.as_deref(), &rops);
        let early = state.faults.take(&before, happens_before);
        let late = state
            .faults
            .take(&before, |what| matches!(what, What::Delay { .. }));
        let cut = state
            .faults
            .take(&before, |what| matches!(what, What::CutResponse { .. }));
        drop(state);
        let answer = match early {
            Some(what) => Answer::Refused(refusal(&what, &request.head)),
            None => route(shared, &request, user.as_deref(), &rops),
        };
        let late = match late {
            Some(What::Delay { ms }) => Duration::from_millis(ms),
            _ => Duration::ZERO,
        };
        let cut_after = match cut {
            Some(What::CutResponse { after }) => Some(after),
            _ => None,
        };
        (answer, late, cut_after)
    };
    let mut out = Out::new(io, cut_after);
    let context = match &answer {
        Answer::Done(done) => done.context,
        _ => None,
    };
    let written = match answer {
        Answer::Refused(response) => {
            sleep(late).await;
            out.whole(&response).await
        }
        Answer::Done(done) => write_done(&mut out, shared, done, late).await,
        Answer::Wait(wait) => write_wait(&mut out, shared, wait).await,
    };
    let mut state = shared.lock();
    state.counters.bytes_out += out.written();
    state.counters.last_response_bytes = out.written();
    if let Some((endpoint, id)) = context {
        mapi_http::leave(&mut state, endpoint, id);
    }
    written
}

/// The names of the ROPs of a request, as far as they can be read without its session.
fn rops_of(request: &Request) -> Vec<&'static str> {
    let Ok((ask, _)) = decode_request::<Execute>(&request.body) else {
        return Vec::new();
    };
    let payloads = mapi_wire::buffer::split(&ask.rop_buffer).unwrap_or_default();
    let first = payloads.first();
    let batch = first
        .and_then(|first| rop::RequestBuffer::decode(&first.bytes, &rop::Session::default()).ok());
    let names = batch.into_iter().flat_map(|batch| batch.requests);
    names
        .filter_map(|request| rop::name(request.rop_id()))
        .collect()
}

/// Faults that happen instead of carrying out a request.
const fn happens_before(what: &What) -> bool {
    matches!(
        what,
        What::Unauthorized
            | What::Unavailable { .. }
            | What::Redirect { .. }
            | What::ResponseCode(_)
    )
}

fn refusal(what: &What, head: &Head) -> Response {
    match what {
        What::Unavailable { retry_after_s } => {
            let response = Response::empty(503);
            match retry_after_s {
                Some(seconds) => response.field(header::RETRY_AFTER, seconds.to_string()),
                None => response,
            }
        }
        What::Redirect { location } => Response::empty(302).field("Location", location.clone()),
        What::ResponseCode(code) => mapi_http::refused(ResponseCode(*code), head),
        _ => auth::unauthorized(),
    }
}

/// Finds who answers.
fn route(
    shared: &Arc<Shared>,
    request: &Request,
    user: Option<&str>,
    rops: &[&'static str],
) -> Answer {
    let path = request.head.path();
    let (site, path) = site_of(&path);
    let trimmed = path.trim_end_matches('/');
    if trimmed.starts_with(JSON_PATH) {
        return Answer::Refused(autodiscover::json(shared, request));
    }
    let services = shared.config.manners.web_services;
    if trimmed == web_services::PATH && services != WebServices::Absent {
        return Answer::Refused(match user {
            Some(_) if services == WebServices::Busy => Response::empty(503),
            Some(user) => web_services::answer(shared, request, user),
            None => auth::unauthorized(),
        });
    }
    let endpoint = match trimmed {
        POX_PATH => None,
        "/mapi/emsmdb" => Some(Endpoint::Mailbox),
        "/mapi/nspi" => Some(Endpoint::AddressBook),
        _ => {
            let refused = mapi_http::refused(ResponseCode::INVALID_PATH, &request.head);
            return Answer::Refused(Response {
                status: 404,
                ..refused
            });
        }
    };
    let Some(user) = user else {
        return Answer::Refused(auth::unauthorized());
    };
    let Some(endpoint) = endpoint else {
        return Answer::Refused(autodiscover::pox(shared, request, user));
    };
    let answer =
        mapi_http::asked(&request.head, endpoint, user, site).and_then(|asked| match endpoint {
            Endpoint::Mailbox => emsmdb::answer(shared, &asked, &request.body, rops),
            Endpoint::AddressBook => nspi::answer(shared, &asked, &request.body),
        });
    answer.unwrap_or_else(|code| Answer::Refused(mapi_http::refused(code, &request.head)))
}

/// Which of the servers a path names, and the rest of it.
fn site_of(path: &str) -> (u32, &str) {
    let named = path.strip_prefix("/site").and_then(|rest| {
        let end = rest.find('/')?;
        let (number, path) = rest.split_at(end);
        Some((number.parse().ok()?, path))
    });
    named.unwrap_or((0, path))
}

/// Writes an answer, with lines that keep the connection alive while it is late.
async fn write_done<W: AsyncWrite + Unpin>(
    out: &mut Out<'_, W>,
    shared: &Shared,
    done: Done,
    late: Duration,
) -> io::Result<()> {
    let until = Instant::now() + late;
    let period = Duration::from_millis(shared.config.timing.pending_period_ms);
    out.begin(&done.fields).await?;
    out.chunk(framing::PROCESSING).await?;
    while Instant::now() + period < until {
        sleep(period).await;
        out.chunk(framing::PENDING).await?;
    }
    tokio::time::sleep_until(until).await;
    finish(out, &[], &done.body).await
}

async fn finish<W: AsyncWrite + Unpin>(
    out: &mut Out<'_, W>,
    fields: &[(&str, &str)],
    body: &[u8],
) -> io::Result<()> {
    let own = [
        (header::ELAPSED_TIME, "1"),
        (header::START_TIME, "Thu, 01 Jan 2026 00:00:00 GMT"),
    ];
    let mut end = framing::done(own.iter().chain(fields).copied());
    end.extend_from_slice(body);
    out.chunk(&end).await?;
    out.end().await
}

/// Microseconds since 1970.
fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_micros() as u64)
}

/// Waits for something to happen, at most as long as the server waits.
async fn write_wait<W: AsyncWrite + Unpin>(
    out: &mut Out<'_, W>,
    shared: &Shared,
    wait: Wait,
) -> io::Result<()> {
    let timing = &shared.config.timing;
    let until = Instant::now() + Duration::from_millis(timing.notification_wait_ms);
    let period = Duration::from_millis(timing.pending_period_ms);
    out.begin(&wait.fields).await?;
    out.chunk(framing::PROCESSING).await?;
    loop {
        let pending = {
            let mut state = shared.lock();
            state.mail.leave(wait.context);
            state
                .mail
                .get_mut(wait.context)
                .map(|context| !context.session.notifications.is_empty())
        };
        let left = until.saturating_duration_since(Instant::now());
        match pending {
            None => {
                let code = ResponseCode::CONTEXT_NOT_FOUND.0.to_string();
                return finish(out, &[(header::RESPONSE_CODE, &code)], &[]).await;
            }
            Some(pending) if pending || left.is_zero() => {
                if pending {
                    shared.lock().counters.notified_at_us = now_us();
                }
                let body = NotificationWaited {
                    event_pending: pending.into(),
                };
                let body = mapi_http::body(Code::OK.0, body, Vec::new());
                return finish(out, &[], &body).await;
            }
            Some(_) => {}
        }
        if timeout(period.min(left), wait.bell.notified())
            .await
            .is_err()
        {
            out.chunk(framing::PENDING).await?;
        }
    }
}
