//! The times of a rule, one after the other.

use super::{
    BARREN_PERIODS_MAX,
    periods::{Contents, Periods},
};
use crate::ical::value::{End, LocalTime, Recur};

/// The times that a rule means from DTSTART on, in order and each once. DTSTART is one of them only if the rule means it.
///
/// Ends after COUNT times, at UNTIL, with the year 9999, or when [`BARREN_PERIODS_MAX`] is met.
#[derive(Clone, Debug)]
pub struct Occurrences {
    periods: Periods,
    positions: Vec<i16>,
    start: LocalTime,
    until: Option<LocalTime>,
    left: Option<u32>,
    contents: Contents,
    /// Places in the period's times, of those that BYSETPOS chooses; in reverse.
    chosen: Option<Vec<usize>>,
    /// The place of the time that comes next, without BYSETPOS.
    place: usize,
    is_over: bool,
}

impl Occurrences {
    /// The times of `rule` from `start` on. `until` is the rule's UNTIL where the series is, inclusive.
    ///
    /// A rule that does not count in the Gregorian calendar has none.
    pub fn new(rule: &Recur, start: LocalTime, until: Option<LocalTime>) -> Self {
        let left = match rule.end {
            End::Count(count) => Some(count),
            End::Never | End::Until(_) => None,
        };
        Self {
            periods: Periods::of(rule, start),
            positions: rule.by_set_pos.clone(),
            start,
            until,
            left,
            contents: Contents::default(),
            chosen: None,
            place: 0,
            is_over: !rule.is_gregorian(),
        }
    }

    /// The same, but those before `from` may be left out; what COUNT counts is not. Leaps over any length of time at once.
    #[must_use]
    pub fn from(mut self, from: LocalTime) -> Self {
        if self.left.is_none() {
            self.periods.seek(from);
        }
        self
    }

    /// The next time of the current period.
    fn take(&mut self) -> Option<LocalTime> {
        let place = match &mut self.chosen {
            Some(chosen) => chosen.pop()?,
            None => self.place,
        };
        self.place = place + 1;
        let times = self.contents.times.len();
        let day = self.contents.days.get(place.checked_div(times)?)?;
        let time = self.contents.times.get(place % times)?;
        Some(day.at(*time))
    }

    /// Goes on to the next period.
    fn advance(&mut self) -> bool {
        if !self.periods.fill(&mut self.contents) {
            return false;
        }
        self.place = 0;
        if !self.positions.is_empty() {
            let len = self.contents.days.len() * self.contents.times.len();
            let place = |position: &i16| match usize::from(position.unsigned_abs()) {
                number if *position > 0 => Some(number - 1).filter(|place| *place < len),
                number => len.checked_sub(number),
            };
            let mut chosen: Vec<usize> = self.positions.iter().filter_map(place).collect();
            chosen.sort_unstable_by(|a, b| b.cmp(a));
            chosen.dedup();
            self.chosen = Some(chosen);
        }
        true
    }

    fn find(&mut self) -> Option<LocalTime> {
        let mut barren = 0;
        loop {
            while let Some(time) = self.take() {
                if self.until.is_some_and(|until| time > until) {
                    return None;
                }
                if time >= self.start {
                    return Some(time);
                }
            }
            barren += 1;
            if barren > BARREN_PERIODS_MAX || !self.advance() {
                return None;
            }
            // Nothing that comes is before the period, so a rule that ended does not search on.
            if self.periods.is_after(self.until) {
                return None;
            }
        }
    }
}

impl Iterator for Occurrences {
    type Item = LocalTime;

    fn next(&mut self) -> Option<LocalTime> {
        if self.is_over || self.left == Some(0) {
            return None;
        }
        let found = self.find();
        match found {
            None => self.is_over = true,
            Some(_) => self.left = self.left.map(|left| left - 1),
        }
        found
    }
}
