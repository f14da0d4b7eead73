//! [`Account`]: one mailbox as one principal may use it.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Instant,
};

use mapi_store::{
    Changes, Deletion, Error, ErrorKind, Principal, Result, Rights, Store, Transfer, Transferred,
};
use mapi_types::{FolderId, ItemNumber, MailboxId, Version, tags};

use crate::{
    FolderIndex, FolderTree, Watch,
    accounts::Shared,
    mailbox::{Mailbox, lock},
    refresh,
    watch::Heard,
};

/// One mailbox as one principal may use it. Cloning is one reference count.
///
/// Rights are checked on every call: on what is cached by the folder tree as the principal sees it now, on everything
/// else by the store.
#[derive(Clone)]
pub struct Account(pub(crate) Arc<Opened>);

/// An open account; sessions of one principal on one mailbox share it.
pub(crate) struct Opened {
    pub(crate) principal: Principal,
    pub(crate) id: MailboxId,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tree: Mutex<Option<CheckedTree>>,
    /// Held by the one who refreshes the tree.
    pub(crate) refreshing: tokio::sync::Mutex<()>,
}

/// The folder tree as the principal saw it.
pub(crate) struct CheckedTree {
    pub(crate) tree: Arc<FolderTree>,
    /// What had been heard of the tree before the store was asked.
    pub(crate) generation: u64,
    pub(crate) checked: Instant,
}

/// What changed in a folder since a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FolderChanges {
    /// This.
    Delta {
        /// The version it leads to.
        to: Version,
        /// New and changed items, ascending.
        changed: Vec<ItemNumber>,
        /// Items that are gone, ascending.
        removed: Vec<ItemNumber>,
    },
    /// The change log does not reach back that far, or the version is of another life of the folder.
    Expired,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("mailbox", &self.0.id)
            .finish_non_exhaustive()
    }
}

impl Opened {
    pub(crate) fn new(
        (principal, id): (Principal, MailboxId),
        store: Arc<dyn Store>,
        mailbox: Arc<Mailbox>,
        shared: Arc<Shared>,
    ) -> Self {
        let (tree, refreshing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self {
            principal,
            id,
            store,
            mailbox,
            shared,
            tree,
            refreshing,
        }
    }

    /// The tree, if nothing was heard since it was checked, and it was checked not before `oldest`.
    pub(crate) fn fresh_tree(&self, generation: u64, oldest: Instant) -> Option<Arc<FolderTree>> {
        let tree = lock(&self.tree);
        let fresh = |tree: &&CheckedTree| tree.generation >= generation && tree.checked >= oldest;
        tree.as_ref()
            .filter(fresh)
            .map(|tree| Arc::clone(&tree.tree))
    }
}

impl Account {
    /// Who uses it.
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// Which mailbox it is.
    pub fn mailbox(&self) -> &MailboxId {
        &self.0.id
    }

    /// A folder's index, at least as new as every write acknowledged before the call.
    ///
    /// No call to the store when nothing was heard of the folder since the last time; else one call per 4,096
    /// changes. Errors: `NotFound`, `Denied`, `Unavailable`.
    pub async fn index(&self, folder: FolderId) -> Result<Arc<FolderIndex>> {
        self.require(folder, Rights::READ_ANY).await?;
        let Opened {
            mailbox,
            store,
            shared,
            ..
        } = &*self.0;
        let oldest = self.oldest_trusted();
        let state = mailbox.folder(folder);
        let heard = state.hint();
        if let Some(index) = state.fresh(heard, oldest) {
            shared.objects.touch_index(mailbox.serial, folder);
            return Ok(index);
        }
        let _refreshing = state.refreshing.lock().await;
        if let Some(index) = state.fresh(heard, oldest) {
            return Ok(index);
        }
        let (heard, checked) = (state.hint(), Instant::now());
        // Read before the items: no item may appear later with a number that the index passed by.
        let next_number = state.next_number();
        let old = state.latest();
        let mut index = match &old {
            Some(old) => refresh::catch_up(&**store, folder, old).await?,
            None => None,
        };
        index = index.filter(|index| !refresh::is_worn(index));
        let index = match index {
            Some(index) => index,
            None => refresh::load(&**store, folder).await?,
        };
        let index = index.with_next_number(next_number);
        state.set(&index, heard, checked);
        if old.is_none_or(|old| !Arc::ptr_eq(&old, &index)) {
            shared
                .objects
                .put_index(mailbox.serial, folder, Arc::clone(&index));
        }
        Ok(index)
    }

