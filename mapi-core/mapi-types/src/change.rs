//! Property changes in batches, and which of them make a new content.

use crate::{Multi, OwnedValue, PropTag, Value, tags};

/// One change for any number of items. Applied per item in the order: `set`, `delete`, `bits`, `strings`.
///
/// Bits and strings are deltas, so that one change adds a flag or a category to ten thousand items, whatever else
/// each of them has. A change that leaves an item as it was gives it no new version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Properties to set.
    pub set: Vec<(PropTag, OwnedValue)>,
    /// Properties to delete; one that is not there is no error.
    pub delete: Vec<PropTag>,
    /// For PtypInteger32 properties: bits to set, then bits to clear. A missing property counts as 0.
    pub bits: Vec<BitChange>,
    /// For PtypMultipleString properties: strings to add (unless there), then to remove, compared without ASCII case.
    pub strings: Vec<StringsChange>,
}

/// Bits of one PtypInteger32 property to set and to clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitChange {
    /// The property.
    pub tag: PropTag,
    /// Bits to set.
    pub set: i32,
    /// Bits to clear.
    pub clear: i32,
}

/// Strings of one PtypMultipleString property to add and to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StringsChange {
    /// The property.
    pub tag: PropTag,
    /// Strings to add.
    pub add: Vec<Box<str>>,
    /// Strings to remove.
    pub remove: Vec<Box<str>>,
}

impl BitChange {
    /// The property's new value.
    pub const fn apply(&self, old: i32) -> i32 {
        (old | self.set) & !self.clear
    }
}

impl StringsChange {
    /// The property's new value; empty means that the property goes.
    pub fn apply(&self, old: Option<Multi<'_>>) -> Vec<Box<str>> {
        let mut strings: Vec<Box<str>> = old
            .into_iter()
            .flat_map(Multi::strs)
            .map(Into::into)
            .collect();
        for new in &self.add {
            if !strings.iter().any(|s| s.eq_ignore_ascii_case(new)) {
                strings.push(new.clone());
            }
        }
        strings.retain(|s| !self.remove.iter().any(|gone| s.eq_ignore_ascii_case(gone)));
        strings
    }
}

impl Change {
    /// The new values of the properties this change touches, given the old ones; `None`: the property goes.
    /// Properties that stay as they were are left out.
    pub fn apply<'v>(
        &self,
        old: impl Fn(PropTag) -> Option<Value<'v>>,
    ) -> Vec<(PropTag, Option<OwnedValue>)> {
        let mut new: Vec<(PropTag, Option<OwnedValue>)> = Vec::new();
        let mut put =
            |tag: PropTag, value: Option<OwnedValue>| match new.iter_mut().find(|(t, _)| *t == tag)
            {
                Some(slot) => slot.1 = value,
                None => new.push((tag, value)),
            };
        for (tag, value) in &self.set {
            put(*tag, Some(value.clone()));
        }
        for tag in &self.delete {
            put(*tag, None);
        }
        for change in &self.bits {
            let before = match old(change.tag) {
                Some(Value::I32(bits)) => bits,
                _ => 0,
            };
            put(change.tag, Some(OwnedValue::I32(change.apply(before))));
        }
        for change in &self.strings {
            let before = match old(change.tag) {
                Some(Value::Strs(strings)) => Some(strings),
                _ => None,
            };
            let after = change.apply(before);
            put(
                change.tag,
                (!after.is_empty()).then(|| OwnedValue::strs(&after)),
            );
        }
        new.retain(|(tag, value)| match (old(*tag), value) {
            (None, None) => false,
            (Some(before), Some(after)) => before != after.as_value(),
            // A missing bit field is 0, so writing 0 is no change.
            (None, Some(OwnedValue::I32(0))) => !self.bits.iter().any(|bits| bits.tag == *tag),
            _ => true,
        });
        new
    }
}

/// Whether changing `tag` on an item of this message class makes a new content (a new item number), or only a new
/// version. Categories are flags on mail, and content on an event, a contact or a task.
pub fn changes_content(class: &str, tag: PropTag) -> bool {
    const FLAGS: [PropTag; 8] = [
        tags::MESSAGE_FLAGS.tag(),
        tags::MESSAGE_STATUS.tag(),
        tags::FLAG_STATUS.tag(),
        tags::FOLLOWUP_ICON.tag(),
        tags::ICON_INDEX.tag(),
        tags::LAST_VERB_EXECUTED.tag(),
        tags::LAST_VERB_EXECUTION_TIME.tag(),
        tags::TODO_ITEM_FLAGS.tag(),
    ];
    let is_class = |prefix: &str| {
        class
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_mail = is_class("IPM.Note") || is_class("REPORT") || is_class("IPM.Schedule");
    !(FLAGS.contains(&tag) || (is_mail && tag == tags::KEYWORDS.tag()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(set: i32, clear: i32) -> Change {
        Change {
            bits: vec![BitChange {
                tag: tags::MESSAGE_FLAGS.tag(),
                set,
                clear,
            }],
            ..Change::default()
        }
    }

    #[test]
    fn a_change_that_changes_nothing_is_empty() {
        assert!(flags(1, 0).apply(|_| Some(Value::I32(1))).is_empty());
        assert!(flags(0, 1).apply(|_| None).is_empty());
        assert_eq!(
            flags(1, 0).apply(|_| None),
            [(tags::MESSAGE_FLAGS.tag(), Some(OwnedValue::I32(1)))]
        );
    }

    #[test]
    fn strings_are_added_once_and_removed_without_case() {
        let change = |add: &[&str], remove: &[&str]| StringsChange {
            tag: tags::KEYWORDS.tag(),
            add: add.iter().map(|s| (*s).into()).collect(),
            remove: remove.iter().map(|s| (*s).into()).collect(),
        };
        let packed = OwnedValue::packed(["Work", "Later"]);
        let old = Some(Multi::from_packed(&packed));
        assert_eq!(
            change(&["work", "New"], &[]).apply(old),
            ["Work".into(), "Later".into(), Box::from("New")]
        );
        assert_eq!(
            change(&[], &["LATER", "absent"]).apply(old),
            [Box::from("Work")]
        );
    }

    #[test]
    fn categories_are_flags_on_mail_and_content_on_events() {
        assert!(!changes_content("IPM.Note.SMIME", tags::KEYWORDS.tag()));
        assert!(changes_content("IPM.Appointment", tags::KEYWORDS.tag()));
        assert!(!changes_content(
            "IPM.Appointment",
            tags::MESSAGE_FLAGS.tag()
        ));
        assert!(changes_content("IPM.Note", tags::SUBJECT.tag()));
    }
}
