//! Values of properties that have a structure: what goes between the tags of the property.

use crate::name::{ElementName, Namespace};
use crate::property::{Privilege, ReportName, ResourceType};
use crate::request::{Collation, LockScope, VcardVersion};
use crate::xml::{Fragment, XmlWriter};

/// `resourcetype`.
pub fn resource_types(writer: &mut XmlWriter, types: &[ResourceType]) {
    types.iter().for_each(|&kind| writer.empty(kind));
}

/// `current-user-privilege-set` (RFC 3744 5.4).
pub fn privileges(writer: &mut XmlWriter, privileges: &[Privilege]) {
    for &privilege in privileges {
        writer.element(ElementName::dav("privilege"), |writer| {
            writer.empty(privilege)
        });
    }
}

/// A privilege with those it is made of, for `supported-privilege-set` (RFC 3744 5.3).
#[derive(Clone, Copy, Debug)]
pub struct SupportedPrivilege<'a> {
    /// Which one.
    pub privilege: Privilege,
    /// Whether only its parts can be granted.
    pub is_abstract: bool,
    /// What it allows, for people, in English.
    pub description: &'a str,
    /// Its parts.
    pub parts: &'a [Self],
}

/// `supported-privilege-set` (RFC 3744 5.3).
pub fn supported_privileges(writer: &mut XmlWriter, supported: &[SupportedPrivilege<'_>]) {
    for one in supported {
        writer.element(ElementName::dav("supported-privilege"), |writer| {
            writer.element(ElementName::dav("privilege"), |writer| {
                writer.empty(one.privilege);
            });
            if one.is_abstract {
                writer.empty(ElementName::dav("abstract"));
            }
            let language = [("xml:lang", "en")];
            writer.element_with(ElementName::dav("description"), &language, |writer| {
                writer.text(one.description);
            });
            supported_privileges(writer, one.parts);
        });
    }
}

/// `supported-report-set` (RFC 3253 3.1.5).
pub fn supported_reports(writer: &mut XmlWriter, reports: &[ReportName]) {
    for &report in reports {
        writer.element(ElementName::dav("supported-report"), |writer| {
            writer.element(ElementName::dav("report"), |writer| writer.empty(report));
        });
    }
}

/// `supported-calendar-component-set` (RFC 4791 5.2.3).
pub fn components(writer: &mut XmlWriter, names: &[&str]) {
    for name in names {
        writer.element_with(ElementName::caldav("comp"), &[("name", name)], |_| {});
    }
}

/// `supported-calendar-data` (RFC 4791 5.2.4).
pub fn calendar_types(writer: &mut XmlWriter) {
    let attributes = [("content-type", "text/calendar"), ("version", "2.0")];
    writer.element_with(ElementName::caldav("calendar-data"), &attributes, |_| {});
}

/// `supported-address-data` (RFC 6352 6.2.2).
pub fn address_types(writer: &mut XmlWriter, versions: &[VcardVersion]) {
    for version in versions {
        let attributes = [("content-type", "text/vcard"), ("version", version.name())];
        writer.element_with(
            ElementName::carddav("address-data-type"),
            &attributes,
            |_| {},
        );
    }
}

/// `supported-collation-set` of CalDAV or CardDAV (RFC 4791 7.5.1, RFC 6352 8.3.1).
pub fn collations(writer: &mut XmlWriter, namespace: Namespace) {
    for collation in Collation::ALL {
        let name = ElementName {
            namespace,
            local: "supported-collation",
        };
        writer.text_element(name, collation.name());
    }
}

/// `supportedlock`: exclusive and shared write locks (RFC 4918 15.10).
pub fn supported_locks(writer: &mut XmlWriter) {
    for scope in [LockScope::Exclusive, LockScope::Shared] {
        writer.element(ElementName::dav("lockentry"), |writer| {
            lock_kind(writer, scope)
        });
    }
}

/// A lock that is held, for `lockdiscovery` (RFC 4918 14.1).
#[derive(Clone, Copy, Debug)]
pub struct ActiveLock<'a> {
    /// How it excludes others.
    pub scope: LockScope,
    /// Whether it holds for all below the resource, too.
    pub is_deep: bool,
    /// What the client said of itself.
    pub owner: Option<&'a Fragment>,
    /// How long it still holds, in seconds; nothing: for ever.
    pub timeout_seconds: Option<u64>,
    /// The token, a URI.
    pub token: &'a str,
    /// The address of what is locked.
    pub root: &'a crate::href::Href,
}

/// `activelock`, a child of `lockdiscovery`.
pub fn active_lock(writer: &mut XmlWriter, lock: &ActiveLock<'_>) {
    writer.element(ElementName::dav("activelock"), |writer| {
        lock_kind(writer, lock.scope);
        let depth = if lock.is_deep { "infinity" } else { "0" };
        writer.text_element(ElementName::dav("depth"), depth);
        if let Some(owner) = lock.owner {
            writer.fragment(owner);
        }
        writer.element(ElementName::dav("timeout"), |writer| {
            match lock.timeout_seconds {
                Some(seconds) => {
                    writer.text("Second-");
                    writer.number(seconds);
                }
                None => writer.text("Infinite"),
            }
        });
        writer.element(ElementName::dav("locktoken"), |writer| {
            writer.href_text(lock.token)
        });
        writer.element(ElementName::dav("lockroot"), |writer| {
            writer.href(lock.root)
        });
    });
}

fn lock_kind(writer: &mut XmlWriter, scope: LockScope) {
    writer.element(ElementName::dav("lockscope"), |writer| {
        writer.empty(ElementName::dav(match scope {
            LockScope::Exclusive => "exclusive",
            LockScope::Shared => "shared",
        }));
    });
    writer.element(ElementName::dav("locktype"), |writer| {
        writer.empty(ElementName::dav("write"));
    });
}