    /// What changed in a folder after `since`. One call per 4,096 changes.
    ///
    /// Errors: `NotFound`, `Denied`, `Unavailable`.
    pub async fn changes(&self, folder: FolderId, since: Version) -> Result<FolderChanges> {
        let columns = [tags::INTERNET_ARTICLE_NUMBER.tag()];
        let (mut to, mut changed, mut removed) = (since, Vec::new(), Vec::new());
        loop {
            let page = self
                .0
                .store
                .changes(folder, to, &columns, refresh::PAGE_ROWS)
                .await?;
            let Changes::Delta(delta) = page else {
                return Ok(FolderChanges::Expired);
            };
            let numbers = delta.rows.rows().filter_map(|row| {
                Some(ItemNumber(row.get(&tags::INTERNET_ARTICLE_NUMBER)? as u32))
            });
            changed.extend(numbers);
            removed.extend(delta.removed);
            if delta.more && delta.to <= to {
                return Err(Error::new(
                    ErrorKind::Internal,
                    "the change log does not advance",
                ));
            }
            to = delta.to;
            if !delta.more {
                break;
            }
        }
        changed.sort_unstable();
        changed.dedup();
        removed.sort_unstable();
        removed.dedup();
        // What changed on one page and went on a later one is gone.
        changed.retain(|number| removed.binary_search(number).is_err());
        Ok(FolderChanges::Delta {
            to,
            changed,
            removed,
        })
    }

    /// Waits for changes of a folder, or of the folder tree.
    pub fn watch(&self, folder: Option<FolderId>) -> Watch {
        let mailbox = &self.0.mailbox;
        let heard = match folder {
            Some(folder) => Heard::Folder(mailbox.folder(folder).watch()),
            None => Heard::Tree(mailbox.watch_tree()),
        };
        Watch::new(heard, Arc::clone(mailbox))
    }

    /// Copies items within the mailbox, all or none. Errors: `NotFound`, `Denied`, `Quota`, `Unavailable`.
    pub async fn copy_items(
        &self,
        from: FolderId,
        items: &[ItemNumber],
        to: FolderId,
    ) -> Result<Vec<Transferred>> {
        self.transfer(from, items, to, Transfer::Copy).await
    }

    /// Moves items within the mailbox, all or none. Errors: as [`Self::copy_items`].
    pub async fn move_items(
        &self,
        from: FolderId,
        items: &[ItemNumber],
        to: FolderId,
    ) -> Result<Vec<Transferred>> {
        match self.transfer(from, items, to, Transfer::Move).await {
            // A message was delivered again after its first copy had been moved there: both have one key.
            Err(error) if error.kind == ErrorKind::Exists => {
                self.copy_and_delete(from, items, to).await
            }
            moved => moved,
        }
    }

    /// Moves items under new keys. What cannot be deleted is then in both folders: rather twice than not at all.
    async fn copy_and_delete(
        &self,
        from: FolderId,
        items: &[ItemNumber],
        to: FolderId,
    ) -> Result<Vec<Transferred>> {
        let copied = self.copy_items(from, items, to).await?;
        let sources: Vec<ItemNumber> = copied.iter().map(|copied| copied.source).collect();
        self.delete(from, &sources, Deletion::Hard).await?;
        Ok(copied)
    }

    async fn transfer(
        &self,
        from: FolderId,
        items: &[ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Result<Vec<Transferred>> {
        let moved = self.0.store.transfer(from, items, to, how).await?;
        let target = self.0.mailbox.folder(to);
        for Transferred { target: saved, .. } in &moved {
            target.hear_number(saved.number);
            target.hear(saved.version);
        }
        if how == Transfer::Move && !moved.is_empty() {
            // The answer does not say which version the source has now.
            self.0.mailbox.folder(from).doubt();
        }
        Ok(moved)
    }

    /// Checks a right by the folder tree as of now. Errors: `NotFound` (also when it may not be seen), `Denied`.
    pub(crate) async fn require(&self, folder: FolderId, rights: Rights) -> Result<()> {
        let tree = self.folders().await?;
        let Some(info) = tree.get(folder) else {
            return Err(Error::new(ErrorKind::NotFound, "no such folder"));
        };
        if !info.rights.allow(rights) {
            return Err(Error::new(
                ErrorKind::Denied,
                "the principal may not do that here",
            ));
        }
        Ok(())
    }

    /// Hears everything sent so far; what was checked before the answer is not to be believed any more.
    pub(crate) fn oldest_trusted(&self) -> Instant {
        let now = Instant::now();
        if !self.0.mailbox.catch_up() {
            return now;
        }
        now.checked_sub(self.0.shared.options.trust).unwrap_or(now)
    }
}
