//! Marks and deletions that were made while the server was away.

use mapi_store::{ErrorKind, Result};
use mapi_types::{Change, FolderId, OwnedValue, PropTag, tags};
use mapi_wire::Id;
use store_openchange::{Body, ChangeKey, QueueOutcome, QueuedItem, QueuedOperation, RemoteItemRef};

use super::{super::write::effect, Done, ExchangeStore, gid};

impl ExchangeStore {
    /// Marks are changes of what the server has now: what others marked meanwhile stays.
    pub(super) async fn replay_update(
        &self,
        operation: &QueuedOperation,
        change: &Change,
    ) -> Result<Done> {
        let Some(folder) = operation.items.first().map(|item| item.folder) else {
            return self.done(operation, Vec::new()).await;
        };
        let items: Vec<_> = operation.items.iter().collect();
        let outcomes = self.mark(folder, &items, change).await?;
        self.done(operation, outcomes).await
    }

    async fn mark(
        &self,
        folder: FolderId,
        items: &[&QueuedItem],
        change: &Change,
    ) -> Result<Vec<(u32, QueueOutcome)>> {
        match self.try_mark(folder, items, change).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            done => return done,
        }
        // One of them is gone, or the folder is, and the server does not say which.
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            match self.try_mark(folder, &[item], change).await {
                Ok(done) => outcomes.extend(done),
                Err(error) if error.kind == ErrorKind::NotFound => {
                    outcomes.push((item.position, QueueOutcome::Passed));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(outcomes)
    }

    async fn try_mark(
        &self,
        folder: FolderId,
        items: &[&QueuedItem],
        change: &Change,
    ) -> Result<Vec<(u32, QueueOutcome)>> {
        let mailbox = &self.mailbox;
        let fid = mailbox.folder_fid(folder).await?;
        let mut ids = Vec::with_capacity(items.len());
        for item in items {
            ids.push(match gid(item) {
                Some(gid) => Some(mailbox.remote.id(gid).await?),
                None => None,
            });
        }
        let there = self.there(fid, &ids, change).await?;
        let mut writes = Vec::with_capacity(items.len());
        for (place, (item, there)) in items.iter().zip(there).enumerate() {
            let (Some(values), Some(id)) = (there, &item.id) else {
                continue;
            };
            let known = RemoteItemRef {
                id: id.clone(),
                change_key: ChangeKey(Box::default()),
                body: Body::Missing,
                stale: false,
            };
            writes.push((place, known, told(change, &values)));
        }
        let keys = self.write_effects(folder, writes).await?;
        let mut outcomes: Vec<_> = items
            .iter()
            .map(|item| (item.position, QueueOutcome::Passed))
            .collect();
        for (place, keys) in keys {
            if let Some((_, outcome)) = outcomes.get_mut(place) {
                *outcome = QueueOutcome::Written {
                    based_on: keys.before.map(ChangeKey),
                    change_key: keys.after.map(ChangeKey),
                };
            }
        }
        Ok(outcomes)
    }

    /// What the server has of the values on which the change depends; `None` for a message that is gone. Nothing is asked
    /// where it depends on none.
    async fn there(
        &self,
        fid: Id,
        ids: &[Option<Id>],
        change: &Change,
    ) -> Result<Vec<Option<Vec<(PropTag, OwnedValue)>>>> {
        let flags = tags::MESSAGE_FLAGS.tag();
        let bits = change.bits.iter().map(|bits| bits.tag);
        let strings = change.strings.iter().map(|strings| strings.tag);
        let local: Vec<_> = bits.chain(strings).filter(|tag| *tag != flags).collect();
        if local.is_empty() {
            return Ok(ids.iter().map(|id| id.map(|_| Vec::new())).collect());
        }
        let mut wanted = Vec::with_capacity(local.len());
        for tag in &local {
            wanted.push(self.server_tag(*tag).await?);
        }
        let asked: Vec<_> = ids.iter().copied().flatten().collect();
        let values = self.mailbox.remote.values(fid, &asked, &wanted).await?;
        let mut values = values.into_iter();
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            let found = id.and_then(|_| values.next()).flatten();
            all.push(found.map(|found| {
                let pairs = local.iter().copied().zip(found);
                pairs
                    .filter_map(|(tag, value)| Some((tag, value?)))
                    .collect()
            }));
        }
        Ok(all)
    }

