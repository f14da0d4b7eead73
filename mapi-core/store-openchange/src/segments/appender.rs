//! The one thread that writes contents: it gathers what arrives, writes it, syncs once, and passes the writes on.

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use mapi_store::ErrorKind;
use mapi_types::{Content, ContentHash};

use super::{HEADER_BYTES, Pins, Segments, scan::Found, tail::Tail};
use crate::{
    fail::{Fail, Result},
    work::Queue,
};

/// Octets written before a sync, even when more is waiting.
const GROUP_BYTES_MAX: u64 = 32 << 20;

/// Contents to be made durable, and what then becomes of the write that needs them.
struct Job {
    contents: Vec<Content>,
    then: Box<dyn FnOnce(Result<Pins>) + Send>,
}

/// The appending thread; dropping it lets the thread finish what waits and ends it.
pub(crate) struct Appender {
    queue: Append,
    thread: Option<JoinHandle<()>>,
}

/// The way to the appending thread.
#[derive(Clone)]
pub(crate) struct Append(Arc<Queue<Job>>);

impl Append {
    /// Stores contents and calls `then` on the appending thread once they are durable. Until its pins are dropped
    /// no compactor removes them. When the store is closing, `then` is dropped uncalled.
    pub(crate) fn append(
        &self,
        contents: Vec<Content>,
        then: impl FnOnce(Result<Pins>) + Send + 'static,
    ) {
        self.0.push(Job {
            contents,
            then: Box::new(then),
        });
    }
}

impl Appender {
    /// `failed` is set when a sync fails: from then on nothing is acknowledged any more.
    pub(crate) fn start(
        segments: Arc<Segments>,
        tail: Tail,
        limit: u64,
        failed: Arc<AtomicBool>,
    ) -> Result<Self> {
        let queue = Append(Arc::new(Queue::default()));
        let mut work = Work {
            segments,
            tail,
            limit,
            failed,
        };
        let jobs = queue.clone();
        let thread = std::thread::Builder::new()
            .name("segments".into())
            .spawn(move || {
                while let Some(jobs) = jobs.0.wait_all() {
                    work.serve(jobs);
                }
            })?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    pub(crate) fn queue(&self) -> &Append {
        &self.queue
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.queue.0.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    segments: Arc<Segments>,
    tail: Tail,
    limit: u64,
    failed: Arc<AtomicBool>,
}

/// A job whose contents are written and not yet synced.
struct Written {
    then: Box<dyn FnOnce(Result<Pins>) + Send>,
    pins: Pins,
}

impl Work {
    fn serve(&mut self, jobs: VecDeque<Job>) {
        let mut group = Group::default();
        for job in jobs {
            match self.write(&job.contents, &mut group) {
                Ok(pins) => group.jobs.push(Written {
                    then: job.then,
                    pins,
                }),
                Err(fail) => (job.then)(Err(fail)),
            }
            if group.octets >= GROUP_BYTES_MAX {
                self.finish(std::mem::take(&mut group));
            }
        }
        self.finish(group);
        self.roll();
    }

    /// Writes what is not stored yet; on an error the segment is as it was before this job.
    fn write(&mut self, contents: &[Content], group: &mut Group) -> Result<Pins> {
        if self.failed.load(Ordering::Acquire) {
            return Err(writing_failed());
        }
        let before = (self.tail.end(), group.records.len());
        let pins = self.segments.pin(contents);
        for content in contents {
            if group.hashes.contains(&content.hash()) || self.segments.has(&content.hash())? {
                continue;
            }
            match self.tail.append(content) {
                Ok(found) => {
                    group.hashes.insert(content.hash());
                    group.records.push(found);
                    group.octets += content.len();
                }
                Err(fail) => {
                    for found in group.records.drain(before.1..) {
                        group.hashes.remove(&found.header.hash);
                    }
                    if self.tail.cut(before.0).is_err() {
                        // Leave the broken end behind: what is whole before it is found by its records.
                        self.finish(std::mem::take(group));
                        self.begin_next()?;
                    }
                    return Err(fail);
                }
            }
        }
        Ok(pins)
    }

    /// Syncs once for the whole group and passes its writes on.
    fn finish(&mut self, group: Group) {
        let synced = match group.records.first() {
            None => Ok(()),
            Some(first) => self.sync(first.offset - HEADER_BYTES as u64),
        };
        if synced.is_ok() {
            self.segments.remember(self.tail.id, &group.records);
        }
        for Written { then, pins } in group.jobs {
            then(match &synced {
                Ok(()) => Ok(pins),
                Err(SyncFail::Full) => Err(Fail::new(ErrorKind::Unavailable, "the disk is full")),
                Err(SyncFail::Lost) => Err(writing_failed()),
            });
        }
    }

    fn sync(&mut self, start: u64) -> Result<(), SyncFail> {
        if let Err(fail) = self.tail.flush() {
            tracing::error!(?fail, "writing a segment failed");
            // Whether the group's records are whole nobody knows: go on where it began.
            if self.tail.cut(start).is_err() {
                self.begin_next()
                    .unwrap_or_else(|fail| tracing::error!(?fail, "no new segment"));
            }
            return Err(SyncFail::Full);
        }
        if let Err(error) = self.tail.sync() {
            tracing::error!(%error, "a sync failed: nothing more is written until the store is opened again");
            self.failed.store(true, Ordering::Release);
            return Err(SyncFail::Lost);
        }
        Ok(())
    }

    /// Begins the next segment when this one is full.
    fn roll(&mut self) {
        let full = self.tail.end() >= self.limit && !self.failed.load(Ordering::Acquire);
        if full && let Err(fail) = self.begin_next() {
            tracing::warn!(
                ?fail,
                "the next segment cannot be begun; writing on in the full one"
            );
        }
    }

    fn begin_next(&mut self) -> Result<()> {
        let full = self.tail.id;
        self.tail = Tail::create(&self.segments, full + 1)?;
        self.segments.index(full)
    }
}

#[derive(Default)]
struct Group {
    jobs: Vec<Written>,
    records: Vec<Found>,
    hashes: HashSet<ContentHash>,
    octets: u64,
}

enum SyncFail {
    /// Nothing was lost, but nothing of this group is durable either.
    Full,
    /// What the disk holds is unknown.
    Lost,
}

fn writing_failed() -> Fail {
    Fail::new(
        ErrorKind::Unavailable,
        "writing failed earlier; the store must be opened again",
    )
}
