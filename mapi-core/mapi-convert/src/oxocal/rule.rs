//! RRULE ⇄ RecurrencePattern, where each can say what the other says. Source: MS-OXCICAL 2.1.3.2.2, MS-OXOCAL 2.2.1.44.1.

use std::{fmt, num::NonZeroU32};

use super::{PatternDays, PatternEnd, PatternFrequency, PatternKind, RecurrencePattern};
use crate::ical::{
    recurrence::Occurrences,
    value::{Date, End, Frequency, LocalTime, Recur, Weekday, WeekdayNumber},
};

/// Instances of a series with an end that are counted to find its last day. One with more has to say so itself.
pub const INSTANCES_MAX: usize = 100_000;

const MINUTES_A_DAY: u32 = 24 * 60;
/// Days from 1601-01-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 134_774;
/// PatternType of a day of the month, and of the so manieth weekday.
const MONTH: u16 = 2;
const MONTH_NTH: u16 = 3;
/// The last day of a month, and the last of its weekdays.
const LAST_DAY: u32 = 31;
const LAST: u32 = 5;

/// Why a rule has no pattern, or a pattern no rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inexpressible {
    /// Instances within a day, or at several times of it.
    WithinDay,
    /// BYYEARDAY, BYWEEKNO, or BYSETPOS that chooses otherwise than a pattern does.
    Parts,
    /// Several days of a month, or several months.
    Several,
    /// A day that some months lack: a rule leaves it out there, a pattern takes the last day.
    ShortMonths,
    /// DTSTART is not the rule's first instance.
    Start,
    /// An INTERVAL or a day beyond what a pattern can say.
    Range,
    /// More than [`INSTANCES_MAX`] instances before the end.
    TooMany,
    /// Another calendar than the Gregorian one.
    Calendar,
    /// A task that begins anew when it is completed.
    Sliding,
}

impl RecurrencePattern {
    /// The pattern of a rule for a series that begins at `start`, with `until` as the rule's UNTIL there.
    ///
    /// Errors: why there is none. A pattern that is returned has exactly the rule's instances.
    pub fn of_rule(
        rule: &Recur,
        start: LocalTime,
        until: Option<LocalTime>,
    ) -> Result<Self, Inexpressible> {
        if !rule.is_gregorian() {
            return Err(Inexpressible::Calendar);
        }
        check_times(rule, start)?;
        if !rule.by_year_day.is_empty() || !rule.by_week_no.is_empty() {
            return Err(Inexpressible::Parts);
        }
        let (frequency, kind, period) = match rule.frequency {
            Frequency::Daily | Frequency::Weekly => within_weeks(rule, start)?,
            Frequency::Monthly | Frequency::Yearly => within_months(rule, start)?,
            _ => return Err(Inexpressible::WithinDay),
        };
        if Occurrences::new(rule, start, until).next() != Some(start) {
            return Err(Inexpressible::Start);
        }
        let day = minutes_of(start.date())?;
        let mut pattern = Self {
            reader_version: Self::VERSION,
            writer_version: Self::VERSION,
            frequency,
            kind,
            calendar_type: 0,
            first_date_time: 0,
            period,
            sliding_flag: 0,
            end: PatternEnd::Never,
            occurrence_count: 10,
            first_weekday: (rule.week_start.index() as u32 + 1) % 7,
            deleted: Vec::new(),
            modified: Vec::new(),
            start_date: day,
            end_date: Self::NO_END,
        };
        pattern.first_date_time = pattern.first_period(start.date())?;
        if rule.end != End::Never {
            pattern.set_end(rule, start, until)?;
        }
        Ok(pattern)
    }

