//! A span around each call to a store, for who traces what an operation of a client costs.
//!
//! The spans have the target `operation` and are there only while somebody traces; else a call costs one look at a
//! number more. They say which call it is, of which folder and how many items, and what kind of error came of it:
//! never what is in an item.

use std::sync::Arc;

use bytes::Bytes;
use mapi_store::{
    ByteRange, Changes, DeletedFolder, Deletion, Expected, FolderInfo, HierarchyDelta, NewFolder,
    Notice, Object, Permission, PropName, Query, Result, Saved, Store, Table, Task, Transfer,
    Transferred, Updated,
};
use mapi_types::{
    Change, Derived, Draft, FolderId, ItemKey, ItemNumber, MailboxId, MessageTree, PropBag,
    PropTag, RowSet, Version,
};
use tokio::sync::broadcast;
use tracing::{Instrument, Span, field::Empty};

/// A store whose calls can be traced.
struct Traced {
    mailbox: MailboxId,
    store: Arc<dyn Store>,
}

/// Makes a store's calls traceable.
pub(crate) fn store(store: Arc<dyn Store>, mailbox: &MailboxId) -> Arc<dyn Store> {
    let mailbox = mailbox.clone();
    Arc::new(Traced { mailbox, store })
}

/// Traces a call to a backend.
pub(crate) async fn backend<T: Send>(
    call: &'static str,
    mailbox: Option<&MailboxId>,
    task: Task<'_, T>,
) -> Result<T> {
    let mailbox = mailbox.map(|mailbox| mailbox.0.as_str());
    let span = tracing::trace_span!(target: "operation", "store", call, mailbox, outcome = Empty);
    follow(span, task).await
}

/// What a call is about.
#[derive(Clone, Copy, Default)]
struct About {
    folder: Option<FolderId>,
    items: Option<usize>,
}

impl About {
    const fn folder(folder: FolderId) -> Self {
        Self {
            folder: Some(folder),
            items: None,
        }
    }

    const fn items(folder: FolderId, items: usize) -> Self {
        Self {
            folder: Some(folder),
            items: Some(items),
        }
    }

    const fn object(object: Object) -> Self {
        match object {
            Object::Mailbox => Self {
                folder: None,
                items: None,
            },
            Object::Folder(folder) => Self::folder(folder),
            Object::Item(folder, _) => Self::items(folder, 1),
        }
    }
}

impl Traced {
    fn watch<'a, T: Send + 'a>(
        &self,
        call: &'static str,
        about: About,
        task: Task<'a, T>,
    ) -> Task<'a, T> {
        let span = tracing::trace_span!(
            target: "operation",
            "store",
            call,
            mailbox = self.mailbox.0,
            folder = about.folder.map(|folder| folder.0),
            items = about.items,
            outcome = Empty,
        );
        follow(span, task)
    }
}

