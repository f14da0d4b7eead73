//! The body of REPORT: which report, and what it asks for (RFC 3253 3.6).

use super::address_query::{AddressQuery, read_limit};
use super::calendar_query::{CalendarQuery, time_range};
use super::document;
use super::principal_reports::{
    ExpandProperty, PrincipalMatch, PrincipalPropertySearch, PrincipalSearch,
};
use super::properties::RequestedData;
use crate::condition::Condition;
use crate::error::Result;
use crate::limits::{HREFS_MAX, Limit, Limits};
use crate::name::Namespace;
use crate::property::ReportName;
use crate::time::TimeRange;
use crate::xml::{Reader, Start};

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Changes since a token.
    SyncCollection(SyncCollection),
    /// Calendar objects that match.
    CalendarQuery(CalendarQuery),
    /// Calendar objects by address.
    CalendarMultiget(Multiget),
    /// When a calendar's owner is busy.
    FreeBusyQuery(FreeBusyQuery),
    /// Cards that match.
    AddressbookQuery(AddressQuery),
    /// Cards by address.
    AddressbookMultiget(Multiget),
    /// Principals whose properties match.
    PrincipalPropertySearch(PrincipalPropertySearch),
    /// Resources that are the current user's.
    PrincipalMatch(PrincipalMatch),
    /// Which properties can be searched.
    PrincipalSearchPropertySet,
    /// Properties of the principals in the access control list.
    AclPrincipalPropSet(RequestedData),
    /// Properties, and those of what they name.
    ExpandProperty(Vec<ExpandProperty>),
    /// Principals by the words of a name.
    PrincipalSearch(PrincipalSearch),
}

/// `sync-collection` (RFC 6578 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncCollection {
    /// The token of the last answer; nothing at first.
    pub token: Option<String>,
    /// How deep. One level, if the client does not say, as before the RFC.
    pub level: SyncLevel,
    /// How many members at most (RFC 5323 5.17).
    pub limit: Option<u32>,
    /// What is asked for of each.
    pub data: RequestedData,
}

/// How deep changes are told (RFC 6578 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncLevel {
    /// Members of the collection.
    One,
    /// Members of members, too.
    Infinite,
}

/// `calendar-multiget` or `addressbook-multiget` (RFC 4791 7.9, RFC 6352 8.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multiget {
    /// The addresses as they are written; each is to be read with [`Href::parse`](crate::Href::parse) and answered,
    /// with 404 if it cannot be.
    pub hrefs: Vec<String>,
    /// What is asked for of each.
    pub data: RequestedData,
}

/// `free-busy-query` (RFC 4791 7.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeBusyQuery {
    /// In which span.
    pub time_range: TimeRange,
}

impl Report {
    /// Reads a body. A report that is not known breaks `supported-report` (RFC 3253 3.6).
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self> {
        document(body, limits, |reader, root| {
            let (namespace, local) = root.name();
            let Some(name) = namespace.and_then(|known| ReportName::find(known, local)) else {
                return Err(root.breaks(Condition::SupportedReport));
            };
            match name {
                ReportName::SyncCollection => {
                    SyncCollection::read(reader, root).map(Self::SyncCollection)
                }
                ReportName::CalendarQuery => {
                    CalendarQuery::read(reader, root).map(Self::CalendarQuery)
                }
                ReportName::CalendarMultiget => {
                    Multiget::read(reader, root).map(Self::CalendarMultiget)
                }
                ReportName::FreeBusyQuery => {
                    FreeBusyQuery::read(reader, root).map(Self::FreeBusyQuery)
                }
                ReportName::AddressbookQuery => {
                    AddressQuery::read(reader, root).map(Self::AddressbookQuery)
                }
                ReportName::AddressbookMultiget => {
                    Multiget::read(reader, root).map(Self::AddressbookMultiget)
                }
                ReportName::PrincipalPropertySearch => {
                    PrincipalPropertySearch::read(reader, root).map(Self::PrincipalPropertySearch)
                }
                ReportName::PrincipalMatch => {
                    PrincipalMatch::read(reader, root).map(Self::PrincipalMatch)
                }
                ReportName::PrincipalSearchPropertySet => Ok(Self::PrincipalSearchPropertySet),
                ReportName::AclPrincipalPropSet => {
                    data_only(reader, root).map(Self::AclPrincipalPropSet)
                }
                ReportName::ExpandProperty => {
                    ExpandProperty::read_all(reader, root).map(Self::ExpandProperty)
                }
                ReportName::CalendarServerPrincipalSearch => {
                    PrincipalSearch::read(reader, root).map(Self::PrincipalSearch)
                }
            }
        })
    }
}

fn data_only(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<RequestedData> {
    let mut data = RequestedData::default();
    while let Some(child) = reader.child(root)? {
        data.read(reader, &child)?;
    }
    Ok(data)
}

impl SyncCollection {
    fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let (mut token, mut level, mut limit) = (None, SyncLevel::One, None);
        let mut data = RequestedData::default();
        while let Some(child) = reader.child(root)? {
            match child.name() {
                (Some(Namespace::Dav), "sync-token") => {
                    token = Some(reader.trimmed(&child)?);
                }
                (Some(Namespace::Dav), "sync-level") => {
                    level = match reader.trimmed(&child)?.as_str() {
                        "1" => SyncLevel::One,
                        "infinite" | "infinity" => SyncLevel::Infinite,
                        _ => return Err(child.expected("1 or infinite")),
                    };
                }
                (Some(Namespace::Dav), "limit") => limit = read_limit(reader, &child)?,
                _ => {
                    data.read(reader, &child)?;
                }
            }
        }
        let Some(token) = token else {
            return Err(root.expected("sync-token"));
        };
        Ok(Self {
            token: Some(token).filter(|token| !token.is_empty()),
            level,
            limit,
            data,
        })
    }
}

impl Multiget {
    fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut hrefs = Vec::new();
        let mut data = RequestedData::default();
        while let Some(child) = reader.child(root)? {
            if child.is(Namespace::Dav, "href") {
                if hrefs.len() == HREFS_MAX {
                    return Err(child.exceeds(Limit::Hrefs));
                }
                hrefs.push(reader.trimmed(&child)?);
            } else {
                data.read(reader, &child)?;
            }
        }
        if hrefs.is_empty() {
            return Err(root.expected("href"));
        }
        Ok(Self { hrefs, data })
    }
}

impl FreeBusyQuery {
    fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut found = None;
        while let Some(child) = reader.child(root)? {
            if child.is(Namespace::CalDav, "time-range") {
                match time_range(&child) {
                    Some(range) if found.is_none() => found = Some(range),
                    _ => return Err(child.expected("one span in UTC")),
                }
            }
        }
        match found {
            Some(time_range) => Ok(Self { time_range }),
            None => Err(root.expected("time-range")),
        }
    }
}
