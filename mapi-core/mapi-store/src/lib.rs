//! The seam between the core and the places mailboxes live: [`Backend`] and [`Store`], in MAPI terms.
//!
//! Every method is one batch: at most one round trip a page, and no handle, cursor or transaction crosses it.
//! Items are named by (folder, [`ItemNumber`]): a number stands for one immutable content, so a reference to a
//! content that was edited or deleted meanwhile finds nothing, never something else.
//!
//! [`MemStore`] is the reference implementation; [`contract`] is the suite that every store passes.

pub mod contract;
mod error;
mod folder;
mod mem;
mod store;

pub use error::{Error, ErrorKind, Result};
pub use folder::{FolderInfo, HierarchyDelta, Member, NewFolder, Permission, Rights, Role};
// pub use mem::MemBackend;
pub use store::{
    Backend, ByteRange, Changes, Deletion, Delta, Expected, Items, Notice, Object, PropName, PropNameId, Query,
    Saved, READ_BYTES_MAX, Store, Table, Task, Transfer, Transferred, Updated, Principal,
};
