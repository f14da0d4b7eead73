//! Responses: a writer that appends to the connection's reused buffer, without an allocation of its own.

mod body_structure;
mod code;
mod envelope;
mod fetch;
mod list;
mod search;
mod status;
mod text;

pub use body_structure::{Disposition, Leaf, Param, message_part, multipart, single_part};
pub use code::{Code, PermanentFlags};
pub use envelope::{Address, Envelope};
pub use fetch::{FetchWriter, Origin};
pub use list::{ListAttribute, ListItem, NamespaceItem};
pub use search::SearchResult;
pub use status::Status;
pub(crate) use text::write_two_digits;
pub use text::{
    write_astring, write_literal, write_mailbox, write_nstring, write_number, write_quoted,
    write_string,
};

use crate::flag::FlagBits;
use crate::sequence::NumberSet;

/// Appends responses to a buffer, each with its CRLF.
///
/// Texts given to it (codes, human text, capability names) must not hold CR or LF; such octets become spaces.
#[derive(Debug)]
pub struct Writer<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) utf8: bool,
}

impl<'a> Writer<'a> {
    /// A writer at the end of `out`, for a client that has not enabled UTF-8.
    #[must_use]
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, utf8: false }
    }

    /// Whether mailbox names are written in UTF-8 (RFC 6855, RFC 9051) rather than modified UTF-7.
    #[must_use]
    pub const fn with_utf8(mut self, utf8: bool) -> Self {
        self.utf8 = utf8;
        self
    }

    /// `* n EXISTS`
    pub fn exists(&mut self, messages: u32) {
        self.numbered(messages, b" EXISTS\r\n");
    }

    /// `* n RECENT`
    pub fn recent(&mut self, messages: u32) {
        self.numbered(messages, b" RECENT\r\n");
    }

    /// `* n EXPUNGE`, a sequence number.
    pub fn expunge(&mut self, sequence: u32) {
        self.numbered(sequence, b" EXPUNGE\r\n");
    }

    fn numbered(&mut self, number: u32, rest: &[u8]) {
        self.out.extend_from_slice(b"* ");
        write_number(self.out, u64::from(number));
        self.out.extend_from_slice(rest);
    }

    /// `* VANISHED [(EARLIER)] uids` (RFC 7162 3.2.10). Nothing for an empty set.
    pub fn vanished(&mut self, uids: &NumberSet, earlier: bool) {
        if uids.is_empty() {
            return;
        }
        self.out.extend_from_slice(b"* VANISHED ");
        if earlier {
            self.out.extend_from_slice(b"(EARLIER) ");
        }
        uids.write(self.out);
        self.out.extend_from_slice(b"\r\n");
    }

    /// `* CAPABILITY …`, with the names as given.
    pub fn capability(&mut self, names: &[&str]) {
        self.words(b"* CAPABILITY", names);
    }

    /// `* ENABLED …`
    pub fn enabled(&mut self, names: &[&str]) {
        self.words(b"* ENABLED", names);
    }

    fn words(&mut self, start: &[u8], words: &[&str]) {
        self.out.extend_from_slice(start);
        for word in words {
            self.out.push(b' ');
            text::write_line_text(self.out, word);
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// `* FLAGS (…)`: system flags and keywords of a mailbox.
    pub fn flags<'k>(&mut self, flags: FlagBits, keywords: impl IntoIterator<Item = &'k str>) {
        self.out.extend_from_slice(b"* FLAGS ");
        fetch::write_flags(self.out, flags, keywords);
        self.out.extend_from_slice(b"\r\n");
    }

    /// `* ID (…)`, or `* ID NIL` when there is nothing to tell (RFC 2971).
    pub fn id(&mut self, pairs: &[(&str, &str)]) {
        self.out.extend_from_slice(b"* ID ");
        if pairs.is_empty() {
            self.out.extend_from_slice(b"NIL\r\n");
            return;
        }
        for (index, (field, value)) in pairs.iter().enumerate() {
            self.out.push(if index == 0 { b'(' } else { b' ' });
            write_string(self.out, field.as_bytes());
            self.out.push(b' ');
            write_string(self.out, value.as_bytes());
        }
        self.out.extend_from_slice(b")\r\n");
    }

    /// `* n FETCH (`: the items follow, then [`FetchWriter::finish`].
    pub fn fetch(&mut self, sequence: u32) -> FetchWriter<'_> {
        FetchWriter::start(self.out, sequence)
    }
}
