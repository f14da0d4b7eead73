//! Random work by two accounts and a stranger on one mailbox: every index equals a fresh one.

use std::{sync::Arc, time::Duration};

use account::{
    Account, FileTime, FlagChange, Flags, FolderChanges, FolderId, FolderIndex, ItemNumber,
    ItemState, NewItem, Options, Role, Version,
};
use mapi_store::{Deletion, Store};
use mapi_types::{BitChange, Change, tags};

use crate::{
    faulty::{FaultyBackend, Random},
    world::{ALICE, MESSAGE, World, accounts, any, principal, special},
};

const STEPS: usize = 120;

/// What a client can see of an item.
type Seen = (u32, u16, Vec<String>, Option<u64>, i64, u64);

fn seen(index: &FolderIndex, item: &ItemState) -> Seen {
    let mut keywords: Vec<String> = index
        .keywords()
        .set(item.keywords)
        .map(str::to_lowercase)
        .collect();
    keywords.sort();
    let (number, flags) = (item.number.0, item.flags.bits());
    (
        number,
        flags,
        keywords,
        item.size.known(),
        item.received,
        item.version.0,
    )
}

fn all_seen(index: &FolderIndex) -> Vec<Seen> {
    index.iter().map(|item| seen(index, item)).collect()
}

/// Whether somebody writes to the store past the accounts.
#[derive(Clone, Copy, PartialEq)]
enum Stranger {
    Present,
    Absent,
}

struct Run {
    world: World,
    random: Random,
    sessions: Vec<Account>,
    stranger: Arc<dyn Store>,
    folders: [FolderId; 2],
    /// What two clients believe, kept up to date by diffs and by deltas.
    views: Vec<(Arc<FolderIndex>, Vec<Seen>)>,
    synced: (Version, Vec<u32>),
}

impl Run {
    async fn new(backend: FaultyBackend, options: Options, seed: u64) -> Self {
        let world = World::with(Arc::new(backend), options).await;
        let sessions = vec![world.open(ALICE).await, world.open(ALICE).await];
        let stranger = world
            .backend
            .logon(&principal(ALICE), sessions[0].mailbox())
            .await
            .unwrap();
        let inbox = special(&sessions[0], Role::Inbox).await;
        let folders = [inbox, special(&sessions[0], Role::Archive).await];
        let mut views = Vec::new();
        for folder in folders {
            views.push((sessions[0].index(folder).await.unwrap(), Vec::new()));
        }
        let random = Random::new(seed);
        let synced = (Version(0), Vec::new());
        Self {
            world,
            random,
            sessions,
            stranger,
            folders,
            views,
            synced,
        }
    }

    async fn run(mut self, stranger: Stranger) {
        for _ in 0..STEPS {
            let kinds = if stranger == Stranger::Present { 9 } else { 7 };
            let kind = self.random.below(kinds);
            self.step(kind).await;
            for at in 0..2 {
                if self.random.below(3) == 0 {
                    self.check(at).await;
                }
            }
        }
        self.check(0).await;
        self.check(1).await;
    }

    async fn some(&mut self, folder: FolderId) -> Vec<ItemNumber> {
        let index = self.sessions[1].index(folder).await.unwrap();
        let random = &mut self.random;
        index
            .iter()
            .map(|item| item.number)
            .filter(|_| random.below(4) == 0)
            .collect()
    }

    async fn step(&mut self, kind: usize) {
        let at = self.random.below(2);
        let (folder, other) = (self.folders[at], self.folders[1 - at]);
        let account = self.sessions[self.random.below(2)].clone();
        match kind {
            0 | 1 => {
                let mut items = Vec::new();
                for _ in 0..=self.random.below(5) {
                    items.push(NewItem {
                        message: self.world.spooled(MESSAGE).await,
                        flags: Flags::SEEN,
                        keywords: vec!["Work".into()],
                        received: FileTime::from_unix(1),
                        once: None,
                    });
                }
                account.append(folder, items).await.unwrap();
            }
            2 | 3 => {
                let items = any(&self.some(folder).await);
                let change = self.flag_change();
                account.set_flags(folder, &items, &change).await.unwrap();
            }
            4 => {
                let items = self.some(folder).await;
                account.copy_items(folder, &items, other).await.unwrap();
            }
            5 => {
                let items = self.some(folder).await;
                account.move_items(folder, &items, other).await.unwrap();
            }
            6 => {
                let items = self.some(folder).await;
                account.delete_items(folder, &items).await.unwrap();
            }
            7 => {
                let items = self.some(folder).await;
                self.stranger
                    .delete(folder, &items, Deletion::Soft)
                    .await
                    .unwrap();
            }
            _ => {
                let items = any(&self.some(folder).await);
                let tag = tags::MESSAGE_FLAGS.tag();
                let bits = vec![BitChange {
                    tag,
                    set: 1,
                    clear: 0,
                }];
                let change = Change {
                    bits,
                    ..Change::default()
                };
                self.stranger.update(folder, &items, &change).await.unwrap();
            }
        }
    }

