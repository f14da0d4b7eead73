//! Rows of a folder's tables.

use std::cmp::Ordering;

use mapi_store::{Items, Query, Rights, Table};
use mapi_types::{
    ItemNumber, OwnedValue, PropTag, Restriction, RowSet, RowSetBuilder, SortOrder, compare,
};
use rusqlite::params;

use super::{
    Snapshot,
    columns::{Columns, ItemView},
};
use crate::{access::Access, fail::Result, ids::row_id, mirror::is_unindexed};

/// Numbers that lie at most this far apart are read in one sweep, passing over what lies between.
const SWEEP_GAP: u32 = 16;

/// A query that owns what it asks, so that it can go to another thread.
pub(crate) struct OwnedQuery {
    table: Table,
    columns: Vec<PropTag>,
    items: OwnedItems,
    filter: Option<Restriction>,
    sort: Vec<SortOrder>,
    limit: u32,
}

enum OwnedItems {
    Range(u32, u32),
    Numbers(Vec<ItemNumber>),
}

impl From<&Query<'_>> for OwnedQuery {
    fn from(query: &Query<'_>) -> Self {
        Self {
            table: query.table,
            columns: query.columns.to_vec(),
            items: match &query.items {
                Items::Range(range) => OwnedItems::Range(*range.start(), *range.end()),
                Items::Numbers(numbers) => OwnedItems::Numbers(numbers.to_vec()),
            },
            filter: query.filter.cloned(),
            sort: query.sort.to_vec(),
            limit: query.limit,
        }
    }
}

pub(crate) fn query(at: &Snapshot<'_>, who: &Access, query: &OwnedQuery) -> Result<RowSet> {
    let (folder, state) = match query.table {
        Table::Contents(folder) => (folder, 0),
        Table::Associated(folder) => (folder, 1),
        Table::SoftDeleted(folder) => (folder, 2),
    };
    let (folder, _) = match query.table {
        Table::SoftDeleted(_) => who.allowed_deleted(at.conn, folder, Rights::READ_ANY)?,
        Table::Contents(_) | Table::Associated(_) => {
            who.allowed(at.conn, folder, Rights::READ_ANY)?
        }
    };
    if is_unindexed(at.conn, folder)? {
        return Ok(RowSetBuilder::new(&query.columns[..]).build());
    }
    let scan = Scan {
        folder,
        state,
        query,
    };
    if query.sort.is_empty() {
        scan.rows(at, &query.items, query.filter.as_ref())
    } else {
        let numbers = scan.sorted(at)?;
        scan.rows(at, &OwnedItems::Numbers(numbers), None)
    }
}

struct Scan<'q> {
    folder: i64,
    state: i64,
    query: &'q OwnedQuery,
}

