//! Times as RFC 3339 writes them.

use crate::node::Node;

/// Ticks of 100 ns in a second.
const TICKS_A_SECOND: u64 = 10_000_000;

/// Days from 0000-03-01 to 1601-01-01, in the calendar of today.
const DAYS_BEFORE_1601: u64 = 584_694;

/// The last year that RFC 3339 can write.
const YEAR_MAX: u64 = 9999;

/// PtypTime: 100 ns ticks since 1601-01-01 UTC. What RFC 3339 cannot write is a number.
pub(crate) fn time(ticks: u64) -> Node {
    let seconds = ticks / TICKS_A_SECOND;
    let (year, month, day) = date(seconds / 86_400);
    if year > YEAR_MAX {
        return Node::Number(ticks.into());
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let fraction = match ticks % TICKS_A_SECOND {
        0 => String::new(),
        ticks => format!(".{ticks:07}"),
    };
    Node::Word(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"
    ))
}

/// Year, month and day of a day after 1601-01-01. Years are counted from March, so that the leap day comes last.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_BEFORE_1601;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
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
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_rfc_3339() {
        let cases = [
            (0, "1601-01-01T00:00:00Z"),
            (0x019d_b1de_d53e_8000, "1970-01-01T00:00:00Z"),
            (0x01bf_53eb_244e_e999, "1999-12-31T23:59:58.1234585Z"),
            (0x01bf_82ac_8101_6000, "2000-02-29T12:00:00Z"),
            (0x0cb3_4557_a3dd_4000, "4501-01-01T00:00:00Z"),
        ];
        for (ticks, text) in cases {
            assert_eq!(time(ticks), Node::word(text), "{ticks:x}");
        }
        assert_eq!(time(u64::MAX), Node::Number(u64::MAX.into()));
    }
}
