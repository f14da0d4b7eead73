//! Plain LZ77 as RPC buffers use it (DIRECT2): for [`crate::buffer`].
//!
//! A stream is groups of a 32-bit mask and 32 items, highest bit first: 0 stands for a literal octet, 1 for a match. The
//! stream ends where a bit of 1 has no item. Source: MS-XCA 2.3 and 2.4, MS-OXCRPC 3.1.4.1.1.2.

use crate::cursor::{Reader, Result};

/// The most octets one stream may stand for: an extended buffer says their number in 16 bits.
pub const PLAIN_BYTES_MAX: usize = 0x1_0000;

/// How far back a match may reach: its distance has 13 bits.
const WINDOW: usize = 0x2000;

/// The shortest match.
const MATCH_MIN: usize = 3;

/// The longest match that the encoder writes: its length, less the shortest, in 16 bits.
const MATCH_MAX: usize = 0xffff + MATCH_MIN;

/// Lengths from here on (less [`MATCH_MIN`]) do not fit into the 3 bits beside the distance.
const INLINE: usize = 7;

/// Lengths from here on do not fit into those 3 bits and a nibble.
const NIBBLE: usize = INLINE + 15;

/// Lengths from here on do not fit into 3 bits, a nibble and an octet.
const OCTET: usize = NIBBLE + 255;

/// Decodes a stream that stands for exactly `size` octets, at most [`PLAIN_BYTES_MAX`].
///
/// Memory grows with what is decoded, not with `size`. Errors count from the start of `packed`.
pub fn decode(packed: &[u8], size: usize) -> Result<Vec<u8>> {
    let mut decoder = Decoder {
        reader: Reader::new(packed),
        plain: Vec::new(),
        size: size.min(PLAIN_BYTES_MAX),
        half: None,
    };
    decoder.run()?;
    match decoder.plain.len() == size {
        true => Ok(decoder.plain),
        false => Err(decoder.reader.error("as many octets as announced")),
    }
}

struct Decoder<'a> {
    reader: Reader<'a>,
    plain: Vec<u8>,
    size: usize,
    /// The high nibble of an octet of which only the low one was used. It lives across masks.
    half: Option<u8>,
}

impl Decoder<'_> {
    fn run(&mut self) -> Result<()> {
        while !self.reader.is_empty() {
            let mask = self.reader.u32("a mask of items")?;
            for bit in (0..32).rev() {
                if self.reader.is_empty() {
                    return Ok(());
                }
                match mask >> bit & 1 {
                    0 => self.literal()?,
                    _ => self.copy()?,
                }
            }
        }
        Ok(())
    }

    fn literal(&mut self) -> Result<()> {
        if self.plain.len() >= self.size {
            return Err(self.reader.error("no more octets than announced"));
        }
        let octet = self.reader.u8("a literal octet")?;
        self.plain.push(octet);
        Ok(())
    }

    fn copy(&mut self) -> Result<()> {
        let head = usize::from(self.reader.u16("a match")?);
        let distance = (head >> 3) + 1;
        let len = self.length(head & INLINE)?.saturating_add(MATCH_MIN);
        let Some(start) = self.plain.len().checked_sub(distance) else {
            return Err(self.reader.error("a match within what came before"));
        };
        if len > self.size - self.plain.len() {
            return Err(self.reader.error("no more octets than announced"));
        }
        // A match may reach into what it writes: `ab` at distance 1 repeats the last octet.
        for at in start..start + len {
            let Some(&octet) = self.plain.get(at) else {
                unreachable!(
                    "the match starts before the end, and one octet is added for each that is read"
                );
            };
            self.plain.push(octet);
        }
        Ok(())
    }

    /// The length of a match, less [`MATCH_MIN`].
    fn length(&mut self, inline: usize) -> Result<usize> {
        if inline < INLINE {
            return Ok(inline);
        }
        let nibble = match self.half.take() {
            Some(high) => high,
            None => {
                let both = self.reader.u8("two half octets of lengths")?;
                self.half = Some(both >> 4);
                both & 15
            }
        };
        if nibble < 15 {
            return Ok(INLINE + usize::from(nibble));
        }
        let octet = self.reader.u8("an octet of a length")?;
        if octet < 255 {
            return Ok(NIBBLE + usize::from(octet));
        }
        let len = match self.reader.u16("a length")? {
            0 => self.reader.u32("a long length")? as usize,
            len => usize::from(len),
        };
        match len < NIBBLE {
            true => Err(self.reader.error("a length that needs its field")),
            false => Ok(len),
        }
    }
}

