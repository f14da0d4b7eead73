//! FETCH (RFC 3501 6.4.5), with BINARY (RFC 3516), CONDSTORE and QRESYNC (RFC 7162), OBJECTID, PREVIEW, SAVEDATE and
//! PARTIAL.

use std::num::NonZeroU32;

use crate::cursor::{Cursor, DecodeError};
use crate::limits::{FETCH_ITEMS_MAX, HEADER_FIELDS_MAX, SECTION_DEPTH_MAX};
use crate::section::{BodySection, Partial, Section, SectionText};
use crate::sequence::MessageSet;

/// `FETCH set items [(modifiers)]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// Whether `set` holds UIDs; the answers then carry UID too, asked for or not.
    pub uid: bool,
    /// The messages.
    pub set: MessageSet,
    /// What is wanted, in the client's order; `ALL`, `FAST` and `FULL` are spelled out.
    pub items: Vec<FetchItem>,
    /// Only what changed after this MODSEQ.
    pub changed_since: Option<u64>,
    /// Whether expunged UIDs are wanted too (`VANISHED`).
    pub vanished: bool,
    /// Only a page of the messages (RFC 9394).
    pub partial: Option<PartialRange>,
}

/// A data item of FETCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchItem {
    /// `BODY[…]`, `BODY.PEEK[…]`
    BodySection(BodySection),
    /// `BODY`: the structure without extension data.
    Body,
    /// `BODYSTRUCTURE`
    BodyStructure,
    /// `ENVELOPE`
    Envelope,
    /// `FLAGS`
    Flags,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822`: `BODY[]` under another name.
    Rfc822,
    /// `RFC822.HEADER`: `BODY.PEEK[HEADER]` under another name.
    Rfc822Header,
    /// `RFC822.SIZE`
    Rfc822Size,
    /// `RFC822.TEXT`: `BODY[TEXT]` under another name.
    Rfc822Text,
    /// `UID`
    Uid,
    /// `MODSEQ`
    ModSeq,
    /// `BINARY[…]`, `BINARY.PEEK[…]`
    Binary(BinarySection),
    /// `BINARY.SIZE[…]`: the part numbers.
    BinarySize(Vec<NonZeroU32>),
    /// `EMAILID` (RFC 8474)
    EmailId,
    /// `THREADID` (RFC 8474)
    ThreadId,
    /// `PREVIEW`, or `PREVIEW (LAZY)` when true (RFC 8970).
    Preview(bool),
    /// `SAVEDATE` (RFC 8514)
    SaveDate,
}

/// `BINARY[1.2]<0.1024>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinarySection {
    /// Part numbers; empty for the whole message.
    pub parts: Vec<NonZeroU32>,
    /// Whether `\Seen` stays as it is (`.PEEK`).
    pub peek: bool,
    /// The octets wanted, when not all.
    pub partial: Option<Partial>,
}

/// A page of a result: positions from 1, both included, counted from the end when negative (RFC 9394 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartialRange {
    /// One end; never 0, and of the same sign as `last`.
    pub first: i64,
    /// The other end.
    pub last: i64,
}

pub(super) fn fetch(cursor: &mut Cursor<'_>, uid: bool) -> Result<Fetch, DecodeError> {
    let set = cursor.message_set()?;
    cursor.space()?;
    let mut fetch = Fetch {
        uid,
        set,
        items: Vec::new(),
        changed_since: None,
        vanished: false,
        partial: None,
    };
    if cursor.take(b'(') {
        // Old clients put spaces around the list's items.
        cursor.skip_spaces();
        loop {
            if fetch.items.len() == FETCH_ITEMS_MAX {
                return Err(cursor.error("at most 512 items"));
            }
            fetch.items.push(item(cursor)?);
            if !cursor.next_item(fetch.items.len())? {
                break;
            }
        }
    } else if !macro_items(cursor, &mut fetch.items) {
        fetch.items.push(item(cursor)?);
    }
    if cursor.skip_spaces() > 0 && cursor.peek() == Some(b'(') {
        modifiers(cursor, &mut fetch)?;
    }
    Ok(fetch)
}

/// ALL, FAST and FULL, which stand alone.
fn macro_items(cursor: &mut Cursor<'_>, items: &mut Vec<FetchItem>) -> bool {
    use FetchItem::{Body, Envelope, Flags, InternalDate, Rfc822Size};
    if cursor.take_word("ALL") {
        items.extend([Flags, InternalDate, Rfc822Size, Envelope]);
    } else if cursor.take_word("FAST") {
        items.extend([Flags, InternalDate, Rfc822Size]);
    } else if cursor.take_word("FULL") {
        items.extend([Flags, InternalDate, Rfc822Size, Envelope, Body]);
    } else {
        return false;
    }
    true
}

