//! Reading and writing little-endian fields, with errors that say where and what was expected.

use std::fmt;

/// Bytes that are not what they should be: where, and what was expected there.
///
/// Offsets count from the start of the buffer that was handed to the decoder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DecodeError {
    /// Octets before the field that could not be read.
    pub at: usize,
    /// What was expected there; lower case, no content.
    pub expected: &'static str,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at octet {}: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for DecodeError {}

/// The result of decoding.
pub type Result<T, E = DecodeError> = std::result::Result<T, E>;

/// How deep restrictions, rules and embedded messages may nest.
pub const DEPTH_MAX: u32 = 32;

/// A position in a buffer. Reading past the end is an error, never a panic.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    /// Starts at the beginning of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0)
    }

    /// Starts at the beginning of `bytes`, which lie `offset` octets into what errors shall count from.
    pub const fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self {
            rest: bytes,
            at: offset,
            depth: 0,
        }
    }

    /// Octets read so far, plus the offset it started with.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Octets not read yet.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether all has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read yet, without reading it.
    pub const fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// The error for this place.
    pub const fn error(&self, expected: &'static str) -> DecodeError {
        DecodeError {
            at: self.at,
            expected,
        }
    }

    /// `n` octets.
    pub fn take(&mut self, n: usize, expected: &'static str) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.error(expected));
        };
        self.rest = rest;
        self.at += n;
        Ok(taken)
    }

    /// The next `N` octets.
    pub fn array<const N: usize>(&mut self, expected: &'static str) -> Result<[u8; N]> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(expected));
        };
        self.rest = rest;
        self.at += N;
        Ok(*taken)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.at += rest.len();
        self.rest = &[];
        rest
    }

    /// A reader over the next `n` octets, whose errors count from the same place.
    pub fn window(&mut self, n: usize, expected: &'static str) -> Result<Self> {
        let at = self.at;
        let depth = self.depth;
        let rest = self.take(n, expected)?;
        Ok(Self { rest, at, depth })
    }

    /// An octet.
    pub fn u8(&mut self, expected: &'static str) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array(expected)?))
    }

    /// A 16-bit number.
    pub fn u16(&mut self, expected: &'static str) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array(expected)?))
    }

    /// A 32-bit number.
    pub fn u32(&mut self, expected: &'static str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array(expected)?))
    }

    /// A 64-bit number.
    pub fn u64(&mut self, expected: &'static str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array(expected)?))
    }

    /// An octet that means yes unless it is 0.
    pub fn bool(&mut self, expected: &'static str) -> Result<bool> {
        Ok(self.u8(expected)? != 0)
    }

    /// Octets up to a NUL, which is read and left out.
    pub fn cstr(&mut self, expected: &'static str) -> Result<&'a [u8]> {
        let Some(len) = self.rest.iter().position(|&octet| octet == 0) else {
            return Err(self.error(expected));
        };
        let text = self.take(len, expected)?;
        self.take(1, expected)?;
        Ok(text)
    }

    /// UTF-16 up to a NUL, which is read and left out.
    pub fn wstr(&mut self, expected: &'static str) -> Result<Utf16> {
        let units = self.rest.as_chunks::<2>().0;
        let Some(len) = units.iter().position(|unit| *unit == [0, 0]) else {
            return Err(self.error(expected));
        };
        let text = Utf16::from_le_bytes(self.take(len * 2, expected)?);
        self.take(2, expected)?;
        Ok(text)
    }

    /// A count that was read a moment ago, refused when even elements of `octets_min` octets each would not fit.
    /// Call it before reserving memory for what a peer announced.
    pub fn count(&self, count: usize, octets_min: usize, expected: &'static str) -> Result<usize> {
        match count.checked_mul(octets_min.max(1)) {
            Some(octets) if octets <= self.rest.len() => Ok(count),
            _ => Err(self.error(expected)),
        }
    }

    /// Reads something that contains its like, at most [`DEPTH_MAX`] deep.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH_MAX {
            return Err(self.error("less nesting"));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    /// Ends the reading: nothing may be left.
    pub const fn finish(&self, expected: &'static str) -> Result<()> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(self.error(expected)),
        }
    }
}

/// Where encoded fields go. What is too long for its length field is a fault of the caller, who bounds it before.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty one.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// The octets written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The octets written so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many octets have been written.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Octets as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An octet.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// A 16-bit number.
    pub fn u16(&mut self, value: u16) {
        self.put(&value.to_le_bytes());
    }

    /// A 32-bit number.
    pub fn u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    /// A 64-bit number.
    pub fn u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    /// 1 for yes, 0 for no.
    pub fn bool(&mut self, value: bool) {
        self.u8(value.into());
    }

    /// Octets and a NUL; the octets end at a NUL they may contain.
    pub fn cstr(&mut self, text: &[u8]) {
        let text = text.split(|&octet| octet == 0).next().unwrap_or_default();
        self.put(text);
        self.u8(0);
    }

    /// UTF-16 and a NUL; the text ends at a NUL it may contain.
    pub fn wstr(&mut self, text: &Utf16) {
        for &unit in text.0.iter().take_while(|&&unit| unit != 0) {
            self.u16(unit);
        }
        self.u16(0);
    }

    /// Fills in a 16-bit number at a place written before; a place outside is a fault of the caller and ignored.
    pub fn set_u16(&mut self, at: usize, value: u16) {
        if let Some(place) = self.bytes.get_mut(at..at + 2) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }

    /// Fills in a 32-bit number at a place written before; a place outside is a fault of the caller and ignored.
    pub fn set_u32(&mut self, at: usize, value: u32) {
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// UTF-16 as it came: a peer may send half of a pair, and it must go back as it was.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Utf16(pub Box<[u16]>);

impl Utf16 {
    /// From little-endian octets; an odd last octet is left out.
    pub fn from_le_bytes(bytes: &[u8]) -> Self {
        let units = bytes.as_chunks::<2>().0;
        Self(units.iter().map(|unit| u16::from_le_bytes(*unit)).collect())
    }

    /// The text; half pairs become U+FFFD.
    pub fn to_text(&self) -> String {
        String::from_utf16_lossy(&self.0)
    }
}

impl From<&str> for Utf16 {
    fn from(text: &str) -> Self {
        Self(text.encode_utf16().collect())
    }
}

impl fmt::Debug for Utf16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_text(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_where_and_what() {
        let mut reader = Reader::at(&[1, 0, 2], 10);
        assert_eq!(reader.u16("a size"), Ok(1));
        let error = reader.u32("a flag word").unwrap_err();
        assert_eq!(error.to_string(), "at octet 12: expected a flag word");
    }

    #[test]
    fn half_a_surrogate_pair_goes_back_as_it_came() {
        let bytes = [0x00, 0xd8, 0x41, 0x00, 0, 0];
        let text = Reader::new(&bytes).wstr("a name").unwrap();
        assert_eq!(text.to_text(), "\u{fffd}A");
        let mut writer = Writer::new();
        writer.wstr(&text);
        assert_eq!(writer.as_bytes(), bytes);
    }

    #[test]
    fn a_count_that_cannot_fit_is_refused_before_memory_is_reserved() {
        let reader = Reader::new(&[0; 8]);
        assert_eq!(reader.count(2, 4, "rows"), Ok(2));
        assert!(reader.count(usize::MAX, 4, "rows").is_err());
    }

    #[test]
    fn nesting_has_a_bound() {
        fn dive(reader: &mut Reader<'_>) -> Result<()> {
            reader.nested(dive)
        }
        assert!(dive(&mut Reader::new(&[])).is_err());
    }
}
