//! The grammar from outside: known answers both ways, an independent reading of it, and input cut and mutated at random.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing test may panic"
)]

mod commands;
mod differential;
mod fetch_responses;
mod framing;
mod message_commands;
mod responses;
mod smoke;
mod support;
