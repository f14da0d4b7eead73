//! The tables of the queue.

use rusqlite::Connection;

use crate::{Error, ErrorKind, Result};

/// The form of the tables, in `user_version`.
const REVISION: i64 = 1;

/// Times are milliseconds since 1970. A recipient with a state of its own has no `due` unless it waits; held ones have none.
const TABLES: &str = "
CREATE TABLE message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sender TEXT NOT NULL,
  submitter TEXT,
  envelope_id TEXT,
  returned INTEGER NOT NULL,
  body INTEGER NOT NULL,
  utf8 INTEGER NOT NULL,
  require_tls INTEGER NOT NULL,
  arrived INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  held INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL,
  file TEXT,
  content BLOB
);
CREATE TABLE recipient (
  message INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  address TEXT NOT NULL,
  original TEXT,
  notify INTEGER NOT NULL,
  hop TEXT NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  due INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  attempted INTEGER,
  delay_told INTEGER NOT NULL DEFAULT 0,
  code INTEGER,
  status TEXT,
  answer TEXT,
  PRIMARY KEY (message, ordinal)
) WITHOUT ROWID;
CREATE INDEX recipient_due ON recipient (hop, due, message, ordinal) WHERE due IS NOT NULL;
";

/// Makes the tables where they are missing. Errors: `Unavailable`, also when a later program made the file.
pub(super) fn prepare(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 4000;",
    )?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found {
        REVISION => Ok(()),
        0 => {
            let make =
                format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {REVISION}; COMMIT");
            Ok(connection.execute_batch(&make)?)
        }
        _ => Err(Error::new(
            ErrorKind::Unavailable,
            "the queue was made by a later program",
        )),
    }
}
