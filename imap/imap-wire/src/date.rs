//! Dates of SEARCH (`1-Feb-1994`) and date-times of INTERNALDATE and APPEND (`" 1-Feb-1994 21:52:25 -0800"`).

use crate::response::write_two_digits;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const SECONDS_PER_DAY: i64 = 86_400;
/// The days before year 0 and after year 9999, counted from 1970-01-01, lie outside this range.
const DAYS: std::ops::RangeInclusive<i64> = -719_528..=2_932_896;

/// A day of the proleptic Gregorian calendar, years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day, when it exists: `month` and `day` from 1, `year` up to 9999.
    #[must_use]
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = year <= 9999
            && (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// Year, month from 1, day from 1.
    #[must_use]
    pub const fn ymd(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Days since 1970-01-01, negative before.
    #[must_use]
    pub fn days_since_epoch(self) -> i64 {
        // Years are counted from March, so that the leap day is the last of its year.
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The day that many days after 1970-01-01; the nearest possible one outside years 0 to 9999.
    #[must_use]
    pub fn from_days_since_epoch(days: i64) -> Self {
        let shifted = days.clamp(*DAYS.start(), *DAYS.end()) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        }
    }

    /// Parses `date-text` of RFC 3501, as in `1-Feb-1994`; a leading space or zero may pad the day.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut fields = text.split(|&byte| byte == b'-');
        let (day, month, year) = (fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() || year.len() != 4 {
            return None;
        }
        let day = number(day.strip_prefix(b" ").unwrap_or(day), 2)?;
        let month = MONTHS
            .iter()
            .position(|name| name.as_bytes().eq_ignore_ascii_case(month))?
            + 1;
        Self::new(
            number(year, 4)?,
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    }

    fn write_after_day(self, out: &mut Vec<u8>) {
        out.push(b'-');
        let month = MONTHS
            .get(usize::from(self.month).wrapping_sub(1))
            .unwrap_or(&"Jan");
        out.extend_from_slice(month.as_bytes());
        out.push(b'-');
        write_two_digits(out, self.year / 100);
        write_two_digits(out, self.year % 100);
    }
}

/// A date and time with its zone, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DateTime {
    date: Date,
    /// Seconds since midnight in the zone, below 86,400.
    second_of_day: u32,
    zone_minutes: i16,
}

impl DateTime {
    /// The local time in a zone that is `zone_minutes` east of UTC; `None` when hour, minute, second or zone
    /// (up to 99 hours and 59 minutes) are out of range. A leap second becomes the second before it.
    #[must_use]
    pub fn new(date: Date, time: (u8, u8, u8), zone_minutes: i16) -> Option<Self> {
        let (hour, minute, second) = time;
        if hour > 23 || minute > 59 || second > 60 || zone_minutes.unsigned_abs() > 99 * 60 + 59 {
            return None;
        }
        let second_of_day =
            u32::from(hour) * 3600 + u32::from(minute) * 60 + u32::from(second.min(59));
        Some(Self {
            date,
            second_of_day,
            zone_minutes,
        })
    }

    /// A time in seconds since 1970-01-01 UTC, as seen `zone_minutes` east of Greenwich. Times outside the years
    /// 0 to 9999 become the nearest day inside; a zone out of range becomes UTC.
    #[must_use]
    pub fn from_unix(seconds: i64, zone_minutes: i16) -> Self {
        let zone_minutes = if zone_minutes.unsigned_abs() > 99 * 60 + 59 {
            0
        } else {
            zone_minutes
        };
        let local = seconds.saturating_add(i64::from(zone_minutes) * 60);
        Self {
            date: Date::from_days_since_epoch(local.div_euclid(SECONDS_PER_DAY)),
            second_of_day: local.rem_euclid(SECONDS_PER_DAY) as u32,
            zone_minutes,
        }
    }

    /// Seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.date.days_since_epoch() * SECONDS_PER_DAY + i64::from(self.second_of_day)
            - i64::from(self.zone_minutes) * 60
    }

    /// The local day.
    #[must_use]
    pub const fn date(self) -> Date {
        self.date
    }

    /// Minutes east of UTC.
    #[must_use]
    pub const fn zone_minutes(self) -> i16 {
        self.zone_minutes
    }

    /// Parses `date-time` of RFC 3501 without its quotes: ` 1-Feb-1994 21:52:25 -0800`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (pad, rest) = match text.strip_prefix(b" ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut fields = rest.split(|&byte| byte == b' ');
        let (date, time, zone) = (fields.next()?, fields.next()?, fields.next()?);
        // date-day-fixed: two digits, or a space and one.
        if fields.next().is_some() || (pad && date.get(1) != Some(&b'-')) {
            return None;
        }
        let mut parts = time.split(|&byte| byte == b':');
        let mut two = || number(parts.next().filter(|part| part.len() == 2)?, 2);
        let time = (two()? as u8, two()? as u8, two()? as u8);
        if parts.next().is_some() {
            return None;
        }
        let (sign, digits) = match zone {
            [b'+', digits @ ..] => (1, digits),
            [b'-', digits @ ..] => (-1, digits),
            _ => return None,
        };
        let zone = number(digits, 4).filter(|zone| digits.len() == 4 && zone % 100 < 60)?;
        let zone_minutes = i16::try_from(zone / 100 * 60 + zone % 100).ok()? * sign;
        Self::new(Date::parse(date)?, time, zone_minutes)
    }

    /// Appends the date-time in quotes: `"01-Feb-1994 21:52:25 -0800"`. Of the two forms of a day that RFC 9051 has
    /// for `date-day-fixed`, this is the one that more clients expect.
    pub fn write(self, out: &mut Vec<u8>) {
        out.push(b'"');
        write_two_digits(out, u16::from(self.date.day));
        self.date.write_after_day(out);
        out.push(b' ');
        write_two_digits(out, (self.second_of_day / 3600) as u16);
        out.push(b':');
        write_two_digits(out, (self.second_of_day / 60 % 60) as u16);
        out.push(b':');
        write_two_digits(out, (self.second_of_day % 60) as u16);
        out.extend_from_slice(if self.zone_minutes < 0 { b" -" } else { b" +" });
        let zone = self.zone_minutes.unsigned_abs();
        write_two_digits(out, zone / 60);
        write_two_digits(out, zone % 60);
        out.push(b'"');
    }
}

fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A number of one to `digits_max` decimal digits.
fn number(text: &[u8], digits_max: usize) -> Option<u16> {
    if text.is_empty() || text.len() > digits_max || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        text.iter()
            .fold(0, |value, digit| value * 10 + u16::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, unix: i64) {
        let time = DateTime::parse(text.as_bytes()).expect(text);
        assert_eq!(time.unix_seconds(), unix, "{text}");
        let mut out = Vec::new();
        DateTime::from_unix(unix, time.zone_minutes()).write(&mut out);
        assert_eq!(out, format!("\"{text}\"").as_bytes());
    }

    #[test]
    fn date_times_are_read_and_written() {
        check("01-Jan-1970 00:00:00 +0000", 0);
        check("17-Jul-1996 02:44:25 -0700", 837_596_665);
        check("29-Feb-2000 23:59:59 +0530", 951_848_999);
        check("01-Jan-0000 00:00:00 +0000", -62_167_219_200);
        check("31-Dec-9999 23:59:59 +0000", 253_402_300_799);
    }

    #[test]
    fn a_day_below_ten_may_be_padded_with_a_space() {
        let padded = DateTime::parse(b" 1-Jan-1970 00:00:00 +0000");
        assert_eq!(padded, DateTime::parse(b"01-Jan-1970 00:00:00 +0000"));
        assert!(padded.is_some());
    }

    #[test]
    fn impossible_date_times_are_refused() {
        for text in [
            "",
            "30-Feb-2020 00:00:00 +0000",
            "1-Jan-2020 24:00:00 +0000",
            "1-Jan-2020 00:00 +0000",
            "1-Jan-2020 00:00:00 0000",
            "1-Jan-2020 00:00:00 +00:00",
            "1-Jan-20 00:00:00 +0000",
            "1-Foo-2020 00:00:00 +0000",
            " 11-Jan-2020 00:00:00 +0000",
            "+1-Jan-2020 00:00:00 +0000",
            "1-Jan-2020 00:00:00 +0060",
            "1-Jan-2020  00:00:00 +0000",
            "0-Jan-2020 00:00:00 +0000",
        ] {
            assert_eq!(DateTime::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_day_survives_the_way_through_day_numbers() {
        for days in (*DAYS.start()..=*DAYS.end()).step_by(13) {
            let date = Date::from_days_since_epoch(days);
            assert_eq!(date.days_since_epoch(), days);
            assert_eq!(Date::new(date.year, date.month, date.day), Some(date));
        }
        assert_eq!(Date::from_days_since_epoch(i64::MAX).ymd(), (9999, 12, 31));
        assert_eq!(Date::from_days_since_epoch(i64::MIN).ymd(), (0, 1, 1));
    }
}
