//! The end of the newest segment file: the only place where contents are written.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use mapi_store::{Error, ErrorKind};
use mapi_types::Content;

use super::{
    Segments,
    record::{HEADER_BYTES, Header},
    scan::Found,
};
use crate::{
    fail::{Fail, Result},
    files,
};

/// Octets gathered for one write call.
const CHUNK_BYTES: usize = 1 << 20;

/// What the tail does with its file; a test double fails on demand.
pub(super) trait Disk: Send {
    fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;
    fn sync_data(&self) -> io::Result<()>;
    fn set_len(&self, len: u64) -> io::Result<()>;
}

impl Disk for File {
    fn write_all_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, at)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }
}

/// The segment file being written.
pub(crate) struct Tail {
    pub(super) id: u32,
    disk: Box<dyn Disk>,
    /// Octets handed to the file.
    written: u64,
    /// What follows them and waits for company: records of small contents share a write call.
    gathered: Vec<u8>,
    /// A write failed: what the file holds behind `written` nobody knows.
    unsure: bool,
}

impl Tail {
    /// Begins a segment; its name is durable afterwards.
    pub(super) fn create(segments: &Segments, id: u32) -> Result<Self> {
        let path = segments.path(id);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        files::sync_parent(&path)?;
        Ok(Self::on(Box::new(file), id, 0))
    }

    /// Goes on behind the last whole record and cuts off what is there.
    pub(super) fn take_up(path: &Path, id: u32, end: u64) -> Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(end)?;
        // What the scan saw may be in memory alone, if the last process died before its sync.
        file.sync_all()?;
        files::sync_parent(path)?;
        Ok(Self::on(Box::new(file), id, end))
    }

    pub(super) fn on(disk: Box<dyn Disk>, id: u32, end: u64) -> Self {
        Self {
            id,
            disk,
            written: end,
            gathered: Vec::new(),
            unsure: false,
        }
    }

    /// Where the next record goes.
    pub(super) fn end(&self) -> u64 {
        self.written + self.gathered.len() as u64
    }

    /// Adds a record. After an error [`Self::cut`] must make the file what it was.
    pub(super) fn append(&mut self, content: &Content) -> Result<Found> {
        let header = Header {
            hash: content.hash(),
            len: content.len(),
        };
        let found = Found {
            header,
            offset: self.end() + HEADER_BYTES as u64,
        };
        self.put(&header.encode())?;
        let mut hasher = blake3::Hasher::new();
        match content.source().in_memory() {
            Some(bytes) if bytes.len() as u64 == content.len() => {
                hasher.update(bytes);
                self.put(bytes)?;
            }
            _ => self.copy(content, &mut hasher)?,
        }
        // A content under a wrong name would be given to whoever asks for the right one.
        if *hasher.finalize().as_bytes() != content.hash().0 {
            return Err(Fail::new(
                ErrorKind::Internal,
                "a content has another hash than it says",
            ));
        }
        Ok(found)
    }

    fn copy(&mut self, content: &Content, hasher: &mut blake3::Hasher) -> Result<()> {
        let (mut at, mut chunk) = (0, vec![0; CHUNK_BYTES]);
        while at < content.len() {
            let size = (content.len() - at).min(CHUNK_BYTES as u64) as usize;
            let part = chunk.get_mut(..size).unwrap_or_default();
            content.source().read_exact_at(part, at).map_err(|cause| {
                Error::with_source(ErrorKind::Unavailable, "the content cannot be read", cause)
            })?;
            hasher.update(part);
            self.put(part)?;
            at += size as u64;
        }
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        if self.gathered.len() + bytes.len() > CHUNK_BYTES {
            self.flush()?;
        }
        if bytes.len() > CHUNK_BYTES {
            return self.write(bytes);
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    /// Hands everything gathered to the file.
    pub(super) fn flush(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let mut gathered = std::mem::take(&mut self.gathered);
        let written = self.write(&gathered);
        if written.is_ok() {
            gathered.clear();
        }
        self.gathered = gathered;
        written
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.unsure = true;
        self.disk.write_all_at(bytes, self.written)?;
        self.unsure = false;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Forgets everything from `end` on.
    pub(super) fn cut(&mut self, end: u64) -> Result<()> {
        if end < self.written || self.unsure {
            let end = end.min(self.written);
            self.disk.set_len(end)?;
            self.written = end;
            self.unsure = false;
        }
        self.gathered
            .truncate(end.saturating_sub(self.written) as usize);
        Ok(())
    }

    /// Makes everything handed to the file durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.disk.sync_data()
    }
}
