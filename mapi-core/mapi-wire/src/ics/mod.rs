//! Incremental change synchronization: what a client has seen, and what changes are called.
//!
//! A client keeps a [`State`] for each folder and gives it back to the server, which answers with what is new since,
//! and a new state. Sets of ids are kept as ranges; changes have numbers within a replica and keys of their own across
//! replicas.
//!
//! Source: MS-OXCFXICS 2.2.1.1, 2.2.2, 3.1.5.

mod change_id;
mod difference;
mod globset;
mod globset_code;
mod gone;
mod group_info;
mod header;
mod id_set;
mod progress;
mod state;

pub use change_id::{ChangeKey, LocalId, PredecessorChangeList, Versions, Xid};
pub use difference::{Difference, Version};
pub use globset::{Globset, Range};
pub use globset_code::RANGES_MAX;
pub use gone::{Deletions, ReadStates};
pub use group_info::{ALL_OTHERS, GroupInfo, GroupedProperty};
pub use header::{FolderHeader, Identity, MessageHeader};
pub use id_set::{CnSet, IdSet, Replica};
pub use progress::{MessageProgress, Progress};
pub use state::{Audience, Scope, State};
