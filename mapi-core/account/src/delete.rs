//! Deleting items, and finding out which of them a store kept.

use std::collections::HashSet;

use mapi_store::{Deletion, Result};
use mapi_types::{FolderId, ItemNumber};

use crate::{Account, Flags, ItemState};

/// What became of items that were to be deleted. In neither list are those that were gone before, and those that had
/// lost the mark by which they were to go.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deleted {
    /// These are deleted.
    pub gone: Vec<ItemNumber>,
    /// These are still there, ascending: an Exchange server may refuse some of many, and does not say why.
    pub kept: Vec<ItemNumber>,
}

impl Account {
    /// Deletes items: for a while they can be recovered, and then they are purged. One call to the store, and one more when some are not gone by it.
    ///
    /// Errors: `NotFound`, `Denied`, `Unavailable`; some may be gone then.
    pub async fn delete_items(&self, folder: FolderId, items: &[ItemNumber]) -> Result<Deleted> {
        self.delete(folder, items, Deletion::Soft).await
    }

    /// Deletes those of the items that are still marked [`Flags::DELETED`] when it happens: one whose mark
    /// another session took off stays. Cost and errors: as [`Self::delete_items`].
    pub async fn delete_marked(&self, folder: FolderId, items: &[ItemNumber]) -> Result<Deleted> {
        self.delete(folder, items, Deletion::SoftIfMarked).await
    }

    pub(crate) async fn delete(
        &self,
        folder: FolderId,
        items: &[ItemNumber],
        how: Deletion,
    ) -> Result<Deleted> {
        let gone = self.0.store.delete(folder, items, how).await?;
        if !items.is_empty() {
            self.0.mailbox.folder(folder).doubt();
        }
        let mut missed: HashSet<ItemNumber> = items.iter().copied().collect();
        for item in &gone {
            missed.remove(item);
        }
        let mut kept = Vec::new();
        if !missed.is_empty() {
            let now = self.index(folder).await?;
            let is_kept = |item: &&ItemState| {
                missed.contains(&item.number)
                    && (how != Deletion::SoftIfMarked || item.flags.contains(Flags::DELETED))
            };
            kept.extend(now.iter().filter(is_kept).map(|item| item.number));
        }
        Ok(Deleted { gone, kept })
    }
}
