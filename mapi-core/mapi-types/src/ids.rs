//! Identities: which mailbox, which folder, which item, which content of it, and when.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A mailbox of one backend, in the directory's spelling (for the embedded store: a lower-case file name stem).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MailboxId(pub String);

impl fmt::Display for MailboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A folder of one mailbox. Never reused within a mailbox.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FolderId(pub u64);

/// One immutable content in one folder: ascending, never reused within an [`Epoch`]; an edit gets a new one.
///
/// It is the IMAP UID and the POP3 UIDL, and the base of a DAV ETag. Always at least 1.
/// Source: PidTagInternetArticleNumber, MS-OXPROPS 2.748.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ItemNumber(pub u32);

/// The item across edits (a DAV href hangs on it); at most 255 bytes. Source: PidTagSourceKey, MS-OXCFXICS 2.2.1.2.5.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ItemKey(pub Box<[u8]>);

/// What the numbers and keys of one folder are valid for (IMAP UIDVALIDITY). Never 0.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Epoch(pub u32);

/// A place in a folder's change log (IMAP MODSEQ, DAV sync-token); the first change has 1, nothing has 0.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(pub u64);

/// 100 ns ticks since 1601-01-01 UTC. Source: PtypTime, MS-OXCDATA 2.11.1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileTime(pub u64);

/// Seconds from 1601-01-01 to 1970-01-01.
const UNIX_OFFSET_S: i64 = 11_644_473_600;
const TICKS_PER_S: i64 = 10_000_000;

impl FileTime {
    /// From seconds since 1970-01-01 UTC; times before 1601 become 1601.
    pub const fn from_unix(seconds: i64) -> Self {
        let ticks = seconds
            .saturating_add(UNIX_OFFSET_S)
            .saturating_mul(TICKS_PER_S);
        Self(if ticks < 0 { 0 } else { ticks as u64 })
    }

    /// Whole seconds since 1970-01-01 UTC, rounded down; negative before.
    pub const fn unix(self) -> i64 {
        (self.0 / TICKS_PER_S as u64) as i64 - UNIX_OFFSET_S
    }
}

impl From<SystemTime> for FileTime {
    fn from(time: SystemTime) -> Self {
        let offset = Duration::from_secs(UNIX_OFFSET_S as u64);
        let since_1601 = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => offset + after,
            Err(before) => offset.saturating_sub(before.duration()),
        };
        Self(u64::try_from(since_1601.as_nanos() / 100).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_time_of_the_unix_epoch_is_the_documented_constant() {
        assert_eq!(FileTime::from(UNIX_EPOCH).0, 116_444_736_000_000_000);
        assert_eq!(FileTime::from_unix(0).0, 116_444_736_000_000_000);
        assert_eq!(FileTime::from_unix(-1).unix(), -1);
        assert_eq!(FileTime::from_unix(i64::MIN).0, 0);
    }
}