/// Encodes octets. The result may be longer than they are; [`crate::buffer`] then sends them as they are.
pub fn encode(plain: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut finder = Finder::new();
    let mut at = 0;
    while at < plain.len() {
        let found = finder.longest(plain, at);
        let step = match found {
            Some((distance, len)) => {
                encoder.copy(distance, len);
                len
            }
            None => {
                encoder.literal(plain.get(at).copied().unwrap_or_default());
                1
            }
        };
        for covered in at..at + step {
            finder.insert(plain, covered);
        }
        at += step;
    }
    encoder.finish()
}

struct Encoder {
    packed: Vec<u8>,
    mask: u32,
    mask_at: usize,
    bits: u32,
    /// Where the octet lies of which only the low nibble is used.
    half_at: Option<usize>,
}

impl Encoder {
    fn new() -> Self {
        Self {
            packed: vec![0; 4],
            mask: 0,
            mask_at: 0,
            bits: 0,
            half_at: None,
        }
    }

    fn literal(&mut self, octet: u8) {
        self.packed.push(octet);
        self.bit(0);
    }

    fn copy(&mut self, distance: usize, len: usize) {
        let len = len - MATCH_MIN;
        let head = (distance - 1) << 3 | len.min(INLINE);
        self.packed.extend_from_slice(&(head as u16).to_le_bytes());
        if len >= INLINE {
            self.nibble((len - INLINE).min(15) as u8);
        }
        if len >= NIBBLE {
            self.packed.push((len - NIBBLE).min(255) as u8);
        }
        if len >= OCTET {
            self.packed.extend_from_slice(&(len as u16).to_le_bytes());
        }
        self.bit(1);
    }

    fn nibble(&mut self, value: u8) {
        match self.half_at.take() {
            Some(at) => {
                if let Some(octet) = self.packed.get_mut(at) {
                    *octet |= value << 4;
                }
            }
            None => {
                self.half_at = Some(self.packed.len());
                self.packed.push(value);
            }
        }
    }

    fn bit(&mut self, bit: u32) {
        self.mask = self.mask << 1 | bit;
        self.bits += 1;
        if self.bits == 32 {
            self.store(self.mask);
            self.mask_at = self.packed.len();
            self.packed.extend_from_slice(&[0; 4]);
            self.mask = 0;
            self.bits = 0;
        }
    }

    fn store(&mut self, mask: u32) {
        if let Some(place) = self.packed.get_mut(self.mask_at..self.mask_at + 4) {
            place.copy_from_slice(&mask.to_le_bytes());
        }
    }

    /// Fills the mask with 1: the first such bit ends the stream.
    fn finish(mut self) -> Vec<u8> {
        let left = 32 - self.bits;
        let ones = u32::MAX >> self.bits;
        self.store(self.mask.checked_shl(left).unwrap_or_default() | ones);
        self.packed
    }
}

/// Finds matches: for each place, the last place with the same hash of three octets.
struct Finder {
    newest: Vec<u32>,
    before: Vec<u32>,
}

impl Finder {
    const BITS: u32 = 13;
    const NONE: u32 = u32::MAX;
    /// How many earlier places are compared for one match.
    const TRIES: usize = 24;

    fn new() -> Self {
        Self {
            newest: vec![Self::NONE; 1 << Self::BITS],
            before: vec![Self::NONE; WINDOW],
        }
    }

    fn slot(plain: &[u8], at: usize) -> Option<usize> {
        let [a, b, c] = plain.get(at..at + MATCH_MIN)?.try_into().ok()?;
        let key = u32::from_le_bytes([a, b, c, 0]);
        Some((key.wrapping_mul(0x9e37_79b1) >> (32 - Self::BITS)) as usize)
    }

    fn insert(&mut self, plain: &[u8], at: usize) {
        let Some(slot) = Self::slot(plain, at) else {
            return;
        };
        if let (Some(newest), Some(before)) =
            (self.newest.get_mut(slot), self.before.get_mut(at % WINDOW))
        {
            *before = std::mem::replace(newest, at as u32);
        }
    }

