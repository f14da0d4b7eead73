//! Where the properties of an item are, and reading them from a row: a query selects only what it needs.

use std::cell::RefCell;

use mapi_store::INLINE_BYTES_MAX;
use mapi_types::{FileTime, Multi, PropTag, PropType, Restriction, RowSetBuilder, Value, tags};
use rusqlite::{Row, types::ValueRef};

use crate::{
    codec::{BagReader, Stored},
    fail::{Fail, Result},
    hot::hot_column,
    ids::number_of,
};

/// The properties a query needs and the SQL that selects them.
pub(super) struct Columns {
    sources: Vec<(PropTag, Source)>,
    sql: Vec<&'static str>,
    facts: bool,
    contents: bool,
}

/// Where a property's value comes from. The number is the place in the `SELECT` list.
#[derive(Clone, Copy)]
enum Source {
    Number,
    Typed(usize, PropType),
    /// Octets; empty ones count as missing.
    Octets(usize),
    /// In the property blob.
    Blob(usize),
    Nowhere,
}

/// The row id is always the first column.
const ROW_ID: &str = "i.id";

impl Columns {
    pub(super) fn new() -> Self {
        Self {
            sources: Vec::new(),
            sql: vec![ROW_ID],
            facts: false,
            contents: false,
        }
    }

    /// Makes properties readable.
    pub(super) fn add(&mut self, tags: impl IntoIterator<Item = PropTag>) {
        for tag in tags {
            if !self.sources.iter().any(|(known, _)| *known == tag) {
                let source = self.source(tag);
                self.sources.push((tag, source));
            }
        }
    }

    /// Makes the properties a condition looks at readable.
    pub(super) fn add_restriction(&mut self, restriction: &Restriction) {
        match restriction {
            Restriction::And(inner) | Restriction::Or(inner) => {
                inner
                    .iter()
                    .for_each(|restriction| self.add_restriction(restriction));
            }
            Restriction::Not(inner) => self.add_restriction(inner),
            Restriction::Exist(tag)
            | Restriction::Property(_, tag, _)
            | Restriction::AnyBit(tag, _)
            | Restriction::Text(_, tag, _) => self.add([*tag]),
        }
    }

    fn source(&mut self, tag: PropTag) -> Source {
        if let Some(column) = hot_column(tag) {
            return self.typed(column, tag);
        }
        match tag {
            tag if tag == tags::INTERNET_ARTICLE_NUMBER.tag() => Source::Number,
            tag if tag == tags::ITEM_VERSION.tag() => self.typed("i.version", tag),
            tag if tag == tags::ITEM_SIZE.tag() => self.typed("iif(i.sized, i.size, NULL)", tag),
            tag if tag == tags::ORIGINAL_SIZE.tag() => self.typed("i.original", tag),
            tag if tag == tags::SOURCE_KEY.tag() => self.typed("i.key", tag),
            tag if tag == tags::DELETED_ON.tag() => self.typed("i.removed", tag),
            tag if tag == tags::ORIGINAL.tag() => Source::Nowhere,
            tag if tag == tags::DERIVED_RENDERER.tag() => {
                self.facts = true;
                self.typed("f.renderer", tag)
            }
            tag if tag == tags::DERIVED_ENVELOPE.tag() => {
                self.facts = true;
                Source::Octets(self.select("f.envelope"))
            }
            tag if tag == tags::DERIVED_STRUCTURE.tag() => {
                self.facts = true;
                Source::Octets(self.select("f.structure"))
            }
            tag if tag == tags::ORIGINAL_PREFIX.tag() => {
                self.contents = true;
                Source::Octets(self.select("c.prefix"))
            }
            tag if tag == tags::DERIVED_HEADER.tag() => {
                self.contents = true;
                Source::Octets(self.select("c.header"))
            }
            _ => {
                self.contents = true;
                Source::Blob(self.select("c.props"))
            }
        }
    }

    fn typed(&mut self, column: &'static str, tag: PropTag) -> Source {
        let at = self.select(column);
        tag.prop_type()
            .map_or(Source::Nowhere, |kind| Source::Typed(at, kind))
    }

    fn select(&mut self, column: &'static str) -> usize {
        self.sql
            .iter()
            .position(|known| *known == column)
            .unwrap_or_else(|| {
                self.sql.push(column);
                self.sql.len() - 1
            })
    }

