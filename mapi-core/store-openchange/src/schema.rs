//! The tables of a mailbox file, and how an older file becomes a newer one.
//!
//! `items` holds what listings need and nothing else; `facts` what an IMAP client asks of every message once;
//! `contents` the rest. All three have the same row id, folder << 32 | number, so that a folder's items lie together
//! and by number, and reading flags touches no page that holds text.

use std::path::Path;

use mapi_store::ErrorKind;
use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::fail::{Fail, Result};

/// One step per revision, oldest first: what makes revision n + 1 of revision n. Steps are never edited, only added.
const STEPS: &[&str] = &[FIRST, MIRRORS, QUEUES, RECOVERY, QUOTAS];

const FIRST: &str = "
CREATE TABLE mailbox(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    replica BLOB NOT NULL,          -- what generated item keys begin with
    next_folder INTEGER NOT NULL,
    next_named INTEGER NOT NULL,
    version INTEGER NOT NULL,       -- of the folder tree
    props BLOB NOT NULL
) STRICT;

CREATE TABLE folders(
    id INTEGER PRIMARY KEY,
    parent INTEGER,
    name TEXT NOT NULL,
    name_lower TEXT NOT NULL,
    class TEXT NOT NULL,
    role INTEGER,                   -- place in Role::ALL
    changed INTEGER NOT NULL,       -- in the tree's log
    epoch INTEGER NOT NULL,
    next_number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,     -- expunged items up to here are no longer known
    items INTEGER NOT NULL,
    unread INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    size INTEGER NOT NULL,
    expunged INTEGER NOT NULL,      -- rows in the table of that name
    props BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX folders_name ON folders(ifnull(parent, 0), name_lower);
CREATE UNIQUE INDEX folders_role ON folders(role) WHERE role IS NOT NULL;

CREATE TABLE folders_removed(
    version INTEGER NOT NULL, folder INTEGER NOT NULL, PRIMARY KEY (version, folder)
) WITHOUT ROWID, STRICT;

CREATE TABLE permissions(
    folder INTEGER NOT NULL,
    position INTEGER NOT NULL,
    member INTEGER NOT NULL,        -- 0 default, 1 anonymous, 2 a user
    user TEXT NOT NULL,
    rights INTEGER NOT NULL,
    PRIMARY KEY (folder, position)
) WITHOUT ROWID, STRICT;

CREATE TABLE items(
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,
    state INTEGER NOT NULL,         -- 0 normal, 1 associated, 2 softly deleted
    version INTEGER NOT NULL,
    flags INTEGER,
    status INTEGER,
    flag_status INTEGER,
    last_verb INTEGER,
    keywords BLOB,
    size INTEGER NOT NULL,
    delivered INTEGER,
    original INTEGER,               -- octets of the original, while the item says what it says
    created INTEGER NOT NULL,       -- the version that brought the number
    class TEXT,
    key BLOB NOT NULL,
    creator TEXT                    -- NULL: the mailbox's owner
) STRICT;
CREATE INDEX items_version ON items(folder, version) WHERE state = 0;
CREATE UNIQUE INDEX items_key ON items(folder, key) WHERE state < 2;

CREATE TABLE facts(
    id INTEGER PRIMARY KEY,
    renderer INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    structure BLOB NOT NULL
) STRICT;

CREATE TABLE contents(
    id INTEGER PRIMARY KEY,
    hash BLOB,                      -- of the original, when it lies in a segment
    prefix BLOB NOT NULL,
    header BLOB NOT NULL,
    props BLOB NOT NULL,
    parts BLOB NOT NULL,
    body BLOB                       -- the original, when it lies here
) STRICT;

CREATE TABLE attached(
    item INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (item, hash)
) WITHOUT ROWID, STRICT;

CREATE TABLE expunged(
    folder INTEGER NOT NULL,
    version INTEGER NOT NULL,
    number INTEGER NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (folder, version, number)
) WITHOUT ROWID, STRICT;

CREATE TABLE named(
    id INTEGER PRIMARY KEY, property_set BLOB NOT NULL, lid INTEGER, name TEXT
) STRICT;
CREATE UNIQUE INDEX named_lid ON named(property_set, lid) WHERE lid IS NOT NULL;
CREATE UNIQUE INDEX named_name ON named(property_set, name) WHERE name IS NOT NULL;
";

/// A mailbox may be the mirror of one that lives elsewhere. Pending items have rows in `items`, `facts`, `contents` and
/// `attached` like others, but in folder 0 and in the state 3.
const MIRRORS: &str = "
ALTER TABLE items ADD COLUMN sized INTEGER NOT NULL DEFAULT 1; -- whether size is what clients fetch, or a guess

CREATE TABLE remote(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    identity BLOB NOT NULL,
    state BLOB,                     -- of synchronizing the hierarchy
    session BLOB NOT NULL           -- what the client of the remote keeps
) STRICT;

CREATE TABLE remote_folders(
    folder INTEGER PRIMARY KEY,
    remote BLOB NOT NULL,
    parent BLOB,                    -- the remote id of the folder above it
    name TEXT NOT NULL,             -- as the remote has it
    props BLOB NOT NULL,            -- as they were applied last
    state BLOB,                     -- of synchronizing the contents
    indexed INTEGER NOT NULL,       -- whether a pass over all items was ever completed
    passing INTEGER NOT NULL,       -- whether one is under way; 2: until it is complete, rows have nothing but flags
    pass INTEGER NOT NULL           -- which
) STRICT;
CREATE UNIQUE INDEX remote_folders_remote ON remote_folders(remote);

CREATE TABLE remote_items(
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,
    remote BLOB NOT NULL,
    change_key BLOB NOT NULL,
    served_key BLOB,                -- the change key of what the number stands for
    digest BLOB,                    -- of the original that the number stands for
    body INTEGER NOT NULL,          -- 0 dropped, 1 index only, 2 evicted, 3 rendered, 4 kept
    bytes INTEGER NOT NULL,         -- octets that evicting would give back
    used INTEGER NOT NULL,          -- the place of its last reading among all of them; 0: never read
    pass INTEGER NOT NULL,          -- the last one that saw the item
    fresh BLOB                      -- properties of a content that is not served yet
) STRICT;
CREATE UNIQUE INDEX remote_items_remote ON remote_items(folder, remote);
CREATE INDEX remote_items_unrendered ON remote_items(id) WHERE body < 2;
CREATE INDEX remote_items_stale ON remote_items(id) WHERE served_key <> change_key;
CREATE INDEX remote_items_used ON remote_items(used, id, bytes) WHERE body = 3;

CREATE TABLE remote_staged(
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,
    remote BLOB NOT NULL,
    change_key BLOB NOT NULL,
    hint INTEGER,                   -- the number the remote would give it
    flags INTEGER,
    status INTEGER,
    flag_status INTEGER,
    last_verb INTEGER,
    keywords BLOB,
    delivered INTEGER,
    class TEXT,
    size INTEGER NOT NULL,
    props BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX remote_staged_remote ON remote_staged(folder, remote);

CREATE TABLE remote_pending(
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,
    remote BLOB NOT NULL,
    change_key BLOB,                -- what the upload will have, if it is known
    digest BLOB
) STRICT;
CREATE UNIQUE INDEX remote_pending_remote ON remote_pending(folder, remote);
";

/// What was asked for while the remote was away waits in order until it can be done there. An item that the remote has
/// not yet is named by a stand-in, which becomes its id everywhere once it is there.
const QUEUES: &str = "
ALTER TABLE remote_pending ADD COLUMN queued INTEGER NOT NULL DEFAULT 0; -- whether its upload waits in remote_queue

CREATE TABLE remote_queue(
    id INTEGER PRIMARY KEY,         -- the order
    kind INTEGER NOT NULL,          -- 0 save, 1 update, 2 delete, 3 copy, 4 move
    target INTEGER,                 -- the folder that copies and moves go to
    change BLOB,                    -- what an update changes
    user TEXT NOT NULL,             -- who asked for it
    queued INTEGER NOT NULL,        -- when
    bytes INTEGER NOT NULL,         -- octets it keeps on disk
    tries INTEGER NOT NULL DEFAULT 0,
    refused TEXT                    -- why the remote does not do it; NULL: it waits
) STRICT;

CREATE TABLE remote_queue_items(
    op INTEGER NOT NULL,
    position INTEGER NOT NULL,
    folder INTEGER NOT NULL,        -- where the remote has the item when its turn comes
    remote BLOB NOT NULL,           -- its id there, or the stand-in; empty for a new item
    change_key BLOB,                -- the one that is known of it
    flags INTEGER NOT NULL,
    becomes BLOB,                   -- what stands for the item that a save, copy or move makes
    given BLOB,                     -- the id that was chosen for it
    given_key BLOB,                 -- and its change key
    PRIMARY KEY (op, position)
) WITHOUT ROWID, STRICT;
CREATE INDEX remote_queue_items_remote ON remote_queue_items(remote);
CREATE INDEX remote_queue_items_becomes ON remote_queue_items(becomes) WHERE becomes IS NOT NULL;
";

/// What was softly deleted is known by when that was, and a folder that was deleted has a row as long as it has items.
const RECOVERY: &str = "
ALTER TABLE items ADD COLUMN removed INTEGER;   -- when the item was softly deleted
UPDATE items SET removed = (unixepoch() + 11644473600) * 10000000 WHERE state = 2;
CREATE INDEX items_removed ON items(removed) WHERE state = 2;

CREATE TABLE deleted_folders(
    id INTEGER PRIMARY KEY,
    parent INTEGER,
    name TEXT NOT NULL,
    class TEXT NOT NULL,
    removed INTEGER NOT NULL
) STRICT;
";

/// What a mailbox holds is the sum over its folders. Of its own limits NULL is none.
const QUOTAS: &str = "
CREATE TABLE quota(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    own INTEGER NOT NULL,           -- whether these limits count, not those for all mailboxes
    warn_bytes INTEGER,
    warn_items INTEGER,
    send_bytes INTEGER,
    send_items INTEGER,
    receive_bytes INTEGER,
    receive_items INTEGER,
    warned INTEGER NOT NULL         -- when the owner was told last; 0: never
) STRICT;
";

/// What a database handle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Reading,
    Writing,
}

/// How long SQLite waits for a lock of another handle; only opening and closing hold one against readers.
const BUSY_TIMEOUT_MS: u32 = 10_000;

/// Octets of a write-ahead log that stay allocated for the next writes; what a large transaction took beyond that
/// is given back.
const LOG_BYTES_KEPT: u32 = 32 << 20;

/// Statements a handle keeps prepared.
const STATEMENTS_KEPT: usize = 48;

/// Opens a mailbox file that exists.
pub(crate) fn connect(path: &Path, purpose: Use) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    let (query_only, cache_kib) = match purpose {
        Use::Reading => (1, 256),
        Use::Writing => (0, 512),
    };
    conn.execute_batch(&format!(
        "PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}; PRAGMA synchronous = FULL; PRAGMA cache_size = -{cache_kib};
         PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {LOG_BYTES_KEPT}; PRAGMA query_only = {query_only};",
    ))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(conn)
}

