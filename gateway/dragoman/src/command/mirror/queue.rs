//! What waits in a mirror for its server, and what the server refused of it.

use std::{fs::File, io::Write, path::Path, time::SystemTime};

use account::FileTime;
use store_openchange::{PendingItem, QueueStatus};

use super::{Administration, mailbox, size};
use crate::failure::{Doing, Result};

/// Octets of a message that are written at a time.
const PIECE_BYTES: usize = 1 << 20;

impl Administration {
    /// Lets what the server refused wait for another try.
    pub(in crate::command) async fn retry_mirror(&self, address: &str) -> Result<Vec<String>> {
        let id = mailbox(address)?;
        let mirror = self.mirror(&id).await?;
        let again = match self.backends.of_mailbox(&id.0) {
            Some(section) => section.exchange().retry_queue(&id).await,
            None => mirror.queue_retry().await,
        };
        let again = again.doing(|| format!("trying again what was refused for {id}"))?;
        Ok(vec![format!("{again} messages are tried again")])
    }

    /// Writes what the server refused into files of a folder. It stays in the mirror.
    pub(in crate::command) async fn export_refused(
        &self,
        address: &str,
        to: &Path,
    ) -> Result<Vec<String>> {
        let id = mailbox(address)?;
        let mirror = self.mirror(&id).await?;
        let refused = mirror.queue_refused_drafts().await;
        let refused = refused.doing(|| format!("reading what was refused for {id}"))?;
        let mut lines = Vec::with_capacity(refused.len());
        for (at, item) in refused.iter().enumerate() {
            let path = to.join(format!("{id}-{}.eml", at + 1));
            write(item, &path).doing(|| format!("writing {}", path.display()))?;
            lines.push(path.display().to_string());
        }
        Ok(lines)
    }
}

/// Writes a message as a client would fetch it, into a new file.
fn write(item: &PendingItem, path: &Path) -> std::io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(&item.draft.prefix)?;
    if let Some(original) = &item.draft.message.original {
        let mut offset = 0;
        while offset < original.len() {
            let left = usize::try_from(original.len() - offset).unwrap_or(PIECE_BYTES);
            let mut piece = vec![0; left.min(PIECE_BYTES)];
            original.source().read_exact_at(&mut piece, offset)?;
            file.write_all(&piece)?;
            offset += piece.len() as u64;
        }
    }
    file.sync_all()
}

/// What an administrator is told of a queue.
pub(super) fn lines(queue: &QueueStatus) -> Vec<String> {
    let now = FileTime::from(SystemTime::now());
    let age = |since: FileTime| age(now.unix().saturating_sub(since.unix()));
    let since = queue.since.map(age);
    let since = since.map_or_else(String::new, |age| format!(", the first for {age}"));
    let mut lines = vec![format!(
        "waiting for the server: {} changes, {} of messages{since}",
        queue.waiting,
        size(queue.bytes)
    )];
    lines.extend(queue.refused.iter().map(|refused| {
        format!(
            "refused by the server: a message of {} in {:?}, for {}: {}",
            size(refused.bytes),
            refused.name,
            age(refused.since),
            refused.reason
        )
    }));
    if !queue.refused.is_empty() {
        lines.push(
            "what was refused stays visible to its owner; `dragoman mirror retry` tries again, \
             `dragoman mirror export` writes it into files"
                .to_owned(),
        );
    }
    lines
}

/// A span of seconds for people.
fn age(seconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "days"), (3600, "hours"), (60, "minutes")];
    let seconds = seconds.max(0);
    match UNITS.iter().find(|(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{} {name}", seconds / unit),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_the_largest_unit_of_which_there_are_two() {
        let check = |seconds, expected: &str| assert_eq!(age(seconds), expected);
        check(-1, "0 seconds");
        check(119, "119 seconds");
        check(120, "2 minutes");
        check(7200, "2 hours");
        check(200_000, "2 days");
    }
}
