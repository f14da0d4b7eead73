//! See the check.

#![no_main]

#[path = "../checks/streams.rs"]
mod streams;

libfuzzer_sys::fuzz_target!(|input: &[u8]| streams::check(input));
