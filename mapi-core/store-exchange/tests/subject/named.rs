//! A store whose permission tables name users as the suite does.

use std::sync::Arc;

use bytes::Bytes;
use mapi_store::{
    ByteRange, Changes, Deletion, Expected, FolderInfo, HierarchyDelta, Member, NewFolder, Notice,
    Object, Permission, PropName, Query, Saved, Store, Task, Transfer, Transferred, Updated,
};
use mapi_types::{
    Change, Derived, Draft, FolderId, ItemKey, ItemNumber, MessageTree, PropBag, PropTag, RowSet,
    Version,
};
use tokio::sync::broadcast;

use super::Server;

/// The store under test with the names of the suite.
pub(super) struct Named {
    pub(super) inner: Arc<dyn Store>,
    pub(super) server: Arc<Server>,
}

impl Store for Named {
    fn permissions(&self, folder: FolderId) -> Task<'_, Vec<Permission>> {
        Box::pin(async move {
            let mut table = self.inner.permissions(folder).await?;
            for row in &mut table {
                if let Member::User(name) = &mut row.member {
                    *name = self.server.user_of(name).unwrap_or_else(|| name.clone());
                }
            }
            Ok(table)
        })
    }

    fn set_permissions<'a>(
        &'a self,
        folder: FolderId,
        permissions: &'a [Permission],
    ) -> Task<'a, ()> {
        Box::pin(async move {
            let mut table = permissions.to_vec();
            for row in &mut table {
                if let Member::User(user) = &mut row.member {
                    *user = self.server.known(user).await?;
                }
            }
            self.inner.set_permissions(folder, &table).await
        })
    }

    fn hierarchy(&self, since: Version) -> Task<'_, HierarchyDelta> {
        self.inner.hierarchy(since)
    }

    fn folder(&self, folder: FolderId) -> Task<'_, FolderInfo> {
        self.inner.folder(folder)
    }

    fn create_folder<'a>(&'a self, folder: &'a NewFolder) -> Task<'a, FolderInfo> {
        self.inner.create_folder(folder)
    }

    fn move_folder<'a>(
        &'a self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &'a str,
    ) -> Task<'a, ()> {
        self.inner.move_folder(folder, parent, name)
    }

    fn delete_folder(&self, folder: FolderId) -> Task<'_, ()> {
        self.inner.delete_folder(folder)
    }

    fn query<'a>(&'a self, query: &'a Query<'a>) -> Task<'a, RowSet> {
        self.inner.query(query)
    }

    fn changes<'a>(
        &'a self,
        folder: FolderId,
        since: Version,
        columns: &'a [PropTag],
        limit: u32,
    ) -> Task<'a, Changes> {
        self.inner.changes(folder, since, columns, limit)
    }

    fn props<'a>(&'a self, object: Object, tags: &'a [PropTag]) -> Task<'a, PropBag> {
        self.inner.props(object, tags)
    }

    fn set_props<'a>(&'a self, object: Object, change: &'a Change) -> Task<'a, ()> {
        self.inner.set_props(object, change)
    }

    fn read_message(&self, folder: FolderId, item: ItemNumber) -> Task<'_, MessageTree> {
        self.inner.read_message(folder, item)
    }

    fn read_bytes<'a>(
        &'a self,
        folder: FolderId,
        pieces: &'a [ByteRange],
    ) -> Task<'a, Vec<Option<Bytes>>> {
        self.inner.read_bytes(folder, pieces)
    }

    fn save<'a>(&'a self, folder: FolderId, drafts: &'a [Draft]) -> Task<'a, Vec<Saved>> {
        self.inner.save(folder, drafts)
    }

    fn replace<'a>(
        &'a self,
        folder: FolderId,
        expect: Expected,
        draft: &'a Draft,
    ) -> Task<'a, Saved> {
        self.inner.replace(folder, expect, draft)
    }

    fn update<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [Expected],
        change: &'a Change,
    ) -> Task<'a, Updated> {
        self.inner.update(folder, items, change)
    }

    fn transfer<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Task<'a, Vec<Transferred>> {
        self.inner.transfer(from, items, to, how)
    }

    fn delete<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [ItemNumber],
        how: Deletion,
    ) -> Task<'a, Vec<ItemNumber>> {
        self.inner.delete(folder, items, how)
    }

    fn submit<'a>(&'a self, draft: &'a Draft, copy: Option<FolderId>) -> Task<'a, ()> {
        self.inner.submit(draft, copy)
    }

    fn put_derived<'a>(
        &'a self,
        folder: FolderId,
        facts: &'a [(ItemNumber, Derived)],
    ) -> Task<'a, ()> {
        self.inner.put_derived(folder, facts)
    }

    fn find<'a>(
        &'a self,
        folder: FolderId,
        keys: &'a [ItemKey],
    ) -> Task<'a, Vec<Option<ItemNumber>>> {
        self.inner.find(folder, keys)
    }

    fn named_properties<'a>(
        &'a self,
        names: &'a [PropName],
        create: bool,
    ) -> Task<'a, Vec<Option<u16>>> {
        self.inner.named_properties(names, create)
    }

    fn property_names<'a>(&'a self, ids: &'a [u16]) -> Task<'a, Vec<Option<PropName>>> {
        self.inner.property_names(ids)
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.inner.notices()
    }
}
