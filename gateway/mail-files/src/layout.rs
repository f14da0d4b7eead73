//! Where in a folder of files the folders of a mailbox lie, and what lies beside their messages.

use std::path::{Path, PathBuf};

use crate::{Format, folder_name};

/// What an export's journal is called.
const EXPORTED: &str = "dragoman-export";

/// What an import's journal is called, before the mailbox's address.
const IMPORTED: &str = "dragoman-import-";

/// Where a folder with this path lies.
pub(crate) fn folder(root: &Path, format: Format, path: &[String]) -> PathBuf {
    match format {
        Format::Maildir => match folder_name::maildir(path) {
            name if name.is_empty() => root.to_owned(),
            name => root.join(name),
        },
        Format::Eml => {
            let levels = path.iter().map(|level| folder_name::nested(level));
            levels.fold(root.to_owned(), |folder, level| folder.join(level))
        }
    }
}

/// The journal of an export into a folder.
pub(crate) fn exported(folder: &Path, format: Format) -> PathBuf {
    folder.join(file_name(format, EXPORTED.to_owned()))
}

/// The journal of an import from a folder; it lies there, or in a folder for such journals.
pub(crate) fn imported(
    folder: &Path,
    format: Format,
    mailbox: &str,
    elsewhere: Option<&Path>,
) -> PathBuf {
    let name = format!("{IMPORTED}{}", mailbox.replace('/', "%2F"));
    match elsewhere {
        None => folder.join(file_name(format, name)),
        Some(elsewhere) => {
            let hash = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
            let start: String = hex_start(&hash);
            elsewhere.join(format!("{name}-{start}"))
        }
    }
}

fn hex_start(hex: &str) -> String {
    hex.chars().take(32).collect()
}

/// A hidden file where folders of a mailbox lie beside it; a plain one where hidden names are folders.
fn file_name(format: Format, name: String) -> String {
    match format {
        Format::Maildir => name,
        Format::Eml => format!(".{name}"),
    }
}
