//! Where every content of the full segments lies: a database that can be made anew from the segments.
//!
//! It holds no truth. The segment being written is not in it; its records are kept in memory until it is full.

use std::{
    fs, io,
    path::Path,
    sync::{Mutex, PoisonError},
};

use mapi_types::ContentHash;
use rusqlite::{Connection, OptionalExtension, params};

use super::scan::Found;
use crate::fail::Result;

const REVISION: i32 = 1;

const SCHEMA: &str = "
CREATE TABLE places(
    hash BLOB PRIMARY KEY, segment INTEGER NOT NULL, start INTEGER NOT NULL, len INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX places_segment ON places(segment);
CREATE TABLE segments(id INTEGER PRIMARY KEY) STRICT;
";

/// Where a content lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

pub(crate) struct Index(Mutex<Connection>);

impl Index {
    /// Opens the index; one that is missing, damaged or of another revision is begun anew, empty.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        if let Ok(conn) = open_good(path) {
            return Ok(Self(Mutex::new(conn)));
        }
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let conn = connect(path)?;
        conn.execute_batch(SCHEMA)?;
        conn.pragma_update(None, "user_version", REVISION)?;
        Ok(Self(Mutex::new(conn)))
    }

    fn conn(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The segments it knows, ascending.
    pub(crate) fn segments(&self) -> Result<Vec<u32>> {
        let conn = self.conn();
        let mut select = conn.prepare_cached("SELECT id FROM segments ORDER BY id")?;
        let ids = select
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(ids)
    }

    pub(crate) fn place(&self, hash: &ContentHash) -> Result<Option<Place>> {
        let conn = self.conn();
        let mut select =
            conn.prepare_cached("SELECT segment, start, len FROM places WHERE hash = ?1")?;
        let place = select.query_row([&hash.0[..]], |row| {
            let (offset, len): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Place {
                segment: row.get(0)?,
                offset: offset as u64,
                len: len as u64,
            })
        });
        Ok(place.optional()?)
    }

    /// Takes in a full segment; a content it has already is then found in the new one.
    pub(crate) fn add(&self, segment: u32, records: &[Found]) -> Result<()> {
        let mut conn = self.conn();
        let tx = conn.transaction()?;
        {
            let mut insert =
                tx.prepare_cached("INSERT OR REPLACE INTO places VALUES (?1, ?2, ?3, ?4)")?;
            // In the order of the key the database touches each of its pages once.
            let mut records: Vec<&Found> = records.iter().collect();
            records.sort_by_key(|found| found.header.hash);
            for Found { header, offset } in records {
                insert.execute(params![
                    &header.hash.0[..],
                    segment,
                    *offset as i64,
                    header.len as i64
                ])?;
            }
            tx.execute("INSERT OR IGNORE INTO segments VALUES (?1)", [segment])?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Forgets a segment and every content that lies there.
    pub(crate) fn remove(&self, segment: u32) -> Result<()> {
        let mut conn = self.conn();
        let tx = conn.transaction()?;
        tx.execute("DELETE FROM places WHERE segment = ?1", [segment])?;
        tx.execute("DELETE FROM segments WHERE id = ?1", [segment])?;
        tx.commit()?;
        Ok(())
    }

    /// Calls `each` with every place in a segment, or in all of them.
    pub(crate) fn each(
        &self,
        segment: Option<u32>,
        mut each: impl FnMut(&ContentHash, Place),
    ) -> Result<()> {
        let conn = self.conn();
        let mut select = conn.prepare(
            "SELECT hash, segment, start, len FROM places WHERE ?1 IS NULL OR segment = ?1",
        )?;
        let mut rows = select.query([segment])?;
        while let Some(row) = rows.next()? {
            let (offset, len): (i64, i64) = (row.get(2)?, row.get(3)?);
            let place = Place {
                segment: row.get(1)?,
                offset: offset as u64,
                len: len as u64,
            };
            each(&ContentHash(row.get(0)?), place);
        }
        Ok(())
    }
}

fn open_good(path: &Path) -> Result<Connection> {
    let conn = connect(path)?;
    let revision: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let sound: String = conn.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if revision == REVISION && sound == "ok" {
        Ok(conn)
    } else {
        Err(crate::fail::Fail::corrupt("the segment index is of no use"))
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;
         PRAGMA journal_size_limit = 4194304; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(conn)
}
