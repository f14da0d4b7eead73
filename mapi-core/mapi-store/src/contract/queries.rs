//! Rows of tables: which items, which columns, in which order.

use std::sync::Arc;

use mapi_types::{
    FileTime, ItemNumber, OwnedValue, PropTag, Relation, Restriction, SortOrder, TextMatch, tags,
    tags::message_flags,
};

use super::mailbox::{Mailbox, draft, numbers, with};
use crate::{Backend, Deletion, Items, Query, Table};

const COLUMNS: [PropTag; 2] = [tags::INTERNET_ARTICLE_NUMBER.tag(), tags::SUBJECT.tag()];

/// A range of numbers is inclusive, whatever of it exists.
pub async fn a_range_selects_the_numbers_in_it(backend: Arc<dyn Backend>) {
    let (alice, all) = five(backend).await;
    let ranges = [
        (1..=u32::MAX, 0..5),
        (0..=u32::MAX, 0..5),
        (all[1].0..=all[3].0, 1..4),
        (all[2].0..=all[2].0, 2..3),
        (all[3].0..=u32::MAX, 3..5),
        (all[4].0 + 1..=u32::MAX, 5..5),
        (all[3].0..=all[1].0, 3..3),
    ];
    for (range, expected) in ranges {
        let found = select(&alice, Items::Range(range.clone()), None, &[], 100).await;
        assert_eq!(found, all[expected], "{range:?}");
    }
}

/// Numbers are answered in their order; what is gone is left out.
pub async fn numbers_select_those_that_are_there(backend: Arc<dyn Backend>) {
    let (alice, all) = five(backend).await;
    alice
        .store
        .delete(alice.inbox, &[all[1]], Deletion::Hard)
        .await
        .unwrap();
    let wanted = [all[0], all[1], all[3], ItemNumber(4_000_000_000)];
    let found = select(&alice, Items::Numbers(&wanted), None, &[], 100).await;
    assert_eq!(found, [all[0], all[3]]);
    assert!(
        select(&alice, Items::Numbers(&[]), None, &[], 100)
            .await
            .is_empty()
    );
    let many: Vec<_> = (0..70_000).map(ItemNumber).collect();
    assert_eq!(
        select(&alice, Items::Numbers(&many), None, &[], 100)
            .await
            .len(),
        4
    );
}

/// No more rows than asked for, the first ones of the order.
pub async fn a_limit_cuts_after_the_order(backend: Arc<dyn Backend>) {
    let (alice, all) = five(backend).await;
    let everything = || Items::Range(1..=u32::MAX);
    assert_eq!(select(&alice, everything(), None, &[], 2).await, all[..2]);
    assert!(select(&alice, everything(), None, &[], 0).await.is_empty());
    let newest = [by(tags::INTERNET_ARTICLE_NUMBER.tag(), true)];
    assert_eq!(
        select(&alice, everything(), None, &newest, 2).await,
        [all[4], all[3]]
    );
    let filter = Restriction::AnyBit(tags::MESSAGE_FLAGS.tag(), message_flags::READ);
    let found = select(&alice, everything(), Some(&filter), &[], 1).await;
    assert_eq!(found, [all[1]], "filtered rows do not count");
}

