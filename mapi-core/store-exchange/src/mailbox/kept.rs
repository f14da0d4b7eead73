//! Originals that are kept, and whether they still say what the server's message says.
//!
//! A message that was stored here is served byte for byte as it was given, whatever a server makes of it. When its change
//! key changes there, somebody may have edited it, or only marked it: then the original stays.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use mapi_store::{ByteRange, READ_BYTES_MAX, Result};
use mapi_types::{
    AttachmentData, ContentHash, Draft, FileTime, FolderId, ItemNumber, Message, MessageTree,
    PropBag, tags,
};
use tokio::task::spawn_blocking;

use super::Mailbox;
use crate::message::{content, whole};

impl Mailbox {
    /// An item as its original says it, with texts and attachments; `None` when it has none.
    pub(super) async fn original_of(
        &self,
        folder: FolderId,
        item: ItemNumber,
    ) -> Result<Option<MessageTree>> {
        let Some(octets) = self.octets_of(folder, item).await? else {
            return Ok(None);
        };
        let message = Message {
            tree: self.inner.read_message(folder, item).await?,
            original: Some(content(octets)),
            ..Message::default()
        };
        let draft = Draft {
            key: None,
            message: Arc::new(message),
            props: PropBag::default(),
            prefix: Bytes::new(),
        };
        // Bytes in memory do not fail to be read.
        let tree = spawn_blocking(move || whole(&draft, FileTime::default()).ok());
        Ok(tree.await.ok().flatten())
    }

    /// An original.
    pub(crate) async fn octets_of(
        &self,
        folder: FolderId,
        item: ItemNumber,
    ) -> Result<Option<Vec<u8>>> {
        let mut octets = Vec::new();
        loop {
            let piece = ByteRange {
                item,
                tag: tags::ORIGINAL.tag(),
                offset: octets.len() as u64,
                len: READ_BYTES_MAX,
            };
            let read = self.inner.read_bytes(folder, &[piece]).await?;
            let Some(read) = read.into_iter().next().flatten() else {
                return Ok(None);
            };
            octets.extend_from_slice(&read);
            if read.len() < READ_BYTES_MAX as usize {
                return Ok(Some(octets));
            }
        }
    }
}

/// Whether two messages say the same to people: subject, texts, recipients, attachments.
pub(super) fn says_the_same(kept: &MessageTree, there: &MessageTree) -> bool {
    let subject = |tree: &MessageTree| {
        let subject = tree.props.get(&tags::SUBJECT).unwrap_or_default();
        subject.trim().to_owned()
    };
    subject(kept) == subject(there)
        && texts_agree(kept, there)
        && addresses(kept) == addresses(there)
        && attached(kept) == attached(there)
}

/// Texts that both have; a server may have made the others of these.
fn texts_agree(kept: &MessageTree, there: &MessageTree) -> bool {
    let plain = |tree: &MessageTree| tree.props.get(&tags::BODY).map(plain);
    let html = |tree: &MessageTree| {
        let html = tree.props.get(&tags::BODY_HTML)?;
        Some(html.trim_ascii().to_vec())
    };
    match ((html(kept), html(there)), (plain(kept), plain(there))) {
        ((Some(kept), Some(there)), _) => kept == there,
        (_, (Some(kept), Some(there))) => kept == there,
        (_, (None, there)) => there.unwrap_or_default().is_empty(),
        (_, (Some(kept), None)) => kept.is_empty(),
    }
}

/// A text without what differs between line ends, and at the end.
fn plain(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Who gets it, in whatever order.
fn addresses(tree: &MessageTree) -> Vec<(i32, String)> {
    let mut all: Vec<_> = tree
        .recipients
        .iter()
        .map(|recipient| {
            let smtp = recipient.get(&tags::SMTP_ADDRESS);
            let address = smtp.or_else(|| recipient.get(&tags::EMAIL_ADDRESS));
            (
                recipient.get(&tags::RECIPIENT_TYPE).unwrap_or(1),
                address.unwrap_or_default().to_lowercase(),
            )
        })
        .collect();
    all.sort_unstable();
    all
}

/// How often which data are attached, and what messages.
fn attached(tree: &MessageTree) -> (HashMap<ContentHash, u32>, Vec<String>) {
    let (mut data, mut messages) = (HashMap::new(), Vec::new());
    for attachment in &tree.attachments {
        match &attachment.data {
            AttachmentData::Inline(octets) => {
                let hash = ContentHash(blake3::hash(octets).into());
                *data.entry(hash).or_default() += 1;
            }
            AttachmentData::Message(embedded) => {
                let subject = embedded.props.get(&tags::SUBJECT).unwrap_or_default();
                messages.push(subject.trim().to_owned());
            }
            AttachmentData::None | AttachmentData::Part { .. } => {}
        }
    }
    messages.sort_unstable();
    (data, messages)
}

#[cfg(test)]
mod tests {
    use mapi_types::{Attachment, OwnedValue, PropTag};

    use super::*;

    fn message(props: &[(PropTag, OwnedValue)], data: &'static [u8]) -> MessageTree {
        let bob = [(
            tags::EMAIL_ADDRESS.tag(),
            OwnedValue::Str("Bob@example.test".into()),
        )];
        MessageTree {
            props: props.iter().cloned().collect(),
            recipients: vec![bob.into_iter().collect()],
            attachments: vec![Attachment {
                props: PropBag::default(),
                data: AttachmentData::Inline(Bytes::from_static(data)),
            }],
        }
    }

    fn text(text: &str) -> OwnedValue {
        OwnedValue::Str(text.into())
    }

    #[test]
    fn marks_and_what_a_server_adds_are_no_other_message() {
        let own = [
            (tags::SUBJECT.tag(), text("Plans")),
            (tags::BODY.tag(), text("one \r\ntwo\r\n")),
        ];
        let marked = [
            (tags::SUBJECT.tag(), text("Plans")),
            (tags::BODY.tag(), text("one\ntwo")),
            (
                tags::BODY_HTML.tag(),
                OwnedValue::Bin(b"<p>one".as_slice().into()),
            ),
            (tags::FLAG_STATUS.tag(), OwnedValue::I32(2)),
        ];
        assert!(says_the_same(&message(&own, b"1"), &message(&marked, b"1")));
    }

    #[test]
    fn another_subject_text_recipient_or_attachment_is_another_message() {
        let props = |subject: &str, body: &str| {
            [
                (tags::SUBJECT.tag(), text(subject)),
                (tags::BODY.tag(), text(body)),
            ]
        };
        let kept = message(&props("Plans", "one"), b"1");
        assert!(!says_the_same(&kept, &message(&props("Plan", "one"), b"1")));
        assert!(!says_the_same(
            &kept,
            &message(&props("Plans", "two"), b"1")
        ));
        assert!(!says_the_same(
            &kept,
            &message(&props("Plans", "one"), b"2")
        ));
        let mut other = message(&props("Plans", "one"), b"1");
        other.recipients.clear();
        assert!(!says_the_same(&kept, &other));
    }
}
