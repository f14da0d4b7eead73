//! Recurrence rules mean what python-dateutil makes of them, at a bounded cost.

use std::{fs, path::Path};

use mapi_convert::ical::{
    recurrence::Occurrences,
    value::{End, LocalTime, Recur, When},
};

/// How many occurrences the corpus takes of each rule.
const TAKEN: usize = 40;

fn expand(start: &str, rule: &str) -> Occurrences {
    let start = LocalTime::parse(start).unwrap();
    let rule = Recur::parse(rule).unwrap();
    let until = match &rule.end {
        End::Until(until) => Some(until.local()),
        _ => None,
    };
    Occurrences::new(&rule, start, until)
}

fn first(start: &str, rule: &str, count: usize) -> Vec<String> {
    let times = expand(start, rule).take(count);
    times.map(|time| time.to_string()).collect()
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |value, octet| {
        (value ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3)
    })
}

#[test]
fn ten_thousand_rules_mean_what_dateutil_makes_of_them() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/corpus/recurrence/rules.txt");
    let corpus = fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    for line in corpus.lines() {
        let parts: Vec<_> = line.split(' ').collect();
        let [start, rule, count, hash] = parts[..] else {
            panic!("{line}");
        };
        let found = first(start, rule, TAKEN);
        let same =
            found.len().to_string() == count && format!("{:016x}", fnv1a(&found.concat())) == hash;
        if !same {
            wrong.push(format!("{line}\n    {} {found:?}", found.len()));
        }
    }
    assert_eq!(corpus.lines().count(), 10_000);
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

#[test]
fn examples_of_the_standard_hold() {
    // RFC 5545 3.8.5.3; the last two are RFC 7529's and the erratum about days that do not exist.
    let cases: [(&str, &str, &[&str]); 8] = [
        (
            "19970902T090000",
            "FREQ=DAILY;COUNT=2",
            &["19970902T090000", "19970903T090000"],
        ),
        (
            "19970902T090000",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=3;WKST=SU;BYDAY=TU,TH",
            &["19970902T090000", "19970904T090000", "19970916T090000"],
        ),
        (
            "19970805T090000",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            &[
                "19970805T090000",
                "19970810T090000",
                "19970819T090000",
                "19970824T090000",
            ],
        ),
        (
            "19970805T090000",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            &[
                "19970805T090000",
                "19970817T090000",
                "19970819T090000",
                "19970831T090000",
            ],
        ),
        (
            "19961105T090000",
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=2",
            &["19961105T090000", "20001107T090000"],
        ),
        (
            "19970904T090000",
            "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
            &["19970904T090000", "19971007T090000", "19971106T090000"],
        ),
        (
            "19970902T090000",
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=2",
            &["19980213T090000", "19980313T090000"],
        ),
        (
            "20140131T090000",
            "FREQ=MONTHLY;COUNT=2",
            &["20140131T090000", "20140331T090000"],
        ),
    ];
    for (start, rule, times) in cases {
        assert_eq!(first(start, rule, 10), times, "{rule}");
    }
}

#[test]
fn numbered_and_other_days_are_both_meant() {
    let times = first("20260101T000000", "FREQ=MONTHLY;BYDAY=FR,1MO;COUNT=3", 10);
    assert_eq!(
        times,
        ["20260102T000000", "20260105T000000", "20260109T000000"]
    );
}

#[test]
fn weeks_are_those_of_iso_8601() {
    // 2011 begins in week 52 of 2010, 2016 in week 53 of 2015.
    let check = |start: &str, rule: &str, time: &str| assert_eq!(first(start, rule, 1), [time]);
    check(
        "20101118T000000",
        "FREQ=YEARLY;BYWEEKNO=53,5",
        "20110131T000000",
    );
    check(
        "20110518T000000",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=1",
        "20160101T000000",
    );
    check(
        "20110518T000000",
        "FREQ=YEARLY;BYWEEKNO=-53",
        "20141229T000000",
    );
    check(
        "20080101T000000",
        "FREQ=YEARLY;BYWEEKNO=1;BYMONTH=12",
        "20081229T000000",
    );
}

#[test]
fn rules_without_occurrences_end() {
    let rules = [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;INTERVAL=2;BYSECOND=1,3,5",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=7",
        "FREQ=MINUTELY;INTERVAL=4294967295;BYMINUTE=1;BYHOUR=2",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=300",
        "FREQ=YEARLY;INTERVAL=4294967295;BYYEARDAY=366",
        "FREQ=YEARLY;BYHOUR=1,2,3;BYSETPOS=-366;BYMONTHDAY=31;BYMONTH=4",
        "RSCALE=HEBREW;FREQ=DAILY",
    ];
    for rule in rules {
        assert_eq!(first("20260101T000000", rule, 3).len(), 0, "{rule}");
    }
    let last = expand("99981231T000000", "FREQ=DAILY").last().unwrap();
    assert_eq!(last.to_string(), "99991231T000000");
    let many = "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366,-366,1";
    assert_eq!(first("20250101T000000", many, 4)[1], "20260101T000000");
}

#[test]
fn a_rule_is_entered_anywhere_and_goes_on_the_same() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/corpus/recurrence/rules.txt");
    let corpus = fs::read_to_string(path).unwrap();
    for line in corpus.lines().step_by(17) {
        let mut parts = line.split(' ');
        let (start, rule) = (parts.next().unwrap(), parts.next().unwrap());
        let all: Vec<_> = expand(start, rule).take(TAKEN).collect();
        let Some(from) = all.get(all.len() / 2) else {
            continue;
        };
        let entered = expand(start, rule).from(*from).find(|time| time >= from);
        assert_eq!(entered, Some(*from), "{line}");
        let between = from.plus(-1);
        let next = expand(start, rule)
            .from(between)
            .find(|time| *time >= between);
        assert_eq!(
            next,
            all.iter().find(|time| **time >= between).copied(),
            "{line}"
        );
    }
}

#[test]
fn until_is_the_last_moment() {
    let rule = "FREQ=DAILY;UNTIL=20260103T100000";
    assert_eq!(first("20260101T100000", rule, 9).len(), 3);
    let until = When::Date(LocalTime::parse("20260103T100000").unwrap().date());
    assert_eq!(until.to_string(), "20260103");
}
