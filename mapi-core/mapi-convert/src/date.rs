//! Dates of header fields.
//!
//! Source: RFC 5322 3.3 and 4.3, RFC 2822's obsolete zones; also the variants that programs write: missing or wrong
//! day names, two-digit years, seconds left out, `UTC`, zones without a sign, and `asctime` order.

use crate::cursor::{Cursor, is_space};

/// A moment with the sender's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Seconds since 1970-01-01 UTC.
    pub unix: i64,
    /// Minutes the zone is east of UTC.
    pub zone_minutes: i32,
}

/// Reads a Date field's value; `None` when day, month, year or time cannot be found.
pub fn parse(value: &[u8]) -> Option<Date> {
    let mut cursor = Cursor::new(value);
    skip(&mut cursor);
    if cursor.peek()?.is_ascii_alphabetic() {
        let word = cursor.take_while(|b| b.is_ascii_alphabetic());
        skip(&mut cursor);
        if let Some(month) = month(word) {
            return asctime(&mut cursor, month);
        }
        if cursor.peek()?.is_ascii_alphabetic() {
            let month = month(cursor.take_while(|b| b.is_ascii_alphabetic()))?;
            skip(&mut cursor);
            return asctime(&mut cursor, month);
        }
    }
    let day = number(&mut cursor)?;
    skip(&mut cursor);
    let month = month(cursor.take_while(|b| b.is_ascii_alphabetic()))?;
    skip(&mut cursor);
    let year = year(&mut cursor)?;
    skip(&mut cursor);
    let seconds = time(&mut cursor)?;
    moment([year, month, day], seconds, zone(&mut cursor))
}

/// `Jan  2 15:04:05 [zone] 2006`: the month has been read.
fn asctime(cursor: &mut Cursor<'_>, month: i64) -> Option<Date> {
    let day = number(cursor)?;
    skip(cursor);
    let seconds = time(cursor)?;
    skip(cursor);
    let zone_minutes = if cursor.peek()?.is_ascii_digit() {
        0
    } else {
        zone(cursor)
    };
    skip(cursor);
    let year = year(cursor)?;
    skip(cursor);
    let zone_minutes = if cursor.is_empty() {
        zone_minutes
    } else {
        zone(cursor)
    };
    moment([year, month, day], seconds, zone_minutes)
}

fn moment([year, month, day]: [i64; 3], seconds: i64, zone_minutes: i32) -> Option<Date> {
    if !(1..=31).contains(&day) {
        return None;
    }
    let unix = days(year, month, day) * 86_400 + seconds - i64::from(zone_minutes) * 60;
    Some(Date { unix, zone_minutes })
}

