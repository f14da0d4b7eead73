//! The body of ACL, and access control entries as they are written (RFC 3744 5.5, 8.1).

use super::document;
use crate::condition::Condition;
use crate::error::Result;
use crate::limits::{ACES_MAX, Limit, Limits};
use crate::name::{ElementName, Namespace};
use crate::property::{Privilege, PropertyName};
use crate::xml::{Reader, Start, XmlWriter};

/// The body of ACL: the entries that replace those there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// In this order.
    pub aces: Vec<Ace>,
}

/// An access control entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ace {
    /// For whom.
    pub principal: AcePrincipal,
    /// For everybody but them (RFC 3744 5.5.1).
    pub is_inverted: bool,
    /// Whether it grants; else it denies.
    pub is_grant: bool,
    /// What it grants or denies.
    pub privileges: Vec<Privilege>,
    /// Whether it cannot be changed (RFC 3744 5.5.3).
    pub is_protected: bool,
    /// The address of the resource it is inherited from (RFC 3744 5.5.4).
    pub inherited_from: Option<String>,
}

/// For whom an entry is (RFC 3744 5.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcePrincipal {
    /// The principal of this address, or its members.
    Href(String),
    /// Everybody.
    All,
    /// Everybody who is logged in.
    Authenticated,
    /// Everybody who is not.
    Unauthenticated,
    /// Whom a property of the resource names, such as `owner`.
    Property(PropertyName),
    /// The principal that the resource is.
    OneSelf,
}

impl Acl {
    /// Reads a body.
    ///
    /// An unknown privilege breaks `not-supported-privilege`, an unknown kind of principal `recognized-principal`.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self> {
        document(body, limits, |reader, root| {
            if !root.is(Namespace::Dav, "acl") {
                return Err(root.expected("acl"));
            }
            let mut aces = Vec::new();
            while let Some(child) = reader.child(root)? {
                if child.is(Namespace::Dav, "ace") {
                    if aces.len() == ACES_MAX {
                        return Err(child.exceeds(Limit::Aces));
                    }
                    aces.push(Ace::read(reader, &child)?);
                }
            }
            Ok(Self { aces })
        })
    }
}

impl Ace {
    fn read(reader: &mut Reader<'_>, ace: &Start<'_>) -> Result<Self> {
        let (mut principal, mut is_inverted, mut grant) = (None, false, None);
        let (mut is_protected, mut inherited_from) = (false, None);
        while let Some(child) = reader.child(ace)? {
            match child.name() {
                (Some(Namespace::Dav), "principal") => {
                    principal = Some(AcePrincipal::read(reader, &child)?);
                }
                (Some(Namespace::Dav), "invert") => {
                    is_inverted = true;
                    while let Some(inner) = reader.child(&child)? {
                        if inner.is(Namespace::Dav, "principal") {
                            principal = Some(AcePrincipal::read(reader, &inner)?);
                        }
                    }
                }
                (Some(Namespace::Dav), "grant" | "deny") if grant.is_none() => {
                    grant = Some((child.local() == "grant", privileges(reader, &child)?));
                }
                (Some(Namespace::Dav), "grant" | "deny") => {
                    return Err(child.expected("one of grant and deny"));
                }
                (Some(Namespace::Dav), "protected") => is_protected = true,
                (Some(Namespace::Dav), "inherited") => {
                    while let Some(inner) = reader.child(&child)? {
                        if inner.is(Namespace::Dav, "href") {
                            inherited_from = Some(reader.trimmed(&inner)?);
                        }
                    }
                }
                _ => {}
            }
        }
        let Some(principal) = principal else {
            return Err(ace.expected("a principal"));
        };
        let Some((is_grant, privileges)) = grant.filter(|(_, all)| !all.is_empty()) else {
            return Err(ace.expected("grant or deny with a privilege"));
        };
        Ok(Self {
            principal,
            is_inverted,
            is_grant,
            privileges,
            is_protected,
            inherited_from,
        })
    }

    /// Writes it, as a child of the `acl` property.
    pub fn write(&self, writer: &mut XmlWriter) {
        writer.element(ElementName::dav("ace"), |writer| {
            if self.is_inverted {
                writer.element(ElementName::dav("invert"), |writer| {
                    self.principal.write(writer)
                });
            } else {
                self.principal.write(writer);
            }
            let kind = if self.is_grant { "grant" } else { "deny" };
            writer.element(ElementName::dav(kind), |writer| {
                for &privilege in &self.privileges {
                    writer.element(ElementName::dav("privilege"), |writer| {
                        writer.empty(privilege)
                    });
                }
            });
            if self.is_protected {
                writer.empty(ElementName::dav("protected"));
            }
            if let Some(href) = &self.inherited_from {
                writer.element(ElementName::dav("inherited"), |writer| {
                    writer.href_text(href)
                });
            }
        });
    }
}

impl AcePrincipal {
    fn read(reader: &mut Reader<'_>, principal: &Start<'_>) -> Result<Self> {
        let Some(child) = reader.child(principal)? else {
            return Err(principal.expected("a principal"));
        };
        match child.name() {
            (Some(Namespace::Dav), "href") => reader.trimmed(&child).map(Self::Href),
            (Some(Namespace::Dav), "all") => Ok(Self::All),
            (Some(Namespace::Dav), "authenticated") => Ok(Self::Authenticated),
            (Some(Namespace::Dav), "unauthenticated") => Ok(Self::Unauthenticated),
            (Some(Namespace::Dav), "self") => Ok(Self::OneSelf),
            (Some(Namespace::Dav), "property") => match reader.child(&child)? {
                Some(property) => reader.property_name(&property).map(Self::Property),
                None => Err(child.expected("a property")),
            },
            _ => Err(child.breaks(Condition::RecognizedPrincipal)),
        }
    }

    fn write(&self, writer: &mut XmlWriter) {
        writer.element(ElementName::dav("principal"), |writer| match self {
            Self::Href(href) => writer.href_text(href),
            Self::All => writer.empty(ElementName::dav("all")),
            Self::Authenticated => writer.empty(ElementName::dav("authenticated")),
            Self::Unauthenticated => writer.empty(ElementName::dav("unauthenticated")),
            Self::OneSelf => writer.empty(ElementName::dav("self")),
            Self::Property(name) => writer.element(ElementName::dav("property"), |writer| {
                writer.property_name(name);
            }),
        });
    }
}

fn privileges(reader: &mut Reader<'_>, parent: &Start<'_>) -> Result<Vec<Privilege>> {
    let mut found = Vec::new();
    while let Some(child) = reader.child(parent)? {
        if !child.is(Namespace::Dav, "privilege") {
            continue;
        }
        while let Some(name) = reader.child(&child)? {
            let (namespace, local) = name.name();
            match namespace.and_then(|known| Privilege::find(known, local)) {
                Some(privilege) => found.push(privilege),
                None => return Err(name.breaks(Condition::NotSupportedPrivilege)),
            }
        }
    }
    Ok(found)
}
