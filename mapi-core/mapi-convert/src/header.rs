//! Header blocks as they came: their fields, exact bytes of chosen fields, unfolding.
//!
//! A header block is the bytes from the first field to the blank line, the blank line included when there is one.
//! Both CRLF and bare LF end a line. Source: RFC 5322 2.2.

use std::borrow::Cow;

use memchr::memchr;

/// One field of a header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name as written, without white space before the colon; empty for a line that has no colon.
    pub name: &'a [u8],
    /// What follows the colon, with folding and the last line end.
    pub value: &'a [u8],
    /// The whole field with its line ends.
    pub raw: &'a [u8],
    /// Where `raw` begins in the block, in octets.
    pub offset: usize,
}

impl Field<'_> {
    /// Whether this is the field `name`, without ASCII case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a header block in order, up to the blank line or the end.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    offset: usize,
}

/// Iterates over the fields of a header block. No allocation.
pub const fn fields(block: &[u8]) -> Fields<'_> {
    Fields {
        rest: block,
        offset: 0,
    }
}

/// The first field of that name.
pub fn field<'a>(block: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(block).find(|field| field.is(name))
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let first = line(self.rest);
        if first.is_empty() || is_blank(first) {
            return None;
        }
        let mut len = first.len();
        while let Some(tail) = self.rest.get(len..)
            && matches!(tail.first(), Some(b' ' | b'\t'))
        {
            len += line(tail).len();
        }
        let (raw, rest) = self.rest.split_at_checked(len)?;
        let (name, value) = match memchr(b':', first).and_then(|at| raw.split_at_checked(at)) {
            Some((name, value)) => (name.trim_ascii_end(), value.get(1..).unwrap_or_default()),
            None => (&[][..], raw),
        };
        let field = Field {
            name,
            value,
            raw,
            offset: self.offset,
        };
        self.offset += len;
        self.rest = rest;
        Some(field)
    }
}

/// Which fields [`select`] copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// Those with one of the names (HEADER.FIELDS).
    Only,
    /// All others (HEADER.FIELDS.NOT).
    Not,
}

/// Appends the exact bytes of the chosen fields to `out`, and the block's blank line if it has one.
///
/// `block` may be given in pieces (a prefix of this copy, then the original): call it once a piece. Names are compared
/// without ASCII case. Source: RFC 9051 6.4.5.1.
pub fn select<T: AsRef<[u8]>>(block: &[u8], names: &[T], which: Select, out: &mut Vec<u8>) {
    let mut end = 0;
    for field in fields(block) {
        end = field.offset + field.raw.len();
        let named = names
            .iter()
            .any(|name| field.name.eq_ignore_ascii_case(name.as_ref()));
        if named == (which == Select::Only) {
            out.extend_from_slice(field.raw);
        }
    }
    let blank = line(block.get(end..).unwrap_or_default());
    if is_blank(blank) {
        out.extend_from_slice(blank);
    }
}

/// A field's value on one line: each fold, with the white space around it, is one space; NUL and white space at both
/// ends are removed. Borrows when there was nothing to change. Source: RFC 5322 2.2.3; the white space of a fold is
/// cut to one space as other servers do, for programs fold with tabs and whole indents.
pub fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    let value = trim(value);
    if !value.iter().any(|b| crate::cursor::is_dropped(*b)) {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.iter().copied().filter(|b| *b != 0).peekable();
    while let Some(byte) = rest.next() {
        if !matches!(byte, b'\r' | b'\n') {
            out.push(byte);
            continue;
        }
        let mut spaces = false;
        while let Some(next) = rest.next_if(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
            spaces |= matches!(next, b' ' | b'\t');
        }
        while let Some(b' ' | b'\t') = out.last() {
            spaces = true;
            out.pop();
        }
        if spaces {
            out.push(b' ');
        }
    }
    Cow::Owned(out)
}

fn trim(mut value: &[u8]) -> &[u8] {
    let drop = |b: &u8| crate::cursor::is_space(*b) || *b == 0;
    while let Some((first, rest)) = value.split_first()
        && drop(first)
    {
        value = rest;
    }
    while let Some((last, rest)) = value.split_last()
        && drop(last)
    {
        value = rest;
    }
    value
}

/// The first line with its line end; everything when there is none.
fn line(bytes: &[u8]) -> &[u8] {
    memchr(b'\n', bytes)
        .and_then(|at| bytes.get(..=at))
        .unwrap_or(bytes)
}

/// Whether a line with its line end is empty.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] =
        b"Subject: a\r\n\tb\r\nno colon here\r\nTO : x@example.test\n \n\r\nnot a field: 1\r\n";

    #[test]
    fn fields_keep_their_bytes_and_end_at_the_blank_line() {
        let names: Vec<_> = fields(BLOCK).map(|f| (f.name, f.raw)).collect();
        assert_eq!(
            names,
            [
                (&b"Subject"[..], &b"Subject: a\r\n\tb\r\n"[..]),
                (b"", b"no colon here\r\n"),
                (b"TO", b"TO : x@example.test\n \n"),
            ]
        );
    }

    #[test]
    fn selected_fields_are_exact_bytes_with_the_blank_line() {
        let check = |names: &[&str], which, expected: &[u8]| {
            let mut out = Vec::new();
            select(BLOCK, names, which, &mut out);
            assert_eq!(out, expected);
        };
        check(&["subject"], Select::Only, b"Subject: a\r\n\tb\r\n\r\n");
        check(&["subject", "to"], Select::Not, b"no colon here\r\n\r\n");
        check(&["cc"], Select::Only, b"\r\n");
        let mut out = Vec::new();
        select(b"A: 1", &["a"], Select::Only, &mut out);
        assert_eq!(out, b"A: 1");
    }

    #[test]
    fn unfolding_joins_lines() {
        assert_eq!(unfold(b" a\r\n\tb\0 c \r\n").as_ref(), b"a b c");
        assert_eq!(unfold(b"a \r\n   b  c\n \n d\rx").as_ref(), b"a b  c dx");
        assert!(matches!(unfold(b" plain\r\n"), Cow::Borrowed(b"plain")));
    }
}
