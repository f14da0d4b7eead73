//! What is on its way out: `dragoman queue`.

use std::time::{Duration, SystemTime};

use outbound::{Filter, Listed, QueueId, RecipientState};

use super::{QueueChange, administration::Administration};
use crate::failure::{Doing, Failure, Result};

impl Administration {
    /// A line for each message, and one for all.
    pub(super) async fn queue_list(&self, address: Option<&str>) -> Result<Vec<String>> {
        let filter = Filter {
            address: address.map(str::to_owned),
            ..Filter::default()
        };
        let mut lines = Vec::new();
        for listed in self.listed(&filter).await? {
            lines.push(line(&listed, SystemTime::now()));
        }
        let totals = self.queue.totals();
        lines.push(format!(
            "{} messages, {} octets",
            totals.messages, totals.bytes
        ));
        for hop in self.queue.hops() {
            if let Some(reason) = hop.reason {
                lines.push(format!("{} cannot be reached: {reason}", hop.name));
            }
        }
        Ok(lines)
    }

    async fn listed(&self, filter: &Filter) -> Result<Vec<Listed>> {
        let mut all: Vec<Listed> = Vec::new();
        loop {
            let after = all.last().map(|last| last.id);
            let page = self.queue.list(filter.clone(), after).await;
            let page = page.doing(|| "reading the outgoing queue".to_owned())?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// One message: its envelope and its recipients.
    pub(super) async fn queue_show(&self, id: &str) -> Result<Vec<String>> {
        let shown = self.queue.show(name(id)?).await.doing(|| id.to_owned())?;
        let now = SystemTime::now();
        let mut lines = vec![line(&shown.listed, now)];
        if let Some(submitter) = &shown.envelope.submitter {
            lines.push(format!("submitted by {submitter}"));
        }
        lines.push(format!("given up {}", when(shown.expires, now)));
        lines.extend(shown.recipients.iter().map(|one| recipient(one, now)));
        Ok(lines)
    }

    /// Changes messages; all without names.
    pub(super) async fn queue_change(
        &self,
        change: QueueChange,
        ids: &[String],
    ) -> Result<Vec<String>> {
        let ids: Vec<QueueId> = match ids {
            [] => {
                let all = self.listed(&Filter::default()).await?;
                all.into_iter().map(|listed| listed.id).collect()
            }
            some => some.iter().map(|id| name(id)).collect::<Result<_>>()?,
        };
        let mut failures = Vec::new();
        for id in ids {
            let changed = match change {
                QueueChange::Retry => self.queue.retry(id).await,
                QueueChange::Hold => self.queue.hold(id).await,
                QueueChange::Release => self.queue.release(id).await,
                QueueChange::Delete => self.queue.delete(id).await,
            };
            if let Err(error) = changed {
                failures.push(format!("{id}: {error}"));
            }
        }
        match failures.is_empty() {
            true => Ok(Vec::new()),
            false => Err(Failure::new(failures.join("\n"))),
        }
    }
}

fn name(id: &str) -> Result<QueueId> {
    id.parse().doing(|| id.to_owned())
}

fn line(listed: &Listed, now: SystemTime) -> String {
    let sender = match listed.sender.as_str() {
        _ if listed.is_copy => "copy",
        "" => "<>",
        sender => sender,
    };
    let state = match (listed.held, listed.due) {
        (true, _) => "held".to_owned(),
        (false, Some(due)) => format!("due {}", when(due, now)),
        (false, None) => "being sent".to_owned(),
    };
    format!(
        "{}  {sender}  {} octets, {} of {} recipients waiting, submitted {}, {state}",
        listed.id,
        listed.size,
        listed.waiting,
        listed.recipients,
        when(listed.arrived, now),
    )
}

fn recipient(state: &RecipientState, now: SystemTime) -> String {
    let mut line = format!("  {}: {}", state.recipient.address, state.state);
    if !state.hop.is_empty() {
        line += &format!(" ({})", state.hop);
    }
    if let Some(due) = state.due {
        line += &format!(", due {}", when(due, now));
    }
    if state.attempts > 0 {
        line += &format!(", tried {} times", state.attempts);
    }
    if let Some(answer) = &state.answer {
        line += &format!(", last answer: {answer}");
    }
    line
}

/// A time as people look at a queue: how far away it is.
fn when(time: SystemTime, now: SystemTime) -> String {
    match time.duration_since(now) {
        Ok(left) if left < Duration::from_secs(1) => "now".to_owned(),
        Ok(left) => format!("in {}", span(left)),
        Err(past) if past.duration() < Duration::from_secs(1) => "now".to_owned(),
        Err(past) => format!("{} ago", span(past.duration())),
    }
}

fn span(span: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3600, "h"), (60, "min")];
    let seconds = span.as_secs();
    match UNITS.iter().find(|(unit, _)| seconds >= *unit) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let check = |offset: i64, expected: &str| {
            let distance = Duration::from_secs(offset.unsigned_abs());
            let time = if offset < 0 {
                now - distance
            } else {
                now + distance
            };
            assert_eq!(when(time, now), expected);
        };
        check(0, "now");
        check(59, "in 59 s");
        check(3599, "in 59 min");
        check(7200, "in 2 h");
        check(-90, "1 min ago");
        check(-200_000, "2 d ago");
    }
}
