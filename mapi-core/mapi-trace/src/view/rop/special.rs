//! Source: MS-OXCROPS 2.2.15.

use mapi_wire::rop::{self, Backoff, BackoffRop, BufferTooSmall};

use crate::{
    node::{Entry, Node},
    view::{Scene, View, hints::opaque, views},
};

views! {
    Backoff {
        logon_id, duration_ms, rops,
        additional_data: opaque("nobody says what this is"),
    }
    BufferTooSmall {
        size_needed,
        request_buffers: opaque("the requests that were not carried out, as they came"),
    }
}

impl View for BackoffRop {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self {
            rop_id,
            duration_ms,
        } = self;
        let name = match rop::name(*rop_id) {
            Some(name) => format!("Rop{name}"),
            None => format!("ROP {rop_id:#04x}"),
        };
        Entry::new("rop", name)
            .with("duration_ms", duration_ms.view(scene))
            .into()
    }
}