impl Scan<'_> {
    /// The rows of these items, in the order they are named.
    fn rows(
        &self,
        at: &Snapshot<'_>,
        items: &OwnedItems,
        filter: Option<&Restriction>,
    ) -> Result<RowSet> {
        let tags = &self.query.columns;
        let mut builder = RowSetBuilder::new(&tags[..]);
        let wanted = Wanted {
            items,
            filter,
            limit: self.query.limit,
        };
        self.visit(at, columns_of(tags.iter().copied()), &wanted, &mut |item| {
            item.push(&mut builder, tags)
        })?;
        Ok(builder.build())
    }

    /// The numbers of the first items in the query's order.
    fn sorted(&self, at: &Snapshot<'_>) -> Result<Vec<ItemNumber>> {
        let sort = &self.query.sort;
        let mut found: Vec<(u32, Vec<Option<OwnedValue>>)> = Vec::new();
        let filter = self.query.filter.as_ref();
        let wanted = Wanted {
            items: &self.query.items,
            filter,
            limit: u32::MAX,
        };
        self.visit(
            at,
            columns_of(sort.iter().map(|by| by.tag)),
            &wanted,
            &mut |item| {
                let keys = sort
                    .iter()
                    .map(|by| Ok(item.value(by.tag)?.map(|value| value.to_owned())));
                found.push((item.number()?, keys.collect::<Result<_>>()?));
                Ok(())
            },
        )?;
        found.sort_by(|(a, a_keys), (b, b_keys)| order(sort, a_keys, b_keys).then(a.cmp(b)));
        found.truncate(self.query.limit as usize);
        Ok(found
            .into_iter()
            .map(|(number, _)| ItemNumber(number))
            .collect())
    }

    /// Calls `each` with the wanted items.
    fn visit(
        &self,
        at: &Snapshot<'_>,
        mut columns: Columns,
        wanted: &Wanted<'_>,
        each: &mut dyn FnMut(ItemView<'_>) -> Result<()>,
    ) -> Result<()> {
        if let Some(filter) = wanted.filter {
            columns.add_restriction(filter);
        }
        let sql = columns.sql("WHERE i.id BETWEEN ?1 AND ?2 AND i.state = ?3 ORDER BY i.id");
        let mut select = at.conn.prepare_cached(&sql)?;
        let mut left = wanted.limit;
        for sweep in sweeps(wanted.items) {
            let ids = (
                row_id(self.folder, sweep.first),
                row_id(self.folder, sweep.last),
            );
            let mut rows = select.query(params![ids.0, ids.1, self.state])?;
            while left > 0
                && let Some(row) = rows.next()?
            {
                let item = ItemView::new(row, &columns);
                let named = sweep.names(item.number()?);
                if named
                    && wanted
                        .filter
                        .map_or(Ok(true), |filter| item.meets(filter))?
                {
                    each(item)?;
                    left -= 1;
                }
            }
        }
        Ok(())
    }
}

/// Which items a scan is for.
struct Wanted<'w> {
    items: &'w OwnedItems,
    filter: Option<&'w Restriction>,
    limit: u32,
}

fn columns_of(tags: impl IntoIterator<Item = PropTag>) -> Columns {
    let mut columns = Columns::new();
    columns.add(tags);
    columns
}

/// A stretch of numbers read by one run of the statement.
struct Sweep<'i> {
    first: u32,
    last: u32,
    /// The numbers wanted; `None`: all.
    numbers: Option<&'i [ItemNumber]>,
}

impl Sweep<'_> {
    fn names(&self, number: u32) -> bool {
        self.numbers
            .is_none_or(|numbers| numbers.binary_search(&ItemNumber(number)).is_ok())
    }
}

fn sweeps(items: &OwnedItems) -> Vec<Sweep<'_>> {
    match items {
        OwnedItems::Range(first, last) if first > last => Vec::new(),
        OwnedItems::Range(first, last) => vec![Sweep {
            first: *first,
            last: *last,
            numbers: None,
        }],
        OwnedItems::Numbers(numbers) => numbers
            .chunk_by(|a, b| a < b && b.0 - a.0 <= SWEEP_GAP)
            .filter_map(|run| {
                Some(Sweep {
                    first: run.first()?.0,
                    last: run.last()?.0,
                    numbers: Some(run),
                })
            })
            .collect(),
    }
}

/// A missing value comes before every other.
fn order(sort: &[SortOrder], a: &[Option<OwnedValue>], b: &[Option<OwnedValue>]) -> Ordering {
    let by_columns = sort.iter().zip(a.iter().zip(b)).map(|(by, (a, b))| {
        let ordering = match (a, b) {
            (Some(a), Some(b)) => compare(a.as_value(), b.as_value()).unwrap_or(Ordering::Equal),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if by.descending {
            ordering.reverse()
        } else {
            ordering
        }
    });
    by_columns.fold(Ordering::Equal, Ordering::then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_close_together_are_one_sweep_and_keep_their_order() {
        let check = |numbers: &[u32], expected: &[(u32, u32)]| {
            let items = OwnedItems::Numbers(numbers.iter().copied().map(ItemNumber).collect());
            let found: Vec<_> = sweeps(&items)
                .iter()
                .map(|sweep| (sweep.first, sweep.last))
                .collect();
            assert_eq!(found, expected);
        };
        check(&[], &[]);
        check(&[5, 6, 9], &[(5, 9)]);
        check(&[1, 40, 41], &[(1, 1), (40, 41)]);
        check(&[7, 3, 4], &[(7, 7), (3, 4)]);
    }
}
