//! Any octets are converted into properties and back, always alike.

#![no_main]

#[path = "../checks/oxcmail.rs"]
mod oxcmail;

libfuzzer_sys::fuzz_target!(|input: &[u8]| oxcmail::check(input));
