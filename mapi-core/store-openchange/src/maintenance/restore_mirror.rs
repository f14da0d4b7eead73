//! What restoring brings back besides folders and items when the mailbox is a mirror.

use std::path::Path;

use mapi_store::ErrorKind;
use rusqlite::{Connection, OpenFlags};

use crate::{
    fail::{Fail, Result},
    mirror::is_mirror,
};

/// Whether a file is the backup of a mirror; one that is no backup at all is not.
pub(super) fn is_of_mirror(source: &Path) -> bool {
    Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .is_ok_and(|conn| is_mirror(&conn).unwrap_or(false))
}

/// Errors: `Invalid` unless mailbox and backup are both mirrors or both none, `Unsupported` for a folder of a mirror.
pub(super) fn check(target: &Connection, source: &Connection, folder: Option<i64>) -> Result<()> {
    let mirrors = (is_mirror(target)?, is_mirror(source)?);
    if mirrors.0 != mirrors.1 {
        return Err(Fail::new(
            ErrorKind::Invalid,
            "of mailbox and backup only one is a mirror",
        ));
    }
    if mirrors.0 && folder.is_some() {
        return Err(Fail::new(
            ErrorKind::Unsupported,
            "a mirror is restored as a whole",
        ));
    }
    Ok(())
}

/// Replaces what the mirror knows of its remote as a whole, and the drafts on their way there. Synchronization goes
/// on where it was when the backup was taken.
pub(super) fn bring(conn: &Connection) -> Result<()> {
    conn.execute_batch(
        "DELETE FROM main.remote;
         INSERT INTO main.remote SELECT * FROM backup.remote;
         DELETE FROM main.remote_folders;
         INSERT INTO main.remote_folders SELECT * FROM backup.remote_folders;
         DELETE FROM main.remote_staged;
         INSERT INTO main.remote_staged SELECT * FROM backup.remote_staged;
         DELETE FROM main.items WHERE id BETWEEN 0 AND 0xffffffff;
         DELETE FROM main.facts WHERE id BETWEEN 0 AND 0xffffffff;
         DELETE FROM main.contents WHERE id BETWEEN 0 AND 0xffffffff;
         DELETE FROM main.attached WHERE item BETWEEN 0 AND 0xffffffff;
         DELETE FROM main.remote_pending;
         INSERT INTO main.remote_pending SELECT * FROM backup.remote_pending;
         DELETE FROM main.remote_queue;
         INSERT INTO main.remote_queue SELECT * FROM backup.remote_queue;
         DELETE FROM main.remote_queue_items;
         INSERT INTO main.remote_queue_items SELECT * FROM backup.remote_queue_items;",
    )?;
    Ok(())
}
