//! The part tree, read in place: BODYSTRUCTURE facts and IMAP section numbers.

use std::ops::Range;

use super::{
    codec::Reader,
    encode::VERSION,
    envelope::EnvelopeView,
    part::{PartKind, transfer_encoding},
};
use mapi_types::TransferEncoding;

/// A message's part tree in its `Derived::structure`. `Copy`, no allocation.
#[derive(Clone, Copy, Debug)]
pub struct StructureView<'a> {
    root: PartView<'a>,
}

/// Which octets of a part [`StructureView::section`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// The part's body; with an empty path the whole message (BODY\[\], BODY\[1.2\]).
    Body,
    /// The header of the message, or of the message that the part is (BODY\[HEADER\], BODY\[3.HEADER\]).
    Header,
    /// The body of the message, or of the message that the part is (BODY\[TEXT\], BODY\[3.TEXT\]).
    Text,
    /// The part's own header (BODY\[1.2.MIME\]); never with an empty path.
    Mime,
}

/// One part, with what BODYSTRUCTURE says about it. Source: RFC 9051 7.5.2.
///
/// Octet strings are raw: unfolded, without CR, LF and NUL, in the case they were written in.
#[derive(Clone, Copy, Debug)]
pub struct PartView<'a> {
    /// What it is made of. A multipart has at least one child, a message exactly one.
    pub kind: PartKind,
    /// First octet of its header in the original.
    pub header_start: u64,
    /// Octets of its header, blank line included.
    pub header_len: u64,
    /// Octets of its body, which follows the header.
    pub body_len: u64,
    /// Line ends in its body (BODYSTRUCTURE's lines for text and messages).
    pub lines: u64,
    /// Such as `text`.
    pub media_type: &'a [u8],
    /// Such as `plain`.
    pub subtype: &'a [u8],
    /// Media type parameters; text without a charset has `charset=us-ascii`.
    pub params: Params<'a>,
    /// Content-ID.
    pub id: Option<&'a [u8]>,
    /// Content-Description.
    pub description: Option<&'a [u8]>,
    /// Content-Transfer-Encoding as declared; `7bit` when it is not.
    pub encoding: &'a [u8],
    /// Content-MD5.
    pub md5: Option<&'a [u8]>,
    /// Content-Disposition.
    pub disposition: Option<(&'a [u8], Params<'a>)>,
    languages: Reader<'a>,
    /// Content-Location.
    pub location: Option<&'a [u8]>,
    envelope: Option<&'a [u8]>,
    children: Reader<'a>,
}

impl<'a> StructureView<'a> {
    /// Reads `Derived::structure`; `None` when it is damaged or of another version.
    pub fn new(encoded: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(encoded);
        if reader.byte()? != VERSION {
            return None;
        }
        Some(Self {
            root: PartView::read(&mut reader)?,
        })
    }

    /// The message itself.
    pub const fn root(&self) -> PartView<'a> {
        self.root
    }

    /// The part an IMAP section number names: `[1, 2]` for BODY\[1.2\]; the root for an empty path.
    ///
    /// Part 1 of a message that is not a multipart is its only part. Source: RFC 9051 6.4.5.1.
    pub fn part(&self, path: &[u32]) -> Option<PartView<'a>> {
        let mut part = self.root;
        // Whether `part` still stands for a whole message, whose first number names its content.
        let mut whole = true;
        for number in path {
            if part.kind == PartKind::Message && !whole {
                part = part.embedded()?;
                whole = true;
            }
            let index = usize::try_from(number.checked_sub(1)?).ok()?;
            match part.kind {
                PartKind::Multipart => part = part.children().nth(index)?,
                _ if whole && index == 0 => {}
                _ => return None,
            }
            whole = false;
        }
        Some(part)
    }

    /// The octets of a section in the original; `None` when there is no such section.
    pub fn section(&self, path: &[u32], kind: SectionKind) -> Option<Range<u64>> {
        let part = self.part(path)?;
        let message = || {
            if path.is_empty() {
                Some(part)
            } else {
                part.embedded()
            }
        };
        match kind {
            SectionKind::Body if path.is_empty() => Some(0..part.body().end),
            SectionKind::Body => Some(part.body()),
            SectionKind::Header => message().map(|m| m.header()),
            SectionKind::Text => message().map(|m| m.body()),
            SectionKind::Mime => (!path.is_empty()).then(|| part.header()),
        }
    }
}

impl<'a> PartView<'a> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let len = reader
            .take(4)?
            .first_chunk::<4>()
            .map(|len| u32::from_le_bytes(*len))?;
        let mut reader = Reader(reader.take(u64::from(len))?);
        let kind = match reader.byte()? {
            0 => PartKind::Leaf,
            1 => PartKind::Multipart,
            2 => PartKind::Message,
            _ => return None,
        };
        let (header_start, header_len, body_len) =
            (reader.number()?, reader.number()?, reader.number()?);
        // Sums of these are used as offsets.
        header_start
            .checked_add(header_len)?
            .checked_add(body_len)?;
        let lines = reader.number()?;
        let (media_type, subtype) = (reader.octets()??, reader.octets()??);
        let params = Params(Reader(reader.block()?));
        let (id, description) = (reader.octets()?, reader.octets()?);
        let encoding = reader.octets()?.unwrap_or(b"7bit");
        let md5 = reader.octets()?;
        let disposition = match reader.octets()? {
            Some(kind) => Some((kind, Params(Reader(reader.block()?)))),
            None => None,
        };
        let languages = Reader(reader.block()?);
        let location = reader.octets()?;
        reader.number()?;
        let envelope = if kind == PartKind::Message {
            Some(reader.block()?)
        } else {
            None
        };
        Some(Self {
            kind,
            header_start,
            header_len,
            body_len,
            lines,
            media_type,
            subtype,
            params,
            id,
            description,
            encoding,
            md5,
            disposition,
            languages,
            location,
            envelope,
            children: reader,
        })
    }

    /// Octets of its header in the original, blank line included.
    pub const fn header(&self) -> Range<u64> {
        self.header_start..self.header_start + self.header_len
    }

    /// Octets of its body in the original.
    pub const fn body(&self) -> Range<u64> {
        let start = self.header_start + self.header_len;
        start..start + self.body_len
    }

    /// Its encoding, as far as it can be decoded.
    pub fn transfer_encoding(&self) -> TransferEncoding {
        transfer_encoding(self.encoding)
    }

    /// Whether its media type is `media_type`, without ASCII case.
    pub const fn is_type(&self, media_type: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type.as_bytes())
    }

    /// Content-Language tags.
    pub fn languages(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut reader = self.languages;
        std::iter::from_fn(move || reader.octets().flatten())
    }

    /// The parts directly in it, in order.
    pub fn children(&self) -> impl Iterator<Item = Self> + use<'a> {
        let mut reader = self.children;
        std::iter::from_fn(move || PartView::read(&mut reader))
    }

    /// The root of the message that this part is.
    pub fn embedded(&self) -> Option<Self> {
        (self.kind == PartKind::Message)
            .then(|| self.children().next())
            .flatten()
    }

    /// The envelope of the message that this part is.
    pub fn envelope(&self) -> Option<EnvelopeView<'a>> {
        EnvelopeView::new(self.envelope?)
    }
}

/// Parameters in the order they were written: name and value, RFC 2231 not decoded.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a>(Reader<'a>);

impl Params<'_> {
    /// Whether there is none (NIL).
    pub const fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        Some((self.0.octets()??, self.0.octets()??))
    }
}
