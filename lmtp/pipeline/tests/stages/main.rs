//! Messages on their way through steps, and filters that behave, or do not, over real sockets.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its world has failed"
)]

mod filters;
mod steps;
mod support;
