//! Whether a document may be stored as a calendar object. Source: RFC 4791 4.1, 5.3.2.1; RFC 5545 3.6.

use std::{collections::HashSet, fmt};

use super::{
    Component, Document, Error, Node,
    resource_rules::{self, ComponentRules},
    value::When,
};

/// A document that may be stored: one VCALENDAR about one thing.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The VCALENDAR.
    pub calendar: &'a Component,
    /// What it is about.
    pub kind: Kind,
    /// The UID that all its components share.
    pub uid: &'a str,
}

/// What a calendar object is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// VEVENT.
    Event,
    /// VTODO.
    Todo,
    /// VJOURNAL.
    Journal,
    /// VFREEBUSY.
    FreeBusy,
    /// VAVAILABILITY. Source: RFC 7953.
    Availability,
}

/// Why a document may not be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// The precondition that it fails.
    pub condition: Condition,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong; names properties, never their values.
    pub reason: String,
}

/// CalDAV's preconditions for what is stored. Source: RFC 4791 5.3.2.1.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Condition {
    /// CALDAV:supported-calendar-data: no iCalendar 2.0.
    SupportedCalendarData,
    /// CALDAV:valid-calendar-data: not what RFC 5545 allows.
    ValidCalendarData,
    /// CALDAV:valid-calendar-object-resource: iCalendar, but not one object.
    ValidCalendarObjectResource,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Event,
        Self::Todo,
        Self::Journal,
        Self::FreeBusy,
        Self::Availability,
    ];

    /// The name of its components.
    pub const fn component(self) -> &'static str {
        match self {
            Self::Event => "VEVENT",
            Self::Todo => "VTODO",
            Self::Journal => "VJOURNAL",
            Self::FreeBusy => "VFREEBUSY",
            Self::Availability => "VAVAILABILITY",
        }
    }

    /// The kind of a component, if it is one that objects are about.
    pub fn of(component: &Component) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| component.is(kind.component()))
    }
}

impl<'a> Resource<'a> {
    /// Looks at a document that is to be stored.
    ///
    /// What RFC 5545 demands is demanded, but for what programs are known to get wrong and nobody misreads: a day
    /// without VALUE=DATE, UNTIL of another type than DTSTART, DTEND at DTSTART, times without `Z` in DTSTAMP.
    pub fn of(document: &'a Document) -> Result<Self, Invalid> {
        let calendar = match document.components.as_slice() {
            [calendar] => calendar,
            [] => return Err(object(1, "no VCALENDAR")),
            [_, second, ..] => return Err(object(second.line(), "a second VCALENDAR")),
        };
        if !calendar.is("VCALENDAR") {
            return Err(data(calendar.line(), "no VCALENDAR"));
        }
        check_calendar(calendar)?;
        for component in calendar.components() {
            check_component(component)?;
        }
        let resource = Self::of_components(calendar)?;
        resource.check_series()?;
        Ok(resource)
    }

    /// The components of the series or single thing: one without RECURRENCE-ID at most, and overrides.
    pub fn components(&self) -> impl Iterator<Item = &'a Component> + use<'a> {
        let name = self.kind.component();
        self.calendar
            .components()
            .filter(move |component| component.is(name))
    }

    /// The component without RECURRENCE-ID. An invitation to single times of a series has none.
    pub fn master(&self) -> Option<&'a Component> {
        self.components()
            .find(|component| component.property("RECURRENCE-ID").is_none())
    }

    /// The components with RECURRENCE-ID.
    pub fn overrides(&self) -> impl Iterator<Item = &'a Component> + use<'a> {
        self.components()
            .filter(|component| component.property("RECURRENCE-ID").is_some())
    }

    /// One kind, one UID.
    fn of_components(calendar: &'a Component) -> Result<Self, Invalid> {
        let mut found: Option<Self> = None;
        for component in calendar.components() {
            let Some(kind) = Kind::of(component) else {
                continue;
            };
            let uid = component.value("UID").unwrap_or_default().trim_ascii();
            let line = component.line();
            match &found {
                None => {
                    found = Some(Self {
                        calendar,
                        kind,
                        uid,
                    });
                }
                Some(first) if first.kind != kind => {
                    return Err(object(line, "components of two kinds"));
                }
                Some(first) if first.uid != uid => return Err(object(line, "a second UID")),
                Some(_) => {}
            }
        }
        found.ok_or_else(|| object(calendar.line(), "no component that can be stored"))
    }

    /// One master, and overrides that are told apart by a RECURRENCE-ID of its type.
    fn check_series(&self) -> Result<(), Invalid> {
        let mut masters = self
            .components()
            .filter(|component| component.property("RECURRENCE-ID").is_none());
        if let Some(second) = masters.nth(1) {
            let reason = "a second component without RECURRENCE-ID";
            return Err(object(second.line(), reason));
        }
        let start = self
            .master()
            .and_then(|master| master.property("DTSTART"))
            .and_then(When::of_property);
        let mut seen = HashSet::new();
        for component in self.overrides() {
            let id = component.property("RECURRENCE-ID");
            let when = id.and_then(When::of_property);
            let line = id.map_or(component.line(), super::Property::line);
            let (Some(id), Some(when)) = (id, when) else {
                return Err(data(line, "RECURRENCE-ID: not a valid value"));
            };
            let differs = |start: &When| start.is_date() != when.is_date();
            if start.as_ref().is_some_and(differs) {
                return Err(data(line, "RECURRENCE-ID: of another type than DTSTART"));
            }
            if !seen.insert((when, id.param("RANGE").map(str::to_ascii_uppercase))) {
                return Err(object(line, "RECURRENCE-ID: given twice"));
            }
        }
        Ok(())
    }
}

