//! Writing contents: whoever comes first writes and syncs for all that wait, the others wait for that.
//!
//! One sync serves every delivery in flight, and a lone delivery waits for no other thread.

use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mapi_store::ErrorKind;
use mapi_types::{Content, ContentHash};

use super::{HEADER_BYTES, Pins, Segments, scan::Found, tail::Tail};
use crate::fail::{Fail, Result};

/// Octets written before a sync, even when more is waiting.
const GROUP_BYTES_MAX: u64 = 32 << 20;

/// The end of the segments, shared by all who write.
pub(crate) struct Appender {
    waiting: Mutex<Waiting>,
    finished: Condvar,
    work: Mutex<Work>,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    /// Jobs taken by the leader and finished, with their number.
    outcomes: Vec<(u64, Result<Pins>)>,
    next: u64,
    /// Somebody is writing.
    led: bool,
}

/// Contents of one write.
struct Job {
    number: u64,
    contents: Vec<Content>,
}

impl Appender {
    /// `failed` is set when a sync fails: from then on nothing is acknowledged any more.
    pub(crate) fn new(
        segments: Arc<Segments>,
        tail: Tail,
        limit: u64,
        failed: Arc<AtomicBool>,
    ) -> Self {
        let work = Work {
            segments,
            tail,
            limit,
            failed,
        };
        Self {
            waiting: Mutex::default(),
            finished: Condvar::new(),
            work: Mutex::new(work),
        }
    }

    /// Stores the contents of several writes and returns when they are durable; each write succeeds or fails by
    /// itself. Until its pins are dropped no compactor removes what a write refers to. Blocks.
    pub(crate) fn append(&self, writes: Vec<Vec<Content>>) -> Vec<Result<Pins>> {
        let mut waiting = self.waiting();
        let first = waiting.next;
        let count = writes.len();
        for contents in writes {
            let number = waiting.next;
            waiting.next += 1;
            waiting.jobs.push(Job { number, contents });
        }
        let mine = first..waiting.next;
        let mut outcomes: Vec<(u64, Result<Pins>)> = Vec::with_capacity(count);
        loop {
            outcomes.extend(
                waiting
                    .outcomes
                    .extract_if(.., |(number, _)| mine.contains(number)),
            );
            if outcomes.len() == count {
                break;
            }
            waiting = if waiting.led {
                self.finished
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner)
            } else {
                self.lead(waiting)
            };
        }
        drop(waiting);
        outcomes.sort_by_key(|(number, _)| *number);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    /// Stores the contents of one write.
    pub(crate) fn append_one(&self, contents: Vec<Content>) -> Result<Pins> {
        let closed = || Fail::new(ErrorKind::Internal, "a write was not answered");
        self.append(vec![contents])
            .pop()
            .unwrap_or_else(|| Err(closed()))
    }

    /// Writes everything that waits.
    fn lead<'w>(&'w self, mut waiting: MutexGuard<'w, Waiting>) -> MutexGuard<'w, Waiting> {
        waiting.led = true;
        let jobs = std::mem::take(&mut waiting.jobs);
        drop(waiting);
        // A panic in here must not leave the others waiting for ever.
        let leading = Leading {
            appender: self,
            numbers: jobs.iter().map(|job| job.number).collect(),
        };
        let outcomes = self
            .work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .serve(jobs);
        leading.end(outcomes)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this lives somebody leads; in the end every job of the group has an outcome.
struct Leading<'a> {
    appender: &'a Appender,
    numbers: Vec<u64>,
}

impl<'a> Leading<'a> {
    fn end(mut self, outcomes: Vec<(u64, Result<Pins>)>) -> MutexGuard<'a, Waiting> {
        let answered: HashSet<u64> = outcomes.iter().map(|(number, _)| *number).collect();
        self.numbers.retain(|number| !answered.contains(number));
        let appender = self.appender;
        appender.waiting().outcomes.extend(outcomes);
        drop(self);
        appender.waiting()
    }
}

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        let mut waiting = self.appender.waiting();
        for number in self.numbers.drain(..) {
            waiting.outcomes.push((
                number,
                Err(Fail::new(ErrorKind::Internal, "a write was not answered")),
            ));
        }
        waiting.led = false;
        drop(waiting);
        self.appender.finished.notify_all();
    }
}

