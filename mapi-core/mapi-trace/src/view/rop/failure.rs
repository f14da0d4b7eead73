//! Source: MS-OXCROPS 2.2, the failure response of each ROP.

use mapi_wire::rop::{Details, Failed, GetBufferRest};

use super::slot;
use crate::{
    names::codes::{logon, transfer},
    node::{Entry, Node},
    view::{
        Scene, View,
        hints::{bits, error, one_of, string8_with_nul},
    },
};

impl View for Failed {
    fn view(&self, scene: &Scene<'_>) -> Node {
        // The number is that of the request, but for one that the title says.
        let Self {
            rop_id: _,
            index,
            code,
            destination,
            details,
        } = self;
        let mut entry = Entry::new("outcome", "failed")
            .with("code", error(code, scene))
            .with("index", slot(index, scene));
        entry.push_some("destination", destination.map(|slot| slot.view(scene)));
        let details = details.view(scene);
        entry.push_some("details", (details != Node::Absent).then_some(details));
        entry.into()
    }
}

impl View for Details {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let entry = match self {
            Self::None => return Node::Absent,
            Self::Redirect {
                logon_flags,
                server_name,
            } => Entry::default()
                .with("logon_flags", bits(logon::FLAGS)(logon_flags, scene))
                .with("server_name", string8_with_nul(server_name, scene)),
            Self::Partial(partial) => {
                Entry::default().with("partial_completion", partial.view(scene))
            }
            Self::Read(data) => {
                Entry::default().with("data", Node::octets(data, "read before the failure"))
            }
            Self::Written(size) => Entry::default().with("written_size", size.view(scene)),
            Self::WrittenExtended(size) => Entry::default().with("written_size", size.view(scene)),
            Self::Copied {
                read_byte_count,
                written_byte_count,
            } => Entry::default()
                .with("read_byte_count", read_byte_count.view(scene))
                .with("written_byte_count", written_byte_count.view(scene)),
            Self::PutBuffer(result) => Entry::default().with("result", result.view(scene)),
            Self::PutBufferExtended(result) => Entry::default().with("result", result.view(scene)),
            Self::GetBuffer {
                transfer_status,
                in_progress_count,
                total_step_count,
                reserved,
                rest,
            } => Entry::default()
                .with(
                    "transfer_status",
                    one_of(transfer::STATUS)(transfer_status, scene),
                )
                .with("in_progress_count", in_progress_count.view(scene))
                .with("total_step_count", total_step_count.view(scene))
                .with("reserved", reserved.view(scene))
                .with("rest", rest.view(scene)),
        };
        entry.into()
    }
}

impl View for GetBufferRest {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::TransferBuffer(buffer) => Entry::default()
                .with(
                    "transfer_buffer",
                    Node::octets(buffer, "of a failed download"),
                )
                .into(),
            Self::Backoff {
                transfer_buffer_size,
                backoff_time_ms,
            } => Entry::default()
                .with("transfer_buffer_size", transfer_buffer_size.view(scene))
                .with("backoff_time_ms", backoff_time_ms.view(scene))
                .into(),
        }
    }
}
