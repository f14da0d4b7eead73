//! How synchronization states are kept: four sets behind a revision, so that a state made for other columns is not used.

use bytes::Bytes;
use mapi_types::{ItemNumber, PropTag};
use mapi_wire::ics::{Scope, State};

/// Changes whenever the index of a folder has other columns: then every folder is read anew.
const REVISION: u8 = 2;

/// What stands for a tag before [`Kept::from`].
const FROM: u32 = 0;

/// A state as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    /// What the server said that has been seen.
    pub(super) state: State,
    /// Items from this number on came into the folder while the state was made, or after that: the state may not know
    /// of them.
    pub(super) from: ItemNumber,
}

/// A state as octets: each set with its tag and its length.
pub(super) fn encode(state: &State, from: ItemNumber) -> Bytes {
    let mut octets = vec![REVISION];
    let mut put = |tag: u32, set: &[u8]| {
        octets.extend_from_slice(&tag.to_le_bytes());
        octets.extend_from_slice(&(set.len() as u32).to_le_bytes());
        octets.extend_from_slice(set);
    };
    for prop in state.to_properties(Scope::Contents) {
        put(prop.tag.0, prop.as_octets().unwrap_or_default());
    }
    put(FROM, &from.0.to_le_bytes());
    octets.into()
}

/// A state from octets; `None` when they are not of this revision.
pub(super) fn decode(octets: &[u8]) -> Option<Kept> {
    let mut rest = octets.strip_prefix(&[REVISION])?;
    let mut state = State::new();
    // Where it does not say, it may know of none.
    let mut from = ItemNumber(1);
    while !rest.is_empty() {
        let (tag, tail) = rest.split_first_chunk::<4>()?;
        let (len, tail) = tail.split_first_chunk::<4>()?;
        let (set, tail) = tail.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        rest = tail;
        match u32::from_le_bytes(*tag) {
            FROM => from = ItemNumber(u32::from_le_bytes(set.try_into().ok()?)),
            tag => {
                state.set(PropTag(tag), set).ok()?;
            }
        }
    }
    Some(Kept { state, from })
}

#[cfg(test)]
mod tests {
    use mapi_wire::{Gid, Globcnt, Guid, ics::Audience};

    use super::*;

    #[test]
    fn a_state_comes_back_and_one_of_another_revision_does_not() {
        let gid = |counter| Gid {
            replguid: Guid([7; 16]),
            globcnt: Globcnt::from_u64(counter),
        };
        let mut state = State::default();
        state.note_change(gid(1), gid(9), Audience::People);
        let from = ItemNumber(12);
        let octets = encode(&state, from);
        assert_eq!(decode(&octets), Some(Kept { state, from }));
        let mut other = octets.to_vec();
        other[0] += 1;
        assert_eq!(decode(&other), None);
        assert_eq!(decode(&octets[..octets.len() - 1]), None);
    }
}
