//! The mailbox as a [`Store`]: reads from the mirror, writes through to the server.
//!
//! What is read has been brought here before, or is brought when it is asked for: the index of a folder that was never
//! read, the bytes of a message. A write goes to the server first, then into the mirror. See [`write`] for the order, and
//! [`access`] for what others than the owner may do.

mod access;
mod bodies;
mod folders;
mod permissions;
mod queue;
mod replay;
mod rows;
mod save;
mod sizes;
mod submit;
mod transfer;
mod write;

use std::sync::Arc;

use bytes::Bytes;
use mapi_store::{
    ByteRange, Changes, Deletion, Expected, FolderInfo, HierarchyDelta, NewFolder, Notice, Object,
    Permission, PropName, Query, Result, Rights, Saved, Store, Table, Task, Transfer, Transferred,
    Updated,
};
use mapi_types::{
    Change, Derived, Draft, FolderId, ItemKey, ItemNumber, MessageTree, PropBag, PropTag, RowSet,
    Version, tags,
};
use tokio::sync::broadcast;

use self::access::{DELETE, EDIT};
pub(crate) use self::replay::replay;
use crate::mailbox::{Guest, Mailbox};

/// A mailbox as one principal may use it.
pub(crate) struct ExchangeStore {
    /// The mailbox with the principal's session; who did not log in reads with another's.
    pub(crate) mailbox: Arc<Mailbox>,
    /// The principal, unless it is the owner.
    pub(crate) guest: Option<Arc<Guest>>,
    /// The mirror as this principal sees it.
    pub(crate) inner: Arc<dyn Store>,
}

/// The column that asks for bytes to be made: see [`Store::query`].
const ASKS_FOR_BYTES: PropTag = tags::DERIVED_RENDERER.tag();

impl ExchangeStore {
    /// Makes the bytes of items in front of somebody who waits for them.
    async fn make(&self, folder: FolderId, items: &[ItemNumber]) -> Result<()> {
        let session = &self.mailbox.remote.sessions.front;
        self.mailbox.rendered(session, folder, items).await
    }

    async fn rows(&self, query: &Query<'_>) -> Result<RowSet> {
        let (Table::Contents(folder) | Table::Associated(folder) | Table::SoftDeleted(folder)) =
            query.table;
        self.mailbox.indexed(folder).await?;
        let rows = self.inner.query(query).await?;
        let Some(column) = query.columns.iter().position(|tag| *tag == ASKS_FOR_BYTES) else {
            return Ok(rows);
        };
        if rows.rows().all(|row| row.at(column).is_some()) {
            return Ok(rows);
        }
        let missing = self.without_bytes(query).await?;
        self.make(folder, &missing).await?;
        self.inner.query(query).await
    }

    /// The items of a query whose bytes have not been made.
    async fn without_bytes(&self, query: &Query<'_>) -> Result<Vec<ItemNumber>> {
        let columns = [tags::INTERNET_ARTICLE_NUMBER.tag(), ASKS_FOR_BYTES];
        let query = Query {
            columns: &columns,
            ..query.clone()
        };
        let rows = self.inner.query(&query).await?;
        let missing = rows.rows().filter(|row| row.at(1).is_none());
        Ok(missing
            .filter_map(|row| row.get(&tags::INTERNET_ARTICLE_NUMBER))
            .map(|number| ItemNumber(number.cast_unsigned()))
            .collect())
    }

    async fn bytes(&self, folder: FolderId, pieces: &[ByteRange]) -> Result<Vec<Option<Bytes>>> {
        let found = self.inner.read_bytes(folder, pieces).await?;
        let mut missing: Vec<_> = pieces
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none())
            .map(|(piece, _)| piece.item)
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        missing.sort_unstable();
        missing.dedup();
        self.make(folder, &missing).await?;
        let found = self.inner.read_bytes(folder, pieces).await?;
        self.decoded(folder, pieces, found).await
    }

    async fn message(&self, folder: FolderId, item: ItemNumber) -> Result<MessageTree> {
        self.make(folder, &[item]).await?;
        self.inner.read_message(folder, item).await
    }
}

