//! Files that are there in full after a crash, or not at all.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use crate::{Error, Result, error::At};

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .at(folder)
}

/// Makes a folder and those above it, durably. One that is there is no error.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder
        .parent()
        .filter(|above| !above.as_os_str().is_empty())
    {
        make_folder(above)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.at(folder),
    }?;
    match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(above) => sync_folder(above),
        None => Ok(()),
    }
}

/// Replaces a file, or makes it: by a new one that takes its name.
pub(crate) fn replace(path: &Path, octets: &[u8]) -> Result<()> {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else {
        return Err(Error::Invalid(format!("{}: no file name", path.display())));
    };
    let mut temporary = name.to_owned();
    temporary.push(".new");
    let temporary = folder.join(temporary);
    fs::write(&temporary, octets).at(&temporary)?;
    File::open(&temporary)
        .and_then(|file| file.sync_all())
        .at(&temporary)?;
    fs::rename(&temporary, path).at(path)?;
    sync_folder(folder)
}

/// Runs work that waits for the disk where it holds up nobody else.
pub(crate) async fn off_reactor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Error::Invalid(format!("work on files broke off: {error}"))),
    }
}
