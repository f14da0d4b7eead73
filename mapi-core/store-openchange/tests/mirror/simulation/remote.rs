//! The remote of the simulation, and the dice.

use std::collections::BTreeMap;

use mapi_types::{FileTime, OwnedValue, tags};
use store_openchange::{RemoteId, RemoteItem};

use crate::remote::{key, props};

/// Xorshift: the same choices for the same seed everywhere.
pub(super) struct Dice {
    pub(super) state: u64,
    pub(super) seed: u64,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { state, seed }
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        ((self.state >> 11) % end.max(1) as u64) as usize
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<'p, T>(&mut self, from: &'p [T]) -> Option<&'p T> {
        from.get(self.below(from.len()))
    }
}

impl Drop for Dice {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed was {}", self.seed);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct RemoteState {
    pub(super) change_key: u64,
    /// Of the content.
    pub(super) revision: u32,
    pub(super) flags: i32,
    pub(super) icon: i32,
    pub(super) delivered: u64,
    /// When the item, or whether it is read, last changed.
    pub(super) changed: u64,
    pub(super) read: u64,
    /// Where it began: what its bytes say wherever it moves.
    pub(super) origin: String,
    /// What we uploaded, while nobody edited it.
    pub(super) ours: Option<String>,
    /// The number that the remote gives it.
    pub(super) hint: Option<u32>,
}

#[derive(Default)]
pub(super) struct RemoteContents {
    pub(super) items: BTreeMap<String, RemoteState>,
    pub(super) removed: Vec<(u64, String)>,
}

#[derive(Default)]
pub(super) struct Remote {
    pub(super) folders: [RemoteContents; 2],
    pub(super) clock: u64,
    pub(super) numbering: Numbering,
}

/// Which numbers the remote gives to its items.
#[derive(Clone, Copy, Default)]
pub(super) enum Numbering {
    #[default]
    None,
    Ascending,
    /// Sometimes the same to two of them.
    Careless,
}

impl Remote {
    pub(super) fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    pub(super) fn add(&mut self, folder: usize, id: &str, ours: Option<String>) {
        let now = self.tick();
        let hint = match self.numbering {
            Numbering::None => None,
            Numbering::Ascending => Some(now as u32),
            Numbering::Careless => Some(now as u32 / 8 + 1),
        };
        let state = RemoteState {
            change_key: now,
            revision: 0,
            flags: 0,
            icon: 1,
            delivered: now,
            changed: now,
            read: 0,
            origin: id.into(),
            ours,
            hint,
        };
        self.folders[folder].items.insert(id.into(), state);
    }

    pub(super) fn remove(&mut self, folder: usize, id: &str) -> Option<RemoteState> {
        let now = self.tick();
        let gone = self.folders[folder].items.remove(id)?;
        self.folders[folder].removed.push((now, id.into()));
        Some(gone)
    }

    /// Changes an item, and its change key with it.
    pub(super) fn edit(&mut self, folder: usize, id: &str, change: impl FnOnce(&mut RemoteState)) {
        let now = self.tick();
        if let Some(item) = self.folders[folder].items.get_mut(id) {
            (item.changed, item.change_key) = (now, now);
            change(item);
        }
    }

    pub(super) fn set_read(&mut self, folder: usize, id: &str) {
        let now = self.tick();
        if let Some(item) = self.folders[folder].items.get_mut(id) {
            item.flags ^= 1;
            item.read = now;
        }
    }

    pub(super) fn move_to(&mut self, folder: usize, id: &str, new: &str) {
        if let Some(mut item) = self.remove(folder, id) {
            let now = self.tick();
            (item.change_key, item.changed) = (now, now);
            self.folders[1 - folder].items.insert(new.into(), item);
        }
    }
}

pub(super) fn subject(id: &str, state: &RemoteState) -> String {
    format!("{id} r{}", state.revision)
}

pub(super) fn bytes(state: &RemoteState) -> String {
    format!("bytes of {}, revision {}", state.origin, state.revision)
}

pub(super) fn index(id: &str, state: &RemoteState) -> RemoteItem {
    let own = [
        (tags::ICON_INDEX.tag(), OwnedValue::I32(state.icon)),
        (
            tags::MESSAGE_DELIVERY_TIME.tag(),
            OwnedValue::Time(FileTime(state.delivered)),
        ),
    ];
    RemoteItem {
        id: RemoteId(id.as_bytes().into()),
        change_key: key(&state.change_key.to_string()),
        props: props(&subject(id, state), state.flags).with(&own, &[]),
        number_hint: state.hint,
    }
}
