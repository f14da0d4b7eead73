//! Changes of properties: PROPPATCH, extended MKCOL and MKCALENDAR (RFC 4918 9.2, RFC 5689, RFC 4791 5.3.1).

use super::document;
use crate::error::Result;
use crate::limits::{Limit, Limits, PROPERTIES_MAX};
use crate::name::Namespace;
use crate::property::{PropertyName, ResourceType};
use crate::xml::{Fragment, Reader, Start};

/// A property with the value that a client gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyValue {
    /// Which one.
    pub name: PropertyName,
    /// Its element. For a dead property this is what is stored and given back.
    pub value: Fragment,
}

impl PropertyValue {
    /// Its text, as of `displayname`.
    pub fn text(&self) -> Result<String> {
        self.value.text()
    }

    /// The addresses in it, as of `schedule-default-calendar-URL`.
    pub fn hrefs(&self) -> Result<Vec<String>> {
        self.value.hrefs()
    }

    /// The types in a `resourcetype`; nothing in the place of one that is not known.
    pub fn resource_types(&self) -> Result<Vec<Option<ResourceType>>> {
        self.value.with_reader(|reader, root| {
            let mut types = Vec::new();
            while let Some(child) = reader.child(root)? {
                let (namespace, local) = child.name();
                types.push(namespace.and_then(|known| ResourceType::find(known, local)));
            }
            Ok(types)
        })
    }

    /// The components in a `supported-calendar-component-set`, in capitals (RFC 4791 5.2.3).
    pub fn components(&self) -> Result<Vec<String>> {
        self.value.with_reader(|reader, root| {
            let mut components = Vec::new();
            while let Some(child) = reader.child(root)? {
                if child.is(Namespace::CalDav, "comp") {
                    components.extend(
                        child
                            .attribute("name")
                            .map(|name| name.to_ascii_uppercase()),
                    );
                }
            }
            Ok(components)
        })
    }

    /// Whether it has this child, as `schedule-calendar-transp` has `opaque` or `transparent`.
    pub fn has_child(&self, namespace: Namespace, local: &str) -> Result<bool> {
        self.value.with_reader(|reader, root| {
            while let Some(child) = reader.child(root)? {
                if child.is(namespace, local) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}

/// One instruction of a PROPPATCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The property gets this value.
    Set(PropertyValue),
    /// The property goes; it need not be there.
    Remove(PropertyName),
}

/// The body of PROPPATCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyUpdate {
    /// What to do, in this order, all or nothing (RFC 4918 9.2).
    pub changes: Vec<Change>,
}

impl PropertyUpdate {
    /// Reads a body.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self> {
        document(body, limits, |reader, root| {
            if !root.is(Namespace::Dav, "propertyupdate") {
                return Err(root.expected("propertyupdate"));
            }
            let mut changes = Vec::new();
            while let Some(child) = reader.child(root)? {
                match child.name() {
                    (Some(Namespace::Dav), "set") => {
                        each_property(reader, &child, &mut changes, |reader, start| {
                            Ok(Change::Set(value(reader, start)?))
                        })?;
                    }
                    (Some(Namespace::Dav), "remove") => {
                        each_property(reader, &child, &mut changes, |reader, start| {
                            reader.property_name(start).map(Change::Remove)
                        })?;
                    }
                    _ => {}
                }
            }
            if changes.is_empty() {
                return Err(root.expected("set or remove with a property"));
            }
            Ok(Self { changes })
        })
    }
}

/// The body of MKCOL or MKCALENDAR: the properties of the new collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MakeCollection {
    /// What to set, all or nothing.
    pub properties: Vec<PropertyValue>,
}

impl MakeCollection {
    /// Reads the body of an extended MKCOL (RFC 5689 3). An empty one sets nothing.
    ///
    /// For any other root the answer is 415 (RFC 4918 9.3): see [`is_mkcol`](Self::is_mkcol).
    pub fn parse_mkcol(body: &[u8], limits: &Limits) -> Result<Self> {
        Self::parse(body, limits, (Namespace::Dav, "mkcol"))
    }

    /// Reads the body of MKCALENDAR (RFC 4791 9.2). An empty one sets nothing.
    pub fn parse_mkcalendar(body: &[u8], limits: &Limits) -> Result<Self> {
        Self::parse(body, limits, (Namespace::CalDav, "mkcalendar"))
    }

    /// Whether a body is empty or has the root of an extended MKCOL, whatever is in it.
    #[must_use]
    pub fn is_mkcol(body: &[u8], limits: &Limits) -> bool {
        body.is_empty()
            || crate::xml::decode(body, limits).is_ok_and(|text| {
                let root = Reader::new(&text, limits).root();
                root.is_ok_and(|root| root.is(Namespace::Dav, "mkcol"))
            })
    }

    fn parse(body: &[u8], limits: &Limits, name: (Namespace, &'static str)) -> Result<Self> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        document(body, limits, |reader, root| {
            if !root.is(name.0, name.1) {
                return Err(root.expected(name.1));
            }
            let mut properties = Vec::new();
            while let Some(child) = reader.child(root)? {
                if child.is(Namespace::Dav, "set") {
                    each_property(reader, &child, &mut properties, value)?;
                }
            }
            Ok(Self { properties })
        })
    }
}

/// Reads the properties in a `set` or `remove`.
fn each_property<T>(
    reader: &mut Reader<'_>,
    parent: &Start<'_>,
    into: &mut Vec<T>,
    read: impl Fn(&mut Reader<'_>, &Start<'_>) -> Result<T>,
) -> Result<()> {
    while let Some(prop) = reader.child(parent)? {
        if !prop.is(Namespace::Dav, "prop") {
            continue;
        }
        while let Some(property) = reader.child(&prop)? {
            if into.len() == PROPERTIES_MAX {
                return Err(property.exceeds(Limit::Properties));
            }
            into.push(read(reader, &property)?);
        }
    }
    Ok(())
}

fn value(reader: &mut Reader<'_>, start: &Start<'_>) -> Result<PropertyValue> {
    let name = reader.property_name(start)?;
    let value = Fragment::read(reader, start)?;
    Ok(PropertyValue { name, value })
}
