//! One record of a segment file: a header that can be recognised by itself, then the content.
//!
//! `magic (8) | length, little-endian (8) | BLAKE3 of the content (32) | check of the header (8) | content`

use mapi_types::ContentHash;

/// Octets of a record before its content.
pub(crate) const HEADER_BYTES: usize = 56;

pub(crate) const MAGIC: &[u8; 8] = b"\x8bOCbdy1\n";

/// What a record's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) hash: ContentHash,
    pub(crate) len: u64,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let (head, check) = bytes.split_at_mut(48);
        let fields = MAGIC
            .iter()
            .chain(&self.len.to_le_bytes())
            .chain(&self.hash.0)
            .copied()
            .collect::<Vec<u8>>();
        head.copy_from_slice(&fields);
        check.copy_from_slice(&check_of(head));
        bytes
    }

    /// `None` unless the bytes are a whole header.
    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (head, check) = bytes.split_at(48);
        if !head.starts_with(MAGIC) || check != check_of(head) {
            return None;
        }
        let len = u64::from_le_bytes(*head.get(8..)?.first_chunk()?);
        let hash = ContentHash(*head.get(16..)?.first_chunk()?);
        Some(Self { hash, len })
    }
}

fn check_of(head: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check
        .iter_mut()
        .zip(blake3::hash(head).as_bytes())
        .for_each(|(to, from)| *to = *from);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_and_any_changed_bit_spoils_it() {
        let header = Header {
            hash: ContentHash([9; 32]),
            len: 4711,
        };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        for at in 0..HEADER_BYTES {
            let mut changed = bytes;
            changed[at] ^= 1;
            assert_eq!(Header::decode(&changed), None);
        }
    }
}