fn item(cursor: &mut Cursor<'_>) -> Result<FetchItem, DecodeError> {
    let at = cursor.at();
    let name = cursor.item_name("a FETCH item")?;
    let bracket = cursor.peek() == Some(b'[');
    Ok(match (name.as_str(), bracket) {
        ("BODY", true) => FetchItem::BodySection(body_section(cursor, false)?),
        ("BODY.PEEK", true) => FetchItem::BodySection(body_section(cursor, true)?),
        ("BINARY", true) => FetchItem::Binary(binary_section(cursor, false)?),
        ("BINARY.PEEK", true) => FetchItem::Binary(binary_section(cursor, true)?),
        ("BINARY.SIZE", true) => FetchItem::BinarySize(binary_parts(cursor)?),
        ("BODY", false) => FetchItem::Body,
        ("BODYSTRUCTURE", false) => FetchItem::BodyStructure,
        ("ENVELOPE", false) => FetchItem::Envelope,
        ("FLAGS", false) => FetchItem::Flags,
        ("INTERNALDATE", false) => FetchItem::InternalDate,
        ("RFC822", false) => FetchItem::Rfc822,
        ("RFC822.HEADER", false) => FetchItem::Rfc822Header,
        ("RFC822.SIZE", false) => FetchItem::Rfc822Size,
        ("RFC822.TEXT", false) => FetchItem::Rfc822Text,
        ("UID", false) => FetchItem::Uid,
        ("MODSEQ", false) => FetchItem::ModSeq,
        ("EMAILID", false) => FetchItem::EmailId,
        ("THREADID", false) => FetchItem::ThreadId,
        ("SAVEDATE", false) => FetchItem::SaveDate,
        ("PREVIEW", false) => FetchItem::Preview(cursor.take_bytes(b" (LAZY)")),
        _ => return Err(DecodeError::new(at, "a FETCH item")),
    })
}

fn body_section(cursor: &mut Cursor<'_>, peek: bool) -> Result<BodySection, DecodeError> {
    cursor.expect(b'[', "\"[\"")?;
    let start = cursor.at();
    let literals = cursor.literals_read();
    let (parts, dangling_dot) = part_numbers(cursor)?;
    let text = if parts.is_empty() || dangling_dot {
        section_text(cursor, &parts)?
    } else {
        None
    };
    let raw = cursor.since(start);
    let label: Box<str> = match std::str::from_utf8(raw) {
        Ok(raw) if literals == cursor.literals_read() => raw.into(),
        _ => spelled_label(&parts, text.as_ref()),
    };
    cursor.expect(b']', "\"]\"")?;
    Ok(BodySection {
        section: Section { parts, text, label },
        peek,
        partial: partial(cursor)?,
    })
}

/// Part numbers, and whether a dot follows the last one.
fn part_numbers(cursor: &mut Cursor<'_>) -> Result<(Vec<NonZeroU32>, bool), DecodeError> {
    let mut parts = Vec::new();
    while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        if parts.len() == SECTION_DEPTH_MAX {
            return Err(cursor.error("at most 100 part numbers"));
        }
        parts.push(cursor.nonzero_number()?);
        if !cursor.take(b'.') {
            return Ok((parts, false));
        }
    }
    let dangling_dot = !parts.is_empty();
    Ok((parts, dangling_dot))
}

fn section_text(
    cursor: &mut Cursor<'_>,
    parts: &[NonZeroU32],
) -> Result<Option<SectionText>, DecodeError> {
    if parts.is_empty() && cursor.peek() == Some(b']') {
        return Ok(None);
    }
    let at = cursor.at();
    let name = cursor.item_name("a section")?;
    Ok(Some(match name.as_str() {
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" if !parts.is_empty() => SectionText::Mime,
        "HEADER.FIELDS" => SectionText::HeaderFields(header_fields(cursor)?),
        "HEADER.FIELDS.NOT" => SectionText::HeaderFieldsNot(header_fields(cursor)?),
        _ => {
            return Err(DecodeError::new(
                at,
                "HEADER, HEADER.FIELDS, TEXT, MIME or a part number",
            ));
        }
    }))
}

fn header_fields(cursor: &mut Cursor<'_>) -> Result<Vec<Box<str>>, DecodeError> {
    cursor.space()?;
    cursor.expect(b'(', "a list of header fields")?;
    let mut fields = Vec::new();
    loop {
        if fields.len() == HEADER_FIELDS_MAX {
            return Err(cursor.error("at most 512 header fields"));
        }
        let at = cursor.at();
        let field = cursor.astring()?;
        // The grammar has any string here, and one that is no field's name just matches nothing. But it must be safe
        // to repeat in the label of the response.
        let valid = field.iter().all(|byte| matches!(byte, b' '..=b'~'));
        match std::str::from_utf8(&field) {
            Ok(field) if valid => fields.push(field.into()),
            _ => return Err(DecodeError::new(at, "a header field's name")),
        }
        if !cursor.next_item(fields.len())? {
            return Ok(fields);
        }
    }
}

