//! The wire from outside: what clients send, known answers, and input that is mutated at random.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing test may panic"
)]

mod bounds;
mod changes;
mod properties;
mod queries;
mod reports;
mod round_trip;
mod smoke;
