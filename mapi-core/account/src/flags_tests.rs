use std::collections::BTreeMap;

use super::*;

type Props = BTreeMap<PropTag, OwnedValue>;

fn read(props: &Props) -> FlagProps {
    let long = |tag: PropTag| match props.get(&tag) {
        Some(OwnedValue::I32(value)) => *value,
        _ => 0,
    };
    FlagProps {
        message_flags: long(tags::MESSAGE_FLAGS.tag()),
        message_status: long(tags::MESSAGE_STATUS.tag()),
        flag_status: long(tags::FLAG_STATUS.tag()),
        last_verb: long(tags::LAST_VERB_EXECUTED.tag()),
    }
}

/// Applies a change as a store would; whether anything changed.
fn apply(props: &mut Props, change: &FlagChange) -> bool {
    let (add, remove) = change.delta();
    let now = read(props);
    let change = Group::new(now.flags(), now.verb(), add | remove).change(change);
    let old = props.clone();
    let new = change.apply(|tag| old.get(&tag).map(OwnedValue::as_value));
    for (tag, value) in &new {
        match value {
            Some(value) => props.insert(*tag, value.clone()),
            None => props.remove(tag),
        };
    }
    !new.is_empty()
}

fn delta(add: Flags, remove: Flags) -> FlagChange {
    FlagChange::Delta {
        add,
        remove,
        add_keywords: Vec::new(),
        remove_keywords: Vec::new(),
    }
}

fn set(flags: Flags) -> FlagChange {
    FlagChange::Set {
        flags,
        keywords: Vec::new(),
    }
}

fn all() -> impl Iterator<Item = Flags> {
    (0..=Flags::ALL.0).map(Flags)
}

/// Items as our own writes, and as Outlook, leave them.
fn items() -> Vec<Props> {
    let mut items: Vec<Props> = all()
        .map(|flags| new_item_props(flags, &[], 0).into_iter().collect())
        .collect();
    for verb in [
        0,
        last_verb::REPLY,
        last_verb::REPLY_ALL,
        last_verb::FORWARD,
    ] {
        for status in [0, message_status::DRAFT, message_status::FORWARDED] {
            for flag_status in [0, 1, flag_status::FLAGGED] {
                items.push(Props::from([
                    (tags::LAST_VERB_EXECUTED.tag(), OwnedValue::I32(verb)),
                    (tags::MESSAGE_STATUS.tag(), OwnedValue::I32(status)),
                    (tags::FLAG_STATUS.tag(), OwnedValue::I32(flag_status)),
                ]));
            }
        }
    }
    items
}

#[test]
fn new_items_have_the_flags_they_were_given() {
    for flags in all() {
        let props: Props = new_item_props(flags, &[], 0).into_iter().collect();
        assert_eq!(read(&props).flags(), flags);
    }
}

#[test]
fn new_items_keep_the_bits_of_their_content() {
    let content = message_flags::HAS_ATTACH | message_flags::READ | message_flags::UNSENT;
    let props: Props = new_item_props(Flags::NONE, &[], content)
        .into_iter()
        .collect();
    assert_eq!(read(&props).message_flags, message_flags::HAS_ATTACH);
}

#[test]
fn any_change_of_any_item_gives_the_flags_it_says() {
    for item in items() {
        for flags in all() {
            let before = read(&item).flags();
            let changes = [
                (delta(flags, Flags::NONE), before | flags),
                (delta(Flags::NONE, flags), before & !flags),
                (delta(flags, !flags), flags),
                (set(flags), flags),
            ];
            for (change, expected) in changes {
                let mut item = item.clone();
                apply(&mut item, &change);
                assert_eq!(read(&item).flags(), expected, "{change:?}");
                assert!(
                    !apply(&mut item, &change),
                    "{change:?} again changes something"
                );
            }
        }
    }
}

#[test]
fn outlook_sees_what_was_done_last() {
    let mut item = Props::new();
    let verb = |item: &Props| item.get(&tags::LAST_VERB_EXECUTED.tag()).cloned();
    apply(&mut item, &delta(Flags::ANSWERED, Flags::NONE));
    assert_eq!(verb(&item), Some(OwnedValue::I32(last_verb::REPLY)));
    apply(&mut item, &delta(Flags::FORWARDED, Flags::NONE));
    assert_eq!(verb(&item), Some(OwnedValue::I32(last_verb::FORWARD)));
    assert_eq!(
        item.get(&tags::ICON_INDEX.tag()),
        Some(&OwnedValue::I32(ICON_FORWARDED))
    );
    apply(&mut item, &delta(Flags::NONE, Flags::FORWARDED));
    assert_eq!(read(&item).flags(), Flags::ANSWERED);
}

#[test]
fn a_completed_follow_up_stays_complete() {
    let status = tags::FLAG_STATUS.tag();
    let mut item = Props::from([(status, OwnedValue::I32(1))]);
    apply(&mut item, &set(Flags::SEEN));
    assert_eq!(item.get(&status), Some(&OwnedValue::I32(1)));
}

#[test]
fn keywords_are_added_removed_and_replaced() {
    let tag = tags::KEYWORDS.tag();
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).into())
            .collect::<Vec<Box<str>>>()
    };
    let mut item: Props = new_item_props(Flags::NONE, &names(&["Work", "$label1"]), 0)
        .into_iter()
        .collect();
    assert_eq!(item.get(&tag), Some(&OwnedValue::strs(["Work", "$label1"])));
    let change = FlagChange::Delta {
        add: Flags::NONE,
        remove: Flags::NONE,
        add_keywords: names(&["Later", "work"]),
        remove_keywords: names(&["$LABEL1"]),
    };
    assert!(apply(&mut item, &change));
    assert_eq!(item.get(&tag), Some(&OwnedValue::strs(["Work", "Later"])));
    assert!(!apply(&mut item, &change));
    assert!(apply(&mut item, &set(Flags::NONE)));
    assert_eq!(item.get(&tag), None);
}
