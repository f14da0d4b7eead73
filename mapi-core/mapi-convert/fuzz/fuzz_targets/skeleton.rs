//! Any octets, in any pieces, have one skeleton whose ranges nest.

#![no_main]

#[path = "../checks/skeleton.rs"]
mod skeleton;

libfuzzer_sys::fuzz_target!(|input: &[u8]| skeleton::check(input));
