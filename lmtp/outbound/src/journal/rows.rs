//! Messages and recipients as rows, and what is asked of them.

mod admin;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

pub(crate) use self::admin::{Listing, hold, list, recipients, release, retry};
use super::QueueId;
use crate::{
    Answer, BodyKind, Enhanced, Envelope, Notify, Purpose, Recipient, Result, Returned,
    content::{Taken, TakenPlace},
};

/// A message on its way into the queue.
#[derive(Debug)]
pub(crate) struct New {
    pub(crate) envelope: Envelope,
    /// The hop of each recipient; the empty name is inside.
    pub(crate) hops: Vec<String>,
    pub(crate) arrived: SystemTime,
    pub(crate) expires: SystemTime,
    pub(crate) taken: Taken,
}

/// A message and those of its recipients who are due at one hop.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) id: QueueId,
    /// Without recipients.
    pub(crate) envelope: Envelope,
    pub(crate) arrived: SystemTime,
    pub(crate) expires: SystemTime,
    pub(crate) size: u64,
    pub(crate) place: Stored,
    pub(crate) waiting: Vec<Waiting>,
}

/// Where a message's octets are.
#[derive(Clone, Debug)]
pub(crate) enum Stored {
    Row(Bytes),
    File(String),
}

/// A recipient who waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) ordinal: u32,
    pub(crate) recipient: Recipient,
    pub(crate) attempts: u32,
    pub(crate) delay_told: bool,
}

/// What becomes of a recipient after an attempt.
#[derive(Clone, Debug)]
pub(crate) struct RecipientRow {
    pub(crate) ordinal: u32,
    pub(crate) answer: Answer,
    pub(crate) ending: Ending,
}

#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Over(State),
    /// To be tried again: when, where (`None`: where it was), after how many attempts, and whether the sender knows.
    Again {
        due: SystemTime,
        hop: Option<String>,
        attempts: u32,
        delay_told: bool,
    },
}

/// How a recipient stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Waiting,
    Delivered,
    Failed,
}

impl State {
    const fn number(self) -> i64 {
        match self {
            Self::Waiting => 0,
            Self::Delivered => 1,
            Self::Failed => 2,
        }
    }

