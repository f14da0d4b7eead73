//! Reading items: rows, changes, whole messages, pieces of large values.

use std::{cmp::Ordering, ops::RangeBounds};

use bytes::Bytes;
use mapi_types::{
    FolderId, ItemKey, ItemNumber, MessageTree, PropBag, PropTag, RowSet, RowSetBuilder, SortOrder,
    Value, Version, compare, tags,
};

use super::{
    access::no_item,
    folder::{Expunged, Folder},
    item::{Item, inline, needs_rendering},
    mailbox::Mailbox,
};
use crate::{
    ByteRange, Changes, Delta, Error, ErrorKind, Items, Principal, Query, READ_BYTES_MAX, Result,
    Rights, Table,
};

impl Mailbox {
    pub(super) fn query(&self, who: &Principal, query: &Query<'_>) -> Result<RowSet> {
        let (Table::Contents(id) | Table::Associated(id) | Table::SoftDeleted(id)) = query.table;
        let folder = match query.table {
            Table::SoftDeleted(_) => self.recoverable(who, id, Rights::READ_ANY)?,
            Table::Contents(_) | Table::Associated(_) => self.allowed(who, id, Rights::READ_ANY)?,
        };
        let (items, associated) = match query.table {
            Table::Contents(_) => (&folder.items, Some(false)),
            Table::Associated(_) => (&folder.items, Some(true)),
            Table::SoftDeleted(_) => (&folder.soft_deleted, None),
        };
        let asked: Box<dyn Iterator<Item = (u32, &Item)>> = match &query.items {
            Items::Range(range) if range.is_empty() => Box::new(std::iter::empty()),
            Items::Range(range) => {
                let bounds = (range.start_bound(), range.end_bound());
                Box::new(
                    items
                        .range::<u32, _>(bounds)
                        .map(|(number, item)| (*number, item)),
                )
            }
            Items::Numbers(numbers) => Box::new(
                numbers
                    .iter()
                    .filter_map(|number| Some((number.0, items.get(&number.0)?))),
            ),
        };
        let in_table = |item: &Item| associated.is_none_or(|is| is == item.body.is_associated());
        let mut found: Vec<(u32, &Item)> = asked
            .filter(|(number, item)| {
                let meets = query
                    .filter
                    .map(|filter| filter.matches(&|tag| item.value(*number, tag)));
                in_table(item) && meets.unwrap_or(true)
            })
            .collect();
        if !query.sort.is_empty() {
            found.sort_by(|a, b| order(query.sort, *a, *b));
        }
        found.truncate(query.limit as usize);
        if renders(query.columns) {
            self.render(found.iter().map(|(_, item)| *item))?;
        }
        Ok(rows(query.columns, &found))
    }

    pub(super) fn item_props(
        &self,
        who: &Principal,
        id: FolderId,
        number: ItemNumber,
        tags: &[PropTag],
    ) -> Result<PropBag> {
        let folder = self.allowed(who, id, Rights::READ_ANY)?;
        let item = folder.items.get(&number.0).ok_or_else(no_item)?;
        if renders(tags) {
            self.render(std::iter::once(item))?;
        }
        let values = tags
            .iter()
            .filter_map(|tag| Some((*tag, inline(item.value(number.0, *tag)?)?.to_owned())));
        Ok(values.collect())
    }

    pub(super) fn read_message(
        &self,
        who: &Principal,
        id: FolderId,
        number: ItemNumber,
    ) -> Result<MessageTree> {
        let folder = self.allowed(who, id, Rights::READ_ANY)?;
        Ok(folder.items.get(&number.0).ok_or_else(no_item)?.body.tree())
    }

    pub(super) fn read_bytes(
        &self,
        who: &Principal,
        id: FolderId,
        pieces: &[ByteRange],
    ) -> Result<Vec<Option<Bytes>>> {
        let folder = self.allowed(who, id, Rights::READ_ANY)?;
        if pieces.iter().any(|piece| piece.len > READ_BYTES_MAX) {
            return Err(Error::new(ErrorKind::Invalid, "the piece is too large"));
        }
        let rendering = pieces.iter().filter(|piece| needs_rendering(piece.tag));
        self.render(rendering.filter_map(|piece| folder.items.get(&piece.item.0)))?;
        Ok(pieces
            .iter()
            .map(|piece| read_piece(folder, piece))
            .collect())
    }

    pub(super) fn find(
        &self,
        who: &Principal,
        id: FolderId,
        keys: &[ItemKey],
    ) -> Result<Vec<Option<ItemNumber>>> {
        let folder = self.allowed(who, id, Rights::READ_ANY)?;
        Ok(keys
            .iter()
            .map(|key| folder.number_of(key).map(ItemNumber))
            .collect())
    }

