//! Loading a folder's index, and bringing it up to date from the folder's change log.

use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};

use mapi_store::{Changes, Error, ErrorKind, Items, Query, Result, Store, Table};
use mapi_types::{FolderId, ItemNumber, PropTag, Row, RowSet, Value, Version, tags};

use crate::{
    FolderIndex, ItemState, KeywordSetId, KeywordTable, Size, flags::FlagProps, index::IndexHead,
};

/// Rows of one page of a load or a refresh.
pub(crate) const PAGE_ROWS: u32 = 4096;

/// How often a load starts anew when the change log does not reach back to its beginning.
const LOAD_ATTEMPTS: u32 = 3;

/// Keyword sets that an index may have beyond two an item before it is loaded anew, without those no longer in use.
const SPARE_KEYWORD_SETS: usize = 1024;

/// The columns of an index, in the order of [`item_state`].
const COLUMNS: [PropTag; 9] = [
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::ITEM_VERSION.tag(),
    tags::MESSAGE_FLAGS.tag(),
    tags::MESSAGE_STATUS.tag(),
    tags::FLAG_STATUS.tag(),
    tags::LAST_VERB_EXECUTED.tag(),
    tags::KEYWORDS.tag(),
    tags::ITEM_SIZE.tag(),
    tags::MESSAGE_DELIVERY_TIME.tag(),
];

/// A folder's index as of now.
///
/// The rows are read page by page while others write; what they change meanwhile is in the change log since before
/// the first page, and merged in at the end.
pub(crate) async fn load(store: &dyn Store, folder: FolderId) -> Result<Arc<FolderIndex>> {
    for _ in 0..LOAD_ATTEMPTS {
        let info = store.folder(folder).await?;
        let mut keywords = Arc::new(KeywordTable::default());
        let mut items = Vec::with_capacity(info.items as usize);
        let mut from = 0;
        while let Some(numbers) = (from != u32::MAX).then_some(from..=u32::MAX) {
            let rows = page(store, folder, numbers).await?;
            items.extend(rows.rows().filter_map(|row| item_state(row, &mut keywords)));
            let full = rows.len() >= PAGE_ROWS as usize;
            let last = items.last().map(|item| item.number.0);
            let Some(last) = last.filter(|_| full) else {
                break;
            };
            from = last.saturating_add(1);
        }
        let (epoch, next_number, version) = (info.epoch, info.next_number, info.version);
        let head = IndexHead {
            epoch,
            next_number,
            version,
            keywords,
        };
        let index = Arc::new(FolderIndex::new(head, &items));
        if let Some(index) = catch_up(store, folder, &index).await? {
            return Ok(index);
        }
    }
    Err(Error::new(
        ErrorKind::Unavailable,
        "the folder's change log is cut off again and again",
    ))
}

/// The index brought up to date; `None`: the change log does not reach back to it. One call when nothing changed.
pub(crate) async fn catch_up(
    store: &dyn Store,
    folder: FolderId,
    old: &Arc<FolderIndex>,
) -> Result<Option<Arc<FolderIndex>>> {
    let mut keywords = Arc::clone(old.keywords());
    let mut version = old.version();
    let mut changed: BTreeMap<ItemNumber, ItemState> = BTreeMap::new();
    let mut removed: Vec<ItemNumber> = Vec::new();
    loop {
        let Changes::Delta(delta) = store.changes(folder, version, &COLUMNS, PAGE_ROWS).await?
        else {
            return Ok(None);
        };
        for item in delta
            .rows
            .rows()
            .filter_map(|row| item_state(row, &mut keywords))
        {
            changed.insert(item.number, item);
        }
        for gone in &delta.removed {
            changed.remove(gone);
        }
        removed.extend(delta.removed);
        let stuck = delta.to <= version && delta.more;
        version = delta.to;
        if stuck {
            return Err(Error::new(
                ErrorKind::Internal,
                "the change log does not advance",
            ));
        }
        if !delta.more {
            break;
        }
    }
    if version == old.version() && changed.is_empty() && removed.is_empty() {
        return Ok(Some(Arc::clone(old)));
    }
    removed.sort_unstable();
    let changed: Vec<ItemState> = changed.into_values().collect();
    // Items that came and went between two looks had numbers too.
    let last = removed.last().map_or(0, |number| number.0);
    let next_number = ItemNumber(old.next_number().0.max(last.saturating_add(1)));
    let head = IndexHead {
        epoch: old.epoch(),
        next_number,
        version,
        keywords,
    };
    Ok(Some(Arc::new(old.merge(head, &changed, &removed))))
}

/// Whether the keyword table holds much that is no longer in use.
pub(crate) fn is_worn(index: &FolderIndex) -> bool {
    index.keywords().set_count() > SPARE_KEYWORD_SETS + 2 * index.len()
}

async fn page(store: &dyn Store, folder: FolderId, numbers: RangeInclusive<u32>) -> Result<RowSet> {
    let query = Query {
        table: Table::Contents(folder),
        columns: &COLUMNS,
        items: Items::Range(numbers),
        filter: None,
        sort: &[],
        limit: PAGE_ROWS,
    };
    store.query(&query).await
}

/// A row of [`COLUMNS`]; `None` when it has no number.
fn item_state(row: Row<'_>, keywords: &mut Arc<KeywordTable>) -> Option<ItemState> {
    let long = |column| match row.at(column) {
        Some(Value::I32(value)) => value,
        _ => 0,
    };
    let Some(Value::I32(number)) = row.at(0) else {
        return None;
    };
    let long_long = |column| match row.at(column) {
        Some(Value::I64(value)) => u64::try_from(value).unwrap_or(0),
        _ => 0,
    };
    let props = FlagProps {
        message_flags: long(2),
        message_status: long(3),
        flag_status: long(4),
        last_verb: long(5),
    };
    let keywords = match row.at(6) {
        Some(Value::Strs(names)) => match keywords.lookup(names.strs()) {
            Some(set) => set,
            None => Arc::make_mut(keywords).intern(names.strs()),
        },
        _ => KeywordSetId::NONE,
    };
    // Missing as long as the item is not rendered.
    let size = match row.at(7) {
        Some(Value::I64(octets)) => u64::try_from(octets).map_or(Size::UNKNOWN, Size::new),
        _ => Size::UNKNOWN,
    };
    let received = match row.at(8) {
        Some(Value::Time(time)) => time.unix(),
        _ => 0,
    };
    Some(ItemState {
        number: ItemNumber(number as u32),
        size,
        keywords,
        flags: props.flags(),
        verb: props.verb(),
        received,
        version: Version(long_long(1)),
    })
}
