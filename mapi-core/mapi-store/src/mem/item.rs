//! One item: what it says, its flags, and the facts served from it.

use std::{cell::Cell, collections::BTreeMap};

use bytes::Bytes;
use mapi_types::{
    Attachment, AttachmentData, Content, Derived, Draft, FileTime, ItemKey, MessageTree,
    OwnedValue, PropBag, PropTag, Value, Version,
    tags::{self, message_flags, message_status},
};

use crate::{Error, ErrorKind, INLINE_BYTES_MAX, Result};

/// Columns that the store computes: nobody sets them.
const FACTS: [PropTag; 12] = [
    tags::DELETED_ON.tag(),
    tags::SOURCE_KEY.tag(),
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::ITEM_VERSION.tag(),
    tags::ITEM_SIZE.tag(),
    tags::ORIGINAL.tag(),
    tags::ORIGINAL_SIZE.tag(),
    tags::ORIGINAL_PREFIX.tag(),
    tags::DERIVED_RENDERER.tag(),
    tags::DERIVED_ENVELOPE.tag(),
    tags::DERIVED_STRUCTURE.tag(),
    tags::DERIVED_HEADER.tag(),
];

/// What an item says, without its place in a folder.
#[derive(Clone)]
pub(super) struct Body {
    tree: MessageTree,
    /// Properties of this copy; `None` hides one of the tree's.
    props: BTreeMap<PropTag, Option<OwnedValue>>,
    prefix: Bytes,
    original: Option<Bytes>,
    derived: Derived,
    /// Properties were edited since: the original no longer says what the item says. Its bytes stay, for
    /// attachments may be ranges of them.
    edited: bool,
    /// Whether size, original and derived facts are there to be seen; a lazy backend hides them until asked.
    rendered: Cell<bool>,
}

/// An item in a folder.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) key: ItemKey,
    /// The version of its latest change.
    pub(super) version: Version,
    /// The version that brought its number.
    pub(super) created: Version,
    /// Who saved it: "owned" in the sense of permissions.
    pub(super) creator: String,
    /// When it was softly deleted, if it was.
    pub(super) deleted: Option<FileTime>,
    pub(super) body: Body,
}

/// Whether the store computes this property of an item.
pub(super) fn is_fact(tag: PropTag) -> bool {
    FACTS.contains(&tag)
}

/// Whether a piece of this property cannot be read without the original.
pub(super) fn needs_rendering(tag: PropTag) -> bool {
    is_fact(tag) && !known_before_rendering(tag)
}

/// Facts that an item has from the beginning.
fn known_before_rendering(tag: PropTag) -> bool {
    [
        tags::DELETED_ON.tag(),
        tags::SOURCE_KEY.tag(),
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::ITEM_VERSION.tag(),
    ]
    .contains(&tag)
}

/// The value, unless it is too large to come inline.
pub(super) fn inline(value: Value<'_>) -> Option<Value<'_>> {
    (octets(value) <= INLINE_BYTES_MAX).then_some(value)
}

impl Body {
    /// What a draft says, its original read into memory.
    ///
    /// Errors: `Unavailable` when the original cannot be read.
    pub(super) fn new(draft: &Draft, rendered: bool) -> Result<Self> {
        let original = draft
            .message
            .original
            .as_ref()
            .map(read_whole)
            .transpose()?;
        Ok(Self {
            tree: draft.message.tree.clone(),
            props: draft
                .props
                .iter()
                .map(|(tag, value)| (tag, Some(value.to_owned())))
                .collect(),
            prefix: draft.prefix.clone(),
            original,
            derived: draft.message.derived.clone(),
            edited: false,
            rendered: Cell::new(rendered),
        })
    }

    /// A stored property: the copy's own, else the shared one.
    pub(super) fn stored(&self, tag: PropTag) -> Option<Value<'_>> {
        match self.props.get(&tag) {
            Some(own) => own.as_ref().map(OwnedValue::as_value),
            None => self.tree.props.value(tag),
        }
    }

    fn bits(&self, tag: PropTag) -> i32 {
        match self.stored(tag) {
            Some(Value::I32(bits)) => bits,
            _ => 0,
        }
    }

    pub(super) fn is_read(&self) -> bool {
        self.bits(tags::MESSAGE_FLAGS.tag()) & message_flags::READ != 0
    }

    pub(super) fn is_associated(&self) -> bool {
        self.bits(tags::MESSAGE_FLAGS.tag()) & message_flags::ASSOCIATED != 0
    }

    pub(super) fn is_marked_deleted(&self) -> bool {
        self.bits(tags::MESSAGE_STATUS.tag()) & message_status::DELETE_MARKED != 0
    }

    /// The message class; none counts as mail.
    pub(super) fn class(&self) -> &str {
        match self.stored(tags::MESSAGE_CLASS.tag()) {
            Some(Value::Str(class)) => class,
            _ => "IPM.Note",
        }
    }

    /// Keeps the item in the table it is in, whatever an edit says of the bit.
    pub(super) fn set_associated(&mut self, associated: bool) {
        if self.is_associated() != associated {
            let bits = self.bits(tags::MESSAGE_FLAGS.tag()) ^ message_flags::ASSOCIATED;
            self.props
                .insert(tags::MESSAGE_FLAGS.tag(), Some(OwnedValue::I32(bits)));
        }
    }

    /// Takes off the mark for deletion.
    pub(super) fn unmark_deleted(&mut self) {
        if self.is_marked_deleted() {
            let tag = tags::MESSAGE_STATUS.tag();
            let bits = self.bits(tag) & !message_status::DELETE_MARKED;
            self.props.insert(tag, Some(OwnedValue::I32(bits)));
        }
    }

    pub(super) fn set(&mut self, tag: PropTag, value: Option<OwnedValue>) {
        self.props.insert(tag, value);
    }

    pub(super) fn is_rendered(&self) -> bool {
        self.rendered.get()
    }

    /// From now on, all facts can be seen.
    pub(super) fn set_rendered(&self) {
        self.rendered.set(true);
    }

    /// The item is no longer what it came as.
    pub(super) fn part_from_original(&mut self) {
        self.edited = true;
        self.prefix = Bytes::new();
        self.derived = Derived::default();
    }

    pub(super) fn set_derived(&mut self, derived: Derived) {
        self.derived = derived;
    }

    /// The original's bytes.
    pub(super) fn original(&self) -> Option<&Bytes> {
        self.original.as_ref()
    }

    fn faithful_original(&self) -> Option<&Bytes> {
        self.original.as_ref().filter(|_| !self.edited)
    }

    /// Octets of the message as a client fetches it; an estimate without an original.
    pub(super) fn size(&self) -> u64 {
        let body = match self.faithful_original() {
            Some(original) => original.len() as u64,
            None => estimate(&self.tree) + own_octets(&self.props),
        };
        self.prefix.len() as u64 + body
    }

    /// The message whole: what the copy has of its own wins.
    pub(super) fn tree(&self) -> MessageTree {
        let (mut set, mut delete) = (Vec::new(), FACTS.to_vec());
        for (tag, value) in &self.props {
            match value {
                Some(value) if !is_fact(*tag) => set.push((*tag, value.clone())),
                _ => delete.push(*tag),
            }
        }
        MessageTree {
            props: self.tree.props.with(&set, &delete),
            ..self.tree.clone()
        }
    }
}