    /// `SELECT … FROM …`, to which the caller adds its conditions on the table `i`, the items.
    pub(super) fn sql(&self, tail: &str) -> String {
        let facts = if self.facts {
            " LEFT JOIN facts f ON f.id = i.id"
        } else {
            ""
        };
        let contents = if self.contents {
            " LEFT JOIN contents c ON c.id = i.id"
        } else {
            ""
        };
        format!(
            "SELECT {} FROM items i{facts}{contents} {tail}",
            self.sql.join(", ")
        )
    }
}

/// A row of a query.
#[derive(Clone, Copy)]
pub(super) struct ItemView<'r> {
    row: &'r Row<'r>,
    columns: &'r Columns,
}

impl<'r> ItemView<'r> {
    pub(super) fn new(row: &'r Row<'r>, columns: &'r Columns) -> Self {
        Self { row, columns }
    }

    pub(super) fn number(self) -> Result<u32> {
        Ok(number_of(self.row.get(0)?))
    }

    /// The value of a property that was made readable; `None` also for one too large to come inline.
    pub(super) fn value(self, tag: PropTag) -> Result<Option<Value<'r>>> {
        Ok(self
            .value_of_any_size(tag)?
            .filter(|value| fits_inline(*value)))
    }

    /// The value of a property that was made readable, unless it lies apart.
    pub(super) fn value_of_any_size(self, tag: PropTag) -> Result<Option<Value<'r>>> {
        let source = self.columns.sources.iter().find(|(known, _)| *known == tag);
        source.map_or(Ok(None), |(_, source)| self.read(tag, *source))
    }

    fn read(self, tag: PropTag, source: Source) -> Result<Option<Value<'r>>> {
        Ok(match source {
            Source::Nowhere => None,
            Source::Number => Some(Value::I32(self.number()? as i32)),
            Source::Typed(at, kind) => typed(self.row.get_ref(at)?, kind)?,
            Source::Octets(at) => octets(self.row.get_ref(at)?)?
                .filter(|octets| !octets.is_empty())
                .map(Value::Bin),
            Source::Blob(at) => match octets(self.row.get_ref(at)?)? {
                None => return Err(Fail::corrupt("an item has no content")),
                Some(blob) => match BagReader::new(blob)?.find(tag)? {
                    Some(Stored::Value(value)) => Some(value),
                    Some(Stored::External { .. }) | None => None,
                },
            },
        })
    }

    /// Whether the item meets a condition.
    pub(super) fn meets(self, filter: &Restriction) -> Result<bool> {
        let failed = RefCell::new(None);
        let meets = filter.matches(&|tag| {
            self.value(tag).unwrap_or_else(|fail| {
                failed.replace(Some(fail));
                None
            })
        });
        failed.into_inner().map_or(Ok(meets), Err)
    }

    /// Appends the item's row.
    pub(super) fn push(self, builder: &mut RowSetBuilder, tags: &[PropTag]) -> Result<()> {
        for tag in tags {
            builder.push(self.value(*tag)?);
        }
        Ok(())
    }
}

fn typed<'r>(value: ValueRef<'r>, kind: PropType) -> Result<Option<Value<'r>>> {
    Ok(Some(match (value, kind) {
        (ValueRef::Null, _) => return Ok(None),
        (ValueRef::Integer(v), PropType::I32) => Value::I32(v as i32),
        (ValueRef::Integer(v), PropType::I64) => Value::I64(v),
        (ValueRef::Integer(v), PropType::Time) => Value::Time(FileTime(v as u64)),
        (ValueRef::Text(v), PropType::Str) => Value::Str(
            std::str::from_utf8(v).map_err(|_| Fail::corrupt("a text column is not UTF-8"))?,
        ),
        (ValueRef::Blob(v), PropType::Bin) => Value::Bin(v),
        (ValueRef::Blob(v), PropType::Strs) => Value::Strs(Multi::from_packed(v)),
        _ => {
            return Err(Fail::corrupt(
                "a column is of another type than it should be",
            ));
        }
    }))
}

fn octets(value: ValueRef<'_>) -> Result<Option<&[u8]>> {
    match value {
        ValueRef::Null => Ok(None),
        ValueRef::Blob(octets) => Ok(Some(octets)),
        _ => Err(Fail::corrupt(
            "a column is of another type than it should be",
        )),
    }
}

fn fits_inline(value: Value<'_>) -> bool {
    let len = match value {
        Value::Str(text) => text.len(),
        Value::Bin(octets) => octets.len(),
        Value::Strs(items) | Value::Bins(items) => items.packed().len(),
        _ => 0,
    };
    len <= INLINE_BYTES_MAX
}