impl Store for ExchangeStore {
    fn hierarchy(&self, since: Version) -> Task<'_, HierarchyDelta> {
        Box::pin(async move {
            self.learn_everything().await?;
            self.inner.hierarchy(since).await
        })
    }

    fn folder(&self, folder: FolderId) -> Task<'_, FolderInfo> {
        Box::pin(async move {
            if self
                .admit(folder, Rights::VISIBLE)
                .await?
                .allow(Rights::READ_ANY)
            {
                self.mailbox.indexed(folder).await?;
            }
            self.inner.folder(folder).await
        })
    }

    fn create_folder<'a>(&'a self, folder: &'a NewFolder) -> Task<'a, FolderInfo> {
        Box::pin(async move {
            self.mailbox.caught_up().await?;
            self.admit_below(folder.parent).await?;
            self.make_folder(folder).await
        })
    }

    fn move_folder<'a>(
        &'a self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &'a str,
    ) -> Task<'a, ()> {
        Box::pin(async move {
            self.mailbox.caught_up().await?;
            self.admit(folder, Rights::OWNER).await?;
            self.put_folder(folder, parent, name).await
        })
    }

    fn delete_folder(&self, folder: FolderId) -> Task<'_, ()> {
        Box::pin(async move {
            self.mailbox.caught_up().await?;
            self.admit(folder, Rights::OWNER).await?;
            self.remove_folder(folder).await
        })
    }

    fn permissions(&self, folder: FolderId) -> Task<'_, Vec<Permission>> {
        Box::pin(async move {
            self.admit(folder, Rights::OWNER).await?;
            self.permission_table(folder).await
        })
    }

    fn set_permissions<'a>(
        &'a self,
        folder: FolderId,
        permissions: &'a [Permission],
    ) -> Task<'a, ()> {
        Box::pin(async move {
            self.admit(folder, Rights::OWNER).await?;
            self.put_permissions(folder, permissions).await
        })
    }

    fn query<'a>(&'a self, query: &'a Query<'a>) -> Task<'a, RowSet> {
        Box::pin(async move {
            let (Table::Contents(folder) | Table::Associated(folder) | Table::SoftDeleted(folder)) =
                query.table;
            self.admit(folder, Rights::READ_ANY).await?;
            self.rows(query).await
        })
    }

    fn changes<'a>(
        &'a self,
        folder: FolderId,
        since: Version,
        columns: &'a [PropTag],
        limit: u32,
    ) -> Task<'a, Changes> {
        Box::pin(async move {
            self.admit(folder, Rights::READ_ANY).await?;
            self.mailbox.indexed(folder).await?;
            self.inner.changes(folder, since, columns, limit).await
        })
    }

    fn props<'a>(&'a self, object: Object, tags: &'a [PropTag]) -> Task<'a, PropBag> {
        Box::pin(async move {
            self.admit_object(object).await?;
            if let Object::Item(folder, item) = object
                && tags.contains(&ASKS_FOR_BYTES)
            {
                self.make(folder, &[item]).await?;
            }
            let bag = self.inner.props(object, tags).await?;
            match object {
                Object::Folder(folder) => self.with_bound(folder, tags, bag).await,
                Object::Mailbox | Object::Item(..) => Ok(bag),
            }
        })
    }

    fn set_props<'a>(&'a self, object: Object, change: &'a Change) -> Task<'a, ()> {
        Box::pin(async move {
            self.refuse_nobody()?;
            self.admit_object(object).await?;
            self.put_props(object, change).await
        })
    }

    fn read_message(&self, folder: FolderId, item: ItemNumber) -> Task<'_, MessageTree> {
        Box::pin(async move {
            self.admit(folder, Rights::READ_ANY).await?;
            self.message(folder, item).await
        })
    }

    fn read_bytes<'a>(
        &'a self,
        folder: FolderId,
        pieces: &'a [ByteRange],
    ) -> Task<'a, Vec<Option<Bytes>>> {
        Box::pin(async move {
            self.admit(folder, Rights::READ_ANY).await?;
            self.bytes(folder, pieces).await
        })
    }

    fn save<'a>(&'a self, folder: FolderId, drafts: &'a [Draft]) -> Task<'a, Vec<Saved>> {
        Box::pin(async move {
            self.admit(folder, Rights::CREATE).await?;
            self.save_all(folder, drafts).await
        })
    }

    fn replace<'a>(
        &'a self,
        folder: FolderId,
        expect: Expected,
        draft: &'a Draft,
    ) -> Task<'a, Saved> {
        Box::pin(async move {
            self.admit(folder, Rights::READ_ANY).await?;
            self.admit_items(folder, &[expect.item], EDIT).await?;
            self.replace_one(folder, expect, draft).await
        })
    }

    fn update<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [Expected],
        change: &'a Change,
    ) -> Task<'a, Updated> {
        Box::pin(async move {
            self.admit(folder, Rights::READ_ANY).await?;
            if !self.is_ones_own(change) {
                let numbers: Vec<_> = items.iter().map(|expected| expected.item).collect();
                self.admit_items(folder, &numbers, EDIT).await?;
            }
            self.update_all(folder, items, change).await
        })
    }

    fn transfer<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Task<'a, Vec<Transferred>> {
        Box::pin(async move {
            self.admit(from, Rights::READ_ANY).await?;
            self.admit(to, Rights::CREATE).await?;
            if how == Transfer::Move {
                self.admit_items(from, items, DELETE).await?;
            }
            self.transfer_all(from, items, to, how).await
        })
    }

    fn delete<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [ItemNumber],
        how: Deletion,
    ) -> Task<'a, Vec<ItemNumber>> {
        Box::pin(async move {
            self.admit(folder, Rights::VISIBLE).await?;
            self.admit_items(folder, items, DELETE).await?;
            self.delete_all(folder, items, how).await
        })
    }

    fn submit<'a>(&'a self, draft: &'a Draft, copy: Option<FolderId>) -> Task<'a, ()> {
        Box::pin(self.send(draft, copy))
    }

    fn put_derived<'a>(
        &'a self,
        folder: FolderId,
        facts: &'a [(ItemNumber, Derived)],
    ) -> Task<'a, ()> {
        Box::pin(async move {
            self.admit(folder, Rights::READ_ANY).await?;
            self.inner.put_derived(folder, facts).await
        })
    }

    fn find<'a>(
        &'a self,
        folder: FolderId,
        keys: &'a [ItemKey],
    ) -> Task<'a, Vec<Option<ItemNumber>>> {
        Box::pin(async move {
            self.admit(folder, Rights::READ_ANY).await?;
            self.mailbox.indexed(folder).await?;
            self.inner.find(folder, keys).await
        })
    }

    fn named_properties<'a>(
        &'a self,
        names: &'a [PropName],
        create: bool,
    ) -> Task<'a, Vec<Option<u16>>> {
        Box::pin(self.mailbox.property_ids(names, create))
    }

    fn property_names<'a>(&'a self, ids: &'a [u16]) -> Task<'a, Vec<Option<PropName>>> {
        // The mirror gives the ids.
        self.inner.property_names(ids)
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.inner.notices()
    }
}
