//! PERIOD: a start, and an end or a length. Source: RFC 5545 3.3.9.

use std::fmt;

use super::{Duration, When};
use crate::ical::Property;

/// A span of time.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Period {
    /// From when.
    pub start: When,
    /// Until when.
    pub end: PeriodEnd,
}

/// How a period says where it ends.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum PeriodEnd {
    /// Until this time.
    Until(When),
    /// So long.
    For(Duration),
}

impl Period {
    /// Reads one value of a property such as FREEBUSY or RDATE.
    pub fn of(property: &Property, value: &str) -> Option<Self> {
        let (start, end) = value.split_once('/')?;
        let start = When::of(property, start).filter(|start| !start.is_date())?;
        let end = match Duration::parse(end) {
            Some(duration) if duration.is_negative() => return None,
            Some(duration) => PeriodEnd::For(duration),
            None => PeriodEnd::Until(When::of(property, end).filter(|end| !end.is_date())?),
        };
        Some(Self { start, end })
    }

    /// The values of a property that may have several; `None` when one cannot be read.
    pub fn list_of(property: &Property) -> Option<Vec<Self>> {
        let values = property.value().split(',');
        values.map(|value| Self::of(property, value)).collect()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.end {
            PeriodEnd::Until(end) => write!(f, "{}/{end}", self.start),
            PeriodEnd::For(duration) => write!(f, "{}/{duration}", self.start),
        }
    }
}
