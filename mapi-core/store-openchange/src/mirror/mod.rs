//! Mirrors: mailboxes whose truth lives on a remote server. What the server tells is applied here, and read through
//! the ordinary [`Store`].
//!
//! The tables of a mirror hold two things. The **contents** can be fetched again: properties, rendered bodies,
//! synchronization states. The **ledger** cannot: numbers, versions, keys and epochs, which bytes were served under
//! which number, the originals of what we stored ourselves, drafts on their way to the server, what waits for the
//! server to be there again, subscriptions.
//! Whatever is dropped and fetched again, a number stands for the bytes it stood for.
//!
//! Every method is one transaction, and so are the synchronization states with what led to them: after a crash a
//! synchronization goes on where it was. A mirror is filled with the rights of its owner.

mod apply;
mod arrival;
mod evict;
mod folder_attributes;
mod folder_names;
mod hierarchy;
mod index_row;
mod insertion;
mod known;
mod ledger;
mod left;
mod lists;
mod open;
mod pending;
mod pending_list;
mod queue;
mod remote_folder;
mod remote_row;
mod rendered;
mod rights;
mod staged;
mod types;
mod uses;
mod writes;

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use mapi_store::{Deletion, Principal, Result, Rights, Store, Transfer, Transferred, Updated};
use mapi_types::{Change, Content, FolderId, ItemNumber, MailboxId};

pub(crate) use evict::evict_one;
pub(crate) use ledger::{found, is_mirror};
pub(crate) use left::Left;
pub use queue::{
    Given, QueueOutcome, QueueStatus, QueueTerms, QueuedItem, QueuedOperation, QueuedTask,
    RefusedDraft,
};
pub(crate) use remote_folder::is_unindexed;
pub use types::*;
pub(crate) use uses::Uses;
use writes::CopiedBy;

use crate::{
    access::Access, engine::Engine, fail, mailbox::Mailbox, read::Snapshot, store::OpenStore,
    write::Tx,
};

/// A mirror, open. Cheap to clone.
#[derive(Clone)]
pub struct Mirror {
    engine: Arc<Engine>,
    mailbox: Arc<Mailbox>,
}

impl Mirror {
    /// Whose mailbox it mirrors.
    pub fn id(&self) -> &MailboxId {
        &self.mailbox.id
    }

