//! Mirrors of remote mailboxes: what the remote tells, what clients see, what outlives what.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

#[path = "../kit/mod.rs"]
mod kit;
mod remote;

mod contents;
mod hierarchy;
mod ledger;
mod maintenance;
mod queue;
mod rendering;
mod rights;
mod saving;
mod simulation;
mod writes;
