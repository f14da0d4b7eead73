//! Times on the command line and in answers: RFC 3339, always with a zone; days too.

use std::{fmt, str::FromStr, time::SystemTime};

use mapi_convert::{date, oxotask::Day};
use mapi_types::FileTime;
use serde::{Deserialize, Serialize};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// The years that are understood.
const YEARS: std::ops::RangeInclusive<i64> = 1601..=9999;

/// The largest difference from UTC that there is, in minutes.
const ZONE_MINUTES_MAX: i64 = 14 * 60;

/// A time with the zone in which somebody said it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Moment {
    /// Seconds since 1970-01-01 UTC.
    unix: i64,
    /// Minutes the zone is east of UTC.
    zone_minutes: i64,
    /// Whether it is a day: then it is the midnight with which the day begins.
    pub(crate) is_day: bool,
}

impl Moment {
    /// The time.
    pub(crate) const fn time(self) -> FileTime {
        FileTime::from_unix(self.unix)
    }

    /// The day in its zone.
    pub(crate) fn day(self) -> Day {
        let local = self.unix + self.zone_minutes * MINUTE;
        let date = local - local.rem_euclid(DAY);
        Day {
            date: FileTime::from_unix(date),
            begins: FileTime::from_unix(date - self.zone_minutes * MINUTE),
        }
    }

    /// So many minutes later.
    pub(crate) const fn later(self, minutes: i64) -> Self {
        Self {
            unix: self.unix.saturating_add(minutes * MINUTE),
            ..self
        }
    }

    /// Now, in UTC.
    pub(crate) fn now() -> Self {
        Self {
            unix: FileTime::from(SystemTime::now()).unix(),
            zone_minutes: 0,
            is_day: false,
        }
    }
}

/// Why a text is no time.
#[derive(Debug)]
pub(crate) struct NoMoment;

impl fmt::Display for NoMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time with its zone, such as 2026-12-24T18:00+01:00 or 2026-12-24T17:00Z, or a day")
    }
}

impl std::error::Error for NoMoment {}

impl FromStr for Moment {
    type Err = NoMoment;

    /// `YYYY-MM-DD`, with a zone or as in UTC; or `YYYY-MM-DDThh:mm[:ss]` with a zone, `Z` or `±hh:mm`.
    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let (date, rest) = text.split_at_checked(10).ok_or(NoMoment)?;
        let days = days(date).ok_or(NoMoment)?;
        let (seconds, zone) = match rest.strip_prefix(['T', 't', ' ']) {
            Some(rest) => {
                let at = rest.find(['Z', 'z', '+', '-']).ok_or(NoMoment)?;
                let (time, zone) = rest.split_at_checked(at).ok_or(NoMoment)?;
                (Some(seconds(time).ok_or(NoMoment)?), zone)
            }
            None => (None, rest),
        };
        let zone_minutes = match (zone, seconds) {
            ("", None) => 0,
            (zone, _) => zone_minutes(zone).ok_or(NoMoment)?,
        };
        Ok(Self {
            unix: days * DAY + seconds.unwrap_or(0) - zone_minutes * MINUTE,
            zone_minutes,
            is_day: seconds.is_none(),
        })
    }
}

fn days(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (digits(parts.next()?, 4)?, parts.next()?, parts.next()?);
    let (month, day) = (digits(month, 2)?, digits(day, 2)?);
    if !YEARS.contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let days = date::days(year, month, day);
    // A day that the month does not have is another one.
    (date::civil(days) == (year, month, day)).then_some(days)
}

fn seconds(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = match parts.next() {
        Some(second) => digits(second, 2)?,
        None => 0,
    };
    let is_time = hour < 24 && minute < 60 && second < 60;
    is_time.then_some((hour * 60 + minute) * 60 + second)
}

fn zone_minutes(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= ZONE_MINUTES_MAX).then_some(sign * all)
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// A time as RFC 3339 writes it, in UTC, to the second.
pub(crate) fn text(time: FileTime) -> String {
    let unix = time.unix();
    let (year, month, day) = date::civil(unix.div_euclid(DAY));
    let second = unix.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The day of a midnight in UTC.
pub(crate) fn day_text(time: FileTime) -> String {
    let (year, month, day) = date::civil(time.unix().div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zones() {
        let check = |input: &str, expected: &str| {
            let moment: Moment = input.parse().unwrap();
            assert_eq!(text(moment.time()), expected, "{input}");
        };
        check("2026-12-24T18:00+01:00", "2026-12-24T17:00:00Z");
        check("2026-12-24T18:00:30Z", "2026-12-24T18:00:30Z");
        check("2026-12-31T23:00-02:30", "2027-01-01T01:30:00Z");
        check("2026-12-24", "2026-12-24T00:00:00Z");
        check("2026-12-24+01:00", "2026-12-23T23:00:00Z");
        check("1601-01-01T00:00Z", "1601-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for input in [
            "",
            "tomorrow",
            "2026-12-24T18:00",
            "2026-02-29",
            "2026-13-01",
            "1600-01-01",
            "2026-12-24T24:00Z",
            "2026-12-24T18:60Z",
            "2026-12-24T18:00+15:00",
            "2026-12-24T18:00+1:00",
            "2026-12-24Tü",
            "2026-1ü-24",
            "+026-12-24",
        ] {
            assert!(input.parse::<Moment>().is_err(), "{input}");
        }
    }

    #[test]
    fn a_day_begins_where_its_owner_is() {
        let check = |input: &str, date: &str, begins: &str| {
            let day = input.parse::<Moment>().unwrap().day();
            assert_eq!(day_text(day.date), date);
            assert_eq!(text(day.begins), begins);
        };
        check("2026-12-24+01:00", "2026-12-24", "2026-12-23T23:00:00Z");
        check(
            "2026-12-24T23:30-05:00",
            "2026-12-24",
            "2026-12-24T05:00:00Z",
        );
        check("2026-12-24", "2026-12-24", "2026-12-24T00:00:00Z");
    }
}
