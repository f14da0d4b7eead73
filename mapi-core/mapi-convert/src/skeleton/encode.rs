//! From the part tree to what a store keeps.
//!
//! Envelope: version, then date (presence, unix seconds zigzag, zone minutes zigzag), then the ten facts of ENVELOPE:
//! texts as octets that may be missing, address lists as blocks (empty: NIL) of four octet strings an address.
//! Structure: version, then the parts depth first. A part: its own and its descendants' length as 32 bits
//! little-endian, kind, header start, header length, body length, lines, the Content-* facts, the number of children;
//! a message has its envelope before its child.

use bytes::Bytes;
use mapi_types::Derived;

use super::{
    RENDERER,
    codec::{put_block, put_number, put_octets},
    part::{Part, PartKind, Scanned},
};
use crate::{
    address::{self, Entry},
    cursor::Cursor,
    date, header,
    parameter::{self, Param},
};

/// Version byte of both encodings.
pub(super) const VERSION: u8 = 1;

/// A top-level header block above this is not kept beside the message; the original is read instead.
const HEADER_KEPT_MAX: u64 = 64 << 10;

impl Scanned {
    /// What a store keeps beside the message so that reading never parses.
    pub fn derived(&self) -> Derived {
        let root = self.root();
        let mut envelope = Vec::new();
        put_envelope(&mut envelope, self.header(root));
        let mut structure = vec![VERSION];
        self.put_part(&mut structure, 0);
        let header = self.header(root);
        let whole = root.header.end <= HEADER_KEPT_MAX && header.len() as u64 == root.header.end;
        Derived {
            renderer: RENDERER,
            envelope: envelope.into(),
            structure: structure.into(),
            header: if whole {
                Bytes::copy_from_slice(header)
            } else {
                Bytes::new()
            },
        }
    }

    /// Appends a part and its descendants. Recursion is bounded by [`super::Limits::depth_max`].
    fn put_part(&self, out: &mut Vec<u8>, index: usize) {
        let Some(part) = self.parts.get(index) else {
            return;
        };
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.push(match part.kind {
            PartKind::Leaf => 0,
            PartKind::Multipart => 1,
            PartKind::Message => 2,
        });
        put_number(out, part.header.start);
        put_number(out, part.header.end - part.header.start);
        put_number(out, part.body.end - part.body.start);
        put_number(out, part.lines);
        self.put_content_fields(out, part);
        put_number(out, part.children.len() as u64);
        if part.kind == PartKind::Message {
            let nested = part
                .children
                .first()
                .and_then(|child| self.parts.get(*child));
            let mut envelope = Vec::new();
            put_envelope(
                &mut envelope,
                nested.map_or(&[], |child| self.header(child)),
            );
            put_block(out, &envelope);
        }
        for child in &part.children {
            self.put_part(out, *child);
        }
        let len = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
        if let Some(slot) = out.get_mut(start..start + 4) {
            slot.copy_from_slice(&len.to_le_bytes());
        }
    }

    fn put_content_fields(&self, out: &mut Vec<u8>, part: &Part) {
        let block = self.header(part);
        let value = |name| header::field(block, name).map(|field| header::unfold(field.value));
        let kind = &part.content_type;
        put_octets(out, Some(&kind.media_type));
        put_octets(out, Some(&kind.subtype));
        // RFC 2045 5.2: text without a charset is us-ascii, and says so to clients.
        let charset = Param {
            name: (*b"charset").into(),
            value: (*b"us-ascii").into(),
        };
        let undeclared = kind.is_type("text")
            && !kind
                .params
                .iter()
                .any(|p| p.name.to_ascii_lowercase().starts_with(b"charset"));
        put_params(
            out,
            kind.params.iter().chain(undeclared.then_some(&charset)),
        );
        put_octets(out, value("Content-ID").as_deref());
        put_octets(out, value("Content-Description").as_deref());
        let encoding = header::field(block, "Content-Transfer-Encoding")
            .and_then(|field| parameter::single_token(field.value));
        put_octets(out, encoding.as_deref().or_else(|| part.implied_encoding()));
        put_octets(out, value("Content-MD5").as_deref());
        let disposition = self.disposition(part);
        put_octets(out, disposition.as_ref().map(|d| &*d.kind));
        if let Some(disposition) = &disposition {
            put_params(out, disposition.params.iter());
        }
        let mut languages = Vec::new();
        for language in value("Content-Language")
            .as_deref()
            .map(language_tags)
            .unwrap_or_default()
        {
            put_octets(&mut languages, Some(&language));
        }
        put_block(out, &languages);
        put_octets(out, value("Content-Location").as_deref());
    }
}

fn put_params<'a>(out: &mut Vec<u8>, params: impl Iterator<Item = &'a Param>) {
    let mut block = Vec::new();
    for param in params {
        put_octets(&mut block, Some(&param.name));
        put_octets(&mut block, Some(&param.value));
    }
    put_block(out, &block);
}

/// Source: RFC 3282 2.
fn language_tags(value: &[u8]) -> Vec<Vec<u8>> {
    let mut cursor = Cursor::new(value);
    let mut tags = Vec::new();
    while !cursor.is_empty() {
        cursor.skip_cfws();
        let tag = cursor.take_while(|b| !matches!(b, b',' | b' ' | b'\t' | b'('));
        if tag.is_empty() {
            cursor.bump();
        } else {
            tags.push(tag.to_vec());
        }
    }
    tags
}

/// The ENVELOPE facts of a header block. The first field of a name counts, except that all To, Cc and Bcc fields are
/// taken together.
fn put_envelope(out: &mut Vec<u8>, block: &[u8]) {
    let text = |name| header::field(block, name).map(|field| header::unfold(field.value));
    out.push(VERSION);
    let date = text("Date");
    match date.as_deref().and_then(date::parse) {
        Some(date) => {
            out.push(1);
            put_number(out, zigzag(date.unix));
            put_number(out, zigzag(i64::from(date.zone_minutes)));
        }
        None => out.push(0),
    }
    put_octets(out, date.as_deref());
    put_octets(out, text("Subject").as_deref());
    for name in ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"] {
        let mut list = Vec::new();
        for field in header::fields(block).filter(|field| field.is(name)) {
            put_addresses(&mut list, field.value);
        }
        put_block(out, &list);
    }
    put_octets(out, text("In-Reply-To").as_deref());
    put_octets(out, text("Message-ID").as_deref());
}

fn put_addresses(out: &mut Vec<u8>, value: &[u8]) {
    for entry in address::parse_list(value) {
        let (name, route, mailbox, host) = match entry {
            Entry::GroupStart(name) => (None, None, Some(name), None),
            Entry::GroupEnd => (None, None, None, None),
            // NIL for a host would begin a group.
            Entry::Mailbox(m) => (
                m.name,
                m.route,
                Some(m.local),
                Some(m.domain.unwrap_or_else(|| b"MISSING_DOMAIN".to_vec())),
            ),
        };
        for part in [name, route, mailbox, host] {
            put_octets(out, part.as_deref());
        }
    }
}

pub(super) const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

pub(super) const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}
