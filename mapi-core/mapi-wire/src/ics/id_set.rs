//! Sets of ids of several replicas. Source: MS-OXCFXICS 2.2.2.4 (IDSET, CNSET), 2.2.2.5.

use std::{collections::BTreeMap, fmt};

use super::{
    globset::{Globset, Range},
    globset_code::{RANGES_MAX, read_ranges},
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::{Gid, Globcnt, Guid, Id},
};

/// How a set names the replica of its ids. Nothing in the octets tells which: that depends on the property.
pub trait Replica: Copy + Ord + fmt::Debug {
    /// An id with such a name of its replica.
    type Id: Copy;

    /// Reads the name.
    fn read(reader: &mut Reader<'_>) -> Result<Self>;
    /// Writes the name.
    fn write(self, writer: &mut Writer);
    /// An id of this replica.
    fn id(self, counter: Globcnt) -> Self::Id;
    /// Replica and counter of an id.
    fn parts(id: Self::Id) -> (Self, Globcnt);
}

/// In states of clients: by GUID.
impl Replica for Guid {
    type Id = Gid;

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self(reader.array("the GUID of a replica")?))
    }

    fn write(self, writer: &mut Writer) {
        writer.put(&self.0);
    }

    fn id(self, globcnt: Globcnt) -> Gid {
        Gid {
            replguid: self,
            globcnt,
        }
    }

    fn parts(id: Gid) -> (Self, Globcnt) {
        (id.replguid, id.globcnt)
    }
}

/// In lists of what is gone, read or unread: by the number that the logon gives the replica.
impl Replica for u16 {
    type Id = Id;

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.u16("the number of a replica")
    }

    fn write(self, writer: &mut Writer) {
        writer.u16(self);
    }

    fn id(self, globcnt: Globcnt) -> Id {
        Id {
            replid: self,
            globcnt,
        }
    }

    fn parts(id: Id) -> (Self, Globcnt) {
        (id.replid, id.globcnt)
    }
}

/// A set of ids of folders, messages or changes.
#[derive(Clone, Eq, PartialEq)]
pub struct IdSet<R: Replica = Guid> {
    /// No replica has an empty set.
    replicas: BTreeMap<R, Globset>,
}

/// A set of change numbers.
pub type CnSet = IdSet<Guid>;

impl<R: Replica> Default for IdSet<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Replica> fmt::Debug for IdSet<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.replicas.fmt(f)
    }
}

