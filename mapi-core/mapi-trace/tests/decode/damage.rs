//! Whatever octets come, a session ends in text and JSON, never in a panic.

use mapi_trace::{Detail, Recording, Session};
use proptest::prelude::*;

use crate::corpus::{self, FOLDERS, File};

/// Names that make a decoder expect something.
const NAMES: [&str; 12] = [
    "1-autodiscover.req.bin",
    "1-autodiscover.rsp.bin",
    "2-emsmdb-Connect.req.bin",
    "3-emsmdb-Execute.req.bin",
    "3-emsmdb-Execute.rsp.bin",
    "4-nspi-QueryRows.req.bin",
    "4-nspi-QueryRows.rsp.bin",
    "5-EcDoRpcExt2.req.bin",
    "5-EcDoRpcExt2.rsp.bin",
    "6-EcDoConnectEx.rsp.bin",
    "7-emsmdb-Dance.rsp.bin",
    "anything.bin",
];

fn show(session: &mut Session, name: &str, octets: &[u8]) {
    let body = session.decode(&Recording {
        name,
        octets,
        note: Some("a note"),
    });
    for detail in [Detail::Short, Detail::Octets] {
        assert!(!body.to_text(detail).is_empty());
        let json: serde_json::Value = serde_json::from_str(&body.to_json(detail)).unwrap();
        assert_eq!(json["name"], name);
    }
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES.to_vec())
}

/// An octet of a body, and what becomes of it.
type Damage = (prop::sample::Index, prop::sample::Index, u8);

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let place = any::<prop::sample::Index>;
    let octet = prop_oneof![0..4_u8, any::<u8>()];
    prop::collection::vec((place(), place(), octet), 1..20)
}

/// A stretch of a recorded session, in which some octets are changed.
fn damaged(folder: &str, start: prop::sample::Index, damages: &[Damage]) -> Vec<File> {
    let files = corpus::folder(folder);
    let start = start.index(files.len());
    // The beginning says what the handles are.
    let picked = files
        .iter()
        .take(6)
        .chain(files.iter().skip(start).take(24));
    let mut files: Vec<File> = picked.cloned().collect();
    for (file, at, octet) in damages {
        let place = file.index(files.len());
        let octets = &mut files[place].octets;
        if !octets.is_empty() {
            let at = at.index(octets.len());
            octets[at] = *octet;
        }
    }
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_octets_are_shown(
        bodies in prop::collection::vec((names(), prop::collection::vec(any::<u8>(), 0..200)), 1..6),
    ) {
        let mut session = Session::new();
        for (name, octets) in &bodies {
            show(&mut session, name, octets);
        }
        session.finish();
    }

    #[test]
    fn octets_of_small_numbers_are_shown(
        bodies in prop::collection::vec(
            (names(), prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => 0..8_u8], 0..120)),
            1..6,
        ),
    ) {
        let mut session = Session::new();
        for (name, octets) in &bodies {
            show(&mut session, name, octets);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_sessions_are_shown(
        folder in prop::sample::select(FOLDERS.to_vec()),
        start in any::<prop::sample::Index>(),
        damages in damages(),
    ) {
        let mut session = Session::new();
        for file in damaged(folder, start, &damages) {
            show(&mut session, &file.name, &file.octets);
        }
        if let Some(body) = session.finish() {
            prop_assert!(!body.is_malformed());
        }
    }
}

#[test]
fn entry_ids_within_entry_ids_end() {
    // A contact whose entry id is a contact, and so on: as the value of PidTagEntryId in a stream.
    let provider = b"\xfe\x42\xaa\x0a\x18\xc7\x1a\x10\xe8\x85\x0b\x65\x1c\x24\x00\x00";
    let mut id = Vec::new();
    for _ in 0..10_000 {
        let len = u32::try_from(id.len()).unwrap().to_le_bytes();
        let head = [
            &[0; 4],
            &provider[..],
            &[3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        id = [&head[..], &len, &id].concat();
        if id.len() > 60_000 {
            break;
        }
    }
    let len = u32::try_from(id.len()).unwrap().to_le_bytes();
    let stream = [&[3, 0, 0x12, 0x40], &[2, 1, 0xff, 0x0f], &len[..], &id].concat();
    let mut session = Session::new();
    show(&mut session, "stream.bin", &stream);
}
