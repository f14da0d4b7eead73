//! Reading and writing little-endian numbers and counted octets.

use std::fmt;

/// The octets are no recurrence pattern or time zone: they end too early, or say what the format does not allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadPattern;

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a recurrence pattern or time zone")
    }
}

impl std::error::Error for BadPattern {}

/// A place in octets; nothing is reserved before it is known to be there.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], BadPattern> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(BadPattern)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn short(&mut self) -> Result<u16, BadPattern> {
        let (number, rest) = self.0.split_first_chunk().ok_or(BadPattern)?;
        self.0 = rest;
        Ok(u16::from_le_bytes(*number))
    }

    pub(super) fn long(&mut self) -> Result<u32, BadPattern> {
        let (number, rest) = self.0.split_first_chunk().ok_or(BadPattern)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*number))
    }

    /// A count and so many numbers.
    pub(super) fn longs(&mut self) -> Result<Vec<u32>, BadPattern> {
        let len = self.long()? as usize;
        let octets = self.take(len.checked_mul(4).ok_or(BadPattern)?)?;
        let numbers = octets.as_chunks::<4>().0.iter();
        Ok(numbers.map(|number| u32::from_le_bytes(*number)).collect())
    }

    /// A count and so many octets.
    pub(super) fn block(&mut self) -> Result<Box<[u8]>, BadPattern> {
        let len = self.long()? as usize;
        Ok(self.take(len)?.into())
    }

    /// A 16-bit count and so many UTF-16 units.
    pub(super) fn wide(&mut self) -> Result<Box<[u16]>, BadPattern> {
        let len = usize::from(self.short()?);
        let units = self.take(len * 2)?.as_chunks::<2>().0.iter();
        Ok(units.map(|unit| u16::from_le_bytes(*unit)).collect())
    }

    /// Octets with two counts, the first of which counts one more. Source: MS-OXOCAL 2.2.1.44.2 (SubjectLength).
    pub(super) fn narrow(&mut self) -> Result<Box<[u8]>, BadPattern> {
        let more = self.short()?;
        let len = self.short()?;
        match more.checked_sub(1) == Some(len) {
            true => Ok(self.take(usize::from(len))?.into()),
            false => Err(BadPattern),
        }
    }
}

pub(super) fn put_short(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_long(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub(super) fn put_longs(out: &mut Vec<u8>, numbers: &[u32]) {
    put_long(out, numbers.len() as u32);
    numbers.iter().for_each(|number| put_long(out, *number));
}

pub(super) fn put_block(out: &mut Vec<u8>, octets: &[u8]) {
    put_long(out, octets.len() as u32);
    out.extend_from_slice(octets);
}

/// What is beyond the count's range is left out.
pub(super) fn put_wide(out: &mut Vec<u8>, units: &[u16]) {
    let units = units.get(..usize::from(u16::MAX)).unwrap_or(units);
    put_short(out, units.len() as u16);
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}

/// What is beyond the first count's range is left out.
pub(super) fn put_narrow(out: &mut Vec<u8>, octets: &[u8]) {
    const LEN_MAX: usize = u16::MAX as usize - 1;
    let octets = octets.get(..LEN_MAX).unwrap_or(octets);
    put_short(out, octets.len() as u16 + 1);
    put_short(out, octets.len() as u16);
    out.extend_from_slice(octets);
}
