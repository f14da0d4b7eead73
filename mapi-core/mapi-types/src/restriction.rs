//! Restrictions and sort orders: what a query asks for. Source: MS-OXCDATA 2.12 and 2.13.

use std::cmp::Ordering;

use crate::{OwnedValue, PropTag, Value};

/// A condition on an item's properties.
#[derive(Clone, Debug, PartialEq)]
pub enum Restriction {
    /// All of them hold; true when empty.
    And(Vec<Self>),
    /// One of them holds; false when empty.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The property exists.
    Exist(PropTag),
    /// The property compares so with the value; false when it is missing or of another type.
    Property(Relation, PropTag, OwnedValue),
    /// Any of these bits of a PtypInteger32 property is set; a missing property counts as 0.
    AnyBit(PropTag, i32),
    /// The text (or one of several strings) matches; compared by Unicode lower case.
    Text(TextMatch, PropTag, Box<str>),
}

/// How a property compares with a value. Source: MS-OXCDATA 2.12.5.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

/// How a text matches. Source: FuzzyLevelLow, MS-OXCDATA 2.12.4.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TextMatch {
    /// The whole text.
    Full,
    /// Anywhere in it.
    Substring,
    /// At its start.
    Prefix,
}

/// A column to sort by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SortOrder {
    /// The column.
    pub tag: PropTag,
    /// Largest first.
    pub descending: bool,
}

impl Restriction {
    /// Whether an item with these properties meets the condition.
    pub fn matches<'v>(&self, props: &dyn Fn(PropTag) -> Option<Value<'v>>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|r| r.matches(props)),
            Self::Or(any) => any.iter().any(|r| r.matches(props)),
            Self::Not(inner) => !inner.matches(props),
            Self::Exist(tag) => props(*tag).is_some(),
            Self::Property(relation, tag, value) => props(*tag)
                .and_then(|found| compare(found, value.as_value()))
                .is_some_and(|ordering| relation.holds(ordering)),
            Self::AnyBit(tag, mask) => {
                matches!(props(*tag), Some(Value::I32(bits)) if bits & mask != 0)
            }
            Self::Text(how, tag, text) => match props(*tag) {
                Some(Value::Str(found)) => how.holds(found, text),
                Some(Value::Strs(found)) => found.strs().any(|found| how.holds(found, text)),
                _ => false,
            },
        }
    }
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
        }
    }
}

impl TextMatch {
    fn holds(self, found: &str, text: &str) -> bool {
        let (found, text) = (found.to_lowercase(), text.to_lowercase());
        match self {
            Self::Full => found == text,
            Self::Substring => found.contains(&text),
            Self::Prefix => found.starts_with(&text),
        }
    }
}

/// The order of two values of one type; `None` across types. Text is ordered by Unicode lower case.
pub fn compare(a: Value<'_>, b: Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::I16(a), Value::I16(b)) => Some(a.cmp(&b)),
        (Value::I32(a), Value::I32(b)) => Some(a.cmp(&b)),
        (Value::I64(a), Value::I64(b)) => Some(a.cmp(&b)),
        (Value::F64(a), Value::F64(b)) => a.partial_cmp(&b),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(&b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(&b)),
        (Value::Guid(a), Value::Guid(b)) => Some(a.cmp(b)),
        (Value::Str(a), Value::Str(b)) => Some(a.to_lowercase().cmp(&b.to_lowercase())),
        (Value::Bin(a), Value::Bin(b)) => Some(a.cmp(b)),
        (Value::Strs(a), Value::Strs(b)) | (Value::Bins(a), Value::Bins(b)) => {
            Some(a.packed().cmp(b.packed()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags;

    #[test]
    fn restrictions_combine() {
        let props =
            |tag: PropTag| (tag == tags::SUBJECT.tag()).then_some(Value::Str("Grüße aus Köln"));
        let text = |how, text: &str| Restriction::Text(how, tags::SUBJECT.tag(), text.into());
        assert!(text(TextMatch::Substring, "KÖLN").matches(&props));
        assert!(text(TextMatch::Prefix, "grüße").matches(&props));
        assert!(!text(TextMatch::Full, "grüße").matches(&props));
        assert!(!Restriction::Exist(tags::MESSAGE_FLAGS.tag()).matches(&props));
        assert!(Restriction::Not(Box::new(Restriction::Or(vec![]))).matches(&props));
        let unread = Restriction::AnyBit(tags::MESSAGE_FLAGS.tag(), 1);
        assert!(!unread.matches(&props));
    }
}
