//! Sets of counters and ids: the vectors of the documents, a model, and octets that are no set.

use std::collections::BTreeSet;

use mapi_wire::{
    DecodeError, Gid, Globcnt, Guid, Id, Reader, Writer,
    ics::{Globset, IdSet, RANGES_MAX, Range},
};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| Some(c.to_digit(16)? as u8))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn set(ranges: &[(u64, u64)]) -> Globset {
    ranges
        .iter()
        .map(|(first, last)| Range::new(*first, *last).unwrap())
        .collect()
}

fn read(octets: &[u8]) -> Result<Globset, DecodeError> {
    let mut reader = Reader::new(octets);
    let set = Globset::read(&mut reader)?;
    reader.finish("the end")?;
    Ok(set)
}

fn write(set: &Globset) -> Vec<u8> {
    let mut writer = Writer::new();
    set.write(&mut writer);
    writer.into_bytes()
}

/// Sets as this crate writes them; every other legal form is read as well.
#[test]
fn sets_are_written_in_few_commands() {
    let cases: [(&str, &[(u64, u64)]); 12] = [
        ("00", &[]),
        ("06 000000010000 00", &[(0x1_0000, 0x1_0000)]),
        ("52 000000000000 ffffffffffff 00", &[(0, Globcnt::MAX)]),
        ("05 0000000300 52 54 5b 50 00", &[(0x3_0054, 0x3_005b)]),
        ("05 0000000000 42 01 eb 50 00", &[(1, 3), (5, 5), (7, 9)]),
        ("05 0000000000 42 01 02 50 00", &[(1, 1), (3, 3)]),
        ("05 0000000000 52 01 ff 50 00", &[(1, 0xff)]),
        ("05 0000000000 01 01 01 ff 50 00", &[(1, 1), (0xff, 0xff)]),
        (
            "05 0000000000 42 f7 bf 50 00",
            &[(0xf7, 0xfd), (0xff, 0xff)],
        ),
        ("04 00000000 52 0001 0100 50 00", &[(1, 0x100)]),
        (
            "03 000000 52 000101 0002ff 03 010000 50 00",
            &[(0x101, 0x2ff), (0x1_0000, 0x1_0000)],
        ),
        (
            "04 00000000 52 0101 0102 01 02 42 05 08 50 50 00",
            &[(0x101, 0x102), (0x205, 0x205), (0x209, 0x209)],
        ),
    ];
    for (octets, ranges) in cases {
        let set = set(ranges);
        assert_eq!(write(&set), hex(octets), "{set:?} should be {octets}");
        assert_eq!(read(&hex(octets)), Ok(set), "{octets}");
    }
}

/// MS-OXCFXICS 2.2.2.6: other encoders choose other commands.
#[test]
fn every_legal_form_of_a_set_is_read() {
    let cases: [(&str, &[(u64, u64)]); 9] = [
        (
            "04 00000000 52 0101 02ff 50 06 000000010000 00",
            &[(0x101, 0x2ff), (0x1_0000, 0x1_0000)],
        ),
        ("52 000000030054 00000003005b 00", &[(0x3_0054, 0x3_005b)]),
        (
            "05 0000000000 52 0a 17 52 19 1d 50 00",
            &[(0xa, 0x17), (0x19, 0x1d)],
        ),
        ("06 000000000002 06 000000000001 00", &[(1, 2)]),
        ("06 000000000001 06 000000000001 00", &[(1, 1)]),
        ("02 0000 03 000000 01 07 01 08 50 50 00", &[(7, 8)]),
        (
            "01 00 01 00 01 00 01 00 01 00 01 07 50 50 50 50 50 00",
            &[(7, 7)],
        ),
        ("05 0000000000 42 07 00 50 00", &[(7, 7)]),
        ("05 0000000000 50 00", &[]),
    ];
    for (octets, ranges) in cases {
        assert_eq!(read(&hex(octets)), Ok(set(ranges)), "{octets}");
    }
}

