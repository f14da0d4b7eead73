//! BODY and BODYSTRUCTURE (RFC 3501 7.4.2): building blocks for a caller that walks its own part tree.
//!
//! `extended` says whether extension data is wanted: true for BODYSTRUCTURE, false for BODY. Depth is the caller's.

use super::envelope::Envelope;
use super::text::{write_nstring, write_number, write_string};

/// A parameter's name and value.
pub type Param<'a> = (&'a [u8], &'a [u8]);

/// A content disposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition<'a> {
    /// Such as `attachment`.
    pub kind: &'a [u8],
    /// Its parameters.
    pub params: &'a [Param<'a>],
}

/// A part that is not a multipart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// The media type, such as `text`; `text`/`plain` when the message names none.
    pub media_type: &'a [u8],
    /// The subtype.
    pub subtype: &'a [u8],
    /// Parameters of the type, such as `charset`.
    pub params: &'a [Param<'a>],
    /// `Content-ID`
    pub id: Option<&'a [u8]>,
    /// `Content-Description`
    pub description: Option<&'a [u8]>,
    /// `Content-Transfer-Encoding`; `7BIT` when the message names none.
    pub encoding: &'a [u8],
    /// Octets of the body as it is encoded.
    pub size: u64,
    /// Lines of the body; written for `text` and `message/rfc822` only.
    pub lines: u64,
    /// `Content-MD5`
    pub md5: Option<&'a [u8]>,
    /// `Content-Disposition`
    pub disposition: Option<Disposition<'a>>,
    /// `Content-Language`
    pub language: &'a [&'a [u8]],
    /// `Content-Location`
    pub location: Option<&'a [u8]>,
}

impl Leaf<'_> {
    fn write_fields(&self, out: &mut Vec<u8>) {
        write_string(out, self.media_type);
        out.push(b' ');
        write_string(out, self.subtype);
        out.push(b' ');
        params(out, self.params);
        out.push(b' ');
        write_nstring(out, self.id);
        out.push(b' ');
        write_nstring(out, self.description);
        out.push(b' ');
        write_string(out, self.encoding);
        out.push(b' ');
        write_number(out, self.size);
    }

    fn write_extension(&self, out: &mut Vec<u8>) {
        out.push(b' ');
        write_nstring(out, self.md5);
        common_extension(out, self.disposition, self.language, self.location);
    }
}

/// Appends a part without parts of its own.
pub fn single_part(out: &mut Vec<u8>, leaf: &Leaf<'_>, extended: bool) {
    out.push(b'(');
    leaf.write_fields(out);
    if leaf.media_type.eq_ignore_ascii_case(b"text") {
        out.push(b' ');
        write_number(out, leaf.lines);
    }
    if extended {
        leaf.write_extension(out);
    }
    out.push(b')');
}

/// Appends a `message/rfc822` (or `message/global`) part; `body` appends the structure of the message inside.
pub fn message_part(
    out: &mut Vec<u8>,
    leaf: &Leaf<'_>,
    envelope: &Envelope<'_>,
    extended: bool,
    body: impl FnOnce(&mut Vec<u8>),
) {
    out.push(b'(');
    leaf.write_fields(out);
    out.push(b' ');
    envelope.write(out);
    out.push(b' ');
    body(out);
    out.push(b' ');
    write_number(out, leaf.lines);
    if extended {
        leaf.write_extension(out);
    }
    out.push(b')');
}

/// Appends a multipart; `parts` appends at least one part. Of `leaf` only `subtype`, `params`, `disposition`,
/// `language` and `location` are used.
pub fn multipart(
    out: &mut Vec<u8>,
    leaf: &Leaf<'_>,
    extended: bool,
    parts: impl FnOnce(&mut Vec<u8>),
) {
    out.push(b'(');
    parts(out);
    out.push(b' ');
    write_string(out, leaf.subtype);
    if extended {
        out.push(b' ');
        params(out, leaf.params);
        common_extension(out, leaf.disposition, leaf.language, leaf.location);
    }
    out.push(b')');
}

fn common_extension(
    out: &mut Vec<u8>,
    disposition: Option<Disposition<'_>>,
    language: &[&[u8]],
    location: Option<&[u8]>,
) {
    out.push(b' ');
    match disposition {
        Some(disposition) => {
            out.push(b'(');
            write_string(out, disposition.kind);
            out.push(b' ');
            params(out, disposition.params);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    match language {
        [] => out.extend_from_slice(b"NIL"),
        [one] => write_string(out, one),
        several => {
            for (index, language) in several.iter().enumerate() {
                out.push(if index == 0 { b'(' } else { b' ' });
                write_string(out, language);
            }
            out.push(b')');
        }
    }
    out.push(b' ');
    write_nstring(out, location);
}

fn params(out: &mut Vec<u8>, params: &[Param<'_>]) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (index, (name, value)) in params.iter().enumerate() {
        out.push(if index == 0 { b'(' } else { b' ' });
        write_string(out, name);
        out.push(b' ');
        write_string(out, value);
    }
    out.push(b')');
}
