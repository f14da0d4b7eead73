//! Flags of items, as clients know them, and the MAPI properties they are kept in.
//!
//! | flag | read from | written to |
//! |---|---|---|
//! | seen | mfRead | mfRead |
//! | answered | msAnswered, or the last verb is a reply | msAnswered, last verb and icon |
//! | forwarded | our status bit, or the last verb is forward | our status bit, last verb and icon |
//! | flagged | PidTagFlagStatus 2 | PidTagFlagStatus, PidTagFollowupIcon, PidTagToDoItemFlags |
//! | deleted | msDelMarked | msDelMarked |
//! | draft | mfUnsent or msDraft | mfUnsent |
//! | MDN sent | msMDNSent | msMDNSent |
//! | keywords | PidNameKeywords | PidNameKeywords |
//!
//! The last verb names one of reply and forward, so both flags also have a status bit. PidTagLastVerbExecutionTime is
//! not written: it would make every repeated STORE a change.
//! Source: MS-OXCMSG 2.2.1.6 and 2.2.1.8, MS-OXOFLAG 2.2.1, MS-OXOMSG 2.2.1.34.

use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

use mapi_types::{
    BitChange, Change, OwnedValue, PropTag, StringsChange, tags,
    tags::{flag_status, last_verb, message_flags, message_status},
};

use crate::index::Verb;

/// A set of flags.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Flags(u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Read.
    pub const SEEN: Self = Self(1);
    /// Replied to.
    pub const ANSWERED: Self = Self(2);
    /// Flagged for follow-up.
    pub const FLAGGED: Self = Self(4);
    /// Marked for deletion.
    pub const DELETED: Self = Self(8);
    /// Not sent yet.
    pub const DRAFT: Self = Self(16);
    /// Forwarded.
    pub const FORWARDED: Self = Self(32);
    /// A disposition notification has been sent for it. Source: RFC 3503.
    pub const MDN_SENT: Self = Self(64);
    /// Every flag.
    pub const ALL: Self = Self(127);

    /// Whether all of `flags` are in the set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether any of `flags` is in the set.
    pub const fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// Whether there is no flag.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as bits, stable within a process.
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0 & Self::ALL.0)
    }
}

/// A change of flags and keywords, the same for any number of items.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FlagChange {
    /// Adds, then removes; what is not named stays.
    Delta {
        /// Flags to add.
        add: Flags,
        /// Flags to remove.
        remove: Flags,
        /// Keywords to add.
        add_keywords: Vec<Box<str>>,
        /// Keywords to remove, compared without case.
        remove_keywords: Vec<Box<str>>,
    },
    /// Replaces all flags and keywords.
    Set {
        /// The flags from now on.
        flags: Flags,
        /// The keywords from now on.
        keywords: Vec<Box<str>>,
    },
}

impl FlagChange {
    /// The flags to add and to remove.
    pub(crate) fn delta(&self) -> (Flags, Flags) {
        match self {
            Self::Delta { add, remove, .. } => (*add & !*remove, *remove),
            Self::Set { flags, .. } => (*flags, !*flags),
        }
    }
}

/// Flags whose properties hold more than one bit, so that what a change writes depends on what the item has.
const DEPENDENT: Flags = Flags(Flags::ANSWERED.0 | Flags::FORWARDED.0 | Flags::FLAGGED.0);

const ICON_REPLIED: i32 = 0x105;
const ICON_FORWARDED: i32 = 0x106;
/// The red flag.
const FOLLOWUP_ICON_RED: i32 = 6;
const TODO_TIME_FLAGGED: i32 = 1;

/// The property values flags are read from; missing ones are 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FlagProps {
    pub(crate) message_flags: i32,
    pub(crate) message_status: i32,
    pub(crate) flag_status: i32,
    pub(crate) last_verb: i32,
}

