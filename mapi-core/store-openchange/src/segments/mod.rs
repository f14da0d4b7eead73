//! Contents of all mailboxes, by their hash, in files that only grow.
//!
//! A record is synced before any row that refers to it is committed, so a torn tail is garbage and never a dangling
//! reference. The newest segment is scanned whenever the folder is opened; the full ones are found in an index
//! that can be made anew from them.

mod appender;
mod index;
mod record;
mod scan;
mod tail;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use mapi_types::{Content, ContentHash};

pub(crate) use appender::Appender;
pub(crate) use index::{Index, Place};
pub(crate) use record::HEADER_BYTES;
pub(crate) use scan::{Found, Trust, scan};
use tail::Tail;

use crate::{
    fail::{Fail, Result},
    files,
};

/// Segment files kept open for reading.
const OPEN_FILES_MAX: usize = 32;

/// What readers and the appender share.
pub(crate) struct Segments {
    dir: PathBuf,
    index: Index,
    state: Mutex<State>,
    open: Mutex<VecDeque<(u32, Arc<File>)>>,
}

#[derive(Default)]
struct State {
    /// Contents of segments that are not in the index yet.
    recent: HashMap<ContentHash, Place>,
    /// Contents that a write under way refers to: how many writes.
    pins: HashMap<ContentHash, u32>,
    /// Segments being emptied: nothing new may refer to them.
    leaving: HashSet<u32>,
}

/// Contents that no compactor may drop, because a write under way refers to them.
pub(crate) struct Pins {
    segments: Arc<Segments>,
    hashes: Vec<ContentHash>,
}

impl Drop for Pins {
    fn drop(&mut self) {
        let mut state = self.segments.state();
        for hash in &self.hashes {
            if let Some(count) = state.pins.get_mut(hash) {
                *count -= 1;
                if *count == 0 {
                    state.pins.remove(hash);
                }
            }
        }
    }
}

impl Segments {
    /// Opens the segments of a data folder, repairs their tail and brings the index up to date.
    pub(crate) fn open(dir: &Path) -> Result<(Arc<Self>, Tail)> {
        files::make_dir(dir)?;
        let index = Index::open(&dir.join("index.sqlite"))?;
        let ids = segment_ids(dir)?;
        let known: HashSet<u32> = index.segments()?.into_iter().collect();
        for gone in known.iter().filter(|id| !ids.contains(id)) {
            index.remove(*gone)?;
        }
        let segments = Self {
            dir: dir.into(),
            index,
            state: Mutex::default(),
            open: Mutex::default(),
        };
        let (last, full) = match ids.split_last() {
            Some((last, full)) => (Some(*last), full),
            None => (None, &[][..]),
        };
        for &id in full.iter().filter(|id| !known.contains(id)) {
            let found = scan(&segments.path(id), Trust::Header)?;
            segments.index.add(id, &found.records)?;
        }
        let tail = match last {
            // A full segment that was indexed before its successor was made.
            Some(id) if known.contains(&id) => Tail::create(&segments, id + 1)?,
            Some(id) => segments.take_up(id)?,
            None => Tail::create(&segments, 1)?,
        };
        Ok((Arc::new(segments), tail))
    }

    /// Goes on writing the newest segment. Every record is checked whole: after a power cut a later record of the
    /// last group may be there when an earlier one is not.
    fn take_up(&self, id: u32) -> Result<Tail> {
        let path = self.path(id);
        let found = scan(&path, Trust::Content)?;
        self.remember(id, &found.records);
        if !found.damaged.is_empty() {
            // Acknowledged records lie behind the damage: leave the file as it is.
            tracing::error!(
                segment = id,
                places = found.damaged.len(),
                "a segment is damaged"
            );
            self.index(id)?;
            return Tail::create(self, id + 1);
        }
        if found.len > found.end {
            tracing::info!(
                segment = id,
                octets = found.len - found.end,
                "cut a torn tail"
            );
        }
        Tail::take_up(&path, id, found.end)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self, id: u32) -> PathBuf {
        self.dir.join(format!("{id:08}.seg"))
    }

    pub(crate) fn ids(&self) -> Result<Vec<u32>> {
        Ok(segment_ids(&self.dir)?)
    }

    fn remember(&self, segment: u32, records: &[Found]) {
        let mut state = self.state();
        for Found { header, offset } in records {
            state.recent.insert(
                header.hash,
                Place {
                    segment,
                    offset: *offset,
                    len: header.len,
                },
            );
        }
    }

    /// Moves what memory knows of a full segment into the index.
    fn index(&self, id: u32) -> Result<()> {
        let records: Vec<Found> = {
            let state = self.state();
            let of_this = state.recent.iter().filter(|(_, place)| place.segment == id);
            of_this
                .map(|(hash, place)| Found {
                    header: record::Header {
                        hash: *hash,
                        len: place.len,
                    },
                    offset: place.offset,
                })
                .collect()
        };
        self.index.add(id, &records)?;
        self.state().recent.retain(|_, place| place.segment != id);
        Ok(())
    }

