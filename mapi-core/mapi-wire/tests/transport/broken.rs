//! Recorded bodies, cut and damaged: an error with a place in the body, or another meaning; never a panic.

use mapi_wire::{
    DecodeError, buffer,
    http::{AnyRequest, AnyResponse, Outcome, Response, aux, framing},
};

use crate::corpus::{self, Recording};

/// What is done to an octet.
const DAMAGES: [fn(u8) -> u8; 3] = [|octet| !octet, |_| 0, |octet| octet.wrapping_add(1)];

/// Decodes as far as the transport goes.
fn decode(recording: &Recording, bytes: &[u8]) -> Result<(), DecodeError> {
    let kind = recording.request_type();
    let (rop_buffer, aux) = if recording.is_response {
        match AnyResponse::decode(kind, bytes)? {
            AnyResponse::Execute(Response {
                outcome: Outcome::Done { body, .. },
                aux,
            }) => (body.rop_buffer, aux),
            AnyResponse::Connect(response) => (Box::default(), response.aux),
            _ => return Ok(()),
        }
    } else {
        match AnyRequest::decode(kind, bytes)? {
            (AnyRequest::Execute(execute), aux) => (execute.rop_buffer, aux),
            (_, aux) => (Box::default(), aux),
        }
    };
    aux::decode(&aux)?;
    buffer::split(&rop_buffer)?;
    Ok(())
}

fn check(recording: &Recording, bytes: &[u8]) {
    if let Err(error) = decode(recording, bytes) {
        assert!(error.at <= bytes.len(), "{}: {error}", recording.name);
    }
}

#[test]
fn a_damaged_body_is_refused_or_means_something_else() {
    for recording in corpus::mapi_http() {
        let body = match recording.is_response {
            true => framing::read(&recording.bytes).unwrap_or_default().body,
            false => recording.bytes.clone(),
        };
        // Large bodies are mostly ROPs, which are not read here: their beginning and end will do.
        let places = (0..body.len()).filter(|place| *place < 300 || body.len() - place < 20);
        for place in places {
            check(&recording, &body[..place]);
            for damage in DAMAGES {
                let mut damaged = body.clone();
                damaged[place] = damage(damaged[place]);
                check(&recording, &damaged);
            }
        }
    }
}
