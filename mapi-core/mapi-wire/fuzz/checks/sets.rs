//! What must hold for sets of ids, change lists, entry ids and property values, whatever a server sends.

use mapi_wire::{
    entry_id::EntryId,
    ics::{IdSet, PredecessorChangeList},
    lz77,
};

/// What decodes, encodes to something that decodes to the same.
pub(crate) fn check(input: &[u8]) {
    if let Ok(set) = IdSet::<mapi_wire::Guid>::from_bytes(input) {
        assert_eq!(IdSet::from_bytes(&set.to_bytes()), Ok(set));
    }
    if let Ok(set) = IdSet::<u16>::from_bytes(input) {
        assert_eq!(IdSet::from_bytes(&set.to_bytes()), Ok(set));
    }
    if let Ok(list) = PredecessorChangeList::from_bytes(input) {
        assert_eq!(
            PredecessorChangeList::from_bytes(&list.to_bytes()),
            Ok(list)
        );
    }
    if let Ok(id) = EntryId::from_bytes(input) {
        assert_eq!(EntryId::from_bytes(&id.to_bytes()), Ok(id));
    }
    // No payload is longer.
    let plain = input.get(..0x8000).unwrap_or(input);
    let unpacked = lz77::decode(&lz77::encode(plain), plain.len());
    assert!(unpacked.is_ok_and(|unpacked| unpacked == plain));
    if let Some((size, packed)) = input.split_first_chunk::<2>() {
        // Only its bounds matter: most octets are no compressed data.
        let _ = lz77::decode(packed, usize::from(u16::from_le_bytes(*size)));
    }
}
