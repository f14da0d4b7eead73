//! Messages that come from the server: streams in the core's terms.

use bytes::Bytes;
use mapi_types::{Attachment, AttachmentData, MessageTree, OwnedValue, PropBag, PropTag, tags};
use mapi_wire::{
    code_page::CodePage,
    fast_transfer::{self, Property},
};

use crate::values::{Names, from_stream};

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
    values(props, names).into_iter().collect()
}

/// Properties as a list that a bag is made of.
pub(crate) fn values(props: &[Property], names: &Names) -> Vec<(PropTag, OwnedValue)> {
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
    known
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