/// Runs a call within a span, which takes note of what came of it. Without a span nothing is added.
fn follow<'a, T: Send + 'a>(span: Span, task: Task<'a, T>) -> Task<'a, T> {
    if span.is_disabled() {
        return task;
    }
    let noted = async move {
        let result = task.await;
        Span::current().record("outcome", outcome(&result));
        result
    };
    Box::pin(noted.instrument(span))
}

fn outcome<T>(result: &Result<T>) -> tracing::field::DisplayValue<String> {
    tracing::field::display(match result {
        Ok(_) => "ok".to_owned(),
        Err(error) => format!("{:?}", error.kind),
    })
}

const fn folder_of(query: &Query<'_>) -> FolderId {
    match query.table {
        Table::Contents(folder) | Table::Associated(folder) | Table::SoftDeleted(folder) => folder,
    }
}

impl Store for Traced {
    fn hierarchy(&self, since: Version) -> Task<'_, HierarchyDelta> {
        let task = self.store.hierarchy(since);
        self.watch("hierarchy", About::default(), task)
    }

    fn folder(&self, folder: FolderId) -> Task<'_, FolderInfo> {
        let task = self.store.folder(folder);
        self.watch("folder", About::folder(folder), task)
    }

    fn create_folder<'a>(&'a self, folder: &'a NewFolder) -> Task<'a, FolderInfo> {
        let task = self.store.create_folder(folder);
        self.watch("create_folder", About::default(), task)
    }

    fn move_folder<'a>(
        &'a self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &'a str,
    ) -> Task<'a, ()> {
        let task = self.store.move_folder(folder, parent, name);
        self.watch("move_folder", About::folder(folder), task)
    }

    fn delete_folder(&self, folder: FolderId) -> Task<'_, ()> {
        let task = self.store.delete_folder(folder);
        self.watch("delete_folder", About::folder(folder), task)
    }

    fn permissions(&self, folder: FolderId) -> Task<'_, Vec<Permission>> {
        let task = self.store.permissions(folder);
        self.watch("permissions", About::folder(folder), task)
    }

    fn set_permissions<'a>(
        &'a self,
        folder: FolderId,
        permissions: &'a [Permission],
    ) -> Task<'a, ()> {
        let task = self.store.set_permissions(folder, permissions);
        let about = About::items(folder, permissions.len());
        self.watch("set_permissions", about, task)
    }

    fn query<'a>(&'a self, query: &'a Query<'a>) -> Task<'a, RowSet> {
        let task = self.store.query(query);
        self.watch("query", About::folder(folder_of(query)), task)
    }

    fn changes<'a>(
        &'a self,
        folder: FolderId,
        since: Version,
        columns: &'a [PropTag],
        limit: u32,
    ) -> Task<'a, Changes> {
        let task = self.store.changes(folder, since, columns, limit);
        self.watch("changes", About::folder(folder), task)
    }

    fn props<'a>(&'a self, object: Object, tags: &'a [PropTag]) -> Task<'a, PropBag> {
        let task = self.store.props(object, tags);
        self.watch("props", About::object(object), task)
    }

    fn set_props<'a>(&'a self, object: Object, change: &'a Change) -> Task<'a, ()> {
        let task = self.store.set_props(object, change);
        self.watch("set_props", About::object(object), task)
    }

    fn read_message(&self, folder: FolderId, item: ItemNumber) -> Task<'_, MessageTree> {
        let task = self.store.read_message(folder, item);
        self.watch("read_message", About::items(folder, 1), task)
    }

    fn read_bytes<'a>(
        &'a self,
        folder: FolderId,
        pieces: &'a [ByteRange],
    ) -> Task<'a, Vec<Option<Bytes>>> {
        let task = self.store.read_bytes(folder, pieces);
        self.watch("read_bytes", About::items(folder, pieces.len()), task)
    }

    fn save<'a>(&'a self, folder: FolderId, drafts: &'a [Draft]) -> Task<'a, Vec<Saved>> {
        let task = self.store.save(folder, drafts);
        self.watch("save", About::items(folder, drafts.len()), task)
    }

    fn save_beyond_quota<'a>(
        &'a self,
        folder: FolderId,
        drafts: &'a [Draft],
    ) -> Task<'a, Vec<Saved>> {
        let task = self.store.save_beyond_quota(folder, drafts);
        self.watch("save", About::items(folder, drafts.len()), task)
    }

    fn replace<'a>(
        &'a self,
        folder: FolderId,
        expect: Expected,
        draft: &'a Draft,
    ) -> Task<'a, Saved> {
        let task = self.store.replace(folder, expect, draft);
        self.watch("replace", About::items(folder, 1), task)
    }

    fn update<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [Expected],
        change: &'a Change,
    ) -> Task<'a, Updated> {
        let task = self.store.update(folder, items, change);
        self.watch("update", About::items(folder, items.len()), task)
    }

    fn transfer<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Task<'a, Vec<Transferred>> {
        let task = self.store.transfer(from, items, to, how);
        self.watch("transfer", About::items(from, items.len()), task)
    }

    fn delete<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [ItemNumber],
        how: Deletion,
    ) -> Task<'a, Vec<ItemNumber>> {
        let task = self.store.delete(folder, items, how);
        self.watch("delete", About::items(folder, items.len()), task)
    }

    fn deleted_folders(&self) -> Task<'_, Vec<DeletedFolder>> {
        let task = self.store.deleted_folders();
        self.watch("deleted_folders", About::default(), task)
    }

    fn recover<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
    ) -> Task<'a, Vec<Transferred>> {
        let task = self.store.recover(from, items, to);
        self.watch("recover", About::items(from, items.len()), task)
    }

    fn purge<'a>(&'a self, folder: FolderId, items: &'a [ItemNumber]) -> Task<'a, Vec<ItemNumber>> {
        let task = self.store.purge(folder, items);
        self.watch("purge", About::items(folder, items.len()), task)
    }

    fn submit<'a>(&'a self, draft: &'a Draft, copy: Option<FolderId>) -> Task<'a, ()> {
        let task = self.store.submit(draft, copy);
        self.watch("submit", About::default(), task)
    }

    fn put_derived<'a>(
        &'a self,
        folder: FolderId,
        facts: &'a [(ItemNumber, Derived)],
    ) -> Task<'a, ()> {
        let task = self.store.put_derived(folder, facts);
        self.watch("put_derived", About::items(folder, facts.len()), task)
    }

    fn find<'a>(
        &'a self,
        folder: FolderId,
        keys: &'a [ItemKey],
    ) -> Task<'a, Vec<Option<ItemNumber>>> {
        let task = self.store.find(folder, keys);
        self.watch("find", About::items(folder, keys.len()), task)
    }

    fn named_properties<'a>(
        &'a self,
        names: &'a [PropName],
        create: bool,
    ) -> Task<'a, Vec<Option<u16>>> {
        let task = self.store.named_properties(names, create);
        let about = About {
            folder: None,
            items: Some(names.len()),
        };
        self.watch("named_properties", about, task)
    }

    fn property_names<'a>(&'a self, ids: &'a [u16]) -> Task<'a, Vec<Option<PropName>>> {
        let task = self.store.property_names(ids);
        let about = About {
            folder: None,
            items: Some(ids.len()),
        };
        self.watch("property_names", about, task)
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        self.store.notices()
    }
}
