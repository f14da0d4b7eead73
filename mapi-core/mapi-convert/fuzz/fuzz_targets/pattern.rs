//! Any octets are refused as a recurrence pattern, or written back as they were read.

#![no_main]

#[path = "../checks/pattern.rs"]
mod pattern;

libfuzzer_sys::fuzz_target!(|input: &[u8]| pattern::check(input));
