//! `dragoman mapi list`: a contents table, the newest items first.

use std::{fmt, str::FromStr};

use account::{FolderId, ItemNumber};
use mapi_store::{Items, Query, Table};
use mapi_types::{
    OwnedValue, PropTag, Relation, Restriction, RowSet, TextMatch, tags,
    tags::{flag_status, message_flags},
};
use serde::{Deserialize, Serialize};

use super::{
    moment::Moment,
    output::{Output, aligned},
    rows,
    session::Session,
};
use crate::{
    cli::mapi::List,
    failure::{Doing, Result},
};

/// Items asked for at a time: as many as are fetched from a server in one request.
pub(super) const PAGE: usize = 50;

/// A condition of the command line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Filter {
    Unread,
    Flagged,
    Attachment,
    Subject(String),
    From(String),
    Class(String),
}

/// Why a text is no condition.
#[derive(Debug)]
pub(crate) struct NoFilter;

impl fmt::Display for NoFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected unread, flagged, attachment, subject=TEXT, from=TEXT or class=PREFIX")
    }
}

impl std::error::Error for NoFilter {}

impl FromStr for Filter {
    type Err = NoFilter;

    fn from_str(text: &str) -> Result<Self, NoFilter> {
        Ok(match text.split_once('=') {
            None => match text {
                "unread" => Self::Unread,
                "flagged" => Self::Flagged,
                "attachment" => Self::Attachment,
                _ => return Err(NoFilter),
            },
            Some((what, text)) => match what {
                "subject" => Self::Subject(text.to_owned()),
                "from" => Self::From(text.to_owned()),
                "class" => Self::Class(text.to_owned()),
                _ => return Err(NoFilter),
            },
        })
    }
}

impl Filter {
    /// What the store can say before anything is fetched. Who sent a message is not among it.
    fn restriction(&self) -> Option<Restriction> {
        let text = |how, tag: PropTag, text: &str| Restriction::Text(how, tag, text.into());
        Some(match self {
            Self::Unread => {
                let read = Restriction::AnyBit(tags::MESSAGE_FLAGS.tag(), message_flags::READ);
                Restriction::Not(Box::new(read))
            }
            Self::Flagged => {
                let flagged = OwnedValue::I32(flag_status::FLAGGED);
                Restriction::Property(Relation::Equal, tags::FLAG_STATUS.tag(), flagged)
            }
            Self::Attachment => {
                let tag = tags::HAS_ATTACHMENTS.tag();
                let attached = OwnedValue::Bool(true);
                Restriction::Or(vec![
                    Restriction::Property(Relation::Equal, tag, attached),
                    Restriction::AnyBit(tags::MESSAGE_FLAGS.tag(), message_flags::HAS_ATTACH),
                ])
            }
            Self::Subject(wanted) => text(TextMatch::Substring, tags::SUBJECT.tag(), wanted),
            Self::Class(wanted) => text(TextMatch::Prefix, tags::MESSAGE_CLASS.tag(), wanted),
            Self::From(_) => return None,
        })
    }
}

/// Prints the items of a table.
pub(super) async fn list(session: &Session, what: &List, out: &Output) -> Result<()> {
    let folder = session.folder(&what.folder).await?.id;
    let table = match (what.associated, what.deleted) {
        (true, _) => Table::Associated(folder),
        (_, true) => Table::SoftDeleted(folder),
        _ => Table::Contents(folder),
    };
    let columns = match what.fast {
        true => rows::light_columns(),
        false => &rows::COLUMNS,
    };
    let conditions = what.conditions.iter().filter_map(Filter::restriction);
    let conditions: Vec<_> = conditions.chain(what.since.map(since)).collect();
    let filter = (!conditions.is_empty()).then_some(Restriction::And(conditions));
    let senders: Vec<_> = what.conditions.iter().filter_map(sender).collect();
    let mut numbers = numbers(session, table, filter.as_ref()).await?;
    let mut left = match what.limit {
        0 => usize::MAX,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    while left > 0 && !numbers.is_empty() {
        let page = numbers.split_off(numbers.len().saturating_sub(PAGE));
        let rows = page_of(session, table, columns, &page).await?;
        // The table's order is that of the numbers.
        let mut found: Vec<_> = rows.rows().collect();
        found.reverse();
        found.retain(|row| senders.iter().all(|text| rows::is_from(*row, text)));
        found.truncate(left);
        left -= found.len();
        match out.is_json {
            true => {
                for row in found {
                    out.line(rows::as_json(row).to_string()).await?;
                }
            }
            false => {
                let cells: Vec<_> = found.into_iter().map(rows::as_cells).collect();
                for line in aligned(&cells) {
                    out.line(line).await?;
                }
            }
        }
    }
    Ok(())
}

/// The numbers of a table's items, ascending.
pub(super) async fn numbers(
    session: &Session,
    table: Table,
    filter: Option<&Restriction>,
) -> Result<Vec<ItemNumber>> {
    let query = Query {
        table,
        columns: &[tags::INTERNET_ARTICLE_NUMBER.tag()],
        items: Items::Range(1..=u32::MAX),
        filter,
        sort: &[],
        limit: u32::MAX,
    };
    let rows = session.store.query(&query).await;
    let rows = rows.doing(|| "reading the table".to_owned())?;
    Ok(rows.rows().filter_map(rows::number).collect())
}

/// Rows of these items.
pub(super) async fn page_of(
    session: &Session,
    table: Table,
    columns: &[PropTag],
    numbers: &[ItemNumber],
) -> Result<RowSet> {
    let query = Query {
        table,
        columns,
        items: Items::Numbers(numbers),
        filter: None,
        sort: &[],
        limit: u32::MAX,
    };
    let rows = session.store.query(&query).await;
    rows.doing(|| "reading the table".to_owned())
}

/// Items that came at a time or later; those that did not come were made then.
fn since(moment: Moment) -> Restriction {
    let later = |tag: PropTag| {
        let time = OwnedValue::Time(moment.time());
        Restriction::Property(Relation::GreaterOrEqual, tag, time)
    };
    let (came, made) = (tags::MESSAGE_DELIVERY_TIME.tag(), tags::CREATION_TIME.tag());
    let did_not_come = Restriction::Not(Box::new(Restriction::Exist(came)));
    Restriction::Or(vec![
        later(came),
        Restriction::And(vec![did_not_come, later(made)]),
    ])
}

fn sender(filter: &Filter) -> Option<&str> {
    match filter {
        Filter::From(text) => Some(text),
        _ => None,
    }
}

/// The table of a folder's items for people.
pub(super) const fn contents(folder: FolderId) -> Table {
    Table::Contents(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let check = |text: &str, expected: Filter| {
            assert_eq!(text.parse::<Filter>().unwrap(), expected);
        };
        check("unread", Filter::Unread);
        check("subject=a=b", Filter::Subject("a=b".to_owned()));
        check("from=", Filter::From(String::new()));
        for text in ["", "read", "size=3", "Subject=x"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
    }
}
