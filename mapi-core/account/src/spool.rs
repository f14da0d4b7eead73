//! Where an arriving message goes: memory first, a file without a name when it is large.
//!
//! The message is hashed and scanned as it arrives, so nothing is read twice. The file is removed as soon as it is
//! open: a crash leaves nothing behind. File I/O and the conversion of large messages run on the blocking pool.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use bytes::Bytes;
use mapi_convert::{Limits, Scanner, oxcmail};
use mapi_store::{Error, ErrorKind, Result};
use mapi_types::{Content, ContentHash, FileTime, Message, ReadAt};
use tokio::{sync::OwnedSemaphorePermit, task::spawn_blocking};

use crate::accounts::Shared;

/// The unit in which memory for arriving messages is counted.
pub(crate) const MEMORY_UNIT_BYTES: usize = 4 << 10;

/// Octets gathered before they are written to a file.
const WRITE_BYTES: usize = 256 << 10;

/// Messages above this are converted on the blocking pool.
const INLINE_CONVERT_BYTES_MAX: u64 = 64 << 10;

/// A message that is arriving.
pub struct Spool {
    shared: Arc<Shared>,
    place: Place,
    len: u64,
    len_max: u64,
    hasher: blake3::Hasher,
    scanner: Scanner,
}

enum Place {
    Memory {
        bytes: Vec<u8>,
        permit: Option<OwnedSemaphorePermit>,
    },
    /// `pending` comes after the `written` octets that are in the file.
    File {
        file: Arc<File>,
        written: u64,
        pending: Vec<u8>,
    },
    /// A write failed or was abandoned.
    Broken,
}

/// A message that has arrived: its octets, hash, facts and MAPI form. Cloning is one reference count.
#[derive(Clone, Debug)]
pub struct Spooled(pub(crate) Arc<Message>);

impl Spooled {
    /// Octets.
    pub fn len(&self) -> u64 {
        self.0.original.as_ref().map_or(0, Content::len)
    }

    /// Whether it has no octets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// BLAKE3 of its octets.
    pub fn hash(&self) -> ContentHash {
        self.0
            .original
            .as_ref()
            .map_or(ContentHash([0; 32]), Content::hash)
    }
}

impl Spool {
    /// For a message of at most so many octets.
    pub(crate) fn new(shared: Arc<Shared>, len_max: u64) -> Self {
        Self {
            shared,
            len_max,
            place: Place::Memory {
                bytes: Vec::new(),
                permit: None,
            },
            len: 0,
            hasher: blake3::Hasher::new(),
            scanner: Scanner::new(Limits::default()),
        }
    }