    const fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Delivered,
            2 => Self::Failed,
            _ => Self::Waiting,
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn millis(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(crate) fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// Puts a message into the queue.
pub(crate) fn insert(connection: &Connection, new: &New) -> Result<QueueId> {
    let envelope = &new.envelope;
    let (file, content) = match &new.taken.place {
        TakenPlace::Row(octets) => (None, Some(octets.as_ref())),
        TakenPlace::File(name) => (Some(name.as_str()), None),
    };
    let mut message = connection.prepare_cached(
        "INSERT INTO message (sender, submitter, envelope_id, returned, body, utf8, require_tls, arrived, expires, size, file, content, purpose)
         VALUES (:sender, :submitter, :envelope_id, :returned, :body, :utf8, :require_tls, :arrived, :expires, :size, :file, :content, :purpose)",
    )?;
    message.execute(named_params! {
        ":sender": envelope.sender,
        ":submitter": envelope.submitter,
        ":envelope_id": envelope.envelope_id,
        ":returned": returned_number(envelope.returned),
        ":body": body_number(new.taken.kind),
        ":utf8": envelope.utf8,
        ":require_tls": envelope.require_tls,
        ":arrived": millis(new.arrived),
        ":expires": millis(new.expires),
        ":size": new.taken.len.cast_signed(),
        ":file": file,
        ":content": content,
        ":purpose": purpose_number(envelope.purpose),
    })?;
    let id = connection.last_insert_rowid();
    let due = millis(envelope.hold_until.unwrap_or(new.arrived));
    let mut recipient = connection.prepare_cached(
        "INSERT INTO recipient (message, ordinal, address, original, notify, hop, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (ordinal, (one, hop)) in (0_u32..).zip(envelope.recipients.iter().zip(&new.hops)) {
        let notify = one.notify.bits();
        recipient.execute(params![
            id,
            ordinal,
            one.address,
            one.original,
            notify,
            hop,
            due
        ])?;
    }
    Ok(QueueId(id))
}

/// Messages with recipients who are due at a hop, the longest due first, without those in `skip`.
pub(crate) fn due(
    connection: &Connection,
    (hop, now): (&str, SystemTime),
    skip: &[QueueId],
    limit: usize,
) -> Result<Vec<QueueId>> {
    let mut found: Vec<QueueId> = Vec::new();
    // Names are numbers; there are as few to skip as there are connections.
    let skip: Vec<_> = skip.iter().map(|id| id.0.to_string()).collect();
    let mut rows = connection.prepare(&format!(
        "SELECT message FROM recipient WHERE hop = ?1 AND due <= ?2 AND message NOT IN ({}) ORDER BY due, message, ordinal",
        skip.join(",")
    ))?;
    let mut rows = rows.query(params![hop, millis(now)])?;
    while let Some(row) = rows.next()? {
        let id = QueueId(row.get(0)?);
        if found.last() != Some(&id) && !found.contains(&id) {
            if found.len() == limit {
                break;
            }
            found.push(id);
        }
    }
    Ok(found)
}

/// When the next recipient of a hop is due who is not due yet.
pub(crate) fn next_due(
    connection: &Connection,
    hop: &str,
    now: SystemTime,
) -> Result<Option<SystemTime>> {
    let mut row =
        connection.prepare_cached("SELECT MIN(due) FROM recipient WHERE hop = ?1 AND due > ?2")?;
    let due: Option<i64> = row.query_row(params![hop, millis(now)], |row| row.get(0))?;
    Ok(due.map(time))
}

/// Messages with recipients who are due at a hop, and have expired, or whose sender is to be told that they are late: so they
/// are from `late_before_expiry` before they expire.
pub(crate) fn overdue(
    connection: &Connection,
    (hop, now): (&str, SystemTime),
    late_before_expiry: Duration,
    limit: u32,
) -> Result<Vec<QueueId>> {
    let mut rows = connection.prepare_cached(
        "SELECT DISTINCT message.id FROM message JOIN recipient ON recipient.message = message.id
         WHERE hop = ?1 AND due <= ?2 AND (expires <= ?2 OR (delay_told = 0 AND expires <= ?3)) LIMIT ?4",
    )?;
    let late = millis(now + late_before_expiry);
    let ids = rows.query_map(params![hop, millis(now), late, limit], |row| {
        row.get(0).map(QueueId)
    })?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// A message and its recipients who are due at a hop; `None` when there are none.
pub(crate) fn load(
    connection: &Connection,
    id: QueueId,
    (hop, now): (&str, SystemTime),
) -> Result<Option<Loaded>> {
    let mut message = connection.prepare_cached("SELECT * FROM message WHERE id = ?1")?;
    let Some(mut loaded) = message.query_row([id.0], loaded).optional()? else {
        return Ok(None);
    };
    let mut rows = connection.prepare_cached(
        "SELECT * FROM recipient WHERE message = ?1 AND hop = ?2 AND due <= ?3 ORDER BY ordinal",
    )?;
    let waiting = rows.query_map(params![id.0, hop, millis(now)], |row| {
        Ok(Waiting {
            ordinal: row.get("ordinal")?,
            recipient: recipient(row)?,
            attempts: row.get("attempts")?,
            delay_told: row.get("delay_told")?,
        })
    })?;
    loaded.waiting = waiting.collect::<rusqlite::Result<_>>()?;
    Ok((!loaded.waiting.is_empty()).then_some(loaded))
}

fn recipient(row: &Row<'_>) -> rusqlite::Result<Recipient> {
    Ok(Recipient {
        address: row.get("address")?,
        original: row.get("original")?,
        notify: Notify::from_bits(row.get("notify")?),
    })
}

fn loaded(row: &Row<'_>) -> rusqlite::Result<Loaded> {
    let place = match row.get::<_, Option<String>>("file")? {
        Some(name) => Stored::File(name),
        None => Stored::Row(row.get::<_, Vec<u8>>("content")?.into()),
    };
    Ok(Loaded {
        id: QueueId(row.get("id")?),
        envelope: envelope(row)?,
        arrived: time(row.get("arrived")?),
        expires: time(row.get("expires")?),
        size: row.get::<_, i64>("size")?.cast_unsigned(),
        place,
        waiting: Vec::new(),
    })
}

/// The envelope of a row of `message`, without recipients.
fn envelope(row: &Row<'_>) -> rusqlite::Result<Envelope> {
    Ok(Envelope {
        purpose: match row.get("purpose")? {
            1 => Purpose::SentCopy,
            _ => Purpose::Mail,
        },
        sender: row.get("sender")?,
        submitter: row.get("submitter")?,
        envelope_id: row.get("envelope_id")?,
        returned: match row.get("returned")? {
            1 => Returned::Header,
            2 => Returned::Full,
            _ => Returned::Unsaid,
        },
        body: match row.get("body")? {
            0 => BodyKind::SevenBit,
            1 => BodyKind::EightBit,
            _ => BodyKind::Binary,
        },
        utf8: row.get("utf8")?,
        require_tls: row.get("require_tls")?,
        hold_until: None,
        recipients: Vec::new(),
    })
}

const fn purpose_number(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Mail => 0,
        Purpose::SentCopy => 1,
    }
}

const fn returned_number(returned: Returned) -> i64 {
    match returned {
        Returned::Unsaid => 0,
        Returned::Header => 1,
        Returned::Full => 2,
    }
}

const fn body_number(body: BodyKind) -> i64 {
    match body {
        BodyKind::SevenBit => 0,
        BodyKind::EightBit => 1,
        BodyKind::Binary => 2,
    }
}

/// A message that has left the queue: its octets, and the file to remove.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Left {
    pub(crate) size: u64,
    pub(crate) file: Option<String>,
}

/// What a settlement changed.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Whether anything was noted: not when somebody has deleted the message meanwhile.
    pub(crate) noted: bool,
    /// The message, when it has left the queue.
    pub(crate) left: Option<Left>,
}

