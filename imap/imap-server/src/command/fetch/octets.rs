//! BODY[…] and its old names: octets of messages, many small ones read at once, large ones streamed.
//!
//! Octets are sent exactly as they are kept. RFC 3501 9 allows no NUL in a literal; a message that has one is sent with
//! it, for a reader is better served by the truth than by a substitute.

use std::ops::Range;

use account::{FolderId, Piece, mime};
use bytes::Bytes;
use imap_wire::{FetchWriter, Partial};

use super::{Context, Job, Message, finish, write_item};
use crate::{
    plan::{Fields, Label, Octets, Plan, PlanItem, What},
    reply::Failure,
    state::{Authenticated, Selected, Talk},
};

/// Literals up to here are copied into the connection's buffer, larger ones are sent from where they are.
const COPIED_BYTES_MAX: usize = 16 << 10;

/// How many chunks of one message may be held at once.
const MESSAGE_CHUNKS_MAX: u64 = 4;

/// What is to be done about an item of octets for one message. Ranges count from the message's first octet as clients
/// fetch it.
#[derive(Debug)]
enum Target {
    /// Written from the facts.
    AtHand,
    /// There is no such part.
    Nil,
    /// Read together with others.
    Read(Range<u64>),
    /// A header, read together with others, to pick fields from.
    Header(Range<u64>),
    /// Too large to be held.
    Stream(Range<u64>),
}

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
        let mut targets = targets(plan, message, chunk, header_max);
        let at_once = |targets: &[Target]| -> u64 {
            targets.iter().filter_map(Target::at_once).map(len).sum()
        };
        if at_once(&targets) > chunk.saturating_mul(MESSAGE_CHUNKS_MAX) {
            // One message asked for in many large pieces: none of them is held.
            targets = targets.into_iter().map(Target::streamed).collect();
        }
        let bytes = at_once(&targets);
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
                    fetch = FetchWriter::resume(&mut talk.connection.out);
                }
            }
            Target::Stream(range) => {
                literal(&mut fetch, item, len(range));
                stream(talk, place, message, range.clone()).await?;
                fetch = FetchWriter::resume(&mut talk.connection.out);
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

/// Sends a range of a message chunk by chunk, reading one while the one before it is sent.
///
/// The client was promised these octets: a message that vanishes now ends the connection.
async fn stream(
    talk: &mut Talk<'_>,
    place: &Place<'_>,
    message: &Message,
    range: Range<u64>,
) -> Result<(), Failure> {
    let chunk_bytes = u64::from(talk.server.config.read_chunk_bytes);
    let item = message.state.number;
    let folder = place.mailbox.folder;
    let chunk = |start: u64| Piece {
        item,
        range: start..(start + chunk_bytes).min(range.end),
    };
    let mut at = range.start;
    let mut current = read_one(place, folder, chunk(at)).await?;
    loop {
        at += current.len() as u64;
        if at >= range.end {
            talk.connection.send(&current).await?;
            return Ok(());
        }
        let (sent, next) = tokio::join!(
            talk.connection.send(&current),
            read_one(place, folder, chunk(at))
        );
        sent?;
        current = next?;
    }
}

async fn read_one(place: &Place<'_>, folder: FolderId, piece: Piece) -> Result<Bytes, Failure> {
    let wanted = len(&piece.range);
    let read = place.user.account.read(folder, &[piece]).await?;
    match read.into_iter().next().flatten() {
        Some(octets) if octets.len() as u64 == wanted => Ok(octets),
        _ => {
            let gone = std::io::Error::other("a message vanished while it was sent");
            Err(Failure::Io(gone))
        }
    }
}

impl Target {
    /// What is to be read together with others.
    const fn at_once(&self) -> Option<&Range<u64>> {
        match self {
            Self::Read(range) | Self::Header(range) => Some(range),
            Self::AtHand | Self::Nil | Self::Stream(_) => None,
        }
    }

    /// The same without holding octets, where that is possible.
    fn streamed(self) -> Self {
        match self {
            Self::Read(range) => Self::Stream(range),
            other => other,
        }
    }
}

/// What to do about each item of octets.
fn targets(plan: &Plan, message: &Message, chunk: u64, header_max: u64) -> Vec<Target> {
    let octets = plan.items.iter().filter_map(|item| match item {
        PlanItem::Octets(octets) => Some(octets),
        _ => None,
    });
    octets
        .map(|octets| target(octets, message, chunk, header_max))
        .collect()
}

fn target(octets: &Octets, message: &Message, chunk: u64, header_max: u64) -> Target {
    let section = |path: &[u32], kind| {
        let facts = message.facts.as_ref()?;
        let range = facts.structure()?.section(path, kind)?;
        Some(range.start + facts.prefix_len()..range.end + facts.prefix_len())
    };
    let range = match &octets.what {
        What::Header | What::Fields(_) => return Target::AtHand,
        What::Whole => Some(0..u64::from(message.state.size)),
        What::Part { path, kind } => section(path, *kind),
        What::PartFields { path, .. } => {
            let Some(range) = section(path, mime::SectionKind::Header) else {
                return Target::Nil;
            };
            let end = range.end.min(range.start + header_max);
            return Target::Header(range.start..end);
        }
    };
    let Some(range) = range else {
        return Target::Nil;
    };
    let range = cut(range, octets.partial);
    if len(&range) <= chunk {
        Target::Read(range)
    } else {
        Target::Stream(range)
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

/// The part of a range that was asked for; empty beyond its end.
fn cut(range: Range<u64>, partial: Option<Partial>) -> Range<u64> {
    let Some(Partial { offset, length }) = partial else {
        return range;
    };
    let start = range.start.saturating_add(offset).min(range.end);
    start..start.saturating_add(length).min(range.end)
}

const fn len(range: &Range<u64>) -> u64 {
    range.end.saturating_sub(range.start)
}
