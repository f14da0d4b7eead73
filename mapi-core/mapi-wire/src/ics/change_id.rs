//! What a change is called across replicas, and which changes a version includes.
//!
//! Source: MS-OXCFXICS 2.2.2.2 (XID), 2.2.2.3 (PredecessorChangeList), 3.1.5.3, 3.1.5.6.

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use crate::{
    cursor::{DecodeError, Reader, Result, Writer},
    ids::{Gid, Guid},
};

/// The longest local id.
const LOCAL_ID_MAX: usize = 8;

/// A number within a namespace (XID): of a server's replica with six octets, of a client with another length.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Xid {
    /// Who numbers.
    pub namespace: Guid,
    /// The number.
    pub local: LocalId,
}

/// A change: PidTagChangeKey.
pub type ChangeKey = Xid;

/// A number of one to eight octets, big-endian. All numbers of a namespace have the same length.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct LocalId {
    octets: [u8; LOCAL_ID_MAX],
    len: u8,
}

impl LocalId {
    /// From its octets; `None` unless there are one to eight.
    pub fn new(octets: &[u8]) -> Option<Self> {
        let mut all = [0; LOCAL_ID_MAX];
        all.get_mut(..octets.len())?.copy_from_slice(octets);
        let len = u8::try_from(octets.len()).ok()?;
        (len > 0).then_some(Self { octets: all, len })
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.len.into()).unwrap_or_default()
    }

    /// Its value.
    pub fn to_u64(self) -> u64 {
        let octets = self.as_bytes().iter();
        octets.fold(0, |value, &octet| (value << 8) | u64::from(octet))
    }
}

impl Ord for LocalId {
    /// By value; of two equal ones, the shorter first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_value = self.to_u64().cmp(&other.to_u64());
        by_value.then(self.len.cmp(&other.len))
    }
}

impl PartialOrd for LocalId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.as_bytes();
        octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.namespace, self.local)
    }
}

impl Xid {
    /// Octets of the longest.
    pub const BYTES_MAX: usize = 16 + LOCAL_ID_MAX;

    /// From its octets; `None` when they are too few or too many.
    pub fn from_bytes(octets: &[u8]) -> Option<Self> {
        let (namespace, local) = octets.split_first_chunk::<16>()?;
        Some(Self {
            namespace: Guid(*namespace),
            local: LocalId::new(local)?,
        })
    }

    /// Its octets.
    pub fn to_bytes(self) -> Vec<u8> {
        [&self.namespace.0, self.local.as_bytes()].concat()
    }

    /// The id of an object or change on a server, which it is when its number has six octets.
    pub fn to_gid(self) -> Option<Gid> {
        Gid::from_bytes(&self.to_bytes())
    }
}

impl From<Gid> for Xid {
    fn from(gid: Gid) -> Self {
        let mut octets = [0; LOCAL_ID_MAX];
        let (counter, _) = octets.split_at_mut(6);
        counter.copy_from_slice(&gid.globcnt.0);
        Self {
            namespace: gid.replguid,
            local: LocalId { octets, len: 6 },
        }
    }
}

/// The changes that a version of an object includes: of each namespace the last one, which includes those before.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PredecessorChangeList {
    last: BTreeMap<Guid, LocalId>,
}

/// How two versions of an object stand to each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Versions {
    /// They are the same.
    Same,
    /// The first includes the second, and more.
    Newer,
    /// The second includes the first, and more.
    Older,
    /// Both have changes that the other has not.
    Conflict,
}

impl PredecessorChangeList {
    /// No change yet.
    pub const fn new() -> Self {
        Self {
            last: BTreeMap::new(),
        }
    }

    /// Whether there is no change in it.
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// The last change of each namespace, by namespace.
    pub fn iter(&self) -> impl Iterator<Item = Xid> {
        let last = self.last.iter();
        last.map(|(namespace, local)| Xid {
            namespace: *namespace,
            local: *local,
        })
    }

    /// Adds a change, and with it those before it.
    pub fn insert(&mut self, change: ChangeKey) {
        let last = self.last.entry(change.namespace).or_insert(change.local);
        *last = (*last).max(change.local);
    }

    /// Adds all changes of another version.
    pub fn merge(&mut self, other: &Self) {
        for change in other.iter() {
            self.insert(change);
        }
    }

    /// Whether a change is in it.
    pub fn contains(&self, change: ChangeKey) -> bool {
        let last = self.last.get(&change.namespace);
        last.is_some_and(|last| *last >= change.local)
    }

