//! Stubs that are larger than a packet: cut into parts, and put together again. Source: C706 12.6.2.

use super::{
    bodies::Response,
    pdu::{HEADER_BYTES, STUB_ALIGNMENT, TRAILER_BYTES, flags},
};
use crate::{
    buffer::{AUX_BYTES_MAX, RESPONSE_BYTES_MAX_LARGE},
    cursor::DecodeError,
};

/// The most octets of a stub that is put together: the largest buffers, and room for the fields around them.
pub const STUB_BYTES_MAX: usize = RESPONSE_BYTES_MAX_LARGE + AUX_BYTES_MAX + 0x1000;

/// Cuts a stub so that each part fits into a packet of `fragment_max` octets with a signature of `signature` octets (0:
/// unsigned): the flags of each packet, and its part.
pub fn fragments(stub: &[u8], fragment_max: u16, signature: usize) -> Vec<(u8, &[u8])> {
    let overhead = match signature {
        0 => HEADER_BYTES + 8,
        _ => HEADER_BYTES + 8 + TRAILER_BYTES + signature,
    };
    // Parts of full alignment need no padding; the last one's padding then fits too.
    let room = usize::from(fragment_max).saturating_sub(overhead);
    let room = (room - room % STUB_ALIGNMENT).max(STUB_ALIGNMENT);
    let mut parts: Vec<(u8, &[u8])> = stub.chunks(room).map(|part| (0, part)).collect();
    if parts.is_empty() {
        parts.push((0, stub));
    }
    if let Some((first, _)) = parts.first_mut() {
        *first |= flags::FIRST;
    }
    if let Some((last, _)) = parts.last_mut() {
        *last |= flags::LAST;
    }
    parts
}

/// Puts the parts of one response together.
#[derive(Debug, Default)]
pub struct Assembler {
    stub: Vec<u8>,
    is_begun: bool,
}

impl Assembler {
    /// With nothing in it.
    pub const fn new() -> Self {
        Self {
            stub: Vec::new(),
            is_begun: false,
        }
    }

    /// Takes the next part, unsealed, with the flags of its packet; gives the whole stub after the last one.
    ///
    /// The caller keeps the parts of different calls apart. Memory grows with what has arrived. Errors count octets of
    /// the stub.
    pub fn push(
        &mut self,
        packet_flags: u8,
        part: &Response,
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        let is_first = packet_flags & flags::FIRST != 0;
        let error = |expected| DecodeError {
            at: self.stub.len(),
            expected,
        };
        if is_first == self.is_begun {
            return Err(error("a first part, then others"));
        }
        if self.stub.len() + part.stub.len() > STUB_BYTES_MAX {
            return Err(error("a stub within its bound"));
        }
        self.is_begun = true;
        self.stub.extend_from_slice(&part.stub);
        if packet_flags & flags::LAST == 0 {
            return Ok(None);
        }
        self.is_begun = false;
        Ok(Some(std::mem::take(&mut self.stub)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(stub: &[u8]) -> Response {
        Response {
            alloc_hint: 0,
            context_id: 0,
            cancel_count: 0,
            stub: stub.into(),
        }
    }

    #[test]
    fn parts_come_in_order_or_not_at_all() {
        let mut assembler = Assembler::new();
        assert!(assembler.push(0, &part(&[1])).is_err());
        assert_eq!(assembler.push(flags::FIRST, &part(&[1])), Ok(None));
        assert!(assembler.push(flags::FIRST, &part(&[1])).is_err());
        assert_eq!(
            assembler.push(flags::LAST, &part(&[2])),
            Ok(Some(vec![1, 2]))
        );
        assert_eq!(
            assembler.push(flags::FIRST | flags::LAST, &part(&[])),
            Ok(Some(vec![]))
        );
    }

    #[test]
    fn a_stub_has_a_bound() {
        let mut assembler = Assembler::new();
        let chunk = part(&vec![0; 0x1_0000]);
        let mut packet_flags = flags::FIRST;
        let error = loop {
            match assembler.push(packet_flags, &chunk) {
                Ok(_) => packet_flags = 0,
                Err(error) => break error,
            }
        };
        assert!(error.at > STUB_BYTES_MAX - 0x1_0000 && error.at <= STUB_BYTES_MAX);
    }

    proptest! {
        #[test]
        fn what_is_cut_fits_and_comes_together(
            stub in prop::collection::vec(any::<u8>(), 0..3000),
            fragment_max in 0_u16..1500,
            signature in prop_oneof![Just(0_usize), Just(16)],
        ) {
            let mut assembler = Assembler::new();
            let mut whole = None;
            for (packet_flags, octets) in fragments(&stub, fragment_max, signature) {
                prop_assert!(whole.is_none());
                let padded = octets.len().next_multiple_of(STUB_ALIGNMENT);
                if fragment_max >= 64 {
                    prop_assert!(HEADER_BYTES + 8 + padded + TRAILER_BYTES.min(signature) + signature <= usize::from(fragment_max));
                }
                whole = assembler.push(packet_flags, &part(octets)).unwrap();
            }
            prop_assert_eq!(whole, Some(stub));
        }
    }
}