impl<R: Replica> IdSet<R> {
    /// The empty set.
    pub const fn new() -> Self {
        Self {
            replicas: BTreeMap::new(),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }

    /// How many ids are in it.
    pub fn len(&self) -> u64 {
        let lens = self.replicas.values().map(Globset::len);
        lens.fold(0, u64::saturating_add)
    }

    /// The counters of a replica.
    pub fn get(&self, replica: R) -> Option<&Globset> {
        self.replicas.get(&replica)
    }

    /// The replicas with their counters, ascending.
    pub fn replicas(&self) -> impl Iterator<Item = (R, &Globset)> {
        self.replicas.iter().map(|(replica, set)| (*replica, set))
    }

    /// The ids, ascending. There may be 2⁴⁸ for each replica.
    pub fn iter(&self) -> impl Iterator<Item = R::Id> {
        let replicas = self.replicas();
        replicas.flat_map(|(replica, set)| set.iter().map(move |counter| replica.id(counter)))
    }

    /// Whether an id is in it.
    pub fn contains(&self, id: R::Id) -> bool {
        let (replica, counter) = R::parts(id);
        self.get(replica).is_some_and(|set| set.contains(counter))
    }

    /// Whether all of `other` is in it.
    pub fn includes(&self, other: &Self) -> bool {
        other
            .replicas()
            .all(|(replica, set)| self.get(replica).is_some_and(|mine| mine.includes(set)))
    }

    /// Adds an id; whether it was missing.
    pub fn insert(&mut self, id: R::Id) -> bool {
        let (replica, counter) = R::parts(id);
        self.replicas.entry(replica).or_default().insert(counter)
    }

    /// Adds a range of ids of a replica.
    pub fn insert_range(&mut self, replica: R, range: Range) {
        self.replicas
            .entry(replica)
            .or_default()
            .insert_range(range);
    }

    /// Takes an id out; whether it was there.
    pub fn remove(&mut self, id: R::Id) -> bool {
        let (replica, counter) = R::parts(id);
        let there = self.contains(id);
        if let Some(range) = Range::new(counter.to_u64(), counter.to_u64()) {
            self.remove_range(replica, range);
        }
        there
    }

    /// Takes a range of ids of a replica out.
    pub fn remove_range(&mut self, replica: R, range: Range) {
        if let Some(set) = self.replicas.get_mut(&replica) {
            set.remove_range(range);
            if set.is_empty() {
                self.replicas.remove(&replica);
            }
        }
    }

    /// Adds all of `other`.
    pub fn union(&mut self, other: &Self) {
        for (replica, set) in other.replicas() {
            self.replicas.entry(replica).or_default().union(set);
        }
    }

    /// Takes all of `other` out.
    pub fn subtract(&mut self, other: &Self) {
        self.replicas.retain(|replica, mine| {
            if let Some(set) = other.get(*replica) {
                mine.subtract(set);
            }
            !mine.is_empty()
        });
    }

    /// Keeps only what is in `other` as well.
    pub fn intersect(&mut self, other: &Self) {
        self.replicas
            .retain(|replica, mine| match other.get(*replica) {
                Some(set) => {
                    mine.intersect(set);
                    !mine.is_empty()
                }
                None => false,
            });
    }

    /// Names the replicas in the other way; the first that `name` does not know is the error.
    pub fn rename<S: Replica>(&self, name: impl Fn(R) -> Option<S>) -> Result<IdSet<S>, R> {
        let mut renamed = IdSet::new();
        for (replica, set) in self.replicas() {
            let replica = name(replica).ok_or(replica)?;
            renamed.replicas.entry(replica).or_default().union(set);
        }
        Ok(renamed)
    }

    /// Reads a set that fills `bytes`. Replicas may come in any order, and more than once.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(&mut Reader::new(bytes))
    }

    /// Reads a set up to the end.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let mut ranges: BTreeMap<R, Vec<Range>> = BTreeMap::new();
        let mut left = RANGES_MAX;
        while !reader.is_empty() {
            let replica = R::read(reader)?;
            let of_replica = ranges.entry(replica).or_default();
            let before = of_replica.len();
            read_ranges(reader, of_replica, before + left)?;
            left -= of_replica.len() - before;
        }
        let sets = ranges.into_iter();
        let sets = sets.map(|(replica, ranges)| (replica, ranges.into_iter().collect()));
        Ok(Self {
            replicas: sets
                .filter(|(_, set): &(R, Globset)| !set.is_empty())
                .collect(),
        })
    }

    /// The octets of the set, replicas ascending; the same set always gives the same octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        for (replica, set) in self.replicas() {
            replica.write(&mut writer);
            set.write(&mut writer);
        }
        writer.into_bytes()
    }
}

impl<R: Replica> FromIterator<R::Id> for IdSet<R> {
    /// In any order, with repetitions or not.
    fn from_iter<I: IntoIterator<Item = R::Id>>(ids: I) -> Self {
        let mut counters: BTreeMap<R, Vec<Globcnt>> = BTreeMap::new();
        for (replica, counter) in ids.into_iter().map(R::parts) {
            counters.entry(replica).or_default().push(counter);
        }
        let sets = counters.into_iter();
        Self {
            replicas: sets
                .map(|(replica, set)| (replica, set.into_iter().collect()))
                .collect(),
        }
    }
}
