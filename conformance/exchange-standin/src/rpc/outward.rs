//! The channel from the server. Source: MS-RPCH 3.2.4.

use std::{io, sync::Arc};

use mapi_wire::{
    Guid,
    rpc::{
        recycling::{self, OUT_REQUEST_BYTES, OUT_SUCCESSOR_REQUEST_BYTES},
        rts::{Command, Rts, VERSION, flags},
    },
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::{
    Packets, calls, packet,
    virtual_connection::{Next, TIMEOUT_MS, Virtual, WINDOW},
    wrong,
};
use crate::{http::response::Out, state::Shared};

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
    let (connection, virtual_connection) = match (first.flags, first.commands.as_slice()) {
        (
            flags::NONE,
            [
                Command::Version(VERSION),
                Command::Cookie(connection),
                Command::Cookie(cookie),
                Command::ReceiveWindowSize(window),
            ],
        ) if length == OUT_REQUEST_BYTES => {
            let opened = open(shared, user, *connection, (*cookie, *window))?;
            head(io, shared).await?;
            Out::new(io, None)
                .write(&packet(Rts::conn_a3(TIMEOUT_MS)))
                .await?;
            (*connection, opened)
        }
        (
            flags::RECYCLE_CHANNEL,
            [
                Command::Version(VERSION),
                Command::Cookie(connection),
                Command::Cookie(old),
                Command::Cookie(new),
                Command::ReceiveWindowSize(window),
            ],
        ) if length == OUT_SUCCESSOR_REQUEST_BYTES => {
            let known = known(shared, user, *connection)?;
            succeed(io, shared, (&known, packets), (*old, *new, *window)).await?;
            head(io, shared).await?;
            known.change(|inner| inner.go_over(*new, *window));
            (*connection, known)
        }
        _ => {
            return Err(wrong(format!(
                "no first packet for {length} octets: {first:?}"
            )));
        }
    };
    match write(io, shared, &virtual_connection).await {
        // Its successor goes on.
        Ok(true) => Ok(()),
        written => {
            virtual_connection.end();
            calls::leave(shared, connection);
            written.map(drop)
        }
    }
}

fn open(
    shared: &Shared,
    user: &str,
    connection: Guid,
    (cookie, window): (Guid, u32),
) -> io::Result<Arc<Virtual>> {
    if !(8 << 10..=256 << 10).contains(&window) {
        return Err(wrong(format!("a window of {window} octets")));
    }
    let out_bytes = shared.config.rpc.out_bytes;
    let opened = Arc::new(Virtual::new(user, cookie, window, out_bytes));
    let mut known = shared.rpc.lock();
    if known.virtuals.contains_key(&connection) {
        return Err(wrong("a virtual connection that there is already"));
    }
    known.virtuals.insert(connection, Arc::clone(&opened));
    Ok(opened)
}

/// The virtual connection that a later channel names.
pub(super) fn known(shared: &Shared, user: &str, connection: Guid) -> io::Result<Arc<Virtual>> {
    let known = shared.rpc.lock().virtuals.get(&connection).cloned();
    match known {
        Some(known) if known.user == user => Ok(known),
        Some(_) => Err(wrong("somebody else's virtual connection")),
        None => Err(wrong("no such virtual connection")),
    }
}

async fn head<S: AsyncWrite + Unpin>(io: &mut S, shared: &Shared) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: {}\r\n\r\n",
        shared.config.rpc.out_bytes
    );
    Out::new(io, None).write(head.as_bytes()).await
}

/// Makes a channel the successor of another. Source: MS-RPCH 3.2.4.5.6 to 3.2.4.5.10.
async fn succeed<S>(
    io: &mut S,
    shared: &Shared,
    (known, packets): (&Virtual, &mut Packets),
    (old, new, _window): (Guid, Guid, u32),
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let other_proxy = shared.config.rpc.other_proxy;
    known.change(|inner| {
        if inner.out_cookie != old || inner.out_successor != Some(old) {
            return Err(wrong("a successor that nobody asked for"));
        }
        inner.out_successor = Some(new);
        inner.say(match other_proxy {
            true => recycling::out_r1_a6(TIMEOUT_MS),
            false => recycling::out_r2_a6(),
        });
        Ok(())
    })?;
    if !other_proxy && packets.control(io).await? != recycling::out_r2_c1() {
        return Err(wrong("no OUT_R2/C1"));
    }
    known.until(|inner| inner.may_go_over.then_some(())).await;
    known.change(|inner| {
        inner.say_last(match other_proxy {
            true => recycling::out_r1_a10(),
            false => recycling::out_r2_b3(),
        });
    });
    let is_over = known.until(|inner| match inner.has_said_last {
        true => Some(true),
        false => inner.has_ended.then_some(false),
    });
    if !is_over.await {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if other_proxy && packets.control(io).await? != recycling::out_r1_a11() {
        return Err(wrong("no OUT_R1/A11"));
    }
    Ok(())
}

/// Writes until the channel has a successor (`true`), or the connection ends.
async fn write<S>(io: &mut S, shared: &Shared, known: &Virtual) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    loop {
        let next = {
            let waited = known.until(|inner| match inner.next() {
                Next::Wait if inner.has_ended => Some(None),
                Next::Wait => None,
                next => Some(Some(next)),
            });
            tokio::select! {
                next = waited => next,
                more = io.read_u8() => {
                    more?;
                    return Err(wrong("octets after the request"));
                }
            }
        };
        let mut out = Out::new(&mut *io, None);
        let written = match next {
            None => return Ok(false),
            Some(Next::Write(octets)) => out.write(&octets).await.map(|()| None),
            Some(Next::Last(octets)) => {
                let written = out.write(&octets).await;
                known.change(|inner| inner.has_said_last = true);
                written.map(|()| Some(true))
            }
            Some(Next::Cut(octets)) => out.write(&octets).await.map(|()| Some(false)),
            Some(Next::Wait) => Ok(None),
        };
        shared.lock().counters.bytes_out += out.written();
        if let Some(ended) = written? {
            return Ok(ended);
        }
    }
}

/// What the first channel says once there is the other one. Source: MS-RPCH 2.2.4.9.
pub(super) fn established() -> Rts {
    Rts::conn_c2(WINDOW, TIMEOUT_MS)
}
