//! What must hold for the converter whatever the message. Called by the fuzz target and a smoke test.

use bytes::Bytes;
use mapi_convert::{
    Limits, PartView, Scanned, Scanner, StructureView, date, encoded_word, html, oxcmail,
    oxcmail::Identity,
    text::{PartText, header_text},
};
use mapi_types::FileTime;

const NOW: FileTime = FileTime(127_800_000_000_000_000);
const IDENTITY: Identity<'_> = Identity {
    key: b"key",
    domain: "example.test",
};
/// Small, so that short inputs meet them.
const LIMITS: Limits = Limits {
    depth_max: 10,
    parts_max: 50,
    header_bytes_max: 64 << 10,
    report_bytes_max: 4 << 10,
    boundary_bytes_max: 70,
};

/// Converts there and back twice: the same every time, and nothing panics.
pub(crate) fn check(message: &[u8]) {
    let original = Bytes::copy_from_slice(message);
    let scanned = scan(message);
    let converted = oxcmail::import(&scanned, NOW);
    assert!(converted == oxcmail::import(&scanned, NOW));
    let (tree, _) = converted;
    let full =
        oxcmail::import_with_text(&scanned, &original, NOW).expect("the original is in memory");
    assert_eq!(full.0.attachments.len(), tree.attachments.len());
    let (export, _) = oxcmail::export(&full.0, &IDENTITY);
    assert_eq!(export, oxcmail::export(&full.0, &IDENTITY).0);
    let mut out = Vec::new();
    export
        .write(Some(&original), &mut |octets| out.extend_from_slice(octets))
        .expect("ranges are in the original");
    assert_eq!(out.len() as u64, export.size());
    let back = scan(&out);
    let again = oxcmail::import(&back, NOW).0;
    let subject = |tree: &mapi_types::MessageTree| {
        let subject = tree
            .props
            .get(&mapi_types::tags::SUBJECT)
            .unwrap_or_default();
        subject
            .split_whitespace()
            .collect::<String>()
            .replace(char::is_control, "")
    };
    assert_eq!(subject(&tree), subject(&again));

    let derived = scanned.derived();
    let view = StructureView::new(&derived.structure).expect("what was encoded is read");
    texts(view.root(), message);
    let text = String::from_utf8_lossy(message);
    html::to_text(&text);
    encoded_word::decode(message);
    date::parse(message);
    header_text(message, &mut String::new());
}

fn scan(message: &[u8]) -> Scanned {
    let mut scanner = Scanner::new(LIMITS);
    scanner.feed(message);
    scanner.finish()
}

/// Reads every text in pieces of two sizes.
fn texts(part: PartView<'_>, message: &[u8]) {
    part.children().for_each(|child| texts(child, message));
    let body = &message[part.body().start as usize..part.body().end as usize];
    let read = |step| {
        let mut reader = PartText::new(&part)?;
        let mut out = String::new();
        body.chunks(step)
            .for_each(|piece| reader.push(piece, &mut out));
        reader.finish(&mut out);
        Some(out)
    };
    assert_eq!(read(3), read(usize::MAX));
}
