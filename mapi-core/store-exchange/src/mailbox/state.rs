//! How synchronization states are kept: four sets behind a revision, so that a state made for other columns is not used.

use bytes::Bytes;
use mapi_types::PropTag;
use mapi_wire::ics::{Scope, State};

/// Changes whenever the index of a folder has other columns: then every folder is read anew.
const REVISION: u8 = 2;

/// A state as octets: each set with its tag and its length.
pub(super) fn encode(state: &State) -> Bytes {
    let mut octets = vec![REVISION];
    for prop in state.to_properties(Scope::Contents) {
        let set = prop.as_octets().unwrap_or_default();
        octets.extend_from_slice(&prop.tag.0.to_le_bytes());
        octets.extend_from_slice(&(set.len() as u32).to_le_bytes());
        octets.extend_from_slice(set);
    }
    octets.into()
}

/// A state from octets; `None` when they are not of this revision.
pub(super) fn decode(octets: &[u8]) -> Option<State> {
    let mut rest = octets.strip_prefix(&[REVISION])?;
    let mut state = State::new();
    while !rest.is_empty() {
        let (tag, tail) = rest.split_first_chunk::<4>()?;
        let (len, tail) = tail.split_first_chunk::<4>()?;
        let (set, tail) = tail.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        rest = tail;
        state.set(PropTag(u32::from_le_bytes(*tag)), set).ok()?;
    }
    Some(state)
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
        let octets = encode(&state);
        assert_eq!(decode(&octets), Some(state));
        let mut other = octets.to_vec();
        other[0] += 1;
        assert_eq!(decode(&other), None);
        assert_eq!(decode(&octets[..octets.len() - 1]), None);
    }
}
