//! What must hold for the framer whatever a client sends. Called by the fuzz target and by a smoke test.

use imap_wire::{Answer, Event, Framer, Limits, LiteralHeader, Mode, Refusal};

const LIMITS: Limits = Limits {
    line_bytes_max: 200,
    literal_bytes_max_in_memory: 100,
    literals_max: 5,
};

/// What a session sees.
#[derive(Debug, PartialEq)]
enum Seen {
    Literal(LiteralHeader, bool),
    Streamed(Vec<u8>),
    Frame(Vec<u8>),
    Refused(Refusal),
}

/// The first octet says how the rest is cut; the outcome must be the same as in one piece.
pub(crate) fn check(input: &[u8]) {
    let Some((&step, input)) = input.split_first() else {
        return;
    };
    let mode = if step & 128 == 0 {
        Mode::Command
    } else {
        Mode::Line
    };
    let whole = session(input, input.len().max(1), mode);
    let cut = session(input, usize::from(step & 127) + 1, mode);
    assert_eq!(whole, cut);
}

fn session(input: &[u8], step: usize, mode: Mode) -> Vec<Seen> {
    let mut framer = Framer::new(LIMITS);
    framer.set_mode(mode);
    let mut seen = Vec::new();
    let mut streamed = Vec::new();
    for mut chunk in input.chunks(step) {
        loop {
            let (used, event) = framer.feed(chunk);
            let data = chunk.get(..used).expect("no more is used than was given");
            chunk = chunk.get(used..).unwrap_or_default();
            assert!(
                framer.bytes_held() <= 600,
                "{} octets held",
                framer.bytes_held()
            );
            match event {
                Event::NeedInput => break,
                Event::Literal(header) => {
                    let answer = match header.len % 3 {
                        0 => Answer::Inline,
                        1 => Answer::Stream,
                        _ => Answer::Refuse,
                    };
                    seen.push(Seen::Literal(header, framer.answer(answer)));
                }
                Event::LiteralData { last } => {
                    streamed.extend_from_slice(data);
                    if last {
                        seen.push(Seen::Streamed(std::mem::take(&mut streamed)));
                    }
                }
                Event::Frame => {
                    let frame = framer.frame();
                    assert!(frame.bytes().ends_with(b"\r\n"));
                    let _ = imap_wire::decode(frame);
                    seen.push(Seen::Frame(frame.bytes().to_vec()));
                }
                Event::Refused(refusal) => seen.push(Seen::Refused(refusal)),
            }
        }
        assert!(
            chunk.is_empty(),
            "input is used up before more is asked for"
        );
        framer.shrink();
    }
    seen
}
