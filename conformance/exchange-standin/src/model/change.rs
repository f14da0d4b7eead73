//! Who changed what when: change keys and predecessor change lists. Source: MS-OXCFXICS 2.2.2.2, 2.2.2.3 and 3.1.5.6.

use std::collections::BTreeMap;

use mapi_wire::{Gid, Guid};

/// The longest local part of a change identifier. Source: MS-OXCFXICS 2.2.2.2.
const LOCAL_MAX: usize = 8;

/// An identifier of a change (XID): who counts, and the number there, highest octet first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Xid {
    /// Whose number it is: the server's replica, or a namespace of a client.
    pub namespace: Guid,
    /// One to eight octets; six when a server made it.
    pub local: Box<[u8]>,
}

impl Xid {
    /// The server's own.
    pub fn from_gid(gid: Gid) -> Self {
        Self {
            namespace: gid.replguid,
            local: gid.globcnt.0.into(),
        }
    }

    /// From a property's octets; `None` when they cannot be one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (namespace, local) = bytes.split_first_chunk::<16>()?;
        (1..=LOCAL_MAX).contains(&local.len()).then(|| Self {
            namespace: Guid(*namespace),
            local: local.into(),
        })
    }

    /// The octets of PidTagChangeKey.
    pub fn to_bytes(&self) -> Box<[u8]> {
        [&self.namespace.0, &*self.local].concat().into()
    }
}

/// The versions a version came after: the highest number of each namespace (PidTagPredecessorChangeList).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Predecessors(BTreeMap<Guid, Box<[u8]>>);

/// How two versions stand to each other. Source: MS-OXCFXICS 3.1.5.6.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Descent {
    /// They are the same version.
    Same,
    /// The first includes all of the second, and more.
    Newer,
    /// The second includes all of the first, and more.
    Older,
    /// Neither includes the other: both changed.
    Conflict,
}

impl Predecessors {
    /// The list of a version that came after nothing.
    pub fn of(change: &Xid) -> Self {
        let mut list = Self::default();
        list.add(change);
        list
    }

    /// Adds a change; of one namespace only the highest number stays.
    pub fn add(&mut self, change: &Xid) {
        let known = self.0.entry(change.namespace).or_default();
        if number(known) < number(&change.local) {
            known.clone_from(&change.local);
        }
    }

    /// Adds all of another list.
    pub fn merge(&mut self, other: &Self) {
        for (namespace, local) in &other.0 {
            self.add(&Xid {
                namespace: *namespace,
                local: local.clone(),
            });
        }
    }

    /// Whether it includes this change.
    pub fn includes(&self, change: &Xid) -> bool {
        let known = self.0.get(&change.namespace);
        known.is_some_and(|known| number(known) >= number(&change.local))
    }

    /// How the version with this list stands to the one with the other.
    pub fn compare(&self, other: &Self) -> Descent {
        match (self.includes_all(other), other.includes_all(self)) {
            (true, true) => Descent::Same,
            (true, false) => Descent::Newer,
            (false, true) => Descent::Older,
            (false, false) => Descent::Conflict,
        }
    }

    fn includes_all(&self, other: &Self) -> bool {
        other.0.iter().all(|(namespace, local)| {
            let known = self.0.get(namespace);
            known.is_some_and(|known| number(known) >= number(local))
        })
    }

    /// From the octets of PidTagPredecessorChangeList; `None` when they cannot be one.
    /// Source: MS-OXCFXICS 2.2.2.3: each identifier with its size before it.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut list = Self::default();
        while let Some((size, rest)) = bytes.split_first() {
            let (xid, rest) = rest.split_at_checked(usize::from(*size))?;
            list.add(&Xid::from_bytes(xid)?);
            bytes = rest;
        }
        Some(list)
    }

    /// The octets of PidTagPredecessorChangeList, sorted by namespace.
    pub fn to_bytes(&self) -> Box<[u8]> {
        let mut bytes = Vec::new();
        for (namespace, local) in &self.0 {
            bytes.push(16 + local.len() as u8);
            bytes.extend_from_slice(&namespace.0);
            bytes.extend_from_slice(local);
        }
        bytes.into()
    }
}

/// Octets, highest first, as a number. They are at most eight.
fn number(local: &[u8]) -> u64 {
    local
        .iter()
        .fold(0, |number, octet| number << 8 | u64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xid(namespace: u8, local: u32) -> Xid {
        Xid {
            namespace: Guid([namespace; 16]),
            local: local.to_be_bytes().into(),
        }
    }

    fn list(changes: &[(u8, u32)]) -> Predecessors {
        let mut list = Predecessors::default();
        for (namespace, local) in changes {
            list.add(&xid(*namespace, *local));
        }
        list
    }

    #[test]
    fn versions_compare_by_what_they_include() {
        type List = &'static [(u8, u32)];
        let cases: &[(List, List, Descent)] = &[
            (&[(1, 5)], &[(1, 5)], Descent::Same),
            (&[(1, 6)], &[(1, 5)], Descent::Newer),
            (&[(1, 5), (2, 1)], &[(1, 5)], Descent::Newer),
            (&[(1, 5)], &[(1, 4), (2, 1)], Descent::Conflict),
            (&[(1, 5)], &[(1, 5), (2, 1)], Descent::Older),
        ];
        for (a, b, expected) in cases {
            assert_eq!(list(a).compare(&list(b)), *expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_list_keeps_the_highest_change_of_each_namespace_in_order() {
        let bytes = list(&[(2, 1), (1, 7), (1, 3)]).to_bytes();
        assert_eq!(bytes.len(), 2 * 21);
        assert_eq!(bytes[0], 20);
        assert_eq!(bytes[1..17], [1; 16]);
        assert_eq!(bytes[17..21], [0, 0, 0, 7]);
        assert_eq!(
            Predecessors::from_bytes(&bytes),
            Some(list(&[(1, 7), (2, 1)]))
        );
    }

    #[test]
    fn what_cannot_be_a_list_is_refused() {
        for bytes in [&[5][..], &[16; 17], &[25; 26]] {
            assert_eq!(Predecessors::from_bytes(bytes), None, "{bytes:?}");
        }
    }
}
