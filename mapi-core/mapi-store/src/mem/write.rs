//! Writing items. Every method checks first, then changes without failing: all or nothing.

use std::{collections::BTreeSet, time::SystemTime};

use mapi_types::{
    Change, Derived, Draft, FileTime, FolderId, ItemKey, ItemNumber, OwnedValue, PropTag, Version,
    changes_content, tags, tags::message_flags,
};

use super::{
    access::no_item,
    folder::Folder,
    item::{Body, Item, is_fact},
    mailbox::{Mailbox, touched},
};
use crate::{
    Deletion, Error, ErrorKind, Expected, ITEM_KEY_BYTES_MAX, Notice, Principal, Result, Rights,
    Saved, Transfer, Transferred, Updated,
};

/// Rights to edit any item, or one's own.
const EDIT: (Rights, Rights) = (Rights::EDIT_ANY, Rights::EDIT_OWNED);
/// Rights to delete any item, or one's own.
pub(super) const DELETE: (Rights, Rights) = (Rights::DELETE_ANY, Rights::DELETE_OWNED);

/// A draft whose original is in memory.
pub(super) struct Prepared {
    key: Option<ItemKey>,
    body: Body,
}

/// The new values of one item.
struct Edit {
    number: u32,
    props: Vec<(PropTag, Option<OwnedValue>)>,
    /// Whether they make a new content.
    content: bool,
}

impl Prepared {
    /// Errors: `Invalid` (the key), `Unavailable` (the original).
    pub(super) fn new(draft: &Draft, rendered: bool) -> Result<Self> {
        let fits = |key: &ItemKey| (1..=ITEM_KEY_BYTES_MAX).contains(&key.0.len());
        if !draft.key.as_ref().is_none_or(fits) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "an item key has 1 to 255 bytes",
            ));
        }
        Ok(Self {
            key: draft.key.clone(),
            body: Body::new(draft, rendered)?,
        })
    }
}

impl Mailbox {
    pub(super) fn save(
        &mut self,
        who: &Principal,
        id: FolderId,
        drafts: Vec<Prepared>,
    ) -> Result<Vec<Saved>> {
        self.allowed(who, id, Rights::CREATE)?
            .check_numbers(drafts.len())?;
        let (mut saved, mut version) = (Vec::with_capacity(drafts.len()), None);
        for draft in drafts {
            let key = draft.key.unwrap_or_else(|| self.new_key(id));
            let folder = self.folder_mut(id)?;
            if let Some(number) = folder.number_of(&key) {
                let version = folder
                    .items
                    .get(&number)
                    .map_or(folder.version, |item| item.version);
                saved.push(Saved {
                    number: ItemNumber(number),
                    key,
                    version,
                    existing: true,
                });
                continue;
            }
            let version = *version.get_or_insert_with(|| folder.bump());
            let item = Item {
                key: key.clone(),
                version,
                created: version,
                creator: who.user.clone(),
                deleted: None,
                body: draft.body,
            };
            let number = ItemNumber(folder.add(item, version));
            saved.push(Saved {
                number,
                key,
                version,
                existing: false,
            });
        }
        if let Some(version) = version {
            self.notify(Notice::Folder(id, version));
        }
        Ok(saved)
    }