    /// Whether all changes of another version are in it.
    pub fn includes(&self, other: &Self) -> bool {
        other.iter().all(|change| self.contains(change))
    }

    /// How this version stands to another. Source: MS-OXCFXICS 3.1.5.6.
    pub fn compare(&self, other: &Self) -> Versions {
        match (self.includes(other), other.includes(self)) {
            (true, true) => Versions::Same,
            (true, false) => Versions::Newer,
            (false, true) => Versions::Older,
            (false, false) => Versions::Conflict,
        }
    }

    /// Reads PidTagPredecessorChangeList. Namespaces may come in any order and more than once.
    pub fn from_bytes(octets: &[u8]) -> Result<Self> {
        let mut list = Self::new();
        let mut reader = Reader::new(octets);
        while !reader.is_empty() {
            let start = reader.position();
            let size = reader.u8("the size of a change key")?;
            let xid = Xid::from_bytes(reader.take(size.into(), "a change key")?);
            list.insert(xid.ok_or(DecodeError {
                at: start,
                expected: "a change key of 17 to 24 octets",
            })?);
        }
        Ok(list)
    }

    /// PidTagPredecessorChangeList, sorted by namespace.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        for change in self.iter() {
            let octets = change.to_bytes();
            writer.u8(octets.len() as u8);
            writer.put(&octets);
        }
        writer.into_bytes()
    }
}

impl FromIterator<ChangeKey> for PredecessorChangeList {
    fn from_iter<I: IntoIterator<Item = ChangeKey>>(changes: I) -> Self {
        let mut list = Self::new();
        changes.into_iter().for_each(|change| list.insert(change));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Globcnt;

    fn xid(namespace: u8, local: &[u8]) -> Xid {
        Xid {
            namespace: Guid([namespace; 16]),
            local: LocalId::new(local).unwrap(),
        }
    }

    fn list(changes: &[Xid]) -> PredecessorChangeList {
        changes.iter().copied().collect()
    }

    #[test]
    fn a_list_has_the_last_change_of_each_namespace_in_their_order() {
        let changes = list(&[xid(2, &[0, 0, 0, 7]), xid(1, &[0, 5]), xid(1, &[0, 3])]);
        let octets = [&[18][..], &[1; 16], &[0, 5], &[20], &[2; 16], &[0, 0, 0, 7]].concat();
        assert_eq!(changes.to_bytes(), octets);
        assert_eq!(PredecessorChangeList::from_bytes(&octets), Ok(changes));
    }

    #[test]
    fn versions_are_compared_by_what_they_include() {
        let base = list(&[xid(1, &[1])]);
        let ours = list(&[xid(1, &[2])]);
        let theirs = list(&[xid(1, &[1]), xid(2, &[1])]);
        assert_eq!(base.compare(&base), Versions::Same);
        assert_eq!(ours.compare(&base), Versions::Newer);
        assert_eq!(base.compare(&theirs), Versions::Older);
        assert_eq!(ours.compare(&theirs), Versions::Conflict);
        let mut merged = ours.clone();
        merged.merge(&theirs);
        assert_eq!(merged.compare(&ours), Versions::Newer);
        assert_eq!(merged.compare(&theirs), Versions::Newer);
    }

    #[test]
    fn a_change_key_of_a_server_is_its_change_number() {
        let gid = Gid {
            replguid: Guid([9; 16]),
            globcnt: Globcnt::from_u64(0x01ab),
        };
        let key = Xid::from(gid);
        assert_eq!(key.to_bytes(), gid.to_bytes());
        assert_eq!(key.to_gid(), Some(gid));
        assert_eq!(xid(9, &[1; 4]).to_gid(), None);
    }

    #[test]
    fn a_broken_list_says_where() {
        let cases: [(&[u8], usize, &str); 4] = [
            (&[22, 1], 1, "a change key"),
            (&[0], 0, "a change key of 17 to 24 octets"),
            (
                &[[16].as_slice(), &[1; 16]].concat(),
                0,
                "a change key of 17 to 24 octets",
            ),
            (
                &[[25].as_slice(), &[1; 25]].concat(),
                0,
                "a change key of 17 to 24 octets",
            ),
        ];
        for (octets, at, expected) in cases {
            let error = PredecessorChangeList::from_bytes(octets).unwrap_err();
            assert_eq!(error, DecodeError { at, expected });
        }
    }
}
