//! Whether an object meets a restriction. Source: MS-OXCDATA 2.12.

use mapi_types::PropTag;
use mapi_wire::{PropValue, restriction::Restriction};

use super::{
    compare::{compare, holds},
    mailbox::Mailbox,
    message::Message,
    props::{Props, as_type, size_of_value, type_of_value},
    tags,
};

/// What a restriction asks an object for.
pub trait Subject {
    /// A property, in the type of its tag.
    fn prop(&self, tag: PropTag) -> Option<PropValue>;

    /// Its sub-objects: the recipients or attachments of a message.
    fn parts(&self, _tag: PropTag) -> Vec<&Props> {
        Vec::new()
    }
}

impl Subject for Props {
    fn prop(&self, tag: PropTag) -> Option<PropValue> {
        self.read(tag)
    }
}

/// A message in its mailbox.
pub struct MessageSubject<'a>(pub &'a Mailbox, pub &'a Message);

impl Subject for MessageSubject<'_> {
    fn prop(&self, tag: PropTag) -> Option<PropValue> {
        self.0.message_prop(self.1, tag)
    }

    fn parts(&self, tag: PropTag) -> Vec<&Props> {
        match tag {
            tags::MESSAGE_RECIPIENTS => {
                self.1.content.recipients.iter().map(|r| &r.props).collect()
            }
            tags::MESSAGE_ATTACHMENTS => self
                .1
                .content
                .attachments
                .iter()
                .map(|a| &a.props)
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// Whether an object meets a restriction.
pub fn meets(subject: &dyn Subject, restriction: &Restriction) -> bool {
    match restriction {
        Restriction::And(all) => all.iter().all(|one| meets(subject, one)),
        Restriction::Or(all) => all.iter().any(|one| meets(subject, one)),
        Restriction::Not(one) => !meets(subject, one),
        Restriction::Content {
            fuzzy_low,
            fuzzy_high,
            tag,
            value,
        } => subject
            .prop(*tag)
            .is_some_and(|found| contains(&found, &value.value, *fuzzy_low, *fuzzy_high)),
        Restriction::Property {
            relation,
            tag,
            value,
        } => compares(subject, *relation, *tag, &value.value),
        Restriction::CompareProperties {
            relation,
            left,
            right,
        } => match (subject.prop(*left), subject.prop(*right)) {
            (Some(left), Some(right)) => {
                compare(&left, &right).is_some_and(|order| holds(*relation, order))
            }
            _ => false,
        },
        Restriction::BitMask {
            relation,
            tag,
            mask,
        } => match subject.prop(*tag) {
            Some(PropValue::I32(bits)) => (bits as u32 & mask != 0) == (*relation == 1),
            _ => false,
        },
        Restriction::Size {
            relation,
            tag,
            size,
        } => subject
            .prop(*tag)
            .is_some_and(|found| holds(*relation, size_of_value(&found).cmp(&(*size as usize)))),
        Restriction::Exist(tag) => subject.prop(*tag).is_some(),
        Restriction::SubObject { tag, condition } => subject
            .parts(*tag)
            .into_iter()
            .any(|part| meets(part, condition)),
        Restriction::Comment { condition, .. } => condition
            .as_ref()
            .is_none_or(|condition| meets(subject, condition)),
        Restriction::Count { condition, .. } => meets(subject, condition),
    }
}

fn compares(subject: &dyn Subject, relation: u8, tag: PropTag, wanted: &PropValue) -> bool {
    let Some(found) = subject.prop(tag) else {
        return false;
    };
    let order = |found: &PropValue| {
        let wanted = as_type(wanted, type_of_value(found))?;
        compare(found, &wanted)
    };
    match &found {
        // One value of several is enough. Source: MS-OXCDATA 2.12.5.
        PropValue::Strings(all) => all.iter().any(|one| {
            order(&PropValue::String(one.clone())).is_some_and(|order| holds(relation, order))
        }),
        found => order(found).is_some_and(|order| holds(relation, order)),
    }
}

/// FuzzyLevelLow. Source: MS-OXCDATA 2.12.4.1.
mod fuzzy {
    pub(super) const FULL: u16 = 0;
    pub(super) const SUBSTRING: u16 = 1;
    pub(super) const PREFIX: u16 = 2;
    /// FuzzyLevelHigh: letter case does not count; so too with loose matching.
    pub(super) const CASELESS: u16 = 1 | 4;
}

fn contains(found: &PropValue, wanted: &PropValue, low: u16, high: u16) -> bool {
    match (found, wanted) {
        (PropValue::String(found), wanted) => {
            let Some(PropValue::String(wanted)) = text_of(wanted) else {
                return false;
            };
            let folded = |text: String| match high & fuzzy::CASELESS {
                0 => text,
                _ => text.to_lowercase(),
            };
            fits(
                folded(found.to_text()).as_bytes(),
                folded(wanted.to_text()).as_bytes(),
                low,
            )
        }
        (PropValue::Strings(all), wanted) => all
            .iter()
            .any(|one| contains(&PropValue::String(one.clone()), wanted, low, high)),
        (PropValue::Binary(found), PropValue::Binary(wanted)) => fits(found, wanted, low),
        _ => false,
    }
}

fn text_of(value: &PropValue) -> Option<PropValue> {
    let mut props = Props::default();
    props.set(PropTag(0), value.clone());
    props.get(PropTag(0)).cloned()
}

fn fits(found: &[u8], wanted: &[u8], low: u16) -> bool {
    match low {
        fuzzy::FULL => found == wanted,
        fuzzy::PREFIX => found.starts_with(wanted),
        fuzzy::SUBSTRING => {
            wanted.is_empty() || found.windows(wanted.len()).any(|window| window == wanted)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use mapi_wire::{TaggedValue, Utf16};

    use super::*;

    fn subject() -> Props {
        let mut props = Props::default();
        props.set_text(tags::SUBJECT, "Grüße aus Köln");
        props.set(tags::MESSAGE_FLAGS, PropValue::I32(9));
        props.set(
            PropTag(0x8001_101f),
            PropValue::Strings([Utf16::from("red"), Utf16::from("blue")].into()),
        );
        props
    }

    fn content(low: u16, high: u16, text: &str) -> Restriction {
        Restriction::Content {
            fuzzy_low: low,
            fuzzy_high: high,
            tag: tags::SUBJECT,
            value: Box::new(TaggedValue {
                tag: tags::SUBJECT,
                value: PropValue::String(text.into()),
            }),
        }
    }

    fn property(relation: u8, tag: PropTag, value: PropValue) -> Restriction {
        Restriction::Property {
            relation,
            tag,
            value: Box::new(TaggedValue { tag, value }),
        }
    }

    #[test]
    fn restrictions_are_met_as_the_documents_say() {
        let flags = tags::MESSAGE_FLAGS;
        let bits = |relation, mask| Restriction::BitMask {
            relation,
            tag: flags,
            mask,
        };
        let cases = [
            (content(1, 1, "KÖLN"), true),
            (content(1, 0, "KÖLN"), false),
            (content(2, 1, "grüße"), true),
            (content(0, 1, "grüße"), false),
            (property(4, flags, PropValue::I32(9)), true),
            (property(0, flags, PropValue::I32(9)), false),
            (
                property(4, PropTag(0x8001_101f), PropValue::String("blue".into())),
                true,
            ),
            (
                property(4, PropTag(0x8001_101f), PropValue::String("green".into())),
                false,
            ),
            (bits(1, 8), true),
            (bits(0, 8), false),
            (bits(0, 2), true),
            (Restriction::Exist(tags::BODY), false),
            (
                Restriction::Not(Box::new(Restriction::Exist(tags::BODY))),
                true,
            ),
            (
                Restriction::And(vec![bits(1, 8), content(1, 1, "aus")]),
                true,
            ),
            (Restriction::Or(vec![]), false),
        ];
        for (restriction, expected) in cases {
            assert_eq!(meets(&subject(), &restriction), expected, "{restriction:?}");
        }
    }
}