    /// The longest match found for `at`: distance and length.
    fn longest(&self, plain: &[u8], at: usize) -> Option<(usize, usize)> {
        let mut place = *self.newest.get(Self::slot(plain, at)?)?;
        let mut best = None;
        let mut best_len = MATCH_MIN - 1;
        for _ in 0..Self::TRIES {
            let candidate = place as usize;
            if place == Self::NONE || at - candidate > WINDOW {
                break;
            }
            let len = common(plain, candidate, at);
            if len > best_len {
                best_len = len;
                best = Some((at - candidate, len));
            }
            let next = *self.before.get(candidate % WINDOW)?;
            // The ring holds places of the last window only: an older one was overwritten by a newer one.
            if next == Self::NONE || next >= place {
                break;
            }
            place = next;
        }
        best
    }
}

fn common(plain: &[u8], earlier: usize, later: usize) -> usize {
    let earlier = plain.get(earlier..).unwrap_or_default();
    let later = plain.get(later..).unwrap_or_default();
    let pairs = earlier.iter().zip(later).take(MATCH_MAX);
    pairs.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(plain: &[u8], packed: &[u8]) {
        assert_eq!(decode(packed, plain.len()).unwrap(), plain);
        assert_eq!(encode(plain), packed);
    }

    #[test]
    fn the_examples_of_the_document() {
        check(
            b"abcdefghijklmnopqrstuvwxyz",
            b"\x3f\0\0\0abcdefghijklmnopqrstuvwxyz",
        );
        check(
            &b"abc".repeat(100),
            b"\xff\xff\xff\x1fabc\x17\0\x0f\xff\x26\x01",
        );
    }

    #[test]
    fn a_full_mask_is_followed_by_one_that_ends_the_stream() {
        let mut packed = vec![0; 4];
        let plain: Vec<u8> = (0..32).collect();
        packed.extend_from_slice(&plain);
        packed.extend_from_slice(&[0xff; 4]);
        check(&plain, &packed);
    }

    #[test]
    fn two_lengths_share_an_octet_across_other_items() {
        // Literal a, ten times a, literal b, twelve times b: the nibbles 0 and 2 share one octet.
        let packed = [
            0xff, 0xff, 0xff, 0x5f, b'a', 0x07, 0x00, 0x20, b'b', 0x07, 0x00,
        ];
        let mut plain = vec![b'a'; 11];
        plain.extend_from_slice(&[b'b'; 13]);
        check(&plain, &packed);
    }

    #[test]
    fn a_long_length_of_32_bits_is_read() {
        let packed = [
            0xff, 0xff, 0xff, 0x7f, b'a', 0x07, 0x00, 0x0f, 0xff, 0, 0, 0x2c, 1, 0, 0,
        ];
        assert_eq!(decode(&packed, 304).unwrap(), vec![b'a'; 304]);
    }

    #[test]
    fn what_is_broken_says_where() {
        let cases: [(&[u8], usize, usize, &str); 6] = [
            (
                &[0xff, 0xff, 0xff, 0x7f, b'a', 0x08, 0x00],
                4,
                7,
                "a match within what came before",
            ),
            (&[0; 6], 1, 5, "no more octets than announced"),
            (
                &[0xff, 0xff, 0xff, 0x7f, b'a', 6, 0],
                4,
                7,
                "no more octets than announced",
            ),
            (&[0; 6], 3, 6, "as many octets as announced"),
            (&[0; 3], 3, 0, "a mask of items"),
            (
                &[0xff, 0xff, 0xff, 0x7f, b'a', 7, 0, 15, 255, 3, 0],
                9,
                11,
                "a length that needs its field",
            ),
        ];
        for (packed, size, at, expected) in cases {
            let error = decode(packed, size).unwrap_err();
            assert_eq!((error.at, error.expected), (at, expected), "{packed:?}");
        }
    }

    #[test]
    fn an_announced_size_reserves_nothing() {
        let error = decode(&[0, 0, 0, 0], usize::MAX).unwrap_err();
        assert_eq!(error.expected, "as many octets as announced");
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(
            words in prop::collection::vec(prop::sample::select(vec!["a", "the", "\0\0\0\0", "folder", "xyzzy-"]), 0..6000),
            noise in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut plain = words.concat().into_bytes();
            plain.extend_from_slice(&noise);
            plain.truncate(PLAIN_BYTES_MAX);
            prop_assert_eq!(decode(&encode(&plain), plain.len()).unwrap(), plain);
        }

        #[test]
        fn any_octets_are_decoded_or_refused(
            packed in prop::collection::vec(any::<u8>(), 0..400),
            size in 0_usize..70_000,
        ) {
            if let Ok(plain) = decode(&packed, size) {
                prop_assert_eq!(plain.len(), size);
            }
        }
    }
}