    pub(super) fn replace(
        &mut self,
        who: &Principal,
        id: FolderId,
        expect: Expected,
        draft: Prepared,
    ) -> Result<Saved> {
        let folder = self.allowed(who, id, Rights::READ_ANY)?;
        let old = folder.items.get(&expect.item.0).ok_or_else(no_item)?;
        self.check_items(who, folder, EDIT, std::iter::once(old))?;
        if is_stale(old, expect) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "the item changed meanwhile",
            ));
        }
        folder.check_numbers(1)?;
        let folder = self.folder_mut(id)?;
        let version = folder.bump();
        let mut item = folder.take(expect.item.0, version).ok_or_else(no_item)?;
        let associated = item.body.is_associated();
        item.body = draft.body;
        item.body.set_associated(associated);
        let key = item.key.clone();
        let number = ItemNumber(folder.add(item, version));
        self.notify(Notice::Folder(id, version));
        Ok(Saved {
            number,
            key,
            version,
            existing: false,
        })
    }

    pub(super) fn update(
        &mut self,
        who: &Principal,
        id: FolderId,
        items: &[Expected],
        change: &Change,
    ) -> Result<Updated> {
        let folder = self.allowed(who, id, Rights::READ_ANY)?;
        if touched(change).any(is_fact) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the store computes this property",
            ));
        }
        let named = items
            .iter()
            .filter_map(|expect| folder.items.get(&expect.item.0));
        self.check_items(who, folder, EDIT, named)?;
        let (edits, mut updated) = plan(folder, items, change);
        folder.check_numbers(edits.len())?;
        if edits.is_empty() {
            return Ok(updated);
        }
        let folder = self.folder_mut(id)?;
        let version = folder.bump();
        updated.version = Some(version);
        for edit in edits {
            let old = ItemNumber(edit.number);
            if edit.content {
                let Some(mut item) = folder.take(edit.number, version) else {
                    continue;
                };
                edit.apply(&mut item);
                item.body.part_from_original();
                updated
                    .renumbered
                    .push((old, ItemNumber(folder.add(item, version))));
            } else if let Some(item) = folder.items.get_mut(&edit.number) {
                edit.apply(item);
                item.version = version;
                updated.changed.push(old);
            }
        }
        self.notify(Notice::Folder(id, version));
        Ok(updated)
    }

    pub(super) fn transfer(
        &mut self,
        who: &Principal,
        (from, to): (FolderId, FolderId),
        items: &[ItemNumber],
        how: Transfer,
    ) -> Result<Vec<Transferred>> {
        let source = self.allowed(who, from, Rights::READ_ANY)?;
        let target = self.allowed(who, to, Rights::CREATE)?;
        let numbers = present(source, items);
        let found = || numbers.iter().filter_map(|number| source.items.get(number));
        if how == Transfer::Move {
            self.check_items(who, source, DELETE, found())?;
            if from != to && found().any(|item| target.number_of(&item.key).is_some()) {
                return Err(Error::new(
                    ErrorKind::Exists,
                    "the target has an item with this key",
                ));
            }
        }
        target.check_numbers(numbers.len())?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let version = self.folder_mut(to)?.bump();
        let source_version = match how {
            Transfer::Move if from != to => self.folder_mut(from)?.bump(),
            _ => version,
        };
        let mut transferred = Vec::with_capacity(numbers.len());
        for number in numbers {
            let item = match how {
                Transfer::Copy => self.copy_of(who, from, to, number),
                Transfer::Move => self.folder_mut(from)?.take(number, source_version),
            };
            let Some(item) = item else { continue };
            let key = item.key.clone();
            let target = ItemNumber(self.folder_mut(to)?.add(item, version));
            transferred.push(Transferred {
                source: ItemNumber(number),
                target: Saved {
                    number: target,
                    key,
                    version,
                    existing: false,
                },
            });
        }
        if how == Transfer::Move && from != to {
            self.notify(Notice::Folder(from, source_version));
        }
        self.notify(Notice::Folder(to, version));
        Ok(transferred)
    }

    pub(super) fn delete(
        &mut self,
        who: &Principal,
        id: FolderId,
        items: &[ItemNumber],
        how: Deletion,
    ) -> Result<Vec<ItemNumber>> {
        let folder = self.visible(who, id)?;
        let mut numbers = present(folder, items);
        if how == Deletion::SoftIfMarked {
            numbers.retain(|number| {
                let item = folder.items.get(number);
                item.is_some_and(|item| item.body.is_marked_deleted())
            });
        }
        let found = numbers.iter().filter_map(|number| folder.items.get(number));
        self.check_items(who, folder, DELETE, found)?;
        numbers.retain(|number| !self.faults.keeps(ItemNumber(*number)));
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let (folder, now) = (self.folder_mut(id)?, FileTime::from(SystemTime::now()));
        let version = folder.bump();
        for number in &numbers {
            let Some(mut item) = folder.take(*number, version) else {
                continue;
            };
            if how != Deletion::Hard {
                item.version = version;
                item.deleted = Some(now);
                folder.soft_deleted.insert(*number, item);
            }
        }
        self.notify(Notice::Folder(id, version));
        Ok(numbers.into_iter().map(ItemNumber).collect())
    }

    /// Who may read an item may add what follows from it.
    pub(super) fn put_derived(
        &mut self,
        who: &Principal,
        id: FolderId,
        facts: &[(ItemNumber, Derived)],
    ) -> Result<()> {
        let folder = self.allowed_mut(who, id, Rights::READ_ANY)?;
        for (number, derived) in facts {
            if let Some(item) = folder.items.get_mut(&number.0) {
                item.body.set_derived(derived.clone());
            }
        }
        Ok(())
    }

    fn copy_of(
        &mut self,
        who: &Principal,
        from: FolderId,
        to: FolderId,
        number: u32,
    ) -> Option<Item> {
        let key = self.new_key(to);
        let item = self.folders.get(&from)?.items.get(&number)?.clone();
        Some(Item {
            key,
            creator: who.user.clone(),
            ..item
        })
    }
}

