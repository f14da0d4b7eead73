//! [`Account`]: one mailbox as one principal may use it.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Instant,
};

use mapi_store::{
    Changes, Deletion, Error, ErrorKind, FolderInfo, HierarchyDelta, NewFolder, Notice, Object,
    Permission, Principal, Result, Rights, Store, Transfer, Transferred,
};
use mapi_types::{Change, FolderId, ItemNumber, MailboxId, StringsChange, Version, tags};

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
    tree: Mutex<Option<CheckedTree>>,
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct CheckedTree {
    tree: Arc<FolderTree>,
    generation: u64,
    checked: Instant,
}

/// Whether a name is subscribed to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subscribed {
    /// It is.
    Yes,
    /// It is not.
    No,
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
    fn fresh_tree(&self, generation: u64, oldest: Instant) -> Option<Arc<FolderTree>> {
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

    /// The folder tree as of now. No call to the store when nothing was heard of it.
    ///
    /// Errors: `Denied`, `Unavailable`.
    pub async fn folders(&self) -> Result<Arc<FolderTree>> {
        let opened = &*self.0;
        let oldest = self.oldest_trusted();
        let generation = opened.mailbox.tree_generation();
        if let Some(tree) = opened.fresh_tree(generation, oldest) {
            return Ok(tree);
        }
        let _refreshing = opened.refreshing.lock().await;
        if let Some(tree) = opened.fresh_tree(generation, oldest) {
            return Ok(tree);
        }
        let generation = opened.mailbox.tree_generation();
        let checked = Instant::now();
        let old = lock(&opened.tree)
            .as_ref()
            .map(|old| Arc::clone(&old.tree))
            .unwrap_or_default();
        let (old, delta) = self.hierarchy(old).await?;
        // Others may see them still; who waits for one of them finds out.
        for gone in &delta.removed {
            opened.mailbox.doubt_folder(*gone);
        }
        let nothing = delta.changed.is_empty() && delta.removed.is_empty();
        let tree = if nothing && delta.to == old.version() {
            old
        } else {
            Arc::new(old.merge(delta))
        };
        let checked = CheckedTree {
            tree: Arc::clone(&tree),
            generation,
            checked,
        };
        *lock(&opened.tree) = Some(checked);
        Ok(tree)
    }

    /// What changed in the tree; the whole of it when its change log does not reach back to `old`.
    async fn hierarchy(&self, old: Arc<FolderTree>) -> Result<(Arc<FolderTree>, HierarchyDelta)> {
        let store = &self.0.store;
        match store.hierarchy(old.version()).await {
            Ok(delta) => Ok((old, delta)),
            Err(error) if error.kind == ErrorKind::Invalid && old.version() > Version(0) => {
                Ok((Arc::default(), store.hierarchy(Version(0)).await?))
            }
            Err(error) => {
                if error.kind == ErrorKind::NotFound {
                    self.0.mailbox.set_gone();
                }
                Err(error)
            }
        }
    }

    /// One folder with its counts as of now. One call to the store, none per item. Errors: `NotFound`, `Denied`.
    pub async fn folder(&self, folder: FolderId) -> Result<FolderInfo> {
        self.0.store.folder(folder).await
    }

    /// Makes a folder. Errors: `Exists`, `Invalid`, `Denied`.
    pub async fn create_folder(&self, folder: &NewFolder) -> Result<FolderInfo> {
        let made = self.0.store.create_folder(folder).await;
        self.0.mailbox.hear(Notice::Hierarchy);
        made
    }

    /// Moves and renames a folder with all below it; `parent: None` is the top. Errors: `Exists`, `Invalid`, `Denied`.
    pub async fn move_folder(
        &self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &str,
    ) -> Result<()> {
        let moved = self.0.store.move_folder(folder, parent, name).await;
        self.0.mailbox.hear(Notice::Hierarchy);
        moved
    }

    /// Deletes a folder with its items, for good. Errors: `Invalid` (special, or has subfolders), `Denied`.
    pub async fn delete_folder(&self, folder: FolderId) -> Result<()> {
        let deleted = self.0.store.delete_folder(folder).await;
        self.0.mailbox.hear(Notice::Hierarchy);
        if deleted.is_ok() {
            self.0.mailbox.forget(folder);
        }
        deleted
    }

    /// Who may do what in a folder. Errors: `Denied` unless the principal owns the folder.
    pub async fn permissions(&self, folder: FolderId) -> Result<Vec<Permission>> {
        self.0.store.permissions(folder).await
    }

    /// Replaces a folder's permissions. Errors: `Denied` unless the principal owns the folder.
    pub async fn set_permissions(
        &self,
        folder: FolderId,
        permissions: &[Permission],
    ) -> Result<()> {
        let set = self.0.store.set_permissions(folder, permissions).await;
        self.0.mailbox.hear(Notice::Hierarchy);
        set
    }

    /// The names the mailbox's user subscribed to.
    pub async fn subscriptions(&self) -> Result<Arc<[Box<str>]>> {
        let tag = tags::SUBSCRIPTIONS;
        let props = self.0.store.props(Object::Mailbox, &[tag.tag()]).await?;
        Ok(props
            .get(&tag)
            .into_iter()
            .flat_map(|names| names.strs())
            .map(Into::into)
            .collect())
    }

    /// Subscribes to a name or ends that; names are compared without ASCII case.
    pub async fn set_subscribed(&self, name: &str, on: Subscribed) -> Result<()> {
        let names = vec![name.into()];
        let (add, remove) = match on {
            Subscribed::Yes => (names, Vec::new()),
            Subscribed::No => (Vec::new(), names),
        };
        let strings = vec![StringsChange {
            tag: tags::SUBSCRIPTIONS.tag(),
            add,
            remove,
        }];
        let change = Change {
            strings,
            ..Change::default()
        };
        self.0.store.set_props(Object::Mailbox, &change).await
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
        let index = index.with_next_number(state.next_number());
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
        self.transfer(from, items, to, Transfer::Move).await
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

    /// Deletes items for good; returns those that were there. Errors: `NotFound`, `Denied`, `Unavailable`.
    pub async fn delete_items(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
    ) -> Result<Vec<ItemNumber>> {
        let gone = self.0.store.delete(folder, items, Deletion::Hard).await?;
        if !gone.is_empty() {
            self.0.mailbox.folder(folder).doubt();
        }
        Ok(gone)
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
    fn oldest_trusted(&self) -> Instant {
        let now = Instant::now();
        if !self.0.mailbox.catch_up() {
            return now;
        }
        now.checked_sub(self.0.shared.options.trust).unwrap_or(now)
    }
}
