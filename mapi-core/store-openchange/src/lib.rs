//! The embedded store: one SQLite file per mailbox, bodies of all mailboxes in content-addressed segment files.
//!
//! [`OpenChange`] is the backend. A write is acknowledged once it is durable: contents are synced before the rows
//! that refer to them, and rows are committed with the log synced. All writes of a mailbox go through its queue and
//! share transactions; reads run on threads of their own, each on one state of the mailbox.
//!
//! A [`Mirror`] is such a mailbox too, whose truth lives on a remote server: [`OpenChange::mirror`].

mod access;
mod backend;
mod codec;
mod engine;
mod epoch;
mod fail;
mod files;
mod handles;
mod hot;
mod ids;
mod layout;
mod mailbox;
mod maintenance;
mod mirror;
mod named;
mod options;
mod quota;
mod read;
mod schema;
mod segments;
mod store;
mod work;
mod write;

pub use backend::OpenChange;
pub use maintenance::{Compacted, Fault, FaultKind, Purged};
pub use mirror::{
    Applied, Begun, Body, ChangeKey, Confirmed, Evicted, Finished, FirstPass, FolderStatus,
    FolderSync, Given, HierarchyBatch, Intent, ItemBatch, Mirror, MirrorStatus, Moved, Pending,
    PendingItem, Progress, QueueOutcome, QueueStatus, QueueTerms, QueuedItem, QueuedOperation,
    QueuedTask, REMOTE_ID_BYTES_MAX, RefusedDraft, RemoteFolder, RemoteId, RemoteItem,
    RemoteItemRef, Rendered, RenderedOutcome, Written,
};
pub use options::Options;
pub use quota::MailboxQuota;
