//! Whole messages between streams and the core, and the message as clients read it.
//!
//! Source: MS-OXCFXICS 2.2.4.2 (messageContent), MS-OXCMAIL 2.1.

use std::{collections::HashMap, io, ops::Range, sync::Arc};

use bytes::Bytes;
use mapi_convert::{
    Limits, Scanned, Scanner, decode,
    oxcmail::{self, Identity},
};
use mapi_types::{
    Attachment, AttachmentData, Content, ContentHash, Draft, FileTime, Message, MessageTree,
    OwnedValue, PropBag, PropTag, tags,
};
use mapi_wire::{
    code_page::CodePage,
    fast_transfer::{self, Property},
};

use crate::values::{Names, from_stream, to_stream, wire_name};

/// PidTagAttachDataBinary and PidTagAttachDataObject: one id.
const ATTACH_DATA: u16 = 0x3701;

/// PidTagHtml, which may come as text.
const HTML: u16 = 0x1013;

/// UTF-8 as PidTagInternetCodepage says it.
const UTF8: i32 = 65001;

/// The code page in which 8-bit strings come: what the session asked for.
pub(crate) const SESSION_PAGE: CodePage = CodePage::WESTERN;

/// A message of a stream, in the core's terms. What the core does not know is left out.
pub(crate) fn tree(message: &fast_transfer::Message, names: &Names) -> MessageTree {
    MessageTree {
        props: native(bag(&message.props, names)),
        recipients: message
            .recipients
            .iter()
            .map(|props| bag(props, names))
            .collect(),
        attachments: message
            .attachments
            .iter()
            .map(|one| attachment(one, names))
            .collect(),
    }
}

/// The bodies that a message has of itself. Servers make the others of these when they are asked, each as it likes:
/// nobody should read what only a converter said, and rendered bytes must not change with it.
///
/// Source: PidTagNativeBody, MS-OXBBODY 2.1.3.1.
fn native(props: PropBag) -> PropBag {
    let has = |tag: PropTag| props.value(tag).is_some();
    let (html, rtf) = (tags::BODY_HTML.tag(), tags::RTF_COMPRESSED.tag());
    let made = match props.get(&tags::NATIVE_BODY) {
        Some(PLAIN) if has(tags::BODY.tag()) => &[html, rtf][..],
        Some(HTML_BODY) if has(html) => &[rtf],
        _ => return props,
    };
    match made.iter().any(|tag| has(*tag)) {
        true => props.with(&[], made),
        false => props,
    }
}

/// Values of PidTagNativeBody.
const PLAIN: i32 = 1;
const HTML_BODY: i32 = 3;

/// Whether the only body is one that no converter here reads: the server has to say it otherwise.
pub(crate) fn is_only_rtf(message: &fast_transfer::Message) -> bool {
    let has = |id| fast_transfer::find_id(&message.props, id).is_some();
    has(tags::RTF_COMPRESSED.tag().id()) && !has(tags::BODY.tag().id()) && !has(HTML)
}

/// Every property of a message and of all it contains, for names to be looked up at once.
pub(crate) fn all_props(message: &fast_transfer::Message) -> Vec<&Property> {
    let mut all: Vec<_> = message.props.iter().collect();
    all.extend(message.recipients.iter().flatten());
    for attachment in &message.attachments {
        all.extend(&attachment.props);
        if let Some(embedded) = &attachment.embedded {
            all.extend(all_props(embedded));
        }
    }
    all
}

