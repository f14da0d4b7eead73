//! WebDAV, CalDAV and CardDAV on the wire.
#![warn(clippy::indexing_slicing)]
#![cfg_attr(
    test,
    allow(clippy::indexing_slicing, reason = "a failing test may panic")
)]

mod condition;
mod error;
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
