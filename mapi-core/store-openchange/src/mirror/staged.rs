//! Items that a pass over a folder has brought and that have no number yet: the newest comes first, but numbers must
//! ascend by arrival, so they wait until the pass is complete.
//!
//! Nothing waits in the first pass over a folder as long as the remote gives every item a number of its own: it has that
//! at once, and the folder shows nothing before the pass is complete. So the work is done while the rest still comes.

use mapi_types::tags::message_flags;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    RemoteId, RemoteItem,
    index_row::IndexRow,
    insertion::{Insertion, NewItem},
    remote_folder::RemoteFolderRow,
};
use crate::{
    fail::Result,
    hot::Hot,
    ids::{number_of, row_id},
    write::{
        FolderRow,
        item_row::{self, ItemRow},
    },
};

/// The highest number taken from the remote, whose numbers are signed: half of them are left for what comes later.
const HINT_MAX: u32 = i32::MAX as u32;

/// Puts an item aside, or replaces what was put aside of it.
pub(super) fn put(
    conn: &Connection,
    folder: i64,
    item: &RemoteItem,
    index: &IndexRow,
) -> Result<()> {
    let hot = &index.hot;
    conn.prepare_cached(
        "INSERT INTO remote_staged(folder, remote, change_key, hint, size, props,
             flags, status, flag_status, last_verb, keywords, delivered, class)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT(folder, remote) DO UPDATE SET change_key = ?3, hint = ?4, size = ?5, props = ?6,
             flags = ?7, status = ?8, flag_status = ?9, last_verb = ?10, keywords = ?11, delivered = ?12, class = ?13",
    )?
    .execute(params![
        folder,
        item.id.0,
        item.change_key.0,
        item.number_hint,
        index.size as i64,
        index.cold,
        hot.flags,
        hot.status,
        hot.flag_status,
        hot.last_verb,
        hot.keywords,
        hot.delivered.map(|time| time.0 as i64),
        hot.class,
    ])?;
    Ok(())
}

/// Whether anything of a folder is put aside.
pub(super) fn any(conn: &Connection, folder: i64) -> Result<bool> {
    let mut select = conn.prepare_cached("SELECT 1 FROM remote_staged WHERE folder = ?1")?;
    Ok(select.exists([folder])?)
}

/// Puts aside what this pass has brought and given its number already, in a folder that was never shown.
pub(super) fn put_back(
    conn: &Connection,
    row: &mut FolderRow,
    folder: &RemoteFolderRow,
) -> Result<()> {
    let brought = params![row_id(row.id, 0), row_id(row.id, u32::MAX), folder.pass];
    let ids: Vec<i64> = conn
        .prepare_cached(
            "SELECT id FROM remote_items WHERE id BETWEEN ?1 AND ?2 AND pass = ?3 AND served_key IS NULL",
        )?
        .query_map(brought, |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut put = conn.prepare_cached(
        "INSERT OR REPLACE INTO remote_staged(folder, remote, change_key, hint, size, props,
             flags, status, flag_status, last_verb, keywords, delivered, class)
         SELECT r.folder, r.remote, r.change_key, r.id & 0xffffffff, i.size, c.props,
             i.flags, i.status, i.flag_status, i.last_verb, i.keywords, i.delivered, i.class
         FROM remote_items r JOIN items i ON i.id = r.id JOIN contents c ON c.id = r.id WHERE r.id = ?1",
    )?;
    for id in ids {
        if let Some(item) = ItemRow::load(conn, id)? {
            put.execute([id])?;
            if item.is_normal() {
                row.count_out(&item.hot, item.size);
            }
            item_row::remove(conn, id)?;
        }
    }
    Ok(())
}

pub(super) fn remove(conn: &Connection, folder: i64, id: &RemoteId) -> Result<()> {
    conn.prepare_cached("DELETE FROM remote_staged WHERE folder = ?1 AND remote = ?2")?
        .execute(params![folder, id.0])?;
    Ok(())
}

/// Removes what was put aside of an item. Returns it with its change key.
pub(super) fn take(
    conn: &Connection,
    folder: i64,
    id: &RemoteId,
) -> Result<Option<(IndexRow, Vec<u8>)>> {
    let mut select = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM remote_staged WHERE folder = ?1 AND remote = ?2"
    ))?;
    let staged = select
        .query_row(params![folder, id.0], Staged::read)
        .optional()?;
    remove(conn, folder, id)?;
    Ok(staged.map(|staged| (staged.index, staged.change_key)))
}

