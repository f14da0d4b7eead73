//! Values, read and written.

use mapi_convert::ical::{
    Property,
    value::{
        Date, Duration, Period, Recur, RecurError, UtcOffset, Weekday, When, email_of, escape,
        mailto, split_list, split_structured, unescape,
    },
};
use proptest::prelude::*;

#[test]
fn days_are_days_of_the_calendar() {
    let check = |text, written: Option<&str>| {
        let date = Date::parse(text);
        assert_eq!(date.map(|date| date.to_string()).as_deref(), written);
    };
    check("20240229", Some("20240229"));
    check("00000101", Some("00000101"));
    for wrong in [
        "20230229",
        "20261301",
        "2026011",
        "202601011",
        "2026-1-1",
        "",
    ] {
        check(wrong, None);
    }
    assert_eq!(
        Date::parse("20260131").unwrap().weekday(),
        Weekday::Saturday
    );
    assert_eq!(Date(-1).ymd(), (1969, 12, 31));
}

#[test]
fn a_time_says_where_it_is() {
    let plain = Property::new("DTSTART", "");
    let zoned = plain.clone().with_param("TZID", "Europe/Berlin");
    let day = plain.clone().with_param("VALUE", "DATE");
    let check = |property: &Property, text: &str, written: Option<&str>| {
        let when = When::of(property, text);
        let line = when.map(|when| {
            let property = when.property("X");
            let params: Vec<_> = property
                .params()
                .iter()
                .map(|p| p.values[0].clone())
                .collect();
            format!("{} {}", property.value(), params.join(" "))
        });
        assert_eq!(line.as_deref().map(str::trim_end), written, "{text}");
    };
    check(&plain, "20260131T235960", Some("20260131T235959"));
    check(&plain, "20260131T235959Z", Some("20260131T235959Z"));
    check(
        &zoned,
        "20260131T235959",
        Some("20260131T235959 Europe/Berlin"),
    );
    check(&zoned, "20260131T235959Z", Some("20260131T235959Z"));
    check(&zoned, "20260131", Some("20260131 DATE"));
    check(&day, "20260131", Some("20260131 DATE"));
    check(&day, "20260131T000000", None);
    check(&plain, "20260131T240000", None);
    check(&plain, "20260131T1", None);
}

#[test]
fn lengths_are_days_and_time() {
    let cases = [
        ("PT15M", Some((0, 900, "PT15M"))),
        ("-P1DT2H3M4S", Some((-1, -7384, "-P1DT2H3M4S"))),
        ("P2W", Some((14, 0, "P2W"))),
        ("+P8D", Some((8, 0, "P8D"))),
        ("PT0S", Some((0, 0, "PT0S"))),
        ("P1W1D", Some((8, 0, "P8D"))),
        ("PT1H5S", Some((0, 3605, "PT1H0M5S"))),
        ("PT", None),
        ("P", None),
        ("P1H", None),
        ("PT1D", None),
        ("P-1D", None),
        ("PT5S1M", None),
        ("P99999999999D", None),
    ];
    for (text, expected) in cases {
        let found = Duration::parse(text);
        let written = found.map(|length| length.to_string());
        let found = found.map(|length| (length.days, length.seconds));
        assert_eq!(
            found,
            expected.map(|(days, seconds, _)| (days, seconds)),
            "{text}"
        );
        assert_eq!(written.as_deref(), expected.map(|(.., text)| text));
    }
}

#[test]
fn offsets_and_periods_are_read_and_written() {
    for text in ["+0000", "-0330", "+1400", "-003730"] {
        assert_eq!(UtcOffset::parse(text).unwrap().to_string(), text);
    }
    for wrong in ["0100", "+1", "+2400", "+0060", "+01:00", "+\u{fc}\u{fc}"] {
        assert_eq!(UtcOffset::parse(wrong), None, "{wrong}");
    }
    let property = Property::new("FREEBUSY", "");
    for text in ["20260101T000000Z/PT1H", "20260101T000000Z/20260101T010000Z"] {
        assert_eq!(Period::of(&property, text).unwrap().to_string(), text);
    }
    for wrong in ["20260101/P1D", "20260101T000000Z/-PT1H", "20260101T000000Z"] {
        assert_eq!(Period::of(&property, wrong), None);
    }
}

