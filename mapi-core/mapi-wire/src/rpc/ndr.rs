//! NDR, little-endian: fields aligned to their size, counted from the start of the stub. Source: C706 14.

use crate::{
    cursor::{Reader, Result, Writer},
    http::body::Text8,
    ids::Guid,
};

/// The referent of the first pointer that is not null, and the step to the next one. Any number but 0 would do; these
/// are what everybody writes.
const REFERENT: u32 = 0x0002_0000;
const REFERENT_STEP: u32 = 4;

/// Reads a stub.
pub(super) struct NdrReader<'a>(Reader<'a>);

impl<'a> NdrReader<'a> {
    pub(super) const fn new(stub: &'a [u8]) -> Self {
        Self(Reader::new(stub))
    }

    fn align(&mut self, to: usize) -> Result<()> {
        let padding = self.0.position().next_multiple_of(to) - self.0.position();
        self.0.take(padding, "padding")?;
        Ok(())
    }

    pub(super) fn u16(&mut self, expected: &'static str) -> Result<u16> {
        self.align(2)?;
        self.0.u16(expected)
    }

    pub(super) fn u32(&mut self, expected: &'static str) -> Result<u32> {
        self.align(4)?;
        self.0.u32(expected)
    }

    pub(super) fn guid(&mut self) -> Result<Guid> {
        self.align(4)?;
        Guid::read(&mut self.0)
    }

    /// Three version words.
    pub(super) fn words(&mut self, expected: &'static str) -> Result<[u16; 3]> {
        Ok([
            self.u16(expected)?,
            self.u16(expected)?,
            self.u16(expected)?,
        ])
    }

    /// An array of octets whose size is repeated after it: `[in, size_is(n)] octets[], [in] n`.
    pub(super) fn sized(&mut self, expected: &'static str) -> Result<Box<[u8]>> {
        let len = self.u32(expected)?;
        let octets = self.0.take(len as usize, expected)?;
        self.repeated(len)?;
        Ok(octets.into())
    }

    /// The same with the range that is used: `[out, size_is(n), length_is(n)] octets[], [out] n`.
    pub(super) fn varying(&mut self, expected: &'static str) -> Result<Box<[u8]>> {
        let octets = self.range(expected)?;
        self.repeated(octets.len() as u32)?;
        Ok(octets.into())
    }

    fn repeated(&mut self, len: u32) -> Result<()> {
        match self.u32("the size of the array again")? == len {
            true => Ok(()),
            false => Err(self.0.error("the same size of the array again before this")),
        }
    }

    fn range(&mut self, expected: &'static str) -> Result<&'a [u8]> {
        let size = self.u32(expected)?;
        if self.u32(expected)? != 0 {
            return Err(self.0.error("an array used from its start"));
        }
        let len = self.u32(expected)?;
        if len > size {
            return Err(self.0.error("an array used within its size"));
        }
        self.0.take(len as usize, expected)
    }

    /// 8-bit text with its NUL: `[string] char *`.
    pub(super) fn string(&mut self, expected: &'static str) -> Result<Text8> {
        match self.range(expected)?.split_last() {
            Some((0, text)) if !text.contains(&0) => Ok(Text8(text.into())),
            _ => Err(self.0.error("text that ends with its only NUL")),
        }
    }

    /// The same behind a pointer that may be null.
    pub(super) fn pointed_string(&mut self, expected: &'static str) -> Result<Option<Text8>> {
        match self.u32(expected)? {
            0 => Ok(None),
            _ => self.string(expected).map(Some),
        }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        // A stub that ends with its last field may be padded to the alignment of the whole.
        if self.0.remaining() < 4 {
            let _ = self.align(4);
        }
        self.0.finish("the end of the stub")
    }
}

/// Writes a stub.
pub(super) struct NdrWriter {
    writer: Writer,
    referent: u32,
}

impl NdrWriter {
    pub(super) const fn new() -> Self {
        Self {
            writer: Writer::new(),
            referent: REFERENT,
        }
    }

    fn align(&mut self, to: usize) {
        while !self.writer.len().is_multiple_of(to) {
            self.writer.u8(0);
        }
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.align(2);
        self.writer.u16(value);
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.align(4);
        self.writer.u32(value);
    }

    pub(super) fn guid(&mut self, guid: Guid) {
        self.align(4);
        self.writer.put(&guid.0);
    }

    pub(super) fn words(&mut self, words: [u16; 3]) {
        words.into_iter().for_each(|word| self.u16(word));
    }

    pub(super) fn sized(&mut self, octets: &[u8]) {
        self.u32(octets.len() as u32);
        self.writer.put(octets);
        self.u32(octets.len() as u32);
    }

    pub(super) fn varying(&mut self, octets: &[u8]) {
        self.range(octets);
        self.u32(octets.len() as u32);
    }

    fn range(&mut self, octets: &[u8]) {
        self.u32(octets.len() as u32);
        self.u32(0);
        self.u32(octets.len() as u32);
        self.writer.put(octets);
    }

    /// The text ends at a NUL it may contain.
    pub(super) fn string(&mut self, text: &Text8) {
        let mut octets: Vec<u8> = text
            .0
            .iter()
            .copied()
            .take_while(|&octet| octet != 0)
            .collect();
        octets.push(0);
        self.range(&octets);
    }

    pub(super) fn pointed_string(&mut self, text: Option<&Text8>) {
        let Some(text) = text else {
            return self.u32(0);
        };
        self.u32(self.referent);
        self.referent += REFERENT_STEP;
        self.string(text);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.writer.into_bytes()
    }
}
