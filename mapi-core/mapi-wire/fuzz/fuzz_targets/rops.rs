//! See the check.

#![no_main]

#[path = "../checks/rops.rs"]
mod rops;

libfuzzer_sys::fuzz_target!(|input: &[u8]| rops::check(input));
