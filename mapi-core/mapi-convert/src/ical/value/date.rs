//! Days and times of day without a place. Source: RFC 5545 3.3.4, 3.3.5.

use std::fmt;

use crate::date::{civil, days};

/// Seconds in a day.
pub const SECONDS_A_DAY: i64 = 86_400;

/// A day of the Gregorian calendar, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Date(pub i32);

/// A day and a time of day, wherever: seconds counted from 1970-01-01 00:00 there.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LocalTime(pub i64);

/// A day of the week.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// Every day, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Its place in the week, from 0 for Monday.
    pub const fn index(self) -> i32 {
        self as i32
    }

    /// The day so many days after a Monday.
    pub const fn of(days_after_monday: i32) -> Self {
        match days_after_monday.rem_euclid(7) {
            0 => Self::Monday,
            1 => Self::Tuesday,
            2 => Self::Wednesday,
            3 => Self::Thursday,
            4 => Self::Friday,
            5 => Self::Saturday,
            _ => Self::Sunday,
        }
    }

    /// `MO`. Source: RFC 5545 3.3.10.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Monday => "MO",
            Self::Tuesday => "TU",
            Self::Wednesday => "WE",
            Self::Thursday => "TH",
            Self::Friday => "FR",
            Self::Saturday => "SA",
            Self::Sunday => "SU",
        }
    }

    /// The day of a code, read without case.
    pub fn from_code(code: &str) -> Option<Self> {
        let coded = |day: &&Self| day.code().eq_ignore_ascii_case(code);
        Self::ALL.iter().find(coded).copied()
    }
}

impl Date {
    /// The last year that four digits can write.
    pub const YEAR_MAX: i32 = 9999;

    /// The day, if there is one: years from 0 to 9999.
    pub fn from_ymd(year: i32, month: i32, day: i32) -> Option<Self> {
        if !(0..=Self::YEAR_MAX).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        let is_day = (1..=days_in_month(year, month)).contains(&day);
        is_day.then(|| Self::of(year, month, day))
    }

    /// A day; one beyond the month's end runs into the next. The month is from 1 to 12.
    pub(crate) fn of(year: i32, month: i32, day: i32) -> Self {
        let days = days(i64::from(year), i64::from(month), i64::from(day));
        Self(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// Year, month and day of the month.
    pub fn ymd(self) -> (i32, i32, i32) {
        let (year, month, day) = civil(i64::from(self.0));
        (year as i32, month as i32, day as i32)
    }

    /// Its day of the week.
    pub const fn weekday(self) -> Weekday {
        // 1970-01-01 was a Thursday.
        Weekday::of((self.0 as i64 + 3).rem_euclid(7) as i32)
    }

    /// The day so many days later.
    #[must_use]
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// A time of that day, in seconds from midnight.
    pub const fn at(self, second: i64) -> LocalTime {
        LocalTime(self.0 as i64 * SECONDS_A_DAY + second)
    }

    /// Reads `20260131`.
    pub fn parse(text: &str) -> Option<Self> {
        let octets: &[u8; 8] = text.as_bytes().try_into().ok()?;
        let (year, rest) = octets.split_first_chunk::<4>()?;
        let (month, day) = rest.split_first_chunk::<2>()?;
        Self::from_ymd(number(year)?, number(month)?, number(day)?)
    }
}

impl LocalTime {
    /// Its day.
    pub const fn date(self) -> Date {
        Date(self.0.div_euclid(SECONDS_A_DAY) as i32)
    }

    /// Seconds since midnight.
    pub const fn second(self) -> i64 {
        self.0.rem_euclid(SECONDS_A_DAY)
    }

    /// The time so many seconds later.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Reads `20260131T235959`. A leap second is the second before it.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', 't'])?;
        let octets: &[u8; 6] = time.as_bytes().try_into().ok()?;
        let (hour, rest) = octets.split_first_chunk::<2>()?;
        let (minute, second) = rest.split_first_chunk::<2>()?;
        let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let second = hour * 3600 + minute * 60 + second.min(59);
        Some(Date::parse(date)?.at(i64::from(second)))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}{month:02}{day:02}")
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.second();
        let (hour, minute) = (second / 3600, second / 60 % 60);
        write!(f, "{}T{hour:02}{minute:02}{:02}", self.date(), second % 60)
    }
}

/// Whether a year has a 29 February.
pub(crate) const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month, from 1 to 12.
pub(crate) const fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A number of digits alone.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0_i32, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| i32::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}
