//! Appointments as properties, and the recurrence of series as the octets that Outlook keeps. Source: MS-OXOCAL.

mod appointment;
mod exception;
mod global_id;
mod octets;
mod pattern;
mod rule;
mod series;
mod zone;

pub use appointment::{Appointment, CLASS};
pub use exception::{Changed, Exception, ExceptionText, Highlight};
pub use global_id::GlobalObjectId;
pub use octets::BadPattern;
pub use pattern::{PatternDays, PatternEnd, PatternFrequency, PatternKind, RecurrencePattern};
pub use rule::{INSTANCES_MAX, Inexpressible};
pub use series::AppointmentRecurrence;
pub use zone::{SystemTime, TimeZoneDefinition, TimeZoneRule, TimeZoneStruct, ZoneBias};
