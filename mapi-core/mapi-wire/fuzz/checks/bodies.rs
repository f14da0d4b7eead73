//! What must hold for bodies of MAPI over HTTP, their framing, extended buffers and RPC packets, whatever a peer sends.

use mapi_wire::{
    buffer,
    http::{AnyRequest, AnyResponse, RequestType, aux, framing},
    rpc::pdu::{self, Pdu},
};

/// The first octet says which body it is. What decodes, encodes to something that decodes to the same.
pub(crate) fn check(input: &[u8]) {
    let Some((&kind, rest)) = input.split_first() else {
        return;
    };
    let all = RequestType::ALL;
    let kind = all[usize::from(kind) % all.len()];
    if let Ok((request, aux)) = AnyRequest::decode(kind, rest) {
        let encoded = request.encode(&aux);
        let again = AnyRequest::decode(kind, &encoded).map(|(again, aux)| again.encode(&aux));
        assert_eq!(again, Ok(encoded));
    }
    if let Ok(response) = AnyResponse::decode(kind, rest) {
        let encoded = response.encode();
        let again = AnyResponse::decode(kind, &encoded).map(|again| again.encode());
        assert_eq!(again, Ok(encoded));
    }
    let _ = (
        framing::read(rest),
        aux::decode(rest),
        pdu::length(rest),
        pdu::regions(rest),
    );
    if let Ok(payloads) = buffer::split(rest) {
        let plain: Vec<_> = payloads
            .iter()
            .map(|payload| payload.bytes.to_vec())
            .collect();
        if let Ok(joined) = buffer::join(&plain, buffer::Packing::default()) {
            let again: Vec<_> = match buffer::split(&joined) {
                Ok(again) => again.iter().map(|payload| payload.bytes.to_vec()).collect(),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(again, plain);
        }
    }
    if let Ok(packet) = Pdu::decode(rest) {
        let encoded = packet.encode();
        assert_eq!(
            Pdu::decode(&encoded).map(|again| again.encode()),
            Ok(encoded)
        );
    }
}
