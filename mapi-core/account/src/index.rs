//! A folder's index: number, flags, size and date of every item, in pages that snapshots share.
//!
//! A snapshot never changes. A change of one item among a hundred thousand copies one page of [`PAGE_ITEMS`] states
//! and shares the rest, so a session may keep a snapshot as its view for as long as it likes, at the cost of one
//! reference count.

use std::{ops::RangeInclusive, sync::Arc};

use mapi_types::{Epoch, ItemNumber, Version};

use crate::{Flags, KeywordSetId, KeywordTable, Size};

/// The most items in one page of an index.
pub(crate) const PAGE_ITEMS: usize = 4096;

/// A page with no more items than this is merged with its predecessor if both fit into half a page.
const PAGE_SPARSE: usize = PAGE_ITEMS / 2;

/// One item of a folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ItemState {
    /// Its number.
    pub number: ItemNumber,
    /// Octets of the message as a client fetches it, if they are known.
    pub size: Size,
    /// Its keywords, in the table of the index.
    pub keywords: KeywordSetId,
    /// Its flags.
    pub flags: Flags,
    /// What was last done with it, as Outlook records it.
    pub(crate) verb: Verb,
    /// When it was received: seconds since 1970-01-01 UTC.
    pub received: i64,
    /// Its version.
    pub version: Version,
}

/// PidTagLastVerbExecuted, as far as it matters to flags. Source: MS-OXOMSG 2.2.1.34.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) enum Verb {
    #[default]
    None,
    Reply,
    Forward,
}

/// Up to [`PAGE_ITEMS`] items, by ascending number; never empty within an index.
#[derive(Debug, Default)]
struct Page {
    items: Box<[ItemState]>,
    unseen: u32,
    deleted: u32,
    size: u64,
    size_unknown: u32,
}

/// A snapshot of a folder.
#[derive(Clone, Debug)]
pub struct FolderIndex {
    epoch: Epoch,
    next_number: ItemNumber,
    version: Version,
    keywords: Arc<KeywordTable>,
    pages: Vec<Arc<Page>>,
    /// The position of each page's first item.
    starts: Vec<u32>,
    counts: IndexCounts,
}

/// Totals of a snapshot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct IndexCounts {
    /// Items.
    pub items: u32,
    /// Items without [`Flags::SEEN`].
    pub unseen: u32,
    /// Items with [`Flags::DELETED`].
    pub deleted: u32,
    /// Octets of the items whose size is known: all of them, if [`Self::size_unknown`] is 0.
    pub size: u64,
    /// Items whose size is not known.
    pub size_unknown: u32,
}

/// What differs between two snapshots.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IndexDiff {
    /// Items that are only in the old one, ascending.
    pub removed: Vec<ItemNumber>,
    /// Items whose version differs, as they are in the new one, by number.
    pub changed: Vec<ItemState>,
    /// Items that are only in the new one, by number.
    pub added: Vec<ItemState>,
}

impl Page {
    fn new(items: Vec<ItemState>) -> Arc<Self> {
        let count = |test: fn(Flags) -> bool| items.iter().filter(|item| test(item.flags)).count();
        let unseen = count(|flags| !flags.contains(Flags::SEEN)) as u32;
        let deleted = count(|flags| flags.contains(Flags::DELETED)) as u32;
        let sizes = || items.iter().map(|item| item.size.known());
        let (size, size_unknown) = (sizes().flatten().sum(), count_none(sizes()));
        Arc::new(Self {
            items: items.into(),
            unseen,
            deleted,
            size,
            size_unknown,
        })
    }

    fn first(&self) -> u32 {
        self.items.first().map_or(0, |item| item.number.0)
    }

    fn last(&self) -> u32 {
        self.items.last().map_or(0, |item| item.number.0)
    }
}

impl FolderIndex {
    /// An index of these items, which are sorted by number.
    pub(crate) fn new(head: IndexHead, items: &[ItemState]) -> Self {
        let pages = items
            .chunks(PAGE_ITEMS)
            .map(|page| Page::new(page.to_vec()))
            .collect();
        Self::from_pages(head, pages)
    }

    fn from_pages(head: IndexHead, pages: Vec<Arc<Page>>) -> Self {
        let mut counts = IndexCounts::default();
        let mut starts = Vec::with_capacity(pages.len());
        for page in &pages {
            starts.push(counts.items);
            counts.items += page.items.len() as u32;
            counts.unseen += page.unseen;
            counts.deleted += page.deleted;
            counts.size += page.size;
            counts.size_unknown += page.size_unknown;
        }
        let IndexHead {
            epoch,
            next_number,
            version,
            keywords,
        } = head;
        let last = pages.last().map_or(0, |page| page.last());
        let next_number = ItemNumber(next_number.0.max(last.saturating_add(1)));
        Self {
            epoch,
            next_number,
            version,
            keywords,
            pages,
            starts,
            counts,
        }
    }

