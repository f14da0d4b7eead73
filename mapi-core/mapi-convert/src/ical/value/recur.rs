//! RECUR: the rule of a series. Source: RFC 5545 3.3.10, RFC 7529.

use std::num::NonZeroU32;

use super::{Weekday, When};

/// A recurrence rule. Lists are sorted and without doubles; an empty one is a part that is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recur {
    /// FREQ.
    pub frequency: Frequency,
    /// INTERVAL.
    pub interval: NonZeroU32,
    /// COUNT, UNTIL or neither.
    pub end: End,
    /// BYSECOND, from 0 to 60.
    pub by_second: Vec<u8>,
    /// BYMINUTE, from 0 to 59.
    pub by_minute: Vec<u8>,
    /// BYHOUR, from 0 to 23.
    pub by_hour: Vec<u8>,
    /// BYDAY.
    pub by_day: Vec<WeekdayNumber>,
    /// BYMONTHDAY, from 1 to 31 or -1 to -31.
    pub by_month_day: Vec<i8>,
    /// BYYEARDAY, from 1 to 366 or -1 to -366.
    pub by_year_day: Vec<i16>,
    /// BYWEEKNO, from 1 to 53 or -1 to -53.
    pub by_week_no: Vec<i8>,
    /// BYMONTH, from 1 to 12.
    pub by_month: Vec<u8>,
    /// BYSETPOS, from 1 to 366 or -1 to -366.
    pub by_set_pos: Vec<i16>,
    /// WKST.
    pub week_start: Weekday,
    /// RSCALE in capitals; `None`: Gregorian.
    pub calendar: Option<Box<str>>,
    /// SKIP.
    pub skip: Skip,
}

/// FREQ.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Frequency {
    /// SECONDLY.
    Secondly,
    /// MINUTELY.
    Minutely,
    /// HOURLY.
    Hourly,
    /// DAILY.
    Daily,
    /// WEEKLY.
    Weekly,
    /// MONTHLY.
    Monthly,
    /// YEARLY.
    Yearly,
}

/// Where a rule ends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum End {
    /// Nowhere.
    #[default]
    Never,
    /// After so many times.
    Count(u32),
    /// At the last time that is not after this.
    Until(When),
}

/// What becomes of days that a month does not have. Source: RFC 7529 4.1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Skip {
    /// They are left out.
    #[default]
    Omit,
    /// The day before.
    Backward,
    /// The day after.
    Forward,
}

/// A weekday, all of them in a period or one by its number. Source: `weekdaynum`, RFC 5545 3.3.10.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WeekdayNumber {
    /// Which one, from 1 or from the end with -1, up to 53; 0: all.
    pub number: i8,
    /// The day.
    pub day: Weekday,
}

/// Why a rule cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecurError {
    /// A part without `=`, or one that is given twice.
    Part,
    /// FREQ is missing or unknown.
    Frequency,
    /// INTERVAL is no number from 1 on.
    Interval,
    /// COUNT is no number from 1 on, UNTIL no time, or both are given.
    End,
    /// A list has something that it may not have.
    List,
    /// WKST, RSCALE or SKIP is none.
    Other,
    /// Parts that do not go together.
    Together,
}

impl Recur {
    /// A rule of that frequency and nothing else.
    pub const fn new(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: NonZeroU32::MIN,
            end: End::Never,
            by_second: Vec::new(),
            by_minute: Vec::new(),
            by_hour: Vec::new(),
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_year_day: Vec::new(),
            by_week_no: Vec::new(),
            by_month: Vec::new(),
            by_set_pos: Vec::new(),
            week_start: Weekday::Monday,
            calendar: None,
            skip: Skip::Omit,
        }
    }

    /// Whether the rule counts in the Gregorian calendar, so that it can be expanded here.
    pub fn is_gregorian(&self) -> bool {
        let gregorian = |name: &str| name.eq_ignore_ascii_case("GREGORIAN");
        self.calendar.as_deref().is_none_or(gregorian)
    }

    /// What the grammar cannot say about parts that go together. Source: RFC 5545 3.3.10.
    ///
    /// Checked for stored objects only: a rule that breaks this is still read, for old programs wrote such rules.
    pub fn check_together(&self) -> Result<(), RecurError> {
        let frequency = self.frequency;
        let numbered = self.by_day.iter().any(|day| day.number != 0);
        let wrong = [
            numbered && !matches!(frequency, Frequency::Monthly | Frequency::Yearly),
            numbered && frequency == Frequency::Yearly && !self.by_week_no.is_empty(),
            !self.by_month_day.is_empty() && frequency == Frequency::Weekly,
            !self.by_week_no.is_empty() && frequency != Frequency::Yearly,
            !self.by_year_day.is_empty()
                && matches!(
                    frequency,
                    Frequency::Daily | Frequency::Weekly | Frequency::Monthly
                ),
            !self.by_set_pos.is_empty() && !self.has_lists(),
        ];
        match wrong.contains(&true) {
            true => Err(RecurError::Together),
            false => Ok(()),
        }
    }

    /// Whether any BY part but BYSETPOS is given.
    fn has_lists(&self) -> bool {
        !(self.by_second.is_empty()
            && self.by_minute.is_empty()
            && self.by_hour.is_empty()
            && self.by_day.is_empty()
            && self.by_month_day.is_empty()
            && self.by_year_day.is_empty()
            && self.by_week_no.is_empty()
            && self.by_month.is_empty())
    }
}

impl Frequency {
    /// Every frequency with its name.
    pub(super) const NAMES: [(Self, &'static str); 7] = [
        (Self::Secondly, "SECONDLY"),
        (Self::Minutely, "MINUTELY"),
        (Self::Hourly, "HOURLY"),
        (Self::Daily, "DAILY"),
        (Self::Weekly, "WEEKLY"),
        (Self::Monthly, "MONTHLY"),
        (Self::Yearly, "YEARLY"),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(frequency, _)| *frequency == self);
        named.map_or("", |(_, name)| name)
    }
}

impl std::fmt::Display for RecurError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Part => "a part without a value or given twice",
            Self::Frequency => "no known FREQ",
            Self::Interval => "INTERVAL is no number from 1 on",
            Self::End => "COUNT or UNTIL is wrong, or both are given",
            Self::List => "a list has what it may not have",
            Self::Other => "WKST, RSCALE or SKIP is unknown",
            Self::Together => "parts that do not go together",
        })
    }
}