    /// The rule of a Gregorian pattern; its end is COUNT, or UNTIL at the time of day of `start`, where the series is.
    pub fn rule(&self, start: LocalTime) -> Result<Recur, Inexpressible> {
        if self.calendar_type > 1 || self.kind.number() >= 0xa {
            return Err(Inexpressible::Calendar);
        }
        if self.sliding_flag != 0 {
            return Err(Inexpressible::Sliding);
        }
        let in_range = |number: u32| NonZeroU32::new(number).ok_or(Inexpressible::Range);
        let mut rule = Recur::new(match self.kind {
            PatternKind::Day => Frequency::Daily,
            PatternKind::Week(_) => Frequency::Weekly,
            _ if self.period.is_multiple_of(12) => Frequency::Yearly,
            _ => Frequency::Monthly,
        });
        rule.interval = in_range(match rule.frequency {
            Frequency::Daily if self.period.is_multiple_of(MINUTES_A_DAY) => {
                self.period / MINUTES_A_DAY
            }
            Frequency::Daily => return Err(Inexpressible::WithinDay),
            Frequency::Yearly => self.period / 12,
            _ => self.period,
        })?;
        rule.week_start = Weekday::of(self.first_weekday as i32 % 7 + 6);
        if rule.frequency == Frequency::Yearly {
            rule.by_month = vec![date_of(self.start_date).ymd().1 as u8];
        }
        match self.kind {
            PatternKind::Day => {}
            PatternKind::Week(days) => rule.by_day = days.weekdays(0)?,
            PatternKind::MonthDay(_, day) => set_month_day(&mut rule, day)?,
            PatternKind::MonthNth(_, days, number) => set_nth(&mut rule, days, number)?,
        }
        rule.end = match self.end {
            PatternEnd::Never | PatternEnd::NeverEither => End::Never,
            PatternEnd::Count if self.occurrence_count > 0 => End::Count(self.occurrence_count),
            PatternEnd::Count | PatternEnd::Date => {
                let last = date_of(self.end_date).at(start.second());
                End::Until(crate::ical::value::When::Floating(last))
            }
        };
        Ok(rule)
    }

    /// FirstDateTime. Source: MS-OXOCAL 2.2.1.44.1.
    fn first_period(&self, start: Date) -> Result<u32, Inexpressible> {
        let day = i64::from(start.0) + DAYS_TO_1970;
        let period = i64::from(self.period);
        let minutes = match self.kind {
            PatternKind::Day => day * i64::from(MINUTES_A_DAY) % period,
            PatternKind::Week(_) => {
                let sunday_first = i64::from(start.weekday().index() + 1);
                let into_week = (sunday_first - i64::from(self.first_weekday)).rem_euclid(7);
                (day - into_week) % (period * 7) * i64::from(MINUTES_A_DAY)
            }
            PatternKind::MonthDay(..) | PatternKind::MonthNth(..) => {
                let (year, month, _) = start.ymd();
                let place = (i64::from(year - 1601) * 12 + i64::from(month - 1)) % period;
                let first = Date::of(1601 + (place / 12) as i32, (place % 12) as i32 + 1, 1);
                return minutes_of(first);
            }
        };
        u32::try_from(minutes).map_err(|_| Inexpressible::Range)
    }

    /// EndType, OccurrenceCount and EndDate of a series that ends.
    fn set_end(
        &mut self,
        rule: &Recur,
        start: LocalTime,
        until: Option<LocalTime>,
    ) -> Result<(), Inexpressible> {
        let mut count = 0;
        let mut last = start;
        for time in Occurrences::new(rule, start, until).take(INSTANCES_MAX + 1) {
            count += 1;
            last = time;
        }
        if count > INSTANCES_MAX {
            return Err(Inexpressible::TooMany);
        }
        self.end = match rule.end {
            End::Count(_) => PatternEnd::Count,
            _ => PatternEnd::Date,
        };
        self.occurrence_count = count as u32;
        self.end_date = minutes_of(last.date())?;
        Ok(())
    }
}

/// Whether the instances are once a day, at DTSTART's time.
fn check_times(rule: &Recur, start: LocalTime) -> Result<(), Inexpressible> {
    let second = start.second();
    let is_own = |list: &[u8], own: i64| match list {
        [] => true,
        [one] => i64::from(*one) == own,
        _ => false,
    };
    let own = is_own(&rule.by_hour, second / 3600)
        && is_own(&rule.by_minute, second / 60 % 60)
        && is_own(&rule.by_second, second % 60);
    match own && second % 60 == 0 {
        true => Ok(()),
        false => Err(Inexpressible::WithinDay),
    }
}

