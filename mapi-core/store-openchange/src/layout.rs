//! Where things lie in a data folder.
//!
//! * `LOCK`: held by the one process that has the folder open
//! * `epoch`: the highest epoch that may have been given out
//! * `mailboxes/<id>.sqlite`: one mailbox
//! * `segments/`: the contents of all of them

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mapi_types::MailboxId;

use crate::{access::invalid, fail::Result};

/// Octets of a file name's stem: ids that need more after escaping are refused.
const STEM_BYTES_MAX: usize = 200;

const SUFFIX: &str = ".sqlite";

/// The paths within one data folder.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    pub(crate) fn epoch(&self) -> PathBuf {
        self.root.join("epoch")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.root.join("segments")
    }

    pub(crate) fn mailboxes(&self) -> PathBuf {
        self.root.join("mailboxes")
    }

    /// The file of a mailbox. Errors: `Invalid` when its id is empty or too long.
    pub(crate) fn mailbox(&self, id: &MailboxId) -> Result<PathBuf> {
        let stem = escape(&id.0);
        if stem.is_empty() || stem.len() > STEM_BYTES_MAX {
            return Err(invalid("no mailbox can have this id"));
        }
        Ok(self.mailboxes().join(stem + SUFFIX))
    }

    /// Removes what a crash left of mailboxes being made or restored.
    pub(crate) fn remove_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.mailboxes())? {
            let entry = entry?;
            let name = entry.file_name();
            let unfinished = |mark: &str| {
                name.to_str()
                    .is_some_and(|name| name.contains(&format!("{SUFFIX}{mark}")))
            };
            if unfinished(".new") || unfinished(".restore") {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Every mailbox there is, by id.
    pub(crate) fn all_mailboxes(&self) -> io::Result<Vec<(MailboxId, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.mailboxes())? {
            let entry = entry?;
            let name = entry.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            if let Some(id) = stem.and_then(unescape) {
                found.push((MailboxId(id), entry.path()));
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Another file of the same mailbox, such as its write-ahead log.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Letters, digits and what addresses are made of stay; every other octet becomes `%xx`.
fn escape(id: &str) -> String {
    let mut stem = String::with_capacity(id.len());
    for (at, byte) in id.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'@' | b'-' | b'_' | b'+' | b'=' => stem.push(byte.into()),
            b'.' if at > 0 => stem.push('.'),
            _ => stem.push_str(&format!("%{byte:02x}")),
        }
    }
    stem
}

fn unescape(stem: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(stem.len());
    let mut rest = stem.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%' {
            let (hex, tail) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(first);
        }
    }
    let id = String::from_utf8(bytes).ok()?;
    // A file that somebody else put there under a name we would not give.
    (escape(&id) == stem).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_file_name_of_its_own_that_leads_back() {
        for id in [
            "alice@example.test",
            "../../etc/passwd",
            "ü/ö",
            ".hidden",
            "A@EXAMPLE.TEST",
            "a%b",
            "a b",
        ] {
            let stem = escape(id);
            assert!(!stem.contains('/') && !stem.starts_with('.'), "{stem}");
            assert_eq!(unescape(&stem).as_deref(), Some(id));
        }
        assert_eq!(unescape("ALICE"), None);
        assert_eq!(unescape("a%4"), None);
    }
}
