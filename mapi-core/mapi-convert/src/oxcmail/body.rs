//! A message's own text, from its original into properties.

use std::io;

use bytes::Bytes;
use mapi_types::{ReadAt, tags};

use super::{Warning, layout::Layout, props::Props};
use crate::{Part, Scanned, charset, decode, header, parameter};

/// Octets of an encoded text that are read; a longer one is cut.
const TEXT_OCTETS_MAX: u64 = 16 << 20;

/// Says of what kind the body is: code page and native format. Source: MS-OXBBODY 2.1.
pub(super) fn put_kind(scanned: &Scanned, layout: &Layout, props: &mut Props) {
    let best = layout
        .html
        .or(layout.plain)
        .and_then(|index| scanned.part(index));
    if let Some(part) = best {
        props.long(
            &tags::INTERNET_CODEPAGE,
            charset::code_page(label(part).as_deref()),
        );
        props.long(
            &tags::NATIVE_BODY,
            if layout.html.is_some() { 3 } else { 1 },
        );
    }
    props.flag(&tags::RTF_IN_SYNC, false);
}

/// Puts the text itself into the properties. Errors: of the original.
pub(super) fn put_text(
    scanned: &Scanned,
    layout: &Layout,
    original: &dyn ReadAt,
    props: &mut Props,
) -> io::Result<()> {
    if let Some(part) = layout.plain.and_then(|index| scanned.part(index)) {
        let octets = read(part, original, props)?;
        props.body(&charset::decode(label(part).as_deref(), &octets));
    }
    if let Some(part) = layout.html.and_then(|index| scanned.part(index)) {
        let octets = read(part, original, props)?;
        let label = label(part);
        if label.as_deref().and_then(charset::encoding).is_some() {
            props.html(octets);
        } else {
            // Nothing says what it is: made UTF-8, it will be known.
            props.html(
                charset::decode(label.as_deref(), &octets)
                    .into_owned()
                    .into_bytes(),
            );
            props.long(&tags::INTERNET_CODEPAGE, charset::code_page(Some(b"utf-8")));
        }
    }
    Ok(())
}

/// A part as an entity of its own: its MIME fields, a blank line, its octets. `None` when it is too large.
/// Errors: of the original.
pub(super) fn entity(
    scanned: &Scanned,
    part: &Part,
    original: &dyn ReadAt,
) -> io::Result<Option<Bytes>> {
    let len = part.body.end - part.body.start;
    let Some(len) = usize::try_from(len).ok().filter(|_| len <= TEXT_OCTETS_MAX) else {
        return Ok(None);
    };
    let mut octets = Vec::new();
    for field in header::fields(scanned.header(part)) {
        if field
            .name
            .get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
        {
            octets.extend_from_slice(field.raw);
        }
    }
    octets.extend_from_slice(b"\r\n");
    let start = octets.len();
    octets.resize(start + len, 0);
    if let Some(body) = octets.get_mut(start..) {
        original.read_exact_at(body, part.body.start)?;
    }
    Ok(Some(octets.into()))
}

fn label(part: &Part) -> Option<Vec<u8>> {
    parameter::joined_raw(&part.content_type.params, "charset")
}

fn read(part: &Part, original: &dyn ReadAt, props: &mut Props) -> io::Result<Vec<u8>> {
    let len = part.body.end - part.body.start;
    if len > TEXT_OCTETS_MAX {
        props.warn(Warning::Truncated(tags::BODY.tag()));
    }
    let len = usize::try_from(len.min(TEXT_OCTETS_MAX)).unwrap_or(0);
    let mut octets = vec![0; len];
    original.read_exact_at(&mut octets, part.body.start)?;
    Ok(decode::decode(part.encoding, &octets))
}
