//! Restoring a backup into a mailbox: the mailbox becomes what it was, or one folder does.
//!
//! Numbers, versions and keys may have been given out since the backup was taken: every restored folder gets a new
//! epoch, goes on numbering above both, and forgets its change log, so that every client starts anew there.

use std::{path::Path, sync::Arc, sync::mpsc};

use bytes::Bytes;
use mapi_store::{ErrorKind, Notice};
use mapi_types::{Content, ContentHash, FolderId, Version};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Job, backup, restore_mirror};
use crate::{
    access::no_folder,
    fail::{Fail, Result},
    files,
    handles::Handle,
    ids::{folder_row_id, row_id},
    layout::beside,
    mailbox::{Mailbox, Op},
    schema::{self, Use},
    segments::Pins,
    store::dropped,
    write::{bump, drop_items},
};

/// Octets of contents held in memory while they are brought back.
const BATCH_BYTES: usize = 16 << 20;

/// Errors: `Invalid` when the file is no backup, `NotFound` when it lacks the folder, `Unsupported`.
pub(super) fn restore(
    job: &Job,
    mailbox: &Arc<Mailbox>,
    folder: Option<FolderId>,
    source: &Path,
) -> Result<()> {
    let folder = folder.map(folder_row_id).transpose()?;
    // A copy, for it may have to be brought to this program's schema, and the source may be read-only.
    let copy = beside(&mailbox.path, ".restore");
    std::fs::copy(source, &copy)?;
    let restored = restore_copy(job, mailbox, folder, &copy);
    for suffix in ["", "-wal", "-shm", "-journal"] {
        files::remove(&beside(&copy, suffix))?;
    }
    restored
}

fn restore_copy(job: &Job, mailbox: &Arc<Mailbox>, folder: Option<i64>, copy: &Path) -> Result<()> {
    let pins = {
        let conn = schema::connect(copy, Use::Writing).map_err(|_| no_backup())?;
        check_source(&conn, folder)?;
        mailbox.with_handle(Use::Reading, |handle| {
            restore_mirror::check(&handle.conn, &conn, folder)
        })?;
        bring_contents(job, &conn)?
    };
    let (done, wait) = mpsc::channel();
    let (this, copy) = (Arc::clone(mailbox), copy.to_owned());
    mailbox.enqueue(Op::Alone(Box::new(move |handle| {
        let restored = this.noting_lost_syncs(bring_rows(&this, handle, folder, &copy));
        drop(pins);
        drop(done.send(restored));
    })));
    wait.recv().map_err(|_| Fail::from(dropped()))?
}

fn check_source(conn: &Connection, folder: Option<i64>) -> Result<()> {
    let revision: i64 = conn
        .query_row("SELECT revision FROM backup", [], |row| row.get(0))
        .map_err(|_| no_backup())?;
    if revision > backup::REVISION {
        return Err(Fail::new(
            ErrorKind::Unsupported,
            "a newer version of the program wrote this backup",
        ));
    }
    schema::upgrade(conn)?;
    let holds: Option<i64> = conn.query_row("SELECT folder FROM backup", [], |row| row.get(0))?;
    match folder {
        None if holds.is_some() => Err(Fail::new(
            ErrorKind::Invalid,
            "the file is the backup of one folder",
        )),
        Some(folder)
            if !conn
                .prepare("SELECT 1 FROM folders WHERE id = ?1")?
                .exists([folder])? =>
        {
            Err(no_folder())
        }
        _ => Ok(()),
    }
}

fn no_backup() -> Fail {
    Fail::new(ErrorKind::Invalid, "the file is no backup of a mailbox")
}

