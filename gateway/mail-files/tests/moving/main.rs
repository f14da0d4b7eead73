//! Mailboxes into files and back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests panic to fail"
)]

mod incremental;
mod round_trip;
mod world;