/// Notes what came of recipients, and puts the reports that this calls for into the queue.
pub(crate) fn settle(
    connection: &Connection,
    (id, now): (QueueId, SystemTime),
    rows: &[RecipientRow],
    reports: &[New],
) -> Result<Done> {
    let mut changed = 0;
    for row in rows {
        changed += settle_one(connection, id, row, now)?;
    }
    if changed == 0 {
        return Ok(Done::default());
    }
    for report in reports {
        insert(connection, report)?;
    }
    let mut waiting = connection
        .prepare_cached("SELECT 1 FROM recipient WHERE message = ?1 AND state = 0 LIMIT 1")?;
    let left = match waiting.exists([id.0])? {
        true => None,
        false => remove(connection, id)?,
    };
    Ok(Done { noted: true, left })
}

fn settle_one(
    connection: &Connection,
    id: QueueId,
    row: &RecipientRow,
    now: SystemTime,
) -> Result<usize> {
    let mut update = connection.prepare_cached(
        "UPDATE recipient SET state = :state,
         due = CASE (SELECT held FROM message WHERE id = :message) WHEN 0 THEN :due END, hop = coalesce(:hop, hop), attempts = coalesce(:attempts, attempts + 1),
         delay_told = coalesce(:delay_told, delay_told), attempted = :now, code = :code, status = :status, answer = :answer
         WHERE message = :message AND ordinal = :ordinal AND state = 0",
    )?;
    let (state, due, hop, attempts, delay_told) = match &row.ending {
        Ending::Over(state) => (*state, None, None, None, None),
        Ending::Again {
            due,
            hop,
            attempts,
            delay_told,
        } => (
            State::Waiting,
            Some(millis(*due)),
            hop.as_ref(),
            Some(*attempts),
            Some(*delay_told),
        ),
    };
    Ok(update.execute(named_params! {
        ":state": state.number(),
        ":due": due,
        ":hop": hop,
        ":attempts": attempts,
        ":delay_told": delay_told,
        ":now": millis(now),
        ":code": row.answer.code,
        ":status": row.answer.status.to_string(),
        ":answer": row.answer.text,
        ":message": id.0,
        ":ordinal": row.ordinal,
    })?)
}

