//! No octet is lost: whichever is changed, something that is shown changes.
//!
//! Stubs of RPC are left out: pointers, repeated counts and padding are of their encoding and say nothing.

use mapi_trace::{Detail, Recording, Session};

use crate::corpus::{self, File};

const FOLDERS: [&str; 3] = ["main", "extra", "compressed"];

/// Octets that mean nothing, by the end of a name and where they are.
const MEANINGLESS: [(&str, std::ops::Range<usize>); 2] = [
    // The declaration of the document.
    ("001-autodiscover.req.bin", 0..38),
    // The padding of a long-term id.
    ("011-emsmdb-Execute-IdFromLongTermId.req.bin", 44..46),
];

fn means_nothing(file: &File, at: usize) -> bool {
    let mut known = MEANINGLESS.iter();
    known.any(|(name, range)| file.name == *name && range.contains(&at))
}

/// How many octets of a body are changed, one after another.
const CHANGED_A_BODY: usize = 4;

/// How many bodies later what an octet says may come to light: a stream goes through many.
const BODIES_LATER_MAX: usize = 80;

fn decode(session: &mut Session, file: &File) -> String {
    let body = session.decode(&Recording {
        name: &file.name,
        octets: &file.octets,
        note: None,
    });
    body.to_json(Detail::Octets)
}

/// Whether a session that goes on with `changed` shows something else than one that goes on with `files`.
fn is_seen(before: &Session, changed: &File, files: &[File]) -> bool {
    let (mut one, mut other) = (before.clone(), before.clone());
    let (first, rest) = files.split_first().unwrap();
    if decode(&mut one, first) != decode(&mut other, changed) {
        return true;
    }
    rest.iter()
        .take(BODIES_LATER_MAX)
        .any(|file| decode(&mut one, file) != decode(&mut other, file))
}

/// Where the body of a response begins, behind its lines: white space in them means nothing.
fn body_start(file: &File) -> usize {
    let mut ends = file.octets.windows(4);
    match file.octets.starts_with(b"PROCESSING") {
        true => ends.position(|end| end == b"\r\n\r\n").unwrap() + 4,
        false => 0,
    }
}

#[test]
fn a_changed_octet_is_seen() {
    let mut unseen = Vec::new();
    for folder in FOLDERS {
        let files = corpus::folder(folder);
        let mut session = Session::new();
        for (place, file) in files.iter().enumerate() {
            let len = file.octets.len();
            let step = len.div_ceil(CHANGED_A_BODY).max(1);
            // Another beginning each time, so that in many bodies of one kind every octet has its turn.
            let places = (place % step..len).step_by(step);
            for at in places.filter(|at| *at >= body_start(file) && !means_nothing(file, *at)) {
                let mut changed = file.clone();
                // A yes becomes a no, a no becomes a yes, and any number another one.
                changed.octets[at] = u8::from(changed.octets[at] == 0);
                if !is_seen(&session, &changed, &files[place..]) {
                    unseen.push(format!("{folder}/{} octet {at} of {len}", file.name));
                }
            }
            decode(&mut session, file);
        }
    }
    assert_eq!(unseen, Vec::<String>::new());
}
