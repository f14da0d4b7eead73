//! Counters of one mailbox that name different things: folders, messages, changes.
//!
//! All three are taken from one counter of 48 bits (GLOBCNT), so a number is given out once, whatever for.
//! Source: MS-OXCFXICS 3.1.5.3.

use mapi_wire::{Gid, Globcnt, Guid, Id};

/// The replica number of a mailbox's own ids in every logon to it.
pub const OWN_REPLID: u16 = 1;

/// A folder of a mailbox.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fid(pub u64);

/// A message of a mailbox.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Mid(pub u64);

/// A change number. Read-state changes are numbered from the same counter.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Cn(pub u64);

/// The id of a counter of the mailbox itself, as ROPs carry it.
pub const fn own_id(counter: u64) -> Id {
    Id {
        replid: OWN_REPLID,
        globcnt: Globcnt::from_u64(counter),
    }
}

/// The counter of an id, when it is one of the mailbox itself.
pub const fn own_counter(id: Id) -> Option<u64> {
    match id.replid {
        OWN_REPLID => Some(id.globcnt.to_u64()),
        _ => None,
    }
}

/// The global id of a counter.
pub const fn gid(replica: Guid, counter: u64) -> Gid {
    Gid {
        replguid: replica,
        globcnt: Globcnt::from_u64(counter),
    }
}

impl Fid {
    /// As ROPs carry it; zero for no folder.
    pub const fn to_wire(self) -> Id {
        own_id(self.0)
    }

    /// From a ROP; `None` when it belongs to another replica.
    pub const fn from_wire(id: Id) -> Option<Self> {
        match own_counter(id) {
            Some(counter) => Some(Self(counter)),
            None => None,
        }
    }
}

impl Mid {
    /// As ROPs carry it.
    pub const fn to_wire(self) -> Id {
        own_id(self.0)
    }

    /// From a ROP; `None` when it belongs to another replica.
    pub const fn from_wire(id: Id) -> Option<Self> {
        match own_counter(id) {
            Some(counter) => Some(Self(counter)),
            None => None,
        }
    }
}

impl Cn {
    /// As ROPs and streams carry it.
    pub const fn to_wire(self) -> Id {
        own_id(self.0)
    }
}
