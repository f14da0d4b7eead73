//! Flags between the wire and the account.
//!
//! `$Forwarded` and `$MDNSent` are keywords on the wire and flags below; every other keyword is a category.

use account::{Flags, KeywordSetId, KeywordTable};
use imap_wire::{Flag, FlagBits};

use imap_wire::keyword;

/// `$Forwarded` (RFC 5788 registry).
pub(crate) const FORWARDED: &str = "$Forwarded";
/// `$MDNSent` (RFC 3503).
pub(crate) const MDN_SENT: &str = "$MDNSent";

/// Flags and keywords a client named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlagSet {
    /// Flags.
    pub(crate) flags: Flags,
    /// Categories, each once.
    pub(crate) categories: Vec<Box<str>>,
}

/// A flag that clients cannot set, such as an unknown one with a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchFlag;

impl FlagSet {
    /// Reads a list of flags. `\Recent` is ignored: clients send back what they fetched.
    pub(crate) fn new(list: &[Flag]) -> Result<Self, NoSuchFlag> {
        let mut set = Self::default();
        for flag in list {
            match flag {
                Flag::Answered => set.flags |= Flags::ANSWERED,
                Flag::Deleted => set.flags |= Flags::DELETED,
                Flag::Draft => set.flags |= Flags::DRAFT,
                Flag::Flagged => set.flags |= Flags::FLAGGED,
                Flag::Seen => set.flags |= Flags::SEEN,
                Flag::Keyword(name) => set.add_keyword(name.as_str()),
                Flag::Extension(name) if name.eq_ignore_ascii_case("Recent") => {}
                Flag::Extension(_) => return Err(NoSuchFlag),
            }
        }
        Ok(set)
    }

    fn add_keyword(&mut self, name: &str) {
        if let Some(flag) = keyword_flag(name) {
            self.flags |= flag;
            return;
        }
        let category = keyword::category(name);
        if !self
            .categories
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&category))
        {
            self.categories.push(category.into());
        }
    }
}

/// The flag that a keyword stands for.
pub(crate) fn keyword_flag(name: &str) -> Option<Flags> {
    if name.eq_ignore_ascii_case(FORWARDED) {
        Some(Flags::FORWARDED)
    } else if name.eq_ignore_ascii_case(MDN_SENT) {
        Some(Flags::MDN_SENT)
    } else {
        None
    }
}

/// The system flags among an item's flags.
pub(crate) fn bits(flags: Flags, recent: bool) -> FlagBits {
    const TABLE: [(Flags, FlagBits); 5] = [
        (Flags::ANSWERED, FlagBits::ANSWERED),
        (Flags::FLAGGED, FlagBits::FLAGGED),
        (Flags::DELETED, FlagBits::DELETED),
        (Flags::SEEN, FlagBits::SEEN),
        (Flags::DRAFT, FlagBits::DRAFT),
    ];
    let start = if recent {
        FlagBits::RECENT
    } else {
        FlagBits::NONE
    };
    TABLE
        .into_iter()
        .filter(|(flag, _)| flags.contains(*flag))
        .fold(start, |all, (_, bit)| all.with(bit))
}

/// An item's keywords as they go on the wire.
pub(crate) fn keywords(flags: Flags, set: KeywordSetId, table: &KeywordTable) -> Vec<String> {
    let mut keywords = Vec::new();
    if flags.contains(Flags::FORWARDED) {
        keywords.push(FORWARDED.to_owned());
    }
    if flags.contains(Flags::MDN_SENT) {
        keywords.push(MDN_SENT.to_owned());
    }
    keywords.extend(table.set(set).map(keyword::keyword));
    keywords
}
