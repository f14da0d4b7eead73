//! Sets of message numbers: as clients write them, and resolved to ascending ranges.
//!
//! A [`SequenceSet`] keeps the client's words (`*`, order, overlaps). [`SequenceSet::resolve`] gives a [`NumberSet`]:
//! ascending, disjoint, merged ranges, which also write themselves in the compact form of COPYUID, VANISHED and ESEARCH.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// One number of a sequence set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetNumber {
    /// A sequence number or UID.
    Number(NonZeroU32),
    /// `*`: the largest number in use.
    Largest,
}

/// A number or a range, whose ends may be in either order (RFC 3501 9, `seq-range`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SequenceRange {
    /// The end written first; for a single number equal to `last`.
    pub first: SetNumber,
    /// The end written second.
    pub last: SetNumber,
}

/// A sequence set as written: one or more ranges, in any order, possibly overlapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SequenceSet {
    ranges: Vec<SequenceRange>,
}

impl SequenceSet {
    /// A set of these ranges, unless there are none.
    #[must_use]
    pub fn new(ranges: Vec<SequenceRange>) -> Option<Self> {
        (!ranges.is_empty()).then_some(Self { ranges })
    }

    /// The ranges as the client wrote them.
    #[must_use]
    pub fn ranges(&self) -> &[SequenceRange] {
        &self.ranges
    }

    /// The numbers meant, when `largest` is the largest number in use (0 when there is none).
    ///
    /// `*` is `largest`, so `500:*` contains `largest` even when that is below 500 (RFC 3501 9); in an empty mailbox
    /// a range with `*` means nothing. Numbers above `largest` are kept: whether they are an error (sequence numbers)
    /// or ignored (UIDs) is the caller's to say.
    #[must_use]
    pub fn resolve(&self, largest: u32) -> NumberSet {
        let largest = NonZeroU32::new(largest);
        let value = |number: SetNumber| match number {
            SetNumber::Number(number) => Some(number),
            SetNumber::Largest => largest,
        };
        let ranges = self.ranges.iter().filter_map(|range| {
            let (first, last) = (value(range.first)?.get(), value(range.last)?.get());
            Some((first.min(last), first.max(last)))
        });
        NumberSet::from_unsorted(ranges.collect())
    }

    /// Whether `*` occurs.
    #[must_use]
    pub fn has_largest(&self) -> bool {
        let ends = self
            .ranges
            .iter()
            .flat_map(|range| [range.first, range.last]);
        ends.into_iter().any(|number| number == SetNumber::Largest)
    }
}

/// The messages a command names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MessageSet {
    /// Numbers or ranges.
    Set(SequenceSet),
    /// `$`: the saved search result (RFC 5182).
    SavedResult,
}

/// Ascending, disjoint ranges of numbers that do not touch each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NumberSet {
    ranges: Vec<(u32, u32)>,
}

impl NumberSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// A set of ranges in any order, ends inclusive and ordered.
    fn from_unsorted(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut set = Self::new();
        for (first, last) in ranges {
            set.push_range(first, last);
        }
        set
    }

    /// Adds a number. Cheapest when numbers come in ascending order.
    pub fn push(&mut self, number: u32) {
        self.push_range(number, number);
    }

    /// Adds a range, ends inclusive; nothing when `first > last`. Cheapest in ascending order.
    pub fn push_range(&mut self, first: u32, last: u32) {
        if first > last {
            return;
        }
        match self.ranges.last_mut() {
            Some(end) if first >= end.0 => {
                if first <= end.1.saturating_add(1) {
                    end.1 = end.1.max(last);
                } else {
                    self.ranges.push((first, last));
                }
            }
            None => self.ranges.push((first, last)),
            Some(_) => {
                let mut ranges = std::mem::take(&mut self.ranges);
                ranges.push((first, last));
                *self = Self::from_unsorted(ranges);
            }
        }
    }

    /// Whether the number is in the set. Logarithmic in the number of ranges.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        let after = self.ranges.partition_point(|range| range.0 <= number);
        let Some(range) = after.checked_sub(1).and_then(|at| self.ranges.get(at)) else {
            return false;
        };
        number <= range.1
    }

    /// Whether there is no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ranges
            .iter()
            .map(|(first, last)| u64::from(last - first) + 1)
            .sum()
    }

    /// The smallest number.
    #[must_use]
    pub fn first(&self) -> Option<u32> {
        self.ranges.first().map(|range| range.0)
    }

    /// The largest number.
    #[must_use]
    pub fn last(&self) -> Option<u32> {
        self.ranges.last().map(|range| range.1)
    }

    /// The ranges, ascending, ends inclusive.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = RangeInclusive<u32>> + '_ {
        self.ranges.iter().map(|&(first, last)| first..=last)
    }

    /// Every number, ascending. A hostile set has four billion: intersect it with what exists first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges().flatten()
    }

    /// Appends the compact form, as in `1:3,5`. Writes nothing for an empty set.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (index, &(first, last)) in self.ranges.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            crate::response::write_number(out, u64::from(first));
            if last > first {
                out.push(b':');
                crate::response::write_number(out, u64::from(last));
            }
        }
    }
}

impl FromIterator<u32> for NumberSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut set = Self::new();
        let mut late = Vec::new();
        for number in numbers {
            // Numbers out of order are sorted once at the end, not one by one.
            match set.last() {
                Some(last) if number < last => late.push((number, number)),
                _ => set.push(number),
            }
        }
        if late.is_empty() {
            return set;
        }
        late.extend_from_slice(&set.ranges);
        Self::from_unsorted(late)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(set: &NumberSet) -> String {
        let mut out = Vec::new();
        set.write(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn ranges_that_overlap_or_touch_become_one() {
        let set: NumberSet = [7, 3, 1, 2, 9, 8, 3, 20].into_iter().collect();
        assert_eq!(written(&set), "1:3,7:9,20");
        assert_eq!((set.first(), set.last(), set.len()), (Some(1), Some(20), 7));
        let mut set = NumberSet::new();
        for (first, last) in [
            (5, 9),
            (1, 2),
            (3, 4),
            (11, 10),
            (u32::MAX, u32::MAX),
            (9, u32::MAX),
        ] {
            set.push_range(first, last);
        }
        assert_eq!(written(&set), "1:4294967295");
    }

    #[test]
    fn the_empty_set_is_written_as_nothing() {
        assert_eq!(written(&NumberSet::new()), "");
        assert!(!NumberSet::new().contains(1));
    }

    proptest! {
        #[test]
        fn a_number_set_holds_what_was_put_in(numbers in prop::collection::vec(1_u32..60, 0..40)) {
            let collected: NumberSet = numbers.iter().copied().collect();
            let mut pushed = NumberSet::new();
            for number in &numbers {
                pushed.push(*number);
            }
            prop_assert_eq!(&collected, &pushed);
            for number in 0..70 {
                prop_assert_eq!(collected.contains(number), numbers.contains(&number));
            }
            prop_assert_eq!(collected.iter().count() as u64, collected.len());
            prop_assert!(collected.iter().is_sorted_by(|a, b| a < b));
        }
    }
}
