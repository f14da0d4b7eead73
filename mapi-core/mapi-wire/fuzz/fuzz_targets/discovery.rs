//! See the check.

#![no_main]

#[path = "../checks/discovery.rs"]
mod discovery;

libfuzzer_sys::fuzz_target!(|input: &[u8]| discovery::check(input));
