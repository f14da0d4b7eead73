//! Messages to send, and what a delivery agent may add to them.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::failure::{Context, Outcome};
use crate::random::Random;

/// A message with a name for the report. Bytes end in CRLF.
#[derive(Clone, Debug)]
pub struct Message {
    /// Name of the file it came from, without suffix.
    pub name: String,
    /// The message as sent.
    pub bytes: Vec<u8>,
}

/// The folder with the messages of our own.
pub fn own_messages_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus/messages")
}

/// Messages that every mail program must be able to carry, plus one of 300 KB; in order of name.
pub fn legal_messages() -> Outcome<Vec<Message>> {
    let mut messages = messages_in(&own_messages_folder().join("legal"))?;
    messages.push(Message {
        name: "medium-300k".into(),
        bytes: medium(),
    });
    Ok(messages)
}

/// Every `.eml` file of a folder, in order of name.
pub fn messages_in(folder: &Path) -> Outcome<Vec<Message>> {
    let mut messages = Vec::new();
    for entry in std::fs::read_dir(folder).during(folder.display())? {
        let path = entry?.path();
        if path.extension().is_some_and(|suffix| suffix == "eml") {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            messages.push(Message {
                name,
                bytes: std::fs::read(&path)?,
            });
        }
    }
    messages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(messages)
}

fn medium() -> Vec<u8> {
    let mut random = Random::new(7, 7);
    let mut out = b"From: Alice Example <alice@example.org>\r\nTo: bob@example.test\r\nSubject: medium\r\n\
        Date: Mon, 02 Mar 2026 10:11:12 +0100\r\nMessage-ID: <medium@mail.example.org>\r\nMIME-Version: 1.0\r\n\
        Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    for _ in 0..4000 {
        let digits = b"ABCDEFGHabcdefgh0123456789+/";
        out.extend((0..76).filter_map(|_| random.pick(digits)));
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// SHA-256, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Fields that a delivery agent puts before a message.
const TRACE_FIELDS: [&str; 5] = [
    "return-path",
    "received",
    "delivered-to",
    "x-original-to",
    "envelope-to",
];

/// What of `delivered` follows the trace header that delivery added to `sent`: fields are removed from the top
/// as long as they are trace fields and the rest is longer than what was sent. So a message that carries trace
/// fields of its own keeps them.
pub fn without_added_trace(delivered: &[u8], sent_length: usize) -> &[u8] {
    let mut rest = delivered;
    while rest.len() > sent_length && is_trace_field(rest) {
        rest = after_field(rest);
    }
    rest
}

/// Whether `delivered` is `sent`, byte for byte, below nothing but trace fields.
pub fn is_below_trace(delivered: &[u8], sent: &[u8]) -> bool {
    let Some(mut prefix) = delivered.strip_suffix(sent) else {
        return false;
    };
    while is_trace_field(prefix) {
        prefix = after_field(prefix);
    }
    prefix.is_empty()
}

/// The message without any leading trace field, its own included.
pub fn without_trace(message: &[u8]) -> &[u8] {
    without_added_trace(message, 0)
}

fn is_trace_field(text: &[u8]) -> bool {
    let name = text.split(|byte| *byte == b':').next().unwrap_or_default();
    let Ok(name) = std::str::from_utf8(name.get(..name.len().min(40)).unwrap_or_default()) else {
        return false;
    };
    TRACE_FIELDS
        .iter()
        .any(|field| name.eq_ignore_ascii_case(field))
}

fn after_field(text: &[u8]) -> &[u8] {
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return &[];
        };
        at += end + 1;
        if !matches!(text.get(at), Some(b' ' | b'\t')) {
            return text.get(at..).unwrap_or_default();
        }
    }
}

/// LF line ends, for programs that store mail the Unix way.
pub fn with_lf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for (index, &byte) in message.iter().enumerate() {
        if byte == b'\r' && message.get(index + 1) == Some(&b'\n') {
            continue;
        }
        out.push(byte);
    }
    out
}

/// Every LF that no CR precedes gets one; other bytes stay.
pub fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 32);
    let mut previous = 0;
    for &byte in message {
        if byte == b'\n' && previous != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        previous = byte;
    }
    out
}

/// Where two byte strings part, for a report.
pub fn difference(got: &[u8], want: &[u8]) -> String {
    let at = got
        .iter()
        .zip(want)
        .position(|(a, b)| a != b)
        .unwrap_or(got.len().min(want.len()));
    let around = |bytes: &[u8]| {
        let end = bytes.len().min(at + 30);
        bytes
            .get(at.saturating_sub(20).min(end)..end)
            .unwrap_or_default()
            .escape_ascii()
            .to_string()
    };
    format!(
        "{} bytes, want {}; first difference at {at}: got \"{}\", want \"{}\"",
        got.len(),
        want.len(),
        around(got),
        around(want)
    )
}

#[cfg(test)]
mod tests {
    use super::{with_crlf, with_lf, without_added_trace};

    #[test]
    fn only_added_trace_fields_are_removed() {
        let sent = b"Received: old\r\nSubject: x\r\n\r\n";
        let got = [
            b"Return-Path: <a@b>\r\nReceived: new\r\n\tby us\r\n".as_slice(),
            sent,
        ]
        .concat();
        assert_eq!(without_added_trace(&got, sent.len()), sent);
    }

    #[test]
    fn line_ends_convert_both_ways() {
        assert_eq!(with_lf(b"a\r\nb\rc\n"), b"a\nb\rc\n");
        assert_eq!(with_crlf(b"a\nb\r\nc\r"), b"a\r\nb\r\nc\r");
    }
}