    /// Keeps these contents from the compactor until the pins are dropped.
    fn pin(self: &Arc<Self>, contents: &[Content]) -> Pins {
        let hashes: Vec<ContentHash> = contents.iter().map(Content::hash).collect();
        let mut state = self.state();
        for hash in &hashes {
            *state.pins.entry(*hash).or_default() += 1;
        }
        drop(state);
        Pins {
            segments: Arc::clone(self),
            hashes,
        }
    }

    /// Whether a new reference may point to what is stored.
    fn has(&self, hash: &ContentHash) -> Result<bool> {
        let place = self.place(hash)?;
        Ok(place.is_some_and(|place| !self.state().leaving.contains(&place.segment)))
    }

    /// Where a content lies.
    pub(crate) fn place(&self, hash: &ContentHash) -> Result<Option<Place>> {
        let recent = self.state().recent.get(hash).copied();
        match recent {
            Some(place) => Ok(Some(place)),
            // Between the two looks a segment may have moved from memory into the index, never the other way.
            None => self.index.place(hash),
        }
    }

    /// Up to `len` octets of a content from `offset` on; fewer only at its end.
    ///
    /// Errors: `Corrupt` when the content is not there.
    pub(crate) fn read(&self, hash: &ContentHash, offset: u64, len: u64) -> Result<Bytes> {
        for _ in 0..3 {
            let Some(place) = self.place(hash)? else {
                break;
            };
            let file = match self.file(place.segment) {
                Ok(file) => file,
                // The compactor moved the content between our look into the index and now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            };
            let from = offset.min(place.len);
            let size = usize::try_from(len.min(place.len - from)).unwrap_or(usize::MAX);
            let mut bytes = vec![0; size];
            file.read_exact_at(&mut bytes, place.offset + from)?;
            return Ok(bytes.into());
        }
        Err(Fail::corrupt("a content is missing"))
    }

    pub(crate) fn file(&self, id: u32) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|(segment, _)| *segment == id)
            && let Some(entry) = open.remove(at)
        {
            let file = Arc::clone(&entry.1);
            open.push_back(entry);
            return Ok(file);
        }
        let file = Arc::new(File::open(self.path(id))?);
        open.push_back((id, Arc::clone(&file)));
        if open.len() > OPEN_FILES_MAX {
            open.pop_front();
        }
        Ok(file)
    }
}

/// Segments that are being emptied: while this lives, nothing new refers to what lies in them.
pub(crate) struct Leaving {
    segments: Arc<Segments>,
    ids: Vec<u32>,
    pinned: Vec<ContentHash>,
}

impl Leaving {
    /// The segments, ascending.
    pub(crate) fn segments(&self) -> Vec<u32> {
        self.ids.clone()
    }

    /// What the writes under way at the beginning refer to.
    pub(crate) fn pinned(&self) -> Vec<ContentHash> {
        self.pinned.clone()
    }

    /// This segment stays after all.
    pub(crate) fn keep(&self, segment: u32) {
        self.segments.state().leaving.remove(&segment);
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.segments.state().leaving.clear();
    }
}

impl Segments {
    /// From now on nothing new refers to the segments that are full now.
    pub(crate) fn begin_leaving(self: &Arc<Self>) -> Result<Leaving> {
        let ids = self.index.segments()?;
        let mut state = self.state();
        state.leaving.extend(&ids);
        // A write that looked before this is in here, or is committed and found in its mailbox.
        let pinned = state.pins.keys().copied().collect();
        drop(state);
        Ok(Leaving {
            segments: Arc::clone(self),
            ids,
            pinned,
        })
    }

    /// Octets of a segment file.
    pub(crate) fn size(&self, id: u32) -> Result<u64> {
        Ok(fs::metadata(self.path(id))?.len())
    }

    /// The contents that are found in a full segment.
    pub(crate) fn contents_of(&self, id: u32) -> Result<Vec<(ContentHash, Place)>> {
        let mut contents = Vec::new();
        self.index
            .each(Some(id), |hash, place| contents.push((*hash, place)))?;
        // What was written again since lies elsewhere.
        let state = self.state();
        contents.retain(|(hash, _)| !state.recent.contains_key(hash));
        Ok(contents)
    }

    /// Calls `each` with every place the index knows.
    pub(crate) fn each_indexed(&self, each: impl FnMut(&ContentHash, Place)) -> Result<()> {
        self.index.each(None, each)
    }

    /// Removes a full segment. Who reads from it now can go on.
    pub(crate) fn remove(&self, id: u32) -> Result<()> {
        self.index.remove(id)?;
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(open, _)| *open != id);
        files::remove(&self.path(id))?;
        files::sync_dir(&self.dir)?;
        Ok(())
    }
}

/// The numbers of the segment files, ascending.
fn segment_ids(dir: &Path) -> io::Result<Vec<u32>> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".seg"));
        ids.extend(stem.and_then(|stem| stem.parse::<u32>().ok()));
    }
    ids.sort_unstable();
    Ok(ids)
}
