//! The scanner's promises: which octets are which part, whatever the message looks like.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use mapi_convert::{
    EnvelopeView, Limits, PartKind, PartView, Scanned, Scanner, SectionKind, StructureView,
};

fn scan(message: &[u8]) -> Scanned {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(message);
    scanner.finish()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// `type/subtype[body]` of leaves, children in parentheses.
fn shown(part: PartView<'_>, message: &[u8]) -> String {
    let kind = format!("{}/{}", text(part.media_type), text(part.subtype));
    if part.kind == PartKind::Leaf {
        let body = part.body();
        return format!(
            "{kind}[{}]",
            text(&message[body.start as usize..body.end as usize])
        );
    }
    let children: Vec<_> = part.children().map(|child| shown(child, message)).collect();
    format!("{kind}({})", children.join(" "))
}

fn check(message: &str, expected: &str) {
    for message in [message.to_string(), message.replace('\n', "\r\n")] {
        let expected = if message.contains('\r') {
            expected.replace('\n', "\r\n")
        } else {
            expected.into()
        };
        let derived = scan(message.as_bytes()).derived();
        let view = StructureView::new(&derived.structure).unwrap();
        assert_eq!(
            shown(view.root(), message.as_bytes()),
            expected,
            "{message}"
        );
    }
}

#[test]
fn a_body_ends_before_the_line_end_of_the_boundary() {
    check(
        "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n\n--b\n\ntwo\n--b--\nepilogue\n",
        "multipart/mixed(text/plain[one\n] text/plain[two])",
    );
}

#[test]
fn a_missing_final_boundary_leaves_the_rest_in_the_last_part() {
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n",
        "multipart/mixed(text/plain[one] text/plain[two\n])",
    );
}

#[test]
fn an_outer_boundary_closes_inner_parts() {
    check(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n\
         --i\n\na\n--i\n\nb\n--o\n\nc\n--o--\n",
        "multipart/mixed(multipart/alternative(text/plain[a] text/plain[b]) text/plain[c])",
    );
}

#[test]
fn the_longest_of_boundaries_that_are_prefixes_of_each_other_counts() {
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=bb\n\n\
         --bb\n\na\n--bb--\n--b\n\nc\n--b--\n",
        "multipart/mixed(multipart/mixed(text/plain[a]) text/plain[c])",
    );
    check(
        "Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\n\na\n--b--\n--bb\n\nc\n--bb--\n",
        "multipart/mixed(multipart/mixed(text/plain[a]) text/plain[c])",
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=\"b--\"\n\n\
         --b--\n\na\n--b----\n--b\n\nc\n--b--\n",
        "multipart/mixed(multipart/mixed(text/plain[a]) text/plain[c])",
    );
}

#[test]
fn a_boundary_line_may_carry_white_space_and_text() {
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\none\n--bang\n\ntwo\n--b-- \nepilogue\n",
        "multipart/mixed(text/plain[one] text/plain[two])",
    );
}

#[test]
fn a_closed_boundary_does_not_open_again() {
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\nepilogue\n",
        "multipart/mixed(text/plain[one])",
    );
}

#[test]
fn multiparts_that_cannot_be_taken_apart_are_text() {
    check(
        "Content-Type: multipart/mixed\n\n--b\nx\n",
        "text/plain[--b\nx\n]",
    );
    check(
        "Content-Type: multipart/mixed; boundary=\"\"\n\n--\nx\n",
        "text/plain[--\nx\n]",
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\n\nx\n",
        "text/plain[x\n]",
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b--\n",
        "text/plain[--b--\n]",
    );
}

#[test]
fn parts_without_header_body_or_blank_line() {
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n\n--b\nContent-Type: a/b\n--b\nContent-Type: c/d\n\n--b--",
        "multipart/mixed(text/plain[] text/plain[] a/b[] c/d[])",
    );
    check("", "text/plain[]");
    check("\nbody", "text/plain[body]");
    check("Subject: only", "text/plain[]");
    check("no header here\nnor here\n", "text/plain[]");
}

#[test]
fn messages_within_messages() {
    check(
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\nbody\n--b\nContent-Type: message/rfc822\n\n\
         Content-Type: multipart/mixed; boundary=i\n\n--i\n\nin\n--b--\n",
        "multipart/digest(message/rfc822(text/plain[body]) message/rfc822(multipart/mixed(text/plain[in])))",
    );
    check(
        "Content-Type: message/rfc822\n\nSubject: in\n",
        "message/rfc822(text/plain[])",
    );
}

