//! Sets of counters, kept as ranges: a million ids in a row are one range. Source: MS-OXCFXICS 2.2.2.6.

use std::fmt;

use crate::ids::Globcnt;

/// A set of 48-bit counters of one replica (GLOBSET).
///
/// Looking up costs the logarithm of the number of ranges, inserting at the end nothing, elsewhere a move of the
/// ranges behind it.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Globset {
    /// Ascending, neither overlapping nor adjoining.
    ranges: Vec<Range>,
}

/// Counters in a row: never none, never beyond [`Globcnt::MAX`].
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Range {
    /// The lowest.
    pub(super) first: u64,
    /// The highest.
    pub(super) last: u64,
}

impl Range {
    /// From `first` to `last`, both included; `None` when that is nothing, or beyond 48 bits.
    pub fn new(first: u64, last: u64) -> Option<Self> {
        (first <= last && last <= Globcnt::MAX).then_some(Self { first, last })
    }

    /// The lowest counter.
    pub const fn first(self) -> u64 {
        self.first
    }

    /// The highest counter.
    pub const fn last(self) -> u64 {
        self.last
    }

    /// How many counters.
    pub const fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{:x}", self.first),
            false => write!(f, "{:x}-{:x}", self.first, self.last),
        }
    }
}

impl fmt::Debug for Globset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.ranges).finish()
    }
}

impl Globset {
    /// The empty set.
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many counters are in it.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|range| range.count()).sum()
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// The counters, ascending. There may be 2⁴⁸ of them.
    pub fn iter(&self) -> impl Iterator<Item = Globcnt> {
        let counters = self
            .ranges
            .iter()
            .flat_map(|range| range.first..=range.last);
        counters.map(Globcnt::from_u64)
    }

    /// The highest counter.
    pub fn last(&self) -> Option<Globcnt> {
        self.ranges
            .last()
            .map(|range| Globcnt::from_u64(range.last))
    }

    /// Whether a counter is in it.
    pub fn contains(&self, counter: Globcnt) -> bool {
        let counter = counter.to_u64();
        let after = self.ranges.partition_point(|range| range.last < counter);
        self.ranges
            .get(after)
            .is_some_and(|range| range.first <= counter)
    }

    /// Whether all of `other` is in it.
    pub fn includes(&self, other: &Self) -> bool {
        other.ranges.iter().all(|range| {
            let after = self.ranges.partition_point(|mine| mine.last < range.first);
            let mine = self.ranges.get(after);
            mine.is_some_and(|mine| mine.first <= range.first && range.last <= mine.last)
        })
    }

    /// Adds a counter; whether it was missing.
    pub fn insert(&mut self, counter: Globcnt) -> bool {
        if self.contains(counter) {
            return false;
        }
        let counter = counter.to_u64();
        self.insert_range(Range {
            first: counter,
            last: counter,
        });
        true
    }

    /// Adds a range.
    pub fn insert_range(&mut self, range: Range) {
        // All that overlap or adjoin become one.
        let start = self
            .ranges
            .partition_point(|mine| mine.last.saturating_add(1) < range.first);
        let end = self
            .ranges
            .partition_point(|mine| mine.first <= range.last.saturating_add(1));
        let touched = self.ranges.get(start..end).unwrap_or_default();
        let first = touched
            .first()
            .map_or(range.first, |mine| mine.first.min(range.first));
        let last = touched
            .last()
            .map_or(range.last, |mine| mine.last.max(range.last));
        self.ranges.splice(start..end, [Range { first, last }]);
    }

    /// Takes a counter out; whether it was there.
    pub fn remove(&mut self, counter: Globcnt) -> bool {
        let there = self.contains(counter);
        let counter = counter.to_u64();
        self.remove_range(Range {
            first: counter,
            last: counter,
        });
        there
    }

    /// Takes a range out.
    pub fn remove_range(&mut self, range: Range) {
        let start = self.ranges.partition_point(|mine| mine.last < range.first);
        let end = self.ranges.partition_point(|mine| mine.first <= range.last);
        let touched = self.ranges.get(start..end).unwrap_or_default();
        let left = touched
            .first()
            .copied()
            .filter(|mine| mine.first < range.first);
        let right = touched
            .last()
            .copied()
            .filter(|mine| mine.last > range.last);
        let left = left.map(|mine| Range {
            last: range.first - 1,
            ..mine
        });
        let right = right.map(|mine| Range {
            first: range.last + 1,
            ..mine
        });
        self.ranges
            .splice(start..end, left.into_iter().chain(right));
    }

    /// Adds all of `other`. One pass over both.
    pub fn union(&mut self, other: &Self) {
        match other.ranges.as_slice() {
            [] => {}
            [range] => self.insert_range(*range),
            ranges => {
                let mut all = std::mem::take(&mut self.ranges);
                all.extend_from_slice(ranges);
                *self = all.into_iter().collect();
            }
        }
    }

    /// Takes all of `other` out. One pass over both.
    pub fn subtract(&mut self, other: &Self) {
        let mut left = Vec::with_capacity(self.ranges.len());
        let mut gone = other.ranges.iter().peekable();
        for &(mut mine) in &self.ranges {
            loop {
                while gone.next_if(|range| range.last < mine.first).is_some() {}
                let Some(range) = gone.peek().filter(|range| range.first <= mine.last) else {
                    left.push(mine);
                    break;
                };
                if mine.first < range.first {
                    left.push(Range {
                        first: mine.first,
                        last: range.first - 1,
                    });
                }
                if mine.last <= range.last {
                    break;
                }
                mine.first = range.last + 1;
            }
        }
        self.ranges = left;
    }

    /// Keeps only what is in `other` as well.
    pub fn intersect(&mut self, other: &Self) {
        let mut without = self.clone();
        without.subtract(other);
        self.subtract(&without);
    }
}

impl FromIterator<Range> for Globset {
    /// In any order, overlapping or not.
    fn from_iter<I: IntoIterator<Item = Range>>(ranges: I) -> Self {
        let mut sorted: Vec<Range> = ranges.into_iter().collect();
        sorted.sort_unstable();
        let mut merged: Vec<Range> = Vec::new();
        for range in sorted {
            match merged.last_mut() {
                Some(last) if range.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => merged.push(range),
            }
        }
        merged.shrink_to_fit();
        Self { ranges: merged }
    }
}

impl FromIterator<Globcnt> for Globset {
    /// In any order, with repetitions or not.
    fn from_iter<I: IntoIterator<Item = Globcnt>>(counters: I) -> Self {
        let counters = counters.into_iter().map(Globcnt::to_u64);
        counters
            .map(|counter| Range {
                first: counter,
                last: counter,
            })
            .collect()
    }
}
