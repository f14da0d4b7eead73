//! From a message object to RFC 5322, for messages that have no original. Source: MS-OXCMAIL 2.1.
//!
//! Deterministic to the octet: no clock, no randomness; boundaries come from a hash of what the message says and of
//! where the boundary stands. So sizes and structures stay what IMAP clients were told.

mod attachment;
mod body;
mod field;
mod message_fields;
mod segment;

use mapi_types::{MessageTree, PropTag, tags};
use md5::{Digest as _, Md5};

pub use self::segment::{Export, Segment};
use self::{attachment::is_inline, field::Fields};
use super::Warning;
use crate::{charset, html};

/// What a message is called where it has no name of its own.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Identifies the message's content: the same for the same content, for ever.
    pub key: &'a [u8],
    /// The domain of made-up ids and of encapsulated addresses.
    pub domain: &'a str,
}

impl Identity<'_> {
    /// A hash of the key and where something stands in the message.
    fn digest(&self, path: &[usize]) -> String {
        let mut hash = Md5::new();
        hash.update((self.key.len() as u64).to_le_bytes());
        hash.update(self.key);
        for step in path {
            hash.update((*step as u64).to_le_bytes());
        }
        hash.finalize()
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect()
    }
}

/// Converts a message object into a message.
///
/// Never fails: what RFC 5322 cannot say is left out with a warning. Cost: texts are copied, attachments are not.
pub fn export(tree: &MessageTree, identity: &Identity<'_>) -> (Export, Vec<Warning>) {
    let content = content_digest(tree, identity);
    let mut exporter = Exporter {
        identity: Identity {
            key: &content,
            domain: identity.domain,
        },
        named: *identity,
        path: Vec::new(),
        depth: 0,
        warnings: Vec::new(),
    };
    let node = exporter.message(tree);
    (
        Export {
            segments: merged(node.segments),
        },
        exporter.warnings,
    )
}

/// Boundaries depend on the text, so that no text can contain its own boundary.
fn content_digest(tree: &MessageTree, identity: &Identity<'_>) -> [u8; 16] {
    let mut hash = Md5::new();
    let texts =
        [&tags::SUBJECT, &tags::BODY].map(|tag| tree.props.get(tag).unwrap_or_default().as_bytes());
    let html = tree.props.get(&tags::BODY_HTML).unwrap_or_default();
    for part in [identity.key, texts[0], texts[1], html] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

struct Exporter<'a> {
    /// Of boundaries.
    identity: Identity<'a>,
    /// Of ids and addresses.
    named: Identity<'a>,
    /// Where the part being written stands.
    path: Vec<usize>,
    /// Embedded messages around it.
    depth: usize,
    warnings: Vec<Warning>,
}

/// An entity: its MIME fields with the rest behind them.
struct Node {
    /// MIME fields without the blank line.
    fields: String,
    /// The body.
    segments: Vec<Segment>,
    /// It has octets above 127, or may have.
    eight_bit: bool,
}

