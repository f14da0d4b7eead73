//! Packed buffers: further answers to the last ROP of a batch, and uploads in several buffers.
//! Source: MS-OXCRPC 3.1.4.2.1.1 and 3.1.4.2.1.2.

use mapi_wire::rop::{ByteCount, QueryRows, Request, RequestBuffer, Response, Session, bookmark};

use super::execute::goes_on;

/// The ROP to carry out once more, when its answer says that there is more of what was asked for.
pub(crate) fn next(request: &Request, response: &Response) -> Option<Request> {
    match (request, response) {
        (Request::FastTransferSourceGetBuffer(ask), Response::FastTransferSourceGetBuffer(got)) => {
            goes_on(got.transfer_status).then(|| Request::FastTransferSourceGetBuffer(ask.clone()))
        }
        (Request::ReadStream(ask), Response::ReadStream(got)) => {
            let ByteCount::UpTo(wanted) = ask.byte_count else {
                return None;
            };
            let left = wanted
                .checked_sub(got.data.len() as u32)
                .filter(|left| *left > 0)?;
            let mut more = ask.clone();
            more.byte_count = ByteCount::UpTo(left);
            (!got.data.is_empty()).then_some(Request::ReadStream(more))
        }
        (Request::QueryRows(ask), Response::QueryRows(got)) => {
            let packs = ask.query_rows_flags & QueryRows::ENABLE_PACKED_BUFFERS != 0
                && ask.query_rows_flags & QueryRows::NO_ADVANCE == 0;
            let left = ask
                .row_count
                .checked_sub(got.rows.len() as u16)
                .filter(|left| *left > 0)?;
            let at_end = matches!(got.origin, bookmark::END | bookmark::BEGINNING);
            let mut more = ask.clone();
            more.row_count = left;
            (packs && !got.rows.is_empty() && !at_end).then_some(Request::QueryRows(more))
        }
        _ => None,
    }
}

/// Joins what came in further buffers to the last ROP of a batch; `None` when it does not belong together.
pub(crate) fn merge(batch: &mut RequestBuffer, further: &[&[u8]], session: &Session) -> Option<()> {
    for payload in further {
        let mut more = RequestBuffer::decode(payload, session).ok()?;
        let more = more.requests.pop().filter(|_| more.requests.is_empty())?;
        let joined = |a: &[u8], b: &[u8]| [a, b].concat().into();
        match (batch.requests.last_mut()?, more) {
            (Request::WriteStreamExtended(ask), Request::WriteStreamExtended(more)) => {
                ask.data = joined(&ask.data, &more.data);
            }
            (
                Request::FastTransferDestinationPutBufferExtended(ask),
                Request::FastTransferDestinationPutBufferExtended(more),
            ) => ask.transfer_data = joined(&ask.transfer_data, &more.transfer_data),
            _ => return None,
        }
    }
    Some(())
}
