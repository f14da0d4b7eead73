//! The channel to the server. Source: MS-RPCH 3.2.3.

use std::{io, sync::Arc};

use mapi_wire::{
    Guid,
    rpc::{
        Body, Pdu, recycling,
        rts::{Command, Destination, Rts, VERSION, flags},
    },
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Packets,
    calls::Calls,
    decode, outward,
    virtual_connection::{TIMEOUT_MS, Virtual, WINDOW},
    wrong,
};
use crate::state::Shared;

/// The kind of packets that are calls.
const REQUEST_KIND: u8 = 0;

/// Octets of a call's packet before its stub.
const CALL_HEAD_BYTES: usize = 24;

/// Serves the channel, a first one or a successor.
pub(super) async fn serve<S>(
    io: &mut S,
    shared: &Arc<Shared>,
    user: &str,
    packets: &mut Packets,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let length = packets.left;
    let first = packets.control(io).await?;
    let (known, cookie) = match (first.flags, first.commands.as_slice()) {
        (
            flags::NONE,
            [
                Command::Version(VERSION),
                Command::Cookie(connection),
                Command::Cookie(cookie),
                Command::ChannelLifetime(lifetime),
                Command::ClientKeepalive(_),
                Command::AssociationGroupId(_),
            ],
        ) if u64::from(*lifetime) == length => {
            let known = outward::known(shared, user, *connection)?;
            known.change(|inner| {
                inner.in_cookie = Some(*cookie);
                inner.say(outward::established());
            });
            (known, *cookie)
        }
        (
            flags::RECYCLE_CHANNEL,
            [
                Command::Version(VERSION),
                Command::Cookie(connection),
                Command::Cookie(old),
                Command::Cookie(new),
            ],
        ) => {
            let known = outward::known(shared, user, *connection)?;
            succeed(shared, &known, *old, *new).await?;
            (known, *new)
        }
        _ => {
            return Err(wrong(format!(
                "no first packet for {length} octets: {first:?}"
            )));
        }
    };
    packets.taken = 0;
    let mut channel = Channel {
        shared: Arc::clone(shared),
        calls: Calls::new(Arc::clone(shared), Arc::clone(&known)),
        known,
        cookie,
        under_way: 0,
        received: 0,
    };
    let served = channel.serve(io, packets).await;
    if !matches!(served, Ok(true)) {
        channel.known.end();
    }
    served.map(drop)
}