    /// Octets so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes the next octets. After an error the message is lost: drop the spool. The same holds when the call is
    /// abandoned.
    ///
    /// Errors: `TooBig`, `Unavailable` (the disk).
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let len = self.len + bytes.len() as u64;
        if len > self.len_max {
            self.place = Place::Broken;
            return Err(Error::new(
                ErrorKind::TooBig,
                "the message exceeds the limit",
            ));
        }
        let place = std::mem::replace(&mut self.place, Place::Broken);
        let place = self.put(place, bytes).await?;
        self.hasher.update(bytes);
        self.scanner.feed(bytes);
        self.len = len;
        self.place = place;
        Ok(())
    }

    async fn put(&self, place: Place, bytes: &[u8]) -> Result<Place> {
        let (file, written, mut pending) = match place {
            Place::Memory {
                bytes: mut held,
                mut permit,
            } => {
                if self.reserve(held.len() + bytes.len(), &mut permit) {
                    held.extend_from_slice(bytes);
                    return Ok(Place::Memory {
                        bytes: held,
                        permit,
                    });
                }
                let folder = self.shared.options.spool_folder.clone();
                let file = off_reactor(move || nameless_file(&folder)).await?;
                let file = Arc::new(file);
                let written = held.len() as u64;
                write_at(&file, held, 0).await?;
                (file, written, Vec::with_capacity(WRITE_BYTES))
            }
            Place::File {
                file,
                written,
                pending,
            } => (file, written, pending),
            Place::Broken => return Err(broken()),
        };
        pending.extend_from_slice(bytes);
        if pending.len() < WRITE_BYTES {
            return Ok(Place::File {
                file,
                written,
                pending,
            });
        }
        let after = written + pending.len() as u64;
        let mut pending = write_at(&file, pending, written).await?;
        pending.clear();
        Ok(Place::File {
            file,
            written: after,
            pending,
        })
    }

    /// Whether `len` octets may be in memory. Does not wait: what finds no room goes to a file.
    fn reserve(&self, len: usize, permit: &mut Option<OwnedSemaphorePermit>) -> bool {
        if len > self.shared.options.spool_memory_bytes_max {
            return false;
        }
        let held = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = len.div_ceil(MEMORY_UNIT_BYTES).saturating_sub(held);
        if more == 0 {
            return true;
        }
        let memory = Arc::clone(&self.shared.spool_memory);
        let Ok(more) = memory.try_acquire_many_owned(more as u32) else {
            return false;
        };
        match permit {
            Some(permit) => permit.merge(more),
            None => *permit = Some(more),
        }
        true
    }

    /// Ends the message: hash, facts and MAPI form.
    ///
    /// Errors: `Unavailable` (the disk).
    pub async fn finish(self) -> Result<Spooled> {
        let Self {
            place,
            len,
            hasher,
            scanner,
            ..
        } = self;
        let source: Arc<dyn ReadAt> = match place {
            Place::Memory { mut bytes, permit } => {
                bytes.shrink_to_fit();
                Arc::new(InMemory {
                    bytes: bytes.into(),
                    _permit: permit,
                })
            }
            Place::File {
                file,
                written,
                pending,
            } => {
                write_at(&file, pending, written).await?;
                Arc::new(InFile(file))
            }
            Place::Broken => return Err(broken()),
        };
        let hash = ContentHash(*hasher.finalize().as_bytes());
        let content = Content::new(source, len, hash);
        let convert = move || Spooled(Arc::new(message(content, scanner)));
        if len <= INLINE_CONVERT_BYTES_MAX {
            return Ok(convert());
        }
        spawn_blocking(convert).await.map_err(|error| {
            Error::with_source(
                ErrorKind::Internal,
                "the conversion of a message failed",
                error,
            )
        })
    }
}

fn message(content: Content, scanner: Scanner) -> Message {
    let scanned = scanner.finish();
    let derived = scanned.derived();
    let (tree, warnings) = oxcmail::import(&scanned, FileTime::from(SystemTime::now()));
    if !warnings.is_empty() {
        tracing::debug!(
            warnings = warnings.len(),
            "a message was not understood in full"
        );
    }
    Message {
        tree,
        original: Some(content),
        derived,
    }
}

/// A message in memory, which counts until the last copy is stored.
struct InMemory {
    bytes: Bytes,
    _permit: Option<OwnedSemaphorePermit>,
}

impl ReadAt for InMemory {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.bytes.read_exact_at(buf, offset)
    }

    fn in_memory(&self) -> Option<&Bytes> {
        Some(&self.bytes)
    }
}

struct InFile(Arc<File>);

impl ReadAt for InFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(&*self.0, buf, offset)
    }
}

/// Writes at a place and gives the buffer back.
async fn write_at(file: &Arc<File>, bytes: Vec<u8>, offset: u64) -> Result<Vec<u8>> {
    let file = Arc::clone(file);
    off_reactor(move || file.write_all_at(&bytes, offset).map(|()| bytes)).await
}

async fn off_reactor<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let unavailable = "the spool cannot be written";
    match spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::with_source(
            ErrorKind::Unavailable,
            unavailable,
            error,
        )),
        Err(error) => Err(Error::with_source(ErrorKind::Internal, unavailable, error)),
    }
}

fn broken() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "an earlier write to the spool did not complete",
    )
}

/// A new file that nobody else can open.
fn nameless_file(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let path = folder.join(format!("{:032x}.spool", u128::from_le_bytes(name)));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