/// Takes a message out of the queue.
pub(crate) fn remove(connection: &Connection, id: QueueId) -> Result<Option<Left>> {
    let mut message =
        connection.prepare_cached("DELETE FROM message WHERE id = ?1 RETURNING size, file")?;
    let left = message.query_row([id.0], |row| {
        Ok(Left {
            size: row.get::<_, i64>(0)?.cast_unsigned(),
            file: row.get(1)?,
        })
    });
    Ok(left.optional()?)
}

/// Messages in the queue, and their octets.
pub(crate) fn totals(connection: &Connection) -> Result<(u64, u64)> {
    let row = connection.query_row(
        "SELECT count(*), coalesce(sum(size), 0) FROM message",
        [],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)),
    )?;
    Ok((row.0.cast_unsigned(), row.1.cast_unsigned()))
}

/// The files that messages refer to.
pub(crate) fn files(connection: &Connection) -> Result<std::collections::HashSet<String>> {
    let mut rows = connection.prepare("SELECT file FROM message WHERE file IS NOT NULL")?;
    let names = rows.query_map([], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// The hops at which recipients wait.
pub(crate) fn hops(connection: &Connection) -> Result<Vec<String>> {
    let mut rows = connection.prepare("SELECT DISTINCT hop FROM recipient WHERE state = 0")?;
    let names = rows.query_map([], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// Where the octets of a message are, and how many there are.
pub(crate) fn stored(connection: &Connection, id: QueueId) -> Result<Option<(Stored, u64)>> {
    let mut message = connection.prepare_cached("SELECT * FROM message WHERE id = ?1")?;
    let loaded = message.query_row([id.0], loaded).optional()?;
    Ok(loaded.map(|loaded| (loaded.place, loaded.size)))
}

/// A recipient whose hop is not there any more.
#[derive(Debug)]
pub(crate) struct Orphan {
    pub(crate) id: QueueId,
    pub(crate) ordinal: u32,
    pub(crate) address: String,
    pub(crate) sender: String,
    pub(crate) submitter: Option<String>,
}

/// The recipients who wait at a hop.
pub(crate) fn of_hop(connection: &Connection, hop: &str) -> Result<Vec<Orphan>> {
    let mut rows = connection.prepare(
        "SELECT message, ordinal, address, sender, submitter FROM recipient JOIN message ON message.id = message
         WHERE hop = ?1 AND state = 0",
    )?;
    let orphans = rows.query_map([hop], |row| {
        Ok(Orphan {
            id: QueueId(row.get(0)?),
            ordinal: row.get(1)?,
            address: row.get(2)?,
            sender: row.get(3)?,
            submitter: row.get(4)?,
        })
    })?;
    Ok(orphans.collect::<rusqlite::Result<_>>()?)
}

/// Gives a recipient another hop.
pub(crate) fn reroute(
    connection: &Connection,
    (id, ordinal): (QueueId, u32),
    hop: &str,
) -> Result<()> {
    connection.execute(
        "UPDATE recipient SET hop = ?3 WHERE message = ?1 AND ordinal = ?2",
        params![id.0, ordinal, hop],
    )?;
    Ok(())
}

fn answer(row: &Row<'_>) -> rusqlite::Result<Option<Answer>> {
    let Some(text) = row.get::<_, Option<String>>("answer")? else {
        return Ok(None);
    };
    let status: Option<String> = row.get("status")?;
    let mut digits = status
        .as_deref()
        .unwrap_or_default()
        .split('.')
        .map(|digits| digits.parse().unwrap_or_default());
    let mut digit = || digits.next().unwrap_or_default();
    let status = Enhanced(digit(), digit(), digit());
    Ok(Some(Answer::new(row.get("code")?, status, &text)))
}
