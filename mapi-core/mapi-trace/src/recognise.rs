//! What kind of body octets are, where no name says so.

use mapi_wire::{
    autodiscover::{Element, json::Answer, pox::PoxRequest, soap::SettingsRequest},
    buffer,
    cursor::Result,
    fast_transfer::{Lexer, Marker},
    http::{AnyRequest, AnyResponse, Outcome, RequestType, Response, framing},
    rpc::{
        Stub,
        emsmdb::{ConnectExRequest, ConnectExResponse, RpcExt2Request, RpcExt2Response},
    },
};

use crate::recording::{Call, Direction, Kind};

/// A guess: what it is taken for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Guess {
    pub(crate) direction: Direction,
    pub(crate) kind: Kind,
    /// What else it could be.
    pub(crate) others: Vec<&'static str>,
}

/// What octets are, as far as they tell; `direction` where it is known.
pub(crate) fn recognise(octets: &[u8], direction: Option<Direction>) -> Option<Guess> {
    if let Some(direction) = document(octets) {
        return Some(sure(direction, Kind::Autodiscover));
    }
    if framing::read(octets).is_ok() {
        return response(octets);
    }
    if is_stream(octets) {
        return Some(sure(direction.unwrap_or(Direction::Response), Kind::Stream));
    }
    match direction {
        Some(Direction::Response) => stub(octets, Direction::Response),
        Some(Direction::Request) => request(octets),
        None => request(octets).or_else(|| stub(octets, Direction::Response)),
    }
}

const fn sure(direction: Direction, kind: Kind) -> Guess {
    Guess {
        direction,
        kind,
        others: Vec::new(),
    }
}

/// Which way a document of Autodiscover went.
fn document(octets: &[u8]) -> Option<Direction> {
    if octets.first() == Some(&b'{') {
        return Answer::parse(octets).is_ok().then_some(Direction::Response);
    }
    let text = octets.strip_prefix("\u{feff}".as_bytes()).unwrap_or(octets);
    if text.trim_ascii_start().first() != Some(&b'<') {
        return None;
    }
    let root = Element::parse(octets).ok()?;
    match () {
        () if root.is("Autodiscover") => Some(match PoxRequest::parse(octets) {
            Ok(_) => Direction::Request,
            Err(_) => Direction::Response,
        }),
        () if root.is("Envelope") => Some(match SettingsRequest::parse(octets) {
            Ok(_) => Direction::Request,
            Err(_) => Direction::Response,
        }),
        () => None,
    }
}

/// Whether a marker or a property that begins a stream comes first, and the rest of it fits.
fn is_stream(octets: &[u8]) -> bool {
    let begins = octets
        .first_chunk::<4>()
        .is_some_and(|tag| Marker::from_tag(u32::from_le_bytes(*tag)).is_some());
    let mut lexer = Lexer::default();
    lexer.feed(octets);
    begins && matches!(lexer.next_atom(), Ok(Some(_)))
}

/// Kinds, the likely ones first.
fn kinds() -> impl Iterator<Item = RequestType> {
    const LIKELY: [RequestType; 2] = [RequestType::Execute, RequestType::Connect];
    let others = RequestType::ALL.into_iter();
    let others = others.filter(|kind| !LIKELY.contains(kind) && *kind != RequestType::Ping);
    LIKELY.into_iter().chain(others)
}

fn choose(direction: Direction, fits: impl Fn(RequestType) -> bool) -> Option<Guess> {
    let mut fitting = kinds().filter(|kind| fits(*kind));
    let first = fitting.next()?;
    // A ROP buffer is no accident.
    let others = match first {
        RequestType::Execute => Vec::new(),
        _ => fitting.map(RequestType::name).collect(),
    };
    Some(Guess {
        direction,
        kind: Kind::Mapi(first),
        others,
    })
}

fn request(octets: &[u8]) -> Option<Guess> {
    let likely = |kind| match AnyRequest::decode(kind, octets) {
        Ok((AnyRequest::Execute(execute), _)) => has_rops(&execute.rop_buffer),
        Ok((AnyRequest::Connect(connect), _)) => connect.user_dn.0.starts_with(b"/"),
        Ok(_) => false,
        Err(_) => false,
    };
    let fits = |kind| AnyRequest::decode(kind, octets).is_ok();
    choose(Direction::Request, likely)
        .or_else(|| stub(octets, Direction::Request))
        .or_else(|| choose(Direction::Request, |kind| !is_likely(kind) && fits(kind)))
}

const fn is_likely(kind: RequestType) -> bool {
    matches!(kind, RequestType::Execute | RequestType::Connect)
}

fn response(octets: &[u8]) -> Option<Guess> {
    let framed = framing::read(octets).ok()?;
    choose(Direction::Response, |kind| {
        match AnyResponse::decode(kind, &framed.body) {
            Ok(AnyResponse::Execute(Response {
                outcome: Outcome::Done { body, .. },
                ..
            })) => has_rops(&body.rop_buffer),
            Ok(AnyResponse::Execute(_)) => false,
            Ok(_) => true,
            Err(_) => false,
        }
    })
}

fn has_rops(buffer: &[u8]) -> bool {
    buffer::split(buffer).is_ok_and(|payloads| !payloads.is_empty())
}

fn stub(octets: &[u8], direction: Direction) -> Option<Guess> {
    let is = |read: Result<bool>| read.unwrap_or(false);
    let (rpc, connect) = match direction {
        Direction::Request => (
            is(RpcExt2Request::decode(octets).map(|stub| has_rops(&stub.rgb_in))),
            is(ConnectExRequest::decode(octets).map(|stub| stub.user_dn.0.starts_with(b"/"))),
        ),
        Direction::Response => (
            is(RpcExt2Response::decode(octets).map(|stub| has_rops(&stub.rgb_out))),
            ConnectExResponse::decode(octets).is_ok(),
        ),
    };
    let call = match (rpc, connect) {
        (true, _) => Call::RpcExt2,
        (false, true) => Call::ConnectEx,
        (false, false) => return None,
    };
    Some(sure(direction, Kind::Rpc(call)))
}
