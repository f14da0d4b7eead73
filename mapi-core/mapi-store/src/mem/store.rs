//! The seam itself: each call takes the mailbox's lock once, does its work and lets go.

use std::sync::MutexGuard;

use bytes::Bytes;
use mapi_types::{
    Change, Derived, Draft, FolderId, ItemKey, ItemNumber, MessageTree, PropBag, PropTag, RowSet,
    Version,
};
use tokio::sync::broadcast;

use super::{Shared, lock, mailbox::Mailbox, write::Prepared};
use crate::{
    ByteRange, Changes, DeletedFolder, Deletion, Error, ErrorKind, Expected, FolderInfo,
    HierarchyDelta, NewFolder, Notice, Object, Permission, Principal, PropName, Query, Result,
    Rights, Saved, Store, Task, Transfer, Transferred, Updated,
};

/// A mailbox as one principal has it open.
pub(super) struct MemStore {
    shared: Shared,
    who: Principal,
}

impl MemStore {
    pub(super) fn new(shared: Shared, who: Principal) -> Self {
        Self { shared, who }
    }

    /// Every call begins here.
    fn open(&self) -> Result<MutexGuard<'_, Mailbox>> {
        let mailbox = lock(&self.shared);
        mailbox.faults.call()?;
        mailbox.check_open()?;
        Ok(mailbox)
    }

    /// Reads a draft's original while nobody waits for the mailbox.
    fn prepare(&self, draft: &Draft) -> Result<Prepared> {
        let rendered = !lock(&self.shared).lazy;
        Prepared::new(draft, rendered)
    }
}