pub(super) fn set_read(conn: &Connection, folder: i64, id: &RemoteId, read: bool) -> Result<()> {
    let (set, clear) = if read {
        (message_flags::READ, 0)
    } else {
        (0, message_flags::READ)
    };
    conn.prepare_cached(
        "UPDATE remote_staged SET flags = (ifnull(flags, 0) | ?3) & ~?4 WHERE folder = ?1 AND remote = ?2",
    )?
    .execute(params![folder, id.0, set, clear])?;
    Ok(())
}

/// Gives what was put aside its numbers, in the order of arrival. Returns how many there are.
pub(super) fn number(
    conn: &Connection,
    row: &mut FolderRow,
    folder: &RemoteFolderRow,
) -> Result<u32> {
    let hinted = !folder.indexed && hints_fit(conn, folder.id)?;
    let order: Vec<i64> = conn
        .prepare_cached(
            "SELECT id FROM remote_staged WHERE folder = ?1 ORDER BY hint IS NULL, hint, delivered, remote",
        )?
        .query_map([folder.id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut select = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM remote_staged WHERE id = ?1"
    ))?;
    let mut insertion = Insertion::new(conn)?;
    for id in &order {
        let staged = select.query_row([id], Staged::read)?;
        let new = NewItem {
            id: &staged.remote,
            change_key: &staged.change_key,
            index: &staged.index,
            number: staged.hint.filter(|_| hinted),
            pass: folder.pass,
        };
        insertion.insert(row, &new)?;
    }
    conn.execute("DELETE FROM remote_staged WHERE folder = ?1", [folder.id])?;
    Ok(order.len() as u32)
}

/// The lowest number that an item of the folder has; the highest there is when it has none.
pub(super) fn lowest(conn: &Connection, folder: i64) -> Result<u32> {
    let mut select = conn.prepare_cached("SELECT min(id) FROM items WHERE id BETWEEN ?1 AND ?2")?;
    let range = [row_id(folder, 0), row_id(folder, u32::MAX)];
    let lowest: Option<i64> = select.query_row(range, |row| row.get(0))?;
    Ok(lowest.map_or(HINT_MAX, number_of))
}

/// Whether an item can have the number that the remote would give it.
pub(super) fn is_free(conn: &Connection, folder: i64, number: u32) -> Result<bool> {
    let mut taken = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM items WHERE id = ?1)
             OR EXISTS (SELECT 1 FROM expunged WHERE folder = ?2 AND number = ?3)",
    )?;
    let taken: bool = taken.query_row(params![row_id(folder, number), folder, number], |row| {
        row.get(0)
    })?;
    Ok((1..=HINT_MAX).contains(&number) && !taken)
}

/// Whether every staged item can have the number that the remote would give it.
fn hints_fit(conn: &Connection, folder: i64) -> Result<bool> {
    let mut select = conn.prepare_cached(
        "SELECT count(*) = count(DISTINCT hint) AND min(hint) >= 1 AND max(hint) <= ?2 FROM remote_staged
         WHERE folder = ?1",
    )?;
    let distinct: Option<bool> = select.query_row(params![folder, HINT_MAX], |row| row.get(0))?;
    let mut taken = conn.prepare_cached(
        "SELECT 1 FROM remote_staged s WHERE s.folder = ?1 AND (
             EXISTS (SELECT 1 FROM items i WHERE i.id = ?2 + s.hint)
             OR EXISTS (SELECT 1 FROM expunged e WHERE e.folder = ?1 AND e.number = s.hint))
         LIMIT 1",
    )?;
    Ok(distinct == Some(true) && !taken.exists(params![folder, row_id(folder, 0)])?)
}

/// The columns of [`Staged`].
const COLUMNS: &str = "remote, change_key, hint, size, props,
    flags, status, flag_status, last_verb, keywords, delivered, class";

struct Staged {
    remote: RemoteId,
    change_key: Vec<u8>,
    hint: Option<u32>,
    index: IndexRow,
}

impl Staged {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (remote, size): (Vec<u8>, i64) = (row.get(0)?, row.get(3)?);
        Ok(Self {
            remote: RemoteId(remote.into()),
            change_key: row.get(1)?,
            hint: row.get(2)?,
            index: IndexRow {
                hot: Hot::read(row, 5)?,
                cold: row.get(4)?,
                size: size as u64,
            },
        })
    }
}
