//! Recipients and attachments of a message object, with the messages embedded in it.

use std::sync::Arc;

use bytes::Bytes;
use mapi_store::ErrorKind;
use mapi_types::{
    Attachment, AttachmentData, Change, Content, ContentHash, MessageTree, OwnedValue, PropBag,
    PropTag, PropType, TransferEncoding,
};

use super::{
    BagReader, EMBEDDED_DEPTH_MAX, Stored, VALUE_INLINE_MAX,
    bag::put_bag,
    bytes::{Reader, put_run, put_varint},
    damaged,
};
use crate::fail::{Fail, Result};

const REVISION: u8 = 1;

/// Values too large for a row, found while encoding; they are stored as contents before the row is.
#[derive(Default)]
pub(crate) struct Externals(pub(crate) Vec<Content>);

impl Externals {
    pub(super) fn add(&mut self, bytes: Bytes) -> ContentHash {
        let hash = ContentHash(*blake3::hash(&bytes).as_bytes());
        let len = bytes.len() as u64;
        self.0.push(Content::new(Arc::new(bytes), len, hash));
        hash
    }
}

/// The values of a change that will lie apart.
pub(crate) fn large_values(change: &Change) -> Vec<Content> {
    let mut externals = Externals::default();
    for (_, value) in &change.set {
        let octets = match value {
            OwnedValue::Str(text) => text.as_bytes(),
            OwnedValue::Bin(octets) | OwnedValue::Strs(octets) | OwnedValue::Bins(octets) => octets,
            _ => continue,
        };
        if octets.len() > VALUE_INLINE_MAX {
            externals.add(Bytes::copy_from_slice(octets));
        }
    }
    externals.0
}

/// Encodes recipients and attachments; nothing at all when there are none.
pub(crate) fn encode_parts(tree: &MessageTree, externals: &mut Externals) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    if !tree.recipients.is_empty() || !tree.attachments.is_empty() {
        out.push(REVISION);
        put_parts(tree, externals, 0, &mut out)?;
    }
    Ok(out)
}

fn put_parts(
    tree: &MessageTree,
    externals: &mut Externals,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    put_varint(out, tree.recipients.len() as u64);
    for recipient in &tree.recipients {
        put_bag(recipient.iter(), externals, out)?;
    }
    put_varint(out, tree.attachments.len() as u64);
    for attachment in &tree.attachments {
        put_bag(attachment.props.iter(), externals, out)?;
        put_data(&attachment.data, externals, depth, out)?;
    }
    Ok(())
}

fn put_data(
    data: &AttachmentData,
    externals: &mut Externals,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    match data {
        AttachmentData::None => out.push(0),
        AttachmentData::Inline(bytes) if bytes.len() > VALUE_INLINE_MAX => {
            out.push(4);
            out.extend_from_slice(&externals.add(bytes.clone()).0);
            put_varint(out, bytes.len() as u64);
        }
        AttachmentData::Inline(bytes) => {
            out.push(1);
            put_run(out, bytes);
        }
        AttachmentData::Part { range, encoding } => {
            out.push(2);
            put_varint(out, range.start);
            put_varint(out, range.end);
            out.push(match encoding {
                TransferEncoding::Identity => 0,
                TransferEncoding::Base64 => 1,
                TransferEncoding::QuotedPrintable => 2,
            });
        }
        AttachmentData::Message(tree) => {
            if depth >= EMBEDDED_DEPTH_MAX {
                return Err(Fail::new(
                    ErrorKind::TooBig,
                    "messages are embedded too deeply",
                ));
            }
            out.push(3);
            put_bag(tree.props.iter(), externals, out)?;
            put_parts(tree, externals, depth + 1, out)?;
        }
    }
    Ok(())
}

/// Decodes what [`encode_parts`] wrote. `load` fetches values that lie apart.
pub(crate) fn decode_parts(
    bytes: &[u8],
    load: &dyn Fn(ContentHash, u64) -> Result<Bytes>,
) -> Result<(Vec<PropBag>, Vec<Attachment>)> {
    let mut from = Reader::new(bytes);
    if bytes.is_empty() {
        return Ok(Default::default());
    }
    if from.byte()? != REVISION {
        return Err(damaged());
    }
    let parts = take_parts(&mut from, load, 0)?;
    from.end()?;
    Ok(parts)
}

fn take_parts(
    from: &mut Reader<'_>,
    load: &dyn Fn(ContentHash, u64) -> Result<Bytes>,
    depth: usize,
) -> Result<(Vec<PropBag>, Vec<Attachment>)> {
    let mut recipients = Vec::new();
    for _ in 0..from.count()? {
        recipients.push(take_bag(from.run()?, load)?);
    }
    let mut attachments = Vec::new();
    for _ in 0..from.count()? {
        let props = take_bag(from.run()?, load)?;
        attachments.push(Attachment {
            props,
            data: take_data(from, load, depth)?,
        });
    }
    Ok((recipients, attachments))
}

