//! Which properties a request asks for: the body of PROPFIND, and the same elements in reports (RFC 4918 14).

use std::collections::BTreeSet;

use super::address_query::AddressData;
use super::calendar_data::CalendarData;
use super::document;
use crate::error::Result;
use crate::limits::{Limit, Limits, PROPERTIES_MAX};
use crate::name::Namespace;
use crate::property::{Property, PropertyName};
use crate::xml::{Reader, Start};

/// Which properties are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestedProperties {
    /// `allprop`: all dead ones, those of RFC 4918, and these, too (`include`).
    All(Vec<PropertyName>),
    /// `propname`: the names of all, without values.
    Names,
    /// `prop`: these, each once, in the order of the request.
    Listed(Vec<PropertyName>),
}

/// The body of PROPFIND (RFC 4918 9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Propfind {
    /// What is asked for.
    pub properties: RequestedProperties,
}

/// Which properties a report asks for, and which parts of the objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedData {
    /// The properties; nothing, if the report names none.
    ///
    /// `calendar-data` and `address-data` are listed here, too, as they are answered like properties.
    pub properties: Option<RequestedProperties>,
    /// What `calendar-data` asks for, if it is listed.
    pub calendar_data: Option<CalendarData>,
    /// What `address-data` asks for, if it is listed.
    pub address_data: Option<AddressData>,
}

impl Propfind {
    /// Reads a body. An empty one asks for all properties (RFC 4918 9.1).
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self> {
        if body.is_empty() {
            let properties = RequestedProperties::All(Vec::new());
            return Ok(Self { properties });
        }
        document(body, limits, |reader, root| {
            if !root.is(Namespace::Dav, "propfind") {
                return Err(root.expected("propfind"));
            }
            let mut data = RequestedData::default();
            let mut include = Vec::new();
            while let Some(child) = reader.child(root)? {
                if child.is(Namespace::Dav, "include") {
                    include = names(reader, &child)?;
                } else {
                    data.read(reader, &child)?;
                }
            }
            let properties = match data.properties {
                Some(RequestedProperties::All(_)) => RequestedProperties::All(include),
                Some(properties) => properties,
                None => return Err(root.expected("allprop, propname or prop")),
            };
            Ok(Self { properties })
        })
    }
}

impl RequestedData {
    /// Takes a child of a report if it is one that says which properties are asked for; gives whether it was.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>, child: &Start<'_>) -> Result<bool> {
        let properties = match child.name() {
            (Some(Namespace::Dav), "allprop") => RequestedProperties::All(Vec::new()),
            (Some(Namespace::Dav), "propname") => RequestedProperties::Names,
            (Some(Namespace::Dav), "prop") => {
                RequestedProperties::Listed(self.listed(reader, child)?)
            }
            _ => return Ok(false),
        };
        // RFC 4918 14.20: one of them.
        if self.properties.is_some() {
            return Err(child.expected("one of allprop, propname and prop"));
        }
        self.properties = Some(properties);
        Ok(true)
    }

    fn listed(&mut self, reader: &mut Reader<'_>, prop: &Start<'_>) -> Result<Vec<PropertyName>> {
        let mut list = NameList::default();
        while let Some(child) = reader.child(prop)? {
            let name = list.add(reader, &child)?;
            match name {
                Some(Property::CalendarData) if self.calendar_data.is_none() => {
                    self.calendar_data = Some(CalendarData::read(reader, &child)?);
                }
                Some(Property::AddressData) if self.address_data.is_none() => {
                    self.address_data = Some(AddressData::read(reader, &child)?);
                }
                _ => {}
            }
        }
        Ok(list.names)
    }
}

/// The names of an element's children.
pub(crate) fn names(reader: &mut Reader<'_>, parent: &Start<'_>) -> Result<Vec<PropertyName>> {
    let mut list = NameList::default();
    while let Some(child) = reader.child(parent)? {
        list.add(reader, &child)?;
    }
    Ok(list.names)
}

/// Names in the order of the request, each once: asking a thousand times must not cost a thousand answers.
#[derive(Default)]
struct NameList {
    names: Vec<PropertyName>,
    seen: BTreeSet<PropertyName>,
}

impl NameList {
    fn add(&mut self, reader: &Reader<'_>, child: &Start<'_>) -> Result<Option<Property>> {
        if self.names.len() == PROPERTIES_MAX {
            return Err(child.exceeds(Limit::Properties));
        }
        let name = reader.property_name(child)?;
        let known = name.known();
        if self.seen.insert(name.clone()) {
            self.names.push(name);
        }
        Ok(known)
    }
}
