//! The data folder: what lies where, and who may use it.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::failure::{Doing, Failure, Result};

/// The paths of a data folder.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

/// Held while a process uses the folder; the next one waits for nothing and is told so.
#[derive(Debug)]
pub(crate) struct DataLock(
    #[expect(dead_code, reason = "held, not read: closing the file ends the lock")] File,
);

impl DataDir {
    /// Opens the folder, making it (for its owner alone) when it is not there.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .doing(|| format!("data folder {}", path.display()))?;
        let path = fs::canonicalize(path).doing(|| format!("data folder {}", path.display()))?;
        Ok(Self(path))
    }

    /// The folder, if it is there.
    pub(crate) fn existing(path: &Path) -> Result<Self> {
        let path = fs::canonicalize(path).doing(|| format!("data folder {}", path.display()))?;
        Ok(Self(path))
    }

    /// Takes the folder for this process, or `None` when a server has it.
    pub(crate) fn lock(&self) -> Result<Option<DataLock>> {
        let path = self.0.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .doing(|| format!("lock file {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(DataLock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).doing(|| format!("lock file {}", path.display()))
            }
        }
    }

    /// As [`Self::lock`], for commands that cannot work beside a running server.
    pub(crate) fn lock_alone(&self) -> Result<DataLock> {
        self.lock()?.ok_or_else(|| {
            Failure::new(format!(
                "{} is in use by a running server: stop it first",
                self.0.display()
            ))
        })
    }

    /// The embedded store.
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Users and their mailboxes.
    pub(crate) fn directory(&self) -> PathBuf {
        self.0.join("directory.toml")
    }

    /// Messages on their way out.
    pub(crate) fn outbound(&self) -> PathBuf {
        self.0.join("outbound")
    }

    /// Messages on their way in.
    pub(crate) fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// The certificate that is made when none is configured, and its key.
    pub(crate) fn certificate(&self) -> (PathBuf, PathBuf) {
        (self.0.join("certificate.pem"), self.0.join("key.pem"))
    }

    /// Where a running server takes commands.
    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}
