//! Sessions over the in-memory store, in both profiles.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its world has failed"
)]

mod delivery;
mod passing;
mod submission;
mod support;
