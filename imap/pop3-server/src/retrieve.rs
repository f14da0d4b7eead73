//! RETR and TOP: messages on their way to the client (RFC 1939 5 and 7).
//!
//! A large message is read in chunks, one while the one before it is sent, and a client that does not read stops that.
//! Small ones that a client fetches one after another are read several at a time.

use std::{collections::VecDeque, io, ops::Range};

use account::{ItemNumber, Piece};
use bytes::Bytes;
use front_end::Connection;

use crate::{
    Config, Server,
    command::MessageNumber,
    ending::{LINE_END_BYTES, last_octets},
    maildrop::{Maildrop, Message},
    reply::{self, Done, Failure, Reply},
    stuffing::Stuffing,
    top::Top,
};

/// Messages read in advance at a time.
const AHEAD_MESSAGES_MAX: usize = 64;

/// Octets of a message that TOP reads first; most headers are shorter.
const TOP_BYTES: u64 = 16 << 10;

/// Messages that the client will probably fetch next.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// Whole messages by position, ascending.
    messages: VecDeque<(usize, Bytes)>,
    /// The position that was fetched last.
    last: Option<usize>,
}

/// A message of which the beginning has been read.
struct Begun {
    /// Its first octets, or all of them.
    octets: Bytes,
    /// Octets that are kept.
    kept: u64,
    /// Octets that will be sent, dots aside.
    sent: u64,
}

/// `RETR message`
pub(crate) async fn retr(
    server: &Server,
    connection: &mut Connection,
    maildrop: &mut Maildrop,
    number: MessageNumber,
) -> Reply {
    let message = there(maildrop, number).await?;
    let begun = begin(&server.config, maildrop, message).await?;
    let text = format!("{} octets", begun.sent);
    reply::ok(connection.out(), &text);
    let mut stuffing = Stuffing::default();
    let chunk = u64::from(server.config.read_chunk_bytes);
    let (mut octets, mut rest) = (begun.octets, 0..begun.kept);
    rest.start = octets.len() as u64;
    while !rest.is_empty() {
        let range = rest.start..rest.end.min(rest.start + chunk);
        rest.start = range.end;
        let (sent, next) = tokio::join!(
            send(connection, &mut stuffing, &octets),
            read_on(maildrop, message.item.number, range)
        );
        sent?;
        octets = next?;
    }
    send(connection, &mut stuffing, &octets).await?;
    connection.out().extend_from_slice(stuffing.end());
    maildrop.fetched.insert(message.position);
    Ok(Done::Written)
}

/// `TOP message lines`
pub(crate) async fn top(
    server: &Server,
    connection: &mut Connection,
    maildrop: &mut Maildrop,
    (number, lines): (MessageNumber, u64),
) -> Reply {
    let message = there(maildrop, number).await?;
    let item = message.item.number;
    let kept = maildrop.kept_size(&message.item).await?.ok_or_else(gone)?;
    let mut range = 0..kept.min(TOP_BYTES);
    let mut octets = read(maildrop, &[piece(item, range.clone())]).await?;
    let mut current = octets.pop().flatten().ok_or_else(gone)?;
    reply::ok(connection.out(), "header and lines follow");
    let (mut stuffing, mut top) = (Stuffing::default(), Top::new(lines));
    let chunk = u64::from(server.config.read_chunk_bytes);
    loop {
        let taken = top.take(&current);
        send(connection, &mut stuffing, &current.slice(..taken)).await?;
        if top.is_done() || range.end >= kept {
            break;
        }
        range = range.end..kept.min(range.end + chunk);
        current = read_on(maildrop, item, range.clone()).await?;
    }
    connection.out().extend_from_slice(stuffing.end());
    Ok(Done::Written)
}

/// The message of a number, unless somebody has deleted it meanwhile.
async fn there(maildrop: &Maildrop, number: MessageNumber) -> Result<Message, Failure> {
    let message = maildrop.message(number)?;
    match maildrop.has(message.item.number).await? {
        true => Ok(message),
        false => Err(gone()),
    }
}

fn gone() -> Failure {
    Failure::no("that message is gone: another program has deleted it")
}