    /// What is gone need not be deleted; what the server keeps is refused.
    pub(super) async fn replay_deletion(&self, operation: &QueuedOperation) -> Result<Done> {
        let Some(folder) = operation.items.first().map(|item| item.folder) else {
            return self.done(operation, Vec::new()).await;
        };
        let kept = match self.delete_there(folder, &operation.items).await {
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            kept => kept?,
        };
        let positions = operation.items.iter().map(|item| item.position);
        let (refused, gone): (Vec<_>, Vec<_>) = positions.partition(|at| kept.contains(at));
        if !refused.is_empty() {
            let reason = "Denied: the server keeps the message".to_owned();
            self.give_up_items(operation, refused, reason).await?;
        }
        if gone.is_empty() {
            return Ok(Done::Again);
        }
        let outcomes = gone.into_iter().map(|at| (at, QueueOutcome::Passed));
        self.done(operation, outcomes.collect()).await
    }

    /// Returns the positions of what is still there.
    async fn delete_there(&self, folder: FolderId, items: &[QueuedItem]) -> Result<Vec<u32>> {
        let mailbox = &self.mailbox;
        let fid = mailbox.folder_fid(folder).await?;
        let (mut messages, mut positions) = (Vec::new(), Vec::new());
        for item in items {
            if let Some(gid) = gid(item) {
                messages.push(mailbox.remote.id(gid).await?);
                positions.push(item.position);
            }
        }
        if messages.is_empty() || mailbox.remote.delete(fid, &messages).await? {
            return Ok(Vec::new());
        }
        let access = mailbox.remote.access(fid, &messages).await?;
        let still = positions.into_iter().zip(access);
        Ok(still
            .filter(|(_, access)| access.is_some())
            .map(|(position, _)| position)
            .collect())
    }
}

/// What the server is told: the marks of reading as they are asked for, everything else as it follows from what it has.
fn told(change: &Change, there: &[(PropTag, OwnedValue)]) -> super::super::write::Effect {
    let flags = tags::MESSAGE_FLAGS.tag();
    let old = |tag| {
        let value = there.iter().find(|(known, _)| *known == tag);
        value.map(|(_, value)| value.as_value())
    };
    let new = change.apply(old);
    let mut told = effect(&new, 0);
    let read = change.bits.iter().filter(|bits| bits.tag == flags);
    told.read = read.fold(None, |read, bits| {
        let seen = mapi_types::tags::message_flags::READ;
        match (bits.set & seen != 0, bits.clear & seen != 0) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            (false, false) => read,
        }
    });
    told
}

#[cfg(test)]
mod tests {
    use mapi_types::{BitChange, StringsChange, tags::message_flags};

    use super::*;

    #[test]
    fn marks_of_both_sides_are_kept() {
        let change = Change {
            bits: vec![BitChange {
                tag: tags::MESSAGE_FLAGS.tag(),
                set: 0,
                clear: message_flags::READ,
            }],
            strings: vec![StringsChange {
                tag: tags::KEYWORDS.tag(),
                add: vec!["ours".into()],
                remove: vec!["old".into()],
            }],
            ..Change::default()
        };
        let there = [(tags::KEYWORDS.tag(), OwnedValue::strs(["theirs", "old"]))];
        let told = told(&change, &there);
        assert_eq!(told.read, Some(false));
        let expected = OwnedValue::strs(["theirs", "ours"]);
        assert_eq!(told.set, [(tags::KEYWORDS.tag(), expected)]);
    }
}