#[test]
fn an_encoded_message_is_opaque() {
    check(
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQo=\n",
        "message/rfc822(application/octet-stream[U3ViamVjdDogeA0KDQo=\n])",
    );
}

const NUMBERED: &[u8] = b"Subject: s\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n\
    --o\r\nContent-Type: text/html\r\n\r\nfirst\r\n\
    --o\r\nContent-Type: message/rfc822\r\n\r\n\
    Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n\
    --i\r\n\r\n2.1\r\n--i\r\nA: b\r\n\r\n2.2\r\n--i--\r\n\
    --o\r\nContent-Type: message/rfc822\r\nX: y\r\n\r\nSubject: plain\r\n\r\nthree\r\n--o--\r\n";

fn section(message: &[u8], path: &[u32], kind: SectionKind) -> Option<String> {
    let derived = scan(message).derived();
    let range = StructureView::new(&derived.structure)
        .unwrap()
        .section(path, kind)?;
    Some(text(&message[range.start as usize..range.end as usize]))
}

#[test]
fn sections_are_numbered_as_imap_does() {
    use SectionKind::{Body, Header, Mime, Text};
    let check = |path: &[u32], kind, expected: Option<&str>| {
        assert_eq!(
            section(NUMBERED, path, kind).as_deref(),
            expected,
            "{path:?} {kind:?}"
        );
    };
    check(&[], Body, Some(&text(NUMBERED)));
    check(
        &[],
        Header,
        Some("Subject: s\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"),
    );
    check(&[], Mime, None);
    check(&[1], Body, Some("first"));
    check(&[1], Mime, Some("Content-Type: text/html\r\n\r\n"));
    check(&[1], Header, None);
    check(&[1, 1], Body, None);
    check(&[2, 1], Body, Some("2.1"));
    check(&[2, 2], Mime, Some("A: b\r\n\r\n"));
    check(
        &[2],
        Header,
        Some("Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"),
    );
    check(&[3], Body, Some("Subject: plain\r\n\r\nthree"));
    check(
        &[3],
        Mime,
        Some("Content-Type: message/rfc822\r\nX: y\r\n\r\n"),
    );
    check(&[3], Header, Some("Subject: plain\r\n\r\n"));
    check(&[3], Text, Some("three"));
    check(&[3, 1], Body, Some("three"));
    check(&[3, 1], Mime, Some("Subject: plain\r\n\r\n"));
    check(&[3, 1, 1], Body, None);
    check(&[4], Body, None);
    check(&[0], Body, None);
}

#[test]
fn part_one_of_a_plain_message_is_its_body() {
    let message = b"Subject: s\r\n\r\nbody\r\n";
    assert_eq!(
        section(message, &[1], SectionKind::Body).as_deref(),
        Some("body\r\n")
    );
    assert_eq!(
        section(message, &[1], SectionKind::Mime).as_deref(),
        Some("Subject: s\r\n\r\n")
    );
    assert_eq!(
        section(message, &[], SectionKind::Text).as_deref(),
        Some("body\r\n")
    );
    assert_eq!(section(message, &[2], SectionKind::Body), None);
    let nested = b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody";
    assert_eq!(
        section(nested, &[1], SectionKind::Header).as_deref(),
        Some("Subject: in\r\n\r\n")
    );
    assert_eq!(
        section(nested, &[1, 1], SectionKind::Body).as_deref(),
        Some("body")
    );
}

