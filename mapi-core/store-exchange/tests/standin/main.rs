//! The Exchange backend against a server of our own, which is strict and fails on demand.
#![expect(clippy::unwrap_used, reason = "assertions of tests")]

mod contract;
mod copies;
mod costs;
mod cuts;
mod faults;
mod hostile;
mod messages;
mod opening;
mod others;
mod outage;
mod proxy;
mod quirks;
mod random;
mod replay;
mod rpc;
mod sending;
mod simulation;
mod subject;
