//! Stubs of RPC over HTTP. Source: MS-OXCRPC 3.1.4.

use mapi_wire::{
    cursor::Result,
    http::Version,
    rpc::{
        ContextHandle, Stub as _,
        emsmdb::{
            AsyncWaitRequest, AsyncWaitResponse, ConnectExRequest, ConnectExResponse,
            HandleRequest, HandleResponse, RpcExt2Request, RpcExt2Response,
        },
    },
};

use super::{
    Scene, View,
    hints::{bits, error, hexadecimal, shown_in},
    views,
};
use crate::{
    names::codes::call,
    node::{Entry, Node},
    recording::{Call, Direction},
};

views! {
    ConnectExRequest {
        user_dn, flags: bits(call::CONNECT), con_mod: hexadecimal, limit, code_page,
        lcid_string: hexadecimal, lcid_sort: hexadecimal, icxr_link: hexadecimal,
        can_convert_code_pages, client_version: version, timestamp, aux_in: shown_in("auxiliary"),
        aux_out_max,
    }
    ConnectExResponse {
        handle, polls_max, retry_count, retry_delay, icxr, dn_prefix, display_name,
        server_version: version, best_version: version, timestamp, aux_out: shown_in("auxiliary"),
        result: error,
    }
    RpcExt2Request {
        handle, flags: bits(call::EXECUTE), rgb_in: shown_in("payloads"), rgb_out_max,
        aux_in: shown_in("auxiliary"), aux_out_max,
    }
    RpcExt2Response {
        handle, flags: bits(call::EXECUTE), rgb_out: shown_in("payloads"), aux_out: shown_in("auxiliary"),
        trans_time, result: error,
    }
    HandleRequest { handle }
    HandleResponse { handle, result: error }
    AsyncWaitRequest { handle, flags: hexadecimal }
    AsyncWaitResponse { flags: hexadecimal, result: error }
}

fn version(words: &[u16; 3], _: &Scene<'_>) -> Node {
    let Version([a, b, c, d]) = Version::from_words(*words);
    let written: Vec<String> = words.iter().map(|word| format!("{word:04x}")).collect();
    Entry::new("version", format!("{a}.{b}.{c}.{d}"))
        .and("words", written.join(" "))
        .into()
}

impl View for ContextHandle {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self { attributes, id } = self;
        Entry::default()
            .with("attributes", attributes.view(scene))
            .with("id", id.view(scene))
            .into()
    }
}

/// A stub with its buffers.
#[derive(Debug)]
pub(crate) struct Stub {
    /// Its fields.
    pub(crate) node: Node,
    /// The ROP buffer, if it has one.
    pub(crate) rops: Option<Box<[u8]>>,
    /// The auxiliary buffer, if it has one.
    pub(crate) aux: Option<Box<[u8]>>,
    /// Of a connection: the code page.
    pub(crate) code_page: Option<u32>,
    /// Whether the call did something; of a request always.
    pub(crate) succeeded: bool,
}

impl Stub {
    fn new(node: Node) -> Self {
        Self {
            node,
            rops: None,
            aux: None,
            code_page: None,
            succeeded: true,
        }
    }
}

/// Reads a stub.
pub(crate) fn stub(
    call: Call,
    direction: Direction,
    octets: &[u8],
    scene: &Scene<'_>,
) -> Result<Stub> {
    Ok(match (call, direction) {
        (Call::ConnectEx, Direction::Request) => {
            let stub = ConnectExRequest::decode(octets)?;
            Stub {
                code_page: Some(stub.code_page),
                aux: Some(stub.aux_in.clone()),
                ..Stub::new(stub.view(scene))
            }
        }
        (Call::ConnectEx, Direction::Response) => {
            let stub = ConnectExResponse::decode(octets)?;
            Stub {
                aux: Some(stub.aux_out.clone()),
                succeeded: stub.result == 0,
                ..Stub::new(stub.view(scene))
            }
        }
        (Call::RpcExt2, Direction::Request) => {
            let stub = RpcExt2Request::decode(octets)?;
            Stub {
                rops: Some(stub.rgb_in.clone()),
                aux: Some(stub.aux_in.clone()),
                ..Stub::new(stub.view(scene))
            }
        }
        (Call::RpcExt2, Direction::Response) => {
            let stub = RpcExt2Response::decode(octets)?;
            Stub {
                rops: Some(stub.rgb_out.clone()),
                aux: Some(stub.aux_out.clone()),
                succeeded: stub.result == 0,
                ..Stub::new(stub.view(scene))
            }
        }
        (Call::Disconnect | Call::AsyncConnectEx, Direction::Request) => {
            Stub::new(HandleRequest::decode(octets)?.view(scene))
        }
        (Call::Disconnect | Call::AsyncConnectEx, Direction::Response) => {
            let stub = HandleResponse::decode(octets)?;
            Stub {
                succeeded: stub.result == 0,
                ..Stub::new(stub.view(scene))
            }
        }
        (Call::AsyncWaitEx, Direction::Request) => {
            Stub::new(AsyncWaitRequest::decode(octets)?.view(scene))
        }
        (Call::AsyncWaitEx, Direction::Response) => {
            Stub::new(AsyncWaitResponse::decode(octets)?.view(scene))
        }
    })
}
