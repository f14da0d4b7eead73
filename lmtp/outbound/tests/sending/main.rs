//! The queue and its runner against a mail server that does what a test says.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its world has failed"
)]

mod queue;
mod relay;
mod support;