#[test]
fn structure_has_what_bodystructure_says() {
    let message = b"Content-Type: Text/Plain; format=flowed\r\nContent-ID: <a@b>\r\n\
        Content-Transfer-Encoding: Quoted-Printable (q)\r\nContent-Disposition: inline; filename*=utf-8''%41\r\n\
        Content-Language: en, de\r\nContent-MD5: x\r\nContent-Location: y\r\nContent-Description: a\r\n b\r\n\r\n1\r\n2\r\n3";
    let derived = scan(message).derived();
    let root = StructureView::new(&derived.structure).unwrap().root();
    assert_eq!(
        (root.media_type, root.subtype),
        (&b"Text"[..], &b"Plain"[..])
    );
    let params: Vec<_> = root
        .params
        .map(|(n, v)| format!("{}={}", text(n), text(v)))
        .collect();
    assert_eq!(params, ["format=flowed", "charset=us-ascii"]);
    assert_eq!(root.encoding, b"Quoted-Printable");
    assert_eq!((root.lines, root.body_len), (2, 7));
    assert_eq!(
        (root.id, root.md5, root.location),
        (Some(&b"<a@b>"[..]), Some(&b"x"[..]), Some(&b"y"[..]))
    );
    assert_eq!(root.description, Some(&b"a b"[..]));
    let (disposition, mut params) = root.disposition.unwrap();
    assert_eq!(
        (disposition, params.next()),
        (
            &b"inline"[..],
            Some((&b"filename*"[..], &b"utf-8''%41"[..]))
        )
    );
    assert_eq!(root.languages().collect::<Vec<_>>(), [b"en", b"de"]);
    assert_eq!(derived.header.len() as u64, root.header_len);
}

#[test]
fn envelope_has_ten_facts_with_defaults() {
    let message =
        b"Date: Mon, 2 Jan 2006 15:04:05 -0700\r\nFrom: A <a@x.test>\r\nSubject: one\r\n two\r\n\
        To: G: b@x.test;, nobody\r\nTo: c@x.test\r\nMessage-ID: <1@x>\r\nSubject: second\r\n\r\n";
    let derived = scan(message).derived();
    let envelope = EnvelopeView::new(&derived.envelope).unwrap();
    assert_eq!(envelope.sent(), Some((1_136_239_445, -420)));
    assert_eq!(
        envelope.date(),
        Some(&b"Mon, 2 Jan 2006 15:04:05 -0700"[..])
    );
    assert_eq!(envelope.subject(), Some(&b"one two"[..]));
    assert_eq!(envelope.sender().next().unwrap().name, Some(&b"A"[..]));
    assert_eq!(
        envelope.reply_to().next().unwrap().host,
        Some(&b"x.test"[..])
    );
    let to: Vec<_> = envelope
        .to()
        .map(|a| (a.mailbox.map(text), a.host.map(text)))
        .collect();
    let pair = |m: Option<&str>, h: Option<&str>| (m.map(String::from), h.map(String::from));
    assert_eq!(
        to,
        [
            pair(Some("G"), None),
            pair(Some("b"), Some("x.test")),
            pair(None, None),
            pair(Some("nobody"), Some("MISSING_DOMAIN")),
            pair(Some("c"), Some("x.test")),
        ]
    );
    assert!(envelope.cc().is_empty());
    assert_eq!(envelope.in_reply_to(), None);
    assert_eq!(envelope.message_id(), Some(&b"<1@x>"[..]));
}

#[test]
fn beyond_the_limits_the_rest_is_opaque() {
    let deep: String = (0..200)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}x\r\n\r\n--b{n}x\r\n"))
        .collect();
    let scanned = scan(deep.as_bytes());
    assert!(scanned.limited);
    assert_eq!(scanned.parts.len(), 64);

    let mut wide = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    wide.extend(b"--b\r\n\r\nx\r\n".repeat(20_000));
    let scanned = scan(&wide);
    assert!(scanned.limited);
    assert_eq!(scanned.parts.len(), 10_000);

    let mut long = b"Subject: ".to_vec();
    long.extend(vec![b'x'; 2 << 20]);
    long.extend(b"\r\nFrom: a@x.test\r\n\r\nbody");
    let scanned = scan(&long);
    assert!(scanned.limited);
    assert_eq!(scanned.header(scanned.root()).len(), 1 << 20);
    assert_eq!(
        scanned.root().body,
        long.len() as u64 - 4..long.len() as u64
    );
    assert!(scanned.derived().header.is_empty());
}

#[test]
fn reports_are_kept_without_the_line_end_of_the_boundary() {
    let message = b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nhuman\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\n\r\n--b--\r\n";
    let scanned = scan(message);
    let report = scanned.report(&scanned.parts[2]).unwrap();
    assert_eq!(
        text(report),
        "Reporting-MTA: dns; x\r\n\r\nAction: failed\r\n"
    );
    assert_eq!(
        scanned.header(&scanned.parts[2]),
        b"Content-Type: message/delivery-status\r\n\r\n"
    );
}