#[test]
fn texts_and_lists_have_escapes() {
    let check = |value: &str, text: &str| assert_eq!(unescape(value), text);
    check("a\\, b\\; c\\\\d\\nE\\N", "a, b; c\\d\nE\n");
    check("a\\:b\\", "a:b\\");
    assert_eq!(
        escape("a,b;c\\d\r\ne\nf\u{7}\t"),
        "a\\,b\\;c\\\\d\\ne\\nf\t"
    );
    let list: Vec<_> = split_list("a\\,b,c,,\\\\,d").collect();
    assert_eq!(list, ["a\\,b", "c", "", "\\\\", "d"]);
    assert_eq!(
        split_structured("2.0;a\\;b").collect::<Vec<_>>(),
        ["2.0", "a\\;b"]
    );
}

#[test]
fn people_are_named_by_their_addresses() {
    let check = |value: &str, address: Option<&str>| {
        assert_eq!(email_of(value).as_deref(), address, "{value}");
    };
    check("mailto:a@example.test", Some("a@example.test"));
    check(
        "MAILTO:mailto:A%2Bb@example.test?cc=x",
        Some("A+b@example.test"),
    );
    check("a@example.test", Some("a@example.test"));
    for other in [
        "urn:uuid:1",
        "/principals/a@b/",
        "https://a@example.test/",
        "mailto:",
        "mailto:a@b%0d%0a",
        "%ff@b",
    ] {
        check(other, None);
    }
    assert_eq!(mailto("a b%@example.test"), "mailto:a%20b%25@example.test");
}

#[test]
fn rules_are_read_and_written() {
    let cases = [
        "FREQ=DAILY",
        "FREQ=WEEKLY;COUNT=3;INTERVAL=2;BYDAY=MO,WE;WKST=SU",
        "FREQ=MONTHLY;UNTIL=20260131T000000Z;BYMONTHDAY=-1,1",
        "FREQ=YEARLY;UNTIL=20260131;BYMONTH=3;BYDAY=-1SU;BYHOUR=1,2;BYMINUTE=3;BYSECOND=60",
        "FREQ=YEARLY;BYWEEKNO=-1,20;BYSETPOS=1",
        "FREQ=YEARLY;BYYEARDAY=-366,366",
        "RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=8;SKIP=FORWARD",
    ];
    for text in cases {
        assert_eq!(Recur::parse(text).unwrap().to_string(), text);
    }
    let read = Recur::parse("byday=we, mo,MO;interval=1;freq=weekly;x-a=b;").unwrap();
    assert_eq!(read.to_string(), "FREQ=WEEKLY;BYDAY=MO,WE");
    let wrong = [
        ("", RecurError::Part),
        ("INTERVAL=1", RecurError::Frequency),
        ("FREQ=SOMETIMES", RecurError::Frequency),
        ("FREQ=DAILY;FREQ=DAILY", RecurError::Part),
        ("FREQ=DAILY;COUNT=1;UNTIL=20260101", RecurError::End),
        ("FREQ=DAILY;COUNT=0", RecurError::End),
        ("FREQ=DAILY;UNTIL=tomorrow", RecurError::End),
        ("FREQ=DAILY;INTERVAL=0", RecurError::Interval),
        ("FREQ=DAILY;INTERVAL=4294967296", RecurError::Interval),
        ("FREQ=DAILY;BYHOUR=24", RecurError::List),
        ("FREQ=DAILY;BYMONTH=", RecurError::List),
        ("FREQ=MONTHLY;BYMONTHDAY=0", RecurError::List),
        ("FREQ=MONTHLY;BYDAY=0MO", RecurError::List),
        ("FREQ=MONTHLY;BYDAY=54MO", RecurError::List),
        ("FREQ=MONTHLY;BYDAY=\u{fc}", RecurError::List),
        ("FREQ=DAILY;WKST=XX", RecurError::Other),
        ("FREQ=DAILY;SECONDS=1", RecurError::Part),
    ];
    for (text, error) in wrong {
        assert_eq!(Recur::parse(text), Err(error), "{text}");
    }
}

proptest! {
    #[test]
    fn texts_are_read_as_they_were_written(text in "[^\\p{Cc}]{0,40}\n?[^\\p{Cc}]{0,40}") {
        prop_assert_eq!(unescape(&escape(&text)), text);
    }

    #[test]
    fn lengths_are_read_as_they_were_written(days in 0_i64..400_000, seconds in 0_i64..400_000, sign in prop::bool::ANY) {
        let sign = if sign { -1 } else { 1 };
        let length = Duration { days: days * sign, seconds: seconds * sign };
        prop_assert_eq!(Duration::parse(&length.to_string()), Some(length));
    }
}
