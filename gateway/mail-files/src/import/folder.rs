//! One folder of files into a folder of the mailbox.

use std::{collections::HashMap, fs::File, io::Read};

use account::{Expected, FolderId, ItemNumber, NewItem, Saved, Spooled};

use super::{
    Run,
    files::{self, MessageFile, Opened},
};
use crate::{
    Error, Result,
    durable::off_reactor,
    error::{At, Doing},
    export::patiently,
    layout,
    marks::Marks,
    record::{Imported, ImportedMessage},
    source::{SourceFolder, is_gone},
};

/// Messages that are filed together.
const BATCH_MESSAGES: usize = 128;

/// Octets that are filed together: beyond them, a batch ends.
const BATCH_BYTES: u64 = 8 << 20;

/// Octets of a message that are read at once.
const PIECE_BYTES: u64 = 1 << 20;

/// Messages that are marked or deleted together.
const BATCH_MARKS: usize = 4096;

/// A message that is about to be filed.
type Arrived = (MessageFile, Spooled);

/// Imports a folder. `total`: how many messages are known of so far.
pub(super) async fn import(
    run: &mut Run<'_>,
    (source, target): (SourceFolder, FolderId),
    total: &mut u64,
) -> Result<()> {
    let info = run.account.folder(target).await;
    let info = info.doing(|| "opening a folder".to_owned())?;
    let (mailbox, options) = (run.account.mailbox().0.clone(), run.options);
    let journal = options.journal.as_deref();
    let journal = layout::imported(&source.folder, source.format, &mailbox, journal);
    let opened = (target.0, info.epoch.0);
    let here = source.clone();
    let mut opened = off_reactor(move || Opened::new(&here, journal, opened)).await?;
    let plan = opened.plan();
    *total += plan.skipped + plan.file.len() as u64;
    run.report.expect(*total);
    run.report.advance(plan.skipped, 0);
    run.tally.skipped += plan.skipped;
    mark(run, target, (&opened, plan.mark)).await?;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for file in plan.file {
        match spool(run, &file).await {
            Ok(Some(message)) => {
                bytes += message.len();
                batch.push((file, message));
            }
            // It has another name by now: the next run finds it.
            Ok(None) => {}
            Err(error) => fail(run, &file, &error).await?,
        }
        if batch.len() >= BATCH_MESSAGES || bytes >= BATCH_BYTES {
            opened = save(run, target, (opened, std::mem::take(&mut batch))).await?;
            bytes = 0;
        }
    }
    let opened = save(run, target, (opened, batch)).await?;
    match run.options.delete {
        true => {
            let gone = plan.gone;
            let gone = off_reactor(move || files::still_gone(&source, gone)).await?;
            delete(run, target, (opened, gone)).await
        }
        false => Ok(()),
    }
}

/// Reads a message; `None` when it is no longer there.
async fn spool(run: &Run<'_>, file: &MessageFile) -> Result<Option<Spooled>> {
    let opening = file.clone();
    let mut source: File = match off_reactor(move || files::open(&opening)).await {
        Err(error) if is_gone(&error) => return Ok(None),
        opened => opened?,
    };
    let mut spool = run.accounts.spool();
    loop {
        let path = file.path.clone();
        let octets;
        (source, octets) = off_reactor(move || {
            let mut octets = Vec::new();
            let mut piece = (&source).take(PIECE_BYTES);
            piece.read_to_end(&mut octets).at(&path)?;
            Ok((source, octets))
        })
        .await?;
        let doing = || format!("reading {}", file.path.display());
        if octets.is_empty() {
            return spool.finish().await.doing(doing).map(Some);
        }
        spool.write(&octets).await.doing(doing)?;
    }
}

/// Files messages, and notes that. One that cannot be filed does not keep back the others.
async fn save(
    run: &mut Run<'_>,
    target: FolderId,
    (opened, batch): (Opened, Vec<Arrived>),
) -> Result<Opened> {
    if batch.is_empty() {
        return Ok(opened);
    }
    let saved = match append(run, target, &batch).await {
        Err(Error::Mailbox(doing, error)) if !error.kind.is_transient() => {
            if batch.len() == 1 {
                let error = Error::Mailbox(doing, error);
                for (file, _) in &batch {
                    fail(run, file, &error).await?;
                }
                return Ok(opened);
            }
            let mut opened = opened;
            for arrived in batch {
                opened = Box::pin(save(run, target, (opened, vec![arrived]))).await?;
            }
            return Ok(opened);
        }
        saved => saved?,
    };
    let there = batch.iter().zip(&saved).filter(|(_, saved)| saved.existing);
    let there = there.map(|((file, _), saved)| (file.marks.clone(), saved.number));
    let there: Vec<_> = there.collect();
    adopt(run, target, there).await?;
    let mut records = Vec::with_capacity(batch.len());
    for ((file, message), saved) in batch.into_iter().zip(saved) {
        let (tally, bytes) = (&mut run.tally, message.len());
        match saved.existing {
            true => tally.skipped += 1,
            false => (tally.messages, tally.bytes) = (tally.messages + 1, tally.bytes + bytes),
        }
        run.report.advance(1, bytes);
        records.push(record(file, saved.number.0));
    }
    note(opened, records).await
}

