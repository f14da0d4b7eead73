//! Attachments as MIME entities. Source: MS-OXCMAIL 2.1.3.4, MS-OXOSMIME 2.2.

use bytes::Bytes;
use mapi_types::{Attachment, AttachmentData, MessageTree, TransferEncoding, tags};

use super::{Exporter, Node, field::Fields, segment::Segment};
use crate::{header, oxcmail::attachment::RENDERED_IN_BODY};

/// Embedded messages within embedded messages; deeper ones are left out.
const EMBEDDED_DEPTH_MAX: usize = 32;

/// An attachment's data as it will stand in the message.
struct Payload<'t> {
    mime_tag: &'t str,
    encoding: &'static str,
    segments: Vec<Segment>,
}

impl Exporter<'_> {
    /// An attachment as an entity; `None` when there is nothing to send.
    pub(super) fn attachment(
        &mut self,
        index: usize,
        attachment: &Attachment,
        disposition: &str,
    ) -> Option<Node> {
        let props = &attachment.props;
        let name = [
            &tags::ATTACH_LONG_FILENAME,
            &tags::ATTACH_FILENAME,
            &tags::DISPLAY_NAME,
        ]
        .iter()
        .find_map(|tag| props.get(*tag))
        .filter(|name| !name.is_empty());
        let Payload {
            mime_tag,
            encoding,
            segments,
        } = self.payload(index, attachment)?;
        let mut fields = Fields::default();
        let params: &[(&str, &str)] = if let Some(name) = name {
            &[("name", name)]
        } else {
            &[]
        };
        fields.with_params("Content-Type", mime_tag, params);
        fields.ids("Content-Transfer-Encoding", encoding);
        let params: &[(&str, &str)] = if let Some(name) = name {
            &[("filename", name)]
        } else {
            &[]
        };
        fields.with_params("Content-Disposition", disposition, params);
        if let Some(id) = props
            .get(&tags::ATTACH_CONTENT_ID)
            .filter(|id| !id.is_empty())
        {
            fields.ids("Content-ID", &format!("<{id}>"));
        }
        if let Some(location) = props.get(&tags::ATTACH_CONTENT_LOCATION) {
            fields.ids("Content-Location", location);
        }
        Some(Node {
            fields: fields.finish(),
            segments,
            eight_bit: encoding == "8bit",
        })
    }

    /// An attachment's data; `None` when there is none to send.
    fn payload<'t>(&mut self, index: usize, attachment: &'t Attachment) -> Option<Payload<'t>> {
        let mime_tag = attachment
            .props
            .get(&tags::ATTACH_MIME_TAG)
            .filter(|tag| is_media_type(tag));
        let mime_tag = mime_tag.unwrap_or("application/octet-stream");
        let payload = |mime_tag, encoding, segment| Payload {
            mime_tag,
            encoding,
            segments: vec![segment],
        };
        Some(match &attachment.data {
            AttachmentData::Message(tree) if self.depth < EMBEDDED_DEPTH_MAX => {
                self.depth += 1;
                self.path.push(index);
                let node = self.message(tree);
                self.path.pop();
                self.depth -= 1;
                let encoding = if node.eight_bit { "8bit" } else { "7bit" };
                Payload {
                    mime_tag: "message/rfc822",
                    encoding,
                    segments: node.segments,
                }
            }
            AttachmentData::None | AttachmentData::Message(_) => {
                self.omitted(tags::ATTACH_METHOD.tag());
                return None;
            }
            AttachmentData::Part { range, encoding } => {
                let encoded = *encoding != TransferEncoding::Identity;
                let composite = mime_tag.starts_with("multipart/")
                    || (mime_tag.starts_with("message/") && encoded);
                let mime_tag = if composite {
                    "application/octet-stream"
                } else {
                    mime_tag
                };
                payload(
                    mime_tag,
                    encoding_name(*encoding),
                    Segment::Original(range.clone()),
                )
            }
            // RFC 2046 5.2.1: a message is never encoded.
            AttachmentData::Inline(data) if mime_tag.starts_with("message/") => {
                payload(mime_tag, "8bit", Segment::Octets(data.clone()))
            }
            // A multipart is never encoded either, and would be taken apart.
            AttachmentData::Inline(data) if mime_tag.starts_with("multipart/") => payload(
                "application/octet-stream",
                "base64",
                Segment::Base64(data.clone()),
            ),
            AttachmentData::Inline(data) => {
                payload(mime_tag, "base64", Segment::Base64(data.clone()))
            }
        })
    }

    /// The entity of an S/MIME message, from its one attachment. Source: MS-OXOSMIME 2.2.
    pub(super) fn smime(&self, tree: &MessageTree) -> Option<Node> {
        let class = tree.props.get(&tags::MESSAGE_CLASS)?.to_ascii_lowercase();
        let [attachment] = tree.attachments.as_slice() else {
            return None;
        };
        if class.starts_with("ipm.note.smime.multipartsigned") {
            let AttachmentData::Inline(data) = &attachment.data else {
                return None;
            };
            return signed(data);
        }
        if !class.starts_with("ipm.note.smime") {
            return None;
        }
        let (encoding, segment) = match &attachment.data {
            AttachmentData::Inline(data) => ("base64", Segment::Base64(data.clone())),
            AttachmentData::Part { range, encoding } => {
                (encoding_name(*encoding), Segment::Original(range.clone()))
            }
            AttachmentData::None | AttachmentData::Message(_) => return None,
        };
        let mut fields = Fields::default();
        let mime_tag = attachment
            .props
            .get(&tags::ATTACH_MIME_TAG)
            .filter(|tag| is_media_type(tag));
        let mime_tag = mime_tag.unwrap_or("application/pkcs7-mime");
        fields.with_params("Content-Type", mime_tag, &[("name", "smime.p7m")]);
        fields.ids("Content-Transfer-Encoding", encoding);
        fields.with_params(
            "Content-Disposition",
            "attachment",
            &[("filename", "smime.p7m")],
        );
        let eight_bit = encoding == "8bit";
        Some(Node {
            fields: fields.finish(),
            segments: vec![segment],
            eight_bit,
        })
    }
}