impl Edit {
    fn apply(&self, item: &mut Item) {
        for (tag, value) in &self.props {
            item.body.set(*tag, value.clone());
        }
    }
}

/// What an update does to which items.
fn plan(folder: &Folder, items: &[Expected], change: &Change) -> (Vec<Edit>, Updated) {
    let mut expected = items.to_vec();
    expected.sort_by_key(|expect| expect.item);
    expected.dedup_by_key(|expect| expect.item);
    let (mut edits, mut updated) = (Vec::new(), Updated::default());
    for expect in expected {
        let number = expect.item.0;
        let Some(item) = folder.items.get(&number) else {
            continue;
        };
        if is_stale(item, expect) {
            updated.stale.push(expect.item);
            continue;
        }
        let mut props = change.apply(|tag| item.body.stored(tag));
        keep_table(item, &mut props);
        let content = props
            .iter()
            .any(|(tag, _)| changes_content(item.body.class(), *tag));
        if !props.is_empty() {
            edits.push(Edit {
                number,
                props,
                content,
            });
        }
    }
    (edits, updated)
}

/// An item stays normal or associated: that bit is not for changes.
fn keep_table(item: &Item, props: &mut Vec<(PropTag, Option<OwnedValue>)>) {
    let tag = tags::MESSAGE_FLAGS.tag();
    let bit = if item.body.is_associated() {
        message_flags::ASSOCIATED
    } else {
        0
    };
    if let Some((_, value)) = props.iter_mut().find(|(changed, _)| *changed == tag) {
        let bits = match value {
            Some(OwnedValue::I32(bits)) => *bits,
            _ => 0,
        };
        *value = Some(OwnedValue::I32(bits & !message_flags::ASSOCIATED | bit));
    }
    let same = |value: &Option<OwnedValue>| match (value, item.body.stored(tag)) {
        (Some(new), Some(old)) => new.as_value() == old,
        (Some(OwnedValue::I32(0)), None) => true,
        _ => false,
    };
    props.retain(|(changed, value)| *changed != tag || !same(value));
}

fn is_stale(item: &Item, expect: Expected) -> bool {
    expect
        .version
        .is_some_and(|seen: Version| item.version > seen)
}

/// Those of the items that are there, by ascending number, each once.
fn present(folder: &Folder, items: &[ItemNumber]) -> Vec<u32> {
    let numbers: BTreeSet<u32> = items.iter().map(|number| number.0).collect();
    numbers
        .into_iter()
        .filter(|number| folder.items.contains_key(number))
        .collect()
}
