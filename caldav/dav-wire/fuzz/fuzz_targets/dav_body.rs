//! Any octets are read as a body or refused, and what was read holds what its types promise.

#![no_main]

#[path = "../checks/body.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|input: &[u8]| body::check(input));
