//! The tables of the queue.

use rusqlite::Connection;

use crate::{Error, ErrorKind, Result};

/// The form of the tables, in `user_version`.
const REVISION: i64 = 2;

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

/// What the second form has more than the first: what a message is in the queue for.
const SECOND: &str = "ALTER TABLE message ADD COLUMN purpose INTEGER NOT NULL DEFAULT 0;";

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
        0 | 1 => {
            let tables = if found == 0 { TABLES } else { "" };
            let make = format!(
                "BEGIN IMMEDIATE; {tables} {SECOND} PRAGMA user_version = {REVISION}; COMMIT"
            );
            Ok(connection.execute_batch(&make)?)
        }
        _ => Err(Error::new(
            ErrorKind::Unavailable,
            "the queue was made by a later program",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_of_the_first_form_is_taken_over() {
        let connection = Connection::open_in_memory().unwrap();
        let first = "INSERT INTO message VALUES
            (7, 'a@example.test', NULL, NULL, 0, 0, 0, 0, 1, 2, 0, 3, NULL, x'61'); PRAGMA user_version = 1;";
        connection
            .execute_batch(&format!("{TABLES} {first}"))
            .unwrap();
        prepare(&connection).unwrap();
        prepare(&connection).unwrap();
        let row = connection.query_row("SELECT id, purpose FROM message", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(row.unwrap(), (7, 0));
    }
}
