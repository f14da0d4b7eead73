//! Any message arrives as it is, and nothing in it ends it early.

#![no_main]

#[path = "../checks/content.rs"]
mod check;
#[path = "../../src/stuffing.rs"]
mod stuffing;
#[path = "../../src/top.rs"]
mod top;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
