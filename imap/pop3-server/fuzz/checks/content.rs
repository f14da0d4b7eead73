//! What must hold for messages on their way to a client, whatever is in them. Called by the fuzz target and by tests.

use super::{stuffing::Stuffing, top::Top};

/// Any message arrives as it is, and nothing in it ends it early; a top is a beginning of it, however it was cut.
pub(crate) fn check(input: &[u8]) {
    let Some((&cut, message)) = input.split_first() else {
        return;
    };
    let step = usize::from(cut) % 7 + 1;
    let sent = stuffed(message, message.len().max(1));
    assert_eq!(sent, stuffed(message, step));
    let mut whole = message.to_vec();
    if !message.is_empty() && !message.ends_with(b"\r\n") {
        whole.extend_from_slice(b"\r\n");
    }
    assert_eq!(received(&sent), Some((whole, Vec::new())));
    let lines = u64::from(cut) / 7;
    let top = beginning(message, lines, step);
    assert_eq!(top, beginning(message, lines, message.len().max(1)));
    assert!(message.starts_with(&top));
}

/// What is sent for a message that is read by so many octets.
pub(crate) fn stuffed(message: &[u8], step: usize) -> Vec<u8> {
    let mut stuffing = Stuffing::default();
    let mut sent = Vec::new();
    for part in message.chunks(step) {
        for piece in stuffing.pieces(part) {
            if piece.dot {
                sent.push(b'.');
            }
            sent.extend_from_slice(piece.octets);
        }
    }
    sent.extend_from_slice(stuffing.end());
    sent
}

/// Reads as clients do that take LF for a line's end: the message and what follows it.
fn received(mut sent: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut message = Vec::new();
    loop {
        let end = sent.iter().position(|octet| *octet == b'\n')?;
        let (line, rest) = sent.split_at(end + 1);
        sent = rest;
        if line == b".\r\n" || line == b".\n" {
            return Some((message, sent.to_vec()));
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
}

fn beginning(message: &[u8], lines: u64, step: usize) -> Vec<u8> {
    let mut top = Top::new(lines);
    let mut out = Vec::new();
    for part in message.chunks(step) {
        let taken = top.take(part);
        assert!(taken == part.len() || top.is_done());
        out.extend_from_slice(part.get(..taken).expect("no more is taken than there is"));
    }
    out
}
