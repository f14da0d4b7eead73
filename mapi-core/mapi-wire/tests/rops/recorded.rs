//! Every recorded batch and answer, both ways.

use std::collections::BTreeSet;

use mapi_wire::rop::{Details, Response};

use crate::exchange;

/// Batches that are not of known ROPs, and the error that says so.
const MALFORMED: [(&str, &str); 1] = [(
    "extra/105-emsmdb-Execute-unknown_rop_88",
    "at octet 2: expected the RopId of a request",
)];

/// Batches that the server refused as a whole: no payload came back.
const REFUSED: [&str; 2] = [
    // GetPropertiesAll of a message with a large body: gromox runs out of memory.
    "main/083-emsmdb-Execute-GetPropertiesAll_bigmsg_limit0",
    "extra/105-emsmdb-Execute-unknown_rop_88",
];

#[test]
fn every_batch_decodes_to_the_last_octet_and_encodes_back() {
    let mut count = 0;
    let mut malformed = Vec::new();
    for exchange in exchange::all() {
        match &exchange.batch {
            Ok(batch) => {
                assert_eq!(batch.encode(), exchange.asked, "{}", exchange.name);
                assert_eq!(batch.encoded_len(), exchange.asked.len());
            }
            Err(error) => malformed.push((exchange.name.as_str(), error.to_string())),
        }
        count += 1;
    }
    assert_eq!(count, 515);
    let malformed: Vec<_> = malformed
        .iter()
        .map(|(name, error)| (*name, error.as_str()))
        .collect();
    assert_eq!(malformed, MALFORMED);
}

#[test]
fn every_answer_decodes_to_the_last_octet_and_encodes_back() {
    let mut refused = Vec::new();
    for exchange in exchange::all() {
        let name = exchange.name.as_str();
        let answers = exchange.answers.as_ref();
        let answers = answers.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answers.len(), exchange.answered.len(), "{name}");
        for (answer, payload) in answers.iter().zip(&exchange.answered) {
            assert_eq!(&answer.encode(), payload, "{name}");
        }
        if answers.is_empty() {
            refused.push(name);
        }
    }
    assert_eq!(refused, REFUSED);
}

#[test]
fn every_request_but_release_has_its_response() {
    let mut answered = BTreeSet::new();
    let mut failed = 0;
    for exchange in exchange::all() {
        let (Ok(batch), Ok(answers)) = (&exchange.batch, &exchange.answers) else {
            continue;
        };
        let Some(answer) = answers.first() else {
            continue;
        };
        for (request, response) in batch.requests.iter().zip(batch.pair(answer)) {
            match response {
                Some(Response::Failed(one)) => {
                    assert_eq!(one.details, Details::None, "{}", exchange.name);
                    failed += 1;
                }
                Some(_) => drop(answered.insert(request.rop_id())),
                None => assert_eq!(request.rop_id(), 1, "{}", exchange.name),
            }
        }
    }
    assert_eq!(failed, 13);
    assert_eq!(answered.len(), 106, "ROPs that succeeded at least once");
}