/// A Date field's value in UTC, from seconds since 1970-01-01. Source: RFC 5322 3.3.
pub fn text(unix: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let weekday = usize::try_from(days.rem_euclid(7))
        .ok()
        .and_then(|i| DAYS.get(i));
    let month = usize::try_from(month - 1).ok().and_then(|i| MONTHS.get(i));
    format!(
        "{}, {day} {} {year:04} {:02}:{:02}:{:02} +0000",
        weekday.unwrap_or(&"Thu"),
        month.unwrap_or(&"Jan"),
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// A time in UTC as `2026-11-26T21:00:00Z`, from seconds since 1970-01-01. Source: RFC 3339 5.6.
pub fn rfc3339(unix: i64) -> String {
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar; days beyond a month's end run into the next.
pub const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01: the inverse of [`days`].
pub const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

fn time(cursor: &mut Cursor<'_>) -> Option<i64> {
    let separator = |cursor: &mut Cursor<'_>| {
        let mut ahead = *cursor;
        ahead.skip_cfws();
        let found = ahead.eat(b':') || ahead.eat(b'.');
        if found {
            ahead.skip_cfws();
            *cursor = ahead;
        }
        found
    };
    let hour = number(cursor)?;
    if !separator(cursor) {
        return None;
    }
    let minute = number(cursor)?;
    let second = if separator(cursor) {
        number(cursor)?
    } else {
        0
    };
    if separator(cursor) {
        // Fractions of a second.
        number(cursor)?;
    }
    // 60 is a leap second.
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// Minutes east of UTC; what is not known is taken for UTC.
fn zone(cursor: &mut Cursor<'_>) -> i32 {
    cursor.skip_cfws();
    let sign = match cursor.peek() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => {
            let name = cursor
                .take_while(|b| b.is_ascii_alphabetic())
                .to_ascii_uppercase();
            // `GMT+0200` and `UTC-5` occur.
            return match cursor.peek() {
                Some(b'+' | b'-') => zone(cursor),
                _ => named_zone(&name),
            };
        }
        _ => 0,
    };
    if sign == 0 {
        return 0;
    }
    cursor.bump();
    let digits = cursor.take_while(|b| b.is_ascii_digit() || b == b':');
    let mut value = 0_i32;
    let mut count = 0;
    for digit in digits.iter().filter(|b| b.is_ascii_digit()).take(4) {
        value = value * 10 + i32::from(digit - b'0');
        count += 1;
    }
    let minutes = if count <= 2 {
        value * 60
    } else {
        value / 100 * 60 + value % 100
    };
    // No zone is farther than 14 hours from UTC; generous.
    if minutes > 24 * 60 { 0 } else { sign * minutes }
}

fn named_zone(name: &[u8]) -> i32 {
    60 * match name {
        b"EDT" => -4,
        b"EST" | b"CDT" => -5,
        b"CST" | b"MDT" => -6,
        b"MST" | b"PDT" => -7,
        b"PST" => -8,
        b"CET" | b"MET" | b"BST" => 1,
        b"CEST" | b"MEST" | b"EET" => 2,
        b"JST" => 9,
        // RFC 5322 4.3: military zones mean nothing certain; so do unknown names.
        _ => 0,
    }
}

fn year(cursor: &mut Cursor<'_>) -> Option<i64> {
    let digits = cursor
        .rest()
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count();
    let year = number(cursor)?;
    // RFC 5322 4.3.
    let year = match (digits, year) {
        (1 | 2, 0..=49) => year + 2000,
        (1..=3, _) => year + 1900,
        _ => year,
    };
    (year <= 9999).then_some(year)
}

fn month(word: &[u8]) -> Option<i64> {
    const MONTHS: [&[u8]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
        b"dec",
    ];
    let word = word.get(..3)?.to_ascii_lowercase();
    MONTHS
        .iter()
        .position(|name| *name == word)
        .map(|index| index as i64 + 1)
}

fn number(cursor: &mut Cursor<'_>) -> Option<i64> {
    let digits = cursor.take_while(|b| b.is_ascii_digit());
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0')),
    )
}

/// Skips white space, comments, and the punctuation that separates date parts.
fn skip(cursor: &mut Cursor<'_>) {
    loop {
        let (_, skipped) = cursor.skip_cfws();
        let punctuation =
            cursor.take_while(|b| matches!(b, b',' | b'-' | b'.' | b'/') && !is_space(b));
        // A sign before digits may be a zone's; separators come with words or digits on both sides.
        if !skipped && punctuation.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_internet_are_written() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_827_696), "2000-02-29T12:34:56Z");
    }

    #[test]
    fn dates_are_read_as_mail_programs_write_them() {
        let cases: [(&str, Option<(i64, i32)>); 17] = [
            (
                "Mon, 2 Jan 2006 15:04:05 -0700",
                Some((1_136_239_445, -420)),
            ),
            ("2 Jan 2006 15:04:05 -0700", Some((1_136_239_445, -420))),
            (" 02 jan 06 22:04:05 GMT\r\n", Some((1_136_239_445, 0))),
            ("Mon, 2 Jan 2006 22:04 +0000", Some((1_136_239_440, 0))),
            (
                "Mon,\r\n 2 Jan 2006 (winter) 22:04:05 (UTC)",
                Some((1_136_239_445, 0)),
            ),
            ("Mon Jan  2 22:04:05 2006", Some((1_136_239_445, 0))),
            ("Mon Jan 2 17:04:05 EST 2006", Some((1_136_239_445, -300))),
            ("2-Jan-2006 22:04:05 +0000", Some((1_136_239_445, 0))),
            ("Mon, 2 Jan 2006 15:04:05 PDT", Some((1_136_239_445, -420))),
            ("Thu, 1 Jan 1970 00:00:00 +0000", Some((0, 0))),
            ("Thu, 1 Jan 1970 00:00:00 Z", Some((0, 0))),
            ("Mon, 29 Feb 104 00:00:00 +0000", Some((1_078_012_800, 0))),
            ("Mon, 2 Jan 2006 24:04:05", None),
            ("2 Foo 2006 15:04:05", None),
            ("", None),
            ("99999999999999999999 Jan 2006 1:2:3", None),
            ("today", None),
        ];
        for (value, expected) in cases {
            let found = parse(value.as_bytes()).map(|date| (date.unix, date.zone_minutes));
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn dates_are_written_as_the_calendar_has_them() {
        let check = |unix, expected| assert_eq!(text(unix), expected);
        check(0, "Thu, 1 Jan 1970 00:00:00 +0000");
        check(951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000");
        check(951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000");
        check(1_772_442_672, "Mon, 2 Mar 2026 09:11:12 +0000");
        check(4_102_444_799, "Thu, 31 Dec 2099 23:59:59 +0000");
    }

    #[test]
    fn days_and_civil_dates_are_inverse() {
        for day in (-800_000..800_000).step_by(37) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
    }
}
