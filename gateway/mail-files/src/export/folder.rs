//! One folder into files.

use std::sync::Arc;

use account::{FolderIndex, ItemState};

use super::{
    Run, Source, content,
    plan::{Opened, marks},
};
use crate::{
    Error, Result,
    durable::off_reactor,
    error::Doing,
    layout,
    message_files::{self, Place},
    record::{Exported, ExportedMessage, FolderHead},
    report::Report,
};

/// Messages that become durable together.
const BATCH_MESSAGES: usize = 256;

/// Octets that become durable together, and so are in memory.
const BATCH_BYTES: u64 = 8 << 20;

/// Marks that become durable together.
const BATCH_MARKS: usize = 4096;

/// Exports a folder.
pub(super) async fn export(run: &mut Run<'_>, source: &Source) -> Result<()> {
    let (account, options) = (run.account, run.options);
    let doing = || format!("reading {}", shown(source));
    let index = account.index(source.info.id).await.doing(doing)?;
    let mut info = source.info.clone();
    info.epoch = index.epoch();
    let head = FolderHead::of(&account.mailbox().0, &info, &source.path);
    let place = Place {
        format: options.format,
        folder: layout::folder(&options.to, options.format, &source.path),
    };
    let journal = layout::exported(&place.folder, options.format);
    let may_delete = options.delete;
    let opening = move || Opened::new(place, journal, head, may_delete);
    let mut opened = off_reactor(opening).await?;
    let mut plan = opened.plan(&index);
    run.tally.skipped += plan.skipped;
    run.report.advance(plan.skipped, 0);
    for changed in chunks(std::mem::take(&mut plan.mark), BATCH_MARKS) {
        let marked;
        (opened, marked) = off_reactor(move || {
            let marked = opened.mark(changed)?;
            Ok((opened, marked))
        })
        .await?;
        run.tally.marked += marked;
    }
    let unread = run.tally.failed;
    let mut rest = &plan.copy[..];
    while !rest.is_empty() {
        let batch;
        (batch, rest) = split(rest);
        opened = copy(run, source, (opened, &index), batch).await?;
    }
    // An old file may be all there is of a message that could not be read.
    if options.delete && run.tally.failed == unread {
        run.tally.deleted += off_reactor(move || opened.delete(&plan.gone)).await?;
    }
    Ok(())
}

/// Writes messages. Durable when it returns.
async fn copy(
    run: &mut Run<'_>,
    source: &Source,
    (mut opened, index): (Opened, &Arc<FolderIndex>),
    batch: &[ItemState],
) -> Result<Opened> {
    let sizes = content::sizes(run, source, batch).await?;
    let (mut written, mut records, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut failed = 0;
    let epoch = index.epoch().0;
    let mut content = content::Reader::new(run, source, &sizes);
    for (item, size) in &sizes {
        let base = opened
            .place
            .name((epoch, item.number.0), item.received, *size);
        let marks = marks(item, index);
        let to = opened.place.path(&base, &marks, &mut opened.keywords);
        let temporary = opened.place.temporary(&base);
        let file = content.write(item.number, *size, &temporary, item.received);
        let file = match file.await {
            Ok(Some(file)) => file,
            Ok(None) => continue,
            // One that cannot be read does not keep back the others.
            Err(error @ Error::Mailbox(..)) if !error.is_transient() => {
                let (folder, number) = (shown(source), item.number.0);
                let line = format!("{folder}, message {number}: {error}");
                run.report.remark(line).await?;
                failed += 1;
                discard(temporary).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        bytes += size;
        written.push(message_files::Written {
            file,
            temporary,
            to: to.clone(),
            replaces: opened.files.insert(base.clone(), to),
        });
        records.push(ExportedMessage {
            number: item.number.0,
            version: item.version.0,
            file: base,
            received: item.received,
            marks,
        });
    }
    let messages = records.len() as u64;
    let opened = off_reactor(move || {
        let mut opened = opened;
        opened.keywords.save(&opened.place.folder)?;
        message_files::name_all(&opened.place, written)?;
        for message in &records {
            opened.known.insert(message.number, message.clone());
        }
        let records: Vec<_> = records.into_iter().map(Exported::Message).collect();
        opened.journal.add(&records)?;
        Ok(opened)
    })
    .await?;
    run.tally.messages += messages;
    run.tally.bytes += bytes;
    run.tally.failed += failed;
    advance(run.report, batch.len(), bytes);
    Ok(opened)
}

/// Removes what has been written of a message that could not be read to its end.
async fn discard(temporary: std::path::PathBuf) -> Result<()> {
    off_reactor(move || match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::File(temporary, error))
        }
        _ => Ok(()),
    })
    .await
}

fn advance(report: &Report, messages: usize, bytes: u64) {
    report.advance(messages as u64, bytes);
}

/// The next messages to be written together; at least one.
fn split(items: &[ItemState]) -> (&[ItemState], &[ItemState]) {
    let mut bytes = 0_u64;
    let fits = items.iter().take(BATCH_MESSAGES).position(|item| {
        bytes = bytes.saturating_add(item.size.known().unwrap_or(BATCH_BYTES / 64));
        bytes > BATCH_BYTES
    });
    let most = items.len().min(BATCH_MESSAGES);
    items.split_at(fits.unwrap_or(most).clamp(1, most.max(1)))
}

fn chunks<T>(mut all: Vec<T>, most: usize) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let rest = all.split_off(most.min(all.len()));
        let chunk = std::mem::replace(&mut all, rest);
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// A folder's name, for people.
pub(super) fn shown(source: &Source) -> String {
    match source.path.is_empty() {
        true => source.info.name.clone(),
        false => source.path.join("/"),
    }
}