/// A label for a section that the client wrote with literals, which a label cannot repeat.
fn spelled_label(parts: &[NonZeroU32], text: Option<&SectionText>) -> Box<str> {
    let mut words: Vec<String> = parts.iter().map(ToString::to_string).collect();
    let list = |name: &str, fields: &[Box<str>]| {
        let quoted: Vec<_> = fields
            .iter()
            .map(|field| format!("\"{}\"", field.replace('\\', "\\\\").replace('"', "\\\"")))
            .collect();
        format!("{name} ({})", quoted.join(" "))
    };
    match text {
        None => {}
        Some(SectionText::Header) => words.push("HEADER".into()),
        Some(SectionText::Text) => words.push("TEXT".into()),
        Some(SectionText::Mime) => words.push("MIME".into()),
        Some(SectionText::HeaderFields(fields)) => words.push(list("HEADER.FIELDS", fields)),
        Some(SectionText::HeaderFieldsNot(fields)) => words.push(list("HEADER.FIELDS.NOT", fields)),
    }
    words.join(".").into()
}

fn binary_section(cursor: &mut Cursor<'_>, peek: bool) -> Result<BinarySection, DecodeError> {
    Ok(BinarySection {
        parts: binary_parts(cursor)?,
        peek,
        partial: partial(cursor)?,
    })
}

fn binary_parts(cursor: &mut Cursor<'_>) -> Result<Vec<NonZeroU32>, DecodeError> {
    cursor.expect(b'[', "\"[\"")?;
    let (parts, dangling_dot) = part_numbers(cursor)?;
    if dangling_dot {
        return Err(cursor.error("a part number"));
    }
    cursor.expect(b']', "\"]\"")?;
    Ok(parts)
}

fn partial(cursor: &mut Cursor<'_>) -> Result<Option<Partial>, DecodeError> {
    if !cursor.take(b'<') {
        return Ok(None);
    }
    let offset = cursor.number64()?;
    cursor.expect(b'.', "\".\"")?;
    let at = cursor.at();
    let length = cursor.number64()?;
    if length == 0 {
        return Err(DecodeError::new(at, "a number above 0"));
    }
    cursor.expect(b'>', "\">\"")?;
    Ok(Some(Partial { offset, length }))
}

fn modifiers(cursor: &mut Cursor<'_>, fetch: &mut Fetch) -> Result<(), DecodeError> {
    const KNOWN: &str = "CHANGEDSINCE, VANISHED or PARTIAL";
    let open = cursor.at();
    cursor.expect(b'(', "a list of modifiers")?;
    loop {
        let at = cursor.at();
        match &*cursor.atom_upper(KNOWN)? {
            "CHANGEDSINCE" => {
                cursor.space()?;
                // iOS Mail 16 sends CHANGEDSINCE 0, which the grammar does not have.
                fetch.changed_since = Some(cursor.mod_sequence()?);
            }
            "VANISHED" => fetch.vanished = true,
            "PARTIAL" => {
                cursor.space()?;
                fetch.partial = Some(partial_range(cursor)?);
            }
            _ => return Err(DecodeError::new(at, KNOWN)),
        }
        if !cursor.next_item(1)? {
            break;
        }
    }
    // RFC 7162 3.2.6: VANISHED goes with UID FETCH and CHANGEDSINCE only.
    if fetch.vanished && (!fetch.uid || fetch.changed_since.is_none()) {
        return Err(DecodeError::new(
            open,
            "VANISHED with UID FETCH and CHANGEDSINCE",
        ));
    }
    Ok(())
}

/// `1:500` or `-1:-100`
pub(super) fn partial_range(cursor: &mut Cursor<'_>) -> Result<PartialRange, DecodeError> {
    let at = cursor.at();
    let mut end = || -> Result<i64, DecodeError> {
        let sign = if cursor.take(b'-') { -1 } else { 1 };
        Ok(sign * i64::from(cursor.nonzero_number()?.get()))
    };
    let first = end()?;
    cursor.expect(b':', "\":\"")?;
    let sign = if cursor.take(b'-') { -1 } else { 1 };
    let last = sign * i64::from(cursor.nonzero_number()?.get());
    if first.signum() != last.signum() {
        return Err(DecodeError::new(at, "two positions of the same sign"));
    }
    Ok(PartialRange { first, last })
}
