//! What clients see of the mirror, and what they may count on.

use std::collections::{BTreeMap, BTreeSet};

use mapi_store::Changes;
use mapi_types::{Epoch, Version, tags};
use store_openchange::RemoteId;

use super::{
    World,
    remote::{bytes, subject},
};
use crate::remote::{Seen, id, original, seen};

/// What a client remembers of a folder.
#[derive(Default)]
pub(super) struct Watcher {
    epoch: Option<Epoch>,
    since: Version,
    view: BTreeMap<u32, (u64, i32)>,
    /// Every number ever seen, with what must not change of it.
    ever: BTreeMap<u32, Fixed>,
    gone: BTreeSet<u32>,
}

/// What a number stands for: size and bytes once they were seen.
pub(super) struct Fixed {
    key: Vec<u8>,
    size: Option<i64>,
    bytes: Option<String>,
}

impl World {
    /// What every client may count on, at any moment.
    pub(super) async fn observe(&mut self, folder: usize) {
        let (store, at) = (self.mirror().store(), self.ids[folder]);
        let info = store.folder(at).await.unwrap();
        let rows = seen(&*store, at).await;
        let mut texts = Vec::new();
        for row in &rows {
            texts.push(original(&*store, at, row.number).await);
        }
        let watcher = &mut self.watchers[folder];
        assert_eq!(*watcher.epoch.get_or_insert(info.epoch), info.epoch);
        let highest = watcher.ever.keys().next_back().copied().unwrap_or(0);
        for (row, text) in rows.iter().zip(texts) {
            assert!(
                !watcher.gone.contains(&row.number),
                "{} came back",
                row.number
            );
            assert!(row.number > highest || watcher.ever.contains_key(&row.number));
            assert!(row.number < info.next_number.0);
            let fixed = watcher.ever.entry(row.number).or_insert_with(|| Fixed {
                key: row.key.clone(),
                size: None,
                bytes: None,
            });
            assert_eq!(fixed.key, row.key);
            assert_eq!(fixed.size.or(row.size), row.size, "{row:?}");
            assert_eq!(
                fixed.bytes.as_ref().or(text.as_ref()),
                text.as_ref().or(fixed.bytes.as_ref()),
                "{row:?}"
            );
            fixed.size = row.size;
            fixed.bytes = fixed.bytes.take().or(text);
        }
        for number in watcher.ever.keys() {
            if !rows.iter().any(|row| row.number == *number) {
                watcher.gone.insert(*number);
            }
        }
        self.catch_up(folder, &rows).await;
    }

    /// A view kept by changes is the one a fresh look gives.
    async fn catch_up(&mut self, folder: usize, rows: &[Seen]) {
        let columns = [
            tags::INTERNET_ARTICLE_NUMBER.tag(),
            tags::ITEM_VERSION.tag(),
            tags::MESSAGE_FLAGS.tag(),
        ];
        let fresh: BTreeMap<u32, (u64, i32)> = rows
            .iter()
            .map(|row| (row.number, (row.version, row.flags)))
            .collect();
        let (store, at) = (self.mirror().store(), self.ids[folder]);
        let limit = 1 + self.dice.below(3) as u32;
        let watcher = &mut self.watchers[folder];
        loop {
            let changes = store
                .changes(at, watcher.since, &columns, limit)
                .await
                .unwrap();
            let Changes::Delta(delta) = changes else {
                watcher.view = fresh.clone();
                watcher.since = store.folder(at).await.unwrap().version;
                break;
            };
            for gone in &delta.removed {
                watcher.view.remove(&gone.0);
            }
            for row in delta.rows.rows() {
                let number = row.get(&tags::INTERNET_ARTICLE_NUMBER).unwrap() as u32;
                let version = row.get(&tags::ITEM_VERSION).unwrap() as u64;
                let flags = row.get(&tags::MESSAGE_FLAGS).unwrap_or(0);
                watcher.view.insert(number, (version, flags));
            }
            watcher.since = delta.to;
            if !delta.more {
                break;
            }
        }
        assert_eq!(watcher.view, fresh);
    }

    /// The settled mirror has what the remote has, and what we stored ourselves byte for byte.
    pub(super) async fn compare(&self, folder: usize) {
        let (store, at) = (self.mirror().store(), self.ids[folder]);
        let rows = seen(&*store, at).await;
        let items = &self.remote.folders[folder].items;
        assert_eq!(rows.len(), items.len());
        let ids: Vec<RemoteId> = items.keys().map(|text| id(text)).collect();
        let numbers = self.mirror().numbers(at, &ids).await.unwrap();
        for ((text, item), number) in items.iter().zip(numbers) {
            let number = number.unwrap();
            let row = rows.iter().find(|row| row.number == number.0).unwrap();
            assert_eq!(
                (row.subject.as_deref(), row.flags),
                (Some(&*subject(text, item)), item.flags)
            );
            let tree = store.read_message(at, number).await.unwrap();
            assert_eq!(tree.props.get(&tags::ICON_INDEX), Some(item.icon));
            let here = original(&*store, at, number.0).await;
            let kept = item.ours.is_some() && self.acknowledged.contains_key(text);
            if let Some(here) = here {
                let ours = item.ours.as_ref() == Some(&here);
                assert!(ours || !kept && here == bytes(item), "{text}: {here}");
            } else {
                assert!(!kept, "{text} was acknowledged");
            }
        }
    }
}
