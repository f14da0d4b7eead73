//! From a scanned message to a message object.
//!
//! The body's text and the attachments' data stay in the original, which the store keeps: properties say what it is,
//! attachments where it is. Source: MS-OXCMAIL 2.2.3.

use mapi_types::{
    Attachment, AttachmentData, FileTime, MessageTree, TransferEncoding, tags, tags::message_flags,
};

use super::{
    Warning,
    attachment::{self, BY_VALUE, EMBEDDED_MESSAGE},
    class::Class,
    fields,
    layout::{Layout, Placed},
    props::Props,
    recipients,
};
use crate::{Part, PartKind, Scanned, charset, parameter};

/// Converts a message that came as RFC 5322 into properties, recipients and attachments.
///
/// Never fails: what cannot be understood gives a warning and stays in the original. `now` is when it arrived
/// (PidTagMessageDeliveryTime), and stands for dates the message lacks. Body text is not copied into properties;
/// attachment data is a range of the original. Cost: the header blocks are read several times, the bodies never.
pub fn import(scanned: &Scanned, now: FileTime) -> (MessageTree, Vec<Warning>) {
    let mut importer = Importer {
        scanned,
        now,
        warnings: Vec::new(),
    };
    if scanned.limited {
        importer.warnings.push(Warning::LimitMet);
    }
    let tree = importer.message(0);
    (tree, importer.warnings)
}

struct Importer<'a> {
    scanned: &'a Scanned,
    now: FileTime,
    warnings: Vec<Warning>,
}

impl Importer<'_> {
    /// The message whose root is part `index`. Recursion is bounded by the scanner's depth.
    fn message(&mut self, index: usize) -> MessageTree {
        let Some(root) = self.scanned.part(index) else {
            return MessageTree::default();
        };
        let block = self.scanned.header(root);
        let class = Class::of(self.scanned, root);
        let mut props = Props::default();
        props.text(&tags::MESSAGE_CLASS, &class.name());
        fields::put(block, self.now, &mut props);
        for tag in [
            &tags::MESSAGE_DELIVERY_TIME,
            &tags::CREATION_TIME,
            &tags::LAST_MODIFICATION_TIME,
        ] {
            props.time(tag, self.now);
        }
        let mut recipients = recipients::put(block, &mut props, &mut self.warnings);
        let attachments = match &class {
            Class::ClearSigned => vec![self.signed_entity(root)],
            Class::Opaque => vec![self.opaque_entity(root)],
            Class::Note(_) | Class::Report(_) => self.body_and_attachments(index, &mut props),
        };
        if let Class::Report(report) = &class {
            report.put(self.now, &mut props);
            let reported = report.recipients(&mut self.warnings);
            if !reported.is_empty() {
                recipients = reported;
            }
        }
        let has_attachments = attachments
            .iter()
            .any(|attachment| attachment.props.get(&tags::ATTACHMENT_HIDDEN) != Some(true));
        props.flag(&tags::HAS_ATTACHMENTS, has_attachments);
        let attached = if has_attachments {
            message_flags::HAS_ATTACH
        } else {
            0
        };
        let flags = message_flags::UNMODIFIED | message_flags::INTERNET | attached;
        props.long(&tags::MESSAGE_FLAGS, flags);
        MessageTree {
            props: props.finish(&mut self.warnings),
            recipients,
            attachments,
        }
    }

    fn body_and_attachments(&mut self, root: usize, props: &mut Props) -> Vec<Attachment> {
        let layout = Layout::of(self.scanned, root);
        let best = layout
            .html
            .or(layout.plain)
            .and_then(|index| self.scanned.part(index));
        if let Some(body) = best {
            let label = parameter::joined_raw(&body.content_type.params, "charset");
            props.long(
                &tags::INTERNET_CODEPAGE,
                charset::code_page(label.as_deref()),
            );
            props.long(
                &tags::NATIVE_BODY,
                if layout.html.is_some() { 3 } else { 1 },
            );
        }
        props.flag(&tags::RTF_IN_SYNC, false);
        // What a report says to machines has become properties.
        let shown = |placed: &&Placed| {
            self.scanned
                .part(placed.part)
                .is_some_and(|part| self.scanned.report(part).is_none())
        };
        let placed: Vec<Placed> = layout.attachments.iter().filter(shown).copied().collect();
        let placed = placed.into_iter().enumerate();
        placed
            .filter_map(|(number, placed)| self.attachment(placed, number))
            .collect()
    }

    fn attachment(&mut self, placed: Placed, number: usize) -> Option<Attachment> {
        let part = self.scanned.part(placed.part)?;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let mut props = attachment::props(self.scanned, part, number, placed.position);
        let embedded = part
            .children
            .first()
            .copied()
            .filter(|_| part.kind == PartKind::Message);
        let data = match embedded {
            Some(root) if part.encoding == TransferEncoding::Identity => {
                props.long(&tags::ATTACH_METHOD, EMBEDDED_MESSAGE);
                let inner = self.scanned.part(root)?;
                props.text(
                    &tags::DISPLAY_NAME,
                    &attachment::embedded_name(self.scanned.header(inner)),
                );
                AttachmentData::Message(Box::new(self.message(root)))
            }
            _ => AttachmentData::Part {
                range: part.body.clone(),
                encoding: part.encoding,
            },
        };
        Some(Attachment {
            props: props.finish(&mut self.warnings),
            data,
        })
    }

    /// The whole entity, header included, so that the signature stays valid. Source: MS-OXOSMIME 2.1.3.2.
    fn signed_entity(&mut self, root: &Part) -> Attachment {
        let range = root.header.start..root.body.end;
        let data = AttachmentData::Part {
            range,
            encoding: TransferEncoding::Identity,
        };
        self.smime(data, "multipart/signed")
    }

    /// Source: MS-OXOSMIME 2.1.3.1.
    fn opaque_entity(&mut self, root: &Part) -> Attachment {
        let data = AttachmentData::Part {
            range: root.body.clone(),
            encoding: root.encoding,
        };
        let mime_tag = attachment::mime_tag(root);
        self.smime(data, &mime_tag)
    }

    fn smime(&mut self, data: AttachmentData, mime_tag: &str) -> Attachment {
        let mut props = Props::default();
        attachment::put_name("smime.p7m", &mut props);
        props.long(&tags::ATTACH_NUMBER, 0);
        props.long(&tags::ATTACH_METHOD, BY_VALUE);
        props.long(&tags::RENDERING_POSITION, -1);
        props.text(&tags::ATTACH_MIME_TAG, mime_tag);
        Attachment {
            props: props.finish(&mut self.warnings),
            data,
        }
    }
}
