//! The Exchange backend against a server of our own, which is strict and fails on demand.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod contract;
mod costs;
mod faults;
mod messages;
mod others;
mod outage;
mod quirks;
mod rpc;
mod sending;
mod subject;
