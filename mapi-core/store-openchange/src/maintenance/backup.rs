//! Backing up a mailbox: one self-contained file, taken while the mailbox is used.
//!
//! The file is a mailbox file of one moment, with two tables more: what it is, and the contents it refers to.

use std::{fs::File, path::Path};

use mapi_store::ErrorKind;
use mapi_types::{ContentHash, FolderId};
use rusqlite::{Connection, params};

use super::Job;
use crate::{
    access::no_folder,
    fail::{Fail, Result},
    files,
    ids::folder_row_id,
    layout::beside,
    mailbox::Mailbox,
    mirror::{evict_one, is_mirror},
    schema::{self, Use},
    write::drop_items,
};

/// What a backup has besides the tables of a mailbox.
const SCHEMA: &str = "
CREATE TABLE backup(one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, folder INTEGER) STRICT;
CREATE TABLE bodies(
    hash BLOB NOT NULL, start INTEGER NOT NULL, octets BLOB NOT NULL, PRIMARY KEY (hash, start)
) WITHOUT ROWID, STRICT;
";

/// Revision of the two tables.
pub(super) const REVISION: i64 = 1;

/// Octets of a content in one row of `bodies`.
const PART_BYTES: u64 = 4 << 20;

/// Folders below and including `?1`.
pub(super) const SUBTREE: &str = "WITH RECURSIVE below(id) AS (
    SELECT ?1 UNION SELECT folders.id FROM folders JOIN below ON folders.parent = below.id
) ";

/// Errors: `Exists` when there is a file of that name, `NotFound`, `Unsupported` (a folder of a mirror).
pub(super) fn backup(
    job: &Job,
    mailbox: &Mailbox,
    folder: Option<FolderId>,
    target: &Path,
) -> Result<()> {
    if target.exists() {
        return Err(Fail::new(ErrorKind::Exists, "the backup file exists"));
    }
    let folder = folder.map(folder_row_id).transpose()?;
    let mirror = mailbox.with_handle(Use::Reading, |handle| is_mirror(&handle.conn))?;
    if mirror && folder.is_some() {
        return Err(Fail::new(
            ErrorKind::Unsupported,
            "a mirror is backed up as a whole",
        ));
    }
    let new = beside(target, ".new");
    files::remove(&new)?;
    let written = write(job, mailbox, folder, &new);
    if written.is_err() {
        files::remove(&new)?;
    }
    written?;
    std::fs::rename(&new, target)?;
    files::sync_parent(target)?;
    Ok(())
}

fn write(job: &Job, mailbox: &Mailbox, folder: Option<i64>, new: &Path) -> Result<()> {
    let name = new
        .to_str()
        .ok_or_else(|| Fail::new(ErrorKind::Invalid, "the backup's path is not UTF-8"))?;
    mailbox.with_file(|path| {
        let conn = schema::connect(path, Use::Writing)?;
        conn.execute("VACUUM INTO ?1", [name])?;
        Ok(())
    })?;
    let conn = schema::connect(new, Use::Writing)?;
    // The copy is synced as a whole at the end.
    conn.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    conn.execute_batch(SCHEMA)?;
    conn.execute(
        "INSERT INTO backup VALUES (1, ?1, ?2)",
        params![REVISION, folder],
    )?;
    if let Some(folder) = folder {
        keep_only(&conn, folder)?;
    }
    leave_out_fetched(&conn)?;
    copy_contents(job, &conn)?;
    conn.close().map_err(|(_, error)| error)?;
    File::open(new)?.sync_all()?;
    Ok(())
}

/// Removes every folder that is not `folder` or below it.
fn keep_only(conn: &Connection, folder: i64) -> Result<()> {
    if !conn
        .prepare("SELECT 1 FROM folders WHERE id = ?1")?
        .exists([folder])?
    {
        return Err(no_folder());
    }
    let others: Vec<i64> = conn
        .prepare(&format!(
            "{SUBTREE} SELECT id FROM folders WHERE id NOT IN below UNION ALL SELECT id FROM deleted_folders"
        ))?
        .query_map([folder], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for other in others {
        drop_items(conn, other)?;
        conn.execute("DELETE FROM folders WHERE id = ?1", [other])?;
        conn.execute("DELETE FROM permissions WHERE folder = ?1", [other])?;
    }
    conn.execute("DELETE FROM deleted_folders", [])?;
    conn.execute_batch("VACUUM")?;
    Ok(())
}

/// What a mirror can fetch again is in no backup.
fn leave_out_fetched(conn: &Connection) -> Result<()> {
    let fetched: Vec<i64> = conn
        .prepare("SELECT id FROM remote_items WHERE body = 3")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if fetched.is_empty() {
        return Ok(());
    }
    let tx = conn.unchecked_transaction()?;
    for item in fetched {
        evict_one(&tx, item)?;
    }
    tx.commit()?;
    conn.execute_batch("VACUUM")?;
    Ok(())
}

fn copy_contents(job: &Job, conn: &Connection) -> Result<()> {
    let mut select = conn.prepare(
        "SELECT hash FROM contents WHERE hash IS NOT NULL UNION SELECT hash FROM attached",
    )?;
    let hashes = select
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<[u8; 32]>>>()?;
    let tx = conn.unchecked_transaction()?;
    for hash in hashes {
        job.go_on()?;
        let mut start = 0;
        loop {
            let part = job
                .shared
                .segments
                .read(&ContentHash(hash), start, PART_BYTES)?;
            tx.prepare_cached("INSERT INTO bodies VALUES (?1, ?2, ?3)")?
                .execute(params![hash, start as i64, &part[..]])?;
            start += part.len() as u64;
            if (part.len() as u64) < PART_BYTES {
                break;
            }
        }
    }
    tx.commit()?;
    Ok(())
}
