//! Drafts: everything said in properties, for a server keeps no original.

use std::io;

use bytes::Bytes;
use mapi_convert::{Limits, Scanner, decode, oxcmail};
use mapi_types::{
    AttachmentData, Content, Draft, FileTime, MessageTree, OwnedValue, PropBag, tags,
};

use super::over;

/// What a draft is to be on the server: everything said in properties, for a server keeps no original.
///
/// Blocking, unless the original is in memory. Errors: of the original.
pub(crate) fn whole(draft: &Draft, now: FileTime) -> io::Result<MessageTree> {
    let own = &draft.message.tree;
    let Some(original) = &draft.message.original else {
        return Ok(MessageTree {
            props: flagged(over(&own.props, &draft.props)),
            ..own.clone()
        });
    };
    let mut scanner = Scanner::new(Limits::default());
    each_piece(original, &mut |piece| scanner.feed(piece))?;
    let (imported, _) = oxcmail::import_with_text(&scanner.finish(), original.source(), now)?;
    // What was derived at arrival wins: delivery may know more than the message says.
    let props = over(&imported.props, &own.props);
    let mut tree = MessageTree {
        props: flagged(over(&props, &draft.props)),
        recipients: own.recipients.clone(),
        // The same ones, but those that are messages have their texts.
        attachments: match imported.attachments.len() == own.attachments.len() {
            true => imported.attachments,
            false => own.attachments.clone(),
        },
    };
    detach(&mut tree, original)?;
    Ok(tree)
}

/// Text and HTML of an original, as far as it has them.
pub(crate) fn texts(octets: Vec<u8>) -> [Option<Bytes>; 2] {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(&octets);
    let original = Bytes::from(octets);
    let imported = oxcmail::import_with_text(&scanner.finish(), &original, FileTime::default());
    // Bytes in memory do not fail to be read.
    let Ok((tree, _)) = imported else {
        return [None, None];
    };
    let text = tree.props.get(&tags::BODY).map(str::as_bytes);
    let html = tree.props.get(&tags::BODY_HTML);
    [text, html].map(|octets| octets.map(Bytes::copy_from_slice))
}

/// Flags are always said: a server that hears of none makes a message unsent.
fn flagged(props: PropBag) -> PropBag {
    match props.get(&tags::MESSAGE_FLAGS) {
        Some(_) => props,
        None => props.with(&[(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(0))], &[]),
    }
}

/// Octets read from an original at once.
const PIECE_BYTES: u64 = 256 << 10;

fn each_piece(original: &Content, sink: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut at = 0;
    while at < original.len() {
        let len = (original.len() - at).min(PIECE_BYTES);
        let mut piece = vec![0; len as usize];
        original.source().read_exact_at(&mut piece, at)?;
        sink(&piece);
        at += len;
    }
    Ok(())
}

/// Attachments that are ranges of the original become octets.
fn detach(tree: &mut MessageTree, original: &Content) -> io::Result<()> {
    for attachment in &mut tree.attachments {
        match &mut attachment.data {
            AttachmentData::Part { range, encoding } => {
                let len = usize::try_from(range.end.saturating_sub(range.start))
                    .map_err(|_| io::ErrorKind::OutOfMemory)?;
                let mut octets = vec![0; len];
                original.source().read_exact_at(&mut octets, range.start)?;
                let data = decode::decode(*encoding, &octets);
                attachment.data = AttachmentData::Inline(data.into());
            }
            AttachmentData::Message(message) => detach(message, original)?,
            AttachmentData::None | AttachmentData::Inline(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use mapi_types::{Derived, Message};

    use super::{super::content, *};
    use crate::{
        message::{to_message, tree},
        values::Names,
    };

    const MAIL: &[u8] = b"From: Ada <ada@example.test>\r\nTo: bob@example.test\r\nSubject: Plans\r\n\
        Message-ID: <1@example.test>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
        Gr\xc3\xbc\xc3\x9fe\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n";

    pub(crate) fn draft() -> Draft {
        let mut scanner = Scanner::new(Limits::default());
        scanner.feed(MAIL);
        let (tree, _) = oxcmail::import(&scanner.finish(), FileTime::from_unix(0));
        Draft {
            key: None,
            message: Arc::new(Message {
                tree,
                original: Some(content(MAIL.to_vec())),
                derived: Derived::default(),
            }),
            props: [(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(1))]
                .into_iter()
                .collect(),
            prefix: Bytes::new(),
        }
    }

    #[test]
    fn a_draft_is_said_wholly_in_properties_and_comes_back_through_a_stream() {
        let said = whole(&draft(), FileTime::from_unix(0)).unwrap();
        assert_eq!(
            said.props.get(&tags::BODY).map(str::trim_end),
            Some("Grüße")
        );
        assert_eq!(said.props.get(&tags::MESSAGE_FLAGS), Some(1));
        let data = &said.attachments[0].data;
        assert_eq!(*data, AttachmentData::Inline(Bytes::from_static(b"%PDF")));
        let stream = to_message(&said, &|_| false, &|_| None);
        let back = tree(&stream, &Names::default());
        assert_eq!(back.props.get(&tags::SUBJECT), Some("Plans"));
        assert_eq!(back.recipients.len(), 1);
        assert_eq!(back.attachments[0].data, *data);
    }

    #[test]
    fn a_draft_without_flags_is_one_that_was_sent() {
        let mut draft = draft();
        draft.props = PropBag::default();
        let message = Arc::make_mut(&mut draft.message);
        message.original = None;
        message.tree.props = message.tree.props.with(&[], &[tags::MESSAGE_FLAGS.tag()]);
        let tree = whole(&draft, FileTime::from_unix(0)).unwrap();
        assert_eq!(tree.props.get(&tags::MESSAGE_FLAGS), Some(0));
    }
}
