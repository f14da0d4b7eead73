//! Which part of a message FETCH asks for: `BODY[1.2.HEADER.FIELDS (SUBJECT)]<0.1024>` (RFC 3501 6.4.5).

use std::num::NonZeroU32;

/// `BODY[…]` or `BODY.PEEK[…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodySection {
    /// What is wanted.
    pub section: Section,
    /// Whether `\Seen` stays as it is (`.PEEK`).
    pub peek: bool,
    /// The octets wanted, when not all.
    pub partial: Option<Partial>,
}

/// A section: part numbers, and what of that part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Part numbers from the outside in; empty for the message itself.
    pub parts: Vec<NonZeroU32>,
    /// What of the part; `None` for all of it.
    pub text: Option<SectionText>,
    /// What stood between the brackets, to be repeated in the response letter for letter: Apple Mail drops answers
    /// whose label it does not recognise. Part of equality, for two spellings are two labels.
    pub label: Box<str>,
}

/// The named texts of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionText {
    /// `HEADER`: all header fields and the empty line.
    Header,
    /// `HEADER.FIELDS (…)`: these fields only, in the message's order.
    HeaderFields(Vec<Box<str>>),
    /// `HEADER.FIELDS.NOT (…)`: all fields but these.
    HeaderFieldsNot(Vec<Box<str>>),
    /// `TEXT`: everything after the header.
    Text,
    /// `MIME`: the MIME header of a part; only behind part numbers.
    Mime,
}

/// `<offset.length>`: the octets wanted. The response names the offset only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partial {
    /// The first octet wanted, from 0.
    pub offset: u64,
    /// How many octets at most; never 0.
    pub length: u64,
}
