//! A backend whose notices are lost, doubled or late; everything else passes through.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use mapi_store::{
    Backend, ByteRange, Changes, Deletion, Expected, FolderInfo, HierarchyDelta, MemBackend,
    MemFaults, NewFolder, Notice, Object, Permission, Principal, PropName, Query, Saved, Store,
    Task, Transfer, Transferred, Updated,
};
use mapi_types::{
    Change, Derived, Draft, FolderId, ItemKey, ItemNumber, MailboxId, MessageTree, PropBag,
    PropTag, RowSet, Version,
};
use tokio::sync::broadcast;

/// Counts calls, and spoils notices.
pub(crate) struct FaultyBackend {
    inner: MemBackend,
    shared: Arc<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    /// Says what becomes of a notice; `None`: they all arrive.
    fate: Mutex<Option<Random>>,
    calls: Mutex<Vec<&'static str>>,
    /// Deleted behind the reader's back after the next page of changes.
    doomed: Mutex<Option<ItemNumber>>,
}

/// A small generator (xorshift64*), so that a seed names a run.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % end
    }
}

impl FaultyBackend {
    /// Notices arrive; calls are counted.
    pub(crate) fn honest() -> Self {
        Self {
            inner: MemBackend::new(),
            shared: Arc::default(),
        }
    }

    /// Notices arrive, calls are counted, and items are rendered when somebody asks.
    pub(crate) fn lazy() -> Self {
        Self {
            inner: MemBackend::lazy(),
            shared: Arc::default(),
        }
    }

    /// What is to go wrong.
    pub(crate) fn faults(&self) -> Arc<MemFaults> {
        self.inner.faults()
    }

    /// Notices are lost, doubled and late.
    pub(crate) fn spoiling(seed: u64) -> Self {
        let faulty = Self::honest();
        *faulty.shared.fate.lock().unwrap() = Some(Random::new(seed));
        faulty
    }

    /// Deletes an item after the next page of changes was read.
    pub(crate) fn doom(&self, item: ItemNumber) {
        *self.shared.doomed.lock().unwrap() = Some(item);
    }

    /// What was called since the last time.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.shared.calls.lock().unwrap())
    }
}

impl Backend for FaultyBackend {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(async move {
            let inner = self.inner.logon(principal, mailbox).await?;
            let shared = Arc::clone(&self.shared);
            Ok(Arc::new(FaultyStore { inner, shared }) as Arc<dyn Store>)
        })
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        self.inner.provision(mailbox)
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        self.inner.remove(mailbox)
    }
}

struct FaultyStore {
    inner: Arc<dyn Store>,
    shared: Arc<Shared>,
}

impl FaultyStore {
    fn pass(&self, call: &'static str) -> &dyn Store {
        self.shared.calls.lock().unwrap().push(call);
        &*self.inner
    }
}

