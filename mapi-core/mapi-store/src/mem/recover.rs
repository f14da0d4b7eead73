//! What was deleted and is not gone: items, and folders with their items.

use std::{collections::BTreeSet, time::SystemTime};

use mapi_types::{FileTime, FolderId, ItemNumber};

use super::{
    access::{denied, no_folder},
    folder::Folder,
    item::Item,
    mailbox::Mailbox,
    write::DELETE,
};
use crate::{DeletedFolder, Notice, Principal, Result, Rights, Saved, Transferred};

impl Mailbox {
    /// Keeps a folder that was just taken out, as long as it has items.
    pub(super) fn keep_deleted(&mut self, mut folder: Folder) {
        let now = FileTime::from(SystemTime::now());
        for (number, mut item) in std::mem::take(&mut folder.items) {
            item.deleted = Some(now);
            folder.soft_deleted.insert(number, item);
        }
        if !folder.soft_deleted.is_empty() {
            self.deleted.insert(folder.id, (now, folder));
        }
    }

    pub(super) fn deleted_folders(&self, who: &Principal) -> Result<Vec<DeletedFolder>> {
        if !self.is_owner(who) {
            return Err(denied());
        }
        let deleted = self
            .deleted
            .values()
            .map(|(deleted, folder)| DeletedFolder {
                id: folder.id,
                parent: folder.parent,
                name: folder.name.clone(),
                class: folder.class.clone(),
                deleted: *deleted,
                items: folder.soft_deleted.len() as u32,
                size: folder.soft_deleted.values().map(octets).sum(),
            });
        Ok(deleted.collect())
    }

    /// A folder, there or deleted, whose deleted items the principal may see. Errors: `NotFound`, `Denied`.
    pub(super) fn recoverable(
        &self,
        who: &Principal,
        id: FolderId,
        needed: Rights,
    ) -> Result<&Folder> {
        match self.deleted.get(&id) {
            Some((_, folder)) if self.is_owner(who) => Ok(folder),
            _ => self.allowed(who, id, needed),
        }
    }

    pub(super) fn recover(
        &mut self,
        who: &Principal,
        (from, to): (FolderId, FolderId),
        items: &[ItemNumber],
    ) -> Result<Vec<Transferred>> {
        let numbers = self.deletable(who, from, items)?;
        self.allowed(who, to, Rights::CREATE)?
            .check_numbers(numbers.len())?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let version = self.folder_mut(to)?.bump();
        let mut recovered = Vec::with_capacity(numbers.len());
        for number in numbers {
            let Some(mut item) = self.take_deleted(from, number) else {
                continue;
            };
            item.deleted = None;
            item.body.unmark_deleted();
            if self.folder_mut(to)?.number_of(&item.key).is_some() {
                item.key = self.new_key(to);
            }
            let key = item.key.clone();
            let target = self.folder_mut(to)?.add(item, version);
            recovered.push(Transferred {
                source: ItemNumber(number),
                target: Saved {
                    number: ItemNumber(target),
                    key,
                    version,
                    existing: false,
                },
            });
        }
        self.notify(Notice::Folder(to, version));
        Ok(recovered)
    }

    pub(super) fn purge(
        &mut self,
        who: &Principal,
        id: FolderId,
        items: &[ItemNumber],
    ) -> Result<Vec<ItemNumber>> {
        let numbers = self.deletable(who, id, items)?;
        for number in &numbers {
            self.take_deleted(id, *number);
        }
        Ok(numbers.into_iter().map(ItemNumber).collect())
    }

    /// Those of the softly deleted items that are there, ascending, each once. Errors: `Denied` unless the principal may
    /// delete all of them.
    fn deletable(&self, who: &Principal, id: FolderId, items: &[ItemNumber]) -> Result<Vec<u32>> {
        let folder = self.recoverable(who, id, Rights::READ_ANY)?;
        let asked: BTreeSet<u32> = items.iter().map(|item| item.0).collect();
        let found = || {
            let asked = asked.iter();
            asked.filter_map(|number| folder.soft_deleted.get_key_value(number))
        };
        self.check_items(who, folder, DELETE, found().map(|(_, item)| item))?;
        Ok(found().map(|(number, _)| *number).collect())
    }

    fn take_deleted(&mut self, id: FolderId, number: u32) -> Option<Item> {
        if let Ok(folder) = self.folder_mut(id) {
            return folder.soft_deleted.remove(&number);
        }
        let (_, folder) = self.deleted.get_mut(&id).ok_or_else(no_folder).ok()?;
        let item = folder.soft_deleted.remove(&number);
        if folder.soft_deleted.is_empty() {
            self.deleted.remove(&id);
        }
        item
    }
}

fn octets(item: &Item) -> u64 {
    match item.body.is_rendered() {
        true => item.body.size(),
        false => 0,
    }
}
