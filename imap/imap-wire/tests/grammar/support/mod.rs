//! What the tests share: a session that takes every literal.

#![allow(clippy::expect_used, reason = "a failing test may panic")]

use imap_wire::{
    Answer, Command, CommandBody, DecodeError, Event, Framer, Limits, SequenceRange, SequenceSet,
    SetNumber,
};

/// Decodes one command, given without its last line end, literals kept in memory.
pub(crate) fn decode(text: &[u8]) -> Result<Command, DecodeError> {
    let mut text = text.to_vec();
    text.extend_from_slice(b"\r\n");
    answering(&text, Answer::Inline)
}

/// Decodes one command whose literals are streamed.
pub(crate) fn streamed(text: &[u8]) -> Result<Command, DecodeError> {
    answering(text, Answer::Stream)
}

fn answering(text: &[u8], answer: Answer) -> Result<Command, DecodeError> {
    let mut framer = Framer::new(Limits::default());
    let mut rest = text;
    loop {
        let (used, event) = framer.feed(rest);
        rest = &rest[used..];
        match event {
            Event::Literal(_) => {
                framer.answer(answer);
            }
            Event::LiteralData { .. } => {}
            Event::Frame => return imap_wire::decode(framer.frame()),
            other => panic!("{other:?} in {}", String::from_utf8_lossy(text)),
        }
    }
}

/// The sequence set of that text.
pub(crate) fn set(text: &str) -> SequenceSet {
    let number = |text: &str| match text {
        "*" => SetNumber::Largest,
        digits => SetNumber::Number(digits.parse().expect("a number")),
    };
    let ranges = text.split(',').map(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        SequenceRange {
            first: number(first),
            last: number(last),
        }
    });
    SequenceSet::new(ranges.collect()).expect("not empty")
}

/// What a valid command asks for.
pub(crate) fn body(text: &str) -> CommandBody {
    match decode(text.as_bytes()) {
        Ok(command) => command.body,
        Err(error) => panic!("{text}: {error}"),
    }
}

/// The command is refused at the octet where `!` stands in the text, for want of `expected`.
pub(crate) fn refused(marked: &str, expected: &str) {
    let at = marked.find('!').expect("a mark");
    let text = marked.replacen('!', "", 1);
    let error = decode(text.as_bytes()).expect_err(&text);
    assert_eq!((error.at, error.expected), (at, expected), "{text}");
}
