//! The keywords of one folder: each spelled once, each set of them stored once.
//!
//! Ten thousand items that carry the same two keywords refer to one set. The table only grows, so an id taken from
//! one snapshot of a folder means the same in every later snapshot that shares its table.

use std::collections::HashMap;

/// A keyword of a [`KeywordTable`], in the order in which the folder met them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeywordId(pub u32);

/// A set of keywords in a [`KeywordTable`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct KeywordSetId(u32);

impl KeywordSetId {
    /// The set without a keyword, in every table.
    pub const NONE: Self = Self(0);
}

/// The keywords a folder's items carry. Keywords are compared without ASCII case; the first spelling stays.
#[derive(Clone, Debug)]
pub struct KeywordTable {
    names: Vec<Box<str>>,
    by_name: HashMap<Box<str>, KeywordId>,
    sets: Vec<Box<[KeywordId]>>,
    by_set: HashMap<Box<[KeywordId]>, KeywordSetId>,
}

impl Default for KeywordTable {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            by_name: HashMap::new(),
            sets: vec![Box::default()],
            by_set: HashMap::from([(Box::default(), KeywordSetId::NONE)]),
        }
    }
}

impl KeywordTable {
    /// Every keyword, in the order in which the folder met them.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// How a keyword is spelled in this folder.
    pub fn name(&self, keyword: KeywordId) -> Option<&str> {
        self.names.get(keyword.0 as usize).map(|name| &**name)
    }

    /// The keyword of this name, in any case.
    pub fn find(&self, name: &str) -> Option<KeywordId> {
        self.by_name.get(&*name.to_ascii_lowercase()).copied()
    }

    /// The keywords of a set, ascending.
    pub fn ids(&self, set: KeywordSetId) -> &[KeywordId] {
        self.sets.get(set.0 as usize).map_or(&[], |ids| ids)
    }

    /// The keywords of a set, as the folder spells them.
    pub fn set(&self, set: KeywordSetId) -> impl Iterator<Item = &str> {
        self.ids(set).iter().filter_map(|&id| self.name(id))
    }

    /// Whether a set has this keyword.
    pub fn contains(&self, set: KeywordSetId, keyword: KeywordId) -> bool {
        self.ids(set).contains(&keyword)
    }

    /// How many sets there are; at least one.
    pub(crate) fn set_count(&self) -> usize {
        self.sets.len()
    }

    /// About how many octets the table takes.
    pub(crate) fn weight(&self) -> usize {
        const ENTRY: usize = 64;
        let names: usize = self.names.iter().map(|name| 2 * (name.len() + ENTRY)).sum();
        names
            + self
                .sets
                .iter()
                .map(|set| 2 * (4 * set.len() + ENTRY))
                .sum::<usize>()
    }

    /// The set of these keywords if the table has it already.
    pub(crate) fn lookup<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<KeywordSetId> {
        let ids: Option<Vec<_>> = names.into_iter().map(|name| self.find(name)).collect();
        self.by_set.get(&*sorted(ids?)).copied()
    }

    /// The set of these keywords, entered if it is new.
    pub(crate) fn intern<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> KeywordSetId {
        let ids = sorted(names.into_iter().map(|name| self.keyword(name)).collect());
        if let Some(&set) = self.by_set.get(&*ids) {
            return set;
        }
        let set = KeywordSetId(self.sets.len() as u32);
        self.sets.push(ids.clone().into());
        self.by_set.insert(ids.into(), set);
        set
    }

    fn keyword(&mut self, name: &str) -> KeywordId {
        let lower: Box<str> = name.to_ascii_lowercase().into();
        if let Some(&id) = self.by_name.get(&lower) {
            return id;
        }
        let id = KeywordId(self.names.len() as u32);
        self.names.push(name.into());
        self.by_name.insert(lower, id);
        id
    }
}

fn sorted(mut ids: Vec<KeywordId>) -> Vec<KeywordId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_compared_without_case_and_the_first_spelling_stays() {
        let mut table = KeywordTable::default();
        let work = table.intern(["Work", "$label1"]);
        assert_eq!(table.intern(["$LABEL1", "work", "WORK"]), work);
        assert_eq!(table.set(work).collect::<Vec<_>>(), ["Work", "$label1"]);
        assert_eq!(table.names().collect::<Vec<_>>(), ["Work", "$label1"]);
        assert_eq!(table.find("WORK"), Some(KeywordId(0)));
        assert!(table.contains(work, KeywordId(1)));
    }

    #[test]
    fn a_lookup_enters_nothing() {
        let mut table = KeywordTable::default();
        assert_eq!(table.lookup([]), Some(KeywordSetId::NONE));
        assert_eq!(table.lookup(["Work"]), None);
        let set = table.intern(["Work"]);
        assert_eq!(table.lookup(["wORK"]), Some(set));
        assert_eq!(table.set_count(), 2);
    }
}
