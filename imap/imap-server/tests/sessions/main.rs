//! Sessions over an in-memory store: recorded transcripts, limits, logins, STARTTLS, and a random simulation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing test may panic"
)]

mod epochs;
mod fairness;
mod kept;
mod lazy;
mod limits;
mod outage;
mod scram;
mod simulation;
mod starttls;
mod support;
mod tokens;
mod transcripts;
