//! Giving back the room of contents that no mailbox refers to any more.
//!
//! Mark and sweep. From the start nothing new may refer to a segment that is full; what writes under way refer to
//! is live; then every mailbox is asked. A segment of which little is live is emptied into the newest one and goes.

use std::{collections::HashSet, fs::File, io, os::unix::fs::FileExt, sync::Arc};

use mapi_types::{Content, ContentHash, ReadAt};

use super::Job;
use crate::{
    fail::{Fail, Result},
    mailbox::{Mailbox, Op},
    read::snapshot,
    schema::Use,
    segments::{Leaving, Place},
};

/// Octets moved between two looks at whether the store is closing.
const BATCH_BYTES: u64 = 16 << 20;

/// Free pages a mailbox file may have before it is written anew: this many, and a quarter of the file.
const FREE_PAGES_MIN: i64 = 1024;

/// What compacting gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Segment files that are gone.
    pub segments: u32,
    /// Octets of segment files that are gone, less what was moved to other ones.
    pub octets: u64,
    /// Mailbox files written anew without their free pages.
    pub mailboxes: u32,
}

pub(super) fn compact(
    job: &Job,
    mailboxes: &[Arc<Mailbox>],
    leaving: Leaving,
) -> Result<Compacted> {
    let mut live: HashSet<ContentHash> = leaving.pinned().into_iter().collect();
    for mailbox in mailboxes {
        job.go_on()?;
        mark(job, mailbox, &mut live)?;
    }
    let mut compacted = Compacted::default();
    for segment in leaving.segments() {
        let (kept, octets) = live_part(job, segment, &live)?;
        let size = job.shared.segments.size(segment)?;
        let share = job.shared.options.compact_live_percent;
        if octets.saturating_mul(100) > size.saturating_mul(share.into()) {
            leaving.keep(segment);
            continue;
        }
        match empty(job, segment, kept) {
            Ok(()) => {
                job.shared.segments.remove(segment)?;
                compacted.segments += 1;
                compacted.octets += size.saturating_sub(octets);
            }
            // A damaged record in it: leave everything where it is, for the check to name.
            Err(Fail::Store(error)) if error.kind == mapi_store::ErrorKind::Internal => {
                tracing::error!(segment, "a segment is damaged and stays");
            }
            Err(fail) => return Err(fail),
        }
    }
    for mailbox in mailboxes {
        job.go_on()?;
        compacted.mailboxes += u32::from(shrink(mailbox)?);
    }
    Ok(compacted)
}

/// Adds what a mailbox refers to.
fn mark(job: &Job, mailbox: &Mailbox, live: &mut HashSet<ContentHash>) -> Result<()> {
    let marked = mailbox.with_handle(Use::Reading, |handle| {
        snapshot(&handle.conn, &job.shared.segments, |at| {
            let mut select = at
                .conn
                .prepare("SELECT hash FROM contents WHERE hash IS NOT NULL UNION ALL SELECT hash FROM attached")?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                live.insert(ContentHash(row.get(0)?));
            }
            Ok(())
        })
    });
    match marked {
        // Removed meanwhile.
        Err(Fail::Store(error)) if error.kind == mapi_store::ErrorKind::NotFound => Ok(()),
        marked => marked,
    }
}

/// The live contents of a segment, and their octets.
fn live_part(
    job: &Job,
    segment: u32,
    live: &HashSet<ContentHash>,
) -> Result<(Vec<(ContentHash, Place)>, u64)> {
    let mut kept = job.shared.segments.contents_of(segment)?;
    kept.retain(|(hash, _)| live.contains(hash));
    let octets = kept
        .iter()
        .map(|(_, place)| place.len + crate::segments::HEADER_BYTES as u64)
        .sum();
    Ok((kept, octets))
}

/// Writes the live contents of a segment to the newest one.
fn empty(job: &Job, segment: u32, kept: Vec<(ContentHash, Place)>) -> Result<()> {
    let file = job.shared.segments.file(segment)?;
    let (mut batch, mut octets) = (Vec::new(), 0);
    for (hash, place) in kept {
        let stretch = Stretch {
            file: Arc::clone(&file),
            from: place.offset,
        };
        batch.push(Content::new(Arc::new(stretch), place.len, hash));
        octets += place.len;
        if octets >= BATCH_BYTES {
            job.go_on()?;
            job.append(std::mem::take(&mut batch))?;
            octets = 0;
        }
    }
    if !batch.is_empty() {
        job.append(batch)?;
    }
    Ok(())
}

/// A content where it lies.
struct Stretch {
    file: Arc<File>,
    from: u64,
}

impl ReadAt for Stretch {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, self.from + offset)
    }
}

/// Writes a mailbox file anew when much of it is free; says whether it did.
fn shrink(mailbox: &Arc<Mailbox>) -> Result<bool> {
    let counted = mailbox.with_handle(Use::Reading, |handle| {
        let pages: i64 = handle
            .conn
            .pragma_query_value(None, "page_count", |row| row.get(0))?;
        let free: i64 = handle
            .conn
            .pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        Ok(free >= FREE_PAGES_MIN && free >= pages / 4)
    });
    match counted {
        Ok(true) => {}
        Ok(false) => return Ok(false),
        Err(Fail::Store(error)) if error.kind == mapi_store::ErrorKind::NotFound => {
            return Ok(false);
        }
        Err(fail) => return Err(fail),
    }
    let (done, wait) = std::sync::mpsc::channel();
    let this = Arc::clone(mailbox);
    mailbox.enqueue(Op::Alone(Box::new(move |handle| {
        let written = handle
            .conn
            .execute_batch("PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY;")
            .map_err(Fail::from);
        let written = written.and_then(|()| handle.checkpoint());
        drop(done.send(this.noting_lost_syncs(written)));
    })));
    wait.recv()
        .map_err(|_| Fail::from(crate::store::dropped()))??;
    Ok(true)
}
