//! What DTSTART and its like say. Source: RFC 5545 3.3.4, 3.3.5, 3.8.2.

use std::fmt;

use super::{Date, LocalTime};
use crate::ical::Property;

/// A day, or a moment in one of the three ways to say one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum When {
    /// A day, wherever one is.
    Date(Date),
    /// A time, wherever one is.
    Floating(LocalTime),
    /// A time in UTC.
    Utc(LocalTime),
    /// A time somewhere: in the zone of this TZID.
    Zoned(LocalTime, Box<str>),
}

impl When {
    /// Reads one value of a property, with its VALUE and TZID. Source: RFC 5545 3.2.19, 3.2.20.
    ///
    /// A TZID beside a day or a time in UTC means nothing, and programs write one.
    pub fn of(property: &Property, value: &str) -> Option<Self> {
        let value = value.trim_ascii();
        // A day is recognised by its form too: programs leave VALUE out.
        if property.param_is("VALUE", "DATE") || value.len() == 8 {
            return Date::parse(value).map(Self::Date);
        }
        if let Some(utc) = value.strip_suffix(['Z', 'z']) {
            return LocalTime::parse(utc).map(Self::Utc);
        }
        let local = LocalTime::parse(value)?;
        Some(match property.param("TZID") {
            Some(zone) => Self::Zoned(local, zone.into()),
            None => Self::Floating(local),
        })
    }

    /// The value of a property that has one.
    pub fn of_property(property: &Property) -> Option<Self> {
        Self::of(property, property.value())
    }

    /// The values of a property that may have several, such as EXDATE; `None` when one cannot be read.
    pub fn list_of(property: &Property) -> Option<Vec<Self>> {
        let values = property.value().split(',');
        values.map(|value| Self::of(property, value)).collect()
    }

    /// The time where it is, midnight of a day.
    pub const fn local(&self) -> LocalTime {
        match self {
            Self::Date(date) => date.at(0),
            Self::Floating(local) | Self::Utc(local) | Self::Zoned(local, _) => *local,
        }
    }

    /// The same kind of time at another time.
    #[must_use]
    pub fn with_local(&self, local: LocalTime) -> Self {
        match self {
            Self::Date(_) => Self::Date(local.date()),
            Self::Floating(_) => Self::Floating(local),
            Self::Utc(_) => Self::Utc(local),
            Self::Zoned(_, zone) => Self::Zoned(local, zone.clone()),
        }
    }

    /// Whether it is a day.
    pub const fn is_date(&self) -> bool {
        matches!(self, Self::Date(_))
    }

    /// Its zone, if it names one.
    pub fn zone(&self) -> Option<&str> {
        match self {
            Self::Zoned(_, zone) => Some(zone),
            _ => None,
        }
    }

    /// A property that says so.
    pub fn property(&self, name: &str) -> Property {
        let property = Property::new(name, self.to_string());
        match self {
            Self::Date(_) => property.with_param("VALUE", "DATE"),
            Self::Zoned(_, zone) => property.with_param("TZID", zone.as_ref()),
            Self::Floating(_) | Self::Utc(_) => property,
        }
    }
}

impl fmt::Display for When {
    /// The value without the zone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::Floating(local) | Self::Zoned(local, _) => local.fmt(f),
            Self::Utc(local) => write!(f, "{local}Z"),
        }
    }
}
