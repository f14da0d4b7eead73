//! The octets of a queued message: small ones in memory, large ones in a file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use tokio::task::spawn_blocking;

use crate::BodyKind;

/// Messages of at most this many octets are in the queue's database, others in a file each.
pub(crate) const INLINE_BYTES_MAX: usize = 32 << 10;

/// Octets copied at a time.
const COPY_BYTES: usize = 256 << 10;

/// The octets of a message.
#[derive(Clone, Debug)]
pub struct Content(Place, u64);

#[derive(Clone, Debug)]
enum Place {
    Memory(Bytes),
    File(Arc<File>),
}

impl Content {
    pub(crate) fn memory(octets: Bytes) -> Self {
        let len = octets.len() as u64;
        Self(Place::Memory(octets), len)
    }

    pub(crate) fn file(path: &Path, len: u64) -> io::Result<Self> {
        Ok(Self(Place::File(Arc::new(File::open(path)?)), len))
    }

    /// Octets.
    pub const fn len(&self) -> u64 {
        self.1
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.1 == 0
    }

    /// Up to `count` octets from `offset` on; fewer only at the end. Errors: those of the disk.
    pub async fn read(&self, offset: u64, count: usize) -> io::Result<Bytes> {
        let count = usize::try_from(self.1.saturating_sub(offset))
            .unwrap_or(usize::MAX)
            .min(count);
        match &self.0 {
            Place::Memory(octets) => {
                let start = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(octets.len());
                Ok(octets.slice(start..(start + count).min(octets.len())))
            }
            Place::File(file) => {
                let file = Arc::clone(file);
                let read = move || {
                    let mut octets = vec![0; count];
                    file.read_exact_at(&mut octets, offset)?;
                    Ok(octets.into())
                };
                spawn_blocking(read).await.map_err(io::Error::other)?
            }
        }
    }
}

/// The folder with the files of large messages.
#[derive(Debug)]
pub(crate) struct Files(PathBuf);

/// A message that has been taken and is durable once its row is.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) len: u64,
    pub(crate) place: TakenPlace,
    /// What octets it really has, whatever was said.
    pub(crate) kind: BodyKind,
    /// The header, as far as it lies in what is looked at: [`HEADER_BYTES_MAX`].
    pub(crate) header: Bytes,
}

impl Taken {
    /// A message that goes into its row, whatever its size.
    pub(crate) fn in_row(octets: Bytes) -> Self {
        let mut kind = KindScan::default();
        kind.feed(&octets);
        Self {
            len: octets.len() as u64,
            kind: kind.end(),
            header: header_of(&octets),
            place: TakenPlace::Row(octets),
        }
    }
}

#[derive(Debug)]
pub(crate) enum TakenPlace {
    Row(Bytes),
    File(String),
}

/// The most octets of a header that are looked at.
pub(crate) const HEADER_BYTES_MAX: usize = 256 << 10;

impl Files {
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Takes a message to its end. Blocks. A file is durable when this returns.
    pub(crate) fn take(&self, mut source: impl Read) -> io::Result<Taken> {
        let mut head = Vec::new();
        (&mut source)
            .take(INLINE_BYTES_MAX as u64 + 1)
            .read_to_end(&mut head)?;
        if head.len() <= INLINE_BYTES_MAX {
            return Ok(Taken::in_row(Bytes::from(head)));
        }
        let name = fresh_name()?;
        let path = self.path(&name);
        let written = self.write(&path, head, source);
        if written.is_err() {
            // Nobody refers to it: what is left of it is removed at the next start.
            let _ = fs::remove_file(&path);
        }
        let (len, header, kind) = written?;
        Ok(Taken {
            len,
            header,
            kind,
            place: TakenPlace::File(name),
        })
    }

    fn write(
        &self,
        path: &Path,
        head: Vec<u8>,
        mut source: impl Read,
    ) -> io::Result<(u64, Bytes, BodyKind)> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(&head)?;
        let mut kind = KindScan::default();
        kind.feed(&head);
        let mut len = head.len() as u64;
        let mut start = head;
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let piece = buffer.get(..count).unwrap_or_default();
            file.write_all(piece)?;
            kind.feed(piece);
            len += count as u64;
            let room = HEADER_BYTES_MAX.saturating_sub(start.len()).min(count);
            start.extend_from_slice(piece.get(..room).unwrap_or_default());
        }
        file.sync_all()?;
        File::open(&self.0)?.sync_all()?;
        Ok((len, header_of(&Bytes::from(start)), kind.end()))
    }

    pub(crate) fn remove(&self, name: &str) {
        if let Err(error) = fs::remove_file(self.path(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the file of a message that has left the queue cannot be removed");
        }
    }

    /// Removes every file that is not among `known`.
    pub(crate) fn sweep(&self, known: &std::collections::HashSet<String>) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            if let Some(name) = name.to_str()
                && !known.contains(name)
            {
                self.remove(name);
            }
        }
        Ok(())
    }
}

