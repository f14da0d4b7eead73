//! Which parts of calendar objects a report asks for: `calendar-data` (RFC 4791 9.6).

use super::calendar_query::time_range;
use crate::condition::Condition;
use crate::error::Result;
use crate::limits::{Limit, SELECTIONS_MAX};
use crate::name::Namespace;
use crate::time::TimeRange;
use crate::xml::{Reader, Start};

/// What of each object is asked for. The default is all of it, as it was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarData {
    /// The component, always `VCALENDAR`, with what is wanted of it; nothing: everything.
    pub component: Option<ComponentSelection>,
    /// What is done with recurring components.
    pub recurrences: Option<Recurrences>,
    /// Only `FREEBUSY` values that overlap this span (RFC 4791 9.6.7); both its ends are there.
    pub free_busy: Option<TimeRange>,
}

/// What is done with recurring components; both ends of the spans are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recurrences {
    /// Instances in this span, each as a component of its own, times in UTC (RFC 4791 9.6.5).
    Expand(TimeRange),
    /// The rule, and only those exceptions that matter in this span (RFC 4791 9.6.6).
    Limit(TimeRange),
}

/// All, or those that are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection<T> {
    /// All of them.
    All,
    /// These.
    Listed(Vec<T>),
}

/// What of a component is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentSelection {
    /// Its name, in capitals.
    pub name: String,
    /// Which properties.
    pub properties: Selection<PropertySelection>,
    /// Which components in it.
    pub components: Selection<Self>,
}

/// A property that is wanted, of a calendar component or a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertySelection {
    /// Its name, in capitals; of a card perhaps with a group before it.
    pub name: String,
    /// Whether it is wanted without its value.
    pub without_value: bool,
}

impl CalendarData {
    /// Reads a `calendar-data`. Another type than iCalendar 2.0 breaks `supported-calendar-data`.
    pub(crate) fn read(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<Self> {
        let content_type = start.attribute("content-type");
        let is_icalendar = content_type.is_none_or(|name| is_type(&name, "text/calendar"));
        let version = start.attribute("version");
        if !is_icalendar || version.is_some_and(|version| version != "2.0") {
            return Err(start.breaks(Condition::SupportedCalendarData));
        }
        let mut data = Self::default();
        let mut count = 0;
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::CalDav), "comp") => {
                    let component = ComponentSelection::read(reader, &child, &mut count)?;
                    if data.component.is_some() || component.name != "VCALENDAR" {
                        return Err(child.expected("one VCALENDAR"));
                    }
                    data.component = Some(component);
                }
                (Some(Namespace::CalDav), "expand" | "limit-recurrence-set")
                    if data.recurrences.is_some() =>
                {
                    return Err(child.expected("one of expand and limit-recurrence-set"));
                }
                (Some(Namespace::CalDav), "expand") => {
                    data.recurrences = Some(Recurrences::Expand(closed_range(&child)?));
                }
                (Some(Namespace::CalDav), "limit-recurrence-set") => {
                    data.recurrences = Some(Recurrences::Limit(closed_range(&child)?));
                }
                (Some(Namespace::CalDav), "limit-freebusy-set") => {
                    data.free_busy = Some(closed_range(&child)?);
                }
                _ => {}
            }
        }
        Ok(data)
    }
}

impl ComponentSelection {
    fn read(reader: &mut Reader<'_>, start: &Start<'_>, count: &mut usize) -> Result<Self> {
        count_selection(start, count)?;
        let mut selection = Self {
            name: name_attribute(start)?,
            properties: Selection::Listed(Vec::new()),
            components: Selection::Listed(Vec::new()),
        };
        let mut is_bare = true;
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::CalDav), "allprop") => selection.properties = Selection::All,
                (Some(Namespace::CalDav), "allcomp") => selection.components = Selection::All,
                (Some(Namespace::CalDav), "prop") => {
                    let property = PropertySelection::read(&child, count)?;
                    if let Selection::Listed(list) = &mut selection.properties {
                        list.push(property);
                    }
                }
                (Some(Namespace::CalDav), "comp") => {
                    let component = Self::read(reader, &child, count)?;
                    if let Selection::Listed(list) = &mut selection.components {
                        list.push(component);
                    }
                }
                _ => continue,
            }
            is_bare = false;
        }
        // One that says nothing more is wanted whole: the examples of RFC 4791 (7.8.1) answer so.
        if is_bare {
            selection.properties = Selection::All;
            selection.components = Selection::All;
        }
        Ok(selection)
    }
}

impl PropertySelection {
    pub(crate) fn read(start: &Start<'_>, count: &mut usize) -> Result<Self> {
        count_selection(start, count)?;
        Ok(Self {
            name: name_attribute(start)?,
            without_value: start.attribute("novalue").as_deref() == Some("yes"),
        })
    }
}

/// Whether a media type is this one, whatever its case and parameters.
pub(crate) fn is_type(value: &str, expected: &str) -> bool {
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(expected)
}

fn name_attribute(start: &Start<'_>) -> Result<String> {
    match start.attribute("name") {
        Some(name) if !name.is_empty() => Ok(name.to_ascii_uppercase()),
        _ => Err(start.expected("the attribute name")),
    }
}

fn count_selection(start: &Start<'_>, count: &mut usize) -> Result<()> {
    *count += 1;
    if *count > SELECTIONS_MAX {
        return Err(start.exceeds(Limit::Selections));
    }
    Ok(())
}

fn closed_range(start: &Start<'_>) -> Result<TimeRange> {
    time_range(start)
        .filter(|range| range.start().is_some() && range.end().is_some())
        .ok_or_else(|| start.expected("start and a later end in UTC"))
}