/// Gives messages that were there already the marks that their files have. Nothing is known of what they had before, so
/// none is taken away.
async fn adopt(run: &mut Run<'_>, target: FolderId, there: Vec<(Marks, ItemNumber)>) -> Result<()> {
    let mut alike: HashMap<Marks, Vec<Expected>> = HashMap::new();
    for (marks, item) in there {
        let expected = Expected {
            item,
            version: None,
        };
        alike.entry(marks).or_default().push(expected);
    }
    for (marks, items) in alike {
        let Some(change) = marks.change_from(&Marks::default()) else {
            continue;
        };
        let updated = patiently(async || {
            let done = run.account.set_flags(target, &items, &change).await;
            done.doing(|| "changing flags".to_owned())
        })
        .await?;
        run.tally.marked += updated.changed.len() as u64;
    }
    Ok(())
}

async fn append(run: &Run<'_>, target: FolderId, batch: &[Arrived]) -> Result<Vec<Saved>> {
    let item = |(file, message): &Arrived| NewItem {
        message: message.clone(),
        flags: file.marks.flags(),
        keywords: file.marks.keywords(),
        received: file.received,
        once: Some(file.base.as_str().into()),
    };
    patiently(async || {
        let items = batch.iter().map(item).collect();
        let saved = run.account.append(target, items).await;
        saved.doing(|| "filing messages".to_owned())
    })
    .await
}

async fn note(opened: Opened, records: Vec<Imported>) -> Result<Opened> {
    off_reactor(move || {
        opened.journal.add(&records)?;
        Ok(opened)
    })
    .await
}

fn record(file: MessageFile, number: u32) -> Imported {
    Imported::Message(ImportedMessage {
        file: file.base,
        stamp: file.stamp,
        number,
        marks: file.marks,
    })
}

async fn fail(run: &mut Run<'_>, file: &MessageFile, error: &Error) -> Result<()> {
    run.tally.failed += 1;
    run.report.advance(1, 0);
    let line = format!("{}: {error}", file.path.display());
    run.report.remark(line).await
}

/// Brings the marks of messages up to date, as far as those of their files changed since they were imported.
async fn mark(
    run: &mut Run<'_>,
    target: FolderId,
    (opened, changed): (&Opened, Vec<(ImportedMessage, MessageFile)>),
) -> Result<()> {
    let mut alike: HashMap<(Marks, Marks), Vec<(u32, MessageFile)>> = HashMap::new();
    for (known, file) in changed {
        let change = (known.marks, file.marks.clone());
        alike.entry(change).or_default().push((known.number, file));
    }
    for ((old, new), messages) in alike {
        let Some(change) = new.change_from(&old) else {
            continue;
        };
        for messages in messages.chunks(BATCH_MARKS) {
            let items = messages.iter().map(|(number, _)| Expected {
                item: ItemNumber(*number),
                version: None,
            });
            let items: Vec<Expected> = items.collect();
            patiently(async || {
                let done = run.account.set_flags(target, &items, &change).await;
                done.doing(|| "changing flags".to_owned())
            })
            .await?;
            let records = messages.iter().cloned();
            let records: Vec<_> = records.map(|(number, file)| record(file, number)).collect();
            opened.journal.add(&records)?;
            run.tally.marked += messages.len() as u64;
        }
    }
    Ok(())
}

/// Deletes messages whose files are gone.
async fn delete(
    run: &mut Run<'_>,
    target: FolderId,
    (mut opened, gone): (Opened, Vec<(String, u32)>),
) -> Result<()> {
    for gone in gone.chunks(BATCH_MARKS) {
        let items: Vec<ItemNumber> = gone.iter().map(|(_, number)| ItemNumber(*number)).collect();
        let deleted = patiently(async || {
            let deleted = run.account.delete_items(target, &items).await;
            deleted.doing(|| "deleting messages".to_owned())
        })
        .await?;
        run.tally.deleted += deleted.gone.len() as u64;
        let there = |number: &u32| deleted.kept.contains(&ItemNumber(*number));
        let gone = gone.iter().filter(|(_, number)| !there(number));
        let records = gone.map(|(file, _)| Imported::Gone(file.clone()));
        opened = note(opened, records.collect()).await?;
    }
    Ok(())
}