impl FlagProps {
    pub(crate) fn verb(self) -> Verb {
        match self.last_verb {
            last_verb::REPLY | last_verb::REPLY_ALL => Verb::Reply,
            last_verb::FORWARD => Verb::Forward,
            _ => Verb::None,
        }
    }

    pub(crate) fn flags(self) -> Flags {
        let status = |bit: i32| self.message_status & bit != 0;
        let verb = self.verb();
        [
            (Flags::SEEN, self.message_flags & message_flags::READ != 0),
            (
                Flags::ANSWERED,
                status(message_status::ANSWERED) || verb == Verb::Reply,
            ),
            (
                Flags::FORWARDED,
                status(message_status::FORWARDED) || verb == Verb::Forward,
            ),
            (Flags::FLAGGED, self.flag_status == flag_status::FLAGGED),
            (Flags::DELETED, status(message_status::DELETE_MARKED)),
            (
                Flags::DRAFT,
                self.message_flags & message_flags::UNSENT != 0 || status(message_status::DRAFT),
            ),
            (Flags::MDN_SENT, status(message_status::MDN_SENT)),
        ]
        .into_iter()
        .filter(|(_, on)| *on)
        .fold(Flags::NONE, |flags, (flag, _)| flags | flag)
    }
}

/// What an item's present state says about how a change is written; items of one group share one [`Change`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Group {
    flags: Flags,
    verb: Verb,
}

impl Group {
    /// The group of an item for a change that touches `touched`.
    pub(crate) fn new(flags: Flags, verb: Verb, touched: Flags) -> Self {
        if touched.intersects(Flags::ANSWERED | Flags::FORWARDED) {
            Self {
                flags: flags & DEPENDENT,
                verb,
            }
        } else {
            Self {
                flags: flags & touched & DEPENDENT,
                verb: Verb::None,
            }
        }
    }

    /// What to write on the items of this group.
    pub(crate) fn change(self, change: &FlagChange) -> Change {
        let (add, remove) = change.delta();
        let mut out = Change::default();
        push_bits(
            &mut out,
            tags::MESSAGE_FLAGS.tag(),
            message_flags_bits(add),
            message_flags_bits(remove),
        );
        // Only what the item has is removed: a follow-up marked complete is not flagged, and stays complete.
        let had = |flag: Flags| !DEPENDENT.intersects(flag) || self.flags.contains(flag);
        let mut status_set = status_bits(add & !DEPENDENT);
        let mut status_clear = status_bits(remove);
        if remove.contains(Flags::DRAFT) {
            status_clear |= message_status::DRAFT;
        }
        self.change_verb(
            &mut out,
            add & !self.flags,
            remove & self.flags,
            &mut status_set,
        );
        status_clear &= !status_set;
        push_bits(
            &mut out,
            tags::MESSAGE_STATUS.tag(),
            status_set,
            status_clear,
        );
        if add.contains(Flags::FLAGGED) && !had(Flags::FLAGGED) {
            out.set.push((
                tags::FLAG_STATUS.tag(),
                OwnedValue::I32(flag_status::FLAGGED),
            ));
            out.set.push((
                tags::FOLLOWUP_ICON.tag(),
                OwnedValue::I32(FOLLOWUP_ICON_RED),
            ));
            push_bits(&mut out, tags::TODO_ITEM_FLAGS.tag(), TODO_TIME_FLAGGED, 0);
        }
        if remove.contains(Flags::FLAGGED) && had(Flags::FLAGGED) {
            out.delete
                .extend([tags::FLAG_STATUS.tag(), tags::FOLLOWUP_ICON.tag()]);
            push_bits(&mut out, tags::TODO_ITEM_FLAGS.tag(), 0, TODO_TIME_FLAGGED);
        }
        push_keywords(&mut out, change);
        out
    }

