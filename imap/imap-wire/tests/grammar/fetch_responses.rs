//! Known answers for the writer: FETCH responses, envelopes and body structures, octet for octet.

use std::num::NonZeroU32;

use imap_wire::response::{
    Address, Disposition, Envelope, Leaf, message_part, multipart, single_part,
};
use imap_wire::{DateTime, FetchWriter, FlagBits};

fn check_fetch(write: impl FnOnce(&mut FetchWriter<'_>), expected: &str) {
    let mut out = Vec::new();
    let mut fetch = FetchWriter::start(&mut out, 12);
    write(&mut fetch);
    fetch.finish();
    assert_eq!(
        String::from_utf8_lossy(&out),
        format!("* 12 FETCH ({expected})\r\n")
    );
}

fn check_bytes(write: impl FnOnce(&mut Vec<u8>), expected: &str) {
    let mut out = Vec::new();
    write(&mut out);
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn fetch_items() {
    let date = DateTime::parse(b"17-Jul-1996 02:44:25 -0700").expect("a date");
    check_fetch(
        |f| {
            f.uid(7);
            f.flags(FlagBits::SEEN.with(FlagBits::RECENT), ["$a", "b"]);
            f.mod_seq(65402);
        },
        "UID 7 FLAGS (\\Seen \\Recent $a b) MODSEQ (65402)",
    );
    check_fetch(
        |f| {
            f.flags(FlagBits::NONE, []);
            f.rfc822_size(44827);
            f.internal_date(date);
        },
        "FLAGS () RFC822.SIZE 44827 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"",
    );
    check_fetch(
        |f| f.body("header.fields (date)", None, b"Date: x\r\n\r\n"),
        "BODY[header.fields (date)] {11}\r\nDate: x\r\n\r\n",
    );
    check_fetch(
        |f| f.body("1", Some(0), b"hello"),
        "BODY[1]<0> {5}\r\nhello",
    );
    check_fetch(|f| f.body_nil("9", None), "BODY[9] NIL");
    check_fetch(
        |f| {
            f.rfc822_literal("RFC822.HEADER", 2)
                .extend_from_slice(b"\r\n")
        },
        "RFC822.HEADER {2}\r\n\r\n",
    );
    let parts = [NonZeroU32::MIN, NonZeroU32::MAX];
    check_fetch(
        |f| f.binary_literal(&parts, Some(5), 1, true).push(b'x'),
        "BINARY[1.4294967295]<5> ~{1}\r\nx",
    );
    check_fetch(
        |f| f.binary_literal(&[], None, 1, false).push(b'x'),
        "BINARY[] {1}\r\nx",
    );
    check_fetch(|f| f.binary_size(&parts[..1], 4096), "BINARY.SIZE[1] 4096");
    check_fetch(
        |f| {
            f.preview(Some("hi"));
            f.preview(None);
        },
        "PREVIEW \"hi\" PREVIEW NIL",
    );
    check_fetch(
        |f| {
            f.email_id("M1");
            f.thread_id(Some("T1"));
            f.thread_id(None);
        },
        "EMAILID (M1) THREADID (T1) THREADID NIL",
    );
    check_fetch(
        |f| {
            f.save_date(Some(date));
            f.save_date(None);
        },
        "SAVEDATE \"17-Jul-1996 02:44:25 -0700\" SAVEDATE NIL",
    );
}

#[test]
fn a_fetch_response_survives_the_flush_inside_it() {
    let mut out = Vec::new();
    let mut fetch = FetchWriter::start(&mut out, 1);
    fetch.uid(2);
    fetch.body_literal("", None, 5);
    assert_eq!(out, b"* 1 FETCH (UID 2 BODY[] {5}\r\n");
    out.clear();
    let mut fetch = FetchWriter::resume(&mut out);
    fetch.flags(FlagBits::SEEN, []);
    fetch.finish();
    assert_eq!(out, b" FLAGS (\\Seen))\r\n");
}

#[test]
fn envelope() {
    let terry = [Address {
        name: Some(b"Terry Gray"),
        mailbox: Some(b"gray"),
        host: Some(b"example.org"),
        route: None,
    }];
    let group = [
        Address {
            mailbox: Some(b"friends"),
            ..Address::default()
        },
        Address {
            mailbox: Some("bj\u{f6}rn".as_bytes()),
            host: Some(b"example.org"),
            ..Address::default()
        },
        Address::default(),
    ];
    let envelope = Envelope {
        date: Some(b"Wed, 17 Jul 1996 02:23:25 -0700"),
        subject: Some(b"a \"b\" \\"),
        from: &terry,
        to: &group,
        message_id: Some(b"<B27397@example.org>"),
        ..Envelope::default()
    };
    check_fetch(
        |f| f.envelope(&envelope),
        "ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700\" \"a \\\"b\\\" \\\\\" \
         ((\"Terry Gray\" NIL \"gray\" \"example.org\")) NIL NIL \
         ((NIL NIL \"friends\" NIL)(NIL NIL {6}\r\nbjörn \"example.org\")(NIL NIL NIL NIL)) \
         NIL NIL NIL \"<B27397@example.org>\")",
    );
}

fn text_leaf() -> Leaf<'static> {
    Leaf {
        media_type: b"TEXT",
        subtype: b"PLAIN",
        params: &[(b"CHARSET", b"US-ASCII")],
        id: None,
        description: None,
        encoding: b"7BIT",
        size: 3028,
        lines: 92,
        md5: None,
        disposition: None,
        language: &[],
        location: None,
    }
}

#[test]
fn body_structures() {
    let text = text_leaf();
    let short = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92)";
    check_bytes(|out| single_part(out, &text, false), short);
    let image = Leaf {
        media_type: b"image",
        subtype: b"png",
        params: &[],
        id: Some(b"<1@x>"),
        encoding: b"base64",
        disposition: Some(Disposition {
            kind: b"attachment",
            params: &[(b"filename", b"a.png")],
        }),
        language: &[b"de", b"en"],
        location: Some(b"http://example.test/"),
        ..text
    };
    check_bytes(
        |out| single_part(out, &image, true),
        "(\"image\" \"png\" NIL \"<1@x>\" NIL \"base64\" 3028 NIL (\"attachment\" (\"filename\" \"a.png\")) \
         (\"de\" \"en\") \"http://example.test/\")",
    );
    let mixed = Leaf {
        media_type: b"multipart",
        subtype: b"MIXED",
        params: &[(b"BOUNDARY", b"x")],
        language: &[b"en"],
        ..text
    };
    check_bytes(
        |out| {
            multipart(out, &mixed, true, |out| {
                single_part(out, &text, false);
                single_part(out, &text, false);
            })
        },
        &format!("({short}{short} \"MIXED\" (\"BOUNDARY\" \"x\") NIL \"en\" NIL)"),
    );
    check_bytes(
        |out| multipart(out, &mixed, false, |out| single_part(out, &text, false)),
        &format!("({short} \"MIXED\")"),
    );
    let message = Leaf {
        media_type: b"MESSAGE",
        subtype: b"RFC822",
        params: &[],
        ..text
    };
    let nils = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";
    check_bytes(
        |out| {
            message_part(out, &message, &Envelope::default(), false, |out| {
                single_part(out, &text, false)
            })
        },
        &format!("(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 3028 {nils} {short} 92)"),
    );
    check_fetch(
        |f| single_part(f.body_structure(false), &text, false),
        &format!("BODY {short}"),
    );
    check_fetch(
        |f| single_part(f.body_structure(true), &text, true),
        &format!(
            "BODYSTRUCTURE {} NIL NIL NIL NIL)",
            &short[..short.len() - 1]
        ),
    );
}
