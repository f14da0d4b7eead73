//! Mailboxes into files and back.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod incremental;
mod round_trip;
mod world;
