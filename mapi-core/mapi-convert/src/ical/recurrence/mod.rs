//! Which times a recurrence rule means, without a place: local times in, local times out. Source: RFC 5545 3.3.10.
//!
//! Where the standard leaves open what a rule means, it means what python-dateutil makes of it, which most programs
//! agree with. Every call costs bounded work: a rule that finds nothing for [`BARREN_PERIODS_MAX`] periods has ended.

mod days;
mod occurrences;
mod periods;

pub use occurrences::Occurrences;

/// Periods in a row that may pass without an occurrence: 273 years of days. `FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30` ends here.
pub const BARREN_PERIODS_MAX: u32 = 100_000;