    /// The last verb, its icon, and the status bits of answered and forwarded. `add` and `remove` are what the item
    /// does not have, and has.
    fn change_verb(self, out: &mut Change, add: Flags, remove: Flags, status: &mut i32) {
        let after = (self.flags | add) & !remove;
        *status |= status_bits(add);
        let verb = if add.contains(Flags::ANSWERED) {
            Verb::Reply
        } else if add.contains(Flags::FORWARDED) {
            Verb::Forward
        } else {
            match self.verb {
                Verb::Reply if remove.contains(Flags::ANSWERED) => Verb::None,
                Verb::Forward if remove.contains(Flags::FORWARDED) => Verb::None,
                verb => verb,
            }
        };
        if verb == self.verb {
            return;
        }
        // What only the old verb said must now be said by its bit.
        *status |= status_bits(after & (Flags::ANSWERED | Flags::FORWARDED) & !remove);
        let values = match verb {
            Verb::Reply => (last_verb::REPLY, ICON_REPLIED),
            Verb::Forward => (last_verb::FORWARD, ICON_FORWARDED),
            Verb::None => {
                out.delete.extend([
                    tags::LAST_VERB_EXECUTED.tag(),
                    tags::LAST_VERB_EXECUTION_TIME.tag(),
                    tags::ICON_INDEX.tag(),
                ]);
                return;
            }
        };
        out.set
            .push((tags::LAST_VERB_EXECUTED.tag(), OwnedValue::I32(values.0)));
        out.set
            .push((tags::ICON_INDEX.tag(), OwnedValue::I32(values.1)));
    }
}

/// The properties of a new item with these flags and keywords. `message_flags` are the bits its content has anyway.
pub(crate) fn new_item_props(
    flags: Flags,
    keywords: &[Box<str>],
    message_flags: i32,
) -> Vec<(PropTag, OwnedValue)> {
    let change = Group::new(Flags::NONE, Verb::None, Flags::ALL).change(&FlagChange::Set {
        flags,
        keywords: keywords.to_vec(),
    });
    let clear = message_flags::READ | message_flags::UNSENT;
    let mut props = change.set;
    props.extend(change.bits.iter().map(|bits| {
        let old = if bits.tag == tags::MESSAGE_FLAGS.tag() {
            message_flags & !clear
        } else {
            0
        };
        (bits.tag, OwnedValue::I32(bits.apply(old)))
    }));
    props
}

fn message_flags_bits(flags: Flags) -> i32 {
    bits(
        flags,
        &[
            (Flags::SEEN, message_flags::READ),
            (Flags::DRAFT, message_flags::UNSENT),
        ],
    )
}

fn status_bits(flags: Flags) -> i32 {
    bits(
        flags,
        &[
            (Flags::ANSWERED, message_status::ANSWERED),
            (Flags::FORWARDED, message_status::FORWARDED),
            (Flags::DELETED, message_status::DELETE_MARKED),
            (Flags::MDN_SENT, message_status::MDN_SENT),
        ],
    )
}

fn bits(flags: Flags, table: &[(Flags, i32)]) -> i32 {
    table
        .iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .fold(0, |all, (_, bit)| all | bit)
}

fn push_bits(out: &mut Change, tag: PropTag, set: i32, clear: i32) {
    if set != 0 || clear != 0 {
        out.bits.push(BitChange { tag, set, clear });
    }
}

fn push_keywords(out: &mut Change, change: &FlagChange) {
    let tag = tags::KEYWORDS.tag();
    match change {
        FlagChange::Delta {
            add_keywords,
            remove_keywords,
            ..
        } => {
            if !add_keywords.is_empty() || !remove_keywords.is_empty() {
                let (add, remove) = (add_keywords.clone(), remove_keywords.clone());
                out.strings.push(StringsChange { tag, add, remove });
            }
        }
        FlagChange::Set { keywords, .. } if keywords.is_empty() => out.delete.push(tag),
        FlagChange::Set { keywords, .. } => out.set.push((tag, OwnedValue::strs(keywords))),
    }
}

#[cfg(test)]
#[path = "flags_tests.rs"]
mod tests;
