//! Any octets, cut anywhere, are read as the same lines within bounds, and as commands or none.

#![no_main]

#[path = "../checks/lines.rs"]
mod check;
#[path = "../../src/command.rs"]
mod command;
#[path = "../../src/line.rs"]
mod line;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::check(input));