#[test]
fn octets_that_are_no_set_are_refused_with_their_place() {
    let cases = [
        ("", 0, "a command of a set"),
        ("50", 0, "something to pop"),
        ("07", 0, "a known command of a set"),
        ("06 0000", 1, "octets of a counter"),
        ("02 0000 00", 3, "a pop before the end of a set"),
        (
            "03 000000 04 00000000",
            5,
            "no more than six octets on the stack of a set",
        ),
        (
            "04 00000000 42 01 01",
            6,
            "five octets on the stack before a bit mask",
        ),
        (
            "05 0000000000 42 f9 81",
            7,
            "a bit mask that ends with its block of counters",
        ),
        ("05 0000000000 52 07 06", 7, "a range that ascends"),
        ("52 000000000001", 7, "the last counter of a range"),
        ("06 000000000001", 7, "a command of a set"),
    ];
    for (octets, at, expected) in cases {
        assert_eq!(
            read(&hex(octets)),
            Err(DecodeError { at, expected }),
            "{octets}"
        );
    }
}

#[test]
fn ids_are_grouped_by_replica() {
    let ids = [
        Id {
            replid: 5,
            globcnt: Globcnt::from_u64(9),
        },
        Id {
            replid: 1,
            globcnt: Globcnt::from_u64(0x3_0059),
        },
    ];
    let set: IdSet<u16> = ids.into_iter().collect();
    let octets = hex("0100 06 000000030059 00 0500 06 000000000009 00");
    assert_eq!(set.to_bytes(), octets);
    assert_eq!(IdSet::from_bytes(&octets), Ok(set.clone()));
    let guid = |replid| (replid != 5).then_some(Guid([replid as u8; 16]));
    assert_eq!(set.rename(guid), Err(5));
    let named = set.rename(|replid| Some(Guid([replid as u8; 16]))).unwrap();
    assert_eq!(
        named.iter().next().map(|gid| gid.replguid),
        Some(Guid([1; 16]))
    );
    assert_eq!(named.rename(|guid| Some(u16::from(guid.0[0]))), Ok(set));
}

/// What a client has of a large folder goes over the wire with every synchronization.
#[test]
fn a_million_ids_stay_small() {
    let all: Globset = (1..=1_000_000).map(Globcnt::from_u64).collect();
    assert_eq!(all.ranges().len(), 1);
    assert_eq!(write(&all).len(), 13);
    let tenth_missing: Globset = (1..=1_000_000)
        .filter(|counter| counter % 10 != 0)
        .map(Globcnt::from_u64)
        .collect();
    assert_eq!(tenth_missing.len(), 900_000);
    assert_eq!(read(&write(&tenth_missing)), Ok(tenth_missing.clone()));
    assert!(write(&tenth_missing).len() < 350_000);
    let second: Globset = (1..=1_000_000)
        .map(|counter| Globcnt::from_u64(2 * counter))
        .collect();
    assert!(write(&second).len() < 800_000);
}

/// A few octets may say five ranges: memory is not what a peer has for three octets each.
#[test]
fn a_set_has_a_bound_also_over_several_replicas() {
    let scattered = hex("05 0000000000 42 01 aa 50").repeat(RANGES_MAX / 5 / 2 + 1);
    let half = |replica: u8| [&[replica, 0][..], &scattered, &[0]].concat();
    assert!(IdSet::<u16>::from_bytes(&half(1)).is_ok());
    let error = IdSet::<u16>::from_bytes(&[half(1), half(2)].concat()).unwrap_err();
    assert_eq!(error.expected, "a set of fewer ranges");
    let twice = [half(1), half(1)].concat();
    assert!(IdSet::<u16>::from_bytes(&twice).is_err());
}

/// Counters near each other, near the ends of blocks, and at both ends.
fn counters() -> impl Strategy<Value = u64> {
    prop_oneof![
        0_u64..40,
        0xf0_u64..0x120,
        0x1_0000_u64 - 20..0x1_0000 + 20,
        Globcnt::MAX - 20..=Globcnt::MAX,
    ]
}

