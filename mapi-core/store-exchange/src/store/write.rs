//! Changing and deleting items: on the server first, then in the mirror.
//!
//! What only Dragoman knows (the mark for deletion, that a disposition notification was sent: PidTagMessageStatus) stays
//! in the mirror, for servers do not synchronize it.

use std::collections::HashMap;

use mapi_store::{
    Deletion, Error, ErrorKind, Expected, Items, Object, Query, Result, Table, Updated,
};
use mapi_types::{
    Change, FolderId, ItemNumber, OwnedValue, PropTag, RowSet, Value, tags,
    tags::{message_flags, message_status},
};
use mapi_wire::{Gid, Id, TaggedValue};
use store_openchange::{ChangeKey, RemoteItemRef, Written};

use super::ExchangeStore;
use crate::{
    mailbox::Work,
    remote::{ChangeKeys, PropsChange},
    values::{tag, tagged, wire_name},
};

/// What a change means for one item on the server.
#[derive(Debug, Default)]
struct Effect {
    read: Option<bool>,
    set: Vec<(PropTag, OwnedValue)>,
    delete: Vec<PropTag>,
}

impl ExchangeStore {
    pub(super) async fn update_all(
        &self,
        folder: FolderId,
        items: &[Expected],
        change: &Change,
    ) -> Result<Updated> {
        let mailbox = &self.mailbox;
        let _turn = mailbox.turn(Work::Write(folder)).await;
        let numbers: Vec<_> = items.iter().map(|expected| expected.item).collect();
        let known = mailbox.mirror.remote_ids(folder, &numbers).await?;
        let rows = self.old_values(folder, &numbers, change).await?;
        let old = by_number(&rows);
        let mut writes = Vec::new();
        let mut written = Vec::with_capacity(items.len());
        for (expected, known) in items.iter().zip(known) {
            written.push(Written {
                item: *expected,
                based_on: None,
                change_key: None,
            });
            let (Some(known), Some(row)) = (known, old.get(&expected.item)) else {
                continue;
            };
            let version = row
                .get(&tags::ITEM_VERSION)
                .unwrap_or_default()
                .cast_unsigned();
            if expected.version.is_some_and(|at_most| version > at_most.0) {
                continue;
            }
            let effect = effect(&change.apply(|tag| row.value(tag)));
            writes.push((written.len() - 1, known, effect));
        }
        let keys = self.write_effects(folder, writes).await?;
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

    /// Number, version and whatever the change depends on.
    async fn old_values(
        &self,
        folder: FolderId,
        numbers: &[ItemNumber],
        change: &Change,
    ) -> Result<RowSet> {
        let mut columns = vec![
            tags::INTERNET_ARTICLE_NUMBER.tag(),
            tags::ITEM_VERSION.tag(),
            tags::MESSAGE_FLAGS.tag(),
        ];
        let touched = change.set.iter().map(|(tag, _)| *tag);
        let touched = touched.chain(change.delete.iter().copied());
        let touched = touched.chain(change.bits.iter().map(|bits| bits.tag));
        columns.extend(touched.chain(change.strings.iter().map(|strings| strings.tag)));
        columns.sort_unstable();
        columns.dedup();
        let query = Query {
            table: Table::Contents(folder),
            columns: &columns,
            items: Items::Numbers(numbers),
            filter: None,
            sort: &[],
            limit: u32::MAX,
        };
        self.inner.query(&query).await
    }

    /// Carries effects out on the server. Returns the new change keys by place.
    async fn write_effects(
        &self,
        folder: FolderId,
        writes: Vec<(usize, RemoteItemRef, Effect)>,
    ) -> Result<Vec<(usize, ChangeKeys)>> {
        let mailbox = &self.mailbox;
        let nothing = |(_, _, effect): &(_, _, Effect)| {
            effect.read.is_none() && effect.set.is_empty() && effect.delete.is_empty()
        };
        if writes.iter().all(nothing) {
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
        let mut set: Vec<TaggedValue> = Vec::new();
        for (tag, value) in &effect.set {
            set.push(tagged(self.server_tag(*tag).await?.id(), value.as_value()));
        }
        let mut delete = Vec::new();
        for tag in &effect.delete {
            delete.push(self.server_tag(*tag).await?);
        }
        Ok(PropsChange {
            message,
            set,
            delete,
        })
    }

    /// A tag as the server knows it: named properties have ids of its own.
    async fn server_tag(&self, local: PropTag) -> Result<PropTag> {
        if local.id() < 0x8000 {
            return Ok(local);
        }
        let unknown = || Error::new(ErrorKind::Invalid, "a named property without a name");
        let name = self.mailbox.name_of(local.id()).await.ok_or_else(unknown)?;
        let ids = self
            .mailbox
            .remote
            .property_ids(vec![wire_name(&name)])
            .await?;
        let id = ids.first().copied().flatten().ok_or_else(unknown)?;
        let kind = local.prop_type().ok_or_else(unknown)?;
        Ok(tag(id, kind))
    }

    pub(super) async fn delete_all(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        how: Deletion,
    ) -> Result<Vec<ItemNumber>> {
        let mailbox = &self.mailbox;
        let _turn = mailbox.turn(Work::Write(folder)).await;
        let numbers = match how {
            Deletion::HardIfMarked => self.marked(folder, items).await?,
            Deletion::Soft | Deletion::Hard => items.to_vec(),
        };
        let known = mailbox.mirror.remote_ids(folder, &numbers).await?;
        let mut messages = Vec::new();
        let mut there = Vec::new();
        for (number, known) in numbers.iter().zip(known) {
            let Some(gid) = known.and_then(|known| Gid::from_bytes(&known.id.0)) else {
                continue;
            };
            messages.push(mailbox.remote.id(gid).await?);
            there.push(*number);
        }
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let fid = mailbox.folder_fid(folder).await?;
        if mailbox.remote.delete(fid, &messages).await? {
            return mailbox.mirror.removed(folder, there).await;
        }
        // Some stayed, or had gone before: only the server knows which.
        mailbox.sync_contents(folder).await?;
        let still = mailbox.mirror.remote_ids(folder, &there).await?;
        let gone = there
            .into_iter()
            .zip(still)
            .filter(|(_, still)| still.is_none());
        Ok(gone.map(|(number, _)| number).collect())
    }

    /// Those of the items that are marked for deletion now.
    async fn marked(&self, folder: FolderId, items: &[ItemNumber]) -> Result<Vec<ItemNumber>> {
        let columns = [
            tags::INTERNET_ARTICLE_NUMBER.tag(),
            tags::MESSAGE_STATUS.tag(),
        ];
        let query = Query {
            table: Table::Contents(folder),
            columns: &columns,
            items: Items::Numbers(items),
            filter: None,
            sort: &[],
            limit: u32::MAX,
        };
        let rows = self.inner.query(&query).await?;
        let marked = rows.rows().filter(|row| {
            row.get(&tags::MESSAGE_STATUS).unwrap_or(0) & message_status::DELETE_MARKED != 0
        });
        Ok(marked
            .filter_map(|row| row.get(&tags::INTERNET_ARTICLE_NUMBER))
            .map(|number| ItemNumber(number.cast_unsigned()))
            .collect())
    }

    pub(super) async fn put_props(&self, object: Object, change: &Change) -> Result<()> {
        // Subscriptions and the like are Dragoman's own, kept with the ledger.
        self.inner.set_props(object, change).await
    }
}

fn by_number(rows: &RowSet) -> HashMap<ItemNumber, mapi_types::Row<'_>> {
    rows.rows()
        .filter_map(|row| {
            let number = row.get(&tags::INTERNET_ARTICLE_NUMBER)?.cast_unsigned();
            Some((ItemNumber(number), row))
        })
        .collect()
}

/// What the server is told of new values.
fn effect(new: &[(PropTag, Option<OwnedValue>)]) -> Effect {
    let mut effect = Effect::default();
    for (tag, value) in new {
        match (*tag, value) {
            (flags, value) if flags == tags::MESSAGE_FLAGS.tag() => {
                let bits = match value.as_ref().map(OwnedValue::as_value) {
                    Some(Value::I32(bits)) => bits,
                    _ => 0,
                };
                effect.read = Some(bits & message_flags::READ != 0);
            }
            (status, _) if status == tags::MESSAGE_STATUS.tag() => {}
            (tag, Some(value)) => effect.set.push((tag, value.clone())),
            (tag, None) => effect.delete.push(tag),
        }
    }
    effect
}
