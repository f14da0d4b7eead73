//! Keytab files: the keys of principals, as MIT Kerberos writes them (version 0x502).

use std::{fs::File, io::Read, path::Path};

use zeroize::Zeroizing;

use crate::auth::oauth::check_private;

/// The bound of a file in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// AES kinds of keys that are understood, the better first (RFC 3961 section 8, RFC 3962 section 7).
const KINDS: &[u16] = &[18, 17];

/// One key of a principal.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) kind: u16,
    pub(super) version: u32,
    pub(super) key: Zeroizing<Vec<u8>>,
}

/// The newest key of a principal, and among those the strongest kind. Errors say what is wrong with the file.
pub(super) fn key(path: &Path, user: &str, realm: &str) -> Result<Entry, String> {
    check_private(path)?;
    let failed = |why: &dyn std::fmt::Display| format!("keytab {}: {why}", path.display());
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|cause| failed(&cause))?;
    let entries = entries(&bytes, user, realm).ok_or_else(|| failed(&"it is broken"))?;
    let rank = |entry: &Entry| KINDS.iter().rev().position(|kind| *kind == entry.kind);
    entries
        .into_iter()
        .filter(|entry| rank(entry).is_some())
        .max_by_key(|entry| (entry.version, rank(entry)))
        .ok_or_else(|| failed(&format!("it has no AES key of {user}@{realm}")))
}

/// The keys of one principal; nothing when the file is broken.
fn entries(bytes: &[u8], user: &str, realm: &str) -> Option<Vec<Entry>> {
    let mut rest = bytes.strip_prefix(b"\x05\x02")?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (size, after) = rest.split_first_chunk()?;
        let size = i32::from_be_bytes(*size);
        // A hole, where an entry was removed, has a negative size.
        let (entry, after) = after.split_at_checked(usize::try_from(size.unsigned_abs()).ok()?)?;
        rest = after;
        if size > 0 {
            found.extend(entry_of(entry, user, realm)?);
        }
    }
    Some(found)
}

/// The outer option is for a broken entry, the inner one for another principal's.
#[expect(clippy::option_option, reason = "two questions with an answer each")]
fn entry_of(mut entry: &[u8], user: &str, realm: &str) -> Option<Option<Entry>> {
    let rest = &mut entry;
    let components = u16::from_be_bytes(*take(rest)?);
    let of_realm = counted(rest)? == realm.as_bytes();
    let mut name = Vec::new();
    for number in 0..components {
        if number > 0 {
            name.push(b'/');
        }
        name.extend_from_slice(counted(rest)?);
    }
    let _name_type: &[u8; 4] = take(rest)?;
    let _timestamp: &[u8; 4] = take(rest)?;
    let [short_version] = *take(rest)?;
    let kind = u16::from_be_bytes(*take(rest)?);
    let key = counted(rest)?;
    // The version of four bytes is newer, and may be missing.
    let version = match take(rest).map(|version| u32::from_be_bytes(*version)) {
        Some(version) if version != 0 => version,
        _ => short_version.into(),
    };
    let wanted = of_realm && name == user.as_bytes();
    Some(wanted.then(|| Entry {
        kind,
        version,
        key: Zeroizing::new(key.to_vec()),
    }))
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

fn counted<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u16::from_be_bytes(*take(rest)?);
    let (taken, after) = rest.split_at_checked(len.into())?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An entry as `ktutil` writes it.
    fn entry(name: &[&str], realm: &str, kind: u16, version: u32) -> Vec<u8> {
        let counted = |bytes: &[u8]| {
            let len = u16::try_from(bytes.len()).unwrap();
            [&len.to_be_bytes(), bytes].concat()
        };
        let mut entry = u16::try_from(name.len()).unwrap().to_be_bytes().to_vec();
        entry.extend(counted(realm.as_bytes()));
        for component in name {
            entry.extend(counted(component.as_bytes()));
        }
        entry.extend([0, 0, 0, 1, 0x6A, 0, 0, 0]);
        entry.push(u8::try_from(version & 0xFF).unwrap());
        entry.extend(kind.to_be_bytes());
        entry.extend(counted(format!("{kind}/{version}").as_bytes()));
        entry.extend(version.to_be_bytes());
        let size = i32::try_from(entry.len()).unwrap();
        [&size.to_be_bytes(), &entry[..]].concat()
    }

    fn file() -> Vec<u8> {
        [
            b"\x05\x02".to_vec(),
            entry(&["svc"], "EXAMPLE.TEST", 18, 2),
            entry(&["svc"], "EXAMPLE.TEST", 17, 300),
            b"\xFF\xFF\xFF\xFCgone".to_vec(),
            entry(&["svc"], "EXAMPLE.TEST", 18, 300),
            entry(&["svc"], "EXAMPLE.TEST", 23, 301),
            entry(&["svc"], "OTHER.TEST", 18, 400),
            entry(&["svc", "host.example.test"], "EXAMPLE.TEST", 17, 5),
        ]
        .concat()
    }

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    #[test]
    fn the_newest_and_strongest_key_of_a_principal_is_chosen() {
        let file = written(&file());
        let chosen = |user| key(file.path(), user, "EXAMPLE.TEST").map(|entry| entry.key.to_vec());
        assert_eq!(chosen("svc").unwrap(), b"18/300");
        assert_eq!(chosen("svc/host.example.test").unwrap(), b"17/5");
        assert!(
            chosen("other")
                .unwrap_err()
                .contains("no AES key of other@EXAMPLE.TEST")
        );
    }

    #[test]
    fn a_file_that_ends_early_is_broken() {
        let whole = file();
        let last = whole.len() - entry(&["svc", "host.example.test"], "EXAMPLE.TEST", 17, 5).len();
        for len in last + 1..whole.len() {
            assert!(
                entries(&whole[..len], "svc", "EXAMPLE.TEST").is_none(),
                "{len}"
            );
        }
        assert!(entries(b"\x05\x01", "svc", "EXAMPLE.TEST").is_none());
    }

    proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..300_usize) {
            entries(&[b"\x05\x02".as_slice(), &bytes].concat(), "svc", "R");
            let mut file = file();
            file.truncate(cut);
            file.extend(bytes);
            entries(&file, "svc", "EXAMPLE.TEST");
        }
    }
}
