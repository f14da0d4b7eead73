//! Any octets are refused as iCalendar, or read without loss.

#![no_main]

#[path = "../checks/ical.rs"]
mod ical;

libfuzzer_sys::fuzz_target!(|input: &[u8]| ical::check(input));
