//! The framer as a session uses it: bounds, literals, refusals, and independence of how input arrives.

use imap_wire::{Answer, Event, Framer, Limits, Mode, RefusalReason};
use proptest::prelude::*;

/// What a session sees, in words.
fn log(
    input: &[u8],
    cuts: &[usize],
    limits: Limits,
    answer: impl Fn(u64) -> Answer,
) -> Vec<String> {
    let mut framer = Framer::new(limits);
    let mut seen = Vec::new();
    let mut streamed = Vec::new();
    let mut at = 0;
    for end in cuts.iter().copied().chain([input.len()]) {
        loop {
            let (used, event) = framer.feed(&input[at..end.max(at)]);
            let chunk = &input[at..at + used];
            at += used;
            let held = framer.bytes_held();
            assert!(held <= limits.line_bytes_max + limits.literal_bytes_max_in_memory + 400);
            match event {
                Event::NeedInput => break,
                Event::Literal(header) => {
                    let name = framer.command_name().unwrap_or("?").to_owned();
                    let go_on = framer.answer(answer(header.len));
                    seen.push(format!("{name} {header:?} continue={go_on}"));
                }
                Event::LiteralData { last } => {
                    streamed.extend_from_slice(chunk);
                    if last {
                        let text =
                            String::from_utf8_lossy(&std::mem::take(&mut streamed)).into_owned();
                        seen.push(format!("streamed {text:?}"));
                    }
                }
                Event::Frame => {
                    let text = String::from_utf8_lossy(framer.frame().bytes()).into_owned();
                    seen.push(format!("frame {text:?}"));
                }
                Event::Refused(refusal) => seen.push(format!(
                    "refused {} {:?}",
                    refusal.tag.as_ref().map_or("*", |tag| tag.as_str()),
                    refusal.reason
                )),
            }
        }
    }
    seen
}

const SMALL: Limits = Limits {
    line_bytes_max: 40,
    literal_bytes_max_in_memory: 10,
    literals_max: 3,
};

/// Literals of up to 10 octets inline, of up to 30 streamed, others refused.
fn by_size(len: u64) -> Answer {
    match len {
        0..=10 => Answer::Inline,
        11..=30 => Answer::Stream,
        _ => Answer::Refuse,
    }
}

fn check(input: &[u8], expected: &[&str]) {
    let every_octet: Vec<_> = (0..input.len()).collect();
    for cuts in [&[][..], &every_octet] {
        assert_eq!(log(input, cuts, SMALL, by_size), expected, "{cuts:?}");
    }
}

#[test]
fn pipelined_lines_become_frames() {
    check(
        b"a NOOP\r\nb NOOP\r\n\r\nc",
        &[
            r#"frame "a NOOP\r\n""#,
            r#"frame "b NOOP\r\n""#,
            r#"frame "\r\n""#,
        ],
    );
}

#[test]
fn inline_literals_stand_in_the_frame() {
    check(
        b"a LOGIN {3}\r\nx\r\n {2+}\r\n\0\n\r\nb NOOP\r\n",
        &[
            "LOGIN LiteralHeader { index: 0, len: 3, sync: true, binary: false } continue=true",
            "LOGIN LiteralHeader { index: 1, len: 2, sync: false, binary: false } continue=false",
            r#"frame "a LOGIN {3}\r\nx\r\n {2+}\r\n\0\n\r\n""#,
            r#"frame "b NOOP\r\n""#,
        ],
    );
}

#[test]
fn streamed_literals_pass_the_frame_by() {
    check(
        b"a APPEND x ~{12+}\r\nhello\r\nworld\r\nb APPEND x {0}\r\n\r\n",
        &[
            "APPEND LiteralHeader { index: 0, len: 12, sync: false, binary: true } continue=false",
            r#"streamed "hello\r\nworld""#,
            r#"frame "a APPEND x ~{12+}\r\n\r\n""#,
            "APPEND LiteralHeader { index: 0, len: 0, sync: true, binary: false } continue=true",
            r#"frame "b APPEND x {0}\r\n\r\n""#,
        ],
    );
}

#[test]
fn a_refused_synchronising_literal_ends_the_command_at_once() {
    check(
        b"a APPEND x {31}\r\nb NOOP\r\n",
        &[
            "APPEND LiteralHeader { index: 0, len: 31, sync: true, binary: false } continue=false",
            "refused a LiteralRefused",
            r#"frame "b NOOP\r\n""#,
        ],
    );
}

#[test]
fn a_refused_non_synchronising_literal_is_skipped_with_its_command() {
    check(
        b"a APPEND x {31+}\r\n0123456789\n\n\n\n456789\r\nb NOOP\r\n01 {2+}\r\n\r\n{3}\r\nc NOOP\r\n",
        &[
            "APPEND LiteralHeader { index: 0, len: 31, sync: false, binary: false } continue=false",
            "refused a LiteralRefused",
            r#"frame "c NOOP\r\n""#,
        ],
    );
}

#[test]
fn literals_in_memory_are_bounded_together() {
    check(
        b"a LOGIN {6}\r\n012345 {5+}\r\n01234\r\nb NOOP\r\n",
        &[
            "LOGIN LiteralHeader { index: 0, len: 6, sync: true, binary: false } continue=true",
            "LOGIN LiteralHeader { index: 1, len: 5, sync: false, binary: false } continue=false",
            "refused a LiteralTooLarge",
            r#"frame "b NOOP\r\n""#,
        ],
    );
}

#[test]
fn the_number_of_literals_is_bounded() {
    check(
        b"a X {0+}\r\n {0+}\r\n {0+}\r\n {0+}\r\n\r\nb NOOP\r\n",
        &[
            "X LiteralHeader { index: 0, len: 0, sync: false, binary: false } continue=false",
            "X LiteralHeader { index: 1, len: 0, sync: false, binary: false } continue=false",
            "X LiteralHeader { index: 2, len: 0, sync: false, binary: false } continue=false",
            "refused a TooManyLiterals",
            r#"frame "b NOOP\r\n""#,
        ],
    );
}