fn take_data(
    from: &mut Reader<'_>,
    load: &dyn Fn(ContentHash, u64) -> Result<Bytes>,
    depth: usize,
) -> Result<AttachmentData> {
    Ok(match from.byte()? {
        0 => AttachmentData::None,
        1 => AttachmentData::Inline(Bytes::copy_from_slice(from.run()?)),
        2 => AttachmentData::Part {
            range: from.varint()?..from.varint()?,
            encoding: match from.byte()? {
                0 => TransferEncoding::Identity,
                1 => TransferEncoding::Base64,
                2 => TransferEncoding::QuotedPrintable,
                _ => return Err(damaged()),
            },
        },
        3 if depth < EMBEDDED_DEPTH_MAX => {
            let props = take_bag(from.run()?, load)?;
            let (recipients, attachments) = take_parts(from, load, depth + 1)?;
            AttachmentData::Message(Box::new(MessageTree {
                props,
                recipients,
                attachments,
            }))
        }
        4 => {
            let hash = ContentHash(*from.array()?);
            AttachmentData::Inline(load(hash, from.varint()?)?)
        }
        _ => return Err(damaged()),
    })
}

/// Decodes a whole bag, large values included.
pub(crate) fn take_bag(
    bytes: &[u8],
    load: &dyn Fn(ContentHash, u64) -> Result<Bytes>,
) -> Result<PropBag> {
    let mut from = BagReader::new(bytes)?;
    let mut props = Vec::new();
    while let Some((tag, stored)) = from.next()? {
        props.push((tag, own(tag, stored, load)?));
    }
    Ok(props.into_iter().collect())
}