/// Properties as a bag.
pub(crate) fn bag(props: &[Property], names: &Names) -> PropBag {
    let mut known: Vec<_> = props
        .iter()
        .filter(|prop| prop.tag.id() != ATTACH_DATA)
        .filter_map(|prop| from_stream(prop, names, SESSION_PAGE))
        .collect();
    for (tag, value) in &mut known {
        if let (HTML, OwnedValue::Str(html)) = (tag.id(), &*value) {
            *value = OwnedValue::Bin(html.as_bytes().into());
            *tag = tags::BODY_HTML.tag();
        }
    }
    let is_text = |prop: &Property| prop.tag.id() == HTML && prop.to_text(SESSION_PAGE).is_some();
    if props.iter().any(is_text) {
        known.push((tags::INTERNET_CODEPAGE.tag(), OwnedValue::I32(UTF8)));
    }
    known.into_iter().collect()
}

fn attachment(attachment: &fast_transfer::Attachment, names: &Names) -> Attachment {
    let octets =
        fast_transfer::find_id(&attachment.props, ATTACH_DATA).and_then(Property::as_octets);
    let data = match (&attachment.embedded, octets) {
        (Some(embedded), _) => AttachmentData::Message(Box::new(tree(embedded, names))),
        (None, Some(octets)) => AttachmentData::Inline(Bytes::copy_from_slice(octets)),
        (None, None) => AttachmentData::None,
    };
    Attachment {
        props: bag(&attachment.props, names),
        data,
    }
}

/// The message as clients read it: its octets and the facts of them. The same message gives the same octets, always.
///
/// `key` identifies the message for ever; `domain` stands in ids that it lacks.
pub(crate) fn render(tree: MessageTree, key: &[u8], domain: &str) -> Message {
    let identity = Identity { key, domain };
    let (export, warnings) = oxcmail::export(&tree, &identity);
    if !warnings.is_empty() {
        tracing::debug!(
            warnings = warnings.len(),
            "a message could not be said wholly in MIME"
        );
    }
    let mut octets = Vec::with_capacity(usize::try_from(export.size()).unwrap_or_default());
    let mut scanner = Scanner::new(Limits::default());
    let written = export.write(None, &mut |piece| {
        octets.extend_from_slice(piece);
        scanner.feed(piece);
    });
    // Nothing of it is a range of an original, so there is nothing that could fail.
    debug_assert!(written.is_ok());
    let scanned = scanner.finish();
    Message {
        tree: referring(tree, &scanned, &octets),
        derived: scanned.derived(),
        original: Some(content(octets)),
    }
}

/// A message that stands for one which cannot be had: what the index knows of it, and a text that says so.
pub(crate) fn substitute(index: &PropBag, key: &[u8], domain: &str) -> Message {
    const TEXT: &str = "This message could not be read from the Exchange server. \
        Another program may be able to show it.\r\n";
    let text = [(tags::BODY.tag(), OwnedValue::Str(TEXT.into()))];
    let tree = MessageTree {
        props: index.with(&text, &[]),
        ..MessageTree::default()
    };
    render(tree, key, domain)
}

/// The message with bodies and attachments as ranges of what was rendered: kept a second time they would only take
/// room.
fn referring(tree: MessageTree, scanned: &Scanned, octets: &[u8]) -> MessageTree {
    const BODIES: [PropTag; 3] = [
        tags::BODY.tag(),
        tags::BODY_HTML.tag(),
        tags::RTF_COMPRESSED.tag(),
    ];
    let delivered = tree.props.get(&tags::MESSAGE_DELIVERY_TIME);
    let (imported, _) = oxcmail::import(scanned, delivered.unwrap_or_default());
    let mut parts = HashMap::new();
    collect_parts(&imported.attachments, octets, &mut parts);
    let mut attachments = tree.attachments;
    attachments
        .iter_mut()
        .for_each(|attachment| refer(attachment, &parts));
    MessageTree {
        props: over(&imported.props, &tree.props).with(&[], &BODIES),
        recipients: tree.recipients,
        attachments,
    }
}

/// Where data stand in what was rendered, by their hash.
type Parts = HashMap<ContentHash, AttachmentData>;

