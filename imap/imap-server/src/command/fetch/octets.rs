//! BODY[…] and its old names: octets of messages, many small ones read at once, large ones streamed.
//!
//! Octets are sent exactly as they are kept. RFC 3501 9 allows no NUL in a literal; a message that has one is sent with
//! it, for a reader is better served by the truth than by a substitute.

use std::{io, ops::Range};

use account::{Piece, mime};
use bytes::Bytes;
use imap_wire::FetchWriter;

use super::{
    Context, Job, Message, finish,
    target::{Target, cut, len, targets},
    write_item,
};
use crate::{
    plan::{Fields, Label, Octets, Plan, PlanItem, What},
    reply::Failure,
    state::{Authenticated, Selected, Talk},
};

/// Literals up to here are copied into the connection's buffer, larger ones are sent from where they are.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// A message with what is to be read of it: one target for every item of octets in the plan.
struct Wanted<'a> {
    message: &'a Message,
    targets: Vec<Target>,
}

/// The job's surroundings.
struct Place<'a> {
    user: &'a Authenticated,
    mailbox: &'a Selected,
}

/// Messages whose small pieces were read together; one entry for each piece.
struct Batch<'a> {
    wanted: Vec<Wanted<'a>>,
    octets: Vec<Option<Bytes>>,
}

/// Writes messages of which octets are read. While one batch is being sent, the next is read.
pub(super) async fn write(
    job: &mut Job,
    talk: &mut Talk<'_>,
    user: &Authenticated,
    (mailbox, messages): (&Selected, &[Message]),
) -> Result<(), Failure> {
    let place = Place { user, mailbox };
    let config = &talk.server.config;
    let chunk = u64::from(config.read_chunk_bytes);
    let batches = batches(&job.plan, messages, chunk, config.header_bytes_max);
    let mut ready: Option<Batch<'_>> = None;
    for wanted in batches {
        let (read, written) = tokio::join!(read_batch(&place, wanted), async {
            match ready.take() {
                Some(batch) => write_batch(job, talk, &place, batch).await,
                None => Ok(()),
            }
        });
        written?;
        ready = Some(read?);
    }
    match ready {
        Some(batch) => write_batch(job, talk, &place, batch).await,
        None => Ok(()),
    }
}

/// Groups messages by how much is read of them at once.
fn batches<'a>(
    plan: &Plan,
    messages: &'a [Message],
    chunk: u64,
    header_max: u64,
) -> Vec<Vec<Wanted<'a>>> {
    let mut batches = Vec::new();
    let mut batch: Vec<Wanted<'_>> = Vec::new();
    let mut batch_bytes = 0;
    for message in messages {
        let targets = targets(plan, message, chunk, header_max);
        let bytes: u64 = targets.iter().filter_map(Target::at_once).map(len).sum();
        if batch_bytes + bytes > chunk && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            batch_bytes = 0;
        }
        batch_bytes += bytes;
        batch.push(Wanted { message, targets });
    }
    batches.push(batch);
    batches
}

/// Reads what is small enough in one go.
async fn read_batch<'a>(place: &Place<'_>, wanted: Vec<Wanted<'a>>) -> Result<Batch<'a>, Failure> {
    let mut pieces = Vec::new();
    for Wanted { message, targets } in &wanted {
        let item = message.state.number;
        let ranges = targets.iter().filter_map(Target::at_once).cloned();
        pieces.extend(ranges.map(|range| Piece { item, range }));
    }
    let account = &place.user.account;
    let octets = match pieces.is_empty() {
        true => Vec::new(),
        false => account.read(place.mailbox.folder, &pieces).await?,
    };
    Ok(Batch { wanted, octets })
}

/// Writes message by message; those that are gone are left out.
async fn write_batch(
    job: &mut Job,
    talk: &mut Talk<'_>,
    place: &Place<'_>,
    batch: Batch<'_>,
) -> Result<(), Failure> {
    let mut read = batch.octets.into_iter();
    for wanted in &batch.wanted {
        let count = wanted.targets.iter().filter_map(Target::at_once).count();
        let octets: Vec<Option<Bytes>> = read.by_ref().take(count).collect();
        let whole: Vec<Bytes> = octets.into_iter().flatten().collect();
        if whole.len() < count {
            job.missing = true;
            continue;
        }
        write_message(job, talk, place, (wanted, whole)).await?;
        job.shown = wanted.message.state.number;
        talk.connection.flush_if_full().await?;
    }
    Ok(())
}