/// The name of an encoding in which octets are already.
const fn encoding_name(encoding: TransferEncoding) -> &'static str {
    match encoding {
        TransferEncoding::Base64 => "base64",
        TransferEncoding::QuotedPrintable => "quoted-printable",
        TransferEncoding::Identity => "8bit",
    }
}

/// A signed entity as it is: its MIME fields, then its octets.
fn signed(data: &Bytes) -> Option<Node> {
    let mut fields = Vec::new();
    let mut end = 0;
    for field in header::fields(data) {
        end = field.offset + field.raw.len();
        if field.name.to_ascii_lowercase().starts_with(b"content-") {
            fields.extend_from_slice(field.raw);
        }
    }
    let rest = data.get(end..)?;
    let blank = [&b"\r\n"[..], b"\n"]
        .into_iter()
        .find(|blank| rest.starts_with(blank))?;
    let fields = String::from_utf8(fields)
        .ok()
        .filter(|fields| fields.ends_with('\n'))?;
    let body = data.slice(end + blank.len()..);
    let eight_bit = !body.is_ascii();
    Some(Node {
        fields,
        segments: vec![Segment::Octets(body)],
        eight_bit,
    })
}

/// Shown by the HTML body.
pub(super) fn is_inline(attachment: &Attachment) -> bool {
    let props = &attachment.props;
    let rendered = props.get(&tags::ATTACH_FLAGS).unwrap_or(0) & RENDERED_IN_BODY != 0
        || props.get(&tags::ATTACHMENT_HIDDEN) == Some(true);
    rendered
        && !matches!(attachment.data, AttachmentData::Message(_))
        && (props.get(&tags::ATTACH_CONTENT_ID).is_some()
            || props.get(&tags::ATTACH_CONTENT_LOCATION).is_some())
}

/// `type/subtype` of token characters.
fn is_media_type(tag: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    tag.split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}