impl Store for FaultyStore {
    fn hierarchy(&self, since: Version) -> Task<'_, HierarchyDelta> {
        self.pass("hierarchy").hierarchy(since)
    }

    fn folder(&self, folder: FolderId) -> Task<'_, FolderInfo> {
        self.pass("folder").folder(folder)
    }

    fn create_folder<'a>(&'a self, folder: &'a NewFolder) -> Task<'a, FolderInfo> {
        self.pass("create_folder").create_folder(folder)
    }

    fn move_folder<'a>(
        &'a self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &'a str,
    ) -> Task<'a, ()> {
        self.pass("move_folder").move_folder(folder, parent, name)
    }

    fn delete_folder(&self, folder: FolderId) -> Task<'_, ()> {
        self.pass("delete_folder").delete_folder(folder)
    }

    fn permissions(&self, folder: FolderId) -> Task<'_, Vec<Permission>> {
        self.pass("permissions").permissions(folder)
    }

    fn set_permissions<'a>(
        &'a self,
        folder: FolderId,
        permissions: &'a [Permission],
    ) -> Task<'a, ()> {
        self.pass("set_permissions")
            .set_permissions(folder, permissions)
    }

    fn query<'a>(&'a self, query: &'a Query<'a>) -> Task<'a, RowSet> {
        self.pass("query").query(query)
    }

    fn changes<'a>(
        &'a self,
        folder: FolderId,
        since: Version,
        columns: &'a [PropTag],
        limit: u32,
    ) -> Task<'a, Changes> {
        let store = self.pass("changes");
        Box::pin(async move {
            // Small pages, so that changes are split over several.
            let page = store.changes(folder, since, columns, limit.min(3)).await;
            let doomed = self.shared.doomed.lock().unwrap().take();
            if let Some(item) = doomed {
                store.delete(folder, &[item], Deletion::Hard).await?;
            }
            page
        })
    }

    fn props<'a>(&'a self, object: Object, tags: &'a [PropTag]) -> Task<'a, PropBag> {
        self.pass("props").props(object, tags)
    }

    fn set_props<'a>(&'a self, object: Object, change: &'a Change) -> Task<'a, ()> {
        self.pass("set_props").set_props(object, change)
    }

    fn read_message(&self, folder: FolderId, item: ItemNumber) -> Task<'_, MessageTree> {
        self.pass("read_message").read_message(folder, item)
    }

    fn read_bytes<'a>(
        &'a self,
        folder: FolderId,
        pieces: &'a [ByteRange],
    ) -> Task<'a, Vec<Option<Bytes>>> {
        self.pass("read_bytes").read_bytes(folder, pieces)
    }

    fn save<'a>(&'a self, folder: FolderId, drafts: &'a [Draft]) -> Task<'a, Vec<Saved>> {
        self.pass("save").save(folder, drafts)
    }

    fn replace<'a>(
        &'a self,
        folder: FolderId,
        expect: Expected,
        draft: &'a Draft,
    ) -> Task<'a, Saved> {
        self.pass("replace").replace(folder, expect, draft)
    }

    fn update<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [Expected],
        change: &'a Change,
    ) -> Task<'a, Updated> {
        self.pass("update").update(folder, items, change)
    }

    fn transfer<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Task<'a, Vec<Transferred>> {
        self.pass("transfer").transfer(from, items, to, how)
    }

    fn delete<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [ItemNumber],
        how: Deletion,
    ) -> Task<'a, Vec<ItemNumber>> {
        self.pass("delete").delete(folder, items, how)
    }

    fn put_derived<'a>(
        &'a self,
        folder: FolderId,
        facts: &'a [(ItemNumber, Derived)],
    ) -> Task<'a, ()> {
        self.pass("put_derived").put_derived(folder, facts)
    }

    fn find<'a>(
        &'a self,
        folder: FolderId,
        keys: &'a [ItemKey],
    ) -> Task<'a, Vec<Option<ItemNumber>>> {
        self.pass("find").find(folder, keys)
    }

    fn named_properties<'a>(
        &'a self,
        names: &'a [PropName],
        create: bool,
    ) -> Task<'a, Vec<Option<u16>>> {
        self.pass("named_properties")
            .named_properties(names, create)
    }

    fn property_names<'a>(&'a self, ids: &'a [u16]) -> Task<'a, Vec<Option<PropName>>> {
        self.pass("property_names").property_names(ids)
    }

    fn notices(&self) -> broadcast::Receiver<Notice> {
        let Some(fate) = self.shared.fate.lock().unwrap().clone() else {
            return self.inner.notices();
        };
        // A short queue: whoever is slow lags.
        let (sender, receiver) = broadcast::channel(4);
        tokio::spawn(spoil(self.inner.notices(), sender, fate));
        receiver
    }
}

/// Passes on some notices, some of them twice, some of them after the next one.
async fn spoil(
    mut from: broadcast::Receiver<Notice>,
    to: broadcast::Sender<Notice>,
    mut fate: Random,
) {
    let mut late = None;
    while let Ok(notice) = from.recv().await {
        let times = match fate.below(4) {
            0 => 0,
            1 => 2,
            2 => {
                late = Some(notice);
                continue;
            }
            _ => 1,
        };
        for notice in (0..times).map(|_| notice).chain(late.take()) {
            if to.send(notice).is_err() {
                return;
            }
        }
    }
}
