//! Deleting items: softly, so that they can be recovered, or for good.

use mapi_store::{Deletion, Rights};
use mapi_types::{FolderId, ItemNumber};
use rusqlite::{Connection, params};

use super::{
    FolderRow, Tx,
    item_row::{self, ItemRow, state},
    recover::now,
};
use crate::{
    access::Access,
    fail::Result,
    ids::row_id,
    mirror::{evict_one, is_mirror},
};

/// Rights to delete any item, or one's own.
pub(super) const DELETE: (Rights, Rights) = (Rights::DELETE_ANY, Rights::DELETE_OWNED);

pub(crate) fn delete(
    tx: &mut Tx<'_>,
    who: &Access,
    folder: FolderId,
    items: &[ItemNumber],
    how: Deletion,
) -> Result<Vec<ItemNumber>> {
    let (id, rights) = who.allowed(tx.conn, folder, Rights::NONE)?;
    let mut row = FolderRow::load(tx.conn, id)?;
    let (now, mirror) = (now(), is_mirror(tx.conn)?);
    let mut gone = Vec::with_capacity(items.len());
    for number in each_once(items) {
        let Some(item) = ItemRow::load(tx.conn, row_id(id, number.0))? else {
            continue;
        };
        if how == Deletion::SoftIfMarked && !item.hot.is_marked_deleted() {
            continue;
        }
        who.check_items(rights, DELETE, std::iter::once(item.creator.as_deref()))?;
        let version = row.bump();
        if item.is_normal() {
            row.count_out(&item.hot, item.size);
            row.log_expunged(tx.conn, number.0, item.created)?;
        }
        match how {
            Deletion::Hard => item_row::remove(tx.conn, item.id)?,
            Deletion::Soft | Deletion::SoftIfMarked => {
                tx.conn
                    .prepare_cached(
                        "UPDATE items SET state = ?2, version = ?3, removed = ?4 WHERE id = ?1",
                    )?
                    .execute(params![item.id, state::SOFT_DELETED, version as i64, now])?;
                if mirror {
                    leave_body_to_remote(tx.conn, item.id)?;
                }
            }
        }
        gone.push(number);
    }
    row.store(tx)?;
    Ok(gone)
}

/// Of what is deleted there, the remote keeps the body: here the row is enough to list it.
fn leave_body_to_remote(conn: &Connection, item: i64) -> Result<()> {
    evict_one(conn, item)?;
    conn.prepare_cached("UPDATE items SET original = NULL WHERE id = ?1")?
        .execute([item])?;
    item_row::forget_remote(conn, item)
}

/// Ascending, without repetition.
pub(super) fn each_once(items: &[ItemNumber]) -> Vec<ItemNumber> {
    let mut numbers = items.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