type Shape = (PatternFrequency, PatternKind, u32);

fn within_weeks(rule: &Recur, start: LocalTime) -> Result<Shape, Inexpressible> {
    if !rule.by_set_pos.is_empty() {
        return Err(Inexpressible::Parts);
    }
    if !rule.by_month.is_empty() || !rule.by_month_day.is_empty() {
        return Err(Inexpressible::Several);
    }
    let interval = rule.interval.get();
    let days = PatternDays::of(rule);
    if rule.frequency == Frequency::Weekly {
        let own = PatternDays::of_day(start.date().weekday());
        let days = if days.0 == 0 { own } else { days };
        return Ok((PatternFrequency::Weekly, PatternKind::Week(days), interval));
    }
    match (days.0, interval) {
        (0, interval) => {
            let period = interval
                .checked_mul(MINUTES_A_DAY)
                .ok_or(Inexpressible::Range)?;
            Ok((PatternFrequency::Daily, PatternKind::Day, period))
        }
        // Every weekday that is one of these is the same as weekly on these.
        (_, 1) => Ok((PatternFrequency::Daily, PatternKind::Week(days), 1)),
        _ => Err(Inexpressible::Parts),
    }
}

fn within_months(rule: &Recur, start: LocalTime) -> Result<Shape, Inexpressible> {
    let (_, month, own_day) = start.date().ymd();
    let is_yearly = rule.frequency == Frequency::Yearly;
    match rule.by_month.as_slice() {
        [] if is_yearly && !rule.by_day.is_empty() => return Err(Inexpressible::Parts),
        [] => {}
        [one] if is_yearly && i32::from(*one) == month => {}
        _ => return Err(Inexpressible::Several),
    }
    let (frequency, months) = match is_yearly {
        true => (PatternFrequency::Yearly, 12),
        false => (PatternFrequency::Monthly, 1),
    };
    let interval = rule.interval.get();
    let period = interval.checked_mul(months).ok_or(Inexpressible::Range)?;
    let kind = match (rule.by_day.is_empty(), rule.by_month_day.as_slice()) {
        (true, []) => month_day(rule, own_day, month)?,
        (true, [-1]) if rule.by_set_pos.is_empty() => PatternKind::MonthDay(MONTH, LAST_DAY),
        (true, [one]) if *one > 0 => month_day(rule, i32::from(*one), month)?,
        // How a pattern's day that some months lack is said as a rule.
        (true, [28, .., last]) if is_clipped(rule, *last) => {
            PatternKind::MonthDay(MONTH, *last as u32)
        }
        (true, _) => return Err(Inexpressible::Several),
        (false, []) => nth_day(rule)?,
        (false, _) => return Err(Inexpressible::Parts),
    };
    Ok((frequency, kind, period))
}

/// Whether a rule's days are those from 28 on, of which the last is taken.
fn is_clipped(rule: &Recur, last: i8) -> bool {
    let all = (28..=last).eq(rule.by_month_day.iter().copied());
    all && rule.by_set_pos == [-1]
}

fn month_day(rule: &Recur, day: i32, month: i32) -> Result<PatternKind, Inexpressible> {
    if !rule.by_set_pos.is_empty() {
        return Err(Inexpressible::Parts);
    }
    // The days that every month has that can be meant; a pattern's 31 is the last one, so in long months it is the same.
    let sure = match (rule.frequency, month) {
        (Frequency::Yearly, 2) | (Frequency::Monthly, _) => 28,
        (_, 4 | 6 | 9 | 11) => 30,
        _ => 31,
    };
    match day <= sure {
        true => Ok(PatternKind::MonthDay(MONTH, day as u32)),
        false => Err(Inexpressible::ShortMonths),
    }
}

