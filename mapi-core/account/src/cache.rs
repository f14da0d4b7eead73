//! The object cache: folder snapshots and message facts, bounded in octets all together.
//!
//! Facts are immutable under their key, so nothing is ever invalidated. Values are coarse, for a look costs about a
//! microsecond: a folder's whole index, or the facts of a block of neighbouring items.

use std::sync::Arc;

use mapi_types::{Epoch, FolderId};
use moka::sync::Cache;

use crate::{FolderIndex, facts::Block};

/// Folder indices and blocks of facts.
#[derive(Debug)]
pub(crate) struct Objects(Cache<Key, Object>);

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Key {
    Index { mailbox: u64, folder: FolderId },
    Facts(BlockKey),
}

/// Names a block of facts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct BlockKey {
    /// The serial of the open mailbox.
    pub(crate) mailbox: u64,
    pub(crate) folder: FolderId,
    pub(crate) epoch: Epoch,
    pub(crate) block: u32,
}

#[derive(Clone, Debug)]
enum Object {
    Index(Arc<FolderIndex>),
    Facts(Arc<Block>),
}

impl Objects {
    pub(crate) fn new(bytes_max: u64) -> Self {
        let weigh = |_: &Key, object: &Object| {
            let bytes = match object {
                Object::Index(index) => index.weight(),
                Object::Facts(block) => block.weight(),
            };
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        Self(
            Cache::builder()
                .max_capacity(bytes_max)
                .weigher(weigh)
                .build(),
        )
    }

    /// A look keeps the index from being dropped; the answer may be old.
    pub(crate) fn touch_index(&self, mailbox: u64, folder: FolderId) {
        self.0.get(&Key::Index { mailbox, folder });
    }

    pub(crate) fn put_index(&self, mailbox: u64, folder: FolderId, index: Arc<FolderIndex>) {
        self.0
            .insert(Key::Index { mailbox, folder }, Object::Index(index));
    }

    pub(crate) fn block(&self, key: BlockKey) -> Option<Arc<Block>> {
        match self.0.get(&Key::Facts(key))? {
            Object::Facts(block) => Some(block),
            Object::Index(_) => None,
        }
    }

    pub(crate) fn put_block(&self, key: BlockKey, block: Arc<Block>) {
        self.0.insert(Key::Facts(key), Object::Facts(block));
    }
}