/// A stored value with its own memory, also one that lies apart.
pub(crate) fn own(
    tag: PropTag,
    stored: Stored<'_>,
    load: &dyn Fn(ContentHash, u64) -> Result<Bytes>,
) -> Result<OwnedValue> {
    let (hash, len) = match stored {
        Stored::Value(value) => return Ok(value.to_owned()),
        Stored::External { hash, len } => (hash, len),
    };
    let bytes = load(hash, len)?;
    Ok(match tag.prop_type() {
        Some(PropType::Str) => OwnedValue::Str(
            String::from_utf8(bytes.into())
                .map_err(|_| damaged())?
                .into(),
        ),
        Some(PropType::Strs) => OwnedValue::Strs(Vec::from(bytes).into()),
        Some(PropType::Bins) => OwnedValue::Bins(Vec::from(bytes).into()),
        _ => OwnedValue::Bin(Vec::from(bytes).into()),
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;

    use mapi_types::{FileTime, Value};

    use super::*;
    use crate::codec::encode_bag;

    fn value() -> impl Strategy<Value = OwnedValue> {
        prop_oneof![
            any::<i16>().prop_map(OwnedValue::I16),
            any::<i32>().prop_map(OwnedValue::I32),
            any::<i64>().prop_map(OwnedValue::I64),
            (-1e9..1e9f64).prop_map(OwnedValue::F64),
            any::<bool>().prop_map(OwnedValue::Bool),
            any::<u64>().prop_map(|t| OwnedValue::Time(FileTime(t))),
            any::<[u8; 16]>().prop_map(OwnedValue::Guid),
            ".{0,40}".prop_map(|s| OwnedValue::Str(s.into())),
            (0usize..3).prop_map(|n| OwnedValue::Str("long ".repeat(n * 10_000).into())),
            prop::collection::vec(any::<u8>(), 0..50).prop_map(|b| OwnedValue::Bin(b.into())),
            prop::collection::vec(".{0,9}", 0..4).prop_map(OwnedValue::strs),
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..4)
                .prop_map(|b| OwnedValue::Bins(OwnedValue::packed(b))),
        ]
    }

    fn bag() -> impl Strategy<Value = PropBag> {
        let prop = (any::<u16>(), value()).prop_map(|(id, value)| {
            let kind = value.as_value().prop_type() as u32;
            (PropTag(u32::from(id) << 16 | kind), value)
        });
        prop::collection::vec(prop, 0..8).prop_map(|props| props.into_iter().collect())
    }

    fn data() -> impl Strategy<Value = AttachmentData> {
        let encoding = prop_oneof![
            Just(TransferEncoding::Identity),
            Just(TransferEncoding::Base64),
            Just(TransferEncoding::QuotedPrintable)
        ];
        prop_oneof![
            Just(AttachmentData::None),
            prop::collection::vec(any::<u8>(), 0..60)
                .prop_map(|b| AttachmentData::Inline(b.into())),
            Just(AttachmentData::Inline(vec![7; VALUE_INLINE_MAX + 1].into())),
            (any::<u32>(), any::<u32>(), encoding).prop_map(|(a, b, encoding)| {
                AttachmentData::Part {
                    range: u64::from(a)..u64::from(b),
                    encoding,
                }
            }),
        ]
    }

    fn tree() -> impl Strategy<Value = MessageTree> {
        let attachment = |data: BoxedStrategy<AttachmentData>| {
            (bag(), data).prop_map(|(props, data)| Attachment { props, data })
        };
        let build = move |data: BoxedStrategy<AttachmentData>| {
            (
                bag(),
                prop::collection::vec(bag(), 0..3),
                prop::collection::vec(attachment(data), 0..3),
            )
                .prop_map(|(props, recipients, attachments)| MessageTree {
                    props,
                    recipients,
                    attachments,
                })
        };
        build(data().boxed()).prop_recursive(3, 8, 2, move |inner| {
            build(
                inner
                    .prop_map(|tree| AttachmentData::Message(Box::new(tree)))
                    .boxed(),
            )
        })
    }

    fn round_trip(tree: &MessageTree) -> Result<MessageTree> {
        let mut externals = Externals::default();
        let mut props = Vec::new();
        encode_bag(tree.props.iter(), &mut externals, &mut props)?;
        let parts = encode_parts(tree, &mut externals)?;
        let load = |hash, len| {
            let found = externals
                .0
                .iter()
                .find(|content| content.hash() == hash && content.len() == len);
            Ok(found
                .and_then(|content| content.source().in_memory())
                .cloned()
                .unwrap_or_default())
        };
        let (recipients, attachments) = decode_parts(&parts, &load)?;
        Ok(MessageTree {
            props: take_bag(&props, &load)?,
            recipients,
            attachments,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_encoded_comes_back(tree in tree()) {
            prop_assert_eq!(round_trip(&tree).unwrap(), tree);
        }

        #[test]
        fn no_bytes_make_decoding_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let load = |_, _| Ok(Bytes::new());
            let _ = take_bag(&bytes, &load);
            let _ = decode_parts(&bytes, &load);
            // The same behind a good revision octet gets further.
            if let Some(first) = bytes.first_mut() {
                *first = REVISION;
            }
            let _ = take_bag(&bytes, &load);
            let _ = decode_parts(&bytes, &load);
        }

        #[test]
        fn a_cut_or_changed_tree_is_corrupt_or_another_tree(tree in tree(), at in any::<prop::sample::Index>()) {
            let loads = RefCell::new(0);
            let load = |_, _| { *loads.borrow_mut() += 1; Ok(Bytes::new()) };
            let mut bytes = encode_parts(&tree, &mut Externals::default()).unwrap();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                if at > 0 {
                    prop_assert!(decode_parts(&bytes[..at], &load).is_err());
                }
                bytes[at] ^= 0x55;
                let _ = decode_parts(&bytes, &load);
            }
        }
    }

    #[test]
    fn a_value_of_another_type_than_its_tag_is_invalid() {
        let bag: PropBag = [(PropTag(0x0037_001f), OwnedValue::I32(1))]
            .into_iter()
            .collect();
        let encoded = encode_bag(bag.iter(), &mut Externals::default(), &mut Vec::new());
        assert!(matches!(encoded, Err(Fail::Store(error)) if error.kind == ErrorKind::Invalid));
    }

    #[test]
    fn messages_embedded_deeper_than_the_limit_are_refused() {
        let mut tree = MessageTree::default();
        for _ in 0..=EMBEDDED_DEPTH_MAX {
            let data = AttachmentData::Message(Box::new(tree));
            tree = MessageTree {
                attachments: vec![Attachment {
                    props: PropBag::default(),
                    data,
                }],
                ..MessageTree::default()
            };
        }
        assert!(encode_parts(&tree, &mut Externals::default()).is_err());
    }

    #[test]
    fn a_bag_finds_single_properties() {
        let bag: PropBag = (0..5u32)
            .map(|i| (PropTag(i << 16 | 3), OwnedValue::I32(i as i32)))
            .collect();
        let mut bytes = Vec::new();
        encode_bag(bag.iter(), &mut Externals::default(), &mut bytes).unwrap();
        let found = |i: u32| {
            BagReader::new(&bytes)
                .unwrap()
                .find(PropTag(i << 16 | 3))
                .unwrap()
        };
        assert_eq!(found(2), Some(Stored::Value(Value::I32(2))));
        assert_eq!(found(9), None);
    }
}
