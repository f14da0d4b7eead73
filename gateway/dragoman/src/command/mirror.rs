//! `dragoman mirror`: what is kept here of mailboxes on Exchange, and forgetting it.

mod queue;

use account::MailboxId;
use directory::Address;
use store_exchange::Progress;
use store_openchange::{FolderStatus, Mirror, MirrorStatus};

use super::administration::Administration;
use crate::failure::{Doing, Failure, Result};

impl Administration {
    /// A line for each mirror.
    pub(super) async fn mirrors(&self) -> Result<Vec<String>> {
        let mirrors = self.store.mirrors().await;
        let mut lines = Vec::new();
        for id in mirrors.doing(|| "looking for mirrors".to_owned())? {
            let status = self.status(&self.mirror(&id).await?).await?;
            let total = total(&status);
            lines.push(format!(
                "{id}  {} of {} folders indexed, {} messages, {} on disk, {} on their way, {} changes waiting, {} refused",
                status
                    .folders
                    .iter()
                    .filter(|folder| folder.indexed)
                    .count(),
                status.folders.len(),
                total.items,
                size(total.bytes_rendered + total.bytes_kept),
                status.pending,
                status.queue.waiting,
                status.queue.refused.len(),
            ));
        }
        Ok(lines)
    }

    /// What one mirror holds, folder by folder.
    pub(super) async fn mirror_status(&self, address: &str) -> Result<Vec<String>> {
        let id = mailbox(address)?;
        let status = self.status(&self.mirror(&id).await?).await?;
        let progress = match self.backends.of_mailbox(&id.0) {
            Some(section) => section.exchange().progress(&id),
            None => Vec::new(),
        };
        let mut lines: Vec<_> = status
            .folders
            .iter()
            .map(|folder| {
                let under_way = progress.iter().find(|(id, _)| *id == folder.folder);
                line(folder, under_way.map(|(_, progress)| *progress))
            })
            .collect();
        lines.push(format!(
            "on their way to the server: {} messages",
            status.pending
        ));
        lines.extend(queue::lines(&status.queue));
        lines.extend(costs(&status));
        Ok(lines)
    }

    /// Drops what can be fetched again.
    pub(super) async fn drop_mirror(&self, address: &str) -> Result<Vec<String>> {
        let id = mailbox(address)?;
        let mirror = self.mirror(&id).await?;
        let refill = refill(&self.status(&mirror).await?);
        let dropped = match self.backends.of_mailbox(&id.0) {
            Some(section) => section.exchange().drop_mirror(&id).await,
            None => mirror.drop_contents().await,
        };
        dropped.doing(|| format!("dropping the mirror of {id}"))?;
        Ok(vec![format!(
            "dropped; UIDs stay; {refill} are fetched again; `dragoman compact` frees the room on disk"
        )])
    }

    /// Forgets a mirror with its numbers, once that is confirmed.
    pub(super) async fn reset_mirror(&self, address: &str, yes: bool) -> Result<Vec<String>> {
        let id = mailbox(address)?;
        let mirror = self.mirror(&id).await?;
        if !yes {
            let mut lines = costs(&self.status(&mirror).await?);
            lines.push("nothing was done: give --yes to reset the mirror".to_owned());
            return Err(Failure::new(lines.join("\n")));
        }
        let reset = match self.backends.of_mailbox(&id.0) {
            Some(section) => section.exchange().reset_mirror(&id).await,
            None => mirror.reset().await,
        };
        reset.doing(|| format!("resetting the mirror of {id}"))?;
        Ok(vec![
            "reset; UIDs begin anew, and every client fetches its mail again".to_owned(),
        ])
    }

    async fn mirror(&self, id: &MailboxId) -> Result<Mirror> {
        self.store
            .find_mirror(id)
            .await
            .doing(|| format!("the mirror of {id}"))
    }

    async fn status(&self, mirror: &Mirror) -> Result<MirrorStatus> {
        mirror
            .status()
            .await
            .doing(|| format!("reading the mirror of {}", mirror.id()))
    }
}

fn mailbox(address: &str) -> Result<MailboxId> {
    let address = Address::parse(address).doing(|| address.to_owned())?;
    Ok(MailboxId(address.to_string()))
}

fn line(folder: &FolderStatus, progress: Option<Progress>) -> String {
    let state = match (folder.indexed, folder.passing, progress) {
        (_, _, Some(Progress { expected, come })) => {
            format!("reading the index: {come} of {expected}")
        }
        (false, ..) => "not indexed yet".to_owned(),
        (true, true, None) => "to be read again".to_owned(),
        (true, false, None) => "up to date".to_owned(),
    };
    let stale = match folder.stale {
        0 => String::new(),
        stale => format!(", {stale} to be verified"),
    };
    format!(
        "{}: {state}, {} messages, {} with known size{stale}, {} fetched, {} kept for ever",
        folder.name,
        folder.items,
        folder.rendered,
        size(folder.bytes_rendered),
        size(folder.bytes_kept),
    )
}

/// What dropping and resetting would cost.
fn costs(status: &MirrorStatus) -> Vec<String> {
    let mut lines = vec![
        format!("drop: {} would be fetched again; UIDs stay", refill(status)),
        format!(
            "reset: every folder of every client would be fetched again, {} messages; UIDs begin anew",
            total(status).items
        ),
    ];
    let kept: u32 = status.folders.iter().map(|folder| folder.kept).sum();
    if kept > 0 {
        lines.push(format!(
            "reset: the original octets of {kept} messages that came by way of the gateway would be lost; \
             they would be made anew from what the server keeps"
        ));
    }
    if status.pending > 0 {
        lines.push(format!(
            "reset: {} messages on their way to the server would be lost",
            status.pending
        ));
    }
    let refused = status.queue.refused.len() as u64;
    if status.queue.waiting + refused > 0 {
        lines.push(format!(
            "reset: {} changes that wait for the server, and {refused} messages that it refused, would be lost",
            status.queue.waiting
        ));
    }
    lines
}

fn refill(status: &MirrorStatus) -> String {
    let total = total(status);
    format!(
        "{} messages, about {}",
        total.refill_items,
        size(total.refill_bytes)
    )
}

/// All folders together.
fn total(status: &MirrorStatus) -> Total {
    let mut total = Total::default();
    for folder in &status.folders {
        total.items += u64::from(folder.items);
        total.bytes_rendered += folder.bytes_rendered;
        total.bytes_kept += folder.bytes_kept;
        total.refill_items += u64::from(folder.refill_items);
        total.refill_bytes += folder.refill_bytes;
    }
    total
}

#[derive(Default)]
struct Total {
    items: u64,
    bytes_rendered: u64,
    bytes_kept: u64,
    refill_items: u64,
    refill_bytes: u64,
}

/// Octets for people.
pub(crate) fn size(octets: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| octets >= *unit) {
        Some((unit, name)) => format!("{:.1} {name}", octets as f64 / *unit as f64),
        None => format!("{octets} octets"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_largest_unit_that_fits() {
        let check = |octets, expected: &str| assert_eq!(size(octets), expected);
        check(0, "0 octets");
        check(1023, "1023 octets");
        check(1536, "1.5 KiB");
        check(5 << 20, "5.0 MiB");
        check(3 << 30, "3.0 GiB");
    }
}
