//! Which messages the keys of a SEARCH match.
//!
//! Keys that the index answers are tried first on every message; what they leave goes through the keys about sizes,
//! which the index knows of most, what those leave through the keys that read dates from envelopes, and the rest
//! through the keys that read texts.

use std::{future::Future, pin::Pin, sync::Arc};

use account::{Facts, Flags, ItemFacts, ItemNumber, ItemState, TextQuery};
use imap_wire::{Date, Keyword, command::search::SearchKey, keyword};

use crate::{
    command::sequence_set,
    flags,
    reply::Failure,
    state::{Authenticated, Selected},
    view::Selection,
    work::Work,
};

const SECONDS_PER_DAY: i64 = 86_400;
/// Messages whose facts are read together.
const PAGE_ITEMS: usize = 256;

/// Looks for messages in a mailbox.
pub(super) struct Finder<'a> {
    pub(super) user: &'a Authenticated,
    pub(super) mailbox: &'a Selected,
    /// Seconds since 1970-01-01 UTC.
    pub(super) now: i64,
    /// Thousands of keys on a hundred thousand messages are a lot of work.
    pub(super) work: Work,
}

/// Judges a message by its position and state.
type OnItem = Box<dyn Fn(usize, &ItemState) -> bool + Send + Sync>;
/// Judges a message by its octets.
type OnSize = Box<dyn Fn(u64) -> bool + Send + Sync>;
/// Judges a message by its day.
type OnDay = Box<dyn Fn(i64) -> bool + Send + Sync>;

/// A key, prepared for many messages.
enum Test {
    /// The index knows.
    Index(OnItem),
    /// The size knows, which the index has for most messages.
    Size(OnSize),
    /// The Date field knows, as days since 1970-01-01 in the sender's zone.
    Sent(OnDay),
    /// The text knows.
    Text(TextQuery),
    All(Vec<Self>),
    Either(Box<(Self, Self)>),
    Not(Box<Self>),
}

/// Positions in the view, ascending.
type Positions = Vec<usize>;