    /// The mirror as a store, as its owner sees it. What is written through it stays here: the server does not
    /// hear of it.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store_for(&Principal {
            user: self.mailbox.id.0.clone(),
        })
    }

    /// The mirror as a store, as somebody sees it by the permissions of its folders.
    pub fn store_for(&self, principal: &Principal) -> Arc<dyn Store> {
        Arc::new(OpenStore {
            engine: Arc::clone(&self.engine),
            mailbox: Arc::clone(&self.mailbox),
            who: Access::new(principal, &self.mailbox.id),
            noting_uses: true,
        })
    }

    /// Notes what the remote lets somebody do in these folders: whatever the folder's other rows say, this is then
    /// what [`Self::store_for`] lets them do. What changes is in the log of the tree; nothing is written when nothing
    /// does. Folders that are gone are passed over.
    pub async fn set_rights(
        &self,
        principal: &Principal,
        rights: Vec<(FolderId, Rights)>,
    ) -> Result<()> {
        let who = rights::guest(principal);
        let (asked, wanted) = (who.clone(), rights.clone());
        let differing = self
            .read(move |at| rights::differing(at.conn, &asked, &wanted))
            .await?;
        if differing.is_empty() {
            return Ok(());
        }
        self.write(Vec::new(), move |tx| rights::set(tx, &who, &rights))
            .await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Snapshot<'_>) -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.engine.read(&self.mailbox, work).await
    }

    async fn write<T: Send + 'static>(
        &self,
        contents: Vec<Content>,
        work: impl FnMut(&mut Tx<'_>) -> fail::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.engine.write(&self.mailbox, contents, work).await
    }

    /// The synchronization state of the folder tree; `None`: begin anew.
    pub async fn hierarchy_state(&self) -> Result<Option<Bytes>> {
        self.read(|at| ledger::hierarchy_state(at.conn)).await
    }

    /// Which remote mailbox it mirrors: see [`OpenChange::mirror`].
    pub async fn identity(&self) -> Result<Bytes> {
        let identity = self.read(|at| ledger::identity(at.conn)).await?;
        Ok(identity.unwrap_or_default().into())
    }

    /// What the client of the remote keeps for itself; empty at first. It survives [`Self::drop_contents`].
    pub async fn session_data(&self) -> Result<Bytes> {
        self.read(|at| ledger::session_data(at.conn)).await
    }

    /// Replaces [`Self::session_data`].
    pub async fn set_session_data(&self, data: Bytes) -> Result<()> {
        self.write(Vec::new(), move |tx| {
            ledger::set_session_data(tx.conn, &data)
        })
        .await
    }

    /// Applies what a synchronization of the folder tree brought. Returns the ids of the folders in `changed`.
    ///
    /// Nothing the remote says is refused: names are made to fit, loops and lost parents lead to the top.
    /// Errors: `Invalid` (an id that is empty or too long), `Quota`.
    pub async fn apply_hierarchy(
        &self,
        batch: HierarchyBatch,
    ) -> Result<HashMap<RemoteId, FolderId>> {
        self.write(Vec::new(), move |tx| hierarchy::apply(tx, &batch))
            .await
    }

    /// How far a folder is synchronized. Errors: `NotFound`.
    pub async fn folder_sync(&self, folder: FolderId) -> Result<FolderSync> {
        self.read(move |at| remote_folder::sync(at.conn, folder))
            .await
    }

    /// Begins a pass over all items. To be called before the first request of each, which is whenever
    /// [`FolderSync::state`] is `None`, and when the remote says that the state is of no use any more. Nothing that
    /// was given out is lost; what was there before this call and the pass does not bring is gone when it is complete.
    /// Returns the number of the pass. Errors: `NotFound`.
    pub async fn restart(&self, folder: FolderId) -> Result<i64> {
        self.write(Vec::new(), move |tx| remote_folder::restart(tx, folder))
            .await
    }

    /// Applies what a part of a synchronization of a folder's contents brought.
    ///
    /// While a pass over all items is under way, unknown items are put aside; once it is complete they get their
    /// numbers, ascending by number hint, delivery time and id. Afterwards a new item gets the next number at once.
    /// In the first pass over a folder the hints are the numbers, if every item has its own.
    /// A known item keeps its number: what differs in its flags changes its version; what differs in its content is
    /// taken as it is when nobody was served its bytes, else the item becomes stale, and is served as it was until
    /// [`Self::put_rendered`] or [`Self::confirm`].
    ///
    /// Errors: `NotFound` (folder), `Invalid` (an id or change key that is empty or too long), `Quota`.
    pub async fn apply_items(&self, folder: FolderId, batch: ItemBatch) -> Result<Applied> {
        self.write(Vec::new(), move |tx| apply::apply(tx, folder, &batch))
            .await
    }

    /// Stores what clients are to get for items, one answer each.
    ///
    /// Bytes that are those served before come back when they were evicted. Bytes that differ renumber the item. The
    /// first bytes of an item change neither number nor version. Afterwards the item is not stale.
    ///
    /// Errors: `NotFound` (folder), `Invalid` (a message without original).
    pub async fn put_rendered(
        &self,
        folder: FolderId,
        items: Vec<Rendered>,
    ) -> Result<Vec<RenderedOutcome>> {
        let inline_max = self.mailbox.shared.options.inline_bytes_max;
        let (prepared, contents) = rendered::prepare(items, inline_max)?;
        self.write(contents, move |tx| rendered::put(tx, folder, &prepared))
            .await
    }

    /// Makes drafts durable before they are uploaded, one answer each: what to do about it.
    ///
    /// Errors: `NotFound` (folder), `Invalid`, `TooBig`.
    pub async fn begin_save(&self, folder: FolderId, drafts: &[Pending]) -> Result<Vec<Begun>> {
        let inline_max = self.mailbox.shared.options.inline_bytes_max;
        let (prepared, contents) = pending::prepare(drafts, inline_max)?;
        self.write(contents, move |tx| pending::begin(tx, folder, &prepared))
            .await
    }

    /// Makes items of drafts that the remote has, one answer each. They are served as they were given to
    /// [`Self::begin_save`], byte for byte.
    ///
    /// Errors: `NotFound` (the folder, or a draft that was not begun).
    pub async fn finish_save(
        &self,
        folder: FolderId,
        drafts: Vec<Finished>,
    ) -> Result<Vec<mapi_store::Saved>> {
        self.write(Vec::new(), move |tx| arrival::finish(tx, folder, &drafts))
            .await
    }

    /// Those of the drafts of [`Self::pending`] that have one of these ids and replace nothing.
    pub async fn pending_among(
        &self,
        folder: FolderId,
        ids: Vec<RemoteId>,
    ) -> Result<Vec<PendingItem>> {
        let segments = Arc::clone(&self.mailbox.shared.segments);
        self.read(move |at| pending_list::among(at, &segments, folder, &ids))
            .await
    }

    /// Drafts that were begun and neither finished nor forgotten, oldest first, up to `limit`.
    pub async fn pending(&self, limit: u32) -> Result<Vec<PendingItem>> {
        let segments = Arc::clone(&self.mailbox.shared.segments);
        self.read(move |at| pending_list::list(at, &segments, limit))
            .await
    }

    /// The same without what is in them.
    pub async fn intents(&self, limit: u32) -> Result<Vec<Intent>> {
        self.read(move |at| pending::intents(at.conn, limit)).await
    }

    /// Drafts that were begun are about to be deleted at the remote, as far as they have got there: under their ids
    /// nothing can be saved any more once that is done. One that waits after that gets another id.
    pub async fn condemn_pending(&self, folder: FolderId, ids: Vec<RemoteId>) -> Result<()> {
        self.write(Vec::new(), move |tx| {
            pending::condemn(tx.conn, folder, &ids)
        })
        .await
    }

    /// Gives drafts up: the remote does not have them and will not get them.
    pub async fn forget_pending(&self, folder: FolderId, ids: Vec<RemoteId>) -> Result<()> {
        self.write(Vec::new(), move |tx| pending::forget(tx.conn, folder, &ids))
            .await
    }

    /// The remote copied or moved items. What moved keeps its key; copies share their original. Items that are gone
    /// are left out. Errors: `NotFound` (a folder), `Invalid`, `Quota`.
    pub async fn transferred(
        &self,
        from: FolderId,
        to: FolderId,
        how: Transfer,
        items: Vec<Moved>,
    ) -> Result<Vec<Transferred>> {
        self.write(Vec::new(), move |tx| {
            let how = (how, CopiedBy::Remote);
            writes::transferred(tx, (from, to), how, &items)
        })
        .await
    }

    /// The remote deleted items; `how` says what is kept of them here. Returns those that were there. Errors: `NotFound`
    /// (folder).
    pub async fn removed(
        &self,
        folder: FolderId,
        items: Vec<ItemNumber>,
        how: Deletion,
    ) -> Result<Vec<ItemNumber>> {
        self.write(Vec::new(), move |tx| {
            writes::removed(tx, folder, &items, how)
        })
        .await
    }

    /// The remote changed properties of items. Where the content changed, the item has a new number and must be
    /// rendered again. Errors: `NotFound` (folder), `Invalid`.
    pub async fn updated(
        &self,
        folder: FolderId,
        items: Vec<Written>,
        change: Change,
    ) -> Result<Updated> {
        let contents = crate::codec::large_values(&change);
        self.write(contents, move |tx| {
            writes::updated(tx, folder, &items, &change)
        })
        .await
    }

    /// Somebody made sure that what is served of these items is what the remote has. Where the index has heard of a
    /// change meanwhile, the item stays stale. Errors: `NotFound` (folder), `Invalid`.
    pub async fn confirm(&self, folder: FolderId, items: Vec<Confirmed>) -> Result<()> {
        self.write(Vec::new(), move |tx| writes::confirm(tx, folder, &items))
            .await
    }

    /// What is known of the remote counterparts of items, one answer each.
    pub async fn remote_ids(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
    ) -> Result<Vec<Option<RemoteItemRef>>> {
        let items = items.to_vec();
        self.read(move |at| lists::remote_ids(at.conn, folder, &items))
            .await
    }

    /// The numbers of items of the remote, one answer each.
    pub async fn numbers(
        &self,
        folder: FolderId,
        ids: &[RemoteId],
    ) -> Result<Vec<Option<ItemNumber>>> {
        let ids = ids.to_vec();
        self.read(move |at| lists::numbers(at.conn, folder, &ids))
            .await
    }

    /// The ids at the remote of items with this number or a higher one: what came to a folder since it was the next.
    pub async fn ids_from(&self, folder: FolderId, first: ItemNumber) -> Result<Vec<RemoteId>> {
        self.read(move |at| lists::ids_from(at.conn, folder, first))
            .await
    }

    /// The folder that mirrors one of the remote.
    pub async fn folder_of(&self, id: &RemoteId) -> Result<Option<FolderId>> {
        let id = id.clone();
        self.read(move |at| lists::folder_of(at.conn, &id)).await
    }

    /// The folder of the remote that this one mirrors.
    pub async fn remote_of(&self, folder: FolderId) -> Result<Option<RemoteId>> {
        self.read(move |at| lists::remote_of(at.conn, folder)).await
    }

    /// Every folder with its id at the remote.
    pub async fn folders(&self) -> Result<Vec<(FolderId, RemoteId)>> {
        self.read(|at| lists::folders(at.conn)).await
    }

    /// Items for clients whose size and facts are missing, newest first.
    pub async fn unrendered(&self, folder: FolderId, limit: u32) -> Result<Vec<ItemNumber>> {
        self.read(move |at| lists::unrendered(at.conn, folder, limit))
            .await
    }

    /// Items whose content must be verified, newest first: by [`Self::put_rendered`] or [`Self::confirm`].
    pub async fn stale(&self, folder: FolderId, limit: u32) -> Result<Vec<ItemNumber>> {
        self.read(move |at| lists::stale(at.conn, folder, limit))
            .await
    }

    /// How many items for clients have no size yet, and how many octets the remote says they take, all together. Reads
    /// a row of each.
    pub async fn unsized_items(&self, folder: FolderId) -> Result<(u32, u64)> {
        self.read(move |at| lists::unsized_items(at.conn, folder))
            .await
    }

    /// How many items of a folder wait for what. Reads an index entry of each.
    pub async fn progress(&self, folder: FolderId) -> Result<Progress> {
        self.read(move |at| lists::progress(at.conn, folder)).await
    }

    /// Drops bodies that can be fetched again until they take at most this many octets: first those that were never
    /// read, the oldest items first, then those whose last reading is longest ago. Size, facts and number stay. The disk gets the room back when the store is compacted.
    pub async fn evict(&self, bytes_max: u64) -> Result<Evicted> {
        let mut evicted = Evicted::default();
        loop {
            let (part, more) = self
                .write(Vec::new(), move |tx| evict::evict(tx, bytes_max))
                .await?;
            evicted.items += part.items;
            evicted.bytes += part.bytes;
            if !more {
                return Ok(evicted);
            }
        }
    }

    /// Drops all that can be fetched again, and nothing of the ledger. Filled again with the same remote, the mirror
    /// shows its clients the same numbers, versions, keys, epochs and bytes.
    pub async fn drop_contents(&self) -> Result<()> {
        self.write(Vec::new(), ledger::drop_contents).await
    }

    /// Forgets everything, the ledger and pending drafts too: every folder begins a new epoch.
    pub async fn reset(&self) -> Result<()> {
        self.write(Vec::new(), |tx| ledger::reset(tx, None)).await
    }

    /// What the mirror holds, and what filling it again would cost. Reads a row of every item.
    pub async fn status(&self) -> Result<MirrorStatus> {
        self.read(|at| ledger::status(at.conn)).await
    }
}