fn collect_parts(attachments: &[Attachment], rendered: &[u8], parts: &mut Parts) {
    for attachment in attachments {
        match &attachment.data {
            AttachmentData::Part { range, encoding } => {
                let (Ok(start), Ok(end)) = (range.start.try_into(), range.end.try_into()) else {
                    continue;
                };
                let octets: &[u8] = rendered.get::<Range<usize>>(start..end).unwrap_or_default();
                let data = decode::decode(*encoding, octets);
                parts.insert(hash(&data), attachment.data.clone());
            }
            AttachmentData::Message(embedded) => {
                collect_parts(&embedded.attachments, rendered, parts);
            }
            AttachmentData::None | AttachmentData::Inline(_) => {}
        }
    }
}

/// Data that stand in what was rendered are said by their place.
fn refer(attachment: &mut Attachment, parts: &Parts) {
    match &mut attachment.data {
        AttachmentData::Inline(octets) if !octets.is_empty() => {
            if let Some(part) = parts.get(&hash(octets)) {
                attachment.data = part.clone();
            }
        }
        AttachmentData::Message(embedded) => embedded
            .attachments
            .iter_mut()
            .for_each(|attachment| refer(attachment, parts)),
        AttachmentData::None | AttachmentData::Inline(_) | AttachmentData::Part { .. } => {}
    }
}

fn hash(octets: &[u8]) -> ContentHash {
    ContentHash(blake3::hash(octets).into())
}

pub(crate) fn content(octets: Vec<u8>) -> Content {
    let hash = hash(&octets);
    let len = octets.len() as u64;
    Content::new(Arc::new(Bytes::from(octets)), len, hash)
}

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