impl Finder<'_> {
    /// The positions of messages that match all keys.
    pub(super) async fn find(&self, keys: &[SearchKey]) -> Result<Positions, Failure> {
        let test = self.all(keys)?;
        let all = (0..self.mailbox.view.index().len()).collect();
        self.run(&test, all).await
    }

    /// Those of the candidates that pass.
    fn run<'f>(
        &'f self,
        test: &'f Test,
        candidates: Positions,
    ) -> Pin<Box<dyn Future<Output = Result<Positions, Failure>> + Send + 'f>> {
        Box::pin(async move {
            if candidates.is_empty() {
                return Ok(candidates);
            }
            self.work.done(candidates.len()).await;
            let index = self.mailbox.view.index();
            match test {
                Test::Index(passes) => Ok(candidates
                    .into_iter()
                    .filter(|&at| index.get(at).is_some_and(|item| passes(at, item)))
                    .collect()),
                Test::Size(passes) => self.sized(&**passes, candidates).await,
                Test::Sent(passes) => self.sent(&**passes, candidates).await,
                Test::Text(query) => self.text(query, candidates).await,
                Test::All(tests) => {
                    let mut left = candidates;
                    for test in tests {
                        left = self.run(test, left).await?;
                    }
                    Ok(left)
                }
                Test::Either(pair) => {
                    let first = self.run(&pair.0, candidates.clone()).await?;
                    let second = self.run(&pair.1, without(candidates, &first)).await?;
                    let mut both = [first, second].concat();
                    both.sort_unstable();
                    Ok(both)
                }
                Test::Not(test) => {
                    let passing = self.run(test, candidates.clone()).await?;
                    Ok(without(candidates, &passing))
                }
            }
        })
    }

    /// Sizes that the index does not know are read with the facts.
    async fn sized(
        &self,
        passes: &(dyn Fn(u64) -> bool + Send + Sync),
        candidates: Positions,
    ) -> Result<Positions, Failure> {
        let index = self.mailbox.view.index();
        let (mut passing, mut unknown) = (Vec::new(), Vec::new());
        for position in candidates {
            match index.get(position).map(|item| item.size.known()) {
                Some(Some(octets)) if passes(octets) => passing.push(position),
                Some(None) => unknown.push(position),
                _ => {}
            }
        }
        for page in unknown.chunks(PAGE_ITEMS) {
            let facts = self.facts(page, Facts::NONE).await?;
            let known = page
                .iter()
                .zip(facts)
                .filter_map(|(at, facts)| Some((*at, facts?)));
            passing.extend(
                known
                    .filter(|(_, facts)| passes(facts.size()))
                    .map(|(at, _)| at),
            );
        }
        passing.sort_unstable();
        Ok(passing)
    }

    async fn facts(
        &self,
        page: &[usize],
        want: Facts,
    ) -> Result<Vec<Option<Arc<ItemFacts>>>, Failure> {
        let numbers = self.numbers(page);
        let account = &self.user.account;
        Ok(account.facts(self.mailbox.folder, &numbers, want).await?)
    }

    /// A message without a Date field that can be understood passes no test of it.
    async fn sent(
        &self,
        passes: &(dyn Fn(i64) -> bool + Send + Sync),
        candidates: Positions,
    ) -> Result<Positions, Failure> {
        let mut passing = Vec::new();
        for page in candidates.chunks(PAGE_ITEMS) {
            let facts = self.facts(page, Facts::ENVELOPE).await?;
            for (position, facts) in page.iter().zip(facts) {
                let sent = facts.and_then(|facts| facts.envelope().and_then(|view| view.sent()));
                // RFC 3501 6.4.4: time and zone do not count, so the day is the sender's.
                let day = sent.map(|(unix, zone)| {
                    unix.saturating_add(i64::from(zone) * 60)
                        .div_euclid(SECONDS_PER_DAY)
                });
                if day.is_some_and(passes) {
                    passing.push(*position);
                }
            }
        }
        Ok(passing)
    }

    async fn text(&self, query: &TextQuery, candidates: Positions) -> Result<Positions, Failure> {
        let numbers = self.numbers(&candidates);
        let found = self
            .user
            .account
            .search(self.mailbox.folder, &numbers, query)
            .await?;
        let index = self.mailbox.view.index();
        let mut positions: Positions = found
            .into_iter()
            .filter_map(|number| index.position(number))
            .collect();
        positions.sort_unstable();
        Ok(positions)
    }

    fn numbers(&self, positions: &[usize]) -> Vec<ItemNumber> {
        let index = self.mailbox.view.index();
        positions
            .iter()
            .filter_map(|&at| index.get(at).map(|item| item.number))
            .collect()
    }

    fn all(&self, keys: &[SearchKey]) -> Result<Test, Failure> {
        let mut tests = keys
            .iter()
            .map(|key| self.test(key))
            .collect::<Result<Vec<_>, _>>()?;
        tests.sort_by_key(Test::cost);
        Ok(Test::All(tests))
    }

    fn test(&self, key: &SearchKey) -> Result<Test, Failure> {
        Ok(match key {
            SearchKey::All => index(|_, _| true),
            SearchKey::And(keys) => self.all(keys)?,
            SearchKey::Or(pair) => {
                let (first, second) = (self.test(&pair.0)?, self.test(&pair.1)?);
                let swap = second.cost() < first.cost();
                Test::Either(Box::new(if swap {
                    (second, first)
                } else {
                    (first, second)
                }))
            }
            SearchKey::Not(key) => Test::Not(Box::new(self.test(key)?)),
            SearchKey::Sequence(set) => {
                in_selection(self.mailbox.view.select(sequence_set(set)?, false)?)
            }
            SearchKey::Uid(set) => {
                in_selection(self.mailbox.view.select(sequence_set(set)?, true)?)
            }
            SearchKey::Answered(on) => flag(Flags::ANSWERED, *on),
            SearchKey::Deleted(on) => flag(Flags::DELETED, *on),
            SearchKey::Draft(on) => flag(Flags::DRAFT, *on),
            SearchKey::Flagged(on) => flag(Flags::FLAGGED, *on),
            SearchKey::Seen(on) => flag(Flags::SEEN, *on),
            SearchKey::Recent(on) => self.recent(*on),
            SearchKey::New => Test::All(vec![self.recent(true), flag(Flags::SEEN, false)]),
            SearchKey::Keyword(name) => self.keyword(name, true),
            SearchKey::Unkeyword(name) => self.keyword(name, false),
            other => match date_or_number(other, self.now) {
                Some(test) => test,
                None => text(other)?,
            },
        })
    }

    fn recent(&self, on: bool) -> Test {
        let recent: Vec<bool> = {
            let view = &self.mailbox.view;
            view.index()
                .iter()
                .map(|item| view.is_recent(item.number))
                .collect()
        };
        index(move |at, _| recent.get(at).copied().unwrap_or(false) == on)
    }

    fn keyword(&self, name: &Keyword, on: bool) -> Test {
        if let Some(bit) = flags::keyword_flag(name.as_str()) {
            return flag(bit, on);
        }
        let table = Arc::clone(self.mailbox.view.index().keywords());
        match table.find(&keyword::category(name.as_str())) {
            Some(id) => index(move |_, item| table.contains(item.keywords, id) == on),
            None => index(move |_, _| !on),
        }
    }
}

