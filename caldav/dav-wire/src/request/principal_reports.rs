//! Reports on principals, and `expand-property` (RFC 3744 9, RFC 3253 3.8, calendarserver.org).

use super::address_query::read_limit;
use super::calendar_query::Test;
use super::collation::MatchType;
use super::properties::{RequestedData, names};
use crate::error::Result;
use crate::limits::{FILTERS_MAX, Limit, PROPERTIES_MAX};
use crate::name::Namespace;
use crate::property::PropertyName;
use crate::xml::{Reader, Start};

/// `principal-property-search`: principals whose properties match (RFC 3744 9.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalPropertySearch {
    /// What must be found.
    pub searches: Vec<PropertySearch>,
    /// Whether all must be found, or one (calendarserver.org).
    pub test: Test,
    /// `type`: users, groups, locations, resources (calendarserver.org).
    pub kind: Option<String>,
    /// Whether the collections of `principal-collection-set` are searched instead of the one asked.
    pub in_principal_collections: bool,
    /// How many at most (calendarserver.org).
    pub limit: Option<u32>,
    /// What is asked for of each.
    pub data: RequestedData,
}

/// One text in some properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertySearch {
    /// In which.
    pub properties: Vec<PropertyName>,
    /// The text. Case does not count.
    pub text: String,
    /// Where in the value it must be found.
    pub match_type: MatchType,
}

/// `principal-match`: members of a collection that are the current user (RFC 3744 9.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalMatch {
    /// How they are the user.
    pub by: PrincipalSelf,
    /// What is asked for of each.
    pub data: RequestedData,
}

/// How a resource is the current user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalSelf {
    /// It is the user's principal, or a group of the user.
    Principal,
    /// This property of it names the user.
    Property(PropertyName),
}

/// A property whose addresses are followed: `expand-property` (RFC 3253 3.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandProperty {
    /// Which one.
    pub name: PropertyName,
    /// What is asked for at each address in it; nothing: it is not followed.
    pub properties: Vec<Self>,
}

/// `calendarserver-principal-search`: principals by the words of a name, for completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalSearch {
    /// Words; each must be found.
    pub tokens: Vec<String>,
    /// What they are wanted for: `attendee`, `location`…
    pub context: Option<String>,
    /// How many at most.
    pub limit: Option<u32>,
    /// What is asked for of each.
    pub data: RequestedData,
}

impl PrincipalPropertySearch {
    pub(crate) fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut search = Self {
            searches: Vec::new(),
            test: match root.attribute("test").as_deref() {
                Some("anyof") => Test::AnyOf,
                _ => Test::AllOf,
            },
            kind: root.attribute("type").map(std::borrow::Cow::into_owned),
            in_principal_collections: false,
            limit: None,
            data: RequestedData::default(),
        };
        while let Some(child) = reader.child(root)? {
            match child.name() {
                (Some(Namespace::Dav), "property-search") => {
                    if search.searches.len() == FILTERS_MAX {
                        return Err(child.exceeds(Limit::Filters));
                    }
                    search.searches.push(PropertySearch::read(reader, &child)?);
                }
                (Some(Namespace::Dav), "apply-to-principal-collection-set") => {
                    search.in_principal_collections = true;
                }
                (Some(Namespace::CalendarServer), "limit") => {
                    search.limit = read_limit(reader, &child)?;
                }
                _ => {
                    search.data.read(reader, &child)?;
                }
            }
        }
        if search.searches.is_empty() {
            return Err(root.expected("property-search"));
        }
        Ok(search)
    }
}

impl PropertySearch {
    fn read(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<Self> {
        let (mut properties, mut text, mut match_type) = (Vec::new(), None, MatchType::Contains);
        while let Some(child) = reader.child(start)? {
            match child.name() {
                (Some(Namespace::Dav), "prop") => properties = names(reader, &child)?,
                (Some(Namespace::Dav), "match") => {
                    if let Some(name) = child.attribute("match-type") {
                        match_type = MatchType::find(&name)
                            .ok_or_else(|| child.expected("a known match-type"))?;
                    }
                    text = Some(reader.text(&child)?);
                }
                _ => {}
            }
        }
        match text {
            Some(text) if !properties.is_empty() => Ok(Self {
                properties,
                text,
                match_type,
            }),
            _ => Err(start.expected("prop and match")),
        }
    }
}

impl PrincipalMatch {
    pub(crate) fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut data = RequestedData::default();
        let mut by = None;
        while let Some(child) = reader.child(root)? {
            match child.name() {
                (Some(Namespace::Dav), "self") => by = Some(PrincipalSelf::Principal),
                (Some(Namespace::Dav), "principal-property") => {
                    let Some(property) = reader.child(&child)? else {
                        return Err(child.expected("a property"));
                    };
                    by = Some(PrincipalSelf::Property(reader.property_name(&property)?));
                }
                _ => {
                    data.read(reader, &child)?;
                }
            }
        }
        let Some(by) = by else {
            return Err(root.expected("self or principal-property"));
        };
        Ok(Self { by, data })
    }
}

impl ExpandProperty {
    pub(crate) fn read_all(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Vec<Self>> {
        let mut count = 0;
        Self::read(reader, root, &mut count)
    }

    fn read(reader: &mut Reader<'_>, parent: &Start<'_>, count: &mut usize) -> Result<Vec<Self>> {
        let mut properties = Vec::new();
        while let Some(child) = reader.child(parent)? {
            if !child.is(Namespace::Dav, "property") {
                continue;
            }
            *count += 1;
            if *count > PROPERTIES_MAX {
                return Err(child.exceeds(Limit::Properties));
            }
            let namespace = child.attribute("namespace");
            let name = child
                .attribute("name")
                .and_then(|name| PropertyName::new(namespace.as_deref().unwrap_or("DAV:"), &name));
            let Some(name) = name else {
                return Err(child.expected("the name of a property"));
            };
            let inner = Self::read(reader, &child, count)?;
            properties.push(Self {
                name,
                properties: inner,
            });
        }
        Ok(properties)
    }
}

impl PrincipalSearch {
    pub(crate) fn read(reader: &mut Reader<'_>, root: &Start<'_>) -> Result<Self> {
        let mut search = Self {
            tokens: Vec::new(),
            context: root.attribute("context").map(std::borrow::Cow::into_owned),
            limit: None,
            data: RequestedData::default(),
        };
        while let Some(child) = reader.child(root)? {
            match child.name() {
                (Some(Namespace::CalendarServer), "search-token") => {
                    if search.tokens.len() == FILTERS_MAX {
                        return Err(child.exceeds(Limit::Filters));
                    }
                    let token = reader.trimmed(&child)?;
                    if !token.is_empty() {
                        search.tokens.push(token);
                    }
                }
                (Some(Namespace::CalendarServer), "limit") => {
                    search.limit = read_limit(reader, &child)?;
                }
                _ => {
                    search.data.read(reader, &child)?;
                }
            }
        }
        if search.tokens.is_empty() {
            return Err(root.expected("search-token"));
        }
        Ok(search)
    }
}
