//! A remote that changes, and a mirror of it that is cut off, restarted, evicted and dropped, by a seed. Whatever
//! happens: numbers ascend and are never given twice, bytes under a number never change, a watcher's view is a fresh
//! one's, and when the dust has settled the mirror shows what the remote has.

mod remote;
mod watcher;

use std::collections::BTreeMap;

use mapi_store::{Deletion, Expected, Transfer};
use mapi_types::{Change, Draft, FolderId, ItemNumber, OwnedValue, PropBag, Version, tags};
use store_openchange::{
    Begun, Confirmed, Finished, FirstPass, HierarchyBatch, ItemBatch, Mirror, Moved, OpenChange,
    Options, Pending, Rendered, Written,
};

use crate::{
    kit::Folder,
    remote::{IDENTITY, id, key, message, remote_folder, seen},
};
use remote::{Dice, Numbering, Remote, RemoteState, bytes, index, subject};
use watcher::Watcher;

const FOLDERS: [&str; 2] = ["Inbox", "Other"];

struct World {
    dice: Dice,
    data: Folder,
    backend: Option<OpenChange>,
    mirror: Option<Mirror>,
    ids: [FolderId; 2],
    remote: Remote,
    watchers: [Watcher; 2],
    next_id: u32,
    /// The remote does not change by itself.
    calm: bool,
    /// Drafts of which we were told that they are saved: their ids and bytes.
    acknowledged: BTreeMap<String, String>,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let options = Options {
            inline_bytes_max: if dice.one_in(2) { 0 } else { 8_192 },
            segment_bytes_max: 4_000,
            removed_kept: 5,
            ..Options::default()
        };
        let mut world = Self {
            dice,
            data: Folder::new(options),
            backend: None,
            mirror: None,
            ids: [FolderId(0); 2],
            remote: Remote {
                numbering: match seed % 3 {
                    0 => Numbering::None,
                    1 => Numbering::Ascending,
                    _ => Numbering::Careless,
                },
                ..Remote::default()
            },
            watchers: Default::default(),
            next_id: 0,
            calm: false,
            acknowledged: BTreeMap::new(),
        };
        world.reopen().await;
        world.ids = world.sync_tree().await;
        for _ in 0..24 {
            let folder = world.dice.below(2);
            let id = world.fresh_id();
            world.remote.add(folder, &id, None);
        }
        world
    }

    async fn reopen(&mut self) {
        self.mirror = None;
        self.backend = None;
        let backend = self.data.open();
        self.mirror = Some(
            backend
                .mirror(&crate::kit::alice(), IDENTITY)
                .await
                .unwrap(),
        );
        self.backend = Some(backend);
    }

    fn mirror(&self) -> &Mirror {
        self.mirror.as_ref().unwrap()
    }

    fn backend(&self) -> &OpenChange {
        self.backend.as_ref().unwrap()
    }

    fn fresh_id(&mut self) -> String {
        self.next_id += 1;
        format!("item {:04}", self.next_id)
    }

    async fn sync_tree(&self) -> [FolderId; 2] {
        let batch = HierarchyBatch {
            changed: FOLDERS.map(|name| remote_folder(name, None)).to_vec(),
            complete_list: true,
            ..HierarchyBatch::default()
        };
        let ids = self.mirror().apply_hierarchy(batch).await.unwrap();
        FOLDERS.map(|name| ids[&id(name)])
    }

    /// One part of a pass, or all changes since the last synchronization.
    async fn sync(&mut self, folder: usize) {
        let sync = self.mirror().folder_sync(self.ids[folder]).await.unwrap();
        let state = sync
            .state
            .map(|state| String::from_utf8(state.to_vec()).unwrap());
        let numbers: Vec<u64> = state
            .iter()
            .flat_map(|state| state.split(' ').map(|number| number.parse().unwrap()))
            .collect();
        if sync.passing && numbers.is_empty() {
            self.mirror().restart(self.ids[folder]).await.unwrap();
        }
        let contents = &self.remote.folders[folder];
        let batch = if sync.passing {
            let (begun, cursor) = match numbers[..] {
                [begun, cursor] => (begun, cursor),
                _ => (self.remote.clock, u64::MAX),
            };
            // The newest first, some at a time.
            let mut left: Vec<_> = contents
                .items
                .iter()
                .filter(|(_, item)| item.delivered < cursor)
                .collect();
            left.sort_by_key(|(_, item)| std::cmp::Reverse(item.delivered));
            let part = 1 + self.dice.below(4);
            let complete = left.len() <= part;
            left.truncate(part);
            let cursor = left.last().map_or(0, |(_, item)| item.delivered);
            let (first_pass, state) = if complete {
                (FirstPass::Complete, format!("{begun}"))
            } else {
                (FirstPass::Running, format!("{begun} {cursor}"))
            };
            ItemBatch {
                changed: left.into_iter().map(|(id, item)| index(id, item)).collect(),
                state: Some(state.into()),
                first_pass: Some(first_pass),
                ..ItemBatch::default()
            }
        } else {
            let since = numbers[0];
            let changed = contents
                .items
                .iter()
                .filter(|(_, item)| item.changed > since);
            let read = contents
                .items
                .iter()
                .filter(|(_, item)| item.changed <= since && item.read > since);
            let removed = contents.removed.iter().filter(|(at, _)| *at > since);
            ItemBatch {
                changed: changed.map(|(id, item)| index(id, item)).collect(),
                removed: removed.map(|(_, gone)| id(gone)).collect(),
                read: read
                    .map(|(text, item)| (id(text), item.flags & 1 != 0))
                    .collect(),
                state: Some(self.remote.clock.to_string().into()),
                ..ItemBatch::default()
            }
        };
        self.mirror()
            .apply_items(self.ids[folder], batch)
            .await
            .unwrap();
    }

    /// Fetches some of what is missing or stale. Sometimes the remote changes before it is stored.
    async fn render(&mut self, folder: usize, limit: u32) {
        let (mirror, at) = (self.mirror().clone(), self.ids[folder]);
        let mut wanted = mirror.stale(at, limit).await.unwrap();
        wanted.extend(mirror.unrendered(at, limit).await.unwrap());
        let known = mirror.remote_ids(at, &wanted).await.unwrap();
        let (mut bodies, mut confirmed) = (Vec::new(), Vec::new());
        for (number, known) in wanted.into_iter().zip(known) {
            let known = known.unwrap();
            let text = String::from_utf8(known.id.0.to_vec()).unwrap();
            let Some(item) = self.remote.folders[folder].items.get(&text) else {
                continue;
            };
            let (index_key, change_key) = (known.change_key, key(&item.change_key.to_string()));
            if known.body == store_openchange::Body::Kept && item.ours.is_some() {
                confirmed.push(Confirmed {
                    number,
                    index_key,
                    change_key,
                });
            } else {
                bodies.push(Rendered {
                    number,
                    index_key,
                    change_key,
                    message: message(&bytes(item)),
                    kept: false,
                });
            }
            if !self.calm && self.dice.one_in(8) {
                self.remote.edit(folder, &text, |item| {
                    item.revision += 1;
                    item.ours = None;
                });
            }
        }
        mirror.confirm(at, confirmed).await.unwrap();
        mirror.put_rendered(at, bodies).await.unwrap();
    }

    /// A change that somebody else makes at the remote.
    fn they_act(&mut self) {
        let folder = self.dice.below(2);
        let all: Vec<String> = self.remote.folders[folder].items.keys().cloned().collect();
        let Some(text) = self.dice.pick(&all).cloned() else {
            return;
        };
        match self.dice.below(6) {
            0 => self.remote.edit(folder, &text, |item| {
                item.revision += 1;
                item.ours = None;
            }),
            1 => self.remote.edit(folder, &text, |item| item.icon += 1),
            2 => self.remote.set_read(folder, &text),
            3 => drop(self.remote.remove(folder, &text)),
            _ => {
                let new = self.fresh_id();
                self.remote.add(folder, &new, None);
            }
        }
    }

    /// Saves a draft; the upload, or its answer, may be lost.
    async fn save(&mut self, folder: usize) {
        let text = self.fresh_id();
        let content = format!("what we wrote in {text}");
        let pending = Pending {
            id: id(&text),
            change_key: None,
            draft: Draft {
                key: None,
                message: message(&content),
                props: PropBag::default(),
                prefix: "Return-Path: <>\r\n".into(),
            },
        };
        let begun = self
            .mirror()
            .begin_save(self.ids[folder], &[pending])
            .await
            .unwrap();
        assert_eq!(begun, [Begun::Upload(id(&text))]);
        if self.dice.one_in(4) {
            return;
        }
        self.remote.add(folder, &text, Some(content.clone()));
        if self.dice.one_in(4) {
            self.sync(folder).await;
        }
        if !self.dice.one_in(3) {
            self.finish(folder, &text).await;
        }
    }

    async fn finish(&mut self, folder: usize, text: &str) {
        let state = self.remote.folders[folder].items[text].clone();
        let item = index(text, &state);
        let finished = Finished {
            id: item.id,
            change_key: item.change_key,
            props: item.props,
        };
        let saved = self
            .mirror()
            .finish_save(self.ids[folder], vec![finished])
            .await
            .unwrap();
        assert_eq!(saved.len(), 1);
        self.acknowledged
            .extend(state.ours.map(|ours| (text.to_owned(), ours)));
    }

    /// What is done about drafts after a restart: those the remote has will be synchronized, the others are uploaded or
    /// given up.
    async fn recover(&mut self) {
        for pending in self.mirror().pending(99).await.unwrap() {
            let text = String::from_utf8(pending.id.0.to_vec()).unwrap();
            let folder = self
                .ids
                .iter()
                .position(|id| *id == pending.folder)
                .unwrap();
            let there = self.remote.folders[folder].items.contains_key(&text);
            let lost = self.remote.folders[folder]
                .removed
                .iter()
                .any(|(_, id)| *id == text);
            if there {
                continue;
            }
            if lost || self.dice.one_in(3) {
                let ids = vec![pending.id];
                self.mirror()
                    .forget_pending(pending.folder, ids)
                    .await
                    .unwrap();
                continue;
            }
            let content = pending.draft.message.original.as_ref().unwrap();
            let mut octets = vec![0; content.len() as usize];
            content.source().read_exact_at(&mut octets, 0).unwrap();
            let content = String::from_utf8(octets).unwrap();
            self.remote.add(folder, &text, Some(content));
            self.finish(folder, &text).await;
        }
    }

    /// Something we do to an item a client sees.
    async fn we_act(&mut self, folder: usize) {
        let (mirror, at) = (self.mirror().clone(), self.ids[folder]);
        let rows = seen(&*mirror.store(), at).await;
        let Some(row) = self.dice.pick(&rows).cloned() else {
            return;
        };
        let number = ItemNumber(row.number);
        let known = mirror
            .remote_ids(at, &[number])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        let text = String::from_utf8(known.id.0.to_vec()).unwrap();
        let Some(before) = self.remote.folders[folder].items.get(&text).cloned() else {
            return;
        };
        match self.dice.below(4) {
            0 => {
                self.remote.remove(folder, &text);
                mirror
                    .removed(at, vec![number], Deletion::Hard)
                    .await
                    .unwrap();
            }
            1 => self.we_move(folder, number, (&text, &before)).await,
            2 => self.we_change(folder, number, (&text, &before), true).await,
            _ => {
                self.we_change(folder, number, (&text, &before), false)
                    .await
            }
        }
    }

    async fn we_move(
        &mut self,
        folder: usize,
        number: ItemNumber,
        (text, before): (&str, &RemoteState),
    ) {
        let (mirror, at) = (self.mirror().clone(), self.ids[folder]);
        let known = mirror
            .remote_ids(at, &[number])
            .await
            .unwrap()
            .remove(0)
            .unwrap();
        let new = self.fresh_id();
        self.remote.move_to(folder, text, &new);
        let after = self.remote.folders[1 - folder].items[&new].change_key;
        let alone = known.change_key == key(&before.change_key.to_string());
        let moved = Moved {
            number,
            id: id(&new),
            change_key: alone.then(|| key(&after.to_string())),
        };
        // A synchronization of either side may be faster.
        match self.dice.below(4) {
            0 => self.sync(folder).await,
            1 => self.sync(1 - folder).await,
            _ => {}
        }
        let to = self.ids[1 - folder];
        mirror
            .transferred(at, to, Transfer::Move, vec![moved])
            .await
            .unwrap();
    }

    async fn we_change(
        &mut self,
        folder: usize,
        number: ItemNumber,
        (text, before): (&str, &RemoteState),
        content: bool,
    ) {
        let (mirror, at) = (self.mirror().clone(), self.ids[folder]);
        self.remote.edit(folder, text, |item| {
            item.revision += u32::from(content);
            item.icon += i32::from(!content);
            item.ours = item.ours.take().filter(|_| !content);
        });
        let after = self.remote.folders[folder].items[text].clone();
        let set = if content {
            let value = OwnedValue::Str(subject(text, &after).into());
            (tags::SUBJECT.tag(), value)
        } else {
            (tags::ICON_INDEX.tag(), OwnedValue::I32(after.icon))
        };
        let change = Change {
            set: vec![set],
            ..Change::default()
        };
        let written = Written {
            item: Expected {
                item: number,
                version: None,
            },
            based_on: Some(key(&before.change_key.to_string())),
            change_key: Some(key(&after.change_key.to_string())),
        };
        mirror.updated(at, vec![written], change).await.unwrap();
    }

    async fn step(&mut self) {
        let folder = self.dice.below(2);
        match self.dice.below(20) {
            0..6 => self.they_act(),
            6..10 => self.sync(folder).await,
            10..12 => {
                let limit = 1 + self.dice.below(5) as u32;
                self.render(folder, limit).await;
            }
            12 | 13 => self.save(folder).await,
            14 | 15 => self.we_act(folder).await,
            16 => {
                let bytes_max = self.dice.below(200) as u64;
                self.mirror().evict(bytes_max).await.unwrap();
            }
            17 if self.dice.one_in(3) => self.mirror().drop_contents().await.unwrap(),
            17 if self.dice.one_in(2) => {
                self.mirror().restart(self.ids[folder]).await.unwrap();
            }
            17 => assert_eq!(self.sync_tree().await, self.ids),
            18 => self.recover().await,
            _ if self.dice.one_in(3) => drop(self.backend().compact().await.unwrap()),
            _ => self.reopen().await,
        }
        self.observe(0).await;
        self.observe(1).await;
    }

    /// Synchronizes and renders until there is nothing left to do.
    async fn settle(&mut self) {
        self.recover().await;
        assert_eq!(self.sync_tree().await, self.ids);
        for folder in [0, 1] {
            loop {
                let clock = self.remote.clock;
                let passing = self
                    .mirror()
                    .folder_sync(self.ids[folder])
                    .await
                    .unwrap()
                    .passing;
                self.sync(folder).await;
                self.render(folder, 99).await;
                let progress = self.mirror().progress(self.ids[folder]).await.unwrap();
                let quiet = progress.stale + progress.unrendered + progress.staged == 0;
                if quiet && !passing && clock == self.remote.clock {
                    break;
                }
            }
            self.observe(folder).await;
        }
    }
}

