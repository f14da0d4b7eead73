//! Which days a rule admits.

use crate::ical::value::{Date, Frequency, LocalTime, Recur, Weekday, days_in_month, is_leap};

/// The parts of a rule that speak of days, with what DTSTART adds.
#[derive(Clone, Debug)]
pub(super) struct DayFilter {
    /// Bit n: month n; 0: every month.
    months: u16,
    /// Bit n: day n of the month; bit n of the second: day n from its end.
    month_days: (u32, u32),
    year_days: Vec<i16>,
    weeks: Vec<i8>,
    /// Bit n: weekday n.
    weekdays: u8,
    /// Weekday and its number within the month or the year.
    numbered: Vec<(Weekday, i32)>,
    /// Whether numbers count within the month.
    by_month: bool,
    week_start: Weekday,
}

/// A day with what the parts ask about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub(super) date: Date,
    year: i32,
    month: i32,
    day: i32,
    month_len: i32,
    year_day: i32,
}

impl Day {
    pub(super) fn of(date: Date) -> Self {
        let (year, month, day) = date.ymd();
        Self {
            date,
            year,
            month,
            day,
            month_len: days_in_month(year, month),
            year_day: date.0 - Date::of(year, 1, 1).0 + 1,
        }
    }

    const fn year_len(&self) -> i32 {
        365 + is_leap(self.year) as i32
    }
}

impl DayFilter {
    pub(super) fn of(rule: &Recur, start: LocalTime) -> Self {
        let (_, month, day) = start.date().ymd();
        let numbers_count = matches!(rule.frequency, Frequency::Monthly | Frequency::Yearly);
        let mut filter = Self {
            months: rule
                .by_month
                .iter()
                .fold(0, |bits, month| bits | 1 << month),
            month_days: (0, 0),
            year_days: rule.by_year_day.clone(),
            weeks: rule.by_week_no.clone(),
            weekdays: 0,
            numbered: Vec::new(),
            by_month: rule.frequency == Frequency::Monthly || !rule.by_month.is_empty(),
            week_start: rule.week_start,
        };
        for day in &rule.by_month_day {
            match u32::from(day.unsigned_abs()) {
                number if *day > 0 => filter.month_days.0 |= 1 << number,
                number => filter.month_days.1 |= 1 << number,
            }
        }
        for day in &rule.by_day {
            match day.number {
                number if number != 0 && numbers_count => {
                    filter.numbered.push((day.day, i32::from(number)));
                }
                _ => filter.weekdays |= 1 << day.day.index(),
            }
        }
        if rule.by_week_no.is_empty()
            && rule.by_year_day.is_empty()
            && rule.by_month_day.is_empty()
            && rule.by_day.is_empty()
        {
            // What the rule does not say, DTSTART says.
            match rule.frequency {
                Frequency::Yearly => {
                    if filter.months == 0 {
                        filter.months = 1 << month;
                    }
                    filter.month_days.0 = 1 << day;
                }
                Frequency::Monthly => filter.month_days.0 = 1 << day,
                Frequency::Weekly => filter.weekdays = 1 << start.date().weekday().index(),
                _ => {}
            }
        }
        filter
    }

    /// Whether days of a month, from 1, can be admitted at all.
    pub(super) const fn admits_month(&self, month: i32) -> bool {
        self.months == 0 || self.months & 1 << month != 0
    }

    pub(super) fn admits(&self, day: &Day) -> bool {
        self.admits_month(day.month)
            && self.admits_month_day(day)
            && self.admits_weekday(day)
            && self.admits_year_day(day)
            && self.admits_week(day)
    }

    const fn admits_month_day(&self, day: &Day) -> bool {
        let (forward, backward) = self.month_days;
        (forward | backward) == 0
            || forward & 1 << day.day != 0
            || backward & 1 << (day.month_len - day.day + 1) != 0
    }

    fn admits_weekday(&self, day: &Day) -> bool {
        if self.weekdays == 0 && self.numbered.is_empty() {
            return true;
        }
        let weekday = day.date.weekday();
        if self.weekdays & 1 << weekday.index() != 0 {
            return true;
        }
        let (place, len) = match self.by_month {
            true => (day.day, day.month_len),
            false => (day.year_day, day.year_len()),
        };
        let forward = (place - 1) / 7 + 1;
        let backward = -((len - place) / 7 + 1);
        let admits = |(wanted, number): &(Weekday, i32)| {
            *wanted == weekday && (*number == forward || *number == backward)
        };
        self.numbered.iter().any(admits)
    }

    fn admits_year_day(&self, day: &Day) -> bool {
        let backward = day.year_day - day.year_len() - 1;
        let admits = |number: &i16| [day.year_day, backward].contains(&i32::from(*number));
        self.year_days.is_empty() || self.year_days.iter().any(admits)
    }

    fn admits_week(&self, day: &Day) -> bool {
        if self.weeks.is_empty() {
            return true;
        }
        let (forward, backward) = self.week_of(day);
        let admits = |number: &i8| [forward, backward].contains(&i32::from(*number));
        self.weeks.iter().any(admits)
    }

    /// The number of a day's week, from the year's begin and from its end. Source: RFC 5545 3.3.10 (BYWEEKNO): week 1
    /// is the first with four days in the year.
    fn week_of(&self, day: &Day) -> (i32, i32) {
        let this = self.first_week(day.year);
        let next = self.first_week(day.year + 1);
        let (first, after) = match day.date.0 {
            date if date < this => (self.first_week(day.year - 1), this),
            date if date >= next => (next, self.first_week(day.year + 2)),
            _ => (this, next),
        };
        let forward = (day.date.0 - first) / 7 + 1;
        (forward, forward - (after - first) / 7 - 1)
    }

    /// The first day of a year's week 1.
    fn first_week(&self, year: i32) -> i32 {
        let january = Date::of(year, 1, 1);
        let into_week = (january.weekday().index() - self.week_start.index()).rem_euclid(7);
        match into_week {
            0..=3 => january.0 - into_week,
            _ => january.0 + 7 - into_week,
        }
    }
}