/// Stores every content of the backup. Until the pins are dropped they stay.
fn bring_contents(job: &Job, conn: &Connection) -> Result<Vec<Pins>> {
    let (mut pins, mut batch, mut octets) = (Vec::new(), Vec::new(), 0);
    let mut select = conn.prepare("SELECT hash, octets FROM bodies ORDER BY hash, start")?;
    let mut rows = select.query([])?;
    let mut whole: Option<([u8; 32], Vec<u8>)> = None;
    loop {
        let next = rows.next()?;
        let part = next
            .map(|row| Ok::<_, Fail>((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .transpose()?;
        match (&mut whole, part) {
            (Some((hash, bytes)), Some((next, mut part))) if *hash == next => {
                bytes.append(&mut part)
            }
            (_, part) => {
                let finished = std::mem::replace(&mut whole, part);
                let ended = whole.is_none();
                if let Some((hash, bytes)) = finished {
                    octets += bytes.len();
                    let len = bytes.len() as u64;
                    batch.push(Content::new(
                        Arc::new(Bytes::from(bytes)),
                        len,
                        ContentHash(hash),
                    ));
                }
                if octets >= BATCH_BYTES || (ended && !batch.is_empty()) {
                    job.go_on()?;
                    pins.push(job.append(std::mem::take(&mut batch))?);
                    octets = 0;
                }
                if ended {
                    return Ok(pins);
                }
            }
        }
    }
}

/// Replaces the folders by those of the backup, in one transaction.
fn bring_rows(
    mailbox: &Mailbox,
    handle: &mut Handle,
    folder: Option<i64>,
    copy: &Path,
) -> Result<()> {
    let name = copy
        .to_str()
        .ok_or_else(|| Fail::new(ErrorKind::Invalid, "the path is not UTF-8"))?;
    let conn = &handle.conn;
    conn.execute("ATTACH ?1 AS backup", [name])?;
    let restored = in_transaction(mailbox, conn, folder);
    conn.execute_batch("DETACH backup")?;
    for (folder, version) in restored? {
        mailbox.notify(Notice::Folder(
            FolderId(folder as u64),
            Version(version as u64),
        ));
    }
    mailbox.notify(Notice::Hierarchy);
    handle.checkpoint()
}

fn in_transaction(
    mailbox: &Mailbox,
    conn: &Connection,
    folder: Option<i64>,
) -> Result<Vec<(i64, i64)>> {
    let tx = conn.unchecked_transaction()?;
    bump(&tx)?;
    // Above the backup's log too: a mailbox made again counts from the start.
    let version = tx.query_row(
        "UPDATE main.mailbox SET version = max(version, (SELECT b.version + 1 FROM backup.mailbox b))
         RETURNING version",
        [],
        |row| row.get(0),
    )?;
    let target = Target {
        mailbox,
        conn: &tx,
        version,
    };
    let restored = match folder {
        None => target.whole()?,
        Some(folder) => target.subtree(folder)?,
    };
    tx.commit()?;
    Ok(restored)
}

/// The mailbox while it is restored.
struct Target<'t> {
    mailbox: &'t Mailbox,
    conn: &'t Connection,
    /// Of the folder tree.
    version: i64,
}

/// What of a folder outlives its restoration.
struct Before {
    next_number: i64,
    version: i64,
    epoch: i64,
}

impl Target<'_> {
    fn whole(&self) -> Result<Vec<(i64, i64)>> {
        let before = self.ids("SELECT id FROM main.folders")?;
        let restored = self.ids("SELECT id FROM backup.folders ORDER BY id")?;
        let lives = before
            .iter()
            .map(|id| Ok((*id, self.before(*id)?)))
            .collect::<Result<Vec<_>>>()?;
        // First of all, for what was deleted since then comes back under the same ids.
        for id in self.ids("SELECT id FROM main.deleted_folders")? {
            drop_items(self.conn, id)?;
        }
        self.conn.execute("DELETE FROM main.deleted_folders", [])?;
        for id in &before {
            self.remove(*id)?;
            if !restored.contains(id) {
                self.conn.execute(
                    "INSERT INTO main.folders_removed VALUES (?1, ?2)",
                    [self.version, *id],
                )?;
            }
        }
        self.conn.execute_batch(
            "DELETE FROM main.named; INSERT INTO main.named SELECT * FROM backup.named;
             UPDATE main.mailbox SET (next_folder, next_named, props) = (
                 SELECT max(main.mailbox.next_folder, b.next_folder), max(main.mailbox.next_named, b.next_named),
                     b.props FROM backup.mailbox b);",
        )?;
        let mut changed = Vec::new();
        for id in restored {
            let life = lives
                .iter()
                .find(|(other, _)| *other == id)
                .and_then(|(_, before)| before.as_ref());
            let place = Place {
                old: id,
                new: id,
                parent: self.parent_of(id)?,
                life,
            };
            changed.push((id, self.bring(&place)?));
        }
        restore_mirror::bring(self.conn)?;
        self.copy_rows(0, 0)?;
        self.bring_deleted()?;
        Ok(changed)
    }

    /// What can be recovered is what could be when the backup was taken.
    fn bring_deleted(&self) -> Result<()> {
        self.conn.execute(
            "INSERT INTO main.deleted_folders SELECT * FROM backup.deleted_folders
                 WHERE id NOT IN (SELECT id FROM main.folders)",
            [],
        )?;
        for id in self.ids("SELECT id FROM main.deleted_folders")? {
            self.copy_rows(id, id)?;
        }
        Ok(())
    }

    /// A folder and what is below it: to where it is now, or else to where it was, or else to the top.
    fn subtree(&self, folder: i64) -> Result<Vec<(i64, i64)>> {
        self.check_names()?;
        let same_life: bool = self.conn.query_row(
            "SELECT main.mailbox.replica = b.replica FROM main.mailbox, backup.mailbox b",
            [],
            |row| row.get(0),
        )?;
        let ids: Vec<i64> = self
            .conn
            .prepare(
                "WITH RECURSIVE below(id) AS (
                     SELECT ?1 UNION SELECT f.id FROM backup.folders f JOIN below ON f.parent = below.id
                 ) SELECT id FROM below",
            )?
            .query_map([folder], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut moved: Vec<(i64, i64)> = Vec::new();
        let mut changed = Vec::new();
        for id in ids {
            // In another life of the mailbox the id may stand for another folder.
            let new = if same_life { id } else { self.new_folder_id()? };
            let life = if same_life { self.before(id)? } else { None };
            let old_parent = self.parent_of(id)?;
            let parent = match moved.iter().find(|(old, _)| Some(*old) == old_parent) {
                Some((_, new)) => Some(*new),
                None => self.present_parent(id, same_life, old_parent)?,
            };
            self.remove(new)?;
            changed.push((
                new,
                self.bring(&Place {
                    old: id,
                    new,
                    parent,
                    life: life.as_ref(),
                })?,
            ));
            moved.push((id, new));
        }
        Ok(changed)
    }

    fn ids(&self, sql: &str) -> Result<Vec<i64>> {
        Ok(self
            .conn
            .prepare(sql)?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?)
    }

    fn before(&self, id: i64) -> Result<Option<Before>> {
        let mut select = self
            .conn
            .prepare_cached("SELECT next_number, version, epoch FROM main.folders WHERE id = ?1")?;
        let before = select.query_row([id], |row| {
            Ok(Before {
                next_number: row.get(0)?,
                version: row.get(1)?,
                epoch: row.get(2)?,
            })
        });
        Ok(before.optional()?)
    }

    fn parent_of(&self, id: i64) -> Result<Option<i64>> {
        let mut select = self
            .conn
            .prepare_cached("SELECT parent FROM backup.folders WHERE id = ?1")?;
        Ok(select.query_row([id], |row| row.get(0))?)
    }

    /// Where the uppermost restored folder goes.
    fn present_parent(&self, id: i64, same_life: bool, old: Option<i64>) -> Result<Option<i64>> {
        if !same_life {
            return Ok(None);
        }
        let mut select = self
            .conn
            .prepare_cached("SELECT parent FROM main.folders WHERE id = ?1")?;
        if let Some(present) = select.query_row([id], |row| row.get(0)).optional()? {
            return Ok(present);
        }
        let mut select = self
            .conn
            .prepare_cached("SELECT id FROM main.folders WHERE id = ?1")?;
        Ok(select.query_row([old], |row| row.get(0)).optional()?)
    }

    fn new_folder_id(&self) -> Result<i64> {
        let id = self.conn.query_row(
            "UPDATE main.mailbox SET next_folder = next_folder + 1 RETURNING next_folder - 1",
            [],
            |row| row.get(0),
        )?;
        Ok(id)
    }

    fn remove(&self, id: i64) -> Result<()> {
        drop_items(self.conn, id)?;
        self.conn
            .execute("DELETE FROM main.folders WHERE id = ?1", [id])?;
        self.conn
            .execute("DELETE FROM main.deleted_folders WHERE id = ?1", [id])?;
        self.conn
            .execute("DELETE FROM main.permissions WHERE folder = ?1", [id])?;
        self.conn
            .execute("DELETE FROM main.folders_removed WHERE folder = ?1", [id])?;
        Ok(())
    }

    /// Errors: `Unsupported` when a property id of the backup means another property now.
    fn check_names(&self) -> Result<()> {
        self.conn.execute(
            "INSERT OR IGNORE INTO main.named SELECT * FROM backup.named",
            [],
        )?;
        let other: bool = self.conn.query_row(
            "SELECT EXISTS (SELECT * FROM backup.named EXCEPT SELECT * FROM main.named)",
            [],
            |row| row.get(0),
        )?;
        if other {
            return Err(Fail::new(
                ErrorKind::Unsupported,
                "the mailbox names other properties than the backup",
            ));
        }
        self.conn.execute(
            "UPDATE main.mailbox SET next_named = max(next_named, (SELECT next_named FROM backup.mailbox))",
            [],
        )?;
        Ok(())
    }

    /// Copies a folder with its items. Returns its version.
    fn bring(&self, place: &Place<'_>) -> Result<i64> {
        let life = place.life;
        let (next, version) = life.map_or((1, 0), |life| (life.next_number, life.version));
        let epoch = self.epoch(place)?;
        let (name, role) = self.name_and_role(place)?;
        let version: i64 = self.conn.query_row(
            "INSERT INTO main.folders
             SELECT ?2, ?3, ?4, ?5, class, ?6, ?7, ?8, max(next_number, ?9), max(version, ?10) + 1,
                 max(version, ?10) + 1, items, unread, deleted, size, 0, props
             FROM backup.folders WHERE id = ?1 RETURNING version",
            params![
                place.old,
                place.new,
                place.parent,
                name,
                name.to_lowercase(),
                role,
                self.version,
                epoch,
                next,
                version
            ],
            |row| row.get(0),
        )?;
        self.copy_rows(place.old, place.new)?;
        self.conn.execute(
            "INSERT INTO main.permissions SELECT ?2, position, member, user, rights
             FROM backup.permissions WHERE folder = ?1",
            [place.old, place.new],
        )?;
        Ok(version)
    }

    /// Copies the items of a folder of the backup.
    fn copy_rows(&self, old: i64, new: i64) -> Result<()> {
        for sql in COPIES {
            self.conn
                .execute(sql, [row_id(old, 0), row_id(old, u32::MAX), new])?;
        }
        Ok(())
    }

    fn epoch(&self, place: &Place<'_>) -> Result<u32> {
        let highest: i64 = self.conn.query_row(
            "SELECT max(ifnull((SELECT max(epoch) FROM main.folders), 0),
                        ifnull((SELECT max(epoch) FROM backup.folders), 0))",
            [],
            |row| row.get(0),
        )?;
        let highest = highest.max(place.life.map_or(0, |life| life.epoch));
        Ok(self
            .mailbox
            .shared
            .epochs
            .next(u32::try_from(highest).unwrap_or(0))?
            .0)
    }

    /// Its name, changed if a sibling has it now, and its role, unless another folder has that now.
    fn name_and_role(&self, place: &Place<'_>) -> Result<(String, Option<i64>)> {
        let (mut name, role): (String, Option<i64>) = self.conn.query_row(
            "SELECT name, role FROM backup.folders WHERE id = ?1",
            [place.old],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let mut taken = self.conn.prepare_cached(
            "SELECT 1 FROM main.folders WHERE ifnull(parent, 0) = ifnull(?1, 0) AND name_lower = ?2",
        )?;
        while taken.exists(params![place.parent, name.to_lowercase()])? {
            name.push_str(" (restored)");
        }
        let mut held = self
            .conn
            .prepare_cached("SELECT 1 FROM main.folders WHERE role = ?1")?;
        let role = if held.exists([role])? { None } else { role };
        Ok((name, role))
    }
}

/// Where a folder of the backup goes.
struct Place<'p> {
    old: i64,
    new: i64,
    parent: Option<i64>,
    /// What it was in the mailbox just now.
    life: Option<&'p Before>,
}

