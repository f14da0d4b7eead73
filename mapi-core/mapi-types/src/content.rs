//! Bytes kept as they came, wherever they are: in memory or in a spool file.

use std::{fmt, io, sync::Arc};

use bytes::Bytes;

/// BLAKE3 of a content: its address in the embedded store.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ContentHash(pub [u8; 32]);

/// Random access to bytes that do not change.
pub trait ReadAt: Send + Sync {
    /// Fills `buf` from `offset` on. Blocking; call it off the async reactor unless the bytes are in memory.
    ///
    /// Errors: of the file beneath; `UnexpectedEof` when the bytes end before `buf` is full.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// The whole as one buffer, when it is in memory already.
    fn in_memory(&self) -> Option<&Bytes> {
        None
    }
}

impl ReadAt for Bytes {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let bytes = self
            .get(from..)
            .and_then(|tail| tail.get(..buf.len()))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(bytes);
        Ok(())
    }

    fn in_memory(&self) -> Option<&Bytes> {
        Some(self)
    }
}

/// Immutable bytes with their length and hash; cloning is one reference count.
#[derive(Clone)]
pub struct Content {
    source: Arc<dyn ReadAt>,
    len: u64,
    hash: ContentHash,
}

impl Content {
    /// `len` bytes of `source`, whose BLAKE3 is `hash` (computed while they arrived).
    pub fn new(source: Arc<dyn ReadAt>, len: u64, hash: ContentHash) -> Self {
        Self { source, len, hash }
    }

    /// Octets.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// BLAKE3 of the bytes.
    pub fn hash(&self) -> ContentHash {
        self.hash
    }

    /// Where the bytes are.
    pub fn source(&self) -> &dyn ReadAt {
        &*self.source
    }
}

impl fmt::Debug for Content {
    // Content is somebody's mail: never in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