/// Reads a message's beginning, and perhaps the messages after it.
async fn begin(
    config: &Config,
    maildrop: &mut Maildrop,
    message: Message,
) -> Result<Begun, Failure> {
    let last = maildrop.ahead.last.replace(message.position);
    if let Some(octets) = maildrop.ahead.take(message.position) {
        return Ok(Begun::whole(octets));
    }
    let item = message.item.number;
    let kept = maildrop.kept_size(&message.item).await?.ok_or_else(gone)?;
    let chunk = u64::from(config.read_chunk_bytes);
    let mut pieces = vec![piece(item, 0..kept.min(chunk))];
    let mut following = Vec::new();
    if kept > chunk {
        pieces.push(last_octets(item, kept));
    } else if last.map_or(message.position == 0, |last| last < message.position) {
        following = maildrop.following(
            message.position,
            config.read_ahead_bytes.saturating_sub(kept),
        );
        pieces.extend(following.iter().map(|(_, piece)| piece.clone()));
    }
    let mut read = read(maildrop, &pieces).await?.into_iter();
    let octets = read.next().flatten().ok_or_else(gone)?;
    if kept > chunk {
        let end = read.next().flatten().ok_or_else(gone)?;
        let added = if *end == *b"\r\n" { 0 } else { LINE_END_BYTES };
        let sent = kept + added;
        return Ok(Begun { octets, kept, sent });
    }
    let messages = following.into_iter().zip(read);
    let messages = messages.filter_map(|((position, piece), octets)| {
        let octets = octets.filter(|octets| octets.len() as u64 == piece.range.end)?;
        Some((position, octets))
    });
    maildrop.ahead.messages = messages.collect();
    Ok(Begun::whole(octets))
}

impl Ahead {
    /// A message, if it is there; those before it are not waited for any more.
    fn take(&mut self, position: usize) -> Option<Bytes> {
        while self
            .messages
            .front()
            .is_some_and(|(first, _)| *first < position)
        {
            self.messages.pop_front();
        }
        let (_, octets) = self
            .messages
            .pop_front_if(|(first, _)| *first == position)?;
        Some(octets)
    }
}

impl Begun {
    fn whole(octets: Bytes) -> Self {
        let kept = octets.len() as u64;
        let is_complete = octets.is_empty() || octets.ends_with(b"\r\n");
        let added = if is_complete { 0 } else { LINE_END_BYTES };
        Self {
            octets,
            kept,
            sent: kept + added,
        }
    }
}

impl Maildrop {
    /// The messages after a position that are of so many octets together, as pieces to read.
    fn following(&self, position: usize, bytes_max: u64) -> Vec<(usize, Piece)> {
        let mut room = bytes_max;
        let items = self.index.iter_from(position + 1).zip(position + 1..);
        let kept = items.filter(|(_, position)| !self.deleted.contains(position));
        let pieces = kept.map_while(|(item, position)| {
            let size = item.size.known()?;
            room = room.checked_sub(size)?;
            Some((position, piece(item.number, 0..size)))
        });
        pieces.take(AHEAD_MESSAGES_MAX).collect()
    }
}

const fn piece(item: ItemNumber, range: Range<u64>) -> Piece {
    Piece { item, range }
}

async fn read(maildrop: &Maildrop, pieces: &[Piece]) -> Result<Vec<Option<Bytes>>, Failure> {
    Ok(maildrop.account.read(maildrop.folder, pieces).await?)
}

/// Reads more of a message that is being sent. The client waits for its end: if there is none, the connection ends.
async fn read_on(maildrop: &Maildrop, item: ItemNumber, range: Range<u64>) -> io::Result<Bytes> {
    let wanted = range.end.saturating_sub(range.start);
    let piece = piece(item, range);
    let read = maildrop.account.read(maildrop.folder, &[piece]).await;
    match read.map_err(io::Error::other)?.into_iter().next().flatten() {
        Some(octets) if octets.len() as u64 == wanted => Ok(octets),
        _ => Err(io::Error::other("a message vanished while it was sent")),
    }
}

/// Sends the next octets of a message.
async fn send(
    connection: &mut Connection,
    stuffing: &mut Stuffing,
    octets: &[u8],
) -> io::Result<()> {
    for piece in stuffing.pieces(octets) {
        if piece.dot {
            connection.send(b".").await?;
        }
        connection.send(piece.octets).await?;
    }
    Ok(())
}
