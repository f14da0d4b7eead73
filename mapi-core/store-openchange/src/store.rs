//! The seam: each call becomes one job of a reading thread or one operation in the mailbox's queue.

use std::sync::Arc;

use bytes::Bytes;
use mapi_store::{
    ByteRange, Changes, DeletedFolder, Deletion, Error, ErrorKind, Expected, FolderInfo,
    HierarchyDelta, NewFolder, Notice, Object, Permission, PropName, Query, Result, Rights, Saved,
    Store, Task, Transfer, Transferred, Updated,
};
use mapi_types::{
    Change, Content, Derived, Draft, FolderId, ItemKey, ItemNumber, MessageTree, PropBag, PropTag,
    RowSet, Version,
};
use tokio::sync::broadcast;

use crate::{
    access::{Access, invalid, no_folder},
    codec::large_values,
    engine::Engine,
    fail,
    ids::{folder_row_id, row_id},
    mailbox::Mailbox,
    named,
    read::{self, Snapshot},
    write::{self, Prepared, Tx},
};

/// A mailbox as one principal has it open.
pub(crate) struct OpenStore {
    pub(crate) engine: Arc<Engine>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) who: Access,
    /// Whether it matters when bodies are read.
    pub(crate) noting_uses: bool,
}

impl OpenStore {
    /// Reads one state of the mailbox on a reading thread.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Snapshot<'_>, &Access) -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        let who = self.who.clone();
        self.engine
            .read(&self.mailbox, move |at| work(at, &who))
            .await
    }

    /// Changes the mailbox through its queue, once `contents` are durable.
    async fn write<T: Send + 'static>(
        &self,
        contents: Vec<Content>,
        mut work: impl FnMut(&mut Tx<'_>, &Access) -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        let who = self.who.clone();
        self.engine
            .write(&self.mailbox, contents, move |tx| work(tx, &who))
            .await
    }

    /// The bodies of these items were asked for.
    fn note_uses(&self, folder: FolderId, items: impl IntoIterator<Item = ItemNumber>) {
        if self.noting_uses
            && let Ok(folder) = folder_row_id(folder)
        {
            let items = items.into_iter();
            self.mailbox
                .uses
                .note(items.map(|item| row_id(folder, item.0)));
        }
    }

    fn prepare_all(&self, drafts: &[Draft]) -> Result<(Vec<Prepared>, Vec<Content>)> {
        let (mut prepared, mut contents) = (Vec::with_capacity(drafts.len()), Vec::new());
        for draft in drafts {
            let (draft, mut needed) = self.prepare(draft)?;
            prepared.push(draft);
            contents.append(&mut needed);
        }
        Ok((prepared, contents))
    }

    fn prepare(&self, draft: &Draft) -> Result<(Prepared, Vec<Content>)> {
        Ok(Prepared::new(
            draft,
            self.mailbox.shared.options.inline_bytes_max,
        )?)
    }
}

