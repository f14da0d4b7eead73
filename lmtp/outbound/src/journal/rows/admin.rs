//! What an administrator asks of the queue.

use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{State, answer, envelope, millis, recipient, time};
use crate::{Filter, Listed, QueueId, RecipientState, Result, Shown};

/// Which part of a list is meant: those after `after`, at most `limit`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listing {
    pub(crate) after: QueueId,
    pub(crate) limit: u32,
}

const LISTED: &str =
    "SELECT message.*, count(*) AS recipients, sum(state = 0) AS waiting, min(due) AS due
  FROM message JOIN recipient ON recipient.message = message.id";

/// Messages that a filter lets through, in the order they came.
pub(crate) fn list(connection: &Connection, filter: &Filter, page: Listing) -> Result<Vec<Listed>> {
    let mut conditions = vec!["message.id > ?1".to_owned()];
    if !filter.ids.is_empty() {
        let ids: Vec<_> = filter.ids.iter().map(|id| id.0.to_string()).collect();
        conditions.push(format!("message.id IN ({})", ids.join(",")));
    }
    if let Some(held) = filter.held {
        conditions.push(format!("held = {}", u8::from(held)));
    }
    // An absent address is contained in everything.
    conditions.push(
        "(instr(lower(sender), ?3) > 0 OR EXISTS (SELECT 1 FROM recipient AS one
          WHERE one.message = message.id AND instr(lower(one.address), ?3) > 0))"
            .to_owned(),
    );
    let mut rows = connection.prepare(&format!(
        "{LISTED} WHERE {} GROUP BY message.id ORDER BY message.id LIMIT ?2",
        conditions.join(" AND ")
    ))?;
    let address = filter.address.as_deref().unwrap_or_default().to_lowercase();
    let listed = rows.query_map(params![page.after.0, page.limit, address], listed)?;
    Ok(listed.collect::<rusqlite::Result<_>>()?)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        id: QueueId(row.get("id")?),
        sender: row.get("sender")?,
        is_copy: row.get::<_, i64>("purpose")? != 0,
        size: row.get::<_, i64>("size")?.cast_unsigned(),
        arrived: time(row.get("arrived")?),
        held: row.get("held")?,
        waiting: row.get::<_, i64>("waiting")?.cast_unsigned(),
        recipients: row.get::<_, i64>("recipients")?.cast_unsigned(),
        due: row.get::<_, Option<i64>>("due")?.map(time),
    })
}

/// One message in full.
pub(crate) fn recipients(connection: &Connection, id: QueueId) -> Result<Option<Shown>> {
    let mut message = connection.prepare_cached(&format!(
        "{LISTED} WHERE message.id = ?1 GROUP BY message.id"
    ))?;
    let shown = message.query_row([id.0], |row| {
        Ok(Shown {
            listed: listed(row)?,
            envelope: envelope(row)?,
            expires: time(row.get("expires")?),
            recipients: Vec::new(),
        })
    });
    let Some(mut shown) = shown.optional()? else {
        return Ok(None);
    };
    let mut rows =
        connection.prepare_cached("SELECT * FROM recipient WHERE message = ?1 ORDER BY ordinal")?;
    let states = rows.query_map([id.0], |row| {
        Ok(RecipientState {
            recipient: recipient(row)?,
            hop: row.get("hop")?,
            state: match State::from_number(row.get("state")?) {
                State::Waiting => "waiting",
                State::Delivered => "delivered",
                State::Failed => "failed",
            },
            due: row.get::<_, Option<i64>>("due")?.map(time),
            attempts: row.get("attempts")?,
            attempted: row.get::<_, Option<i64>>("attempted")?.map(time),
            answer: answer(row)?,
        })
    })?;
    shown.recipients = states.collect::<rusqlite::Result<_>>()?;
    Ok(Some(shown))
}

/// Makes the waiting recipients of a message due now; not those of a held one. Whether there is such a message.
pub(crate) fn retry(connection: &Connection, id: QueueId, now: SystemTime) -> Result<bool> {
    let changed = connection.execute(
        "UPDATE recipient SET due = ?2 WHERE message = ?1 AND state = 0
         AND (SELECT held FROM message WHERE id = ?1) = 0",
        params![id.0, millis(now)],
    )?;
    Ok(changed > 0)
}

/// Keeps a message until somebody releases it. An attempt that is being made goes on.
pub(crate) fn hold(connection: &Connection, id: QueueId) -> Result<bool> {
    let changed = connection.execute("UPDATE message SET held = 1 WHERE id = ?1", [id.0])?;
    connection.execute("UPDATE recipient SET due = NULL WHERE message = ?1", [id.0])?;
    Ok(changed > 0)
}

/// Lets a held message go.
pub(crate) fn release(connection: &Connection, id: QueueId, now: SystemTime) -> Result<bool> {
    let changed = connection.execute(
        "UPDATE message SET held = 0 WHERE id = ?1 AND held = 1",
        [id.0],
    )?;
    Ok(changed > 0 && retry(connection, id, now)?)
}
