//! Spans for who traces what an operation of a client costs: one for each batch and one for each request.
//!
//! They have the target `operation` and are there only while somebody traces. They carry names of ROPs, counts, sizes
//! and result codes: never what a ROP asks for or what is answered, no cookie, no address.

use std::fmt::Write;

use mapi_wire::{
    http::{RequestType, ResponseCode},
    rop::{self, Request, RequestBuffer, Response, ResponseBuffer},
};
use tracing::{Level, Span, field::Empty};

use crate::fault::Fault;

/// The longest list of ROPs, in octets; a batch may have thousands.
const LIST_BYTES_MAX: usize = 400;

/// Whether somebody traces.
fn is_traced() -> bool {
    tracing::enabled!(target: "operation", Level::TRACE)
}

/// The span that what is asked for now belongs to; a disabled one when nobody traces.
pub(super) fn current() -> Span {
    match is_traced() {
        true => Span::current(),
        false => Span::none(),
    }
}

/// The span of a batch on its way.
pub(super) fn batch(batch: &RequestBuffer) -> Span {
    match is_traced() {
        true => tracing::trace_span!(
            target: "operation",
            "batch",
            rops = names(&batch.requests),
            results = Empty,
            outcome = Empty,
        ),
        false => Span::none(),
    }
}

/// Takes note of what came of the batch of the current span.
pub(super) fn batch_answered(answer: Result<&[ResponseBuffer], &Fault>) {
    if !is_traced() {
        return;
    }
    let span = Span::current();
    match answer {
        Ok(answers) => {
            span.record("results", results(answers));
            span.record("outcome", "ok");
        }
        Err(fault) => drop(span.record("outcome", kind(fault))),
    }
}

/// The span of a request on its way.
pub(super) fn request(kind: RequestType, octets: usize) -> Span {
    tracing::trace_span!(
        target: "operation",
        "http",
        request = kind.name(),
        sent_bytes = octets,
        status = Empty,
        code = Empty,
        received_bytes = Empty,
        outcome = Empty,
    )
}

/// Takes note of the head of the answer to the request of the current span.
pub(super) fn request_headed(status: u16) {
    if is_traced() {
        Span::current().record("status", status);
    }
}

/// Takes note of X-ResponseCode, and how long the answer was.
pub(super) fn request_answered(code: ResponseCode, octets: Option<usize>) {
    if is_traced() {
        let span = Span::current();
        span.record("code", code.0);
        if let Some(octets) = octets {
            span.record("received_bytes", octets);
        }
    }
}

/// Takes note of what came of the request of the current span.
pub(super) fn request_ended<T>(outcome: &Result<T, Fault>) {
    if is_traced() {
        let word = outcome.as_ref().map_or_else(kind, |_| "ok");
        Span::current().record("outcome", word);
    }
}

/// What kind of fault it is. Its own words may name hosts and people.
const fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Away(_) => "away",
        Fault::Lost(_) => "lost",
        Fault::Expired => "expired",
        Fault::Busy(_) => "busy",
        Fault::Unauthenticated(_) => "unauthenticated",
        Fault::Denied(_) => "denied",
        Fault::Moved => "moved",
        Fault::Malformed(_) => "malformed",
        Fault::Operation { .. } => "operation failed",
    }
}

/// The names of ROPs in their order; several in a row are counted.
fn names(requests: &[Request]) -> String {
    if requests.is_empty() {
        return "none, to fetch notifications".to_owned();
    }
    let names = requests.iter().map(|request| name(request.rop_id()));
    counted(names.map(str::to_owned))
}

/// Warnings and failures by the names of their ROPs.
fn results(answers: &[ResponseBuffer]) -> String {
    let responses = answers.iter().flat_map(|answer| &answer.responses);
    counted(responses.filter_map(|response| match response {
        Response::Failed(failed) => Some(format!("{} {:#010x}", name(failed.rop_id), failed.code)),
        Response::Notify(_)
        | Response::Pending(_)
        | Response::Backoff(_)
        | Response::BufferTooSmall(_) => Some(name(response.rop_id()).to_owned()),
        _ => None,
    }))
}

fn name(rop_id: u8) -> &'static str {
    rop::name(rop_id).unwrap_or("unknown ROP")
}

fn counted(words: impl Iterator<Item = String>) -> String {
    let mut list = String::new();
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        if list.len() > LIST_BYTES_MAX {
            // Writing into a String cannot fail.
            let _ = write!(list, ", … {} more", words.count() + 1);
            return list;
        }
        let mut count = 1;
        while words.next_if_eq(&word).is_some() {
            count += 1;
        }
        let comma = if list.is_empty() { "" } else { ", " };
        let _ = match count {
            1 => write!(list, "{comma}{word}"),
            count => write!(list, "{comma}{word} ×{count}"),
        };
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rops_are_named_in_order_and_counted() {
        let release = |input| Request::from(rop::Release { logon_id: 0, input });
        let status = Request::from(rop::GetStatus {
            logon_id: 0,
            input: 1,
        });
        let requests = [release(1), release(2), status, release(3)];
        assert_eq!(names(&requests), "Release ×2, GetStatus, Release");
        assert_eq!(names(&[]), "none, to fetch notifications");
    }

    #[test]
    fn long_lists_are_cut() {
        let words = (0..1000).map(|number| format!("Word{number}"));
        let list = counted(words);
        assert!(list.len() < LIST_BYTES_MAX + 40, "{list}");
        assert!(list.ends_with(" more"), "{list}");
    }

    #[test]
    fn only_what_failed_is_a_result() {
        let failed = Response::Failed(rop::Failed {
            rop_id: rop::QueryRows::ROP_ID,
            index: 0,
            code: 0x8004_010f,
            destination: None,
            details: rop::Details::None,
        });
        let done = Response::from(rop::AbortResponse {
            index: 0,
            table_status: 0,
        });
        let answer = ResponseBuffer {
            responses: vec![done, failed],
            handles: Vec::new(),
        };
        assert_eq!(results(&[answer]), "QueryRows 0x8004010f");
    }
}
