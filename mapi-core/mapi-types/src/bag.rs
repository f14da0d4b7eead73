//! An immutable set of properties.

use std::sync::Arc;

use crate::{Kind, OwnedValue, PropTag, RowSet, RowSetBuilder, Tag, Value};

/// An immutable set of properties, sorted by tag; cloning is one reference count.
#[derive(Clone, Debug, PartialEq)]
pub struct PropBag(Arc<RowSet>);

impl Default for PropBag {
    fn default() -> Self {
        Self::from_iter(std::iter::empty::<(PropTag, OwnedValue)>())
    }
}

impl PropBag {
    /// The value of a property.
    pub fn value(&self, tag: PropTag) -> Option<Value<'_>> {
        let column = self.0.columns().binary_search(&tag).ok()?;
        self.0.row(0)?.at(column)
    }

    /// The value of a typed property.
    pub fn get<K: Kind>(&self, tag: &Tag<K>) -> Option<K::Ref<'_>> {
        K::read(self.value(tag.tag())?)
    }

    /// Every property with its value, by ascending tag.
    pub fn iter(&self) -> impl Iterator<Item = (PropTag, Value<'_>)> {
        self.0.row(0).into_iter().flat_map(crate::Row::values)
    }

    /// How many properties there are.
    pub fn len(&self) -> usize {
        self.0.columns().len()
    }

    /// Whether there is no property.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// This bag with `set` replaced or added and `delete` left out.
    pub fn with(&self, set: &[(PropTag, OwnedValue)], delete: &[PropTag]) -> Self {
        let kept = self
            .iter()
            .filter(|(tag, _)| !delete.contains(tag) && !set.iter().any(|(new, _)| new == tag))
            .map(|(tag, value)| (tag, value.to_owned()));
        kept.chain(set.iter().cloned()).collect()
    }
}

impl FromIterator<(PropTag, OwnedValue)> for PropBag {
    /// The last value of a tag given twice counts.
    fn from_iter<I: IntoIterator<Item = (PropTag, OwnedValue)>>(props: I) -> Self {
        let mut props: Vec<_> = props.into_iter().collect();
        props.reverse();
        props.sort_by_key(|(tag, _)| *tag);
        props.dedup_by_key(|(tag, _)| *tag);
        let mut builder = RowSetBuilder::new(props.iter().map(|(tag, _)| *tag).collect::<Vec<_>>());
        for (_, value) in &props {
            builder.push(Some(value.as_value()));
        }
        Self(Arc::new(builder.build()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags;

    #[test]
    fn a_bag_returns_what_was_put_in_and_the_last_duplicate_counts() {
        let bag: PropBag = [
            (tags::SUBJECT.tag(), OwnedValue::Str("first".into())),
            (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(-1)),
            (tags::KEYWORDS.tag(), OwnedValue::strs(["a", "ü"])),
            (tags::SUBJECT.tag(), OwnedValue::Str("last".into())),
        ]
        .into_iter()
        .collect();
        assert_eq!(bag.len(), 3);
        assert_eq!(bag.get(&tags::SUBJECT), Some("last"));
        assert_eq!(bag.get(&tags::MESSAGE_FLAGS), Some(-1));
        let keywords: Vec<_> = bag
            .get(&tags::KEYWORDS)
            .into_iter()
            .flat_map(|k| k.strs())
            .collect();
        assert_eq!(keywords, ["a", "ü"]);
        assert_eq!(bag.get(&tags::MESSAGE_CLASS), None);
    }

    #[test]
    fn with_replaces_adds_and_leaves_out() {
        let bag: PropBag = [(tags::SUBJECT.tag(), OwnedValue::Str("old".into()))]
            .into_iter()
            .collect();
        let next = bag.with(
            &[(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(1))],
            &[tags::SUBJECT.tag()],
        );
        assert_eq!(next.get(&tags::SUBJECT), None);
        assert_eq!(next.get(&tags::MESSAGE_FLAGS), Some(1));
        assert_eq!(bag.get(&tags::SUBJECT), Some("old"));
    }
}
