//! Files with keys in them: nobody but their owner may read them.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

/// The length of a key in bytes.
pub(super) const KEY_LEN: usize = 32;
/// The bound of the number of keys in a file.
const KEYS_MAX: usize = 16;

/// A key, overwritten when it is dropped.
pub(super) type Key = Zeroizing<[u8; KEY_LEN]>;

/// Whether a file may be read by its owner alone. Errors say what to do.
pub(in crate::auth) fn check_private(path: &Path) -> Result<(), String> {
    let metadata = fs::metadata(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(format!(
            "{}: others can read it; chmod 600 it, and replace what is in it",
            path.display()
        ));
    }
    Ok(())
}

/// Reads a key file: one key of 32 bytes a line, in base64. The first seals, all of them open.
pub(super) fn read(path: &Path) -> Result<Vec<Key>, String> {
    check_private(path)?;
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|cause| format!("{}: {cause}", path.display()))?;
    let keys: Option<Vec<Key>> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let bytes = BASE64_STANDARD.decode(line).map(Zeroizing::new).ok()?;
            Some(Zeroizing::new(<[u8; KEY_LEN]>::try_from(&bytes[..]).ok()?))
        })
        .collect();
    keys.filter(|keys| (1..=KEYS_MAX).contains(&keys.len()))
        .ok_or_else(|| {
            format!(
                "{}: not a list of keys (32 bytes in base64, one a line)",
                path.display()
            )
        })
}

/// Makes a key file with one new key. Errors when it exists.
pub(super) fn create(path: &Path) -> Result<(), String> {
    let failed = |cause: &dyn std::fmt::Display| format!("{}: {cause}", path.display());
    let mut key = Key::default();
    getrandom::fill(&mut key[..]).map_err(|cause| failed(&cause))?;
    let mut line = Zeroizing::new(BASE64_STANDARD.encode(*key));
    line.push('\n');
    let mut file = fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|cause| failed(&cause))?;
    file.write_all(line.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|cause| failed(&cause))
}
