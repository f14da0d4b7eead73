//! What each component must have, may have once, and how values look. Source: RFC 5545 3.6, 3.8; RFC 7953; RFC 9074.

use super::{
    Property,
    value::{Date, Duration, LocalTime, Period, Recur, UtcOffset, When},
};

/// What a component must and may have. Properties that are not named may stand in it any number of times.
pub(super) struct ComponentRules {
    /// Its name.
    pub(super) name: &'static str,
    /// Exactly once.
    pub(super) required: &'static [&'static str],
    /// At most once.
    pub(super) once: &'static [&'static str],
    /// The components that may be in it, of those that are known; others, known or not, are let be.
    pub(super) within: &'static [&'static str],
}

/// Every component with rules.
const COMPONENTS: &[ComponentRules] = &[
    ComponentRules {
        name: "VEVENT",
        required: &["UID", "DTSTAMP", "DTSTART"],
        once: &[
            "CLASS",
            "CREATED",
            "DESCRIPTION",
            "GEO",
            "LAST-MODIFIED",
            "LOCATION",
            "ORGANIZER",
            "PRIORITY",
            "SEQUENCE",
            "STATUS",
            "SUMMARY",
            "TRANSP",
            "URL",
            "RECURRENCE-ID",
            "RRULE",
            "DTEND",
            "DURATION",
            "COLOR",
        ],
        within: &["VALARM"],
    },
    ComponentRules {
        name: "VTODO",
        required: &["UID", "DTSTAMP"],
        once: &[
            "CLASS",
            "COMPLETED",
            "CREATED",
            "DESCRIPTION",
            "DTSTART",
            "GEO",
            "LAST-MODIFIED",
            "LOCATION",
            "ORGANIZER",
            "PERCENT-COMPLETE",
            "PRIORITY",
            "RECURRENCE-ID",
            "SEQUENCE",
            "STATUS",
            "SUMMARY",
            "URL",
            "RRULE",
            "DUE",
            "DURATION",
            "COLOR",
        ],
        within: &["VALARM"],
    },
    ComponentRules {
        name: "VJOURNAL",
        required: &["UID", "DTSTAMP"],
        once: &[
            "CLASS",
            "CREATED",
            "DTSTART",
            "LAST-MODIFIED",
            "ORGANIZER",
            "RECURRENCE-ID",
            "SEQUENCE",
            "STATUS",
            "SUMMARY",
            "URL",
            "RRULE",
            "COLOR",
        ],
        within: &[],
    },
    ComponentRules {
        name: "VFREEBUSY",
        required: &["UID", "DTSTAMP"],
        once: &["CONTACT", "DTSTART", "DTEND", "ORGANIZER", "URL"],
        within: &[],
    },
    ComponentRules {
        name: "VAVAILABILITY",
        required: &["UID", "DTSTAMP"],
        once: &[
            "BUSYTYPE",
            "CLASS",
            "CREATED",
            "DESCRIPTION",
            "DTSTART",
            "LAST-MODIFIED",
            "LOCATION",
            "ORGANIZER",
            "PRIORITY",
            "SEQUENCE",
            "SUMMARY",
            "URL",
            "DTEND",
            "DURATION",
        ],
        within: &["AVAILABLE"],
    },
    ComponentRules {
        name: "AVAILABLE",
        required: &["UID", "DTSTAMP", "DTSTART"],
        once: &[
            "CREATED",
            "DESCRIPTION",
            "LAST-MODIFIED",
            "LOCATION",
            "RECURRENCE-ID",
            "RRULE",
            "SUMMARY",
            "DTEND",
            "DURATION",
        ],
        within: &[],
    },
    ComponentRules {
        name: "VALARM",
        required: &["ACTION", "TRIGGER"],
        once: &[
            "DURATION",
            "REPEAT",
            "UID",
            "ACKNOWLEDGED",
            "SUMMARY",
            "DESCRIPTION",
        ],
        within: &[],
    },
    ComponentRules {
        name: "VTIMEZONE",
        required: &["TZID"],
        once: &["LAST-MODIFIED", "TZURL", "TZUNTIL"],
        within: &["STANDARD", "DAYLIGHT"],
    },
    ComponentRules {
        name: "STANDARD",
        required: &["DTSTART", "TZOFFSETTO", "TZOFFSETFROM"],
        once: &[],
        within: &[],
    },
    ComponentRules {
        name: "DAYLIGHT",
        required: &["DTSTART", "TZOFFSETTO", "TZOFFSETFROM"],
        once: &[],
        within: &[],
    },
];

/// The rules of a component that has some.
pub(super) fn of(name: &str) -> Option<&'static ComponentRules> {
    COMPONENTS
        .iter()
        .find(|rules| rules.name.eq_ignore_ascii_case(name))
}

/// Whether a property's value looks as its name and VALUE demand; one that is not known may be anything.
pub(super) fn is_valid_value(property: &Property) -> bool {
    let value = property.value();
    let number = |range: std::ops::RangeInclusive<i64>| {
        let number = value.trim_ascii().parse::<i64>();
        number.is_ok_and(|number| range.contains(&number))
    };
    let is_time = |text: &str| When::of(property, text).is_some();
    match property.name().to_ascii_uppercase().as_str() {
        "DTSTART" | "DTEND" | "DUE" | "RECURRENCE-ID" | "DTSTAMP" | "CREATED" | "LAST-MODIFIED"
        | "COMPLETED" | "ACKNOWLEDGED" | "TZUNTIL" => is_valid_time(property),
        "EXDATE" => value.split(',').all(is_time),
        "RDATE" if property.param_is("VALUE", "PERIOD") => Period::list_of(property).is_some(),
        "RDATE" => value.split(',').all(is_time),
        "FREEBUSY" => Period::list_of(property).is_some(),
        "TRIGGER" if property.param_is("VALUE", "DATE-TIME") => is_time(value),
        "TRIGGER" => Duration::parse(value).is_some(),
        "DURATION" => Duration::parse(value).is_some_and(|length| !length.is_negative()),
        "REFRESH-INTERVAL" => Duration::parse(value).is_some(),
        "RRULE" | "EXRULE" => Recur::parse(value).is_ok_and(|rule| rule.check_together().is_ok()),
        "TZOFFSETFROM" | "TZOFFSETTO" => UtcOffset::parse(value).is_some(),
        "SEQUENCE" | "REPEAT" => number(0..=i64::from(i32::MAX)),
        "PRIORITY" => number(0..=9),
        "PERCENT-COMPLETE" => number(0..=100),
        "GEO" => is_valid_geo(value),
        "UID" | "TZID" => !value.trim_ascii().is_empty(),
        _ => true,
    }
}

/// A value of the type that VALUE names.
fn is_valid_time(property: &Property) -> bool {
    let value = property.value().trim_ascii();
    match property.param("VALUE") {
        Some(kind) if kind.eq_ignore_ascii_case("DATE") => Date::parse(value).is_some(),
        Some(kind) if kind.eq_ignore_ascii_case("DATE-TIME") => {
            LocalTime::parse(value.trim_end_matches(['Z', 'z'])).is_some()
        }
        Some(_) => false,
        None => When::of_property(property).is_some(),
    }
}

/// Source: RFC 5545 3.8.1.6. Some programs put a comma between the numbers.
fn is_valid_geo(value: &str) -> bool {
    let Some((latitude, longitude)) = value.split_once([';', ',']) else {
        return false;
    };
    let within = |text: &str, max: f64| {
        let number = text.trim_ascii().parse::<f64>();
        number.is_ok_and(|number| number.abs() <= max)
    };
    within(latitude, 90.0) && within(longitude, 180.0)
}
