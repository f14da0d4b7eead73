//! Ids of folders, messages and changes.

use mapi_wire::{Gid, Globcnt, Id, ics::Xid};

use super::{Scene, View};
use crate::{node::Node, object::Logon};

/// Replica number and counter, and the name of a folder that every store has.
pub(crate) fn id(id: Id, logon: Option<&Logon>) -> String {
    let number = format!("{}-{:x}", id.replid, id.globcnt.to_u64());
    match logon.and_then(|logon| logon.folders.get(&id)) {
        Some(name) => format!("{number} ({name})"),
        None => number,
    }
}

/// Replica and counter.
pub(crate) fn gid(id: Gid) -> String {
    format!("{}-{:x}", id.replguid, id.globcnt.to_u64())
}

/// A source key or change key: namespace and number, with as many digits as it has.
pub(crate) fn xid(id: Xid) -> String {
    format!("{id:?}")
}

impl View for Gid {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::Word(gid(*self))
    }
}

impl View for Globcnt {
    fn view(&self, _: &Scene<'_>) -> Node {
        Node::Word(format!("{:x}", self.to_u64()))
    }
}
