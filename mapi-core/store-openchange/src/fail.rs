//! Failures inside this crate, and what they mean at the seam.

use std::io;

use mapi_store::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// A failure on its way to the seam: already a store error, or the cause beneath one.
#[derive(Debug)]
pub(crate) enum Fail {
    Store(Error),
    Sql(rusqlite::Error),
    Io(io::Error),
}

pub(crate) type Result<T, E = Fail> = std::result::Result<T, E>;

impl Fail {
    /// A store error without a deeper cause.
    pub(crate) fn new(kind: ErrorKind, context: &'static str) -> Self {
        Self::Store(Error::new(kind, context))
    }

    pub(crate) fn not_found(context: &'static str) -> Self {
        Self::new(ErrorKind::NotFound, context)
    }

    pub(crate) fn corrupt(context: &'static str) -> Self {
        Self::new(ErrorKind::Corrupt, context)
    }

    /// Whether a sync failed: what was written since the last good one may be lost although the kernel says it is
    /// clean, so nothing may be acknowledged on these files any more.
    pub(crate) fn lost_sync(&self) -> bool {
        const SYNC: [i32; 2] = [
            rusqlite::ffi::SQLITE_IOERR_FSYNC,
            rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC,
        ];
        matches!(self, Self::Sql(error) if error.sqlite_error().is_some_and(|e| SYNC.contains(&e.extended_code)))
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fail> for Error {
    fn from(fail: Fail) -> Self {
        match fail {
            Fail::Store(error) => error,
            // Told as every full disk is: see `Error::is_disk_full`.
            Fail::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                Fail::Io(io::Error::new(io::ErrorKind::StorageFull, error)).into()
            }
            Fail::Sql(error) => {
                let (kind, context) = sql_meaning(&error);
                Self::with_source(kind, context, error)
            }
            Fail::Io(error) => {
                let (kind, context) = io_meaning(&error);
                Self::with_source(kind, context, error)
            }
        }
    }
}

fn sql_meaning(error: &rusqlite::Error) -> (ErrorKind, &'static str) {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (ErrorKind::Corrupt, "the mailbox file is damaged")
        }
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OperationInterrupted
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied,
        ) => (ErrorKind::Unavailable, "the mailbox file cannot be used"),
        _ => (ErrorKind::Internal, "a database statement failed"),
    }
}

fn io_meaning(error: &io::Error) -> (ErrorKind, &'static str) {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (ErrorKind::Unavailable, "the disk is full")
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => (
            ErrorKind::Corrupt,
            "a stored file is shorter than it should be",
        ),
        _ => (ErrorKind::Unavailable, "the data folder cannot be used"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use mapi_store::{Error, ErrorKind};
    use rusqlite::ffi;

    use super::Fail;

    #[test]
    fn a_full_disk_is_told_as_such_whoever_notices() {
        let sql = |code| Fail::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for (fail, full) in [
            (sql(ffi::SQLITE_FULL), true),
            (Fail::Io(io::ErrorKind::StorageFull.into()), true),
            (sql(ffi::SQLITE_IOERR), false),
            (Fail::Io(io::ErrorKind::BrokenPipe.into()), false),
        ] {
            let error = Error::from(fail);
            let told = (error.kind, error.is_disk_full());
            assert_eq!(told, (ErrorKind::Unavailable, full), "{error:?}");
        }
    }
}
