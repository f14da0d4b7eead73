//! The recorded stubs of RPC over HTTP.

use std::fmt::Debug;

use mapi_wire::{
    Guid, buffer,
    http::{Version, aux},
    rpc::{
        Stub,
        emsmdb::{
            ConnectExRequest, ConnectExResponse, HandleRequest, HandleResponse, RpcExt2Request,
            RpcExt2Response,
        },
    },
};

use crate::corpus;

const FOLDER: &str = "rpc-http";

fn both_ways<T: Stub + Debug>(number: u32, is_response: bool) -> T {
    let bytes = corpus::body(FOLDER, number, is_response);
    let stub = T::decode(&bytes).unwrap_or_else(|error| panic!("{number}: {error}"));
    assert_eq!(stub.encode(), bytes, "{number}");
    stub
}

#[test]
fn every_stub_decodes_to_the_last_octet_and_encodes_back() {
    let recordings = corpus::folder(FOLDER);
    assert_eq!(recordings.len(), 16);
    for session in [0, 4] {
        both_ways::<ConnectExRequest>(session + 1, false);
        let connected: ConnectExResponse = both_ways(session + 1, true);
        for number in [session + 2, session + 3] {
            let request: RpcExt2Request = both_ways(number, false);
            let response: RpcExt2Response = both_ways(number, true);
            assert_eq!(request.handle, connected.handle);
            assert_eq!(response.handle, connected.handle);
            assert_eq!(response.result, 0);
            for bytes in [&request.rgb_in, &response.rgb_out] {
                let payloads = buffer::split(bytes).unwrap();
                let payloads: Vec<_> = payloads.iter().map(|payload| &payload.bytes).collect();
                assert_eq!(
                    buffer::join(&payloads, buffer::Packing::default()).unwrap(),
                    **bytes
                );
            }
        }
        let request: HandleRequest = both_ways(session + 4, false);
        assert_eq!(request.handle, connected.handle);
        let response: HandleResponse = both_ways(session + 4, true);
        assert_eq!((response.handle.id, response.result), (Guid([0; 16]), 0));
    }
}

#[test]
fn a_connection_says_who_and_what_version() {
    let request: ConnectExRequest = both_ways(1, false);
    assert!(
        request
            .user_dn
            .to_text()
            .ends_with("/cn=Recipients/cn=0100000001000000-alice")
    );
    assert_eq!(
        (request.code_page, request.lcid_sort, request.aux_out_max),
        (1252, 0x409, 0x1008)
    );
    assert_eq!(request.icxr_link, ConnectExRequest::NO_LINK);
    let response: ConnectExResponse = both_ways(1, true);
    assert_eq!(
        Version::from_words(response.server_version),
        Version([15, 0, 847, 4040])
    );
    assert_eq!(response.best_version, request.client_version);
    assert_eq!(response.display_name.unwrap().to_text(), "Alice Liddell");
    assert_eq!(response.dn_prefix.unwrap().to_text(), "");
    assert_eq!(
        (
            response.polls_max,
            response.retry_count,
            response.retry_delay
        ),
        (60_000, 6, 10_000)
    );
    assert_eq!(aux::decode(&response.aux_out).unwrap().len(), 3);
}
