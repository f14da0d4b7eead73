//! The periods of a rule, such as every other week, and what they contain.

use super::days::{Day, DayFilter};
use crate::ical::value::{Date, Frequency, LocalTime, Recur, SECONDS_A_DAY, days_in_month};

/// Where a rule is: a number that counts its periods' unit from 1970.
#[derive(Clone, Debug)]
pub(super) struct Periods {
    frequency: Frequency,
    interval: i64,
    filter: DayFilter,
    hours: Vec<i64>,
    minutes: Vec<i64>,
    seconds: Vec<i64>,
    /// The period DTSTART is in.
    origin: i64,
    /// The period that comes next.
    next: i64,
    first_day: Date,
    week_start: i32,
}

/// What one period contains: each of these days with each of these times, in seconds from midnight.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    pub(super) days: Vec<Date>,
    pub(super) times: Vec<i64>,
}

impl Periods {
    pub(super) fn of(rule: &Recur, start: LocalTime) -> Self {
        let second = start.second();
        let rest = |list: &[u8], own: i64| -> Vec<i64> {
            if list.is_empty() {
                return vec![own];
            }
            // Second 60 is 59 here as everywhere.
            let mut list: Vec<i64> = list.iter().map(|n| i64::from(*n).min(59)).collect();
            list.dedup();
            list
        };
        // Down to the frequency, the lists choose among its periods; without a list all are chosen.
        let list = |list: &[u8], own: i64, chooses_from: Frequency| match rule.frequency {
            frequency if frequency <= chooses_from && list.is_empty() => Vec::new(),
            _ => rest(list, own),
        };
        let mut periods = Self {
            frequency: rule.frequency,
            interval: i64::from(rule.interval.get()),
            filter: DayFilter::of(rule, start),
            hours: list(&rule.by_hour, second / 3600, Frequency::Hourly),
            minutes: list(&rule.by_minute, second / 60 % 60, Frequency::Minutely),
            seconds: list(&rule.by_second, second % 60, Frequency::Secondly),
            origin: 0,
            next: 0,
            first_day: start.date(),
            week_start: rule.week_start.index(),
        };
        periods.origin = periods.period_of(start);
        periods.next = periods.origin;
        periods
    }

    /// Goes on with the first period in which a time from `from` on can be.
    pub(super) fn seek(&mut self, from: LocalTime) {
        let target = self.period_of(from);
        if target > self.next {
            self.next = self.aligned(target);
        }
    }

    /// Fills in the next period; `false` after the last year.
    pub(super) fn fill(&mut self, contents: &mut Contents) -> bool {
        contents.days.clear();
        let period = self.next;
        match self.frequency {
            Frequency::Yearly => self.fill_year(period, contents),
            Frequency::Monthly => self.fill_month(period, contents),
            Frequency::Weekly => {
                self.fill_days(self.week_from(period), self.week_end(period), contents)
            }
            Frequency::Daily => self.fill_days(period, period + 1, contents),
            _ => return self.fill_within_day(contents),
        }
        self.next = period.saturating_add(self.interval);
        if contents.times.is_empty() {
            contents.times = self.times_of_day();
        }
        period <= self.last_period()
    }

    /// Whether the period that was filled in last is after a time, so that no later one can reach it.
    pub(super) fn is_after(&self, time: Option<LocalTime>) -> bool {
        // `next` is one interval ahead, or at the end of what was leapt over.
        time.is_some_and(|time| self.next.saturating_sub(self.interval) > self.period_of(time))
    }

    /// The period of a time.
    fn period_of(&self, time: LocalTime) -> i64 {
        let (year, month, _) = time.date().ymd();
        match self.frequency {
            Frequency::Yearly => i64::from(year),
            Frequency::Monthly => i64::from(year) * 12 + i64::from(month) - 1,
            // Weeks are counted from the one that 1970-01-01, a Thursday, is in.
            Frequency::Weekly => (i64::from(time.date().0) - self.week_origin()).div_euclid(7),
            Frequency::Daily => i64::from(time.date().0),
            _ => time.0.div_euclid(self.unit_seconds()),
        }
    }