/// Copies of the rows of a range of items to another folder: `?1` and `?2` the range, `?3` the folder.
const COPIES: [&str; 5] = [
    "INSERT INTO main.items(id, folder, state, version, created, size, sized, original, key, creator,
         flags, status, flag_status, last_verb, keywords, delivered, class, removed)
     SELECT (?3 << 32) | (id & 0xffffffff), ?3, state, version, created, size, sized, original, key, creator,
         flags, status, flag_status, last_verb, keywords, delivered, class, removed
     FROM backup.items WHERE id BETWEEN ?1 AND ?2",
    "INSERT INTO main.facts(id, renderer, envelope, structure)
     SELECT (?3 << 32) | (id & 0xffffffff), renderer, envelope, structure
     FROM backup.facts WHERE id BETWEEN ?1 AND ?2",
    "INSERT INTO main.contents(id, hash, prefix, header, props, parts, body)
     SELECT (?3 << 32) | (id & 0xffffffff), hash, prefix, header, props, parts, body
     FROM backup.contents WHERE id BETWEEN ?1 AND ?2",
    "INSERT INTO main.attached(item, hash)
     SELECT (?3 << 32) | (item & 0xffffffff), hash FROM backup.attached WHERE item BETWEEN ?1 AND ?2",
    "INSERT INTO main.remote_items(id, folder, remote, change_key, served_key, digest, body, bytes, used, pass, fresh)
     SELECT (?3 << 32) | (id & 0xffffffff), ?3, remote, change_key, served_key, digest, body, bytes, used, pass, fresh
     FROM backup.remote_items WHERE id BETWEEN ?1 AND ?2",
];
