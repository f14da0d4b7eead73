//! What a client has of a folder. Source: MS-OXCFXICS 2.2.1.1, 3.1.5.2, 3.2.5.3, 3.3.5.6.

use mapi_types::PropTag;

use super::{
    globset::Range,
    id_set::{CnSet, IdSet},
};
use crate::{
    cursor::Result,
    fast_transfer::{Property, find, meta},
    ids::{Gid, Globcnt},
};

/// No replica has made so many changes.
const IMPLAUSIBLE: u64 = (1 << 47) - 1;

/// The state of a synchronization: only the client keeps it. It belongs to one folder of one mailbox and to one
/// configuration (kind, restriction, flags), and means nothing to another.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct State {
    /// What the client has: messages, or folders.
    pub idset_given: IdSet,
    /// The changes to messages, or to folders, that it has seen.
    pub cnset_seen: CnSet,
    /// The changes to hidden (FAI) messages that it has seen. Contents only.
    pub cnset_seen_associated: CnSet,
    /// The changes to the read state that it has seen. Contents only.
    pub cnset_read: CnSet,
}

/// What kind of synchronization a state belongs to. Source: MS-OXCFXICS 2.2.3.2.1.1.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// The messages of a folder.
    Contents,
    /// The folders of a folder.
    Hierarchy,
}

/// Who a message is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Audience {
    /// People.
    People,
    /// Programs (FAI, associated).
    Programs,
}

impl State {
    /// A client that has nothing.
    pub const fn new() -> Self {
        Self {
            idset_given: IdSet::new(),
            cnset_seen: IdSet::new(),
            cnset_seen_associated: IdSet::new(),
            cnset_read: IdSet::new(),
        }
    }

    /// From the properties of a state in a stream. What is missing is empty, what is unknown is left out. Errors:
    /// where in the value of the property that is broken.
    pub fn from_properties(props: &[Property]) -> Result<Self> {
        let set = |tag| {
            let octets = find(props, tag).and_then(Property::as_octets);
            octets.map(IdSet::from_bytes).transpose()
        };
        let given = match set(meta::IDSET_GIVEN)? {
            Some(given) => Some(given),
            None => set(meta::IDSET_GIVEN_BINARY)?,
        };
        Ok(Self {
            idset_given: given.unwrap_or_default(),
            cnset_seen: set(meta::CNSET_SEEN)?.unwrap_or_default(),
            cnset_seen_associated: set(meta::CNSET_SEEN_ASSOCIATED)?.unwrap_or_default(),
            cnset_read: set(meta::CNSET_READ)?.unwrap_or_default(),
        })
    }

    /// The properties for a stream, or for an upload one by one. A hierarchy has only two: with the others a server
    /// refuses it.
    pub fn to_properties(&self, scope: Scope) -> Vec<Property> {
        let sets = [
            (meta::IDSET_GIVEN, &self.idset_given),
            (meta::CNSET_SEEN, &self.cnset_seen),
            (meta::CNSET_SEEN_ASSOCIATED, &self.cnset_seen_associated),
            (meta::CNSET_READ, &self.cnset_read),
        ];
        let count = match scope {
            Scope::Contents => sets.len(),
            Scope::Hierarchy => 2,
        };
        let sets = sets.into_iter().take(count);
        sets.map(|(tag, set)| Property::binary(tag.0, &set.to_bytes()))
            .collect()
    }

    /// Takes one property that was uploaded; whether it is one of a state.
    pub fn set(&mut self, tag: PropTag, octets: &[u8]) -> Result<bool> {
        let place = match tag {
            meta::IDSET_GIVEN | meta::IDSET_GIVEN_BINARY => &mut self.idset_given,
            meta::CNSET_SEEN => &mut self.cnset_seen,
            meta::CNSET_SEEN_ASSOCIATED => &mut self.cnset_seen_associated,
            meta::CNSET_READ => &mut self.cnset_read,
            _ => return Ok(false),
        };
        *place = IdSet::from_bytes(octets)?;
        Ok(true)
    }

    /// Notes a change that the client has stored, so that a synchronization can go on there when it was broken off.
    /// The server's state at the end replaces all of it. Source: MS-OXCFXICS 3.3.5.6.
    pub fn note_change(&mut self, id: Gid, change: Gid, audience: Audience) {
        self.idset_given.insert(id);
        self.seen_mut(audience).insert(change);
    }

    /// Notes many changes as [`Self::note_change`] does. One pass over what was noted before, in whatever order they come.
    pub fn note_changes(&mut self, changes: &[(Gid, Gid)], audience: Audience) {
        let ids = changes.iter().map(|(id, _)| *id);
        self.idset_given.union(&ids.collect());
        let seen = changes.iter().map(|(_, change)| *change);
        self.seen_mut(audience).union(&seen.collect());
    }

    /// Notes that objects are gone: deleted, expired or no longer in scope.
    pub fn note_gone(&mut self, gone: &IdSet) {
        self.idset_given.subtract(gone);
    }

    /// Notes changes of the read state.
    pub fn note_read(&mut self, changes: &CnSet) {
        self.cnset_read.union(changes);
    }

    /// Takes back what a server says the client has seen of read states that are yet to change.
    ///
    /// gromox 3.10 answers the numbers from 1 to 2⁴⁸ − 1 until a read state changes for the first time. Given back to
    /// it, they would hide that change, and it would be lost.
    pub fn forget_reads_to_come(&mut self) {
        for (replica, reads) in self.cnset_read.clone().replicas() {
            if reads.last().is_none_or(|last| last.to_u64() < IMPLAUSIBLE) {
                continue;
            }
            let seen = [&self.cnset_seen, &self.cnset_seen_associated];
            let last = seen
                .iter()
                .filter_map(|seen| seen.get(replica)?.last())
                .max();
            let first_to_come = last.map_or(0, |last| last.to_u64() + 1);
            if let Some(to_come) = Range::new(first_to_come, Globcnt::MAX) {
                self.cnset_read.remove_range(replica, to_come);
            }
        }
    }

    /// The changes seen of messages for somebody.
    pub const fn seen(&self, audience: Audience) -> &CnSet {
        match audience {
            Audience::People => &self.cnset_seen,
            Audience::Programs => &self.cnset_seen_associated,
        }
    }

    const fn seen_mut(&mut self, audience: Audience) -> &mut CnSet {
        match audience {
            Audience::People => &mut self.cnset_seen,
            Audience::Programs => &mut self.cnset_seen_associated,
        }
    }
}
