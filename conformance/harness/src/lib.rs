//! Black-box checks: a subject (the built `dragoman`, or another server for comparison) is started on free
//! ports, and real programs and raw protocol clients drive it. Nothing here links against the product; the
//! subject is known by its wire protocols and its command line alone.
//!
//! Two programs are built from this crate: `harness` runs the checks (`cargo xtask conformance`, `cargo xtask
//! faults`), `load-driver` measures (`cargo xtask bench`).

pub mod bench;
pub mod checks;
pub mod corpus;
pub mod failure;
pub mod faults;
pub mod fetch_items;
mod http;
pub mod imap;
pub mod lmtp;
pub mod load;
pub mod mail;
pub mod pop3;
mod postfix;
pub mod process;
pub mod random;
pub mod report;
pub mod smtp;
pub mod subject;