/// The so manieth weekday, or the so manieth of several weekdays.
fn nth_day(rule: &Recur) -> Result<PatternKind, Inexpressible> {
    let number = match (rule.by_day.as_slice(), rule.by_set_pos.as_slice()) {
        ([one], []) => i16::from(one.number),
        (days, [position]) if days.iter().all(|day| day.number == 0) => *position,
        _ => return Err(Inexpressible::Parts),
    };
    let number = match number {
        1..=4 => number as u32,
        -1 => LAST,
        5 => return Err(Inexpressible::ShortMonths),
        _ => return Err(Inexpressible::Parts),
    };
    Ok(PatternKind::MonthNth(
        MONTH_NTH,
        PatternDays::of(rule),
        number,
    ))
}

fn set_month_day(rule: &mut Recur, day: u32) -> Result<(), Inexpressible> {
    let month = rule.by_month.first().copied().unwrap_or_default();
    let is_sure = match (rule.frequency, month) {
        (Frequency::Yearly, 1 | 3 | 5 | 7 | 8 | 10 | 12) => day <= 31,
        (Frequency::Yearly, 4 | 6 | 9 | 11) => day <= 30,
        _ => day <= 28,
    };
    rule.by_month_day = match day {
        1..=31 if is_sure => vec![day as i8],
        LAST_DAY => vec![-1],
        29 | 30 => {
            rule.by_set_pos = vec![-1];
            (28..=day as i8).collect()
        }
        _ => return Err(Inexpressible::Range),
    };
    Ok(())
}

fn set_nth(rule: &mut Recur, days: PatternDays, number: u32) -> Result<(), Inexpressible> {
    let number = match number {
        1..=4 => number as i8,
        LAST => -1,
        _ => return Err(Inexpressible::Range),
    };
    if days.0.count_ones() == 1 {
        rule.by_day = days.weekdays(number)?;
    } else {
        rule.by_day = days.weekdays(0)?;
        rule.by_set_pos = vec![i16::from(number)];
    }
    Ok(())
}

impl PatternDays {
    fn of_day(day: Weekday) -> Self {
        Self(1 << ((day.index() + 1) % 7))
    }

    fn of(rule: &Recur) -> Self {
        let days = rule.by_day.iter().map(|day| Self::of_day(day.day).0);
        Self(days.fold(0, |bits, bit| bits | bit))
    }

    fn weekdays(self, number: i8) -> Result<Vec<WeekdayNumber>, Inexpressible> {
        let all = Weekday::ALL.into_iter();
        let set = all.filter(|day| self.0 & Self::of_day(*day).0 != 0);
        let days: Vec<_> = set.map(|day| WeekdayNumber { number, day }).collect();
        match days.is_empty() || self.0 > 0x7f {
            true => Err(Inexpressible::Range),
            false => Ok(days),
        }
    }
}

/// A day as patterns count; years from 1601 on.
fn minutes_of(date: Date) -> Result<u32, Inexpressible> {
    let minutes = (i64::from(date.0) + DAYS_TO_1970) * i64::from(MINUTES_A_DAY);
    let minutes = u32::try_from(minutes).map_err(|_| Inexpressible::Range)?;
    match minutes < RecurrencePattern::NO_END {
        true => Ok(minutes),
        false => Err(Inexpressible::Range),
    }
}

fn date_of(minutes: u32) -> Date {
    Date((i64::from(minutes / MINUTES_A_DAY) - DAYS_TO_1970) as i32)
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithinDay => "several times a day, or seconds",
            Self::Parts => "parts of the rule that no pattern has",
            Self::Several => "several days of a month or several months",
            Self::ShortMonths => "a day that some months lack",
            Self::Start => "the series does not begin with an instance of the rule",
            Self::Range => "a number beyond what a pattern can say",
            Self::TooMany => "too many instances",
            Self::Calendar => "another calendar than the Gregorian one",
            Self::Sliding => "a task that begins anew when it is completed",
        })
    }
}

impl std::error::Error for Inexpressible {}
