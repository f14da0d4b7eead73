//! Changing and deleting items: on the server first, then in the mirror.
//!
//! What only Dragoman knows (the mark for deletion, that a disposition notification was sent: PidTagMessageStatus) stays
//! in the mirror, for servers do not synchronize it.

use mapi_store::{
    ByteRange, Deletion, Error, ErrorKind, Expected, INLINE_BYTES_MAX, Object, PropName,
    READ_BYTES_MAX, Result, Updated,
};
use mapi_types::{
    Change, FolderId, ItemNumber, OwnedValue, PropTag, Version, tags,
    tags::{message_flags, message_status},
};
use mapi_wire::{Gid, Id};
use store_openchange::{ChangeKey, RemoteItemRef, Written};

use super::{ExchangeStore, queue::is_local};
use crate::{
    QueueLimits,
    mailbox::{Turn, Work},
    remote::{ChangeKeys, PropsChange},
    values::{tag, tagged, to_stream, wire_name},
};

/// The most octets of values that are written with one ROP; what is beyond them is streamed.
const VALUE_OCTETS_MAX: usize = 16 << 10;

/// What a change means for one item on the server.
#[derive(Debug, Default)]
pub(super) struct Effect {
    pub(super) read: Option<bool>,
    pub(super) set: Vec<(PropTag, OwnedValue)>,
    pub(super) delete: Vec<PropTag>,
}

impl ExchangeStore {
    pub(super) async fn update_all(
        &self,
        folder: FolderId,
        items: &[Expected],
        change: &Change,
    ) -> Result<Updated> {
        let mailbox = &self.mailbox;
        mailbox.indexed(folder).await?;
        let _turn = mailbox.turn(Work::Write(folder)).await;
        // What the mirror would refuse, the server must not hear of.
        mailbox
            .mirror
            .updated(folder, Vec::new(), change.clone())
            .await?;
        if !is_local(change) && self.goes_behind().await? {
            return self.queue_update(folder, items.to_vec(), change).await;
        }
        let mut items = items.to_vec();
        items.sort_by_key(|expected| expected.item);
        items.dedup_by_key(|expected| expected.item);
        let numbers: Vec<_> = items.iter().map(|expected| expected.item).collect();
        let known = mailbox.mirror.remote_ids(folder, &numbers).await?;
        let rows = self.rows_of(folder, &numbers, &touched(change)).await?;
        let mut writes = Vec::new();
        let mut written = Vec::with_capacity(items.len());
        for (expected, known) in items.into_iter().zip(known) {
            let number = expected.item;
            written.push(Written {
                item: expected,
                based_on: None,
                change_key: None,
            });
            let (Some(known), Some(version)) = (known, rows.get(number, &tags::ITEM_VERSION))
            else {
                continue;
            };
            let stale = |at_most: Version| version.cast_unsigned() > at_most.0;
            if expected.version.is_some_and(stale) {
                continue;
            }
            let new = change.apply(|tag| rows.value(number, tag));
            let mut effect = effect(&new, rows.get(number, &tags::MESSAGE_FLAGS).unwrap_or(0));
            self.without_same(folder, number, &mut effect).await?;
            writes.push((written.len() - 1, known, effect));
        }
        let keys = match self.write_effects(folder, writes).await {
            Ok(keys) => keys,
            Err(error) => {
                let items = written.into_iter().map(|written| written.item).collect();
                if self.may_wait(&error)
                    && let Ok(updated) = self.queue_update(folder, items, change).await
                {
                    return Ok(updated);
                }
                // Part of it may have been done.
                mailbox.keeper.doubt(folder);
                return Err(error);
            }
        };
        for (place, keys) in keys {
            if let Some(written) = written.get_mut(place) {
                written.based_on = keys.before.map(ChangeKey);
                written.change_key = keys.after.map(ChangeKey);
            }
        }
        mailbox
            .mirror
            .updated(folder, written, change.clone())
            .await
    }

