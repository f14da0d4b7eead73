//! What may be stored as a calendar object, and why the rest may not.

use bytes::Bytes;
use mapi_convert::ical::{Condition, Invalid, Kind, Limits, Resource, parse};

fn check(text: &str) -> Result<(Kind, String), Invalid> {
    let octets = Bytes::from(text.replace('\n', "\r\n"));
    let document = parse(&octets, &Limits::default())?;
    let resource = Resource::of(&document)?;
    Ok((resource.kind, resource.uid.to_owned()))
}

fn calendar(inner: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y\n{inner}END:VCALENDAR\n")
}

/// Three lines of frame, BEGIN, UID and DTSTAMP stand before `lines`, which begin on line 7.
fn event(lines: &str) -> String {
    component("VEVENT", lines)
}

fn component(name: &str, lines: &str) -> String {
    calendar(&format!(
        "BEGIN:{name}\nUID:u\nDTSTAMP:20260101T000000Z\n{lines}END:{name}\n"
    ))
}

#[test]
fn objects_of_every_kind_are_taken() {
    let start = "DTSTART:20260101T100000Z\n";
    let cases = [
        (event(start), Kind::Event),
        (
            event("DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260102\n"),
            Kind::Event,
        ),
        (
            event(
                "DTSTART:20260101T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEXDATE:20260102T100000\n",
            ),
            Kind::Event,
        ),
        (component("VTODO", "DUE:20260101T100000Z\n"), Kind::Todo),
        (
            component(
                "VTODO",
                &format!(
                    "{start}DURATION:P1D\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDURATION:PT1M\nREPEAT:2\nEND:VALARM\n"
                ),
            ),
            Kind::Todo,
        ),
        (
            component("VJOURNAL", "DESCRIPTION:a\nDESCRIPTION:b\n"),
            Kind::Journal,
        ),
        (
            component(
                "VFREEBUSY",
                "FREEBUSY:20260101T000000Z/PT1H,20260102T000000Z/20260102T010000Z\n",
            ),
            Kind::FreeBusy,
        ),
        (
            component(
                "VAVAILABILITY",
                "BEGIN:AVAILABLE\nUID:v\nDTSTAMP:20260101T000000Z\nDTSTART:20260101T000000Z\nEND:AVAILABLE\n",
            ),
            Kind::Availability,
        ),
        (
            event(&format!(
                "{start}X-ANY:\\x\nBEGIN:PARTICIPANT\nUID:p\nEND:PARTICIPANT\n"
            )),
            Kind::Event,
        ),
    ];
    for (text, kind) in cases {
        assert_eq!(check(&text), Ok((kind, "u".to_owned())), "{text}");
    }
}

#[test]
fn a_series_has_one_master_and_overrides() {
    let part = |lines: &str| {
        format!(
            "BEGIN:VEVENT\nUID:u\nDTSTAMP:20260101T000000Z\nDTSTART:20260101T100000Z\n{lines}END:VEVENT\n"
        )
    };
    let master = part("RRULE:FREQ=DAILY\n");
    let later = part("RECURRENCE-ID:20260102T100000Z\n");
    let octets = Bytes::from(calendar(&format!("{later}{master}")));
    let document = parse(&octets, &Limits::default()).unwrap();
    let resource = Resource::of(&document).unwrap();
    assert!(resource.master().unwrap().property("RRULE").is_some());
    assert_eq!(resource.overrides().count(), 1);
    let refused = [
        (
            format!("{master}{master}"),
            10,
            "a second component without RECURRENCE-ID",
        ),
        (
            format!("{master}{later}{later}"),
            20,
            "RECURRENCE-ID: given twice",
        ),
        (
            format!("{master}{}", part("RECURRENCE-ID;VALUE=DATE:20260102\n")),
            14,
            "RECURRENCE-ID: of another type than DTSTART",
        ),
        (
            format!("{master}{}", later.replace("UID:u", "UID:v")),
            10,
            "a second UID",
        ),
        (
            format!("{master}{}", later.replace("VEVENT", "VTODO")),
            10,
            "components of two kinds",
        ),
    ];
    for (parts, line, reason) in refused {
        let found = check(&calendar(&parts)).unwrap_err();
        assert_eq!((found.line, found.reason.as_str()), (line, reason));
    }
}

