//! Any octets, cut anywhere, are framed alike and within bounds.

#![no_main]

#[path = "../checks/framer.rs"]
mod framer;

libfuzzer_sys::fuzz_target!(|input: &[u8]| framer::check(input));
