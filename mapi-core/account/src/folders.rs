//! The folder tree of an account: read, changed, shared with others, subscribed to.

use std::{sync::Arc, time::Instant};

use mapi_store::{
    ErrorKind, FolderInfo, HierarchyDelta, NewFolder, Notice, Object, Permission, Result,
};
use mapi_types::{Change, FolderId, StringsChange, Version, tags};

use crate::{Account, FolderTree, account::CheckedTree, mailbox::lock};

/// Whether a name is subscribed to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subscribed {
    /// It is.
    Yes,
    /// It is not.
    No,
}

impl Account {
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
    ///
    /// Its size is that of the messages whose size is known; [`Self::unknown_size_max`] bounds that of the others.
    pub async fn folder(&self, folder: FolderId) -> Result<FolderInfo> {
        self.0.store.folder(folder).await
    }

    /// Octets that the messages of unknown size take at most, all together; 0 when there is none. Makes none known.
    ///
    /// Ask before [`Self::folder`]: a message that becomes known between the two is then counted twice and not missed.
    /// One call to the store. Errors: `NotFound`.
    pub async fn unknown_size_max(&self, folder: FolderId) -> Result<u64> {
        let tag = tags::UNRENDERED_SIZE_MAX;
        let props = self
            .0
            .store
            .props(Object::Folder(folder), &[tag.tag()])
            .await?;
        Ok(props
            .get(&tag)
            .map_or(0, |octets| u64::try_from(octets).unwrap_or(0)))
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
}
