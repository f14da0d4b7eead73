//! What must hold for FastTransfer streams, whatever a server sends.

use mapi_wire::fast_transfer::{Encoder, Event, FolderLevel, Parser};

/// The first octet says how the rest is cut; the events must be the same as in one piece, and what was read whole is
/// written and read again as the same events.
pub(crate) fn check(input: &[u8]) {
    let Some((&step, input)) = input.split_first() else {
        return;
    };
    let whole = events(input, input.len().max(1));
    let cut = events(input, usize::from(step) + 1);
    assert_eq!(format!("{whole:?}"), format!("{cut:?}"));
    let (events_read, true) = whole else { return };
    if events_read.windows(2).any(is_ambiguous) {
        return;
    }
    let mut encoder = Encoder::new();
    for event in &events_read {
        encoder.event(event);
    }
    let (again, complete) = events(&encoder.into_bytes(), usize::MAX);
    assert!(complete);
    assert_eq!(format!("{again:?}"), format!("{events_read:?}"));
}

/// Whether a folder without a marker of its own fails before anything says that it is one: written, it looks like a
/// message that failed, whose properties are dropped.
fn is_ambiguous(pair: &[Event]) -> bool {
    matches!(
        pair,
        [
            Event::FolderBegin(FolderLevel::Content, _),
            Event::Failure(_)
        ]
    )
}

/// The events up to the end or the first fault, and whether there was none.
fn events(input: &[u8], step: usize) -> (Vec<Event>, bool) {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for piece in input.chunks(step) {
        parser.feed(piece);
        if !take(&mut parser, &mut events) {
            return (events, false);
        }
    }
    let ended = parser.finish().is_ok();
    let taken = take(&mut parser, &mut events);
    (events, ended && taken)
}

fn take(parser: &mut Parser, events: &mut Vec<Event>) -> bool {
    loop {
        match parser.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}