impl Item {
    /// A property or a fact; `number` is the item's number, which its folder keeps.
    pub(super) fn value(&self, number: u32, tag: PropTag) -> Option<Value<'_>> {
        if !is_fact(tag) {
            return self.body.stored(tag);
        }
        if !self.body.is_rendered() && !known_before_rendering(tag) {
            return None;
        }
        let (body, derived) = (&self.body, &self.body.derived);
        let has_derived = *derived != Derived::default();
        match tag {
            tag if tag == tags::DELETED_ON.tag() => self.deleted.map(Value::Time),
            tag if tag == tags::SOURCE_KEY.tag() => Some(Value::Bin(&self.key.0)),
            tag if tag == tags::INTERNET_ARTICLE_NUMBER.tag() => Some(Value::I32(number as i32)),
            tag if tag == tags::ITEM_VERSION.tag() => Some(Value::I64(self.version.0 as i64)),
            tag if tag == tags::ITEM_SIZE.tag() => Some(Value::I64(body.size() as i64)),
            tag if tag == tags::ORIGINAL_SIZE.tag() => body
                .faithful_original()
                .map(|original| Value::I64(original.len() as i64)),
            tag if tag == tags::ORIGINAL_PREFIX.tag() => some_octets(&body.prefix),
            tag if tag == tags::DERIVED_RENDERER.tag() => {
                has_derived.then_some(Value::I32(derived.renderer as i32))
            }
            tag if tag == tags::DERIVED_ENVELOPE.tag() => some_octets(&derived.envelope),
            tag if tag == tags::DERIVED_STRUCTURE.tag() => some_octets(&derived.structure),
            tag if tag == tags::DERIVED_HEADER.tag() => some_octets(&derived.header),
            _ => None,
        }
    }
}

fn some_octets(octets: &Bytes) -> Option<Value<'_>> {
    (!octets.is_empty()).then_some(Value::Bin(octets))
}

/// Octets a value takes beyond its fixed part.
fn octets(value: Value<'_>) -> usize {
    match value {
        Value::Str(text) => text.len(),
        Value::Bin(octets) => octets.len(),
        Value::Strs(items) | Value::Bins(items) => items.packed().len(),
        _ => 8,
    }
}

fn bag_octets(bag: &PropBag) -> u64 {
    bag.iter().map(|(_, value)| octets(value) as u64).sum()
}

fn own_octets(props: &BTreeMap<PropTag, Option<OwnedValue>>) -> u64 {
    props
        .values()
        .flatten()
        .map(|value| octets(value.as_value()) as u64)
        .sum()
}

/// Octets of a message that has no original: what its properties take.
fn estimate(tree: &MessageTree) -> u64 {
    let recipients: u64 = tree.recipients.iter().map(bag_octets).sum();
    let attachments: u64 = tree.attachments.iter().map(attachment_octets).sum();
    bag_octets(&tree.props) + recipients + attachments
}

fn attachment_octets(attachment: &Attachment) -> u64 {
    let data = match &attachment.data {
        AttachmentData::None => 0,
        AttachmentData::Inline(data) => data.len() as u64,
        AttachmentData::Part { range, .. } => range.end.saturating_sub(range.start),
        AttachmentData::Message(tree) => estimate(tree),
    };
    bag_octets(&attachment.props) + data
}

/// The bytes of a content. From a file this blocks: memory is no place for large spools.
fn read_whole(content: &Content) -> Result<Bytes> {
    if let Some(bytes) = content.source().in_memory() {
        return Ok(bytes.clone());
    }
    let unreadable =
        |cause| Error::with_source(ErrorKind::Unavailable, "the original cannot be read", cause);
    let len = usize::try_from(content.len())
        .map_err(std::io::Error::other)
        .map_err(unreadable)?;
    let mut bytes = vec![0; len];
    content
        .source()
        .read_exact_at(&mut bytes, 0)
        .map_err(unreadable)?;
    Ok(bytes.into())
}
