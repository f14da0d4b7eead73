//! SEARCH and ESEARCH responses (RFC 3501 7.2.5, RFC 4731, RFC 9394).

use super::Writer;
use super::text::{write_number, write_quoted};
use crate::command::Tag;
use crate::command::fetch::PartialRange;
use crate::sequence::NumberSet;

/// What an ESEARCH response tells; what is `None` was not asked for or does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchResult<'a> {
    /// Whether the numbers are UIDs.
    pub uid: bool,
    /// The smallest number.
    pub min: Option<u32>,
    /// The largest number.
    pub max: Option<u32>,
    /// All numbers; left out when empty (RFC 4731 3.1).
    pub all: Option<&'a NumberSet>,
    /// How many.
    pub count: Option<u64>,
    /// A page, with the range asked for; an empty page is written as `NIL`.
    pub partial: Option<(PartialRange, &'a NumberSet)>,
    /// The highest MODSEQ of what was found (RFC 7162).
    pub mod_seq: Option<u64>,
}

impl Writer<'_> {
    /// `* SEARCH n…`, with the highest MODSEQ of the messages found when the search had that key.
    pub fn search(&mut self, numbers: impl IntoIterator<Item = u32>, mod_seq: Option<u64>) {
        self.out.extend_from_slice(b"* SEARCH");
        for number in numbers {
            self.out.push(b' ');
            write_number(self.out, u64::from(number));
        }
        if let Some(mod_seq) = mod_seq {
            self.out.extend_from_slice(b" (MODSEQ ");
            write_number(self.out, mod_seq);
            self.out.push(b')');
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// `* ESEARCH (TAG "…") [UID] …`
    pub fn esearch(&mut self, tag: &Tag, result: &SearchResult<'_>) {
        self.out.extend_from_slice(b"* ESEARCH (TAG ");
        write_quoted(self.out, tag.as_str().as_bytes());
        self.out.push(b')');
        if result.uid {
            self.out.extend_from_slice(b" UID");
        }
        self.esearch_number(b" MIN ", result.min.map(u64::from));
        self.esearch_number(b" MAX ", result.max.map(u64::from));
        if let Some(all) = result.all.filter(|all| !all.is_empty()) {
            self.out.extend_from_slice(b" ALL ");
            all.write(self.out);
        }
        self.esearch_number(b" COUNT ", result.count);
        if let Some((range, page)) = result.partial {
            self.out.extend_from_slice(b" PARTIAL (");
            self.signed(range.first);
            self.out.push(b':');
            self.signed(range.last);
            self.out.push(b' ');
            if page.is_empty() {
                self.out.extend_from_slice(b"NIL");
            }
            page.write(self.out);
            self.out.push(b')');
        }
        self.esearch_number(b" MODSEQ ", result.mod_seq);
        self.out.extend_from_slice(b"\r\n");
    }

    fn esearch_number(&mut self, name: &[u8], value: Option<u64>) {
        if let Some(value) = value {
            self.out.extend_from_slice(name);
            write_number(self.out, value);
        }
    }

    fn signed(&mut self, value: i64) {
        if value < 0 {
            self.out.push(b'-');
        }
        write_number(self.out, value.unsigned_abs());
    }
}
