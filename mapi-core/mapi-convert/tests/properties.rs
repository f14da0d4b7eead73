//! What holds for every input, however broken.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test"
)]

#[path = "../fuzz/checks/oxcmail.rs"]
mod oxcmail;
#[path = "../fuzz/checks/skeleton.rs"]
mod skeleton;

use mapi_convert::{
    EnvelopeView, Scanned, Scanner, StructureView,
    decode::{self, Decoder},
};
use mapi_types::TransferEncoding;
use proptest::prelude::*;

fn scan(message: &[u8], cuts: &[usize]) -> Scanned {
    let mut scanner = Scanner::new(skeleton::LIMITS);
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

fn check_message(bytes: &[u8], cuts: &[usize]) {
    let cut = scan(bytes, cuts);
    skeleton::check_scanned(&cut, bytes);
    oxcmail::check(bytes);
}

proptest! {
    #[test]
    fn messages_of_any_lines(bytes in message(), cuts in proptest::collection::vec(any::<usize>(), 0..6)) {
        check_message(&bytes, &cuts);
    }

    #[test]
    fn messages_of_any_octets(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        skeleton::check(&bytes);
        oxcmail::check(&bytes);
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
