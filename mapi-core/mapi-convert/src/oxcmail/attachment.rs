//! One MIME part as an attachment object. Source: MS-OXCMAIL 2.2.3.7, MS-OXCMSG 2.2.2.

use mapi_types::{FileTime, TransferEncoding, tags};

use super::{layout::Position, props::Props};
use crate::{
    Part, Scanned, charset, date, encoded_word, header,
    parameter::{self, Param},
};

/// afByValue.
pub(super) const BY_VALUE: i32 = 1;
/// afEmbeddedMessage.
pub(super) const EMBEDDED_MESSAGE: i32 = 5;
/// attRenderedInBody: of multipart/related.
pub(super) const RENDERED_IN_BODY: i32 = 4;

/// The properties of the attachment that `part` is, without data; `number` counts from 0.
pub(super) fn props(scanned: &Scanned, part: &Part, number: i32, position: Position) -> Props {
    let mut props = Props::default();
    let disposition = scanned.disposition(part);
    let disposition_params = disposition.as_ref().map_or(&[][..], |d| &d.params);
    let mime_tag = mime_tag(part);
    let name = file_name(disposition_params, part).unwrap_or_else(|| {
        format!(
            "ATT{:05}{}",
            number.saturating_add(1),
            extension_of(&mime_tag)
        )
    });
    put_name(&name, &mut props);
    props.long(&tags::ATTACH_NUMBER, number);
    props.long(&tags::ATTACH_METHOD, BY_VALUE);
    props.long(&tags::RENDERING_POSITION, -1);
    props.long(
        &tags::ATTACH_SIZE,
        i32::try_from(decoded_size(part)).unwrap_or(i32::MAX),
    );
    props.text(&tags::ATTACH_MIME_TAG, &mime_tag);
    let text = |name| {
        let field = scanned.field(part, name)?;
        let text = charset::decode(None, &header::unfold(field.value)).into_owned();
        (!text.is_empty()).then_some(text)
    };
    let content_id = text("Content-ID");
    if let Some(id) = &content_id {
        let id = id.strip_prefix('<').unwrap_or(id);
        props.text(&tags::ATTACH_CONTENT_ID, id.strip_suffix('>').unwrap_or(id));
    }
    let location = text("Content-Location");
    if let Some(location) = &location {
        props.text(&tags::ATTACH_CONTENT_LOCATION, location);
    }
    match position {
        Position::Inline if content_id.is_some() || location.is_some() => {
            props.long(&tags::ATTACH_FLAGS, RENDERED_IN_BODY);
            props.flag(&tags::ATTACHMENT_HIDDEN, true);
        }
        Position::Alternative => props.flag(&tags::ATTACHMENT_HIDDEN, true),
        _ => {}
    }
    let time = |name| {
        let value = parameter::joined_raw(disposition_params, name)?;
        Some(FileTime::from_unix(date::parse(&value)?.unix))
    };
    if let Some(time) = time("creation-date") {
        props.time(&tags::CREATION_TIME, time);
    }
    if let Some(time) = time("modification-date") {
        props.time(&tags::LAST_MODIFICATION_TIME, time);
    }
    props
}

/// File name, display name and extension.
pub(super) fn put_name(name: &str, props: &mut Props) {
    props.text(&tags::ATTACH_LONG_FILENAME, name);
    props.text(&tags::ATTACH_FILENAME, name);
    props.text(&tags::DISPLAY_NAME, name);
    if let Some(dot) = name.rfind('.').filter(|at| *at > 0) {
        props.text(&tags::ATTACH_EXTENSION, name.get(dot..).unwrap_or_default());
    }
}

/// `type/subtype` in lower case.
pub(super) fn mime_tag(part: &Part) -> String {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).to_ascii_lowercase();
    format!(
        "{}/{}",
        text(&part.content_type.media_type),
        text(&part.content_type.subtype)
    )
}

/// The name a part gives itself, without folders.
fn file_name(disposition: &[Param], part: &Part) -> Option<String> {
    let name = parameter::joined(disposition, "filename")
        .or_else(|| parameter::joined(&part.content_type.params, "name"))?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = name.trim();
    (!name.is_empty() && name != "." && name != "..").then(|| name.to_owned())
}

/// Octets after decoding, within a few octets of the truth for base64.
fn decoded_size(part: &Part) -> u64 {
    let octets = part.body.end - part.body.start;
    match part.encoding {
        TransferEncoding::Base64 => octets.saturating_sub(part.lines * 2) / 4 * 3,
        TransferEncoding::Identity | TransferEncoding::QuotedPrintable => octets,
    }
}

/// What a file of that type is usually called.
fn extension_of(mime_tag: &str) -> &'static str {
    match mime_tag {
        "text/plain" => ".txt",
        "text/html" => ".html",
        "text/calendar" => ".ics",
        "text/vcard" | "text/x-vcard" | "text/directory" => ".vcf",
        "text/csv" => ".csv",
        "message/rfc822" | "message/global" => ".eml",
        "image/png" => ".png",
        "image/jpeg" | "image/jpg" => ".jpg",
        "image/gif" => ".gif",
        "image/svg+xml" => ".svg",
        "application/pdf" => ".pdf",
        "application/zip" => ".zip",
        "application/json" => ".json",
        "application/pgp-signature" => ".asc",
        "application/pgp-keys" => ".asc",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => ".p7s",
        _ if mime_tag.starts_with("text/") => ".txt",
        _ if mime_tag.starts_with("message/") => ".txt",
        _ => ".dat",
    }
}

/// The display name of an embedded message: its subject.
pub(super) fn embedded_name(block: &[u8]) -> String {
    header::field(block, "Subject")
        .map(|field| encoded_word::decode(field.value))
        .unwrap_or_default()
}
