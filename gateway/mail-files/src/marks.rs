//! Flags and keywords of a message outside of its mailbox.
//!
//! Six flags are letters of a Maildir file name; that a disposition notification was sent is a keyword, as IMAP has it.
//! Source: the Maildir specification (cr.yp.to/proto/maildir.html), info; RFC 3503.

use account::{FlagChange, Flags};
use serde::{Deserialize, Serialize};

/// The letters in the order in which a name has them.
const LETTERS: [(char, Flags); 6] = [
    ('D', Flags::DRAFT),
    ('F', Flags::FLAGGED),
    ('P', Flags::FORWARDED),
    ('R', Flags::ANSWERED),
    ('S', Flags::SEEN),
    ('T', Flags::DELETED),
];

/// Flags that mail programs write as keywords.
const WORDS: [(&str, Flags); 2] = [
    ("$Forwarded", Flags::FORWARDED),
    ("$MDNSent", Flags::MDN_SENT),
];

/// Flags and keywords.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Marks {
    /// Flags as letters, ascending.
    letters: String,
    /// Keywords, sorted. `$MDNSent` stands for the flag.
    keywords: Vec<Box<str>>,
}

impl Marks {
    /// Marks of an item.
    pub(crate) fn new<'a>(flags: Flags, keywords: impl IntoIterator<Item = &'a str>) -> Self {
        let letters = LETTERS.iter().filter(|(_, flag)| flags.contains(*flag));
        let mut keywords: Vec<Box<str>> = keywords.into_iter().map(Box::from).collect();
        if flags.contains(Flags::MDN_SENT) {
            keywords.push("$MDNSent".into());
        }
        keywords.sort_unstable();
        keywords.dedup();
        Self {
            letters: letters.map(|(letter, _)| *letter).collect(),
            keywords,
        }
    }

    /// Marks that a file says, by letters of which some may mean nothing.
    pub(crate) fn of_letters(letters: &str, keywords: impl IntoIterator<Item = Box<str>>) -> Self {
        let is = |letter: char| letters.contains(letter);
        let flags = LETTERS.iter().filter(|(letter, _)| is(*letter));
        let mut flags = flags.fold(Flags::NONE, |all, (_, flag)| all | *flag);
        let mut words: Vec<Box<str>> = keywords.into_iter().collect();
        words.retain(|word| {
            let known = WORDS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(word));
            known.is_none_or(|(_, flag)| {
                flags |= *flag;
                false
            })
        });
        Self::new(flags, words.iter().map(|word| &**word))
    }

    /// The flags.
    pub(crate) fn flags(&self) -> Flags {
        let letters = LETTERS
            .iter()
            .filter(|(letter, _)| self.letters.contains(*letter));
        let flags = letters.fold(Flags::NONE, |all, (_, flag)| all | *flag);
        match self.keywords.iter().any(|word| &**word == "$MDNSent") {
            true => flags | Flags::MDN_SENT,
            false => flags,
        }
    }

    /// The flags as letters.
    pub(crate) fn letters(&self) -> &str {
        &self.letters
    }

    /// The keywords, with those that stand for flags.
    pub(crate) fn words(&self) -> &[Box<str>] {
        &self.keywords
    }

    /// The keywords.
    pub(crate) fn keywords(&self) -> Vec<Box<str>> {
        let keywords = self.keywords.iter().filter(|word| &***word != "$MDNSent");
        keywords.cloned().collect()
    }

    /// What makes these of others, if they differ.
    pub(crate) fn change_from(&self, old: &Self) -> Option<FlagChange> {
        let (new_words, old_words) = (self.keywords(), old.keywords());
        let without = |all: &[Box<str>], others: &[Box<str>]| -> Vec<Box<str>> {
            all.iter()
                .filter(|word| !others.contains(word))
                .cloned()
                .collect()
        };
        (self != old).then(|| FlagChange::Delta {
            add: self.flags() & !old.flags(),
            remove: old.flags() & !self.flags(),
            add_keywords: without(&new_words, &old_words),
            remove_keywords: without(&old_words, &new_words),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_survives() {
        for bits in 0..=Flags::ALL.bits() {
            let all = [
                Flags::SEEN,
                Flags::ANSWERED,
                Flags::FLAGGED,
                Flags::DELETED,
                Flags::DRAFT,
                Flags::FORWARDED,
                Flags::MDN_SENT,
            ];
            let flags = all.into_iter().filter(|flag| flag.bits() & bits != 0);
            let flags = flags.fold(Flags::NONE, |all, flag| all | flag);
            let marks = Marks::new(flags, ["Red", "$x"]);
            assert_eq!((marks.flags(), marks.keywords().len()), (flags, 2));
            let read = Marks::of_letters(marks.letters(), marks.words().to_vec());
            assert_eq!(read, marks);
        }
    }

    #[test]
    fn only_what_differs_is_changed() {
        let old = Marks::new(Flags::SEEN | Flags::FLAGGED, ["a", "b"]);
        let new = Marks::new(Flags::SEEN | Flags::MDN_SENT, ["b", "c"]);
        let expected = FlagChange::Delta {
            add: Flags::MDN_SENT,
            remove: Flags::FLAGGED,
            add_keywords: vec!["c".into()],
            remove_keywords: vec!["a".into()],
        };
        assert_eq!(new.change_from(&old), Some(expected));
        assert_eq!(new.change_from(&new), None);
    }
}