    /// Rows have no large values: whether one is the new one is found out here, for to write it would be a change of
    /// the message.
    async fn without_same(
        &self,
        folder: FolderId,
        item: ItemNumber,
        effect: &mut Effect,
    ) -> Result<()> {
        let mut set = Vec::with_capacity(effect.set.len());
        for (tag, value) in std::mem::take(&mut effect.set) {
            let same = match octets(&value) {
                Some(new) if new.len() > INLINE_BYTES_MAX => {
                    self.is_value(folder, (item, tag), new).await?
                }
                _ => false,
            };
            if !same {
                set.push((tag, value));
            }
        }
        effect.set = set;
        Ok(())
    }

    /// Whether the mirror has just these octets as a value.
    async fn is_value(
        &self,
        folder: FolderId,
        (item, tag): (ItemNumber, PropTag),
        octets: &[u8],
    ) -> Result<bool> {
        let mut offset = 0;
        // One piece more than there are octets: nothing must follow.
        for piece in octets.chunks(READ_BYTES_MAX as usize).chain([&[][..]]) {
            let range = ByteRange {
                item,
                tag,
                offset,
                len: (piece.len() as u32).max(1),
            };
            let read = self.mailbox.inner.read_bytes(folder, &[range]).await?;
            if read.into_iter().next().flatten().as_deref() != Some(piece) {
                return Ok(false);
            }
            offset += piece.len() as u64;
        }
        Ok(true)
    }

    /// Carries effects out on the server. Returns the new change keys by place.
    pub(super) async fn write_effects(
        &self,
        folder: FolderId,
        writes: Vec<(usize, RemoteItemRef, Effect)>,
    ) -> Result<Vec<(usize, ChangeKeys)>> {
        let mailbox = &self.mailbox;
        if writes.iter().all(|(_, _, effect)| effect.is_nothing()) {
            return Ok(Vec::new());
        }
        let fid = mailbox.folder_fid(folder).await?;
        let (mut read, mut unread, mut changes, mut places) = (vec![], vec![], vec![], vec![]);
        for (place, known, effect) in writes {
            let Some(gid) = Gid::from_bytes(&known.id.0) else {
                continue;
            };
            let message = mailbox.remote.id(gid).await?;
            match effect.read {
                Some(true) => read.push(message),
                Some(false) => unread.push(message),
                None => {}
            }
            if !effect.set.is_empty() || !effect.delete.is_empty() {
                changes.push(self.props_change(message, &effect).await?);
                places.push(place);
            }
        }
        for (messages, is_read) in [(read, true), (unread, false)] {
            if !messages.is_empty() {
                mailbox.remote.set_read(fid, &messages, is_read).await?;
            }
        }
        let keys = mailbox.remote.set_props(fid, changes).await?;
        let keys = places.into_iter().zip(keys);
        Ok(keys
            .filter_map(|(place, keys)| Some((place, keys?)))
            .collect())
    }

    async fn props_change(&self, message: Id, effect: &Effect) -> Result<PropsChange> {
        let mut change = PropsChange {
            message,
            ..PropsChange::default()
        };
        for (tag, value) in &effect.set {
            let size = octets(value).map_or(8, |octets| 2 * octets.len());
            if change.octets + size > VALUE_OCTETS_MAX {
                let name = match tag.id() {
                    0..0x8000 => None,
                    id => Some(wire_name(&self.name_of(id).await?)),
                };
                change
                    .large
                    .push(to_stream(tag.id(), name, value.as_value()));
                continue;
            }
            let id = self.server_tag(*tag).await?.id();
            change.set.push(tagged(id, value.as_value()));
            change.octets += size;
        }
        for tag in &effect.delete {
            change.delete.push(self.server_tag(*tag).await?);
        }
        Ok(change)
    }

