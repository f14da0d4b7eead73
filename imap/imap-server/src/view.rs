//! A session's view of its mailbox: which message has which sequence number.
//!
//! The view is a snapshot of the folder's index, shared with everybody who holds the same one, and the list of items
//! that are gone but that the client was not told of yet, because the command at hand forbids EXPUNGE
//! (RFC 3501 7.4.1). Those keep their sequence numbers until they are announced. The client's numbering changes by
//! what [`View::update`] returns, and by nothing else.

use std::{ops::Range, sync::Arc};

use account::{FolderIndex, ItemNumber, ItemState};
use imap_wire::{NumberSet, SequenceSet, SetNumber};

/// What a session knows of its mailbox.
#[derive(Debug)]
pub(crate) struct View {
    index: Arc<FolderIndex>,
    /// Items gone and not announced, by number; nearly always none.
    ghosts: Vec<Ghost>,
    /// Ranges of numbers that are `\Recent` in this session, ascending.
    recent: Vec<(ItemNumber, ItemNumber)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ghost {
    number: ItemNumber,
    /// How many items of the snapshot come before it.
    before: usize,
}

/// Whether EXPUNGE responses may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expunges {
    /// They may.
    Announce,
    /// During FETCH, STORE and SEARCH (RFC 3501 7.4.1).
    Hold,
}

/// What the client must be told so that its numbering and flags are those of the new snapshot, in this order.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Updates {
    /// Sequence numbers of EXPUNGE responses, each counted after the ones before it.
    pub(crate) expunged: Vec<u32>,
    /// Whether items arrived, so that EXISTS is due.
    pub(crate) arrived: bool,
    /// Items whose flags or version changed, with their sequence numbers: before and after.
    pub(crate) changed: Vec<Changed>,
}

/// An item that changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Changed {
    /// Its sequence number.
    pub(crate) sequence: u32,
    /// As the client knows it.
    pub(crate) before: ItemState,
    /// As it is now.
    pub(crate) after: ItemState,
}

/// The messages a command names, as positions in the view's snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Ascending, disjoint ranges of positions.
    pub(crate) ranges: Vec<Range<usize>>,
    /// Whether the set named a message that is gone although the client was not told yet.
    pub(crate) missing: bool,
}

/// A sequence set that names a message above the highest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchMessage;

impl View {
    /// A view of a mailbox just opened, whose items above `announced` are recent.
    pub(crate) fn new(index: Arc<FolderIndex>, announced: ItemNumber) -> Self {
        let mut view = Self {
            index,
            ghosts: Vec::new(),
            recent: Vec::new(),
        };
        view.add_recent(announced);
        view
    }

    /// The snapshot the client's view is based on.
    pub(crate) fn index(&self) -> &Arc<FolderIndex> {
        &self.index
    }