struct Work {
    segments: Arc<Segments>,
    tail: Tail,
    limit: u64,
    failed: Arc<AtomicBool>,
}

impl Work {
    fn serve(&mut self, jobs: Vec<Job>) -> Vec<(u64, Result<Pins>)> {
        let mut group = Group::default();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for Job { number, contents } in jobs {
            match self.write(&contents, &mut group, &mut outcomes) {
                Ok(pins) => group.jobs.push((number, pins)),
                Err(fail) => outcomes.push((number, Err(fail))),
            }
            if group.octets >= GROUP_BYTES_MAX {
                self.finish(std::mem::take(&mut group), &mut outcomes);
            }
        }
        self.finish(group, &mut outcomes);
        self.roll();
        outcomes
    }

    /// Writes what is not stored yet; on an error the segment is as it was before this job.
    fn write(
        &mut self,
        contents: &[Content],
        group: &mut Group,
        outcomes: &mut Vec<(u64, Result<Pins>)>,
    ) -> Result<Pins> {
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
                        self.finish(std::mem::take(group), outcomes);
                        self.begin_next()?;
                    }
                    return Err(fail);
                }
            }
        }
        Ok(pins)
    }

    /// Syncs once for the whole group.
    fn finish(&mut self, group: Group, outcomes: &mut Vec<(u64, Result<Pins>)>) {
        let synced = match group.records.first() {
            None => Ok(()),
            Some(first) => self.sync(first.offset - HEADER_BYTES as u64),
        };
        if synced.is_ok() {
            self.segments.remember(self.tail.id, &group.records);
        }
        outcomes.extend(group.jobs.into_iter().map(|(number, pins)| {
            let outcome = match &synced {
                Ok(()) => Ok(pins),
                Err(SyncFail::Full) => Err(Fail::Io(io::ErrorKind::StorageFull.into())),
                Err(SyncFail::Lost) => Err(writing_failed()),
            };
            (number, outcome)
        }));
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
            // The kernel may call what it could not write clean: whoever opens the store again must not find these
            // records and take them for durable.
            if let Err(fail) = self.tail.cut(start) {
                tracing::error!(?fail, "what was not synced cannot be cut off");
            }
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
    /// Writes whose contents are written and not yet synced.
    jobs: Vec<(u64, Pins)>,
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
    use std::{fs::File, io, os::unix::fs::FileExt, path::Path, sync::Mutex};

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
        let appender = Appender::new(Arc::clone(&segments), tail, 1 << 30, Arc::default());
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
            self.appender.append_one(vec![content(text)]).map(drop)
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
        drop(subject);
        let again = self::subject(dir.path());
        assert!(again.holds("before") && !again.holds("lost"));
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
        assert!(subject.appender.append_one(vec![wrong]).is_err());
        subject.append("good").unwrap();
        assert!(subject.holds("good"));
    }

    #[test]
    fn many_writers_at_once_are_all_answered_and_share_syncs() {
        let dir = tempfile::tempdir().unwrap();
        let subject = subject(dir.path());
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let subject = &subject;
                scope.spawn(move || {
                    for i in 0..50 {
                        let shared = format!("shared {i}");
                        let own = format!("own {writer} {i}");
                        let writes = vec![
                            vec![content(&shared)],
                            vec![content(&own), content(&shared)],
                        ];
                        assert!(subject.appender.append(writes).iter().all(Result::is_ok));
                        assert!(subject.holds(&shared) && subject.holds(&own));
                    }
                });
            }
        });
        let scan = scan(&subject.segments.path(1), Trust::Content).unwrap();
        assert_eq!(scan.records.len(), 50 + 8 * 50);
    }

    #[test]
    fn one_write_that_fails_leaves_its_neighbours_alone() {
        let dir = tempfile::tempdir().unwrap();
        let subject = subject(dir.path());
        let wrong = Content::new(
            Arc::new(Bytes::from_static(b"one")),
            3,
            content("two").hash(),
        );
        let writes = vec![
            vec![content("a")],
            vec![content("b"), wrong],
            vec![content("c")],
        ];
        let outcomes: Vec<bool> = subject
            .appender
            .append(writes)
            .iter()
            .map(Result::is_ok)
            .collect();
        assert_eq!(outcomes, [true, false, true]);
        assert!(subject.holds("a") && !subject.holds("b") && subject.holds("c"));
    }
}
