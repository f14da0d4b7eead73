//! Single items: some properties, the whole message, and finding them by key.

use mapi_store::Rights;
use mapi_types::{FolderId, ItemKey, ItemNumber, MessageTree, PropBag, PropTag};
use rusqlite::OptionalExtension;

use super::{
    Snapshot,
    columns::{Columns, ItemView},
};
use crate::{
    access::{Access, no_item},
    codec::{decode_parts, take_bag},
    fail::Result,
    hot::{HOT_COLUMNS, Hot},
    ids::{number_of, row_id},
    mirror::is_unindexed,
};

pub(crate) fn item_props(
    at: &Snapshot<'_>,
    who: &Access,
    (folder, item): (FolderId, ItemNumber),
    tags: &[PropTag],
) -> Result<PropBag> {
    let (folder, _) = who.allowed(at.conn, folder, Rights::READ_ANY)?;
    let mut columns = Columns::new();
    columns.add(tags.iter().copied());
    let mut select = at
        .conn
        .prepare_cached(&columns.sql("WHERE i.id = ?1 AND i.state < 2"))?;
    let mut rows = select.query([row_id(folder, item.0)])?;
    let row = rows.next()?.ok_or_else(no_item)?;
    let view = ItemView::new(row, &columns);
    let mut props = Vec::with_capacity(tags.len());
    for tag in tags {
        props.extend(view.value(*tag)?.map(|value| (*tag, value.to_owned())));
    }
    Ok(props.into_iter().collect())
}

pub(crate) fn read_message(
    at: &Snapshot<'_>,
    who: &Access,
    (folder, item): (FolderId, ItemNumber),
) -> Result<MessageTree> {
    let (folder, _) = who.allowed(at.conn, folder, Rights::READ_ANY)?;
    let mut select = at.conn.prepare_cached(&format!(
        "SELECT c.props, c.parts, {HOT_COLUMNS} FROM items i JOIN contents c ON c.id = i.id
         WHERE i.id = ?1 AND i.state < 2"
    ))?;
    let found = select.query_row([row_id(folder, item.0)], |row| {
        let (props, parts): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
        Ok((props, parts, Hot::read(row, 2)?))
    });
    let (props, parts, hot) = found.optional()?.ok_or_else(no_item)?;
    let load = |hash, len| at.load(hash, len);
    let (recipients, attachments) = decode_parts(&parts, &load)?;
    let props = take_bag(&props, &load)?.with(&hot.owned(), &[]);
    Ok(MessageTree {
        props,
        recipients,
        attachments,
    })
}

pub(crate) fn find(
    at: &Snapshot<'_>,
    who: &Access,
    folder: FolderId,
    keys: &[ItemKey],
) -> Result<Vec<Option<ItemNumber>>> {
    let (folder, _) = who.allowed(at.conn, folder, Rights::READ_ANY)?;
    if is_unindexed(at.conn, folder)? {
        return Ok(vec![None; keys.len()]);
    }
    let found = keys.iter().map(|key| {
        let item = crate::write::with_key(at.conn, folder, &key.0)?;
        Ok(item.map(|(id, _)| ItemNumber(number_of(id))))
    });
    found.collect()
}