#[test]
fn a_number_beyond_64_bits_is_refused_like_any_large_literal() {
    check(
        b"a APPEND x {99999999999999999999}\r\nb NOOP\r\n",
        &[
            "APPEND LiteralHeader { index: 0, len: 18446744073709551615, sync: true, binary: false } continue=false",
            "refused a LiteralRefused",
            r#"frame "b NOOP\r\n""#,
        ],
    );
}

#[test]
fn a_line_too_long_is_skipped_with_its_literals() {
    let mut input = b"tag ".to_vec();
    input.resize(100, b'x');
    input.extend_from_slice(b" {4+}\r\n\r\n\r\n rest\r\nb NOOP\r\n");
    check(
        &input,
        &["refused tag LineTooLong", r#"frame "b NOOP\r\n""#],
    );
    // The bound is exact: 40 octets with the line's end.
    check(
        b"b 34567890123456789012345678901234567890\r\n",
        &["refused b LineTooLong"],
    );
    check(
        b"b 345678901234567890123456789012345678\r\n",
        &[r#"frame "b 345678901234567890123456789012345678\r\n""#],
    );
}

#[test]
fn nul_and_bare_cr_are_refused_and_the_session_goes_on() {
    check(
        b"a NO\0OP\r\nb NOOP\r\n",
        &["refused a Nul", r#"frame "b NOOP\r\n""#],
    );
    check(
        b"a NO\rOP\r\nb NOOP\r\n",
        &["refused a BareCr", r#"frame "b NOOP\r\n""#],
    );
    check(
        b"a NOOP\r\r\nb NOOP\r\n",
        &["refused a BareCr", r#"frame "b NOOP\r\n""#],
    );
    check(
        b"\0\r\nb NOOP\r\n",
        &["refused * Nul", r#"frame "b NOOP\r\n""#],
    );
}

#[test]
fn text_behind_a_bare_lf_never_becomes_a_command() {
    check(
        b"a NOOP\nb DELETE x\r\nc NOOP\r\n",
        &[
            "refused a BareLf",
            "refused b BareLf",
            r#"frame "c NOOP\r\n""#,
        ],
    );
    check(
        b"a NOOP\n\r\nc NOOP\r\n",
        &["refused a BareLf", r#"frame "c NOOP\r\n""#],
    );
    check(
        b"a SEARCH TEXT {3}\n1\n\r\nc NOOP\r\n",
        &[
            "refused a BareLf",
            "refused 1 BareLf",
            r#"frame "c NOOP\r\n""#,
        ],
    );
}

#[test]
fn in_line_mode_nothing_is_a_literal() {
    let mut framer = Framer::new(Limits::default());
    framer.set_mode(Mode::Line);
    assert_eq!(framer.feed(b"DONE {5}\r\nnext"), (10, Event::Frame));
    assert_eq!(framer.frame().line(), b"DONE {5}");
    framer.set_mode(Mode::Command);
    assert_eq!(framer.feed(b"a X {5}").1, Event::NeedInput);
}

#[test]
fn an_idle_framer_holds_no_memory() {
    let mut framer = Framer::new(Limits::default());
    let mut line = vec![b'x'; 60_000];
    line.extend_from_slice(b"\r\n");
    assert_eq!(framer.feed(&line), (60_002, Event::Frame));
    framer.shrink();
    assert_eq!(framer.bytes_held(), 0);
    assert_eq!(framer.frame().bytes(), b"");
    // A command half read survives.
    assert_eq!(framer.feed(b"a NO").1, Event::NeedInput);
    framer.shrink();
    assert_eq!(framer.feed(b"OP\r\n").1, Event::Frame);
    assert_eq!(framer.frame().line(), b"a NOOP");
}

#[test]
fn what_a_client_sent_does_not_reach_a_log() {
    let mut framer = Framer::new(Limits::default());
    assert_eq!(framer.feed(b"a LOGIN u secret\r\n").1, Event::Frame);
    let shown = format!("{framer:?} {:?}", framer.frame());
    assert_eq!(
        shown,
        "Framer(Complete, 18 octets) Frame(18 octets, 0 literals)"
    );
}

#[test]
fn an_answer_without_a_question_does_nothing() {
    let mut framer = Framer::new(Limits::default());
    assert!(!framer.answer(Answer::Stream));
    assert_eq!(framer.feed(b"a NOOP\r\n"), (8, Event::Frame));
    assert!(!framer.answer(Answer::Refuse));
    assert_eq!(framer.frame().line(), b"a NOOP");
    assert_eq!(RefusalReason::Nul.text(), "NUL in command");
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"\r\n"[..],
        b"\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"a NOOP",
        b"a NOOP",
        b" {3}",
        b" {5+}",
        b" ~{12+}",
        b"{40+}",
        b"{40}",
        b"01234567890123456789",
        b"{12}\r\n",
        b"{3+}\r\n",
        b"{99999999999999999999+}\r\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn how_input_is_cut_does_not_matter(input in stream(), mut cuts in prop::collection::vec(0_usize..400, 0..20)) {
        cuts.iter_mut().for_each(|cut| *cut = (*cut).min(input.len()));
        cuts.sort_unstable();
        let whole = log(&input, &[], SMALL, by_size);
        prop_assert_eq!(&whole, &log(&input, &cuts, SMALL, by_size));
        let every_octet: Vec<_> = (0..input.len()).collect();
        prop_assert_eq!(&whole, &log(&input, &every_octet, SMALL, by_size));
    }
}