impl Exporter<'_> {
    /// A whole message: fields, blank line, body.
    fn message(&mut self, tree: &MessageTree) -> Node {
        let mut fields = Fields::default();
        message_fields::put(tree, &self.named, self.depth > 0, &mut fields);
        let entity = self.smime(tree).unwrap_or_else(|| self.entity(tree));
        let mut head = fields.finish();
        // Internationalised addresses stand in the header as UTF-8 (RFC 6532).
        let eight_bit = entity.eight_bit || !head.is_ascii();
        head.push_str(&entity.fields);
        head.push_str("\r\n");
        let mut segments = vec![Segment::Octets(head.into())];
        segments.extend(entity.segments);
        Node {
            fields: String::new(),
            segments,
            eight_bit,
        }
    }

    /// mixed(related(alternative(plain, html), inline…), attachments…), without the levels that have one part.
    fn entity(&mut self, tree: &MessageTree) -> Node {
        let has_html = tree.props.get(&tags::BODY_HTML).is_some();
        let (inline, beside): (Vec<_>, Vec<_>) = tree
            .attachments
            .iter()
            .enumerate()
            .partition(|(_, attachment)| has_html && is_inline(attachment));
        let mut related = vec![self.body(tree)];
        self.path.push(1);
        related.extend(
            inline
                .iter()
                .filter_map(|(index, a)| self.attachment(*index, a, "inline")),
        );
        self.path.pop();
        let body = self.multipart("related", related, 1);
        let mut mixed = vec![body];
        self.path.push(0);
        mixed.extend(
            beside
                .iter()
                .filter_map(|(index, a)| self.attachment(*index, a, "attachment")),
        );
        self.path.pop();
        self.multipart("mixed", mixed, 0)
    }

    fn body(&mut self, tree: &MessageTree) -> Node {
        let plain = tree.props.get(&tags::BODY);
        let Some(octets) = tree.props.get(&tags::BODY_HTML) else {
            if plain.is_none() && tree.props.get(&tags::RTF_COMPRESSED).is_some() {
                self.omitted(tags::RTF_COMPRESSED.tag());
            }
            return text("plain", "utf-8", plain.unwrap_or_default().as_bytes());
        };
        let label = tree
            .props
            .get(&tags::INTERNET_CODEPAGE)
            .and_then(charset::label);
        // PidTagHtml without a code page is UTF-8 in the stores that know nothing else.
        let label = label.unwrap_or("utf-8");
        // A text that is not what the code page says came without a charset.
        let label = match label {
            "utf-8" | "UTF-8" | "us-ascii" if std::str::from_utf8(octets).is_err() => {
                "windows-1252"
            }
            other => other,
        };
        let shown = charset::decode(Some(label.as_bytes()), octets);
        let derived;
        let plain = match plain {
            Some(plain) => plain,
            None => {
                derived = html::to_text(&shown);
                &derived
            }
        };
        let alternatives = vec![
            text("plain", "utf-8", plain.as_bytes()),
            text("html", label, octets),
        ];
        self.multipart("alternative", alternatives, 2)
    }

    /// The parts as one; a single one alone.
    fn multipart(&self, subtype: &str, mut parts: Vec<Node>, level: usize) -> Node {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return only;
        }
        let path: Vec<usize> = self
            .path
            .iter()
            .copied()
            .chain([usize::MAX, level])
            .collect();
        let boundary = format!("=_{}", self.identity.digest(&path));
        let eight_bit = parts.iter().any(|part| part.eight_bit);
        let mut fields = Fields::default();
        fields.with_params(
            "Content-Type",
            &format!("multipart/{subtype}"),
            &[("boundary", &boundary)],
        );
        if eight_bit {
            fields.ids("Content-Transfer-Encoding", "8bit");
        }
        let mut segments = Vec::new();
        for part in parts {
            // The line end before a boundary belongs to it, so every part ends with one of its own or not at all.
            let line_end = if segments.is_empty() { "" } else { "\r\n" };
            let open = format!("{line_end}--{boundary}\r\n{}\r\n", part.fields);
            segments.push(Segment::Octets(open.into()));
            segments.extend(part.segments);
        }
        segments.push(Segment::Octets(format!("\r\n--{boundary}--\r\n").into()));
        Node {
            fields: fields.finish(),
            segments,
            eight_bit,
        }
    }

    fn omitted(&mut self, tag: PropTag) {
        self.warnings.push(Warning::Omitted(tag));
    }
}

fn text(subtype: &str, label: &str, octets: &[u8]) -> Node {
    let encoded = body::encode(octets);
    let mut fields = Fields::default();
    let label = if octets.is_ascii() && !label.starts_with("iso-2022") {
        "us-ascii"
    } else {
        label
    };
    fields.with_params(
        "Content-Type",
        &format!("text/{subtype}"),
        &[("charset", &label.to_ascii_lowercase())],
    );
    fields.ids("Content-Transfer-Encoding", encoded.name);
    Node {
        fields: fields.finish(),
        segments: vec![encoded.segment],
        eight_bit: false,
    }
}

/// Neighbouring octets as one segment.
fn merged(segments: Vec<Segment>) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    for segment in segments {
        match segment {
            Segment::Octets(octets) => run.extend_from_slice(&octets),
            other => {
                if !run.is_empty() {
                    out.push(Segment::Octets(std::mem::take(&mut run).into()));
                }
                out.push(other);
            }
        }
    }
    if !run.is_empty() {
        out.push(Segment::Octets(run.into()));
    }
    out
}
