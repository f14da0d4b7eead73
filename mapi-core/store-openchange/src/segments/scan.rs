//! Reading a segment file from end to end: which records are whole, and where the file stops being of use.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use mapi_types::ContentHash;

use super::record::{HEADER_BYTES, Header, MAGIC};

/// Octets read at a time while hashing and searching.
const CHUNK_BYTES: usize = 1 << 20;

/// A whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) header: Header,
    /// Where the content begins.
    pub(crate) offset: u64,
}

/// What a segment file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Its whole records, in order.
    pub(crate) records: Vec<Found>,
    /// Where the last whole record ends: beyond it is a torn tail, or nothing.
    pub(crate) end: u64,
    /// Octets of the file.
    pub(crate) len: u64,
    /// Stretches before `end` that are no whole record: damage, for something behind them is whole.
    pub(crate) damaged: Vec<(u64, u64)>,
}

/// How far to trust a record whose header is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its content has the header's hash.
    Content,
    /// The header, when the file reaches as far as it says.
    Header,
}

/// Scans a segment file. After a bad place the scan goes on at the next whole record, wherever that is.
pub(crate) fn scan(path: &Path, trust: Trust) -> io::Result<Scan> {
    let file = File::open(path)?;
    let mut scan = Scan {
        len: file.metadata()?.len(),
        ..Scan::default()
    };
    let mut at = 0;
    while at < scan.len {
        match record_at(&file, at, scan.len, trust)? {
            Some(found) => {
                if at > scan.end {
                    scan.damaged.push((scan.end, at));
                }
                at = found.offset + found.header.len;
                scan.end = at;
                scan.records.push(found);
            }
            None => match next_magic(&file, at + 1, scan.len)? {
                Some(next) => at = next,
                None => break,
            },
        }
    }
    Ok(scan)
}

fn record_at(file: &File, at: u64, len: u64, trust: Trust) -> io::Result<Option<Found>> {
    let mut bytes = [0; HEADER_BYTES];
    let offset = at + HEADER_BYTES as u64;
    if offset > len {
        return Ok(None);
    }
    file.read_exact_at(&mut bytes, at)?;
    let Some(header) = Header::decode(&bytes) else {
        return Ok(None);
    };
    let fits = offset.checked_add(header.len).is_some_and(|end| end <= len);
    let whole =
        fits && (trust == Trust::Header || hash_of(file, offset, header.len)? == header.hash);
    Ok(whole.then_some(Found { header, offset }))
}

/// BLAKE3 of a stretch of a file.
pub(crate) fn hash_of(file: &File, mut at: u64, mut left: u64) -> io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES.min(usize::try_from(left).unwrap_or(CHUNK_BYTES))];
    while left > 0 {
        let size = (chunk.len() as u64).min(left) as usize;
        let part = chunk.get_mut(..size).unwrap_or_default();
        file.read_exact_at(part, at)?;
        hasher.update(part);
        at += size as u64;
        left -= size as u64;
    }
    Ok(ContentHash(*hasher.finalize().as_bytes()))
}

/// Where the next thing that looks like a record begins.
fn next_magic(file: &File, mut at: u64, len: u64) -> io::Result<Option<u64>> {
    let mut chunk = vec![0; CHUNK_BYTES];
    while at + HEADER_BYTES as u64 <= len {
        let size = (len - at).min(CHUNK_BYTES as u64) as usize;
        let part = chunk.get_mut(..size).unwrap_or_default();
        file.read_exact_at(part, at)?;
        if let Some(found) = part.windows(MAGIC.len()).position(|window| window == MAGIC) {
            return Ok(Some(at + found as u64));
        }
        // The magic may lie across two chunks.
        at += (size - (MAGIC.len() - 1)) as u64;
    }
    Ok(None)
}
