//! Sessions over an in-memory store: logins, what is listed and fetched, what is deleted and when, limits, STLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

mod contents;
mod limits;
mod logins;
mod maildrops;
mod stls;
mod support;
mod tokens;
mod updates;
