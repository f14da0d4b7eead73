//! What crosses between a queue and the client of the remote that carries it out.

use mapi_store::Transfer;
use mapi_types::{Change, FileTime, FolderId};

use crate::mirror::{ChangeKey, PendingItem, RemoteId};

/// What bounds a queue, and what is noted with every operation in it.
#[derive(Clone, Debug)]
pub struct QueueTerms {
    /// The most operations that may wait, those that the remote refused included.
    pub operations_max: u64,
    /// The most octets of messages that may wait.
    pub bytes_max: u64,
    /// Who asks.
    pub user: String,
    /// When.
    pub now: FileTime,
}

/// An id at the remote that was chosen for an item, and the change key it will have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Given {
    /// The id.
    pub id: RemoteId,
    /// The change key.
    pub change_key: ChangeKey,
}

/// An operation whose turn it is.
#[derive(Clone, Debug)]
pub struct QueuedOperation {
    /// Its place in the order.
    pub id: u64,
    /// What it does.
    pub task: QueuedTask,
    /// The items it is about; one for a save.
    pub items: Vec<QueuedItem>,
    /// Who asked for it.
    pub user: String,
    /// How often it was tried and failed for a reason that may pass.
    pub tries: u32,
}

/// What an operation does.
#[derive(Clone, Debug)]
pub enum QueuedTask {
    /// Uploads a draft.
    Save(Box<PendingItem>),
    /// Changes properties.
    Update(Change),
    /// Deletes.
    Delete,
    /// Copies or moves to a folder.
    Transfer(Transfer, FolderId),
}

/// An item that an operation is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueuedItem {
    /// Its place among the items of the operation.
    pub position: u32,
    /// The folder in which the remote has it when the operation's turn comes.
    pub folder: FolderId,
    /// Its id there; a stand-in for one that never got there. `None` for a new item.
    pub id: Option<RemoteId>,
    /// The change key that is known of it.
    pub change_key: Option<ChangeKey>,
    /// Its PidTagMessageFlags when the operation was put down.
    pub flags: i32,
    /// The id that was chosen for the item which the operation makes.
    pub given: Option<Given>,
}

/// What became of one item of an operation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum QueueOutcome {
    /// It was done, or there is nothing to do any more.
    Passed,
    /// Its properties were written; change keys as in [`crate::Written`].
    Written {
        /// The one it had just before.
        based_on: Option<ChangeKey>,
        /// The one it has since.
        change_key: Option<ChangeKey>,
    },
    /// The item that the operation makes is there.
    Arrived {
        /// Under this id.
        id: RemoteId,
        /// With this change key; `None`: who knows, and the index will tell.
        change_key: Option<ChangeKey>,
    },
    /// What was to be copied or moved is gone at the remote, so nothing was made of it.
    Gone,
}

/// What waits for the remote.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QueueStatus {
    /// Operations that wait.
    pub waiting: u64,
    /// Octets of messages among them, and among those that were refused.
    pub bytes: u64,
    /// When the first of those that wait was put down.
    pub since: Option<FileTime>,
    /// Messages that the remote refused, the oldest first.
    pub refused: Vec<RefusedDraft>,
}

/// A message that the remote refused. It stays visible in its folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusedDraft {
    /// Its folder; it may be gone.
    pub folder: FolderId,
    /// The folder's name; empty when it is gone.
    pub name: String,
    /// When it was put down.
    pub since: FileTime,
    /// Its octets.
    pub bytes: u64,
    /// Why.
    pub reason: String,
}