    /// What the numbers are valid for.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// A number above that of every item the folder has had up to this snapshot.
    pub fn next_number(&self) -> ItemNumber {
        self.next_number
    }

    /// The folder's version at this snapshot.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The keywords that the states refer to.
    pub fn keywords(&self) -> &Arc<KeywordTable> {
        &self.keywords
    }

    /// Totals.
    pub fn counts(&self) -> IndexCounts {
        self.counts
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.counts.items as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.counts.items == 0
    }

    /// The item at a position, counted from 0 by ascending number. Logarithmic in the number of pages.
    pub fn get(&self, position: usize) -> Option<&ItemState> {
        let page = self
            .starts
            .partition_point(|&start| start as usize <= position)
            .checked_sub(1)?;
        let start = *self.starts.get(page)? as usize;
        self.pages.get(page)?.items.get(position - start)
    }

    /// The position of an item.
    pub fn position(&self, number: ItemNumber) -> Option<usize> {
        self.search(number).ok()
    }

    /// The item with this number.
    pub fn item(&self, number: ItemNumber) -> Option<&ItemState> {
        self.get(self.search(number).ok()?)
    }

    /// The position of an item, or the one it would have. Logarithmic.
    pub fn search(&self, number: ItemNumber) -> Result<usize, usize> {
        let page = self.pages.partition_point(|page| page.last() < number.0);
        let Some((items, &start)) = self.pages.get(page).zip(self.starts.get(page)) else {
            return Err(self.len());
        };
        match items
            .items
            .binary_search_by_key(&number, |item| item.number)
        {
            Ok(at) => Ok(start as usize + at),
            Err(at) => Err(start as usize + at),
        }
    }

    /// Every item, by ascending number.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &ItemState> {
        self.pages.iter().flat_map(|page| page.items.iter())
    }

    /// The items from this position on.
    pub fn iter_from(&self, position: usize) -> impl Iterator<Item = &ItemState> {
        let page = self
            .starts
            .partition_point(|&start| start as usize <= position)
            .saturating_sub(1);
        let skip =
            position.saturating_sub(self.starts.get(page).map_or(0, |&start| start as usize));
        self.pages
            .iter()
            .skip(page)
            .flat_map(|page| page.items.iter())
            .skip(skip)
    }

    /// The items with a number in this range, by ascending number.
    pub fn range(&self, numbers: RangeInclusive<ItemNumber>) -> impl Iterator<Item = &ItemState> {
        let (Ok(from) | Err(from)) = self.search(*numbers.start());
        let end = *numbers.end();
        self.iter_from(from)
            .take_while(move |item| item.number <= end)
    }

    /// The position of the first item without [`Flags::SEEN`].
    pub fn first_unseen(&self) -> Option<usize> {
        let page = self.pages.iter().position(|page| page.unseen > 0)?;
        let at = self
            .pages
            .get(page)?
            .items
            .iter()
            .position(|item| !item.flags.contains(Flags::SEEN))?;
        Some(*self.starts.get(page)? as usize + at)
    }

    /// What has to be done to `old` to get this snapshot. Pages that both share cost nothing.
    ///
    /// Both are of one folder. When their epochs differ, everything is removed and added.
    pub fn diff(&self, old: &Self) -> IndexDiff {
        if self.epoch != old.epoch {
            return IndexDiff {
                removed: old.iter().map(|item| item.number).collect(),
                changed: Vec::new(),
                added: self.iter().copied().collect(),
            };
        }
        let mut diff = IndexDiff::default();
        let (mut before, mut after) = (Cursor::new(&old.pages), Cursor::new(&self.pages));
        loop {
            if before.skip_shared(&mut after) {
                continue;
            }
            match (before.item(), after.item()) {
                (None, None) => return diff,
                (Some(gone), None) => {
                    diff.removed.push(gone.number);
                    before.advance();
                }
                (None, Some(new)) => {
                    diff.added.push(*new);
                    after.advance();
                }
                (Some(gone), Some(new)) if gone.number < new.number => {
                    diff.removed.push(gone.number);
                    before.advance();
                }
                (Some(was), Some(new)) if new.number < was.number => {
                    diff.added.push(*new);
                    after.advance();
                }
                (Some(was), Some(new)) => {
                    if was.version != new.version {
                        diff.changed.push(*new);
                    }
                    before.advance();
                    after.advance();
                }
            }
        }
    }

    /// The next snapshot: `changed` (new and changed items) and `removed`, both sorted by number, merged in.
    pub(crate) fn merge(
        &self,
        head: IndexHead,
        changed: &[ItemState],
        removed: &[ItemNumber],
    ) -> Self {
        let mut pages: Vec<Arc<Page>> = Vec::with_capacity(self.pages.len() + 1);
        let (mut changed, mut removed) = (changed, removed);
        for (at, page) in self.pages.iter().enumerate() {
            // What comes after the last page belongs to the last page.
            let last = if at + 1 == self.pages.len() {
                u32::MAX
            } else {
                page.last()
            };
            let (here, later) = split_at_number(changed, last, |item| item.number);
            let (gone, gone_later) = split_at_number(removed, last, |&number| number);
            (changed, removed) = (later, gone_later);
            let outside = gone
                .iter()
                .all(|number| number.0 < page.first() || number.0 > page.last());
            if here.is_empty() && outside {
                pages.push(Arc::clone(page));
            } else {
                push_page(&mut pages, merge_items(&page.items, here, gone));
            }
        }
        if self.pages.is_empty() {
            push_page(&mut pages, merge_items(&[], changed, removed));
        }
        Self::from_pages(head, pages)
    }

    /// This snapshot with sizes that were not known. `items` are items of it, by number, and differ in nothing else:
    /// there is no difference between the two that [`Self::diff`] would tell.
    pub(crate) fn with_sizes(&self, items: &[ItemState]) -> Self {
        let head = IndexHead {
            epoch: self.epoch,
            next_number: self.next_number,
            version: self.version,
            keywords: Arc::clone(&self.keywords),
        };
        self.merge(head, items, &[])
    }

    /// This snapshot with a next number of at least `next`, which a write of ours told.
    pub(crate) fn with_next_number(self: Arc<Self>, next: ItemNumber) -> Arc<Self> {
        if self.next_number >= next {
            return self;
        }
        let mut index = Arc::unwrap_or_clone(self);
        index.next_number = next;
        Arc::new(index)
    }

    /// About how many octets the snapshot takes.
    pub(crate) fn weight(&self) -> usize {
        self.len() * size_of::<ItemState>() + self.pages.len() * 128 + self.keywords.weight() + 256
    }
}

