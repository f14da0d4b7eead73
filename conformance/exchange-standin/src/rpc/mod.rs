//! RPC over HTTP, in front of the same engine as MAPI over HTTP, and strict about the handshake.
//!
//! Each connection that carries a channel is served by [`outward`] or [`inward`]; both of one virtual connection meet in a
//! [`Virtual`]. Calls become requests of MAPI over HTTP ([`calls`]). Source: MS-RPCH, MS-OXCRPC.

mod calls;
mod inward;
mod outward;
mod virtual_connection;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mapi_wire::{
    Guid,
    rpc::{
        Body, Pdu,
        interfaces::{METHOD_IN, METHOD_OUT, PROXY_PATH},
        pdu,
        rts::{Rts, flags},
    },
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use self::{calls::Group, virtual_connection::Virtual};
use crate::{
    http::{
        auth,
        request::Head,
        response::{Out, Response},
    },
    state::Shared,
};

/// The most octets of the body of an echo request. Source: MS-RPCH 2.1.2.1.5.
const ECHO_BYTES_MAX: u64 = 0x10;

/// Virtual connections, and the groups whose connections share sessions.
#[derive(Default)]
pub(crate) struct Connections(Mutex<Known>);

#[derive(Default)]
pub(crate) struct Known {
    virtuals: HashMap<Guid, Arc<Virtual>>,
    groups: HashMap<u32, Group>,
    last_group: u32,
}

impl Connections {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a request opens a channel.
pub(crate) fn is_channel(head: &Head) -> bool {
    is_rpc(head) && content_length(head) > ECHO_BYTES_MAX
}

/// Whether it only wants an echo.
pub(crate) fn is_echo(head: &Head) -> bool {
    is_rpc(head) && content_length(head) <= ECHO_BYTES_MAX
}

/// What it is answered.
pub(crate) fn echo() -> Response {
    let rts = Rts {
        flags: flags::ECHO,
        commands: Vec::new(),
    };
    Response::empty(200).body("application/rpc", packet(rts))
}

fn is_rpc(head: &Head) -> bool {
    [METHOD_IN, METHOD_OUT].contains(&head.method.as_str()) && head.path() == PROXY_PATH
}

fn content_length(head: &Head) -> u64 {
    let length = head.field("content-length").unwrap_or("0");
    length.trim().parse().unwrap_or(0)
}

/// A control packet.
fn packet(rts: Rts) -> Vec<u8> {
    Pdu::whole(0, Body::Rts(rts), None).encode()
}

/// Serves a channel until it ends.
pub(crate) async fn serve<S>(
    io: &mut S,
    shared: &Arc<Shared>,
    head: Head,
    rest: Vec<u8>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    shared.lock().counters.requests += 1;
    let Some(user) = shared.user_of(&head) else {
        return Out::new(io, None).whole(&auth::unauthorized()).await;
    };
    for (name, wanted) in [("accept", "application/rpc"), ("pragma", "no-cache")] {
        if !head
            .field(name)
            .is_some_and(|value| value.eq_ignore_ascii_case(wanted))
        {
            blame(shared, &user, format!("no {name}: {wanted}"));
        }
    }
    let mut packets = Packets {
        unread: rest,
        left: content_length(&head),
        taken: 0,
    };
    let served = match head.method.as_str() {
        METHOD_IN => inward::serve(io, shared, &user, &mut packets).await,
        _ => outward::serve(io, shared, &user, &mut packets).await,
    };
    if let Err(error) = &served
        && error.kind() == io::ErrorKind::InvalidData
    {
        blame(shared, &user, error.to_string());
    }
    served
}

/// Notes what a client did that no client may.
fn blame(shared: &Shared, user: &str, what: String) {
    shared
        .lock()
        .violations
        .push(format!("{user}: RPC: {what}"));
}

/// What a client did that no client may.
fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Packets of a request's body.
struct Packets {
    unread: Vec<u8>,
    /// Octets of the body that have not been taken.
    left: u64,
    /// Octets that have.
    taken: u64,
}

impl Packets {
    /// The next packet; `None` when the connection has ended.
    async fn next<S: AsyncRead + Unpin>(&mut self, io: &mut S) -> io::Result<Option<Vec<u8>>> {
        loop {
            let length = pdu::length(&self.unread).map_err(|error| wrong(error.to_string()))?;
            if let Some(length) = length.filter(|length| self.unread.len() >= *length) {
                let octets: Vec<u8> = self.unread.drain(..length).collect();
                let Some(left) = self.left.checked_sub(length as u64) else {
                    return Err(wrong("more octets than Content-Length says"));
                };
                self.left = left;
                self.taken += length as u64;
                return Ok(Some(octets));
            }
            if !self.fill(io).await? {
                return Ok(None);
            }
        }
    }

    /// Reads what has arrived. Dropping the future loses nothing.
    async fn fill<S: AsyncRead + Unpin>(&mut self, io: &mut S) -> io::Result<bool> {
        self.unread.reserve(0x4000);
        Ok(io.read_buf(&mut self.unread).await? > 0)
    }

    /// The next packet, which must be one of control.
    async fn control<S: AsyncRead + Unpin>(&mut self, io: &mut S) -> io::Result<Rts> {
        let Some(octets) = self.next(io).await? else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        match decode(&octets)?.body {
            Body::Rts(rts) => Ok(rts),
            _ => Err(wrong("a call before the handshake")),
        }
    }
}

fn decode(octets: &[u8]) -> io::Result<Pdu> {
    Pdu::decode(octets).map_err(|error| wrong(error.to_string()))
}