    /// Shows all facts of these items. Errors: what [`crate::MemFaults::fail_rendering`] asks for; those before stay
    /// rendered.
    fn render<'i>(&self, items: impl Iterator<Item = &'i Item>) -> Result<()> {
        for item in items.filter(|item| !item.body.is_rendered()) {
            self.faults.rendering()?;
            item.body.set_rendered();
        }
        Ok(())
    }
}

impl Folder {
    /// The changes of the normal items after `since`, a page of about `limit` rows.
    pub(super) fn changes(&self, since: Version, columns: &[PropTag], limit: u32) -> Changes {
        let lost = since > Version(0) && since < self.forgotten;
        if since > self.version || lost {
            return Changes::Expired;
        }
        let mut items: Vec<(u32, &Item)> = self
            .items
            .iter()
            .filter(|(_, item)| item.version > since && !item.body.is_associated())
            .map(|(number, item)| (*number, item))
            .collect();
        items.sort_by_key(|(number, item)| (item.version, *number));
        let gone: Vec<Expunged> = self
            .expunged
            .iter()
            .filter(|gone| gone.version > since && gone.created <= since)
            .copied()
            .collect();
        let to = page_end(self, &items, &gone, limit);
        items.retain(|(_, item)| item.version <= to);
        let mut removed: Vec<ItemNumber> = gone
            .iter()
            .filter(|gone| gone.version <= to)
            .map(|gone| ItemNumber(gone.number))
            .collect();
        removed.sort_unstable();
        let delta = Delta {
            to,
            rows: rows(columns, &items),
            removed,
            more: to < self.version,
        };
        Changes::Delta(delta)
    }
}

/// Whether an answer with these columns is to be complete.
fn renders(columns: &[PropTag]) -> bool {
    columns.contains(&tags::DERIVED_RENDERER.tag())
}

fn rows(columns: &[PropTag], items: &[(u32, &Item)]) -> RowSet {
    let mut builder = RowSetBuilder::new(columns);
    for (number, item) in items {
        for tag in columns {
            builder.push(item.value(*number, *tag).and_then(inline));
        }
    }
    builder.build()
}

/// The order of two items: a missing value comes before every other, and equals go by number.
fn order(sort: &[SortOrder], (a, item_a): (u32, &Item), (b, item_b): (u32, &Item)) -> Ordering {
    let by_columns = sort.iter().map(|by| {
        let ordering = match (item_a.value(a, by.tag), item_b.value(b, by.tag)) {
            (Some(a), Some(b)) => compare(a, b).unwrap_or(Ordering::Equal),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if by.descending {
            ordering.reverse()
        } else {
            ordering
        }
    });
    by_columns
        .fold(Ordering::Equal, Ordering::then)
        .then(a.cmp(&b))
}

/// The version after which a page of about `limit` rows ends: a version's rows stay together.
fn page_end(folder: &Folder, items: &[(u32, &Item)], gone: &[Expunged], limit: u32) -> Version {
    let mut versions: Vec<Version> = items
        .iter()
        .map(|(_, item)| item.version)
        .chain(gone.iter().map(|gone| gone.version))
        .collect();
    versions.sort_unstable();
    let limit = (limit as usize).max(1);
    match (versions.get(limit - 1), versions.last()) {
        (Some(end), Some(last)) if end < last => *end,
        _ => folder.version,
    }
}

fn read_piece(folder: &Folder, piece: &ByteRange) -> Option<Bytes> {
    let item = folder.items.get(&piece.item.0)?;
    if piece.tag == tags::ORIGINAL.tag() {
        let original = item.body.original()?;
        let (from, to) = bounds(original.len(), piece);
        return Some(original.slice(from..to));
    }
    let octets = match item.value(piece.item.0, piece.tag)? {
        Value::Str(text) => text.as_bytes(),
        Value::Bin(octets) => octets,
        Value::Strs(items) | Value::Bins(items) => items.packed(),
        _ => return None,
    };
    let (from, to) = bounds(octets.len(), piece);
    octets.get(from..to).map(Bytes::copy_from_slice)
}

/// Where a piece begins and ends in a value of `len` octets.
fn bounds(len: usize, piece: &ByteRange) -> (usize, usize) {
    let from = usize::try_from(piece.offset).unwrap_or(usize::MAX).min(len);
    (from, from.saturating_add(piece.len as usize).min(len))
}
