//! A journal: records in lines of a file, the newest last, each durable when it has been added.
//!
//! A line is eight hexadecimal digits of the BLAKE3 hash of what follows, a blank, and JSON. What a crash left of the last
//! lines does not fit its hash: from there on the file is cut. A journal is written anew when most of it is out of date.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, durable, error::At};

/// The longest line that is read.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Digits of the hash.
const HASH_DIGITS: usize = 8;

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens a journal, or begins one, and hands over its records in their order.
    pub(crate) fn open<R: DeserializeOwned>(path: &Path, mut each: impl FnMut(R)) -> Result<Self> {
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = durable::open_plain(path, &mut options).at(path)?;
        lock(&file, path)?;
        let good = read(&file, &mut each).at(path)?;
        if good == 0 && !may_be_torn(&file).at(path)? {
            let path = path.display();
            return Err(Error::Invalid(format!("{path}: this is no journal")));
        }
        file.set_len(good).at(path)?;
        (&file).seek(SeekFrom::Start(good)).at(path)?;
        if let Some(folder) = path.parent().filter(|_| is_new) {
            durable::sync_folder(folder)?;
        }
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// The records of a journal that is only looked at; none when it is not there.
    pub(crate) fn look<R: DeserializeOwned>(path: &Path, mut each: impl FnMut(R)) -> Result<()> {
        match durable::open_plain(path, OpenOptions::new().read(true)) {
            Ok(file) => read(&file, &mut each).at(path).map(drop),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::File(path.to_owned(), error)),
        }
    }

    /// Adds records. Durable when it returns.
    pub(crate) fn add<R: Serialize>(&self, records: &[R]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let lines = lines(records).at(&self.path)?;
        (&self.file).write_all(&lines).at(&self.path)?;
        self.file.sync_data().at(&self.path)
    }

    /// Begins anew with these records alone.
    pub(crate) fn rewrite<R: Serialize>(&mut self, records: &[R]) -> Result<()> {
        durable::replace(&self.path, &lines(records).at(&self.path)?)?;
        let mut options = OpenOptions::new();
        let file = durable::open_plain(&self.path, options.read(true).write(true));
        let mut file = file.at(&self.path)?;
        lock(&file, &self.path)?;
        file.seek(SeekFrom::End(0)).at(&self.path)?;
        self.file = file;
        Ok(())
    }
}

/// Whether a file without a record may be what a crash left of a journal: nothing, or the beginning of a line, or the
/// zeros that some file systems leave.
fn may_be_torn(file: &File) -> io::Result<bool> {
    let mut start = [0; HASH_DIGITS];
    let read = file.read_at(&mut start, 0)?;
    let start = start.get(..read).unwrap_or_default();
    let may_be = |octet: &u8| *octet == 0 || octet.is_ascii_hexdigit();
    Ok(start.iter().all(may_be))
}

/// Two runs at one time would each undo what the other does.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error).at(path),
        Err(TryLockError::WouldBlock) => Err(Error::Invalid(format!(
            "{}: another run is at work here",
            path.display()
        ))),
    }
}

/// Reads records; returns how long what is good is.
fn read<R: DeserializeOwned>(file: &File, each: &mut impl FnMut(R)) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let (mut good, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let len = (&mut reader)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        let Some(record) = parse(&line) else {
            return Ok(good);
        };
        each(record);
        good += len as u64;
    }
}

fn parse<R: DeserializeOwned>(line: &[u8]) -> Option<R> {
    let line = line.strip_suffix(b"\n")?;
    let (hash, json) = line.split_at_checked(HASH_DIGITS)?;
    let json = json.strip_prefix(b" ")?;
    (hash == digits(json).as_bytes()).then_some(())?;
    serde_json::from_slice(json).ok()
}

fn lines<R: Serialize>(records: &[R]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in records {
        let json = serde_json::to_vec(record)?;
        lines.extend_from_slice(digits(&json).as_bytes());
        lines.push(b' ');
        lines.extend_from_slice(&json);
        lines.push(b'\n');
    }
    Ok(lines)
}

fn digits(json: &[u8]) -> String {
    let hex = blake3::hash(json).to_hex();
    hex.chars().take(HASH_DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(path: &Path) -> Vec<u32> {
        let mut records = Vec::new();
        Journal::look(path, |record| records.push(record)).unwrap();
        records
    }

    #[test]
    fn a_torn_end_is_cut_wherever_it_is_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = Journal::open::<u32>(&path, drop).unwrap();
        journal.add(&[1_u32, 22]).unwrap();
        journal.add(&[333_u32]).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        for len in 0..=whole.len() {
            let ends = whole[..len].iter().filter(|octet| **octet == b'\n').count();
            for junk in [&b""[..], b"\0\0\0\0\0\0", b"00000000 4\n"] {
                let mut octets = whole[..len].to_vec();
                octets.extend_from_slice(junk);
                std::fs::write(&path, octets).unwrap();
                let journal = Journal::open::<u32>(&path, drop).unwrap();
                journal.add(&[4_u32]).unwrap();
                let mut expected = [1, 22, 333][..ends].to_vec();
                expected.push(4);
                assert_eq!(records(&path), expected, "{len} octets and {junk:?}");
            }
        }
    }

    /// Who may write to a folder must not choose what is emptied.
    #[test]
    fn what_is_no_journal_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "[users]\n").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&other, &link).unwrap();
        for path in [&other, &link] {
            assert!(Journal::open::<u32>(path, drop).is_err());
            assert_eq!(std::fs::read(&other).unwrap(), b"[users]\n");
        }
        assert!(Journal::look::<u32>(&link, drop).is_err());
    }

    #[test]
    fn a_journal_that_was_written_anew_is_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open::<u32>(&path, drop).unwrap();
        journal.add(&[1_u32, 2, 3]).unwrap();
        journal.rewrite(&[9_u32]).unwrap();
        journal.add(&[10_u32]).unwrap();
        assert_eq!(records(&path), [9, 10]);
        assert_eq!(records(&folder.path().join("none")), [0; 0]);
    }
}
