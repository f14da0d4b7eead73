//! What must hold for the scanner whatever the message. Called by the fuzz target, property tests and a smoke test.

use std::ops::Range;

use mapi_convert::{
    EnvelopeView, Limits, PartKind, PartView, Scanned, Scanner, SectionKind, StructureView, header,
};

/// Small, so that short inputs meet them.
pub(crate) const LIMITS: Limits = Limits {
    depth_max: 8,
    parts_max: 40,
    header_bytes_max: 64 << 10,
    report_bytes_max: 64,
    boundary_bytes_max: 70,
};

/// The first octet says how the rest is cut.
pub(crate) fn check(input: &[u8]) {
    let Some((step, message)) = input.split_first() else {
        return;
    };
    let mut scanner = Scanner::new(LIMITS);
    message
        .chunks(usize::from(*step).max(1))
        .for_each(|piece| scanner.feed(piece));
    check_scanned(&scanner.finish(), message);
}

/// `cut` is what the scanner saw of `message` in pieces.
pub(crate) fn check_scanned(cut: &Scanned, message: &[u8]) {
    let whole = scan(message);
    assert!(
        whole == *cut,
        "the pieces that octets arrive in do not matter"
    );
    let derived = whole.derived();
    let size = message.len() as u64;
    let view = StructureView::new(&derived.structure).expect("what was encoded is read");
    assert!(EnvelopeView::new(&derived.envelope).is_some());
    assert_eq!(
        (view.root().header_start, view.root().body().end),
        (0, size)
    );
    let mut seen = 0;
    check_nested(view.root(), 0..size, &mut seen);
    assert_eq!(seen, whole.parts.len());
    for part in &whole.parts {
        let octets = slice(message, &part.body);
        assert_eq!(
            part.lines,
            octets.iter().filter(|b| **b == b'\n').count() as u64
        );
        assert!(slice(message, &part.header).starts_with(whole.header(part)));
        if let Some(report) = whole.report(part) {
            assert!(octets.starts_with(report));
        }
    }
    check_numbers(&view);
    check_fields(&derived.header);
}

/// The scanner's view of a message in one piece.
pub(crate) fn scan(message: &[u8]) -> Scanned {
    let mut scanner = Scanner::new(LIMITS);
    scanner.feed(message);
    scanner.finish()
}

fn slice<'a>(message: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &message[range.start as usize..range.end as usize]
}

fn check_nested(part: PartView<'_>, within: Range<u64>, seen: &mut usize) {
    *seen += 1;
    let (header, body) = (part.header(), part.body());
    assert!(within.start <= header.start && header.end == body.start && body.end <= within.end);
    let children: Vec<_> = part.children().collect();
    match part.kind {
        PartKind::Leaf => assert!(children.is_empty()),
        PartKind::Multipart => assert!(!children.is_empty()),
        PartKind::Message => {
            assert!(children.len() == 1 && part.envelope().is_some());
            assert_eq!(children[0].header_start..children[0].body().end, body);
        }
    }
    let mut from = body.start;
    for child in children {
        check_nested(child, from..body.end, seen);
        from = child.body().end;
    }
}

/// Every part has a number, and its sections lie within it.
fn check_numbers(view: &StructureView<'_>) {
    for path in [&[1][..], &[2], &[1, 1], &[1, 2], &[1, 1, 1], &[2, 1]] {
        let Some(part) = view.part(path) else {
            continue;
        };
        assert_eq!(view.section(path, SectionKind::Body), Some(part.body()));
        assert_eq!(view.section(path, SectionKind::Mime), Some(part.header()));
        if let Some(text) = view.section(path, SectionKind::Text) {
            let header = view
                .section(path, SectionKind::Header)
                .expect("a message has both");
            assert_eq!(
                (header.end, header.start, text.end),
                (text.start, part.body().start, part.body().end)
            );
        }
    }
}

/// Fields put together are the block.
fn check_fields(block: &[u8]) {
    let mut joined: Vec<u8> = header::fields(block)
        .flat_map(|field| field.raw)
        .copied()
        .collect();
    joined.extend_from_slice(&block[joined.len()..]);
    assert_eq!(joined, block);
    let mut all = Vec::new();
    header::select(block, &[""; 0], header::Select::Not, &mut all);
    assert_eq!(all, block);
}
