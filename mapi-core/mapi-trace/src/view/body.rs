//! Bodies of MAPI over HTTP beside their ROPs. Source: MS-OXCMAPIHTTP 2.2.2, 2.2.4; MS-OXCRPC 2.2.2.2.

use mapi_wire::http::{
    aux::{Block, kinds},
    emsmdb::{Connect, Connected, Execute, Executed, NotificationWait, NotificationWaited},
    framing::Framed,
};

use super::{
    Scene, View,
    hints::{bits, error_code, hexadecimal, one_of_code, shown_in},
    views,
};
use crate::{
    names::codes::call,
    node::{Entry, Node},
};

const ORGANISATION: &[(u64, &str)] = &[(1, "public folders"), (2, "found by Autodiscover")];
const SERVER: &[(u64, &str)] = &[
    (1, "packed FastTransfer upload"),
    (2, "packed WriteStream upload"),
    (8, "ultra large packed download"),
];
const ENDPOINT: &[(u64, &str)] = &[(1, "one endpoint for all calls")];

views! {
    Connect {
        user_dn, flags: bits(call::CONNECT), default_code_page, lcid_sort: hexadecimal,
        lcid_string: hexadecimal,
    }
    Connected { polls_max, retry_count, retry_delay, dn_prefix, display_name }
    Execute { flags: bits(call::EXECUTE), rop_buffer: shown_in("payloads"), rop_out_max }
    Executed { flags: bits(call::EXECUTE), rop_buffer: shown_in("payloads") }
    NotificationWait { flags: hexadecimal }
    NotificationWaited { event_pending }
}

/// The lines before the body of a response.
pub(crate) fn headers(framed: &Framed, scene: &Scene<'_>) -> Node {
    let Framed {
        processing,
        pending,
        headers,
        body: _,
    } = framed;
    let headers = headers.iter().map(|(name, value)| {
        Entry::new("header", name)
            .with("value", Node::Word(value.clone()))
            .into()
    });
    Entry::default()
        .with("processing", processing.view(scene))
        .with("pending", pending.view(scene))
        .with("headers", Node::list(headers))
        .into()
}

/// A code of a call that did not do anything.
pub(crate) fn refusal(code: u32) -> Node {
    error_code(code)
}

/// Auxiliary blocks.
pub(crate) fn aux(blocks: &[Block], scene: &Scene<'_>) -> Node {
    Node::list(blocks.iter().map(|block| self::block(block, scene)))
}

fn block(block: &Block, scene: &Scene<'_>) -> Node {
    let Block {
        version,
        kind,
        body,
    } = block;
    Entry::default()
        .with("kind", one_of_code((*kind).into(), 2, call::AUX))
        .with("version", version.view(scene))
        .with("body", content(*kind, body, scene))
        .into()
}

/// What servers say; what clients report of themselves stays as it is.
fn content(kind: u8, body: &[u8], scene: &Scene<'_>) -> Node {
    let words: Vec<u32> = body
        .as_chunks::<4>()
        .0
        .iter()
        .map(|word| u32::from_le_bytes(*word))
        .collect();
    match (kind, words.as_slice(), body.len() % 4) {
        (kinds::ORGANISATION, [flags], 0) => bits(ORGANISATION)(flags, scene),
        (kinds::SERVER_CAPABILITIES, [flags], 0) => bits(SERVER)(flags, scene),
        (kinds::ENDPOINT_CAPABILITIES, [flags], 0) => bits(ENDPOINT)(flags, scene),
        (kinds::CLIENT_CONTROL, [flags, expiry_ms], 0) => Entry::default()
            .with("flags", hexadecimal(flags, scene))
            .with("expiry_ms", expiry_ms.view(scene))
            .into(),
        _ => Node::octets(body, "a block about client or server that nobody needs"),
    }
}