impl Test {
    /// Cheaper tests go first.
    fn cost(&self) -> u8 {
        match self {
            Self::Index(_) => 0,
            Self::Size(_) => 1,
            Self::Sent(_) => 2,
            Self::Text(TextQuery::Header { .. }) => 3,
            Self::Text(TextQuery::Body(_) | TextQuery::Text(_)) => 4,
            Self::All(tests) => tests.iter().map(Self::cost).max().unwrap_or(0),
            Self::Either(pair) => pair.0.cost().max(pair.1.cost()),
            Self::Not(test) => test.cost(),
        }
    }
}

fn index(passes: impl Fn(usize, &ItemState) -> bool + Send + Sync + 'static) -> Test {
    Test::Index(Box::new(passes))
}

fn flag(flag: Flags, on: bool) -> Test {
    index(move |_, item| item.flags.contains(flag) == on)
}

fn in_selection(selection: Selection) -> Test {
    index(move |at, _| selection.contains(at))
}

/// Keys about dates, sizes and versions.
fn date_or_number(key: &SearchKey, now: i64) -> Option<Test> {
    // RFC 3501 6.4.4: the internal date's time and zone do not count; it is kept in UTC.
    let received = |passes: fn(i64, i64) -> bool, date: &Date| {
        let day = date.days_since_epoch();
        index(move |_, item| passes(item.received.div_euclid(SECONDS_PER_DAY), day))
    };
    let sent = |passes: fn(i64, i64) -> bool, date: &Date| {
        let day = date.days_since_epoch();
        Test::Sent(Box::new(move |other| passes(other, day)))
    };
    Some(match key {
        SearchKey::Before(date) => received(|a, b| a < b, date),
        SearchKey::On(date) => received(|a, b| a == b, date),
        SearchKey::Since(date) => received(|a, b| a >= b, date),
        SearchKey::SentBefore(date) => sent(|a, b| a < b, date),
        SearchKey::SentOn(date) => sent(|a, b| a == b, date),
        SearchKey::SentSince(date) => sent(|a, b| a >= b, date),
        SearchKey::Larger(size) => {
            let size = *size;
            Test::Size(Box::new(move |octets| octets > size))
        }
        SearchKey::Smaller(size) => {
            let size = *size;
            Test::Size(Box::new(move |octets| octets < size))
        }
        SearchKey::Older(seconds) => {
            let limit = now - i64::from(seconds.get());
            index(move |_, item| item.received <= limit)
        }
        SearchKey::Younger(seconds) => {
            let limit = now - i64::from(seconds.get());
            index(move |_, item| item.received >= limit)
        }
        SearchKey::ModSeq(least) => {
            let least = *least;
            index(move |_, item| item.version.0 >= least)
        }
        _ => return None,
    })
}

/// Keys about texts.
fn text(key: &SearchKey) -> Result<Test, Failure> {
    let header = |name: &str, octets: &[u8]| {
        Ok(Test::Text(TextQuery::Header {
            name: name.into(),
            text: utf8(octets)?,
        }))
    };
    match key {
        SearchKey::Bcc(octets) => header("Bcc", octets),
        SearchKey::Cc(octets) => header("Cc", octets),
        SearchKey::From(octets) => header("From", octets),
        SearchKey::Subject(octets) => header("Subject", octets),
        SearchKey::To(octets) => header("To", octets),
        SearchKey::Header(name, octets) => header(&utf8(name)?, octets),
        SearchKey::Body(octets) if octets.is_empty() => Ok(index(|_, _| true)),
        SearchKey::Text(octets) if octets.is_empty() => Ok(index(|_, _| true)),
        SearchKey::Body(octets) => Ok(Test::Text(TextQuery::Body(utf8(octets)?))),
        SearchKey::Text(octets) => Ok(Test::Text(TextQuery::Text(utf8(octets)?))),
        _ => Err(Failure::bad("search key not supported")),
    }
}

fn utf8(octets: &[u8]) -> Result<Box<str>, Failure> {
    match std::str::from_utf8(octets) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(Failure::bad("a search string is not UTF-8")),
    }
}

/// What is in `all` and not in `some`; both ascend.
fn without(all: Positions, some: &[usize]) -> Positions {
    let mut some = some.iter().peekable();
    let mut rest = all;
    rest.retain(|at| {
        while some.next_if(|other| *other < at).is_some() {}
        some.peek() != Some(&at)
    });
    rest
}