/// Restrictions of every kind select rows.
pub async fn filters_select_rows(backend: Arc<dyn Backend>) {
    let (alice, all) = five(backend).await;
    let version = tags::ITEM_VERSION.tag();
    let number = OwnedValue::I32(all[2].0 as i32);
    let importance = |relation, value| {
        Restriction::Property(relation, tags::IMPORTANCE.tag(), OwnedValue::I32(value))
    };
    let subject = |how, text: &str| Restriction::Text(how, tags::SUBJECT.tag(), text.into());
    let keyword =
        |text: &str| Restriction::Text(TextMatch::Full, tags::KEYWORDS.tag(), text.into());
    let read = Restriction::AnyBit(tags::MESSAGE_FLAGS.tag(), message_flags::READ);
    let cases: Vec<(Restriction, Vec<usize>)> = vec![
        (Restriction::And(vec![]), vec![0, 1, 2, 3, 4]),
        (Restriction::Or(vec![]), vec![]),
        (read.clone(), vec![1, 3]),
        (Restriction::Not(Box::new(read.clone())), vec![0, 2, 4]),
        (Restriction::Exist(tags::IMPORTANCE.tag()), vec![0, 1, 2]),
        (Restriction::Exist(version), vec![0, 1, 2, 3, 4]),
        (importance(Relation::Equal, 1), vec![1]),
        (importance(Relation::NotEqual, 1), vec![0, 2]),
        (importance(Relation::Less, 2), vec![0, 1]),
        (importance(Relation::LessOrEqual, 1), vec![0, 1]),
        (importance(Relation::Greater, 0), vec![1, 2]),
        (importance(Relation::GreaterOrEqual, 2), vec![2]),
        (subject(TextMatch::Substring, "GRÜSSE"), vec![]),
        (subject(TextMatch::Substring, "GRÜßE"), vec![2]),
        (subject(TextMatch::Prefix, "ALPHA"), vec![0, 3]),
        (subject(TextMatch::Full, "alpha"), vec![0]),
        (keyword("work"), vec![4]),
        (keyword("wor"), vec![]),
        (
            Restriction::And(vec![read, subject(TextMatch::Prefix, "alpha")]),
            vec![3],
        ),
        (
            Restriction::Property(Relation::Equal, tags::INTERNET_ARTICLE_NUMBER.tag(), number),
            vec![2],
        ),
    ];
    for (filter, expected) in cases {
        let items = Items::Range(1..=u32::MAX);
        let found = select(&alice, items, Some(&filter), &[], 100).await;
        let expected: Vec<_> = expected.into_iter().map(|i| all[i]).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// Sorting goes by the columns in turn, without case, missing values first, then by number.
pub async fn rows_are_sorted(backend: Arc<dyn Backend>) {
    let (alice, all) = five(backend).await;
    let (subject, importance) = (tags::SUBJECT.tag(), tags::IMPORTANCE.tag());
    let time = tags::MESSAGE_DELIVERY_TIME.tag();
    let cases: [(&[SortOrder], [usize; 5]); 6] = [
        (&[by(subject, false)], [0, 3, 4, 2, 1]),
        (&[by(subject, true)], [1, 2, 4, 3, 0]),
        (&[by(importance, false)], [3, 4, 0, 1, 2]),
        (&[by(importance, true)], [2, 1, 0, 3, 4]),
        (&[by(time, false), by(subject, true)], [1, 2, 4, 3, 0]),
        (&[by(time, true), by(importance, false)], [3, 4, 0, 1, 2]),
    ];
    for (sort, expected) in cases {
        let found = select(&alice, Items::Range(1..=u32::MAX), None, sort, 100).await;
        assert_eq!(found, expected.map(|i| all[i]), "{sort:?}");
    }
}

/// Columns come in the order asked for; missing values are absent.
pub async fn rows_have_the_columns_asked_for(backend: Arc<dyn Backend>) {
    let (alice, all) = five(backend).await;
    let columns = [
        tags::IMPORTANCE.tag(),
        tags::BODY.tag(),
        tags::SUBJECT.tag(),
    ];
    let query = Query {
        table: Table::Contents(alice.inbox),
        columns: &columns,
        items: Items::Numbers(&all[2..4]),
        filter: None,
        sort: &[],
        limit: 10,
    };
    let rows = alice.store.query(&query).await.unwrap();
    assert_eq!(**rows.columns(), columns);
    assert_eq!(rows.len(), 2);
    let (first, second) = (rows.row(0).unwrap(), rows.row(1).unwrap());
    assert_eq!(first.get(&tags::IMPORTANCE), Some(2));
    assert_eq!((first.at(1), second.at(0)), (None, None));
    assert_eq!(second.get(&tags::SUBJECT), Some("Alpha beta"));
}

/// Five messages: importance 0, 1, 2 and none; the second and the fourth are read; the fifth has keywords.
async fn five(backend: Arc<dyn Backend>) -> (Mailbox, Vec<ItemNumber>) {
    let alice = Mailbox::new(backend).await;
    let time = (
        tags::MESSAGE_DELIVERY_TIME.tag(),
        OwnedValue::Time(FileTime::from_unix(1_000)),
    );
    let importance = |value| (tags::IMPORTANCE.tag(), OwnedValue::I32(value));
    let flags = |flags| (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(flags));
    let keywords = (tags::KEYWORDS.tag(), OwnedValue::strs(["Home", "Work"]));
    let drafts = [
        with(draft("alpha"), &[time.clone(), importance(0)]),
        with(
            draft("Zulu"),
            &[time.clone(), importance(1), flags(message_flags::READ)],
        ),
        with(
            draft("Viele Grüße"),
            &[time.clone(), importance(2), flags(message_flags::UNSENT)],
        ),
        with(
            draft("Alpha beta"),
            &[time.clone(), flags(message_flags::READ)],
        ),
        with(draft("mike"), &[time, keywords]),
    ];
    let saved = alice.store.save(alice.inbox, &drafts).await.unwrap();
    let all = saved.into_iter().map(|saved| saved.number).collect();
    (alice, all)
}

async fn select(
    alice: &Mailbox,
    items: Items<'_>,
    filter: Option<&Restriction>,
    sort: &[SortOrder],
    limit: u32,
) -> Vec<ItemNumber> {
    let table = Table::Contents(alice.inbox);
    let query = Query {
        table,
        columns: &COLUMNS,
        items,
        filter,
        sort,
        limit,
    };
    numbers(&alice.store.query(&query).await.unwrap())
}

const fn by(tag: PropTag, descending: bool) -> SortOrder {
    SortOrder { tag, descending }
}
