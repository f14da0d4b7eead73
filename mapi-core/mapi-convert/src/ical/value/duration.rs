//! DURATION: days, which are as long as the calendar makes them, and exact time. Source: RFC 5545 3.3.6.

use std::fmt;

use super::{SECONDS_A_DAY, When};

/// A length of time, before or after.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Duration {
    /// Days, with the sign of the whole.
    pub days: i64,
    /// Seconds beside the days, with the sign of the whole.
    pub seconds: i64,
}

/// Numbers in a duration have no more digits than this.
const DIGITS_MAX: usize = 9;

impl Duration {
    /// So many seconds.
    pub const fn of_seconds(seconds: i64) -> Self {
        Self { days: 0, seconds }
    }

    /// Reads `-P1DT2H3M4S` or `P2W`; weeks and days together too, which programs write.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let rest = rest.strip_prefix(['P', 'p'])?;
        let (date, time) = match rest.split_once(['T', 't']) {
            Some((_, "")) => return None,
            Some((date, time)) => (date, time),
            None if rest.is_empty() => return None,
            None => (rest, ""),
        };
        let days = units(date, &[(b'W', 7), (b'D', 1)])?;
        let seconds = units(time, &[(b'H', 3600), (b'M', 60), (b'S', 1)])?;
        Some(Self {
            days: sign * days,
            seconds: sign * seconds,
        })
    }

    /// The whole in seconds, were every day of 24 hours.
    pub const fn total_seconds(self) -> i64 {
        self.days
            .saturating_mul(SECONDS_A_DAY)
            .saturating_add(self.seconds)
    }

    /// Whether it goes back in time.
    pub const fn is_negative(self) -> bool {
        self.days < 0 || self.seconds < 0
    }

    /// The time after `from`, by the clock there: exact only where the clock does not change in between.
    pub fn after_by_clock(self, from: &When) -> When {
        from.with_local(from.local().plus(self.total_seconds()))
    }
}

/// Numbers with units, each at most once and in order.
fn units(text: &str, units: &[(u8, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    for (unit, size) in units {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let Some(after) = tail.bytes().next().filter(|c| c.eq_ignore_ascii_case(unit)) else {
            continue;
        };
        if digits == 0 || digits > DIGITS_MAX {
            return None;
        }
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*size)?)?;
        rest = tail.strip_prefix(char::from(after))?;
    }
    rest.is_empty().then_some(total)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negative() {
            f.write_str("-")?;
        }
        let (days, seconds) = (self.days.unsigned_abs(), self.seconds.unsigned_abs());
        match (days, seconds) {
            (0, 0) => return f.write_str("PT0S"),
            (days, 0) if days % 7 == 0 => return write!(f, "P{}W", days / 7),
            (0, _) => f.write_str("P")?,
            (days, _) => write!(f, "P{days}D")?,
        }
        if seconds == 0 {
            return Ok(());
        }
        f.write_str("T")?;
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        // `PT1H5S` is no duration: units follow each other.
        if minutes > 0 || (hours > 0 && rest > 0) {
            write!(f, "{minutes}M")?;
        }
        if rest > 0 {
            write!(f, "{rest}S")?;
        }
        Ok(())
    }
}
