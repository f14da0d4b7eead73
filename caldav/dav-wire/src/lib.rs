//! WebDAV, CalDAV and CardDAV on the wire, without I/O: octets become requests, answers become octets.
//!
//! For a server that has an HTTP library already. It hands in the values of headers ([`header`]) and whole bodies
//! ([`request`]), and sends what [`response`] writes. Nothing here reads a clock, a file or a socket, nothing is taken
//! beyond a bound that has a name ([`limits`]), and no input makes it panic.
//!
//! * **Bodies** are read by a pull parser into types that need no further check; what is wrong is a [`BodyError`] with
//!   a place, a status and, where the protocol has a name for it, the precondition. Elements nobody knows are passed
//!   over (RFC 4918 17). Document types are refused, so there are no entities but XML's five.
//! * **Names**: [`PropertyName`] is a known [`Property`] or any other name; one table leads both ways. So it is with
//!   [`Condition`], [`Privilege`], [`ResourceType`] and [`ReportName`].
//! * **Values** of properties that clients set are [`Fragment`]s: they stand alone, can be stored as text, and are given
//!   back as the same octets.
//! * **Addresses** are [`Href`]s: decoded segments with one spelling, and no way out of the tree.
//! * **Answers**: a [`response::Multistatus`] appends response by response to one buffer, which is taken from it in
//!   pieces whenever the server likes. Prefixes are fixed and declared once.
//!
//! ```
//! use dav_wire::{Href, Limits, Property, PropertyName};
//! use dav_wire::request::{Propfind, RequestedProperties};
//! use dav_wire::response::Multistatus;
//!
//! let body = br#"<propfind xmlns="DAV:"><prop><displayname/><foo xmlns="urn:x"/></prop></propfind>"#;
//! let propfind = Propfind::parse(body, &Limits::default())?;
//! let RequestedProperties::Listed(names) = propfind.properties else { unreachable!() };
//!
//! let mut multistatus = Multistatus::new(false);
//! multistatus.response(&Href::root(), |properties| {
//!     for name in &names {
//!         match name {
//!             PropertyName::Known(Property::DisplayName) => properties.text(Property::DisplayName, "Home"),
//!             _ => properties.not_found(name),
//!         }
//!     }
//! });
//! let mut answer = multistatus.take();
//! answer.extend(multistatus.finish());
//! # assert!(String::from_utf8(answer).unwrap().contains("<D:displayname>Home</D:displayname>"));
//! # Ok::<(), dav_wire::BodyError>(())
//! ```
//!
//! Sources: RFC 4918 (WebDAV), 3744 (access control), 5397, 4331, 5689, 6578, 7240 and 8144; RFC 4791, 6638, 7809,
//! 7953 and 8607 (CalDAV); RFC 6352 (CardDAV); the extensions of calendarserver.org.

#![warn(clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, reason = "a failing test may panic")
)]

mod condition;
mod error;
pub mod header;
mod href;
pub mod limits;
mod name;
mod property;
pub mod request;
pub mod response;
mod time;
mod xml;

pub use condition::Condition;
pub use error::{BodyError, Fault};
pub use href::{Href, HrefError, Location};
pub use limits::{Limit, Limits};
pub use name::{ElementName, Namespace, QualifiedName};
pub use property::{Privilege, Property, PropertyName, ReportName, ResourceType};
pub use time::{TimeRange, UtcTime};
pub use xml::{Fragment, XmlWriter};
