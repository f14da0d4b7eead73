//! From a scanned message to a message object.
//!
//! The body's text and the attachments' data stay in the original, which the store keeps: properties say what it is,
//! attachments where it is. Source: MS-OXCMAIL 2.2.3.

use std::io;

use mapi_types::{
    Attachment, AttachmentData, FileTime, MessageTree, ReadAt, TransferEncoding, tags,
    tags::message_flags,
};

use super::{
    Warning,
    attachment::{self, BY_VALUE, EMBEDDED_MESSAGE},
    body,
    class::Class,
    fields,
    layout::{Layout, Placed},
    props::Props,
    recipients,
};
use crate::{Part, PartKind, Scanned};

/// Converts a message that came as RFC 5322 into properties, recipients and attachments.
///
/// Never fails: what cannot be understood gives a warning and stays in the original. `now` is when it arrived
/// (PidTagMessageDeliveryTime), and stands for dates the message lacks. Body text is not copied into properties;
/// attachment data is a range of the original. Cost: the header blocks are read several times, the bodies never.
pub fn import(scanned: &Scanned, now: FileTime) -> (MessageTree, Vec<Warning>) {
    let mut importer = Importer {
        scanned,
        now,
        original: None,
        warnings: Vec::new(),
    };
    let tree = importer.top();
    (tree, importer.warnings)
}

/// The same with the texts (PidTagBody, PidTagHtml) in the properties, those of embedded messages too: for a message
/// that will be edited, after which its original is gone.
///
/// Attachment data are still ranges of the original. Texts may be above 64 KiB. Blocking, unless the original is in
/// memory. Errors: of the original.
pub fn import_with_text(
    scanned: &Scanned,
    original: &dyn ReadAt,
    now: FileTime,
) -> io::Result<(MessageTree, Vec<Warning>)> {
    let original = Some(Original {
        source: original,
        error: None,
    });
    let mut importer = Importer {
        scanned,
        now,
        original,
        warnings: Vec::new(),
    };
    let tree = importer.top();
    match importer.original.and_then(|original| original.error) {
        Some(error) => Err(error),
        None => Ok((tree, importer.warnings)),
    }
}

struct Importer<'a> {
    scanned: &'a Scanned,
    now: FileTime,
    original: Option<Original<'a>>,
    warnings: Vec<Warning>,
}

/// Where texts are read, and the first error of that.
struct Original<'a> {
    source: &'a dyn ReadAt,
    error: Option<io::Error>,
}

impl Importer<'_> {
    fn top(&mut self) -> MessageTree {
        if self.scanned.limited {
            self.warnings.push(Warning::LimitMet);
        }
        self.message(0)
    }

    /// The message whose root is part `index`. Recursion is bounded by the scanner's depth.
    fn message(&mut self, index: usize) -> MessageTree {
        let Some(root) = self.scanned.part(index) else {
            return MessageTree::default();
        };
        let block = self.scanned.header(root);
        let class = Class::of(self.scanned, root);
        let mut props = Props::default();
        props.text(&tags::MESSAGE_CLASS, &class.name());
        // An embedded message did not arrive.
        let arrived = (index == 0).then_some(self.now);
        fields::put(block, arrived, &mut props);
        if let Some(now) = arrived {
            props.time(&tags::MESSAGE_DELIVERY_TIME, now);
            props.time(&tags::CREATION_TIME, now);
            props.time(&tags::LAST_MODIFICATION_TIME, now);
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
        body::put_kind(self.scanned, &layout, props);
        if let Some(original) = &mut self.original
            && let Err(error) = body::put_text(self.scanned, &layout, original.source, props)
        {
            original.error.get_or_insert(error);
        }
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

    /// The whole entity with its header, so that the signature stays valid. Source: MS-OXOSMIME 2.1.3.2.
    fn signed_entity(&mut self, root: &Part) -> Attachment {
        let range = root.header.start..root.body.end;
        let mut data = AttachmentData::Part {
            range,
            encoding: TransferEncoding::Identity,
        };
        if let Some(original) = &mut self.original {
            match body::entity(self.scanned, root, original.source) {
                Ok(Some(entity)) => data = AttachmentData::Inline(entity),
                Ok(None) => self.warnings.push(Warning::Omitted(tags::BODY.tag())),
                Err(error) => {
                    original.error.get_or_insert(error);
                }
            }
        }
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
