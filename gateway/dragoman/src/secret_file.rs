//! Secrets that an administrator keeps in files of their own, for the owner alone to read.

use std::{fs::File, io::Read, os::unix::fs::MetadataExt, path::Path};

use store_exchange::auth::Secret;

use crate::failure::{Doing, Failure, Result};

/// Octets of a secret that are taken.
const SECRET_BYTES_MAX: u64 = 16 << 10;
/// Permissions that a secret's file must not give.
const OTHERS: u32 = 0o077;

/// Whether a file can be read, and by its owner alone.
pub(crate) fn check(path: &Path) -> Result<()> {
    open(path).map(drop)
}

/// Reads a secret: the whole file without the line end behind it.
pub(crate) fn read(path: &Path) -> Result<Secret> {
    let doing = || format!("secret file {}", path.display());
    let file = open(path)?;
    let mut text = String::new();
    file.take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .doing(doing)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || text.len() as u64 > SECRET_BYTES_MAX {
        return Err(Failure::new(format!(
            "secret file {} must hold 1 to {SECRET_BYTES_MAX} octets",
            path.display()
        )));
    }
    Ok(Secret::new(secret))
}

fn open(path: &Path) -> Result<File> {
    let doing = || format!("secret file {}", path.display());
    let file = File::open(path).doing(doing)?;
    // The file that was opened is looked at, not one that took its place.
    let found = file.metadata().doing(doing)?;
    match found.mode() & OTHERS {
        0 => Ok(file),
        _ => Err(Failure::new(format!(
            "secret file {} can be read by others: chmod 600 it",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn read_text(text: &str, mode: u32) -> Result<Secret> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        read(&path)
    }

    #[test]
    fn a_secret_is_what_stands_before_the_line_end() {
        for text in ["pass word", "pass word\n", "pass word\r\n"] {
            assert_eq!(read_text(text, 0o600).unwrap().expose(), "pass word");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o620] {
            let failure = read_text("secret", mode).unwrap_err().to_string();
            assert!(failure.contains("chmod 600") && !failure.ends_with("secret"));
        }
    }

    #[test]
    fn nothing_and_too_much_are_no_secrets() {
        assert!(read_text("\n", 0o600).is_err());
        assert!(read_text(&"x".repeat(20_000), 0o600).is_err());
    }
}
