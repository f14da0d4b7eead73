//! UTC-OFFSET. Source: RFC 5545 3.3.14.

use std::fmt;

/// Seconds that local time is ahead of UTC.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UtcOffset(pub i32);

/// No clock is a day or more away from UTC.
const SECONDS_MAX: i32 = 86_400 - 1;

impl UtcOffset {
    /// Reads `+0100` or `-003730`. `-0000` occurs and is 0.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let (sign, digits) = match text.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        };
        if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let part = |from: usize| match digits.get(from..from + 2) {
            Some(part) => part.parse::<i32>().ok(),
            None => Some(0),
        };
        let (hours, minutes, seconds) = (part(0)?, part(2)?, part(4)?);
        if hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        Some(Self(sign * (hours * 3600 + minutes * 60 + seconds)))
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let seconds = self.0.saturating_abs().min(SECONDS_MAX);
        write!(f, "{sign}{:02}{:02}", seconds / 3600, seconds / 60 % 60)?;
        match seconds % 60 {
            0 => Ok(()),
            rest => write!(f, "{rest:02}"),
        }
    }
}
