//! Every recorded body of all folders.

use mapi_trace::Detail;

use crate::corpus::{self, FOLDERS};

/// Bodies that are broken, and where.
const MALFORMED: [&str; 2] = [
    // A request type that gromox calls otherwise: the answer is a page.
    "main/427-nspi-QueryColumns.rsp.bin in the framing of the response: \
     at octet 0: expected PROCESSING, PENDING or DONE",
    // A ROP that does not exist.
    "extra/105-emsmdb-Execute-unknown_rop_88.req.bin in payload 0 of the ROP buffer: \
     at octet 2: expected the RopId of a request",
];

#[test]
fn every_body_decodes_but_those_that_are_broken() {
    let mut malformed = Vec::new();
    let mut count = 0;
    for folder in FOLDERS {
        let files = corpus::folder(folder);
        let bodies = corpus::decode(&files);
        assert_eq!(
            bodies.len(),
            files.len(),
            "{folder}: something was never complete"
        );
        count += bodies.len();
        for body in &bodies {
            let faults = body.faults().iter();
            malformed.extend(faults.map(|fault| format!("{folder}/{} {fault}", body.name())));
        }
    }
    assert_eq!(malformed, MALFORMED);
    assert_eq!(count, 874 + 222 + 16 + 16);
}

#[test]
fn every_body_is_an_object_of_json_on_one_line() {
    for folder in FOLDERS {
        for body in corpus::decode(&corpus::folder(folder)) {
            for detail in [Detail::Short, Detail::Octets] {
                let json = body.to_json(detail);
                assert!(!json.contains('\n'));
                let value: serde_json::Value = serde_json::from_str(&json).unwrap();
                assert_eq!(value["name"], body.name());
                assert_eq!(value.get("malformed").is_some(), body.is_malformed());
            }
        }
    }
}

#[test]
fn nothing_that_was_read_is_left_as_octets_for_want_of_knowledge() {
    // Reasons that would mean that the order of the session was not followed.
    const UNFOLLOWED: [&str; 6] = [
        "not known here",
        "whose beginning was not seen",
        "cannot be read without the request",
        "a column that is not known",
        "a broken stream",
        "broken before",
    ];
    for folder in FOLDERS {
        for body in corpus::decode(&corpus::folder(folder)) {
            let text = body.to_text(Detail::Short);
            let found = UNFOLLOWED.iter().find(|reason| text.contains(**reason));
            assert_eq!(found, None, "{folder}/{}", body.name());
        }
    }
}
