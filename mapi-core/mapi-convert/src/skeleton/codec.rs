//! Numbers and octets in the skeleton's encoding: LEB128 numbers, octet strings with a length in front.

/// Appends a number.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends octets that may be missing: 0 for none, else length + 1 and the octets.
pub(super) fn put_octets(out: &mut Vec<u8>, octets: Option<&[u8]>) {
    let Some(octets) = octets else {
        return out.push(0);
    };
    put_number(out, octets.len() as u64 + 1);
    out.extend_from_slice(octets);
}

/// Appends a block with its length in front.
pub(super) fn put_block(out: &mut Vec<u8>, block: &[u8]) {
    put_number(out, block.len() as u64);
    out.extend_from_slice(block);
}

/// Reads what the functions above wrote; `None` on damage.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (octets, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(octets)
    }

    /// Outer `None`: damage; inner: no value.
    pub(super) fn octets(&mut self) -> Option<Option<&'a [u8]>> {
        match self.number()? {
            0 => Some(None),
            len => Some(Some(self.take(len - 1)?)),
        }
    }

    pub(super) fn block(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?;
        self.take(len)
    }
}