/// Tells what octets a message has, piece by piece.
#[derive(Debug, Default)]
struct KindScan {
    eight_bit: bool,
    binary: bool,
    after_cr: bool,
}

impl KindScan {
    fn feed(&mut self, octets: &[u8]) {
        // NUL is no octet of a line, either, but every server passes it on.
        self.eight_bit = self.eight_bit || !octets.is_ascii();
        if self.binary {
            return;
        }
        // Every CR and LF without the other one.
        let mut from = 0;
        if self.after_cr && !octets.is_empty() {
            self.binary = octets.first() != Some(&b'\n');
            self.after_cr = false;
            from = 1;
        }
        let rest = octets.get(from..).unwrap_or_default();
        let mut expected = None;
        for at in memchr::memchr2_iter(b'\r', b'\n', rest) {
            match rest.get(at) {
                Some(b'\r') => match rest.get(at + 1) {
                    Some(b'\n') => expected = Some(at + 1),
                    Some(_) => self.binary = true,
                    None => self.after_cr = true,
                },
                Some(b'\n') if expected == Some(at) => {}
                _ => self.binary = true,
            }
        }
    }

    fn end(&self) -> BodyKind {
        match (self.binary || self.after_cr, self.eight_bit) {
            (true, _) => BodyKind::Binary,
            (false, true) => BodyKind::EightBit,
            (false, false) => BodyKind::SevenBit,
        }
    }
}

fn fresh_name() -> io::Result<String> {
    let mut name = [0; 16];
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    Ok(format!("{:032x}", u128::from_le_bytes(name)))
}

/// The octets up to and with the empty line that ends the header.
pub(crate) fn header_of(octets: &Bytes) -> Bytes {
    let mut from = 0;
    while let Some(lf) = octets
        .get(from..)
        .and_then(|rest| memchr::memchr(b'\n', rest))
    {
        let after = from + lf + 1;
        let line = octets.get(from..after).unwrap_or_default();
        if line == b"\r\n" || line == b"\n" {
            return octets.slice(..after);
        }
        from = after;
    }
    octets.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_and_large_messages_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path().join("messages")).unwrap();
        for len in [0, 1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, 700_000] {
            let mut octets = b"Subject: x\r\n\r\n".to_vec();
            octets.resize(len, b'.');
            let taken = files.take(octets.as_slice()).unwrap();
            assert_eq!(taken.len, len as u64);
            let content = match &taken.place {
                TakenPlace::Row(octets) => Content::memory(octets.clone()),
                TakenPlace::File(name) => Content::file(&files.path(name), taken.len).unwrap(),
            };
            assert_eq!(content.read(0, usize::MAX).await.unwrap(), octets);
            let middle = content.read(5, 3).await.unwrap();
            assert_eq!(middle, octets.get(5..8).unwrap_or_default());
        }
        files.sweep(&std::collections::HashSet::new()).unwrap();
        assert_eq!(
            fs::read_dir(folder.path().join("messages"))
                .unwrap()
                .count(),
            0
        );
    }

    #[test]
    fn kinds_are_told_whatever_the_pieces() {
        for (octets, kind) in [
            ("a\r\nb\r\n", BodyKind::SevenBit),
            ("\r\n\r\n", BodyKind::SevenBit),
            ("\r\nä", BodyKind::EightBit),
            ("a\nb", BodyKind::Binary),
            ("a\r", BodyKind::Binary),
            ("\n", BodyKind::Binary),
            ("a\rb", BodyKind::Binary),
            ("\r\r\n", BodyKind::Binary),
            ("a\0b", BodyKind::SevenBit),
            ("\r\n\n", BodyKind::Binary),
        ] {
            for split in 0..=octets.len() {
                let (one, two) = octets.as_bytes().split_at(split);
                let mut scan = KindScan::default();
                scan.feed(one);
                scan.feed(two);
                assert_eq!(scan.end(), kind, "{octets:?} at {split}");
            }
        }
    }

    #[test]
    fn headers_end_with_an_empty_line() {
        for (octets, header) in [
            ("A: b\r\n\r\ntext", "A: b\r\n\r\n"),
            ("A: b\n\ntext", "A: b\n\n"),
            ("A: b\r\n", "A: b\r\n"),
            ("\r\ntext", "\r\n"),
            ("", ""),
        ] {
            assert_eq!(header_of(&Bytes::from_static(octets.as_bytes())), header);
        }
    }
}
