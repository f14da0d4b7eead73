//! The part tree as the scanner found it.

use std::ops::Range;

use mapi_types::TransferEncoding;

use crate::{
    header::{self, Field},
    parameter::{self, ContentType, Disposition},
};

/// What a part is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// Octets.
    Leaf,
    /// Other parts: at least one.
    Multipart,
    /// A message (message/rfc822, message/global): exactly one child, its root.
    Message,
}

/// One part of a message, or the message itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Index of the part it lies in; `None` for the root.
    pub parent: Option<usize>,
    /// Indices of the parts in it.
    pub children: Vec<usize>,
    /// What it is made of.
    pub kind: PartKind,
    /// Octets of its header block, the blank line included.
    pub header: Range<u64>,
    /// Octets of its body; follows the header at once.
    pub body: Range<u64>,
    /// Line ends in its body.
    pub lines: u64,
    /// Its media type: as declared, or the default of where it stands. A multipart that cannot be taken apart (no
    /// boundary parameter, no boundary line, too deep) is a leaf of text/plain.
    pub content_type: ContentType,
    /// Its transfer encoding as declared.
    pub encoding: TransferEncoding,
    /// Its header block in [`Scanned`]'s buffer; shorter than `header` beyond the limit.
    pub(super) retained_header: Range<usize>,
    /// Its body in [`Scanned`]'s buffer, for the small machine-readable parts of reports.
    pub(super) retained_body: Option<Range<usize>>,
}

impl Part {
    /// A part whose header begins at `position`.
    pub(super) fn new(parent: Option<usize>, position: u64, retained: usize) -> Self {
        Self {
            parent,
            children: Vec::new(),
            kind: PartKind::Leaf,
            header: position..position,
            body: position..position,
            lines: 0,
            content_type: ContentType::new("text", "plain"),
            encoding: TransferEncoding::Identity,
            retained_header: retained..retained,
            retained_body: None,
        }
    }

    /// Takes media type and encoding from the header block. The first field of a name counts.
    pub(super) fn read_header(&mut self, block: &[u8], in_digest: bool) {
        let declared = header::field(block, "Content-Type");
        self.content_type = match declared {
            // RFC 2045 5.2: what cannot be read is text/plain.
            Some(field) => parameter::content_type(field.value),
            // RFC 2046 5.1.5.
            None if in_digest => Some(ContentType::new("message", "rfc822")),
            None => None,
        }
        .unwrap_or_else(|| ContentType::new("text", "plain"));
        self.encoding = header::field(block, "Content-Transfer-Encoding")
            .and_then(|field| parameter::single_token(field.value))
            .map_or(TransferEncoding::Identity, |token| {
                transfer_encoding(&token)
            });
    }

    /// What to say about its encoding when nothing is declared: what stands for an encoded message has that encoding.
    pub(super) fn implied_encoding(&self) -> Option<&'static [u8]> {
        match self.encoding {
            TransferEncoding::Identity => None,
            TransferEncoding::Base64 => Some(b"base64"),
            TransferEncoding::QuotedPrintable => Some(b"quoted-printable"),
        }
    }

    /// Whether the media type says that the body is a message. Source: RFC 2046 5.2.1, RFC 6532 3.7.
    pub(crate) fn is_declared_message(&self) -> bool {
        self.content_type.is("message", "rfc822") || self.content_type.is("message", "global")
    }

    /// Whether the body is a small machine-readable report. Source: RFC 3464 2.1, RFC 8098 3.
    pub(super) fn is_report(&self) -> bool {
        self.content_type.is("message", "delivery-status")
            || self.content_type.is("message", "global-delivery-status")
            || self.content_type.is("message", "disposition-notification")
            || self
                .content_type
                .is("message", "global-disposition-notification")
    }
}

/// The encoding a Content-Transfer-Encoding names.
pub(crate) fn transfer_encoding(token: &[u8]) -> TransferEncoding {
    if token.eq_ignore_ascii_case(b"base64") {
        TransferEncoding::Base64
    } else if token.eq_ignore_ascii_case(b"quoted-printable") {
        TransferEncoding::QuotedPrintable
    } else {
        TransferEncoding::Identity
    }
}

/// A scanned message: its parts, depth first, and its header blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Octets of the whole message.
    pub size: u64,
    /// All parts, each before its children; the first is the root.
    pub parts: Vec<Part>,
    pub(super) retained: Vec<u8>,
    /// Whether a limit was met, so that some of the message stayed opaque.
    pub limited: bool,
}

impl Scanned {
    /// The root part.
    pub fn root(&self) -> &Part {
        let Some(root) = self.parts.first() else {
            unreachable!("the scanner begins with a root")
        };
        root
    }

    /// A part by index.
    pub fn part(&self, index: usize) -> Option<&Part> {
        self.parts.get(index)
    }

    /// The parts directly in a part.
    pub fn children<'a>(&'a self, part: &'a Part) -> impl Iterator<Item = &'a Part> {
        part.children
            .iter()
            .filter_map(|index| self.parts.get(*index))
    }

    /// A part's header block as it came; cut short beyond [`super::Limits::header_bytes_max`].
    pub fn header(&self, part: &Part) -> &[u8] {
        self.retained
            .get(part.retained_header.clone())
            .unwrap_or_default()
    }

    /// A part's body, still transfer-encoded, when it is a small machine-readable part of a report
    /// (message/delivery-status, message/disposition-notification).
    pub fn report(&self, part: &Part) -> Option<&[u8]> {
        self.retained.get(part.retained_body.clone()?)
    }

    /// The first field of that name in a part's header.
    pub fn field<'a>(&'a self, part: &Part, name: &str) -> Option<Field<'a>> {
        header::field(self.header(part), name)
    }

    /// A part's Content-Disposition.
    pub fn disposition(&self, part: &Part) -> Option<Disposition> {
        parameter::disposition(self.field(part, "Content-Disposition")?.value)
    }
}