fn count_none<T>(values: impl Iterator<Item = Option<T>>) -> u32 {
    values.filter(Option::is_none).count() as u32
}

/// What an index says beside its items.
#[derive(Clone, Debug)]
pub(crate) struct IndexHead {
    pub(crate) epoch: Epoch,
    pub(crate) next_number: ItemNumber,
    pub(crate) version: Version,
    pub(crate) keywords: Arc<KeywordTable>,
}

/// Splits a list sorted by number after the last element with a number up to `last`.
fn split_at_number<T>(list: &[T], last: u32, number: impl Fn(&T) -> ItemNumber) -> (&[T], &[T]) {
    list.split_at(list.partition_point(|element| number(element).0 <= last))
}

/// Appends items as pages, filling up a sparse predecessor.
fn push_page(pages: &mut Vec<Arc<Page>>, mut items: Vec<ItemState>) {
    if items.is_empty() {
        return;
    }
    if let Some(before) = pages.pop_if(|before| before.items.len() + items.len() <= PAGE_SPARSE) {
        items.splice(0..0, before.items.iter().copied());
    }
    pages.extend(
        items
            .chunks(PAGE_ITEMS)
            .map(|page| Page::new(page.to_vec())),
    );
}

/// Merges three lists sorted by number: a changed item replaces one of the same number, a removed one goes unless
/// it is also among the changed.
fn merge_items(old: &[ItemState], changed: &[ItemState], removed: &[ItemNumber]) -> Vec<ItemState> {
    let mut merged = Vec::with_capacity(old.len() + changed.len());
    let (mut changed, mut removed) = (changed.iter().peekable(), removed.iter().peekable());
    for item in old {
        while let Some(new) = changed.next_if(|new| new.number < item.number) {
            merged.push(*new);
        }
        while removed.next_if(|&&gone| gone < item.number).is_some() {}
        if let Some(new) = changed.next_if(|new| new.number == item.number) {
            merged.push(*new);
        } else if removed.peek() != Some(&&item.number) {
            merged.push(*item);
        }
    }
    merged.extend(changed);
    merged
}

/// A place in a list of pages.
struct Cursor<'a> {
    pages: &'a [Arc<Page>],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(pages: &'a [Arc<Page>]) -> Self {
        Self { pages, at: 0 }
    }

    fn item(&self) -> Option<&'a ItemState> {
        self.pages.first()?.items.get(self.at)
    }

    fn advance(&mut self) {
        self.at += 1;
        if self
            .pages
            .first()
            .is_some_and(|page| self.at >= page.items.len())
        {
            self.next_page();
        }
    }

    fn next_page(&mut self) {
        self.pages = self.pages.split_first().map_or(&[], |(_, rest)| rest);
        self.at = 0;
    }

    /// Passes over a page that both lists share, when both stand at its start.
    fn skip_shared(&mut self, other: &mut Self) -> bool {
        let shared = self.at == 0
            && other.at == 0
            && self
                .pages
                .first()
                .zip(other.pages.first())
                .is_some_and(|(a, b)| Arc::ptr_eq(a, b));
        if shared {
            self.next_page();
            other.next_page();
        }
        shared
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