impl Store for OpenStore {
    fn hierarchy(&self, since: Version) -> Task<'_, HierarchyDelta> {
        Box::pin(self.read(move |at, who| read::tree::hierarchy(at.conn, who, since)))
    }

    fn folder(&self, folder: FolderId) -> Task<'_, FolderInfo> {
        Box::pin(self.read(move |at, who| {
            let (id, _) = who.allowed(at.conn, folder, Rights::NONE)?;
            read::tree::info(at.conn, who, id)?.ok_or_else(no_folder)
        }))
    }

    fn create_folder<'a>(&'a self, folder: &'a NewFolder) -> Task<'a, FolderInfo> {
        let folder = folder.clone();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::create_folder(tx, who, &folder)
        }))
    }

    fn move_folder<'a>(
        &'a self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &'a str,
    ) -> Task<'a, ()> {
        let name = name.to_owned();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::move_folder(tx, who, folder, parent, &name)
        }))
    }

    fn delete_folder(&self, folder: FolderId) -> Task<'_, ()> {
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::delete_folder(tx, who, folder)
        }))
    }

    fn permissions(&self, folder: FolderId) -> Task<'_, Vec<Permission>> {
        Box::pin(self.read(move |at, who| {
            let (id, _) = who.allowed(at.conn, folder, Rights::OWNER)?;
            read::tree::permissions_of(at.conn, id)
        }))
    }

    fn set_permissions<'a>(
        &'a self,
        folder: FolderId,
        permissions: &'a [Permission],
    ) -> Task<'a, ()> {
        let permissions = permissions.to_vec();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::set_permissions(tx, who, folder, &permissions)
        }))
    }

    fn query<'a>(&'a self, query: &'a Query<'a>) -> Task<'a, RowSet> {
        let query = read::OwnedQuery::from(query);
        Box::pin(self.read(move |at, who| read::query(at, who, &query)))
    }

    fn changes<'a>(
        &'a self,
        folder: FolderId,
        since: Version,
        columns: &'a [PropTag],
        limit: u32,
    ) -> Task<'a, Changes> {
        let columns = columns.to_vec();
        Box::pin(self.read(move |at, who| read::changes(at, who, (folder, since), &columns, limit)))
    }

    fn props<'a>(&'a self, object: Object, tags: &'a [PropTag]) -> Task<'a, PropBag> {
        let tags = tags.to_vec();
        Box::pin(self.read(move |at, who| match object {
            Object::Mailbox => read::tree::mailbox_props(at.conn, &tags),
            Object::Folder(folder) => {
                let (id, _) = who.allowed(at.conn, folder, Rights::NONE)?;
                Ok(read::tree::only(
                    &read::tree::folder_props(at.conn, id)?,
                    &tags,
                ))
            }
            Object::Item(folder, item) => read::item_props(at, who, (folder, item), &tags),
        }))
    }

    fn set_props<'a>(&'a self, object: Object, change: &'a Change) -> Task<'a, ()> {
        let change = change.clone();
        Box::pin(self.write(Vec::new(), move |tx, who| match object {
            Object::Mailbox => write::set_mailbox_props(tx, who, &change),
            Object::Folder(folder) => write::set_folder_props(tx, who, folder, &change),
            Object::Item(..) => Err(invalid("items are updated")),
        }))
    }

    fn read_message(&self, folder: FolderId, item: ItemNumber) -> Task<'_, MessageTree> {
        self.note_uses(folder, [item]);
        Box::pin(self.read(move |at, who| read::read_message(at, who, (folder, item))))
    }

    fn read_bytes<'a>(
        &'a self,
        folder: FolderId,
        pieces: &'a [ByteRange],
    ) -> Task<'a, Vec<Option<Bytes>>> {
        let pieces = pieces.to_vec();
        self.note_uses(folder, pieces.iter().map(|piece| piece.item));
        Box::pin(self.read(move |at, who| read::read_bytes(at, who, folder, &pieces)))
    }

    fn save_beyond_quota<'a>(
        &'a self,
        folder: FolderId,
        drafts: &'a [Draft],
    ) -> Task<'a, Vec<Saved>> {
        Box::pin(async move {
            let (prepared, contents) = self.prepare_all(drafts)?;
            self.write(contents, move |tx, who| {
                write::save_beyond_quota(tx, who, folder, &prepared)
            })
            .await
        })
    }

    fn save<'a>(&'a self, folder: FolderId, drafts: &'a [Draft]) -> Task<'a, Vec<Saved>> {
        Box::pin(async move {
            let (prepared, contents) = self.prepare_all(drafts)?;
            self.write(contents, move |tx, who| {
                write::save(tx, who, folder, &prepared)
            })
            .await
        })
    }

    fn replace<'a>(
        &'a self,
        folder: FolderId,
        expect: Expected,
        draft: &'a Draft,
    ) -> Task<'a, Saved> {
        Box::pin(async move {
            let (mut draft, contents) = self.prepare(draft)?;
            self.write(contents, move |tx, who| {
                write::replace(tx, who, folder, expect, &mut draft)
            })
            .await
        })
    }

    fn update<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [Expected],
        change: &'a Change,
    ) -> Task<'a, Updated> {
        let (items, change) = (items.to_vec(), change.clone());
        let contents = large_values(&change);
        Box::pin(self.write(contents, move |tx, who| {
            write::update(tx, who, folder, &items, &change)
        }))
    }

    fn transfer<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Task<'a, Vec<Transferred>> {
        let items = items.to_vec();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::transfer(tx, who, (from, to), &items, how)
        }))
    }

    fn delete<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [ItemNumber],
        how: Deletion,
    ) -> Task<'a, Vec<ItemNumber>> {
        let items = items.to_vec();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::delete(tx, who, folder, &items, how)
        }))
    }

    fn deleted_folders(&self) -> Task<'_, Vec<DeletedFolder>> {
        Box::pin(self.read(move |at, who| read::deleted_folders(at.conn, who)))
    }

    fn recover<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
    ) -> Task<'a, Vec<Transferred>> {
        let items = items.to_vec();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::recover(tx, who, (from, to), &items)
        }))
    }

    fn purge<'a>(&'a self, folder: FolderId, items: &'a [ItemNumber]) -> Task<'a, Vec<ItemNumber>> {
        let items = items.to_vec();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::purge(tx, who, folder, &items)
        }))
    }

    fn put_derived<'a>(
        &'a self,
        folder: FolderId,
        facts: &'a [(ItemNumber, Derived)],
    ) -> Task<'a, ()> {
        let facts = facts.to_vec();
        Box::pin(self.write(Vec::new(), move |tx, who| {
            write::put_derived(tx, who, folder, &facts)
        }))
    }

    fn find<'a>(
        &'a self,
        folder: FolderId,
        keys: &'a [ItemKey],
    ) -> Task<'a, Vec<Option<ItemNumber>>> {
        let keys = keys.to_vec();
        Box::pin(self.read(move |at, who| read::find(at, who, folder, &keys)))
    }

    fn named_properties<'a>(
        &'a self,
        names: &'a [PropName],
        create: bool,
    ) -> Task<'a, Vec<Option<u16>>> {
        Box::pin(async move {
            let wanted = names.to_vec();
            let known = self
                .read(move |at, _| named::lookup(at.conn, &wanted))
                .await?;
            if !create || known.iter().all(Option::is_some) {
                return Ok(known);
            }
            let wanted = names.to_vec();
            self.write(Vec::new(), move |tx, _| {
                named::lookup_or_create(tx.conn, &wanted)
            })
            .await
        })
    }

    fn property_names<'a>(&'a self, ids: &'a [u16]) -> Task<'a, Vec<Option<PropName>>> {
        let ids = ids.to_vec();
        Box::pin(self.read(move |at, _| named::names(at.conn, &ids)))
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.mailbox.notices.subscribe()
    }
}

/// What a caller hears whose work was dropped before it was done: a thread panicked, or the store is closing.
pub(crate) fn dropped() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "the store is closing, or the operation failed",
    )
}
