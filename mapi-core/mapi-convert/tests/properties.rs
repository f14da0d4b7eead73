//! What holds for every input, however broken.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use mapi_convert::{
    EnvelopeView, Limits, PartKind, PartView, Scanned, Scanner, StructureView,
    decode::{self, Decoder},
    header, oxcmail,
    text::PartText,
};
use mapi_types::{FileTime, TransferEncoding};
use proptest::prelude::*;

fn scan(message: &[u8], cuts: &[usize]) -> Scanned {
    let mut scanner = Scanner::new(Limits {
        depth_max: 8,
        parts_max: 40,
        ..Limits::default()
    });
    let mut rest = message;
    for cut in cuts {
        let (piece, tail) = rest.split_at(cut % (rest.len() + 1));
        scanner.feed(piece);
        rest = tail;
    }
    scanner.feed(rest);
    scanner.finish()
}

/// Lines that make up messages, in any order, so that structure is met often.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(&b"Content-Type: multipart/mixed; boundary=a"[..]),
        Just(&b"Content-Type: multipart/digest; boundary=ab"[..]),
        Just(&b"Content-Type: multipart/related;\r\n boundary=\"a--\""[..]),
        Just(&b"Content-Type: message/rfc822"[..]),
        Just(&b"Content-Type: message/delivery-status"[..]),
        Just(&b"Content-Type: text/html; charset=utf-8"[..]),
        Just(&b"Content-Transfer-Encoding: base64"[..]),
        Just(&b"Content-Disposition: attachment; filename*0=a; filename*1*=%41"[..]),
        Just(&b"From: A <a@example.test>, G: b@example.test;"[..]),
        Just(&b"Subject: =?utf-8?Q?x?="[..]),
        Just(&b"Date: Mon, 2 Jan 2006 15:04:05 -0700"[..]),
        Just(&b"--a"[..]),
        Just(&b"--a--"[..]),
        Just(&b"--ab"[..]),
        Just(&b"--ab--"[..]),
        Just(&b"--a----"[..]),
        Just(&b""[..]),
        Just(&b""[..]),
        Just(&b""[..]),
        Just(&b"aGVsbG8="[..]),
        Just(&b"\x00\xff\xe9 \t\r x"[..]),
        Just(&b"-"[..]),
    ];
    let end = prop_oneof![Just(&b"\r\n"[..]), Just(&b"\n"[..]), Just(&b"\r\r\n"[..])];
    proptest::collection::vec((line, end), 0..60).prop_map(|lines| {
        lines
            .into_iter()
            .flat_map(|(line, end)| [line, end].concat())
            .collect()
    })
}

fn check_nested(part: PartView<'_>, within: std::ops::Range<u64>, seen: &mut usize) {
    *seen += 1;
    let (header, body) = (part.header(), part.body());
    assert!(within.start <= header.start && header.end == body.start && body.end <= within.end);
    let children: Vec<_> = part.children().collect();
    match part.kind {
        PartKind::Leaf => assert!(children.is_empty()),
        PartKind::Multipart => assert!(!children.is_empty()),
        PartKind::Message => {
            assert_eq!(children.len(), 1);
            assert!(part.envelope().is_some());
            assert_eq!(children[0].header().start..children[0].body().end, body);
        }
    }
    let mut from = body.start;
    for child in children {
        check_nested(child, from..body.end, seen);
        from = child.body().end;
    }
}

fn check_message(bytes: &[u8], cuts: &[usize]) {
    let whole = scan(bytes, &[]);
    let cut = scan(bytes, cuts);
    assert_eq!(whole, cut, "the pieces that octets arrive in do not matter");
    let derived = whole.derived();
    let view = StructureView::new(&derived.structure).unwrap();
    assert!(EnvelopeView::new(&derived.envelope).is_some());
    let size = bytes.len() as u64;
    assert_eq!(view.root().header_start, 0);
    assert_eq!(view.root().body().end, size);
    let mut seen = 0;
    check_nested(view.root(), 0..size, &mut seen);
    assert_eq!(seen, whole.parts.len());
    for (part, end) in whole.parts.iter().map(|part| (part, part.body.clone())) {
        let octets = &bytes[end.start as usize..end.end as usize];
        assert_eq!(
            part.lines,
            octets.iter().filter(|b| **b == b'\n').count() as u64
        );
        assert_eq!(
            whole.header(part),
            &bytes[part.header.start as usize..part.header.end as usize]
        );
    }
    check_fields(&derived.header);
    let (first, _) = oxcmail::import(&whole, FileTime(7));
    let (second, _) = oxcmail::import(&whole, FileTime(7));
    assert_eq!(first, second);
    if let Some(mut text) = PartText::new(&view.root()) {
        let mut out = String::new();
        text.push(bytes, &mut out);
        text.finish(&mut out);
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

proptest! {
    #[test]
    fn messages_of_any_lines(bytes in message(), cuts in proptest::collection::vec(any::<usize>(), 0..6)) {
        check_message(&bytes, &cuts);
    }

    #[test]
    fn messages_of_any_octets(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in any::<usize>()) {
        check_message(&bytes, &[cut]);
    }

    #[test]
    fn damaged_facts_do_not_panic(bytes in message(), at in any::<usize>(), with in any::<u8>()) {
        let derived = scan(&bytes, &[]).derived();
        let mut structure = derived.structure.to_vec();
        let place = at % structure.len();
        structure[place] = with;
        if let Some(view) = StructureView::new(&structure) {
            let _ = view.section(&[1, 1], mapi_convert::SectionKind::Body);
            for child in view.root().children() {
                let _ = (child.header(), child.body(), child.languages().count(), child.envelope());
            }
        }
        let mut envelope = derived.envelope.to_vec();
        let place = at % envelope.len();
        envelope[place] = with;
        if let Some(view) = EnvelopeView::new(&envelope) {
            let _ = (view.from().count(), view.to().count());
        }
    }

    #[test]
    fn encodings_are_undone_alike_in_any_pieces(
        bytes in proptest::collection::vec(prop_oneof![Just(b'='), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'4'), any::<u8>()], 0..80),
        step in 1_usize..5,
    ) {
        for encoding in [TransferEncoding::Base64, TransferEncoding::QuotedPrintable, TransferEncoding::Identity] {
            let mut out = Vec::new();
            let mut decoder = Decoder::new(encoding);
            for piece in bytes.chunks(step) {
                decoder.push(piece, &mut out);
            }
            decoder.finish(&mut out);
            prop_assert_eq!(&out, &decode::decode(encoding, &bytes));
        }
    }
}