/// Makes an empty mailbox file with the tables of this revision.
pub(crate) fn create(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    conn.execute_batch(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    )?;
    migrate(&conn, STEPS)?;
    Ok(conn)
}

/// Brings the file of `conn` to this program's revision, all or nothing.
///
/// Errors: `Unsupported` when a newer program wrote it.
pub(crate) fn upgrade(conn: &Connection) -> Result<()> {
    migrate(conn, STEPS)
}

/// The revision of a file.
pub(crate) fn revision(conn: &Connection) -> Result<usize> {
    let revision: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    usize::try_from(revision).map_err(|_| Fail::corrupt("the schema's revision is negative"))
}

fn migrate(conn: &Connection, steps: &[&str]) -> Result<()> {
    let found = revision(conn)?;
    if found == steps.len() {
        return Ok(());
    }
    let Some(missing) = steps.get(found..) else {
        return Err(Fail::new(
            ErrorKind::Unsupported,
            "a newer version of the program wrote this mailbox",
        ));
    };
    let tx = conn.unchecked_transaction()?;
    for step in missing {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "user_version", steps.len() as i64)?;
    tx.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn a_file_of_an_older_revision_is_brought_forward_step_by_step() {
        let conn = fresh();
        migrate(&conn, &["CREATE TABLE a(x); INSERT INTO a VALUES (1)"]).unwrap();
        let steps = [
            "not run again",
            "ALTER TABLE a ADD y DEFAULT 5",
            "UPDATE a SET y = y + x",
        ];
        migrate(&conn, &steps).unwrap();
        let y: i64 = conn
            .query_row("SELECT y FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!((y, revision(&conn).unwrap()), (6, 3));
    }

    #[test]
    fn a_mailbox_from_before_there_were_mirrors_is_none_and_keeps_its_items() {
        let conn = fresh();
        migrate(&conn, &[FIRST]).unwrap();
        conn.execute_batch(
            "INSERT INTO items(id, folder, state, version, size, created, key)
             VALUES (4294967297, 1, 0, 1, 7, 1, x'01')",
        )
        .unwrap();
        upgrade(&conn).unwrap();
        let item: (i64, bool) = conn
            .query_row("SELECT size, sized FROM items", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(item, (7, true));
        assert!(!crate::mirror::is_mirror(&conn).unwrap());
    }

    #[test]
    fn what_was_deleted_before_that_was_dated_counts_as_deleted_now() {
        let conn = fresh();
        migrate(&conn, &[FIRST, MIRRORS, QUEUES]).unwrap();
        conn.execute_batch(
            "INSERT INTO items(id, folder, state, version, size, created, key) VALUES
                 (4294967297, 1, 0, 1, 7, 1, x'01'), (4294967298, 1, 2, 1, 7, 1, x'02')",
        )
        .unwrap();
        let before = mapi_types::FileTime::from_unix(0).0 as i64;
        upgrade(&conn).unwrap();
        let mut select = conn.prepare("SELECT removed FROM items").unwrap();
        let dates: Vec<Option<i64>> = select
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert_eq!(dates[0], None);
        let years = (dates[1].unwrap() - before) / 10_000_000 / 86_400 / 365;
        assert!((50..200).contains(&years), "{dates:?}");
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let conn = fresh();
        migrate(&conn, &["CREATE TABLE a(x)"]).unwrap();
        assert!(migrate(&conn, &["", "CREATE TABLE b(x)", "CREATE TABLE a(x)"]).is_err());
        assert_eq!(revision(&conn).unwrap(), 1);
        assert!(conn.execute_batch("SELECT * FROM b").is_err());
    }

    #[test]
    fn a_file_of_a_newer_revision_is_left_alone() {
        let conn = fresh();
        conn.pragma_update(None, "user_version", 99).unwrap();
        let refused = upgrade(&conn);
        assert!(matches!(refused, Err(Fail::Store(error)) if error.kind == ErrorKind::Unsupported));
    }
}