/// `upper` over `lower`.
fn over(lower: &PropBag, upper: &PropBag) -> PropBag {
    let upper: Vec<_> = upper
        .iter()
        .map(|(tag, value)| (tag, value.to_owned()))
        .collect();
    lower.with(&upper, &[])
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

/// A message for a stream. `left_out` are properties that are set by other means.
pub(crate) fn to_message(
    tree: &MessageTree,
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<mapi_store::PropName>,
) -> fast_transfer::Message {
    let props = |bag: &PropBag| stream_props(bag, left_out, name_of);
    fast_transfer::Message {
        props: props(&tree.props),
        recipients: tree
            .recipients
            .iter()
            .enumerate()
            .map(|(row, recipient)| {
                let row = i32::try_from(row).unwrap_or(i32::MAX);
                let mut recipient = props(recipient);
                recipient.retain(|prop| prop.tag != tags::ROWID.tag());
                recipient.insert(0, Property::i32(tags::ROWID.tag().0, row));
                recipient
            })
            .collect(),
        attachments: tree
            .attachments
            .iter()
            .enumerate()
            .map(|(number, one)| {
                let number = i32::try_from(number).unwrap_or(i32::MAX);
                to_attachment(one, number, left_out, name_of)
            })
            .collect(),
        ..fast_transfer::Message::default()
    }
}

fn to_attachment(
    attachment: &Attachment,
    number: i32,
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<mapi_store::PropName>,
) -> fast_transfer::Attachment {
    const DATA_BINARY: u32 = 0x3701_0102;
    const BY_VALUE: i32 = 1;
    const EMBEDDED: i32 = 5;
    let mut props = stream_props(&attachment.props, left_out, name_of);
    props.retain(|prop| prop.tag != tags::ATTACH_NUMBER.tag());
    // Without a method there is no data: MS-OXCMSG 2.2.2.9.
    let method = match &attachment.data {
        AttachmentData::Inline(_) => Some(BY_VALUE),
        AttachmentData::Message(_) => Some(EMBEDDED),
        AttachmentData::None | AttachmentData::Part { .. } => None,
    };
    if let Some(method) = method
        && attachment.props.get(&tags::ATTACH_METHOD).is_none()
    {
        props.push(Property::i32(tags::ATTACH_METHOD.tag().0, method));
    }
    props.insert(0, Property::i32(tags::ATTACH_NUMBER.tag().0, number));
    let embedded = match &attachment.data {
        AttachmentData::Inline(octets) => {
            props.push(Property::binary(DATA_BINARY, octets));
            None
        }
        // Embedded messages are never left unsaid; what is set by other means concerns only the outermost.
        AttachmentData::Message(tree) => Some(Box::new(to_message(tree, &|_| false, name_of))),
        AttachmentData::None | AttachmentData::Part { .. } => None,
    };
    fast_transfer::Attachment { props, embedded }
}

fn stream_props(
    bag: &PropBag,
    left_out: &dyn Fn(PropTag) -> bool,
    name_of: &dyn Fn(u16) -> Option<mapi_store::PropName>,
) -> Vec<Property> {
    let wanted = bag
        .iter()
        .filter(|(tag, _)| !left_out(*tag) && !is_ours(*tag));
    let mut props: Vec<_> = wanted
        .filter_map(|(tag, value)| {
            let name = match tag.id() {
                0..0x8000 => None,
                id => Some(wire_name(&name_of(id)?)),
            };
            Some(to_stream(tag.id(), name, value))
        })
        .collect();
    // gromox 3.10 takes the flags for all there is to say of receipts, until something says more; and a list of strings
    // only once something has come after it.
    props.sort_by_key(|prop| match &prop.value {
        _ if prop.tag == tags::MESSAGE_FLAGS.tag() => 0,
        fast_transfer::Value::OctetsList(_) => 1,
        _ => 2,
    });
    props
}

/// Facts that never leave the process.
fn is_ours(tag: PropTag) -> bool {
    (0x6f00..=0x6fff).contains(&tag.id())
}

#[cfg(test)]
mod tests {
    use mapi_types::Derived;

    use super::*;

    const MAIL: &[u8] = b"From: Ada <ada@example.test>\r\nTo: bob@example.test\r\nSubject: Plans\r\n\
        Message-ID: <1@example.test>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
        Gr\xc3\xbc\xc3\x9fe\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n";

    fn draft() -> Draft {
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
        let tree = whole(&draft(), FileTime::from_unix(0)).unwrap();
        assert_eq!(
            tree.props.get(&tags::BODY).map(str::trim_end),
            Some("Grüße")
        );
        assert_eq!(tree.props.get(&tags::MESSAGE_FLAGS), Some(1));
        let data = &tree.attachments[0].data;
        assert_eq!(*data, AttachmentData::Inline(Bytes::from_static(b"%PDF")));
        let stream = to_message(&tree, &|_| false, &|_| None);
        let back = super::tree(&stream, &Names::default());
        assert_eq!(back.props.get(&tags::SUBJECT), Some("Plans"));
        assert_eq!(back.recipients.len(), 1);
        assert_eq!(back.attachments[0].data, *data);
    }

    #[test]
    fn rendering_the_same_message_gives_the_same_octets() {
        let tree = || whole(&draft(), FileTime::from_unix(0)).unwrap();
        let hash = |key: &[u8]| {
            let message = render(tree(), key, "example.test");
            (
                message.original.map(|original| original.hash()),
                message.derived,
            )
        };
        assert_eq!(hash(b"1"), hash(b"1"));
        let message = render(tree(), b"1", "example.test");
        assert!(message.derived.structure.len() > 4);
        assert!(matches!(
            message.tree.attachments[0].data,
            AttachmentData::Part { .. }
        ));
        assert_eq!(message.tree.props.get(&tags::BODY), None);
    }

    #[test]
    fn html_that_comes_as_text_is_utf8() {
        let props = [Property::string(0x1013_001f, "<p>é</p>")];
        let bag = bag(&props, &Names::default());
        assert_eq!(bag.get(&tags::BODY_HTML), Some("<p>é</p>".as_bytes()));
        assert_eq!(bag.get(&tags::INTERNET_CODEPAGE), Some(UTF8));
    }

    #[test]
    fn a_body_that_only_a_converter_said_is_not_taken() {
        let check = |native: i32, bodies: &[PropTag], expected: &[PropTag]| {
            let mut props = vec![(tags::NATIVE_BODY.tag(), OwnedValue::I32(native))];
            props.extend(bodies.iter().map(|tag| match *tag == tags::BODY.tag() {
                true => (*tag, OwnedValue::Str("text".into())),
                false => (*tag, OwnedValue::Bin([1].into())),
            }));
            let kept = super::native(props.into_iter().collect());
            let kept: Vec<_> = kept.iter().map(|(tag, _)| tag).collect();
            let kept: Vec<_> = kept
                .into_iter()
                .filter(|tag| bodies.contains(tag))
                .collect();
            assert_eq!(kept, expected, "native {native}");
        };
        let [text, rtf, html] = [
            tags::BODY.tag(),
            tags::RTF_COMPRESSED.tag(),
            tags::BODY_HTML.tag(),
        ];
        check(1, &[text, rtf, html], &[text]);
        check(1, &[html], &[html]);
        check(2, &[text, rtf, html], &[text, rtf, html]);
        check(3, &[text, rtf, html], &[text, html]);
        check(3, &[text, rtf], &[text, rtf]);
        check(0, &[text, html], &[text, html]);
    }

    #[test]
    fn flags_come_first_and_lists_not_last() {
        let props = [
            (tags::SUBJECT.tag(), OwnedValue::Str("a".into())),
            (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(1)),
            (tags::KEYWORDS.tag(), OwnedValue::strs(["Work"])),
        ];
        let names = Names::default();
        let bag = props.into_iter().collect();
        let stream = stream_props(&bag, &|_| false, &|id| names.name(id));
        let ids: Vec<_> = stream.iter().map(|prop| prop.tag.id()).collect();
        let expected = [
            tags::MESSAGE_FLAGS.tag(),
            tags::KEYWORDS.tag(),
            tags::SUBJECT.tag(),
        ];
        assert_eq!(ids, expected.map(PropTag::id));
    }

    #[test]
    fn attachments_keep_what_the_server_says_of_them() {
        let named = |name: &str| -> PropBag {
            let name = OwnedValue::Str(name.into());
            [(tags::DISPLAY_NAME.tag(), name)].into_iter().collect()
        };
        let tree = || MessageTree {
            props: named("subject"),
            recipients: Vec::new(),
            attachments: vec![
                Attachment {
                    props: named("nothing"),
                    data: AttachmentData::None,
                },
                Attachment {
                    props: named("data"),
                    data: AttachmentData::Inline(Bytes::from_static(b"\0\xff")),
                },
            ],
        };
        let message = render(tree(), b"1", "example.test");
        let attachments = &message.tree.attachments;
        assert_eq!(attachments[0], tree().attachments[0]);
        assert_eq!(attachments[1].props, named("data"));
        let AttachmentData::Part { range, encoding } = &attachments[1].data else {
            panic!("{:?}", attachments[1])
        };
        let mut octets = vec![0; (range.end - range.start) as usize];
        let original = message.original.unwrap();
        original
            .source()
            .read_exact_at(&mut octets, range.start)
            .unwrap();
        assert_eq!(decode::decode(*encoding, &octets), b"\0\xff");
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

    #[test]
    fn a_message_that_cannot_be_had_is_one_that_says_so() {
        let subject = (tags::SUBJECT.tag(), OwnedValue::Str("Plans".into()));
        let index: PropBag = [subject].into_iter().collect();
        let message = || substitute(&index, b"1", "example.test");
        let original = message().original.unwrap();
        let text = String::from_utf8(original.source().in_memory().unwrap().to_vec()).unwrap();
        assert!(text.contains("Subject: Plans\r\n") && text.contains("could not be read"));
        assert_eq!(message().original.unwrap().hash(), original.hash());
    }
}
