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

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io,
        os::unix::fs::FileExt,
        path::Path,
        sync::{Mutex, mpsc},
    };

    use bytes::Bytes;

    use super::*;
    use crate::segments::{Trust, scan, tail::Disk};

    /// What the disk refuses now.
    #[derive(Clone, Copy, Default)]
    struct Faults {
        /// Writes stop after this many octets, once.
        full_after: Option<usize>,
        cannot_cut: bool,
        cannot_sync: bool,
    }

    struct FaultyDisk {
        file: File,
        faults: Arc<Mutex<Faults>>,
    }

    impl Disk for FaultyDisk {
        fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
            match self.faults.lock().unwrap().full_after {
                Some(room) if room < bytes.len() => {
                    FileExt::write_all_at(&self.file, &bytes[..room], at)?;
                    Err(io::ErrorKind::StorageFull.into())
                }
                _ => FileExt::write_all_at(&self.file, bytes, at),
            }
        }

        fn sync_data(&self) -> io::Result<()> {
            match self.faults.lock().unwrap().cannot_sync {
                true => Err(io::Error::from_raw_os_error(5)),
                false => self.file.sync_data(),
            }
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            match self.faults.lock().unwrap().cannot_cut {
                true => Err(io::Error::from_raw_os_error(5)),
                false => self.file.set_len(len),
            }
        }
    }

    struct Subject {
        segments: Arc<Segments>,
        appender: Appender,
        faults: Arc<Mutex<Faults>>,
    }

    fn subject(dir: &Path) -> Subject {
        let (segments, tail) = Segments::open(dir).unwrap();
        let faults = Arc::<Mutex<Faults>>::default();
        let file = File::options()
            .write(true)
            .open(segments.path(tail.id))
            .unwrap();
        let disk = FaultyDisk {
            file,
            faults: Arc::clone(&faults),
        };
        let tail = Tail::on(Box::new(disk), tail.id, tail.end());
        let appender =
            Appender::start(Arc::clone(&segments), tail, 1 << 30, Arc::default()).unwrap();
        Subject {
            segments,
            appender,
            faults,
        }
    }

    impl Subject {
        fn set(&self, faults: Faults) {
            *self.faults.lock().unwrap() = faults;
        }

        fn append(&self, text: &str) -> Result<()> {
            let (done, wait) = mpsc::channel();
            self.appender
                .queue()
                .append(vec![content(text)], move |pins| {
                    done.send(pins.map(drop)).unwrap()
                });
            wait.recv().unwrap()
        }

        fn holds(&self, text: &str) -> bool {
            let hash = content(text).hash();
            self.segments
                .read(&hash, 0, 1 << 20)
                .is_ok_and(|read| read == text.repeat(100))
        }
    }

    fn content(text: &str) -> Content {
        let bytes = Bytes::from(text.repeat(100));
        let hash = ContentHash(*blake3::hash(&bytes).as_bytes());
        Content::new(Arc::new(bytes.clone()), bytes.len() as u64, hash)
    }

    fn unavailable(done: Result<()>) -> bool {
        done.map_err(mapi_store::Error::from)
            .is_err_and(|error| error.kind == ErrorKind::Unavailable)
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused_and_leaves_no_trace() {
        for room in [0, 10, HEADER_BYTES + 5] {
            let dir = tempfile::tempdir().unwrap();
            let subject = subject(dir.path());
            subject.append("before").unwrap();
            subject.set(Faults {
                full_after: Some(room),
                ..Faults::default()
            });
            assert!(unavailable(subject.append("too much")));
            subject.set(Faults::default());
            assert!(!subject.holds("too much"));
            subject.append("after").unwrap();
            assert!(subject.holds("before") && subject.holds("after"));
            let scan = scan(&subject.segments.path(1), Trust::Content).unwrap();
            assert_eq!(
                (scan.records.len(), scan.damaged.len(), scan.len),
                (2, 0, scan.end)
            );
        }
    }

    #[test]
    fn a_segment_that_cannot_be_cut_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        {
            let subject = subject(dir.path());
            subject.append("before").unwrap();
            subject.set(Faults {
                full_after: Some(70),
                cannot_cut: true,
                cannot_sync: false,
            });
            assert!(unavailable(subject.append("too much")));
            subject.append("after").unwrap();
            assert_eq!(subject.segments.ids().unwrap(), [1, 2]);
            assert!(subject.holds("before") && subject.holds("after"));
        }
        let subject = subject(dir.path());
        assert!(subject.holds("before") && subject.holds("after") && !subject.holds("too much"));
    }

    #[test]
    fn after_a_sync_that_failed_nothing_is_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let subject = subject(dir.path());
        subject.append("before").unwrap();
        subject.set(Faults {
            cannot_sync: true,
            ..Faults::default()
        });
        assert!(unavailable(subject.append("lost")));
        subject.set(Faults::default());
        assert!(unavailable(subject.append("later")));
        assert!(subject.holds("before") && !subject.holds("lost"));
    }

    #[test]
    fn a_content_under_a_wrong_hash_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let subject = subject(dir.path());
        let wrong = Content::new(
            Arc::new(Bytes::from_static(b"one")),
            3,
            content("two").hash(),
        );
        let (done, wait) = mpsc::channel();
        subject
            .appender
            .queue()
            .append(vec![wrong], move |pins| done.send(pins.map(drop)).unwrap());
        assert!(wait.recv().unwrap().is_err());
        subject.append("good").unwrap();
        assert!(subject.holds("good"));
    }
}