async fn run(seed: u64, steps: usize) {
    let mut world = World::new(seed).await;
    for step in 0..steps {
        world.step().await;
        if step % 40 == 39 {
            world.settle().await;
            world.compare(0).await;
            world.compare(1).await;
        }
    }
    world.settle().await;
    assert_eq!(world.backend().check().await.unwrap(), []);
    // Dropped and filled again, nothing that a client sees is different.
    let store = world.mirror().store();
    let all = store.hierarchy(Version(0)).await.unwrap();
    let rows = (
        seen(&*store, world.ids[0]).await,
        seen(&*store, world.ids[1]).await,
    );
    world.mirror().drop_contents().await.unwrap();
    assert_eq!(world.backend().check().await.unwrap(), []);
    world.calm = true;
    world.settle().await;
    assert_eq!(store.hierarchy(Version(0)).await.unwrap(), all);
    let again = (
        seen(&*store, world.ids[0]).await,
        seen(&*store, world.ids[1]).await,
    );
    assert_eq!(again, rows);
    world.compare(0).await;
    world.compare(1).await;
    assert_eq!(world.backend().check().await.unwrap(), []);
}

#[tokio::test]
async fn whatever_happens_clients_can_count_on_their_numbers() {
    for seed in 1..=12 {
        run(seed, 120).await;
    }
}