fn check_refused(text: &str, condition: Condition, line: usize, reason: &str) {
    let found = check(text).unwrap_err();
    let found = (found.condition, found.line, found.reason.as_str());
    assert_eq!(found, (condition, line, reason), "{text}");
}

const START: &str = "DTSTART:20260101T100000Z\n";

#[test]
fn what_is_not_one_object_is_refused_with_precondition_line_and_reason() {
    use Condition::{
        SupportedCalendarData as Supported, ValidCalendarData as Data,
        ValidCalendarObjectResource as Object,
    };
    let whole = event(START);
    let scale = whole.replace("PRODID:", "CALSCALE:HIJRI\nPRODID:");
    let method = whole.replace("PRODID:", "METHOD:REQUEST\nPRODID:");
    let old = whole.replace("VERSION:2.0", "VERSION:1.0");
    let unversioned = whole.replace("VERSION:2.0\n", "");
    let unnamed = whole.replace("UID:u\n", "");
    let no_component = "no component that can be stored";
    check_refused("nonsense", Data, 1, "no colon");
    check_refused("BEGIN:VCARD\nEND:VCARD\n", Data, 1, "no VCALENDAR");
    check_refused(&whole.repeat(2), Object, 10, "a second VCALENDAR");
    check_refused(&old, Supported, 2, "VERSION: not 2.0");
    check_refused(&unversioned, Data, 1, "VERSION: missing in VCALENDAR");
    check_refused(&scale, Supported, 3, "CALSCALE: not GREGORIAN");
    check_refused(&method, Object, 3, "METHOD: not in a stored object");
    check_refused(&calendar(""), Object, 1, no_component);
    check_refused(&calendar("BEGIN:X-A\nEND:X-A\n"), Object, 1, no_component);
    check_refused(&unnamed, Data, 4, "UID: missing in VEVENT");
    check_refused(&event(""), Data, 4, "DTSTART: missing in VEVENT");
    let zone = calendar("BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n");
    let reason = "VTIMEZONE: neither STANDARD nor DAYLIGHT";
    check_refused(&zone, Data, 4, reason);
    let todo = component("VTODO", "DURATION:PT1H\n");
    check_refused(&todo, Data, 7, "DURATION: without DTSTART");
    for start in [
        "DTSTART:20260230T100000Z\n",
        "DTSTART;VALUE=DATE:20260101T100000\n",
    ] {
        check_refused(&event(start), Data, 7, "DTSTART: not a valid value");
    }
}

#[test]
fn lines_that_the_standard_does_not_allow_are_refused() {
    let cases = [
        ("DTSTART:20260101T100000Z\n", 8, "DTSTART: given twice"),
        (
            "RRULE:FREQ=DAILY;INTERVAL=0\n",
            8,
            "RRULE: not a valid value",
        ),
        (
            "RRULE:FREQ=WEEKLY;BYMONTHDAY=1\n",
            8,
            "RRULE: not a valid value",
        ),
        (
            "DTEND;VALUE=DATE:20260102\n",
            8,
            "DTEND: of another type than DTSTART",
        ),
        ("DTEND:20260101T090000Z\n", 8, "DTEND: before DTSTART"),
        (
            "DTEND:20260101T110000Z\nDURATION:PT1H\n",
            9,
            "DURATION: beside an end",
        ),
        ("DURATION:-PT1H\n", 8, "DURATION: not a valid value"),
        ("GEO:91;0\n", 8, "GEO: not a valid value"),
        ("SUMMARY:a\u{b}b\n", 8, "a control character"),
        (
            "BEGIN:VALARM\nACTION:AUDIO\nEND:VALARM\n",
            8,
            "TRIGGER: missing in VALARM",
        ),
        (
            "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n",
            8,
            "a component where it cannot be",
        ),
    ];
    for (lines, line, reason) in cases {
        let text = event(&format!("{START}{lines}"));
        check_refused(&text, Condition::ValidCalendarData, line, reason);
    }
}
