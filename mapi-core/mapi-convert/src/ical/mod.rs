//! iCalendar without loss: content lines, component trees, values, recurrence. Source: RFC 5545, RFC 6868, RFC 7986.
//!
//! A [`Document`] keeps every octet it was read from: what is not changed is written back as it came, in its place.
//! Parsing is bounded by [`Limits`], and never invents or repairs anything. [`Resource`] says whether a document may
//! be stored as a calendar object, and if not, on which line the reason is. Values are read when somebody asks.

mod component;
mod error;
mod limits;
mod lines;
mod parse;
mod property;
pub mod recurrence;
mod resource;
mod resource_rules;
pub mod value;
mod write;

pub use component::{Component, Node};
pub use error::{Error, Reason};
pub use limits::Limits;
pub use parse::{Document, parse};
pub use property::{Param, Property};
pub use resource::{Condition, Invalid, Kind, Resource};