/// Makes a channel the successor of another. Source: MS-RPCH 3.2.3.5.3, 3.2.5.5.
async fn succeed(shared: &Shared, known: &Virtual, old: Guid, new: Guid) -> io::Result<()> {
    let other_proxy = shared.config.rpc.other_proxy;
    known.change(|inner| {
        if inner.in_cookie != Some(old) {
            return Err(wrong("a successor of no channel to the server"));
        }
        inner.in_successor = Some(new);
        inner.say(match other_proxy {
            true => recycling::in_r1_a4(WINDOW, TIMEOUT_MS),
            false => recycling::in_r2_a4(),
        });
        Ok(())
    })?;
    let is_in_place = known.until(|inner| match inner.in_cookie == Some(new) {
        true => Some(true),
        false => inner.has_ended.then_some(false),
    });
    match is_in_place.await {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

struct Channel {
    shared: Arc<Shared>,
    known: Arc<Virtual>,
    calls: Calls,
    cookie: Guid,
    /// Octets that have not been acknowledged, and all.
    under_way: u32,
    received: u32,
}

impl Channel {
    /// Serves until the channel has a successor (`true`), or the connection ends.
    async fn serve<S>(&mut self, io: &mut S, packets: &mut Packets) -> io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        loop {
            if self.is_cut(io, packets).await? {
                return Ok(false);
            }
            let known = Arc::clone(&self.known);
            let ended = known.until(|inner| inner.has_ended.then_some(()));
            let octets = tokio::select! {
                octets = packets.next(io) => octets?,
                () = ended => None,
            };
            let Some(octets) = octets else {
                return Ok(false);
            };
            self.shared.lock().counters.bytes_in += octets.len() as u64;
            let pdu = decode(&octets)?;
            match &pdu.body {
                Body::Rts(rts) => {
                    if self.control(rts)? {
                        return Ok(true);
                    }
                }
                _ => {
                    self.count(octets.len() as u32)?;
                    self.call(pdu).await?;
                }
            }
        }
    }

    /// Whether the connection shall be cut within the call that comes now.
    async fn is_cut<S>(&mut self, io: &mut S, packets: &mut Packets) -> io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        while packets.unread.len() < CALL_HEAD_BYTES {
            if packets
                .unread
                .get(2)
                .is_some_and(|kind| *kind != REQUEST_KIND)
            {
                return Ok(false);
            }
            let known = Arc::clone(&self.known);
            let ended = known.until(|inner| inner.has_ended.then_some(()));
            let is_more = tokio::select! {
                more = packets.fill(io) => more?,
                () = ended => false,
            };
            if !is_more {
                return Ok(true);
            }
        }
        if packets.unread.get(2) != Some(&REQUEST_KIND) {
            return Ok(false);
        }
        let mut word = [0; 4];
        if let Some(octets) = packets.unread.get(20..24) {
            word.copy_from_slice(octets);
        }
        let [context, context_high, opnum, opnum_high] = word;
        let context = u16::from_le_bytes([context, context_high]);
        let opnum = u16::from_le_bytes([opnum, opnum_high]);
        let Some(after) = self.calls.cut_after(context, opnum) else {
            return Ok(false);
        };
        while (packets.unread.len() as u64) < after {
            if !packets.fill(io).await? {
                return Ok(true);
            }
        }
        self.calls.cut(context, opnum);
        Ok(true)
    }

    /// Takes a control packet; `true`: it was the last one here.
    fn control(&mut self, rts: &Rts) -> io::Result<bool> {
        match (rts.flags, rts.commands.as_slice()) {
            (flags::PING, []) => Ok(false),
            (
                flags::OTHER_CMD,
                [
                    Command::Destination(Destination::OutProxy),
                    Command::FlowControlAck {
                        bytes_received,
                        available_window,
                        channel_cookie,
                    },
                ],
            ) => self.known.change(|inner| {
                if inner.out_cookie != *channel_cookie {
                    // It was under way when the channel was replaced.
                    return Ok(false);
                }
                let acknowledged = inner.acknowledged(*bytes_received, *available_window);
                acknowledged.map(|()| false).map_err(wrong)
            }),
            (
                flags::OUT_CHANNEL,
                [
                    Command::Destination(Destination::Server),
                    Command::Cookie(cookie),
                    Command::Version(VERSION),
                ],
            ) => self.known.change(|inner| match inner.out_successor {
                Some(successor) if successor == *cookie && successor != inner.out_cookie => {
                    inner.may_go_over = true;
                    Ok(false)
                }
                _ => Err(wrong("a successor that there is not")),
            }),
            (flags::NONE, [Command::Cookie(cookie)]) => self.known.change(|inner| {
                if inner.in_successor != Some(*cookie) {
                    return Err(wrong("a successor that there is not"));
                }
                inner.in_successor = None;
                inner.in_cookie = Some(*cookie);
                Ok(true)
            }),
            _ => Err(wrong(format!(
                "a control packet that means nothing: {rts:?}"
            ))),
        }
    }

    /// Counts what has arrived, and acknowledges it after half a window. Source: MS-RPCH 3.2.1.4.1.2.
    fn count(&mut self, octets: u32) -> io::Result<()> {
        self.under_way += octets;
        self.received += octets;
        if self.under_way > WINDOW {
            return Err(wrong("more octets than the window has room for"));
        }
        if self.under_way >= WINDOW / 2 {
            self.under_way = 0;
            self.known.say(Rts {
                flags: flags::OTHER_CMD,
                commands: vec![
                    Command::Destination(Destination::Client),
                    Command::FlowControlAck {
                        bytes_received: self.received,
                        available_window: WINDOW,
                        channel_cookie: self.cookie,
                    },
                ],
            });
        }
        Ok(())
    }

    async fn call(&mut self, pdu: Pdu) -> io::Result<()> {
        self.calls.take(pdu).await
    }
}
