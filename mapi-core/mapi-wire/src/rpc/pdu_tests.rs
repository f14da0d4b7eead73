//! Packets, octet by octet.

use proptest::prelude::*;

use super::{
    super::{
        bodies::{Bind, BindAck, Context, ContextResult, Fault},
        interfaces,
        rts::Rts,
    },
    *,
};
use crate::ids::Guid;

fn check(pdu: &Pdu, bytes: &[u8]) {
    assert_eq!(pdu.encode(), bytes);
    assert_eq!(&Pdu::decode(bytes).unwrap(), pdu);
    assert_eq!(length(bytes), Ok(Some(bytes.len())));
    for cut in 0..bytes.len() {
        assert!(Pdu::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
}

fn ntlm(value: &[u8]) -> Auth {
    Auth {
        kind: auth_kind::NTLM,
        level: auth_level::PACKET_PRIVACY,
        context_id: 0,
        value: value.into(),
    }
}

#[test]
fn a_bind_names_interface_and_writing_and_begins_authentication() {
    let bind = Bind {
        xmit_fragment_max: FRAGMENT_BYTES,
        receive_fragment_max: FRAGMENT_BYTES,
        association_group: 0,
        contexts: vec![Context {
            id: 0,
            interface: interfaces::EMSMDB,
            transfer: vec![interfaces::NDR],
        }],
    };
    let pdu = Pdu::whole(1, Body::Bind(bind), Some(ntlm(b"NTLMSSP\0")));
    let bytes = [
        &[5, 0, 11, 3, 0x10, 0, 0, 0, 88, 0, 8, 0, 1, 0, 0, 0][..],
        &[0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0],
        b"\x00\xdb\xf1\xa4\x47\xca\x67\x10\xb3\x1f\x00\xdd\x01\x06\x62\xda\0\0\x51\0",
        b"\x04\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\x00\x2b\x10\x48\x60\x02\0\0\0",
        &[10, 6, 0, 0, 0, 0, 0, 0],
        b"NTLMSSP\0",
    ]
    .concat();
    check(&pdu, &bytes);
}

#[test]
fn a_bind_is_acknowledged_and_the_authentication_ends() {
    let ack = BindAck {
        xmit_fragment_max: 5840,
        receive_fragment_max: 5840,
        association_group: 0x1234,
        secondary_address: b"6001\0".as_slice().into(),
        results: vec![ContextResult {
            result: 0,
            reason: 0,
            transfer: interfaces::NDR,
        }],
    };
    let pdu = Pdu::whole(1, Body::BindAck(ack), Some(ntlm(b"NTLM")));
    let bytes = [
        &[5, 0, 12, 3, 0x10, 0, 0, 0, 72, 0, 4, 0, 1, 0, 0, 0][..],
        &[0xd0, 0x16, 0xd0, 0x16, 0x34, 0x12, 0, 0, 5, 0],
        b"6001\0\0",
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"\x04\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\x00\x2b\x10\x48\x60\x02\0\0\0",
        &[10, 6, 0, 0, 0, 0, 0, 0],
        b"NTLM",
    ]
    .concat();
    check(&pdu, &bytes);
    let auth3 = Pdu::whole(1, Body::Auth3, Some(ntlm(b"NTLM")));
    let bytes = [
        &[5, 0, 16, 3, 0x10, 0, 0, 0, 32, 0, 4, 0, 1, 0, 0, 0][..],
        &[0, 0, 0, 0, 10, 6, 0, 0, 0, 0, 0, 0],
        b"NTLM",
    ]
    .concat();
    check(&auth3, &bytes);
}

#[test]
fn refusals_say_why() {
    let rest = [1, 5, 0].into();
    let nak = Pdu::whole(1, Body::BindNak { reason: 8, rest }, None);
    check(
        &nak,
        &[
            5, 0, 13, 3, 0x10, 0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 8, 0, 1, 5, 0,
        ],
    );
    let fault = Fault {
        alloc_hint: 0,
        context_id: 0,
        cancel_count: 0,
        status: 5,
        rest: [0; 4].into(),
    };
    let bytes = [
        &[5, 0, 3, 3, 0x10, 0, 0, 0, 32, 0, 0, 0, 7, 0, 0, 0][..],
        &[0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    check(&Pdu::whole(7, Body::Fault(fault), None), &bytes);
}

#[test]
fn a_sealed_call_has_its_parts_where_they_are_said_to_be() {
    let request = Request {
        alloc_hint: 5,
        context_id: 0,
        opnum: 11,
        object: None,
        stub: b"hello".as_slice().into(),
    };
    let pdu = Pdu::whole(2, Body::Request(request), Some(ntlm(&[0; 16])));
    let bytes = [
        &[
            5, 0, 0, 3, 0x10, 0, 0, 0, 64, 0, 16, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 11, 0,
        ][..],
        b"hello",
        &[0; 11],
        &[10, 6, 11, 0, 0, 0, 0, 0],
        &[0; 16],
    ]
    .concat();
    check(&pdu, &bytes);
    let regions = regions(&bytes).unwrap().unwrap();
    assert_eq!((regions.sealed, regions.signature), (24..40, 48..64));
}

#[test]
fn an_object_stands_before_the_stub() {
    let request = Request {
        alloc_hint: 1,
        context_id: 1,
        opnum: 2,
        object: Some(Guid([9; 16])),
        stub: [7].into(),
    };
    let mut pdu = Pdu::whole(2, Body::Request(request), Some(ntlm(&[1; 16])));
    pdu.flags |= flags::OBJECT;
    let bytes = pdu.encode();
    check(&pdu, &bytes);
    assert_eq!(regions(&bytes).unwrap().unwrap().sealed, 40..56);
}

#[test]
fn a_control_packet_and_one_of_another_kind() {
    let pdu = Pdu::whole(0, Body::Rts(Rts::ping()), None);
    check(
        &pdu,
        &[
            5, 0, 20, 3, 0x10, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
        ],
    );
    let kind = 19;
    let bytes = Box::default();
    let pdu = Pdu::whole(3, Body::Other { kind, bytes }, None);
    check(&pdu, &[5, 0, 19, 3, 0x10, 0, 0, 0, 16, 0, 0, 0, 3, 0, 0, 0]);
    assert_eq!(regions(&pdu.encode()), Ok(None));
}

#[test]
fn what_is_broken_says_where() {
    let ping = Pdu::whole(0, Body::Rts(Rts::ping()), None).encode();
    let with = |at: usize, octet: u8| {
        let mut bytes = ping.clone();
        bytes[at] = octet;
        bytes
    };
    let cases = [
        (with(0, 4), 0, "version 5.0 of RPC"),
        (with(4, 0), 4, "little-endian data"),
        (with(8, 15), 8, "a length that holds header and signature"),
        (with(8, 19), 8, "the length of this packet"),
        (with(10, 1), 8, "a length that holds header and signature"),
        (with(18, 1), 20, "a count of commands"),
    ];
    for (bytes, at, expected) in cases {
        assert_eq!(
            Pdu::decode(&bytes).unwrap_err(),
            DecodeError { at, expected }
        );
    }
    assert_eq!(length(&ping[..15]), Ok(None));
    // Padding that is longer than the body.
    let mut auth3 = Pdu::whole(1, Body::Auth3, Some(ntlm(b"NTLM"))).encode();
    auth3[22] = 5;
    assert_eq!(Pdu::decode(&auth3).unwrap_err().at, 22);
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(
        kind in prop_oneof![0_u8..21, any::<u8>()],
        auth in prop_oneof![Just(0_u8), 0_u8..20],
        object: bool,
        rest in prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..120),
    ) {
        let length = (HEADER_BYTES + rest.len()) as u16;
        let flags = if object { 0x83 } else { 3 };
        let [low, high] = length.to_le_bytes();
        let mut bytes = vec![5, 0, kind, flags, 0x10, 0, 0, 0, low, high, auth, 0, 1, 0, 0, 0];
        bytes.extend(rest);
        if let Ok(Some(regions)) = regions(&bytes) {
            prop_assert!(bytes.get(regions.sealed).is_some() && bytes.get(regions.signature).is_some());
        }
        if let Ok(pdu) = Pdu::decode(&bytes) {
            let again = pdu.encode();
            prop_assert_eq!(Pdu::decode(&again).unwrap(), pdu);
        }
    }
}

#[test]
fn a_trailer_without_authentication_is_passed_over() {
    let ack = BindAck {
        xmit_fragment_max: FRAGMENT_BYTES,
        receive_fragment_max: 0x2000,
        association_group: 7,
        secondary_address: b"6001\0".as_slice().into(),
        results: vec![ContextResult {
            result: 0,
            reason: 0,
            transfer: interfaces::NDR,
        }],
    };
    let pdu = Pdu::whole(1, Body::BindAck(ack), None);
    let mut bytes = pdu.encode();
    bytes.extend([0; TRAILER_BYTES]);
    bytes[8] += TRAILER_BYTES as u8;
    assert_eq!(Pdu::decode(&bytes), Ok(pdu));
}
