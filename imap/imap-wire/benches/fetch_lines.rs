//! How many FETCH responses one core writes, and how many commands it reads: `cargo bench -p imap-wire`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark reports and may stop"
)]

use std::hint::black_box;
use std::time::Instant;

use imap_wire::{DateTime, Event, FetchWriter, FlagBits, Framer, Limits, decode};

const ROUNDS: u32 = 2_000_000;

fn main() {
    let mut out = Vec::with_capacity(64 * 1024);
    rate("UID FLAGS", |number| {
        let mut fetch = FetchWriter::start(&mut out, number);
        fetch.uid(number.wrapping_mul(7));
        fetch.flags(FlagBits(number as u8 & 31), ["$Forwarded"]);
        fetch.finish();
        if out.len() > 60_000 {
            black_box(&out);
            out.clear();
        }
    });
    let mut out = Vec::with_capacity(64 * 1024);
    rate("UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ", |number| {
        let mut fetch = FetchWriter::start(&mut out, number);
        fetch.uid(number.wrapping_mul(7));
        fetch.flags(FlagBits(number as u8 & 31), []);
        fetch.internal_date(DateTime::from_unix(i64::from(number) * 731, 60));
        fetch.rfc822_size(u64::from(number) * 13);
        fetch.mod_seq(u64::from(number) << 20);
        fetch.finish();
        if out.len() > 60_000 {
            black_box(&out);
            out.clear();
        }
    });
    let mut framer = Framer::new(Limits::default());
    rate("read UID FETCH", |_| {
        let line =
            b"A17 UID FETCH 1:500,777 (FLAGS UID BODY.PEEK[HEADER.FIELDS (From To Subject)])\r\n";
        let (_, event) = framer.feed(black_box(line));
        assert_eq!(event, Event::Frame);
        black_box(decode(framer.frame()).expect("valid"));
    });
}

fn rate(name: &str, mut work: impl FnMut(u32)) {
    let start = Instant::now();
    for number in 0..ROUNDS {
        work(number);
    }
    let each = start.elapsed() / ROUNDS;
    println!(
        "{name}: {each:?} each, {:.2} million a second",
        1e3 / each.as_nanos().max(1) as f64
    );
}
