//! Actions of rules. Source: MS-OXORULE 2.2.5.

use mapi_wire::rule::{Action, ActionKind};

use super::{
    Scene, View, entry_id,
    hints::{hexadecimal, one_of_code},
};
use crate::{
    names::codes::condition,
    node::{Entry, Node},
};

impl View for Action {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self {
            flavor,
            flags,
            kind,
        } = self;
        let mut entry = kind_entry(kind, scene);
        entry.push("flavor", hexadecimal(flavor, scene));
        entry.push("flags", hexadecimal(flags, scene));
        entry.into()
    }
}

fn kind_entry(kind: &ActionKind, scene: &Scene<'_>) -> Entry {
    let action = |name| Entry::new("action", name);
    match kind {
        ActionKind::Transfer {
            copy,
            in_this_store,
            store,
            folder,
        } => action(transfer(*copy))
            .with("in_this_store", in_this_store.view(scene))
            .with("store", entry_id::view(store, scene))
            .with(
                "folder",
                match in_this_store {
                    true => Node::octets(folder, "a server id of a folder"),
                    false => entry_id::view(folder, scene),
                },
            ),
        ActionKind::TransferExtended {
            copy,
            store,
            folder,
        } => action(transfer(*copy))
            .with("store", entry_id::view(store, scene))
            .with("folder", entry_id::view(folder, scene)),
        ActionKind::Reply {
            out_of_office,
            template,
            guid,
        } => action(match out_of_office {
            true => "OP_OOF_REPLY",
            false => "OP_REPLY",
        })
        .with("template", Node::octets(template, "the id of a template"))
        .with("guid", guid.view(scene)),
        ActionKind::Defer(data) => action("OP_DEFER_ACTION")
            .with("data", Node::octets(data, "what a client wants to know")),
        ActionKind::Bounce(code) => {
            action("OP_BOUNCE").with("code", one_of_code((*code).into(), 8, condition::BOUNCE))
        }
        ActionKind::Forward {
            delegate,
            recipients,
        } => action(match delegate {
            true => "OP_DELEGATE",
            false => "OP_FORWARD",
        })
        .with(
            "recipients",
            Node::list(recipients.iter().map(|(reserved, values)| {
                Entry::default()
                    .with("reserved", reserved.view(scene))
                    .with("property_values", values.view(scene))
                    .into()
            })),
        ),
        ActionKind::Tag(value) => action("OP_TAG").with("property", value.view(scene)),
        ActionKind::Delete => action("OP_DELETE"),
        ActionKind::MarkAsRead => action("OP_MARK_AS_READ"),
    }
}

const fn transfer(copy: bool) -> &'static str {
    match copy {
        true => "OP_COPY",
        false => "OP_MOVE",
    }
}
