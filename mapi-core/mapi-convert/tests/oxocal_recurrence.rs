//! Recurrence blobs, to the last octet, and the rules they mean.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test"
)]

use std::{fs, path::Path};

use mapi_convert::{
    ical::{
        recurrence::Occurrences,
        value::{End, LocalTime, Recur},
    },
    oxocal::{
        AppointmentRecurrence, Changed, Exception, ExceptionText, Highlight, Inexpressible,
        PatternKind, RecurrencePattern,
    },
};

fn time(text: &str) -> LocalTime {
    LocalTime::parse(text).unwrap()
}

fn until(rule: &Recur) -> Option<LocalTime> {
    match &rule.end {
        End::Until(until) => Some(until.local()),
        _ => None,
    }
}

fn pattern(start: &str, rule: &str) -> Result<RecurrencePattern, Inexpressible> {
    let rule = Recur::parse(rule).unwrap();
    RecurrencePattern::of_rule(&rule, time(start), until(&rule))
}

fn series(pattern: RecurrencePattern) -> AppointmentRecurrence {
    AppointmentRecurrence {
        pattern,
        reader_version: AppointmentRecurrence::READER_VERSION,
        writer_version: AppointmentRecurrence::WRITER_VERSION,
        start_offset: 600,
        end_offset: 630,
        exceptions: Vec::new(),
        reserved_1: Box::default(),
        reserved_2: Box::default(),
        rest: Box::default(),
    }
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(&String::from_iter(pair), 16).unwrap())
        .collect()
}

#[test]
fn a_series_has_the_documented_octets() {
    // Mondays, Thursdays and Fridays, twelve times: the fields of the example in MS-OXOCAL 4.1.1, from 2007-03-26 on.
    let weekly = pattern(
        "20070326T100000",
        "FREQ=WEEKLY;BYDAY=MO,TH,FR;WKST=SU;COUNT=12",
    )
    .unwrap();
    let expected = octets(
        "0430 0430 0b20 0100 0000 c0210000 01000000 00000000 32000000 22200000 0c000000 \
         00000000 00000000 00000000",
    );
    let mut head = weekly.to_bytes();
    let dates = head.split_off(head.len() - 8);
    assert_eq!(head, expected);
    let minutes = |octets: &[u8]| u32::from_le_bytes(octets.try_into().unwrap());
    let first = minutes(&dates[..4]);
    assert_eq!(
        first, 213_655_680,
        "2007-03-26, a Monday, in minutes since 1601"
    );
    assert_eq!(
        minutes(&dates[4..]) - first,
        25 * 1440,
        "Friday of the fourth week"
    );
    assert_eq!(RecurrencePattern::parse(&weekly.to_bytes()), Ok(weekly));
}

#[test]
fn the_first_period_is_where_it_is_among_all() {
    let check = |start: &str, rule: &str, minutes: u32| {
        assert_eq!(
            pattern(start, rule).unwrap().first_date_time,
            minutes,
            "{rule}"
        );
    };
    check("16010104T100000", "FREQ=DAILY;INTERVAL=2", 1440);
    check("16010108T100000", "FREQ=WEEKLY;INTERVAL=2;WKST=MO", 10_080);
    check("20260315T100000", "FREQ=YEARLY", 59 * 1440);
    check("20260315T100000", "FREQ=MONTHLY", 0);
    check("16010315T100000", "FREQ=MONTHLY;INTERVAL=3", 59 * 1440);
}

#[test]
fn every_field_of_a_series_is_written_back_to_the_last_octet() {
    let mut full = series(pattern("20260105T100000", "FREQ=WEEKLY;COUNT=4").unwrap());
    full.pattern.deleted = vec![224_000_640, 224_010_720];
    full.pattern.modified = vec![224_012_160];
    let text = |text: &str| ExceptionText {
        narrow: text.as_bytes().into(),
        wide: text.encode_utf16().collect(),
    };
    let changed = Changed {
        subject: Some(text("one")),
        meeting_type: Some(1),
        reminder_delta: Some(15),
        reminder_set: Some(1),
        location: Some(ExceptionText {
            narrow: Box::from(*b"?"),
            wide: Box::from([0xd800]),
        }),
        busy_status: Some(3),
        attachment: Some(1),
        sub_type: Some(0),
        color: Some(7),
        other_flags: 0x8200,
    };
    let exception = |changed| Exception {
        start: 1,
        end: 2,
        original_start: 224_010_720 + 600,
        changed,
        highlight: Some(Highlight(Box::from([0xff, 1, 0, 0, 9]))),
        reserved_1: Box::from(*b"r1"),
        again: [1, 2, 224_011_320],
        reserved_2: Box::default(),
    };
    full.exceptions = vec![exception(changed), exception(Changed::default())];
    full.reserved_1 = Box::from(*b"abc");
    full.reserved_2 = Box::from(*b"d");
    full.rest = Box::from(*b"rest");
    let octets = full.to_bytes();
    let read = AppointmentRecurrence::parse(&octets).unwrap();
    assert_eq!(read.to_bytes(), octets);
    assert_eq!(read.exceptions[0], full.exceptions[0]);
    assert_eq!(read.deleted_only().collect::<Vec<_>>(), [224_000_640]);
    for len in 0..octets.len() - 4 {
        assert!(
            AppointmentRecurrence::parse(&octets[..len]).is_err(),
            "{len}"
        );
    }
}

