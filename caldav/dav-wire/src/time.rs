//! Moments as the protocols write them: iCalendar's in filters, RFC 3339 in `creationdate`, HTTP's in headers.

use std::fmt;
use std::time::{Duration, SystemTime};

/// A moment, to the second, in UTC: from the year 1 to the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z in seconds since 1970.
const FIRST: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z in seconds since 1970.
const LAST: i64 = 253_402_300_799;

/// The fields of a moment.
#[derive(Clone, Copy)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    second: i64,
}

impl UtcTime {
    /// So many seconds since 1970-01-01T00:00:00Z; nothing outside of the years 1 to 9999.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Option<Self> {
        match seconds {
            FIRST..=LAST => Some(Self(seconds)),
            _ => None,
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// Reads iCalendar's "date with UTC time", such as `20260312T000000Z` (RFC 5545 3.3.5).
    ///
    /// The 60th second of a minute is read as the first of the next.
    #[must_use]
    pub fn parse_icalendar(text: &str) -> Option<Self> {
        let bytes: &[u8; 16] = text.as_bytes().try_into().ok()?;
        let [
            y0,
            y1,
            y2,
            y3,
            m0,
            m1,
            d0,
            d1,
            b'T',
            h0,
            h1,
            i0,
            i1,
            s0,
            s1,
            b'Z',
        ] = *bytes
        else {
            return None;
        };
        let year = two(y0, y1)? * 100 + two(y2, y3)?;
        let (month, day) = (two(m0, m1)?, two(d0, d1)?);
        let (hour, minute, second) = (two(h0, h1)?, two(i0, i1)?, two(s0, s1)?);
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let days = days(year, month, day)?;
        Self::from_unix(days * DAY + hour * 3600 + minute * 60 + second)
    }

    /// Reads an HTTP date in any of its three forms (RFC 9110 5.6.7).
    #[must_use]
    pub fn parse_http(text: &str) -> Option<Self> {
        let time = httpdate::parse_http_date(text.trim()).ok()?;
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Self::from_unix(i64::try_from(since.as_secs()).ok()?)
    }

    /// As iCalendar writes it: `20260312T000000Z`.
    #[must_use]
    pub fn icalendar(self) -> impl fmt::Display {
        self.iso("", "")
    }

    /// As RFC 3339 writes it: `2026-03-12T00:00:00Z` (`creationdate`, RFC 4918 15.1).
    #[must_use]
    pub fn rfc3339(self) -> impl fmt::Display {
        self.iso("-", ":")
    }

    /// As HTTP writes it: `Thu, 12 Mar 2026 00:00:00 GMT` (`getlastmodified`, RFC 4918 15.7). Never before 1970.
    #[must_use]
    pub fn http(self) -> impl fmt::Display {
        let seconds = u64::try_from(self.0).unwrap_or_default();
        httpdate::HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    /// As ISO 8601 writes it, with these between the parts of the day and of the time.
    fn iso(self, dash: &'static str, colon: &'static str) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            let Fields {
                year,
                month,
                day,
                second,
            } = fields(self.0);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            write!(
                f,
                "{year:04}{dash}{month:02}{dash}{day:02}T{hour:02}{colon}{minute:02}{colon}{second:02}Z"
            )
        })
    }
}

/// A span of time, from its start up to its end. At least one of the two is there, and the end is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeRange {
    start: Option<UtcTime>,
    end: Option<UtcTime>,
}

impl TimeRange {
    /// A span; nothing, if both ends are open, or the end is not later than the start.
    #[must_use]
    pub fn new(start: Option<UtcTime>, end: Option<UtcTime>) -> Option<Self> {
        let is_valid = match (start, end) {
            (Some(start), Some(end)) => start < end,
            (None, None) => false,
            _ => true,
        };
        is_valid.then_some(Self { start, end })
    }

    /// Where it starts; nothing means at the beginning of time.
    #[must_use]
    pub const fn start(self) -> Option<UtcTime> {
        self.start
    }

    /// Where it ends, itself no longer in it; nothing means never.
    #[must_use]
    pub const fn end(self) -> Option<UtcTime> {
        self.end
    }
}

fn two(a: u8, b: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(a)? * 10 + digit(b)?)
}

/// Days since 1970 of a date of the Gregorian calendar; nothing, if there is no such day.
const fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1 | 3..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    // Years are counted from March, so that the leap day is the last.
    let shifted = if month > 2 { year } else { year - 1 };
    let from_march = (month + 9) % 12;
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The inverse of [`days`], with the second of the day.
const fn fields(unix: i64) -> Fields {
    let shifted = unix.div_euclid(DAY) + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    Fields {
        year: year_of_era + era * 400 + if month <= 2 { 1 } else { 0 },
        month,
        day: day_of_year - (153 * from_march + 2) / 5 + 1,
        second: unix.rem_euclid(DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_all_three_forms() {
        for (unix, icalendar, rfc3339, http) in [
            (
                0,
                "19700101T000000Z",
                "1970-01-01T00:00:00Z",
                "Thu, 01 Jan 1970 00:00:00 GMT",
            ),
            (
                951_782_400,
                "20000229T000000Z",
                "2000-02-29T00:00:00Z",
                "Tue, 29 Feb 2000 00:00:00 GMT",
            ),
            (
                1_773_316_799,
                "20260312T115959Z",
                "2026-03-12T11:59:59Z",
                "Thu, 12 Mar 2026 11:59:59 GMT",
            ),
            (
                LAST,
                "99991231T235959Z",
                "9999-12-31T23:59:59Z",
                "Fri, 31 Dec 9999 23:59:59 GMT",
            ),
        ] {
            let time = UtcTime::from_unix(unix).unwrap();
            assert_eq!(UtcTime::parse_icalendar(icalendar), Some(time));
            assert_eq!(UtcTime::parse_http(http), Some(time));
            assert_eq!(time.icalendar().to_string(), icalendar);
            assert_eq!(time.rfc3339().to_string(), rfc3339);
            assert_eq!(time.http().to_string(), http);
        }
        let first = UtcTime::parse_icalendar("00010101T000000Z").unwrap();
        assert_eq!(first.unix(), FIRST);
        assert_eq!(first.icalendar().to_string(), "00010101T000000Z");
    }

    #[test]
    fn what_is_no_moment_in_utc_is_none() {
        for text in [
            "",
            "20260312",
            "20260312T000000",
            "20260230T000000Z",
            "20261301T000000Z",
            "20260101T240000Z",
            "20260101T006000Z",
            "2026-03-12T00:00:00Z",
            "+0260312T000000Z",
            "00000101T000000Z",
            "20260312t000000Z",
        ] {
            assert_eq!(UtcTime::parse_icalendar(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_is_written_as_it_is_read() {
        for day in (FIRST / DAY..LAST / DAY).step_by(97) {
            let time = UtcTime::from_unix(day * DAY + 43_201).unwrap();
            assert_eq!(
                UtcTime::parse_icalendar(&time.icalendar().to_string()),
                Some(time)
            );
        }
    }

    #[test]
    fn a_span_ends_after_it_starts() {
        let [a, b] = [1, 2].map(UtcTime::from_unix);
        assert!(TimeRange::new(a, b).is_some());
        assert!(TimeRange::new(a, None).is_some() && TimeRange::new(None, b).is_some());
        assert_eq!(TimeRange::new(b, a), None);
        assert_eq!(TimeRange::new(a, a), None);
        assert_eq!(TimeRange::new(None, None), None);
    }
}
