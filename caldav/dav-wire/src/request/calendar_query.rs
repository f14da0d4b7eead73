//! The filter of `calendar-query` (RFC 4791 7.8, 9.7), with what calendarserver.org's `calendar-query-extended` adds:
//! `test` on filters of components and properties, `match-type` on texts.

use super::collation::{Collation, TextMatch};
use super::properties::RequestedData;
use crate::condition::Condition;
use crate::error::Result;
use crate::limits::{FILTERS_MAX, Limit};
use crate::name::Namespace;
use crate::time::{TimeRange, UtcTime};
use crate::xml::{Reader, Start};

/// The report `calendar-query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarQuery {
    /// What is asked for of each object that matches.
    pub data: RequestedData,
    /// Which objects match: a filter for the component `VCALENDAR`.
    pub filter: CompFilter,
    /// An iCalendar object with the time zone of floating times (RFC 4791 9.8), unchecked.
    pub timezone: Option<String>,
    /// The name of that zone instead (RFC 7809 5.3), unchecked.
    pub timezone_id: Option<String>,
}

/// Whether all of several tests must hold, or one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// All of them.
    AllOf,
    /// One of them.
    AnyOf,
}

/// A filter for components (RFC 4791 9.7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompFilter {
    /// The component's name, in capitals.
    pub name: String,
    /// What must hold of it.
    pub test: CompTest,
}

/// What must hold of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompTest {
    /// There is none.
    IsNotDefined,
    /// There is one of which this holds; with nothing in it, there is one.
    Matches {
        /// Whether all of these must hold, or one.
        test: Test,
        /// It overlaps this span. Only of components with times.
        time_range: Option<TimeRange>,
        /// Its properties match.
        properties: Vec<PropFilter>,
        /// Components in it match. Only such as may be in it.
        components: Vec<CompFilter>,
    },
}

/// A filter for a component's properties (RFC 4791 9.7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropFilter {
    /// The property's name, in capitals.
    pub name: String,
    /// What must hold of it.
    pub test: PropTest,
}

/// What must hold of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropTest {
    /// There is none.
    IsNotDefined,
    /// There is one of which this holds; with nothing in it, there is one.
    Matches {
        /// Whether all of these must hold, or one.
        test: Test,
        /// Its time is in this span. Only of properties with a time.
        time_range: Option<TimeRange>,
        /// Its value matches.
        text: Option<TextMatch>,
        /// Its parameters match.
        parameters: Vec<ParamFilter>,
    },
}

/// A filter for a property's parameters (RFC 4791 9.7.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamFilter {
    /// The parameter's name, in capitals.
    pub name: String,
    /// What must hold of it.
    pub test: ParamTest,
}

/// What must hold of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamTest {
    /// There is none.
    IsNotDefined,
    /// There is one.
    IsDefined,
    /// Its value matches.
    Text(TextMatch),
}

/// What breaks which precondition in a filter of calendar objects.
const REFUSALS: (Condition, Condition) = (
    Condition::CalendarSupportedCollation,
    Condition::ValidFilter,
);

impl CalendarQuery {
    pub(crate) fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut data = RequestedData::default();
        let (mut filter, mut timezone, mut timezone_id) = (None, None, None);
        while let Some(child) = reader.child(root)? {
            match child.name() {
                (Some(Namespace::CalDav), "filter") if filter.is_none() => {
                    filter = Some(read_filter(reader, &child)?);
                }
                (Some(Namespace::CalDav), "filter") => {
                    return Err(child.breaks(Condition::ValidFilter));
                }
                (Some(Namespace::CalDav), "timezone") => timezone = Some(reader.text(&child)?),
                (Some(Namespace::CalDav), "timezone-id") => {
                    timezone_id = Some(reader.trimmed(&child)?);
                }
                _ => {
                    data.read(reader, &child)?;
                }
            }
        }
        if timezone.is_some() && timezone_id.is_some() {
            return Err(root.expected("one of timezone and timezone-id"));
        }
        let Some(filter) = filter else {
            return Err(root.breaks(Condition::ValidFilter));
        };
        Ok(Self {
            data,
            filter,
            timezone,
            timezone_id,
        })
    }
}

/// The span of an element with `start` and `end`; nothing, if it is none.
pub(crate) fn time_range(element: &Start<'_>) -> Option<TimeRange> {
    let time = |name| match element.attribute(name) {
        Some(text) => UtcTime::parse_icalendar(&text).map(Some),
        None => Some(None),
    };
    TimeRange::new(time("start")?, time("end")?)
}

fn read_filter(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<CompFilter> {
    let mut count = 0;
    let mut filter = None;
    while let Some(child) = reader.child(start)? {
        if child.is(Namespace::CalDav, "comp-filter") {
            if filter.is_some() {
                return Err(child.breaks(Condition::ValidFilter));
            }
            filter = Some(CompFilter::read(reader, &child, None, &mut count)?);
        }
    }
    filter.ok_or_else(|| start.breaks(Condition::ValidFilter))
}

impl CompFilter {
    fn read(
        reader: &mut Reader<'_>,
        start: &Start<'_>,
        parent: Option<&str>,
        count: &mut usize,
    ) -> Result<Self> {
        let name = filter_name(start, count)?;
        if !may_contain(parent, &name) {
            return Err(start.breaks(Condition::ValidFilter));
        }
        let (mut is_not_defined, mut range) = (false, None);
        let (mut properties, mut components) = (Vec::new(), Vec::new());
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::CalDav), "is-not-defined") => is_not_defined = true,
                (Some(Namespace::CalDav), "time-range") if has_times(&name) => {
                    range = Some(filter_range(&child, range)?);
                }
                (Some(Namespace::CalDav), "time-range") => {
                    return Err(child.breaks(Condition::ValidFilter));
                }
                (Some(Namespace::CalDav), "prop-filter") => {
                    properties.push(PropFilter::read(reader, &child, count)?);
                }
                (Some(Namespace::CalDav), "comp-filter") => {
                    components.push(Self::read(reader, &child, Some(&name), count)?);
                }
                _ => {}
            }
        }
        let is_empty = range.is_none() && properties.is_empty() && components.is_empty();
        let test = match (is_not_defined, is_empty) {
            (true, true) => CompTest::IsNotDefined,
            (true, false) => return Err(start.breaks(Condition::ValidFilter)),
            (false, _) => CompTest::Matches {
                test: filter_test(start)?,
                time_range: range,
                properties,
                components,
            },
        };
        Ok(Self { name, test })
    }
}

