//! Documents are read without loss, and bounded.

use bytes::Bytes;
use mapi_convert::ical::{Component, Document, Error, Limits, Property, Reason, parse};
use proptest::prelude::*;

fn read(text: &str) -> Document {
    parse(&Bytes::copy_from_slice(text.as_bytes()), &Limits::default()).unwrap()
}

fn refused(octets: &[u8], limits: &Limits) -> Error {
    parse(&Bytes::copy_from_slice(octets), limits).unwrap_err()
}

const EVENT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nBEGIN:VEVENT\r\nUID:a\r\n\
    DESCRIPTION;ALTREP=\"cid:a:b\";X-A=b,\"c;d\":one\r\n  two\\, \r\n\tthree\r\nX-EMPTY:\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn a_document_is_written_back_as_it_was_read() {
    let documents = [
        EVENT,
        "BEGIN:A\nX:1\nEND:A",
        "\u{feff}BEGIN:A\r\nx;q=\"\":\r\nEND:a\r\n\r\n\r\n",
        "\r\n\nBEGIN:A\r\n\r\nX:1\r\n\r\n  2\r\nEND:A\r\nBEGIN:B\nEND:B\n",
        "BEGIN:VCALENDAR\r\nSUMMARY:Gr\u{fc}\u{df}e \u{1f600}\r\nEND:VCALENDAR\r\n",
    ];
    for text in documents {
        assert_eq!(String::from_utf8(read(text).to_bytes()).unwrap(), text);
    }
}

#[test]
fn folds_within_characters_and_parameters_are_undone() {
    let text =
        b"BEGIN:A\r\nSUMMARY;X-P=^na^'^^^b,\"c:d\":Gr\xc3\r\n \xbc\xc3\r\n\t\x9fe\r\nEND:A\r\n";
    let document = parse(&Bytes::from_static(text), &Limits::default()).unwrap();
    let property = document.components[0].property("summary").unwrap();
    assert_eq!(property.value(), "Gr\u{fc}\u{df}e");
    let values = property.param_values("x-p").unwrap();
    assert_eq!(values, ["\na\"^^b".to_owned(), "c:d".to_owned()]);
    assert_eq!(property.line(), 2);
    assert_eq!(document.to_bytes(), text);
}

#[test]
fn what_is_changed_is_written_anew_and_the_rest_is_not() {
    let mut document = read(&EVENT.replace("UID:a\r\n", "UID:\r\n a\r\n"));
    let event = document.components[0].components_mut().next().unwrap();
    event.set(Property::new("DESCRIPTION", "x".repeat(80)).with_param("LANGUAGE", "a;\"b"));
    event.remove("X-EMPTY");
    event.push(Property::new("SUMMARY", "s"));
    let text = String::from_utf8(document.to_bytes()).unwrap();
    let written = format!(
        "UID:\r\n a\r\nDESCRIPTION;LANGUAGE=\"a;^'b\":{}\r\n {}\r\nSUMMARY:s\r\nEND:VEVENT",
        "x".repeat(46),
        "x".repeat(34)
    );
    assert!(text.contains(&written), "{text}");
}

#[test]
fn setting_what_is_there_already_changes_nothing() {
    let mut document = read(EVENT);
    let event = document.components[0].components_mut().next().unwrap();
    let description = event.property_mut("DESCRIPTION").unwrap();
    description.set_value("one two\\, three");
    description.set_param("ALTREP", Some("cid:a:b"));
    description.set_param("X-NONE", None);
    event.set(Property::new("UID", "a"));
    assert_eq!(document.to_bytes(), EVENT.as_bytes());
}

#[test]
fn a_document_without_its_last_line_end_can_be_added_to() {
    let mut document = read("BEGIN:A\r\nEND:A");
    document.components.push(Component::new("B"));
    let text = String::from_utf8(document.to_bytes()).unwrap();
    assert_eq!(text, "BEGIN:A\r\nEND:A\r\nBEGIN:B\r\nEND:B\r\n");
}

#[test]
fn what_is_no_document_is_refused_with_line_and_reason() {
    let cases: [(&[u8], usize, Reason); 14] = [
        (b"", 1, Reason::Empty),
        (b"\r\n\r\n", 2, Reason::Empty),
        (b"hello", 1, Reason::NoValue),
        (b"BEGIN:A\r\nEND:A\r\nX:1\r\n", 3, Reason::OutsideComponent),
        (b"BEGIN:A\r\nX:1\r\n", 2, Reason::Unfinished),
        (b"BEGIN:A\r\nEND:B\r\n", 2, Reason::UnexpectedEnd),
        (b"END:A\r\n", 1, Reason::UnexpectedEnd),
        (b" BEGIN:A\r\n", 1, Reason::NothingToContinue),
        (b"BEGIN:A\r\nX 1:2\r\n", 2, Reason::BadName),
        (b"BEGIN:A\r\n:2\r\n", 2, Reason::BadName),
        (b"BEGIN:A\r\nX;B:2\r\n", 2, Reason::BadParam),
        (b"BEGIN:A\r\nX;B=\"a:2\r\n", 2, Reason::OpenQuote),
        (b"BEGIN:A\r\nX;B=\"a\"b:2\r\n", 2, Reason::BadParam),
        (b"BEGIN:A\r\nX:\r\n a\r\nY:\xff\r\n", 4, Reason::NotUtf8),
    ];
    for (octets, line, reason) in cases {
        assert_eq!(refused(octets, &Limits::default()), Error { line, reason });
    }
}

#[test]
fn a_document_beyond_a_limit_is_refused() {
    let limits = Limits {
        size_bytes_max: 400,
        lines_max: 12,
        line_bytes_max: 60,
        depth_max: 3,
        params_max: 2,
    };
    let check = |octets: &[u8], line, reason| {
        assert_eq!(refused(octets, &limits), Error { line, reason });
    };
    check(&[b'x'; 401], 1, Reason::TooLarge);
    check(&b"BEGIN:A\n".repeat(4), 4, Reason::TooDeep);
    check(&b"BEGIN:A\nEND:A\n".repeat(7), 13, Reason::TooManyLines);
    check(
        b"BEGIN:A\nX:\n\n\n\n\n\n\n\n\n\n\n\n\nEND:A\n",
        2,
        Reason::TooManyLines,
    );
    check(b"BEGIN:A\nX;A=1;B=2;C=3:\n", 2, Reason::TooManyParams);
    check(b"BEGIN:A\nX;A=1,2,3:\n", 2, Reason::TooManyParams);
    let long = format!("BEGIN:A\nX:{}\n {}\n", "a".repeat(30), "a".repeat(30));
    check(long.as_bytes(), 2, Reason::LineTooLong);
}

proptest! {
    #[test]
    fn new_properties_are_folded_between_characters_and_read_back(
        value in "[^\\p{C}]{0,200}", param in "[^\\p{C}]{0,90}", name in "X-[A-Z]{1,90}",
    ) {
        let mut component = Component::new("A");
        component.push(Property::new(&name, value.as_str()).with_param("P", param.as_str()));
        let octets = Document::new(component.clone()).to_bytes();
        for line in octets.split(|octet| *octet == b'\n') {
            prop_assert!(line.len() <= 76, "75 octets and CR");
            prop_assert!(std::str::from_utf8(line).is_ok());
        }
        let back = parse(&Bytes::from(octets), &Limits::default()).unwrap();
        prop_assert_eq!(&back.components[0], &component);
    }
}
