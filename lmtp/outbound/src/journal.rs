//! The queue's file: a SQLite database written by one thread, which commits together what comes together.

mod rows;
mod schema;
mod writer;

use std::{
    fmt,
    path::Path,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags};
use tokio::task::spawn_blocking;

pub(crate) use self::rows::{
    Ending, Left, Listing, Loaded, New, RecipientRow, State, Stored, Waiting, due, files, hold,
    hops, insert, list, load, next_due, of_hop, overdue, recipients, release, remove, reroute,
    retry, settle, stored, totals,
};
use self::writer::Writer;
use crate::{Error, ErrorKind, Result};

/// The name of a message in the queue; never given twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct QueueId(pub(crate) i64);

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X}", self.0)
    }
}

impl FromStr for QueueId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match i64::from_str_radix(text, 16) {
            Ok(id) if id > 0 => Ok(Self(id)),
            _ => Err(Error::new(ErrorKind::Invalid, "no name of a message")),
        }
    }
}

/// The queue's file.
pub(crate) struct Journal {
    writer: Writer,
    reader: Arc<Mutex<Connection>>,
}

impl Journal {
    /// Opens or makes the file. Blocks.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        schema::prepare(&connection)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let reader = Connection::open_with_flags(path, flags)?;
        Ok(Self {
            writer: Writer::start(connection)?,
            reader: Arc::new(Mutex::new(reader)),
        })
    }

    /// Changes the queue; what `work` did is durable, or did not happen.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.run(work).await
    }

    /// Looks at the queue. Blocks.
    pub(crate) fn look<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        work(&self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the queue.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let reader = Arc::clone(&self.reader);
        let work = move || work(&reader.lock().unwrap_or_else(PoisonError::into_inner));
        spawn_blocking(work).await.map_err(|error| {
            Error::with_source(ErrorKind::Unavailable, "the queue cannot be read", error)
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let id = QueueId(0x1A2B);
        assert_eq!(id.to_string(), "001A2B");
        assert_eq!("001A2B".parse::<QueueId>().unwrap(), id);
        for wrong in ["", "0", "-1", "xyz", "FFFFFFFFFFFFFFFFF"] {
            assert!(wrong.parse::<QueueId>().is_err(), "{wrong}");
        }
    }
}