    fn last_period(&self) -> i64 {
        let last = Date::of(Date::YEAR_MAX, 12, 31).at(SECONDS_A_DAY - 1);
        self.period_of(last)
    }

    /// The first period from `target` on that INTERVAL lets take part.
    const fn aligned(&self, target: i64) -> i64 {
        let beyond = (target - self.origin).rem_euclid(self.interval);
        match beyond {
            0 => target,
            _ => target.saturating_add(self.interval - beyond),
        }
    }

    /// The first day of week 0.
    fn week_origin(&self) -> i64 {
        const THURSDAY: i32 = 3;
        -i64::from((THURSDAY - self.week_start).rem_euclid(7))
    }

    /// The first day of a week that takes part: the first week begins with DTSTART.
    fn week_from(&self, week: i64) -> i64 {
        let first = self.week_origin() + week * 7;
        match week == self.origin {
            true => first.max(i64::from(self.first_day.0)),
            false => first,
        }
    }

    fn week_end(&self, week: i64) -> i64 {
        self.week_origin() + week * 7 + 7
    }

    fn fill_year(&self, year: i64, contents: &mut Contents) {
        for month in 0..12 {
            self.fill_month(year * 12 + month, contents);
        }
    }

    fn fill_month(&self, period: i64, contents: &mut Contents) {
        let (year, month) = (
            period.div_euclid(12) as i32,
            period.rem_euclid(12) as i32 + 1,
        );
        if !self.filter.admits_month(month) {
            return;
        }
        let first = i64::from(Date::of(year, month, 1).0);
        let len = i64::from(days_in_month(year, month));
        self.fill_days(first, first + len, contents);
    }

    fn fill_days(&self, from: i64, until: i64, contents: &mut Contents) {
        let days = (from..until).map(|day| Date(day as i32));
        let admitted = days.filter(|date| self.filter.admits(&Day::of(*date)));
        contents.days.extend(admitted);
    }

    /// Every time of a day that the rule means.
    fn times_of_day(&self) -> Vec<i64> {
        let mut times = Vec::new();
        for hour in &self.hours {
            for minute in &self.minutes {
                times.extend(
                    self.seconds
                        .iter()
                        .map(|second| hour * 3600 + minute * 60 + second),
                );
            }
        }
        times
    }

    const fn unit_seconds(&self) -> i64 {
        match self.frequency {
            Frequency::Hourly => 3600,
            Frequency::Minutely => 60,
            _ => 1,
        }
    }

    /// Fills in the next hour, minute or second; nothing where it leaps over a part of time that is not admitted.
    fn fill_within_day(&mut self, contents: &mut Contents) -> bool {
        let (period, unit) = (self.next, self.unit_seconds());
        if period > self.last_period() {
            return false;
        }
        let time = LocalTime(period * unit);
        let chooses = |list: &[i64], value: i64| list.is_empty() || list.contains(&value);
        let (second, day) = (time.second(), time.date());
        let (hour, minute) = (second / 3600, second / 60 % 60);
        // The end of the largest part of time around here that is not admitted.
        let leap = if !self.filter.admits(&Day::of(day)) {
            Some(day.plus(1).at(0))
        } else if !chooses(&self.hours, hour) {
            Some(day.at((hour + 1) * 3600))
        } else if unit <= 60 && !chooses(&self.minutes, minute) {
            Some(day.at(hour * 3600 + (minute + 1) * 60))
        } else if unit == 1 && !chooses(&self.seconds, second % 60) {
            Some(time.plus(1))
        } else {
            None
        };
        if let Some(leap) = leap {
            self.next = self.aligned(leap.0.div_euclid(unit).max(period + 1));
            return true;
        }
        self.next = period.saturating_add(self.interval);
        contents.days.push(day);
        contents.times.clear();
        match self.frequency {
            Frequency::Hourly => {
                for minute in &self.minutes {
                    let times = self.seconds.iter().map(|s| hour * 3600 + minute * 60 + s);
                    contents.times.extend(times);
                }
            }
            Frequency::Minutely => {
                let times = self.seconds.iter().map(|s| second / 60 * 60 + s);
                contents.times.extend(times);
            }
            _ => contents.times.push(second),
        }
        true
    }
}
