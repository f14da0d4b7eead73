//! Folders of files that are to be imported.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{
    Error, Format, Result,
    error::At,
    folder_name,
    journal::Journal,
    layout,
    record::{Exported, ExportedMessage, FolderHead},
};

/// How deep folders of files may nest.
const DEPTH_MAX: usize = 64;

/// A folder of files.
#[derive(Clone, Debug)]
pub(crate) struct SourceFolder {
    pub(crate) format: Format,
    pub(crate) folder: PathBuf,
    /// Its names from the top down; none: what is in no folder.
    pub(crate) path: Vec<String>,
    /// What it was, if an export wrote it.
    pub(crate) head: Option<FolderHead>,
}

/// The folders of files in a place, parents first.
pub(crate) fn folders(from: &Path, format: Option<Format>) -> Result<Vec<SourceFolder>> {
    let formats = match format {
        Some(format) => vec![format],
        None => vec![Format::Maildir, Format::Eml],
    };
    for format in formats {
        let mut found = Vec::new();
        match format {
            Format::Maildir => maildirs(from, &[], &mut found)?,
            Format::Eml => emls(from, &[], &mut found)?,
        }
        for folder in &mut found {
            folder.head = head(folder)?;
            if let Some(head) = &folder.head {
                folder.path.clone_from(&head.path);
            }
        }
        if !found.is_empty() {
            found.sort_by(|a, b| a.path.cmp(&b.path));
            return Ok(found);
        }
    }
    let path = from.display();
    Err(Error::Invalid(format!(
        "{path}: no messages are found here"
    )))
}

/// Maildirs: this one, those of Maildir++ in it, and those in folders below it.
fn maildirs(folder: &Path, path: &[String], found: &mut Vec<SourceFolder>) -> Result<()> {
    if path.len() > DEPTH_MAX {
        return Ok(());
    }
    if is_maildir(folder) {
        push(Format::Maildir, folder, path, found);
    }
    for (below, name) in folders_in(folder)? {
        let octets = name.as_bytes();
        if let Some(levels) = folder_name::of_maildir(&name) {
            if is_maildir(&below) {
                let path: Vec<String> = path.iter().cloned().chain(levels).collect();
                push(Format::Maildir, &below, &path, found);
            }
        } else if ![&b"cur"[..], b"new", b"tmp"].contains(&octets) {
            let mut path = path.to_vec();
            path.push(name.to_string_lossy().into_owned());
            maildirs(&below, &path, found)?;
        }
    }
    Ok(())
}

fn is_maildir(folder: &Path) -> bool {
    fs::symlink_metadata(folder.join("cur")).is_ok_and(|found| found.is_dir())
}

/// Folders with `.eml` files, and folders that an export made for a folder without messages.
fn emls(folder: &Path, path: &[String], found: &mut Vec<SourceFolder>) -> Result<()> {
    if path.len() > DEPTH_MAX {
        return Ok(());
    }
    let mut entries = fs::read_dir(folder).at(folder)?;
    let has_messages = entries.any(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name().as_bytes().to_ascii_lowercase();
            name.ends_with(b".eml") && !name.starts_with(b".")
        })
    });
    if has_messages || layout::exported(folder, Format::Eml).is_file() {
        push(Format::Eml, folder, path, found);
    }
    for (below, name) in folders_in(folder)? {
        if !name.as_bytes().starts_with(b".") {
            let mut path = path.to_vec();
            path.push(folder_name::of_nested(&name));
            emls(&below, &path, found)?;
        }
    }
    Ok(())
}

/// Links to folders are not followed: they may lead in circles.
fn folders_in(folder: &Path) -> Result<Vec<(PathBuf, std::ffi::OsString)>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).at(folder)? {
        let entry = entry.at(folder)?;
        if entry.file_type().at(&entry.path())?.is_dir() {
            folders.push((entry.path(), entry.file_name()));
        }
    }
    folders.sort_unstable();
    Ok(folders)
}

fn push(format: Format, folder: &Path, path: &[String], found: &mut Vec<SourceFolder>) {
    found.push(SourceFolder {
        format,
        folder: folder.to_owned(),
        path: path.to_vec(),
        head: None,
    });
}

fn head(folder: &SourceFolder) -> Result<Option<FolderHead>> {
    let mut head = None;
    let journal = layout::exported(&folder.folder, folder.format);
    Journal::look(&journal, |record| {
        if let Exported::Folder(folder) = record {
            head = Some(folder);
        }
    })?;
    Ok(head)
}

/// What an export wrote down of its messages, by file.
pub(crate) fn exported(
    folder: &SourceFolder,
) -> Result<std::collections::HashMap<String, ExportedMessage>> {
    let mut by_file = std::collections::HashMap::new();
    let mut files = std::collections::HashMap::new();
    let journal = layout::exported(&folder.folder, folder.format);
    Journal::look(&journal, |record| match record {
        Exported::Folder(_) => files.clear(),
        Exported::Message(message) => {
            files.insert(message.number, message.file.clone());
            by_file.insert(message.file.clone(), message);
        }
        Exported::Marks(number, version, marks) => {
            let known = files.get(&number).and_then(|file| by_file.get_mut(file));
            if let Some(message) = known {
                (message.version, message.marks) = (version, marks);
            }
        }
        Exported::Gone(number) => {
            if let Some(file) = files.remove(&number) {
                by_file.remove(&file);
            }
        }
    })?;
    Ok(by_file)
}

/// Whether a file is not there any more: its flags changed, so it has another name.
pub(crate) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::File(_, error) if error.kind() == io::ErrorKind::NotFound)
}