#[test]
fn other_calendars_are_kept_and_have_no_rule() {
    let mut hijri = pattern("20260105T100000", "FREQ=MONTHLY").unwrap();
    hijri.kind = PatternKind::MonthDay(0xa, 5);
    hijri.calendar_type = 6;
    let read = RecurrencePattern::parse(&hijri.to_bytes()).unwrap();
    assert_eq!(read, hijri);
    let start = time("20260105T100000");
    assert_eq!(read.rule(start), Err(Inexpressible::Calendar));
    hijri.kind = PatternKind::MonthNth(0xb, Default::default(), 1);
    assert_eq!(RecurrencePattern::parse(&hijri.to_bytes()), Ok(hijri));
}

#[test]
fn a_rule_without_a_pattern_says_why() {
    let start = "20260131T100000";
    let cases = [
        ("FREQ=HOURLY", Inexpressible::WithinDay),
        ("FREQ=DAILY;BYHOUR=10,12", Inexpressible::WithinDay),
        ("FREQ=YEARLY;BYYEARDAY=31", Inexpressible::Parts),
        ("FREQ=YEARLY;BYWEEKNO=5", Inexpressible::Parts),
        ("FREQ=YEARLY;BYDAY=-1SA", Inexpressible::Parts),
        ("FREQ=MONTHLY;BYDAY=SA", Inexpressible::Parts),
        ("FREQ=MONTHLY;BYMONTHDAY=30,31", Inexpressible::Several),
        ("FREQ=MONTHLY;BYMONTH=1", Inexpressible::Several),
        ("FREQ=YEARLY;BYMONTH=1,2", Inexpressible::Several),
        ("FREQ=MONTHLY", Inexpressible::ShortMonths),
        ("FREQ=MONTHLY;BYDAY=5SA", Inexpressible::ShortMonths),
        ("FREQ=WEEKLY;BYDAY=MO", Inexpressible::Start),
        ("FREQ=DAILY;INTERVAL=4294967295", Inexpressible::Range),
        ("FREQ=DAILY;COUNT=4294967295", Inexpressible::TooMany),
        ("RSCALE=HEBREW;FREQ=YEARLY", Inexpressible::Calendar),
    ];
    for (rule, reason) in cases {
        assert_eq!(pattern(start, rule), Err(reason), "{rule}");
    }
}

#[test]
fn rules_that_patterns_can_say_come_back() {
    let cases = [
        ("20260105T100000", "FREQ=DAILY;COUNT=3;INTERVAL=2"),
        (
            "20260105T100000",
            "FREQ=WEEKLY;UNTIL=20260330T100000;INTERVAL=2;BYDAY=MO,WE;WKST=SU",
        ),
        ("20260131T100000", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        (
            "20260130T100000",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
        ),
        ("20260105T100000", "FREQ=MONTHLY;INTERVAL=3;BYDAY=1MO"),
        (
            "20260130T100000",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        ),
        ("20260329T100000", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
        ("20260131T100000", "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=31"),
    ];
    for (start, rule) in cases {
        let made = pattern(start, rule).unwrap();
        assert_eq!(made.rule(time(start)).unwrap().to_string(), rule);
    }
}

#[test]
fn whatever_rule_has_a_pattern_means_the_same_afterwards() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/corpus/recurrence/rules.txt");
    let corpus = fs::read_to_string(path).unwrap();
    let mut expressible = 0;
    for line in corpus.lines() {
        let mut parts = line.split(' ');
        let start = time(parts.next().unwrap());
        let rule = Recur::parse(parts.next().unwrap()).unwrap();
        let times = |rule: &Recur| -> Vec<_> {
            Occurrences::new(rule, start, until(rule))
                .take(60)
                .collect()
        };
        let Ok(made) = RecurrencePattern::of_rule(&rule, start, until(&rule)) else {
            continue;
        };
        expressible += 1;
        let back = RecurrencePattern::parse(&made.to_bytes()).unwrap();
        assert_eq!(times(&back.rule(start).unwrap()), times(&rule), "{line}");
    }
    assert!(expressible > 300, "{expressible}");
}