fn ranges() -> impl Strategy<Value = Range> {
    (counters(), 0_u64..12)
        .prop_map(|(first, more)| Range::new(first, (first + more).min(Globcnt::MAX)).unwrap())
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    InsertRange(Range),
    Remove(u64),
    RemoveRange(Range),
    Union(Vec<Range>),
    Subtract(Vec<Range>),
    Intersect(Vec<Range>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let several = || prop::collection::vec(ranges(), 0..8);
    let step = prop_oneof![
        4 => counters().prop_map(Step::Insert),
        3 => ranges().prop_map(Step::InsertRange),
        2 => counters().prop_map(Step::Remove),
        2 => ranges().prop_map(Step::RemoveRange),
        1 => several().prop_map(Step::Union),
        1 => several().prop_map(Step::Subtract),
        1 => several().prop_map(Step::Intersect),
    ];
    prop::collection::vec(step, 0..40)
}

fn model(ranges: &[Range]) -> BTreeSet<u64> {
    ranges
        .iter()
        .flat_map(|range| range.first()..=range.last())
        .collect()
}

fn apply(set: &mut Globset, mirror: &mut BTreeSet<u64>, step: &Step) {
    let other = |ranges: &[Range]| -> Globset { ranges.iter().copied().collect() };
    match step {
        Step::Insert(counter) => {
            let counter = *counter;
            assert_eq!(
                set.insert(Globcnt::from_u64(counter)),
                mirror.insert(counter)
            );
        }
        Step::InsertRange(range) => {
            set.insert_range(*range);
            mirror.extend(range.first()..=range.last());
        }
        Step::Remove(counter) => {
            let counter = *counter;
            assert_eq!(
                set.remove(Globcnt::from_u64(counter)),
                mirror.remove(&counter)
            );
        }
        Step::RemoveRange(range) => {
            set.remove_range(*range);
            mirror.retain(|counter| !(range.first()..=range.last()).contains(counter));
        }
        Step::Union(ranges) => {
            set.union(&other(ranges));
            mirror.extend(model(ranges));
        }
        Step::Subtract(ranges) => {
            set.subtract(&other(ranges));
            mirror.retain(|counter| !model(ranges).contains(counter));
        }
        Step::Intersect(ranges) => {
            set.intersect(&other(ranges));
            mirror.retain(|counter| model(ranges).contains(counter));
        }
    }
}

proptest! {
    #[test]
    fn a_set_of_ranges_is_a_set(steps in steps(), probes in prop::collection::vec(ranges(), 8)) {
        let (mut set, mut mirror) = (Globset::new(), BTreeSet::new());
        for step in &steps {
            apply(&mut set, &mut mirror, step);
            let counters: Vec<u64> = set.iter().map(Globcnt::to_u64).collect();
            prop_assert_eq!(counters, mirror.iter().copied().collect::<Vec<_>>());
        }
        prop_assert_eq!(set.len(), mirror.len() as u64);
        let apart = set.ranges().windows(2).all(|pair| pair[0].last() + 1 < pair[1].first());
        prop_assert!(apart, "{set:?}");
        for probe in probes {
            let first = Globcnt::from_u64(probe.first());
            prop_assert_eq!(set.contains(first), mirror.contains(&probe.first()));
            let included = model(&[probe]).is_subset(&mirror);
            prop_assert_eq!(set.includes(&[probe].into_iter().collect()), included);
        }
    }

    #[test]
    fn a_set_is_read_as_it_was_written(ranges in prop::collection::vec(ranges(), 0..60)) {
        let set: Globset = ranges.into_iter().collect();
        let octets = write(&set);
        prop_assert!(octets.len() <= 13 * set.ranges().len() + 1);
        prop_assert_eq!(read(&octets), Ok(set));
    }

    #[test]
    fn sets_of_several_replicas_are_read_as_they_were_written(
        ids in prop::collection::vec((0_u8..4, counters()), 0..60),
        gone in prop::collection::vec((0_u8..4, counters()), 0..60),
    ) {
        let gid = |(replica, counter): (u8, u64)| Gid {
            replguid: Guid([replica; 16]),
            globcnt: Globcnt::from_u64(counter),
        };
        let mut set: IdSet = ids.iter().copied().map(gid).collect();
        let mut mirror: BTreeSet<(u8, u64)> = ids.into_iter().collect();
        set.subtract(&gone.iter().copied().map(gid).collect());
        mirror.retain(|id| !gone.contains(id));
        prop_assert_eq!(set.len(), mirror.len() as u64);
        prop_assert!(set.iter().eq(mirror.into_iter().map(gid)));
        prop_assert_eq!(IdSet::from_bytes(&set.to_bytes()), Ok(set));
    }

    #[test]
    fn no_octets_make_reading_a_set_fail_but_by_an_error(
        octets in prop::collection::vec(
            prop_oneof![Just(0x42_u8), Just(0x50), Just(0x52), 0_u8..8, any::<u8>()],
            0..80,
        ),
    ) {
        if let Ok(set) = IdSet::<u16>::from_bytes(&octets) {
            prop_assert_eq!(IdSet::from_bytes(&set.to_bytes()), Ok(set));
        }
    }
}
