//! Any octets are read as a header or refused, and what was read holds what its types promise.

#![no_main]

#[path = "../checks/header.rs"]
mod header;

libfuzzer_sys::fuzz_target!(|input: &[u8]| header::check(input));