    /// The name of a named property.
    async fn name_of(&self, id: u16) -> Result<PropName> {
        let unknown = || Error::new(ErrorKind::Invalid, "a named property without a name");
        self.mailbox.name_of(id).await.ok_or_else(unknown)
    }

    /// A tag as the server knows it: named properties have ids of its own.
    pub(super) async fn server_tag(&self, local: PropTag) -> Result<PropTag> {
        if local.id() < 0x8000 {
            return Ok(local);
        }
        let unknown = || Error::new(ErrorKind::Invalid, "a named property without an id");
        let name = self.name_of(local.id()).await?;
        let ids = self
            .mailbox
            .remote
            .property_ids(vec![wire_name(&name)])
            .await?;
        let id = ids.first().copied().flatten().ok_or_else(unknown)?;
        let kind = local.prop_type().ok_or_else(unknown)?;
        Ok(tag(id, kind))
    }

    /// Deletes items. However it is to be done, the server keeps them for as long as it keeps what was deleted, for
    /// somebody to recover: no purge takes that away from a user or an administrator. What was deleted softly is
    /// listed here, as far as that was done here.
    pub(super) async fn delete_all(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        how: Deletion,
    ) -> Result<Vec<ItemNumber>> {
        let mailbox = &self.mailbox;
        mailbox.indexed(folder).await?;
        let turn = mailbox.turn(Work::Write(folder)).await;
        let mut numbers = match how {
            Deletion::SoftIfMarked => self.marked(folder, items).await?,
            Deletion::Soft | Deletion::Hard => items.to_vec(),
        };
        numbers.sort_unstable();
        numbers.dedup();
        if self.goes_behind().await? {
            return self.queue_removal(folder, numbers, how).await;
        }
        match self.delete_now(folder, &numbers, (how, &turn)).await {
            Err(error) if self.may_wait(&error) => {
                let queued = self.queue_removal(folder, numbers, how).await;
                queued.map_err(|_| error)
            }
            done => done,
        }
    }

