//! Sets of ids and changes, as ranges. Source: MS-OXCFXICS 2.2.1.1, 2.2.1.3, 2.2.2.4.

use mapi_types::PropTag;
use mapi_wire::{
    Guid,
    cursor::DecodeError,
    fast_transfer::meta,
    ics::{Globset, IdSet, Replica},
};

use crate::node::{Entry, Node};

/// A binary value that is a set; none where the property is another.
pub(crate) fn property(tag: PropTag, octets: &[u8]) -> Option<Node> {
    let shown = match tag {
        meta::IDSET_GIVEN
        | meta::IDSET_GIVEN_BINARY
        | meta::CNSET_SEEN
        | meta::CNSET_SEEN_ASSOCIATED
        | meta::CNSET_READ => of_guids(octets),
        meta::IDSET_DELETED
        | meta::IDSET_NO_LONGER_IN_SCOPE
        | meta::IDSET_EXPIRED
        | meta::IDSET_READ
        | meta::IDSET_UNREAD => IdSet::<u16>::from_bytes(octets).map(|set| view(&set)),
        _ => return None,
    };
    Some(shown.unwrap_or_else(|DecodeError { at, expected }| {
        Node::octets(
            octets,
            format!("no set: at octet {at}: expected {expected}"),
        )
    }))
}

/// A set that a client uploads, or where it is broken.
pub(crate) fn uploaded(octets: &[u8]) -> Result<Node, DecodeError> {
    of_guids(octets)
}

fn of_guids(octets: &[u8]) -> Result<Node, DecodeError> {
    IdSet::<Guid>::from_bytes(octets).map(|set| view(&set))
}

fn view<R: Replica>(set: &IdSet<R>) -> Node {
    Node::list(set.replicas().map(|(replica, counters)| {
        Entry::new("replica", format!("{replica:?}"))
            .with("value", ranges(counters))
            .into()
    }))
}

fn ranges(counters: &Globset) -> Node {
    Node::list(counters.ranges().iter().map(|range| {
        let (first, last) = (range.first(), range.last());
        match first == last {
            true => Node::Word(format!("{first:x}")),
            false => Node::Word(format!("{first:x}-{last:x}")),
        }
    }))
}
