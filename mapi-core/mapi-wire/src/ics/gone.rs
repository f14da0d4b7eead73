//! Lists of what is gone, read or unread. Source: MS-OXCFXICS 2.2.4.3.3 (deletions), 2.2.4.3.19 (readStateChanges),
//! 2.2.1.3.

use mapi_types::PropTag;

use super::id_set::IdSet;
use crate::{
    cursor::Result,
    fast_transfer::{Property, find, meta},
};

/// What a client no longer has to keep. Replicas are named by the numbers of the logon.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deletions {
    /// It is deleted, or moved away.
    pub deleted: IdSet<u16>,
    /// It no longer meets the restriction.
    pub no_longer_in_scope: IdSet<u16>,
    /// It has reached its age, in a public folder.
    pub expired: IdSet<u16>,
}

/// What was read or unread, and not changed in another way. Replicas are named by the numbers of the logon.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ReadStates {
    /// It was read.
    pub read: IdSet<u16>,
    /// It was marked as unread.
    pub unread: IdSet<u16>,
}

impl Deletions {
    /// From the properties of [`crate::fast_transfer::Event::Deletions`]. Errors: where in a value it is broken.
    pub fn from_properties(props: &[Property]) -> Result<Self> {
        Ok(Self {
            deleted: set(props, meta::IDSET_DELETED)?,
            no_longer_in_scope: set(props, meta::IDSET_NO_LONGER_IN_SCOPE)?,
            expired: set(props, meta::IDSET_EXPIRED)?,
        })
    }

    /// The properties; none for an empty set.
    pub fn to_properties(&self) -> Vec<Property> {
        to_properties(&[
            (meta::IDSET_DELETED, &self.deleted),
            (meta::IDSET_NO_LONGER_IN_SCOPE, &self.no_longer_in_scope),
            (meta::IDSET_EXPIRED, &self.expired),
        ])
    }

    /// All of them together.
    pub fn all(&self) -> IdSet<u16> {
        let mut all = self.deleted.clone();
        all.union(&self.no_longer_in_scope);
        all.union(&self.expired);
        all
    }
}

impl ReadStates {
    /// From the properties of [`crate::fast_transfer::Event::ReadStates`]. Errors: where in a value it is broken.
    pub fn from_properties(props: &[Property]) -> Result<Self> {
        Ok(Self {
            read: set(props, meta::IDSET_READ)?,
            unread: set(props, meta::IDSET_UNREAD)?,
        })
    }

    /// The properties; none for an empty set.
    pub fn to_properties(&self) -> Vec<Property> {
        to_properties(&[
            (meta::IDSET_READ, &self.read),
            (meta::IDSET_UNREAD, &self.unread),
        ])
    }
}

fn set(props: &[Property], tag: PropTag) -> Result<IdSet<u16>> {
    let octets = find(props, tag).and_then(Property::as_octets);
    IdSet::from_bytes(octets.unwrap_or_default())
}

fn to_properties(sets: &[(PropTag, &IdSet<u16>)]) -> Vec<Property> {
    let sets = sets.iter().filter(|(_, set)| !set.is_empty());
    sets.map(|(tag, set)| Property::binary(tag.0, &set.to_bytes()))
        .collect()
}