    async fn delete_now(
        &self,
        folder: FolderId,
        numbers: &[ItemNumber],
        (how, turn): (Deletion, &Turn),
    ) -> Result<Vec<ItemNumber>> {
        let mailbox = &self.mailbox;
        let known = mailbox.mirror.remote_ids(folder, numbers).await?;
        let (mut messages, mut there, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for (number, known) in numbers.iter().zip(known) {
            let Some(known) = known else { continue };
            match Gid::from_bytes(&known.id.0) {
                Some(gid) => {
                    messages.push(mailbox.remote.id(gid).await?);
                    there.push(*number);
                }
                None => refused.push(*number),
            }
        }
        let mut gone = match messages.is_empty() {
            true => Vec::new(),
            false => {
                self.delete_known(folder, (messages, there), (how, turn))
                    .await?
            }
        };
        if !refused.is_empty() {
            // The server did not take them, so they are only here.
            let terms = mailbox.terms(QueueLimits::default());
            let removed = mailbox.mirror.queue_removal(folder, (refused, how), terms);
            gone.extend(removed.await?);
            gone.sort_unstable();
            mailbox.circle.queue_changed().await;
        }
        Ok(gone)
    }

    async fn delete_known(
        &self,
        folder: FolderId,
        (messages, there): (Vec<Id>, Vec<ItemNumber>),
        (how, turn): (Deletion, &Turn),
    ) -> Result<Vec<ItemNumber>> {
        let mailbox = &self.mailbox;
        let fid = mailbox.folder_fid(folder).await?;
        if mailbox.remote.delete(fid, &messages).await? {
            // What is marked is known.
            let how = match how {
                Deletion::Soft | Deletion::SoftIfMarked => Deletion::Soft,
                Deletion::Hard => Deletion::Hard,
            };
            return mailbox.mirror.removed(folder, there, how).await;
        }
        // Some stayed, or had gone before: only the server knows which.
        mailbox.sync_contents_with(folder, Some(turn)).await?;
        let still = mailbox.mirror.remote_ids(folder, &there).await?;
        let gone = there
            .into_iter()
            .zip(still)
            .filter(|(_, still)| still.is_none());
        Ok(gone.map(|(number, _)| number).collect())
    }

    /// Those of the items that are marked for deletion now.
    async fn marked(&self, folder: FolderId, items: &[ItemNumber]) -> Result<Vec<ItemNumber>> {
        let rows = self
            .rows_of(folder, items, &[tags::MESSAGE_STATUS.tag()])
            .await?;
        let is_marked = |item: &ItemNumber| {
            let status = rows.get(*item, &tags::MESSAGE_STATUS).unwrap_or(0);
            status & message_status::DELETE_MARKED != 0
        };
        Ok(items.iter().copied().filter(is_marked).collect())
    }

    pub(super) async fn put_props(&self, object: Object, change: &Change) -> Result<()> {
        // Subscriptions and the like are Dragoman's own, kept with the ledger.
        self.inner.set_props(object, change).await
    }
}

/// Every column that a change depends on.
fn touched(change: &Change) -> Vec<PropTag> {
    let mut columns = vec![tags::ITEM_VERSION.tag(), tags::MESSAGE_FLAGS.tag()];
    columns.extend(change.set.iter().map(|(tag, _)| *tag));
    columns.extend(&change.delete);
    columns.extend(change.bits.iter().map(|bits| bits.tag));
    columns.extend(change.strings.iter().map(|strings| strings.tag));
    columns
}

/// The octets of a value without a fixed size.
fn octets(value: &OwnedValue) -> Option<&[u8]> {
    match value {
        OwnedValue::Str(text) => Some(text.as_bytes()),
        OwnedValue::Bin(octets) | OwnedValue::Strs(octets) | OwnedValue::Bins(octets) => {
            Some(octets)
        }
        _ => None,
    }
}

/// What the server is told of new values of an item that has these flags.
pub(super) fn effect(new: &[(PropTag, Option<OwnedValue>)], flags: i32) -> Effect {
    let mut effect = Effect::default();
    for (tag, value) in new {
        match (*tag, value) {
            (tag, value) if tag == tags::MESSAGE_FLAGS.tag() => {
                let bits = match value {
                    Some(OwnedValue::I32(bits)) => *bits,
                    _ => 0,
                };
                // The other bits are settled when a message is first saved: MS-OXCMSG 2.2.1.6.
                if (bits ^ flags) & message_flags::READ != 0 {
                    effect.read = Some(bits & message_flags::READ != 0);
                }
            }
            (tag, _) if tag == tags::MESSAGE_STATUS.tag() => {}
            (tag, Some(value)) => effect.set.push((tag, value.clone())),
            (tag, None) => effect.delete.push(tag),
        }
    }
    effect
}

impl Effect {
    fn is_nothing(&self) -> bool {
        self.read.is_none() && self.set.is_empty() && self.delete.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_hears_of_reading_only_when_that_changes() {
        let check = |old, new, expected| {
            let new = [(tags::MESSAGE_FLAGS.tag(), Some(OwnedValue::I32(new)))];
            assert_eq!(effect(&new, old).read, expected, "{old:x} {new:?}");
        };
        check(0x0, 0x1, Some(true));
        check(0x9, 0x8, Some(false));
        check(0x9, 0x1, None);
        check(0x0, 0x8, None);
    }

    #[test]
    fn what_only_the_mirror_knows_is_not_told() {
        let new = [
            (tags::MESSAGE_STATUS.tag(), Some(OwnedValue::I32(8))),
            (tags::FLAG_STATUS.tag(), None),
        ];
        let effect = effect(&new, 0);
        assert_eq!((effect.read, effect.set.len()), (None, 0));
        assert_eq!(effect.delete, [tags::FLAG_STATUS.tag()]);
    }
}