    fn flag_change(&mut self) -> FlagChange {
        let all = [
            Flags::SEEN,
            Flags::ANSWERED,
            Flags::FLAGGED,
            Flags::FORWARDED,
            Flags::DELETED,
        ];
        let names = ["work", "Later", "LATER", "$label1"];
        let random = &mut self.random;
        let mut flags = || {
            let some = all.iter().filter(|_| random.below(3) == 0);
            some.fold(Flags::NONE, |flags, flag| flags | *flag)
        };
        let (add, remove) = (flags(), flags());
        let mut keywords = || vec![names[random.below(names.len())].into()];
        let (add_keywords, remove_keywords) = (keywords(), keywords());
        match random.below(3) {
            0 => FlagChange::Set {
                flags: add,
                keywords: add_keywords,
            },
            _ => FlagChange::Delta {
                add,
                remove,
                add_keywords,
                remove_keywords,
            },
        }
    }

    /// The index is fresh; what clients know by diffs and deltas is, too.
    async fn check(&mut self, at: usize) {
        let folder = self.folders[at];
        let index = self.sessions[self.random.below(2)]
            .index(folder)
            .await
            .unwrap();
        let others = accounts(&self.world.backend, Options::default());
        let other = others
            .open(&principal(ALICE), self.sessions[0].mailbox())
            .await
            .unwrap();
        let fresh = other.index(folder).await.unwrap();
        assert_eq!(all_seen(&index), all_seen(&fresh));
        assert_eq!(index.version(), fresh.version());
        assert_eq!(index.epoch(), fresh.epoch());
        assert_eq!(index.counts(), fresh.counts());
        let (old, view) = &mut self.views[at];
        let diff = index.diff(old);
        view.retain(|item| !diff.removed.contains(&ItemNumber(item.0)));
        for item in &diff.changed {
            let slot = view
                .iter_mut()
                .find(|slot| slot.0 == item.number.0)
                .unwrap();
            *slot = seen(&index, item);
        }
        view.extend(diff.added.iter().map(|item| seen(&index, item)));
        assert_eq!(*view, all_seen(&index));
        *old = index;
        if at == 0 {
            self.check_delta().await;
        }
    }

    async fn check_delta(&mut self) {
        let (since, known) = &mut self.synced;
        let changes = self.sessions[0]
            .changes(self.folders[0], *since)
            .await
            .unwrap();
        let FolderChanges::Delta {
            to,
            changed,
            removed,
        } = changes
        else {
            panic!("expired")
        };
        known.retain(|number| !removed.contains(&ItemNumber(*number)));
        for number in changed {
            if !known.contains(&number.0) {
                known.push(number.0);
            }
        }
        known.sort_unstable();
        *since = to;
        let index = &self.views[0].0;
        assert_eq!(
            *known,
            index.iter().map(|item| item.number.0).collect::<Vec<_>>()
        );
    }
}

/// Long enough that nothing but notices and our own writes make an index fresh.
fn trusting() -> Options {
    Options {
        trust: Duration::from_secs(3600),
        ..Options::default()
    }
}

#[tokio::test]
async fn an_index_knows_every_acknowledged_write_by_whomever() {
    for seed in 1..=8 {
        println!("seed {seed}");
        let run = Run::new(FaultyBackend::honest(), trusting(), seed).await;
        run.run(Stranger::Present).await;
    }
}

#[tokio::test]
async fn an_index_knows_our_own_writes_when_notices_are_lost_doubled_and_late() {
    for seed in 1..=8 {
        println!("seed {seed}");
        let run = Run::new(FaultyBackend::spoiling(seed), trusting(), seed).await;
        run.run(Stranger::Absent).await;
    }
}

#[tokio::test]
async fn an_index_that_trusts_nothing_knows_every_write_whatever_becomes_of_notices() {
    for seed in 1..=8 {
        println!("seed {seed}");
        let options = Options {
            trust: Duration::ZERO,
            ..Options::default()
        };
        let run = Run::new(FaultyBackend::spoiling(seed), options, seed).await;
        run.run(Stranger::Present).await;
    }
}

#[tokio::test]
async fn a_cache_too_small_for_anything_changes_nothing() {
    let options = Options {
        cache_bytes_max: 0,
        open_accounts_max: 0,
        ..trusting()
    };
    let run = Run::new(FaultyBackend::honest(), options, 99).await;
    run.run(Stranger::Present).await;
}
