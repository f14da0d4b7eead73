//! A rule as the text of a line, both ways. Source: RFC 5545 3.3.10, RFC 7529 4.1.

use std::{fmt, num::NonZeroU32};

use super::{
    Date, End, Frequency, LocalTime, Recur, RecurError, Skip, Weekday, WeekdayNumber, When,
};

/// Octets of a rule; the longest that has every value of every list is below.
const RULE_BYTES_MAX: usize = 16 << 10;

impl Recur {
    /// Reads a rule. Unknown parts and an X- part are errors of the grammar, but programs write X- parts: they are skipped.
    pub fn parse(text: &str) -> Result<Self, RecurError> {
        if text.len() > RULE_BYTES_MAX {
            return Err(RecurError::List);
        }
        let mut rule = Self::new(Frequency::Daily);
        let mut seen: Vec<String> = Vec::new();
        for part in text.trim_ascii().trim_end_matches(';').split(';') {
            let (name, value) = part.split_once('=').ok_or(RecurError::Part)?;
            let name = name.trim_ascii().to_ascii_uppercase();
            if seen.contains(&name) {
                return Err(RecurError::Part);
            }
            rule.part(&name, value.trim_ascii())?;
            seen.push(name);
        }
        let has = |name: &str| seen.iter().any(|seen| seen == name);
        if !has("FREQ") {
            return Err(RecurError::Frequency);
        }
        if has("COUNT") && has("UNTIL") {
            return Err(RecurError::End);
        }
        Ok(rule)
    }

    fn part(&mut self, name: &str, value: &str) -> Result<(), RecurError> {
        match name {
            "FREQ" => {
                let named = Frequency::NAMES
                    .iter()
                    .find(|(_, name)| name.eq_ignore_ascii_case(value));
                self.frequency = named.ok_or(RecurError::Frequency)?.0;
            }
            "INTERVAL" => self.interval = value.parse().map_err(|_| RecurError::Interval)?,
            "COUNT" => {
                let count: NonZeroU32 = value.parse().map_err(|_| RecurError::End)?;
                self.end = End::Count(count.get());
            }
            "UNTIL" => self.end = End::Until(until(value).ok_or(RecurError::End)?),
            "BYSECOND" => self.by_second = numbers(value, 0..=60)?,
            "BYMINUTE" => self.by_minute = numbers(value, 0..=59)?,
            "BYHOUR" => self.by_hour = numbers(value, 0..=23)?,
            "BYDAY" => self.by_day = weekdays(value).ok_or(RecurError::List)?,
            "BYMONTHDAY" => self.by_month_day = signed(value, 31)?,
            "BYYEARDAY" => self.by_year_day = signed(value, 366)?,
            "BYWEEKNO" => self.by_week_no = signed(value, 53)?,
            "BYMONTH" => self.by_month = numbers(value, 1..=12)?,
            "BYSETPOS" => self.by_set_pos = signed(value, 366)?,
            "WKST" => self.week_start = Weekday::from_code(value).ok_or(RecurError::Other)?,
            "RSCALE" => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
                if value.is_empty() || !value.chars().all(is_name) {
                    return Err(RecurError::Other);
                }
                self.calendar = Some(value.to_ascii_uppercase().into());
            }
            "SKIP" => {
                self.skip = match value.to_ascii_uppercase().as_str() {
                    "OMIT" => Skip::Omit,
                    "BACKWARD" => Skip::Backward,
                    "FORWARD" => Skip::Forward,
                    _ => return Err(RecurError::Other),
                }
            }
            _ if name.starts_with("X-") => {}
            _ => return Err(RecurError::Part),
        }
        Ok(())
    }
}

/// UNTIL is a day, a time in UTC, or a time where DTSTART is.
fn until(value: &str) -> Option<When> {
    if let Some(date) = Date::parse(value) {
        return Some(When::Date(date));
    }
    match value.strip_suffix(['Z', 'z']) {
        Some(utc) => LocalTime::parse(utc).map(When::Utc),
        None => LocalTime::parse(value).map(When::Floating),
    }
}

/// A list of numbers within a range.
fn numbers<T: TryFrom<i32> + Ord>(
    value: &str,
    range: std::ops::RangeInclusive<i32>,
) -> Result<Vec<T>, RecurError> {
    let read = |item: &str| {
        let number: i32 = item.trim_ascii().parse().ok()?;
        range.contains(&number).then_some(())?;
        T::try_from(number).ok()
    };
    let list: Option<Vec<T>> = value.split(',').map(read).collect();
    let mut list = list.ok_or(RecurError::List)?;
    list.sort();
    list.dedup();
    Ok(list)
}

/// A list of numbers from 1 or -1 to `max` or `-max`.
fn signed<T: TryFrom<i32> + Ord>(value: &str, max: i32) -> Result<Vec<T>, RecurError> {
    let has_zero = value
        .split(',')
        .any(|item| item.trim_ascii().parse::<i32>() == Ok(0));
    match has_zero {
        true => Err(RecurError::List),
        false => numbers(value, -max..=max),
    }
}

fn weekdays(value: &str) -> Option<Vec<WeekdayNumber>> {
    let read = |item: &str| {
        let item = item.trim_ascii();
        let (number, day) = item.split_at_checked(item.len().checked_sub(2)?)?;
        let number: i8 = match number {
            "" => 0,
            number => number.parse().ok().filter(|number| *number != 0)?,
        };
        let day = Weekday::from_code(day)?;
        (-53..=53)
            .contains(&number)
            .then_some(WeekdayNumber { number, day })
    };
    let list: Option<Vec<_>> = value.split(',').map(read).collect();
    let mut list = list?;
    list.sort_unstable();
    list.dedup();
    Some(list)
}

impl fmt::Display for Recur {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(calendar) = &self.calendar {
            write!(f, "RSCALE={calendar};")?;
        }
        write!(f, "FREQ={}", self.frequency.name())?;
        match &self.end {
            End::Never => {}
            End::Count(count) => write!(f, ";COUNT={count}")?,
            End::Until(until) => write!(f, ";UNTIL={until}")?,
        }
        if self.interval.get() != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        list(f, "BYMONTH", &self.by_month)?;
        list(f, "BYWEEKNO", &self.by_week_no)?;
        list(f, "BYYEARDAY", &self.by_year_day)?;
        list(f, "BYMONTHDAY", &self.by_month_day)?;
        list(f, "BYDAY", &self.by_day)?;
        list(f, "BYHOUR", &self.by_hour)?;
        list(f, "BYMINUTE", &self.by_minute)?;
        list(f, "BYSECOND", &self.by_second)?;
        list(f, "BYSETPOS", &self.by_set_pos)?;
        if self.week_start != Weekday::Monday {
            write!(f, ";WKST={}", self.week_start.code())?;
        }
        match self.skip {
            Skip::Omit => Ok(()),
            Skip::Backward => f.write_str(";SKIP=BACKWARD"),
            Skip::Forward => f.write_str(";SKIP=FORWARD"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, items: &[impl fmt::Display]) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        match place {
            0 => write!(f, ";{name}={item}")?,
            _ => write!(f, ",{item}")?,
        }
    }
    Ok(())
}

impl fmt::Display for WeekdayNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            0 => f.write_str(self.day.code()),
            number => write!(f, "{number}{}", self.day.code()),
        }
    }
}
