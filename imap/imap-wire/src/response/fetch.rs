//! FETCH responses (RFC 3501 7.4.2), item by item.

use super::envelope::Envelope;
use super::text::{write_literal_header, write_number, write_string};
use crate::date::DateTime;
use crate::flag::FlagBits;

/// Where a partial answer starts; `None` when the whole was asked for.
pub type Origin = Option<u64>;

/// Appends one FETCH response. Dropping it without [`FetchWriter::finish`] leaves the response open, to be resumed.
#[derive(Debug)]
pub struct FetchWriter<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> FetchWriter<'a> {
    /// `* n FETCH (`
    pub fn start(out: &'a mut Vec<u8>, sequence: u32) -> Self {
        out.extend_from_slice(b"* ");
        write_number(out, u64::from(sequence));
        out.extend_from_slice(b" FETCH (");
        Self { out, first: true }
    }

    /// `* uid UIDFETCH (` (RFC 9586)
    pub fn start_uid_only(out: &'a mut Vec<u8>, uid: u32) -> Self {
        out.extend_from_slice(b"* ");
        write_number(out, u64::from(uid));
        out.extend_from_slice(b" UIDFETCH (");
        Self { out, first: true }
    }

    /// Goes on with a response that has an item already, such as a literal whose octets were sent meanwhile.
    #[must_use]
    pub const fn resume(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: false }
    }

    /// `)`: the response is complete.
    pub fn finish(self) {
        self.out.extend_from_slice(b")\r\n");
    }

    fn item(&mut self, name: &[u8]) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b' ');
        }
        self.out.extend_from_slice(name);
    }

    /// `UID n`
    pub fn uid(&mut self, uid: u32) {
        self.item(b"UID ");
        write_number(self.out, u64::from(uid));
    }

    /// `FLAGS (…)`
    pub fn flags<'k>(&mut self, flags: FlagBits, keywords: impl IntoIterator<Item = &'k str>) {
        self.item(b"FLAGS ");
        write_flags(self.out, flags, keywords);
    }

    /// `MODSEQ (n)` (RFC 7162)
    pub fn mod_seq(&mut self, mod_seq: u64) {
        self.item(b"MODSEQ (");
        write_number(self.out, mod_seq);
        self.out.push(b')');
    }

    /// `INTERNALDATE "…"`
    pub fn internal_date(&mut self, date: DateTime) {
        self.item(b"INTERNALDATE ");
        date.write(self.out);
    }

    /// `RFC822.SIZE n`
    pub fn rfc822_size(&mut self, octets: u64) {
        self.item(b"RFC822.SIZE ");
        write_number(self.out, octets);
    }

    /// `ENVELOPE (…)`
    pub fn envelope(&mut self, envelope: &Envelope<'_>) {
        self.item(b"ENVELOPE ");
        envelope.write(self.out);
    }

    /// `BODYSTRUCTURE …`, or `BODY …` without extension data: the structure is appended to the buffer returned, with
    /// [`single_part`](super::single_part) and its like.
    pub fn body_structure(&mut self, extended: bool) -> &mut Vec<u8> {
        self.item(if extended {
            b"BODYSTRUCTURE "
        } else {
            b"BODY "
        });
        self.out
    }

    /// `BODY[label]<origin> {len}` and CRLF: exactly `len` octets must follow in the buffer returned, or on the
    /// connection behind it.
    pub fn body_literal(&mut self, label: &str, origin: Origin, len: u64) -> &mut Vec<u8> {
        self.body_name(label, origin);
        write_literal_header(self.out, len);
        self.out
    }

    /// `BODY[label]<origin>` with octets that are at hand.
    pub fn body(&mut self, label: &str, origin: Origin, octets: &[u8]) {
        self.body_literal(label, origin, octets.len() as u64)
            .extend_from_slice(octets);
    }

    /// `BODY[label]<origin> NIL`: there is no such part.
    pub fn body_nil(&mut self, label: &str, origin: Origin) {
        self.body_name(label, origin);
        self.out.extend_from_slice(b"NIL");
    }

    fn body_name(&mut self, label: &str, origin: Origin) {
        self.item(b"BODY[");
        self.out.extend_from_slice(label.as_bytes());
        self.label_end(origin);
    }

    fn label_end(&mut self, origin: Origin) {
        self.out.push(b']');
        if let Some(origin) = origin {
            self.out.push(b'<');
            write_number(self.out, origin);
            self.out.push(b'>');
        }
        self.out.push(b' ');
    }

    /// `RFC822 {len}`, `RFC822.HEADER {len}` or `RFC822.TEXT {len}` and CRLF, as [`Self::body_literal`].
    pub fn rfc822_literal(&mut self, name: &str, len: u64) -> &mut Vec<u8> {
        self.item(name.as_bytes());
        self.out.push(b' ');
        write_literal_header(self.out, len);
        self.out
    }

    /// `BINARY[parts]<origin> ~{len}` and CRLF, as [`Self::body_literal`] (RFC 3516). A literal8 only when there may
    /// be NUL in it.
    pub fn binary_literal(
        &mut self,
        parts: &[std::num::NonZeroU32],
        origin: Origin,
        len: u64,
        nul: bool,
    ) -> &mut Vec<u8> {
        self.binary_name(b"BINARY[", parts);
        self.label_end(origin);
        if nul {
            self.out.push(b'~');
        }
        write_literal_header(self.out, len);
        self.out
    }

    /// `BINARY.SIZE[parts] n`
    pub fn binary_size(&mut self, parts: &[std::num::NonZeroU32], octets: u64) {
        self.binary_name(b"BINARY.SIZE[", parts);
        self.label_end(None);
        write_number(self.out, octets);
    }

    fn binary_name(&mut self, name: &[u8], parts: &[std::num::NonZeroU32]) {
        self.item(name);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.out.push(b'.');
            }
            write_number(self.out, u64::from(part.get()));
        }
    }

    /// `PREVIEW "…"`, or `PREVIEW NIL` when none is at hand (RFC 8970).
    pub fn preview(&mut self, text: Option<&str>) {
        self.item(b"PREVIEW ");
        super::write_nstring(self.out, text.map(str::as_bytes));
    }

    /// `EMAILID (id)` (RFC 8474)
    pub fn email_id(&mut self, id: &str) {
        self.item(b"EMAILID (");
        self.out.extend_from_slice(id.as_bytes());
        self.out.push(b')');
    }

    /// `THREADID (id)` or `THREADID NIL` (RFC 8474)
    pub fn thread_id(&mut self, id: Option<&str>) {
        self.item(b"THREADID ");
        match id {
            Some(id) => {
                self.out.push(b'(');
                self.out.extend_from_slice(id.as_bytes());
                self.out.push(b')');
            }
            None => self.out.extend_from_slice(b"NIL"),
        }
    }

    /// `SAVEDATE "…"` or `SAVEDATE NIL` (RFC 8514)
    pub fn save_date(&mut self, date: Option<DateTime>) {
        self.item(b"SAVEDATE ");
        match date {
            Some(date) => date.write(self.out),
            None => self.out.extend_from_slice(b"NIL"),
        }
    }

    /// Another item whose value is a string.
    pub fn string_item(&mut self, name: &str, value: &[u8]) {
        self.item(name.as_bytes());
        self.out.push(b' ');
        write_string(self.out, value);
    }
}

/// Appends a list of flags in parentheses.
pub(super) fn write_flags<'k>(
    out: &mut Vec<u8>,
    flags: FlagBits,
    keywords: impl IntoIterator<Item = &'k str>,
) {
    const NAMES: [(FlagBits, &[u8]); 6] = [
        (FlagBits::ANSWERED, b"\\Answered "),
        (FlagBits::FLAGGED, b"\\Flagged "),
        (FlagBits::DELETED, b"\\Deleted "),
        (FlagBits::SEEN, b"\\Seen "),
        (FlagBits::DRAFT, b"\\Draft "),
        (FlagBits::RECENT, b"\\Recent "),
    ];
    out.push(b'(');
    let start = out.len();
    if !flags.is_empty() {
        for (flag, name) in NAMES {
            if flags.contains(flag) {
                out.extend_from_slice(name);
            }
        }
    }
    for keyword in keywords {
        out.extend_from_slice(keyword.as_bytes());
        out.push(b' ');
    }
    if out.len() > start {
        out.pop();
    }
    out.push(b')');
}