/// Source: RFC 5545 3.6, 3.7; RFC 4791 4.1.
fn check_calendar(calendar: &Component) -> Result<(), Invalid> {
    check_once(calendar, &["VERSION", "PRODID"], true)?;
    check_once(calendar, &["CALSCALE", "METHOD"], false)?;
    check_lines(calendar)?;
    if let Some(version) = calendar.property("VERSION").filter(|p| p.value() != "2.0") {
        let condition = Condition::SupportedCalendarData;
        return Err(invalid(condition, version.line(), "VERSION: not 2.0"));
    }
    let scale = calendar.property("CALSCALE");
    if let Some(scale) = scale.filter(|p| !p.value().eq_ignore_ascii_case("GREGORIAN")) {
        let condition = Condition::SupportedCalendarData;
        return Err(invalid(condition, scale.line(), "CALSCALE: not GREGORIAN"));
    }
    // RFC 4791 4.1.
    match calendar.property("METHOD") {
        Some(method) => Err(object(method.line(), "METHOD: not in a stored object")),
        None => Ok(()),
    }
}

/// A component with what is in it. Recursion is bounded by the parser's depth.
fn check_component(component: &Component) -> Result<(), Invalid> {
    check_lines(component)?;
    if let Some(rules) = resource_rules::of(component.name()) {
        check_once(component, rules.required, true)?;
        check_once(component, rules.once, false)?;
        check_times(component)?;
        check_within(component, rules)?;
    }
    component.components().try_for_each(check_component)
}

/// Components stand where they belong, and a VTIMEZONE says something.
fn check_within(component: &Component, rules: &ComponentRules) -> Result<(), Invalid> {
    let is_stray = |inner: &&Component| {
        let known = resource_rules::of(inner.name());
        known.is_some_and(|known| !rules.within.contains(&known.name))
    };
    if let Some(stray) = component.components().find(is_stray) {
        return Err(data(stray.line(), "a component where it cannot be"));
    }
    if component.is("VTIMEZONE") && component.components().next().is_none() {
        let reason = "VTIMEZONE: neither STANDARD nor DAYLIGHT";
        return Err(data(component.line(), reason));
    }
    Ok(())
}

/// Whether properties are there at most once, or exactly once.
fn check_once(component: &Component, names: &[&str], is_required: bool) -> Result<(), Invalid> {
    for name in names {
        let mut found = component.all(name);
        if found.next().is_none() && is_required {
            let reason = format!("{name}: missing in {}", component.name());
            return Err(data(component.line(), reason));
        }
        if let Some(second) = found.next() {
            return Err(data(second.line(), format!("{name}: given twice")));
        }
    }
    Ok(())
}

/// Values that can be read, in characters that XML can carry.
fn check_lines(component: &Component) -> Result<(), Invalid> {
    for node in &component.nodes {
        let Node::Property(property) = node else {
            continue;
        };
        let is_bad = |text: &str| text.chars().any(is_unprintable);
        let params = property.params();
        let has_bad_param = params.iter().any(|param| {
            param
                .values
                .iter()
                .any(|value| is_bad(&value.replace('\n', "")))
        });
        if has_bad_param || is_bad(property.value()) {
            let reason = "a control character";
            return Err(data(property.line(), reason));
        }
        if !resource_rules::is_valid_value(property) {
            let reason = format!("{}: not a valid value", property.name());
            return Err(data(property.line(), reason));
        }
    }
    Ok(())
}

/// Neither XML 1.0 nor RFC 5545 has them.
const fn is_unprintable(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0a'..='\x1f' | '\x7f' | '\u{fffe}' | '\u{ffff}')
}

/// Ends that go with the start. Source: RFC 5545 3.6.1, 3.6.2, 3.8.2.2, 3.8.2.3.
fn check_times(component: &Component) -> Result<(), Invalid> {
    let length = component.property("DURATION");
    let end = ["DTEND", "DUE"]
        .iter()
        .find_map(|name| component.property(name));
    if let (Some(length), Some(_)) = (length, end)
        && !component.is("VALARM")
    {
        return Err(data(length.line(), "DURATION: beside an end"));
    }
    let start = component.property("DTSTART").and_then(When::of_property);
    if let (Some(length), true) = (length, component.is("VTODO") && start.is_none()) {
        return Err(data(length.line(), "DURATION: without DTSTART"));
    }
    let (Some(end), Some(start)) = (end, start) else {
        return Ok(());
    };
    let Some(until) = When::of_property(end) else {
        return Ok(());
    };
    if until.is_date() != start.is_date() {
        let reason = format!("{}: of another type than DTSTART", end.name());
        return Err(data(end.line(), reason));
    }
    let is_comparable = until.with_local(start.local()) == start;
    if is_comparable && until.local() < start.local() {
        return Err(data(end.line(), format!("{}: before DTSTART", end.name())));
    }
    Ok(())
}

impl From<Error> for Invalid {
    fn from(error: Error) -> Self {
        data(error.line, error.reason.to_string())
    }
}

fn invalid(condition: Condition, line: usize, reason: impl Into<String>) -> Invalid {
    Invalid {
        condition,
        line,
        reason: reason.into(),
    }
}

fn data(line: usize, reason: impl Into<String>) -> Invalid {
    invalid(Condition::ValidCalendarData, line, reason)
}

fn object(line: usize, reason: impl Into<String>) -> Invalid {
    invalid(Condition::ValidCalendarObjectResource, line, reason)
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for Invalid {}
