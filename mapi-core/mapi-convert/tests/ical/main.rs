//! iCalendar: documents, stored objects, values, recurrence.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod document;
mod recurrence;
mod resource;
mod values;
