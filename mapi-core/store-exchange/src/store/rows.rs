//! Values of known items, whichever table they are in.

use std::collections::HashMap;

use mapi_store::{Items, Query, Result, Table};
use mapi_types::{FolderId, ItemNumber, Kind, PropTag, Row, RowSet, Tag, Value, tags};

use super::ExchangeStore;

/// Rows of items, found by number.
pub(super) struct ItemRows {
    tables: [RowSet; 2],
    places: HashMap<ItemNumber, (usize, usize)>,
}

impl ExchangeStore {
    /// These columns of items that the mirror knows; what is gone is missing. Rights are not asked for.
    pub(super) async fn rows_of(
        &self,
        folder: FolderId,
        numbers: &[ItemNumber],
        columns: &[PropTag],
    ) -> Result<ItemRows> {
        let mut columns = columns.to_vec();
        columns.push(tags::INTERNET_ARTICLE_NUMBER.tag());
        columns.sort_unstable();
        columns.dedup();
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let query = |table| Query {
            table,
            columns: &columns,
            items: Items::Numbers(&numbers),
            filter: None,
            sort: &[],
            limit: u32::MAX,
        };
        let store = &self.mailbox.inner;
        let contents = store.query(&query(Table::Contents(folder))).await?;
        let associated = match contents.len() == numbers.len() {
            true => Query {
                items: Items::Numbers(&[]),
                ..query(Table::Associated(folder))
            },
            false => query(Table::Associated(folder)),
        };
        let associated = store.query(&associated).await?;
        Ok(ItemRows::new([contents, associated]))
    }
}

impl ItemRows {
    fn new(tables: [RowSet; 2]) -> Self {
        let mut places = HashMap::new();
        for (table, rows) in tables.iter().enumerate() {
            for (at, row) in rows.rows().enumerate() {
                if let Some(number) = row.get(&tags::INTERNET_ARTICLE_NUMBER) {
                    places.insert(ItemNumber(number.cast_unsigned()), (table, at));
                }
            }
        }
        Self { tables, places }
    }

    /// The row of an item, if it is there.
    pub(super) fn row(&self, number: ItemNumber) -> Option<Row<'_>> {
        let (table, at) = self.places.get(&number)?;
        self.tables.get(*table)?.row(*at)
    }

    /// A value of an item.
    pub(super) fn get<K: Kind>(&self, number: ItemNumber, tag: &Tag<K>) -> Option<K::Ref<'_>> {
        self.row(number)?.get(tag)
    }

    /// A value of an item, of whatever type.
    pub(super) fn value(&self, number: ItemNumber, tag: PropTag) -> Option<Value<'_>> {
        self.row(number)?.value(tag)
    }
}
