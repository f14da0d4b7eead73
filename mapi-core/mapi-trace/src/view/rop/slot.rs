//! Slots of a batch's handle table: which handle is in them, and what it stands for.

use super::{Scene, View};
use crate::node::{Entry, Node};

/// What a request acts on, or a response is about.
pub(crate) fn slot(slot: &u8, scene: &Scene<'_>) -> Node {
    view(*slot, scene).into()
}

/// Where the handle of what a request makes goes.
pub(crate) fn target(slot: &u8, _: &Scene<'_>) -> Node {
    Entry::default()
        .with("slot", Node::Number((*slot).into()))
        .into()
}

fn view(slot: u8, scene: &Scene<'_>) -> Entry {
    let mut entry = Entry::default().with("slot", slot.view(scene));
    let Some(batch) = scene.batch else {
        return entry;
    };
    let handle = batch.handle_now(slot);
    entry.push_some("handle", handle.map(self::handle));
    let object = batch.object(slot);
    entry.push_some("object", object.map(|object| Node::word(&object.title)));
    entry
}

/// A handle as a number.
pub(crate) fn handle(handle: u32) -> Node {
    Node::Word(format!("{handle:#010x}"))
}
