//! Recorded sessions as text and JSON: all of them, what they say, and what becomes of damage.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod corpus;
mod damage;
mod lossless;
mod nameless;
mod recorded;
mod snapshots;
