//! See the check.

#![no_main]

#[path = "../checks/sets.rs"]
mod sets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| sets::check(input));