async fn write_message(
    job: &mut Job,
    talk: &mut Talk<'_>,
    place: &Place<'_>,
    (wanted, octets): (&Wanted<'_>, Vec<Bytes>),
) -> Result<(), Failure> {
    let Wanted { message, targets } = wanted;
    let (mut targets, mut octets) = (targets.iter(), octets.into_iter());
    let mut writer = talk.connection.writer();
    let mut fetch = writer.fetch(message.sequence);
    for plan_item in &job.plan.items {
        let (item, target) = match plan_item {
            PlanItem::Octets(item) => (item, targets.next().unwrap_or(&Target::AtHand)),
            plain => {
                let context = &mut Context {
                    mailbox: place.mailbox,
                    index: &job.index,
                    names: &mut job.names,
                };
                write_item(plain, &mut fetch, message, context);
                continue;
            }
        };
        match target {
            Target::AtHand => write_at_hand(item, &mut fetch, message),
            Target::Nil => nil(&mut fetch, item),
            Target::Header(_) => {
                let block = octets.next().unwrap_or_default();
                nested_fields(&mut fetch, item, &block);
            }
            Target::Read(_) => {
                let octets = octets.next().unwrap_or_default();
                let out = literal(&mut fetch, item, octets.len() as u64);
                if octets.len() <= COPIED_BYTES_MAX {
                    out.extend_from_slice(&octets);
                } else {
                    talk.connection.send(&octets).await?;
                    fetch = FetchWriter::resume(talk.connection.out());
                }
            }
            Target::Stream { head, rest } => {
                literal(&mut fetch, item, len(head) + len(rest));
                let head = match head.is_empty() {
                    true => Bytes::new(),
                    false => octets.next().unwrap_or_default(),
                };
                let sent = stream(talk, place, message, (head, rest.clone())).await;
                sent.map_err(Failure::Io)?;
                fetch = FetchWriter::resume(talk.connection.out());
            }
        }
    }
    let context = &mut Context {
        mailbox: place.mailbox,
        index: &job.index,
        names: &mut job.names,
    };
    finish(fetch, message, context);
    Ok(())
}

/// Sends octets and the range of the message that follows them, reading one chunk while the one before it is sent.
///
/// The client was promised these octets: a message that cannot be read any more ends the connection.
async fn stream(
    talk: &mut Talk<'_>,
    place: &Place<'_>,
    message: &Message,
    (mut current, mut rest): (Bytes, Range<u64>),
) -> io::Result<()> {
    let chunk_bytes = u64::from(talk.server.config.read_chunk_bytes);
    while !rest.is_empty() {
        let range = rest.start..(rest.start + chunk_bytes).min(rest.end);
        rest.start = range.end;
        let item = message.state.number;
        let (sent, next) = tokio::join!(
            talk.connection.send(&current),
            read_one(place, Piece { item, range })
        );
        sent?;
        current = next?;
    }
    talk.connection.send(&current).await
}

async fn read_one(place: &Place<'_>, piece: Piece) -> io::Result<Bytes> {
    let wanted = len(&piece.range);
    let account = &place.user.account;
    let read = account.read(place.mailbox.folder, &[piece]).await;
    match read.map_err(io::Error::other)?.into_iter().next().flatten() {
        Some(octets) if octets.len() as u64 == wanted => Ok(octets),
        _ => Err(io::Error::other("a message vanished while it was sent")),
    }
}

/// Writes a message's own header or fields of it.
pub(super) fn write_at_hand(item: &Octets, fetch: &mut FetchWriter<'_>, message: &Message) {
    let Some(facts) = &message.facts else {
        return nil(fetch, item);
    };
    match &item.what {
        What::Header => body(fetch, item, facts.header()),
        What::Fields(fields) => body(fetch, item, &select(facts.header(), fields)),
        What::Whole | What::Part { .. } | What::PartFields { .. } => nil(fetch, item),
    }
}

fn nested_fields(fetch: &mut FetchWriter<'_>, item: &Octets, block: &[u8]) {
    match &item.what {
        What::PartFields { fields, .. } => body(fetch, item, &select(block, fields)),
        _ => nil(fetch, item),
    }
}

fn select(block: &[u8], fields: &Fields) -> Vec<u8> {
    let mut chosen = Vec::with_capacity(256);
    mime::header::select(block, &fields.names, fields.which, &mut chosen);
    chosen
}

/// Writes octets that are at hand, or the part of them that was asked for.
fn body(fetch: &mut FetchWriter<'_>, item: &Octets, octets: &[u8]) {
    let range = cut(0..octets.len() as u64, item.partial);
    let octets = octets
        .get(range.start as usize..range.end as usize)
        .unwrap_or_default();
    literal(fetch, item, octets.len() as u64).extend_from_slice(octets);
}

fn literal<'f>(fetch: &'f mut FetchWriter<'_>, item: &Octets, len: u64) -> &'f mut Vec<u8> {
    match &item.label {
        Label::Body(label) => {
            fetch.body_literal(label, item.partial.map(|partial| partial.offset), len)
        }
        Label::Rfc822(name) => fetch.rfc822_literal(name, len),
    }
}

fn nil(fetch: &mut FetchWriter<'_>, item: &Octets) {
    match &item.label {
        Label::Body(label) => fetch.body_nil(label, item.partial.map(|partial| partial.offset)),
        Label::Rfc822(name) => {
            fetch.rfc822_literal(name, 0);
        }
    }
}