impl PropFilter {
    fn read(reader: &mut Reader<'_>, start: &Start<'_>, count: &mut usize) -> Result<Self> {
        let name = filter_name(start, count)?;
        let (mut is_not_defined, mut range, mut text) = (false, None, None);
        let mut parameters = Vec::new();
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::CalDav), "is-not-defined") => is_not_defined = true,
                (Some(Namespace::CalDav), "time-range") if has_time(&name) => {
                    range = Some(filter_range(&child, range)?);
                }
                (Some(Namespace::CalDav), "text-match") if text.is_none() => {
                    text = Some(calendar_text(reader, &child)?);
                }
                (Some(Namespace::CalDav), "time-range" | "text-match") => {
                    return Err(child.breaks(Condition::ValidFilter));
                }
                (Some(Namespace::CalDav), "param-filter") => {
                    parameters.push(ParamFilter::read(reader, &child, count)?);
                }
                _ => {}
            }
        }
        // RFC 4791 9.7.2: a time or a text, not both.
        let is_empty = range.is_none() && text.is_none() && parameters.is_empty();
        if (is_not_defined && !is_empty) || (range.is_some() && text.is_some()) {
            return Err(start.breaks(Condition::ValidFilter));
        }
        let test = if is_not_defined {
            PropTest::IsNotDefined
        } else {
            PropTest::Matches {
                test: filter_test(start)?,
                time_range: range,
                text,
                parameters,
            }
        };
        Ok(Self { name, test })
    }
}

impl ParamFilter {
    fn read(reader: &mut Reader<'_>, start: &Start<'_>, count: &mut usize) -> Result<Self> {
        let name = filter_name(start, count)?;
        let mut test = ParamTest::IsDefined;
        while let Some(child) = reader.child(start)? {
            let found = match child.name() {
                (Some(Namespace::CalDav), "is-not-defined") => ParamTest::IsNotDefined,
                (Some(Namespace::CalDav), "text-match") => {
                    ParamTest::Text(calendar_text(reader, &child)?)
                }
                _ => continue,
            };
            if test != ParamTest::IsDefined {
                return Err(child.breaks(Condition::ValidFilter));
            }
            test = found;
        }
        Ok(Self { name, test })
    }
}

fn calendar_text(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<TextMatch> {
    TextMatch::read(reader, start, Collation::AsciiCasemap, REFUSALS)
}

fn filter_name(start: &Start<'_>, count: &mut usize) -> Result<String> {
    *count += 1;
    if *count > FILTERS_MAX {
        return Err(start.exceeds(Limit::Filters));
    }
    match start.attribute("name") {
        Some(name) if !name.is_empty() => Ok(name.to_ascii_uppercase()),
        _ => Err(start.breaks(Condition::ValidFilter)),
    }
}

fn filter_range(start: &Start<'_>, earlier: Option<TimeRange>) -> Result<TimeRange> {
    time_range(start)
        .filter(|_| earlier.is_none())
        .ok_or_else(|| start.breaks(Condition::ValidFilter))
}

fn filter_test(start: &Start<'_>) -> Result<Test> {
    match start.attribute("test").as_deref() {
        None | Some("allof") => Ok(Test::AllOf),
        Some("anyof") => Ok(Test::AnyOf),
        Some(_) => Err(start.breaks(Condition::ValidFilter)),
    }
}

/// Whether a component may be in another one (RFC 5545 3.6, RFC 7953 3.1, RFC 9073 7); one nobody knows, anywhere.
fn may_contain(parent: Option<&str>, name: &str) -> bool {
    let Some(parent) = parent else {
        return name == "VCALENDAR";
    };
    match name {
        "VCALENDAR" => false,
        "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY" | "VTIMEZONE" | "VAVAILABILITY" => {
            parent == "VCALENDAR"
        }
        "VALARM" => matches!(parent, "VEVENT" | "VTODO" | "VAVAILABILITY"),
        "STANDARD" | "DAYLIGHT" => parent == "VTIMEZONE",
        "AVAILABLE" => parent == "VAVAILABILITY",
        _ => true,
    }
}

/// Whether a component has times that a span can overlap (RFC 4791 9.9, RFC 7953 7.3).
fn has_times(component: &str) -> bool {
    matches!(
        component,
        "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY" | "VALARM" | "VAVAILABILITY" | "AVAILABLE"
    )
}

/// Whether a property has a time that may be in a span (RFC 4791 9.9; RECURRENCE-ID by the same rule).
fn has_time(property: &str) -> bool {
    matches!(
        property,
        "COMPLETED"
            | "CREATED"
            | "DTEND"
            | "DTSTAMP"
            | "DTSTART"
            | "DUE"
            | "LAST-MODIFIED"
            | "RECURRENCE-ID"
    )
}
