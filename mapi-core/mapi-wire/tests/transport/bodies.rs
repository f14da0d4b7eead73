//! Every recorded body of MAPI over HTTP, both ways.

use mapi_wire::{
    buffer::{self, Packing},
    http::{
        AnyRequest, AnyResponse, Outcome, Response, aux,
        framing::{self, Framed},
    },
};

use crate::corpus::{self, Recording};

/// Bodies that are not of MAPI over HTTP, and the error that says so.
const MALFORMED: [(&str, &str); 1] = [(
    // A request type that gromox calls otherwise: the answer is a page.
    "main/427-nspi-QueryColumns",
    "at octet 0: expected PROCESSING, PENDING or DONE",
)];

#[test]
fn every_request_decodes_to_the_last_octet_and_encodes_back() {
    let mut count = 0;
    for recording in corpus::mapi_http()
        .iter()
        .filter(|recording| !recording.is_response)
    {
        let name = &recording.name;
        let decoded = AnyRequest::decode(recording.request_type(), &recording.bytes);
        let (request, aux) = decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(request.encode(&aux), recording.bytes, "{name}");
        check_aux(name, &aux);
        if let AnyRequest::Execute(execute) = request {
            check_rop_buffer(name, &execute.rop_buffer);
        }
        count += 1;
    }
    assert_eq!(count, 555);
}

#[test]
fn every_response_decodes_to_the_last_octet_and_encodes_back() {
    let mut malformed = Vec::new();
    let mut count = 0;
    for recording in corpus::mapi_http()
        .iter()
        .filter(|recording| recording.is_response)
    {
        let name = recording.name.as_str();
        match framing::read(&recording.bytes) {
            Ok(framed) => check_response(recording, &framed),
            Err(error) => malformed.push((name.to_owned(), error.to_string())),
        }
        count += 1;
    }
    assert_eq!(count, 555);
    let malformed: Vec<_> = malformed
        .iter()
        .map(|(name, error)| (name.as_str(), error.as_str()))
        .collect();
    assert_eq!(malformed, MALFORMED);
}

fn check_response(recording: &Recording, framed: &Framed) {
    let name = &recording.name;
    assert_eq!(frame(framed), recording.bytes, "{name}");
    let decoded = AnyResponse::decode(recording.request_type(), &framed.body);
    let response = decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(response.encode(), framed.body, "{name}");
    match response {
        AnyResponse::Connect(Response { aux, .. }) => check_aux(name, &aux),
        AnyResponse::Execute(Response { outcome, aux }) => {
            check_aux(name, &aux);
            let Outcome::Done { body, .. } = outcome else {
                panic!("{name}: no body");
            };
            check_rop_buffer(name, &body.rop_buffer);
        }
        _ => {}
    }
}

/// The response as gromox frames it.
fn frame(framed: &Framed) -> Vec<u8> {
    let mut bytes = framing::PROCESSING.repeat(framed.processing as usize);
    bytes.extend(framing::PENDING.repeat(framed.pending as usize));
    let headers = framed
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    bytes.extend(framing::done(headers));
    bytes.extend(&framed.body);
    bytes
}

fn check_aux(name: &str, bytes: &[u8]) {
    let blocks = aux::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(aux::encode(&blocks).unwrap(), bytes, "{name}");
}

/// A buffer as it came, or, where another encoder compressed it, one of ours that means the same.
fn check_rop_buffer(name: &str, bytes: &[u8]) {
    let payloads = buffer::split(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let plain: Vec<_> = payloads.iter().map(|payload| &payload.bytes).collect();
    let packing = payloads
        .first()
        .map_or(Packing::default(), |payload| payload.packing);
    let ours = buffer::join(&plain, packing).unwrap();
    if !packing.compressed {
        assert_eq!(ours, bytes, "{name}");
    }
    for obfuscated in [false, true] {
        let compressed = true;
        let packed = buffer::join(
            &plain,
            Packing {
                compressed,
                obfuscated,
            },
        )
        .unwrap();
        assert!(packed.len() <= bytes.len().max(ours.len()), "{name}");
        let again = buffer::split(&packed).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            again
                .iter()
                .map(|payload| &payload.bytes)
                .eq(plain.iter().copied()),
            "{name}"
        );
    }
}

#[test]
fn three_responses_were_compressed_by_another_encoder() {
    let mut sizes = Vec::new();
    for recording in corpus::mapi_http() {
        let Ok(framed) = framing::read(&recording.bytes) else {
            continue;
        };
        let Ok(AnyResponse::Execute(Response {
            outcome: Outcome::Done { body, .. },
            ..
        })) = AnyResponse::decode(recording.request_type(), &framed.body)
        else {
            continue;
        };
        for payload in buffer::split(&body.rop_buffer).unwrap() {
            if payload.packing.compressed {
                let ours = buffer::join(&[&payload.bytes], payload.packing).unwrap();
                sizes.push((body.rop_buffer.len(), payload.bytes.len()));
                assert!(ours.len() <= body.rop_buffer.len() + body.rop_buffer.len() / 20);
            }
        }
    }
    assert_eq!(sizes, [(493, 1294), (574, 1485), (574, 1485)]);
}
