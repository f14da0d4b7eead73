//! An item as the remote's index has it, made ready for its row, and how it differs from what is stored.

use mapi_types::{
    FileTime, PropBag, PropTag, Value, changes_content,
    tags::{self, message_flags},
};

use crate::{
    codec::{BagReader, Externals, Stored, VALUE_INLINE_MAX, encode_bag, encode_stored},
    fail::Result,
    hot::{HOT_TAGS, Hot, hot_column, is_fact},
};

/// See the module.
pub(super) struct IndexRow {
    pub(super) hot: Hot,
    /// The other properties, encoded.
    pub(super) cold: Vec<u8>,
    /// What the remote says of the size.
    pub(super) size: u64,
}

impl IndexRow {
    /// What no row can hold is left out: a remote must not be able to stop its own synchronization.
    pub(super) fn new(props: &PropBag) -> Result<Self> {
        let mut hot = Hot::default();
        for (tag, value) in props.iter() {
            // A value that does not fit is a value that is not there.
            let _ = hot.set(tag, Some(value));
        }
        let size = props.get(&tags::MESSAGE_SIZE).unwrap_or(0);
        Ok(Self {
            hot,
            cold: encode_cold(props.iter())?,
            size: u64::try_from(size).unwrap_or(0),
        })
    }

    pub(super) fn delivered(&self) -> Option<FileTime> {
        self.hot.delivered
    }
}

/// Encodes what has no column and fits a row.
pub(super) fn encode_cold<'v>(
    props: impl Iterator<Item = (PropTag, Value<'v>)>,
) -> Result<Vec<u8>> {
    let mut blob = Vec::with_capacity(256);
    let kept = props
        .filter(|(tag, value)| hot_column(*tag).is_none() && !is_fact(*tag) && fits(*tag, *value));
    encode_bag(kept, &mut Externals::default(), &mut blob)?;
    Ok(blob)
}

fn fits(tag: PropTag, value: Value<'_>) -> bool {
    let octets = match value {
        Value::Str(text) => text.len(),
        Value::Bin(octets) => octets.len(),
        Value::Strs(items) | Value::Bins(items) => items.packed().len(),
        _ => 0,
    };
    tag.prop_type() == Some(value.prop_type()) && octets <= VALUE_INLINE_MAX
}

/// Which kinds of properties differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Differs {
    pub(super) flags: bool,
    pub(super) content: bool,
}

impl Differs {
    fn add(&mut self, class: &str, tag: PropTag) {
        if changes_content(class, tag) {
            self.content = true;
        } else {
            self.flags = true;
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            flags: self.flags || other.flags,
            content: self.content || other.content,
        }
    }
}

/// How two sets of columns differ, for an item of the old one's class.
pub(super) fn hot_differs(old: &Hot, new: &Hot) -> Differs {
    let mut differs = Differs::default();
    for tag in HOT_TAGS {
        if old.value(tag) != new.value(tag) {
            differs.add(old.class(), tag);
        }
    }
    differs
}

/// `old` with those values of `new` whose tags are picked.
pub(super) fn hot_with(old: &Hot, new: &Hot, pick: impl Fn(PropTag) -> bool) -> Result<Hot> {
    let mut hot = old.clone();
    for tag in HOT_TAGS.into_iter().filter(|tag| pick(*tag)) {
        if tag == tags::MESSAGE_FLAGS.tag() {
            hot.flags = flags_with(old.flags, new.flags);
        } else if tag != tags::MESSAGE_STATUS.tag() || new.status.is_some() {
            // The status is not synchronized: without one, ours stays.
            hot.set(tag, new.value(tag))?;
        }
    }
    Ok(hot)
}

/// Flags of a known item: read or not is as the remote says. Its other bits are settled when an item is made; what
/// the remote adds to them afterwards is its own bookkeeping, and what we change of them it does not hear of.
fn flags_with(old: Option<i32>, new: Option<i32>) -> Option<i32> {
    let bits = old.unwrap_or(0) & !message_flags::READ | new.unwrap_or(0) & message_flags::READ;
    old.map(|_| bits).or((bits != 0).then_some(bits))
}

/// How the encoded bag `new` differs from `old`. Where `partial`, what `new` does not have is content of no concern.
pub(super) fn cold_differs(class: &str, old: &[u8], new: &[u8], partial: bool) -> Result<Differs> {
    let mut differs = Differs::default();
    if old == new {
        return Ok(differs);
    }
    let (old, new) = (stored(old)?, stored(new)?);
    for (tag, value) in &new {
        if found(&old, *tag) != Some(*value) {
            differs.add(class, *tag);
        }
    }
    for (tag, _) in &old {
        let gone = found(&new, *tag).is_none();
        if gone && !(partial && changes_content(class, *tag)) {
            differs.add(class, *tag);
        }
    }
    Ok(differs)
}

/// An encoded bag made of two: of `new` what is picked, of `old` the rest as far as `keep` says so.
pub(super) fn cold_with(
    old: &[u8],
    new: &[u8],
    pick: impl Fn(PropTag) -> bool,
    keep: impl Fn(PropTag) -> bool,
) -> Result<Vec<u8>> {
    let (old, new) = (stored(old)?, stored(new)?);
    let picked = |tag: PropTag| pick(tag) && found(&new, tag).is_some();
    let mut props: Vec<(PropTag, Stored<'_>)> = Vec::with_capacity(old.len() + new.len());
    props.extend(new.iter().filter(|(tag, _)| pick(*tag)));
    props.extend(old.iter().filter(|(tag, _)| !picked(*tag) && keep(*tag)));
    props.sort_by_key(|(tag, _)| *tag);
    let mut blob = Vec::with_capacity(256);
    encode_stored(props.into_iter(), &mut Externals::default(), &mut blob)?;
    Ok(blob)
}

/// An encoded bag without the values that lie apart.
pub(super) fn without_externals(blob: &[u8]) -> Result<Vec<u8>> {
    let inline = stored(blob)?
        .into_iter()
        .filter(|(_, value)| matches!(value, Stored::Value(_)));
    let mut bag = Vec::with_capacity(blob.len());
    encode_stored(inline, &mut Externals::default(), &mut bag)?;
    Ok(bag)
}

fn found<'v>(props: &[(PropTag, Stored<'v>)], tag: PropTag) -> Option<Stored<'v>> {
    let at = props.binary_search_by_key(&tag, |(tag, _)| *tag).ok()?;
    props.get(at).map(|(_, value)| *value)
}

pub(super) fn stored(blob: &[u8]) -> Result<Vec<(PropTag, Stored<'_>)>> {
    let mut reader = BagReader::new(blob)?;
    let mut props = Vec::new();
    while let Some(prop) = reader.next()? {
        props.push(prop);
    }
    Ok(props)
}
