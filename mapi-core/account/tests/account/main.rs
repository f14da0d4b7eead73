//! Black-box tests of `account` over the in-memory store, also with notices that are lost, doubled and late.

#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod delivery;
mod faulty;
mod flags;
mod lazy;
mod reading;
mod rights;
mod searching;
mod simulation;
mod spooling;
mod watching;
mod world;