    /// How many messages the client believes there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len() + self.ghosts.len()
    }

    /// How many messages are `\Recent` in this session.
    pub(crate) fn recent_count(&self) -> usize {
        let place = |number| self.index.search(number).unwrap_or_else(|place| place);
        let count = |&(first, last): &(ItemNumber, ItemNumber)| {
            place(ItemNumber(last.0.saturating_add(1))) - place(first)
        };
        self.recent.iter().map(count).sum()
    }

    /// Whether a message is `\Recent` in this session.
    pub(crate) fn is_recent(&self, number: ItemNumber) -> bool {
        let after = self.recent.partition_point(|&(first, _)| first <= number);
        let range = after.checked_sub(1).and_then(|at| self.recent.get(at));
        range.is_some_and(|&(_, last)| number <= last)
    }

    /// The sequence number of the item at a position of the snapshot.
    pub(crate) fn sequence(&self, position: usize) -> u32 {
        let ghosts = self
            .ghosts
            .partition_point(|ghost| ghost.before <= position);
        (position + ghosts) as u32 + 1
    }

    /// The sequence number of an item of the snapshot.
    pub(crate) fn sequence_of(&self, number: ItemNumber) -> Option<u32> {
        self.index
            .position(number)
            .map(|position| self.sequence(position))
    }

    /// Takes over a newer snapshot. Items above `announced` that are new are recent here.
    pub(crate) fn update(
        &mut self,
        index: Arc<FolderIndex>,
        announced: ItemNumber,
        expunges: Expunges,
    ) -> Updates {
        if Arc::ptr_eq(&self.index, &index)
            && (self.ghosts.is_empty() || expunges == Expunges::Hold)
        {
            return Updates::default();
        }
        let diff = index.diff(&self.index);
        let gone = self.gone(&diff.removed, expunges);
        let old = std::mem::replace(&mut self.index, index);
        let expunged = match expunges {
            Expunges::Announce => {
                self.ghosts.clear();
                gone.into_iter()
                    .enumerate()
                    .map(|(told, (sequence, _))| sequence - told as u32)
                    .collect()
            }
            Expunges::Hold => {
                self.ghosts = gone
                    .into_iter()
                    .map(|(_, number)| self.ghost(number))
                    .collect();
                Vec::new()
            }
        };
        if !diff.added.is_empty() {
            let known = ItemNumber(old.next_number().0.saturating_sub(1));
            self.add_recent(announced.max(known));
        }
        let changed = diff.changed.iter().filter_map(|after| {
            let before = *old.item(after.number)?;
            Some(Changed {
                sequence: self.sequence_of(after.number)?,
                before,
                after: *after,
            })
        });
        Updates {
            expunged,
            arrived: !diff.added.is_empty(),
            changed: changed.collect(),
        }
    }

    /// The messages a client's set names. UIDs that do not exist are ignored (RFC 3501 6.4.8).
    pub(crate) fn select(&self, set: &SequenceSet, uid: bool) -> Result<Selection, NoSuchMessage> {
        if uid {
            Ok(self.select_uids(set))
        } else {
            self.select_sequences(set)
        }
    }

    /// The messages with these numbers.
    pub(crate) fn select_numbers(&self, numbers: &NumberSet) -> Selection {
        let mut selection = Selection::default();
        for range in numbers.ranges() {
            let place = |number: u32| self.index.search(ItemNumber(number));
            let (Ok(from) | Err(from)) = place(*range.start());
            let to = match place(*range.end()) {
                Ok(last) => last + 1,
                Err(place) => place,
            };
            selection.push(from..to);
        }
        selection
    }

    fn select_uids(&self, set: &SequenceSet) -> Selection {
        let largest = self
            .index
            .len()
            .checked_sub(1)
            .and_then(|last| self.index.get(last));
        let Some(largest) = largest else {
            return Selection::default();
        };
        let numbers = set.resolve(largest.number.0);
        let mut selection = self.select_numbers(&numbers);
        selection.missing = self
            .ghosts
            .iter()
            .any(|ghost| numbers.contains(ghost.number.0));
        selection
    }

    fn select_sequences(&self, set: &SequenceSet) -> Result<Selection, NoSuchMessage> {
        let has_star = |range: &imap_wire::SequenceRange| {
            range.first == SetNumber::Largest || range.last == SetNumber::Largest
        };
        if self.len() == 0 && set.ranges().iter().all(has_star) {
            return Ok(Selection::default());
        }
        let numbers = set.resolve(self.len() as u32);
        if numbers.last().is_none_or(|last| last as usize > self.len()) {
            return Err(NoSuchMessage);
        }
        let mut selection = Selection::default();
        for range in numbers.ranges() {
            let (first, last) = (*range.start() as usize, *range.end() as usize);
            let (from, to) = (self.position_at(first), self.position_at(last + 1));
            selection.missing |= to - from < last + 1 - first;
            selection.push(from..to);
        }
        Ok(selection)
    }

    /// How many items of the snapshot have a smaller sequence number.
    fn position_at(&self, sequence: usize) -> usize {
        let ghost_sequence = |(at, ghost): (usize, &Ghost)| ghost.before + at + 1;
        let ghosts = self
            .ghosts
            .iter()
            .enumerate()
            .filter(|entry| ghost_sequence(*entry) < sequence);
        sequence - 1 - ghosts.count()
    }

    /// All items the client still counts and that are gone, by sequence number: those known to be gone, when they may
    /// be announced, and `removed` from the present snapshot.
    fn gone(&self, removed: &[ItemNumber], expunges: Expunges) -> Vec<(u32, ItemNumber)> {
        let ghosts = self.ghosts.iter().enumerate();
        let mut gone: Vec<_> = ghosts
            .map(|(at, ghost)| ((ghost.before + at + 1) as u32, ghost.number))
            .collect();
        gone.extend(
            removed
                .iter()
                .filter_map(|&number| Some((self.sequence_of(number)?, number))),
        );
        gone.sort_unstable();
        debug_assert!(expunges == Expunges::Announce || gone.len() <= self.len());
        gone
    }

    fn ghost(&self, number: ItemNumber) -> Ghost {
        let (Ok(before) | Err(before)) = self.index.search(number);
        Ghost { number, before }
    }

    fn add_recent(&mut self, announced: ItemNumber) {
        let first = ItemNumber(announced.0.saturating_add(1));
        let last = ItemNumber(self.index.next_number().0.saturating_sub(1));
        if first > last {
            return;
        }
        match self.recent.last_mut() {
            Some(before) if before.1.0.saturating_add(1) >= first.0 => before.1 = last,
            _ => self.recent.push((first, last)),
        }
    }
}

impl Selection {
    /// The states of the messages with their positions, ascending.
    pub(crate) fn items<'a>(
        &'a self,
        index: &'a FolderIndex,
    ) -> impl Iterator<Item = (usize, &'a ItemState)> {
        self.ranges.iter().cloned().flat_map(|range| {
            let len = range.len();
            range.clone().zip(index.iter_from(range.start).take(len))
        })
    }

    /// Whether a position is in the selection.
    pub(crate) fn contains(&self, position: usize) -> bool {
        let after = self.ranges.partition_point(|range| range.start <= position);
        after
            .checked_sub(1)
            .and_then(|at| self.ranges.get(at))
            .is_some_and(|range| position < range.end)
    }

    /// Adds a range that lies behind all others.
    fn push(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => self.ranges.push(range),
        }
    }
}