impl Store for MemStore {
    fn hierarchy(&self, since: Version) -> Task<'_, HierarchyDelta> {
        Box::pin(async move { self.open()?.hierarchy(&self.who, since) })
    }

    fn folder(&self, folder: FolderId) -> Task<'_, FolderInfo> {
        Box::pin(async move { self.open()?.info(&self.who, folder) })
    }

    fn create_folder<'a>(&'a self, folder: &'a NewFolder) -> Task<'a, FolderInfo> {
        Box::pin(async move { self.open()?.create_folder(&self.who, folder) })
    }

    fn move_folder<'a>(
        &'a self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &'a str,
    ) -> Task<'a, ()> {
        Box::pin(async move { self.open()?.move_folder(&self.who, folder, parent, name) })
    }

    fn delete_folder(&self, folder: FolderId) -> Task<'_, ()> {
        Box::pin(async move { self.open()?.delete_folder(&self.who, folder) })
    }

    fn permissions(&self, folder: FolderId) -> Task<'_, Vec<Permission>> {
        Box::pin(async move { self.open()?.permissions(&self.who, folder) })
    }

    fn set_permissions<'a>(
        &'a self,
        folder: FolderId,
        permissions: &'a [Permission],
    ) -> Task<'a, ()> {
        Box::pin(async move { self.open()?.set_permissions(&self.who, folder, permissions) })
    }

    fn query<'a>(&'a self, query: &'a Query<'a>) -> Task<'a, RowSet> {
        Box::pin(async move { self.open()?.query(&self.who, query) })
    }

    fn changes<'a>(
        &'a self,
        folder: FolderId,
        since: Version,
        columns: &'a [PropTag],
        limit: u32,
    ) -> Task<'a, Changes> {
        Box::pin(async move {
            let mailbox = self.open()?;
            let folder = mailbox.allowed(&self.who, folder, Rights::READ_ANY)?;
            Ok(folder.changes(since, columns, limit))
        })
    }

    fn props<'a>(&'a self, object: Object, tags: &'a [PropTag]) -> Task<'a, PropBag> {
        Box::pin(async move {
            let mailbox = self.open()?;
            match object {
                Object::Mailbox => Ok(mailbox.mailbox_props(tags)),
                Object::Folder(folder) => mailbox.folder_props(&self.who, folder, tags),
                Object::Item(folder, item) => mailbox.item_props(&self.who, folder, item, tags),
            }
        })
    }

    fn set_props<'a>(&'a self, object: Object, change: &'a Change) -> Task<'a, ()> {
        Box::pin(async move {
            let mut mailbox = self.open()?;
            match object {
                Object::Mailbox => mailbox.set_mailbox_props(&self.who, change),
                Object::Folder(folder) => mailbox.set_folder_props(&self.who, folder, change),
                Object::Item(..) => Err(Error::new(ErrorKind::Invalid, "items are updated")),
            }
        })
    }

    fn read_message(&self, folder: FolderId, item: ItemNumber) -> Task<'_, MessageTree> {
        Box::pin(async move { self.open()?.read_message(&self.who, folder, item) })
    }

    fn read_bytes<'a>(
        &'a self,
        folder: FolderId,
        pieces: &'a [ByteRange],
    ) -> Task<'a, Vec<Option<Bytes>>> {
        Box::pin(async move { self.open()?.read_bytes(&self.who, folder, pieces) })
    }

    fn save<'a>(&'a self, folder: FolderId, drafts: &'a [Draft]) -> Task<'a, Vec<Saved>> {
        Box::pin(async move {
            let drafts: Result<Vec<_>> = drafts.iter().map(|draft| self.prepare(draft)).collect();
            let drafts = drafts?;
            self.open()?.save(&self.who, folder, drafts)
        })
    }

    fn replace<'a>(
        &'a self,
        folder: FolderId,
        expect: Expected,
        draft: &'a Draft,
    ) -> Task<'a, Saved> {
        Box::pin(async move {
            let draft = self.prepare(draft)?;
            self.open()?.replace(&self.who, folder, expect, draft)
        })
    }

    fn update<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [Expected],
        change: &'a Change,
    ) -> Task<'a, Updated> {
        Box::pin(async move { self.open()?.update(&self.who, folder, items, change) })
    }

    fn transfer<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Task<'a, Vec<Transferred>> {
        Box::pin(async move { self.open()?.transfer(&self.who, (from, to), items, how) })
    }

    fn delete<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [ItemNumber],
        how: Deletion,
    ) -> Task<'a, Vec<ItemNumber>> {
        Box::pin(async move { self.open()?.delete(&self.who, folder, items, how) })
    }

    fn deleted_folders(&self) -> Task<'_, Vec<DeletedFolder>> {
        Box::pin(async move { self.open()?.deleted_folders(&self.who) })
    }

    fn recover<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
    ) -> Task<'a, Vec<Transferred>> {
        Box::pin(async move { self.open()?.recover(&self.who, (from, to), items) })
    }

    fn purge<'a>(&'a self, folder: FolderId, items: &'a [ItemNumber]) -> Task<'a, Vec<ItemNumber>> {
        Box::pin(async move { self.open()?.purge(&self.who, folder, items) })
    }

    fn put_derived<'a>(
        &'a self,
        folder: FolderId,
        facts: &'a [(ItemNumber, Derived)],
    ) -> Task<'a, ()> {
        Box::pin(async move { self.open()?.put_derived(&self.who, folder, facts) })
    }

    fn find<'a>(
        &'a self,
        folder: FolderId,
        keys: &'a [ItemKey],
    ) -> Task<'a, Vec<Option<ItemNumber>>> {
        Box::pin(async move { self.open()?.find(&self.who, folder, keys) })
    }

    fn named_properties<'a>(
        &'a self,
        names: &'a [PropName],
        create: bool,
    ) -> Task<'a, Vec<Option<u16>>> {
        Box::pin(async move { self.open()?.named(names, create) })
    }

    fn property_names<'a>(&'a self, ids: &'a [u16]) -> Task<'a, Vec<Option<PropName>>> {
        Box::pin(async move { Ok(self.open()?.names(ids)) })
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        lock(&self.shared).notices.subscribe()
    }
}
