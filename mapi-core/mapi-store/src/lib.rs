//! The seam between the core and the places mailboxes live: [`Backend`] and [`Store`], in MAPI terms.
//!
//! Every method is one batch: at most one round trip a page, and no handle, cursor or transaction crosses it.
//! Items are named by (folder, [`ItemNumber`](mapi_types::ItemNumber)): a number stands for one immutable content, so a reference to a
//! content that was edited or deleted meanwhile finds nothing, never something else.
//!
//! [`MemBackend`] is the reference implementation; [`contract`] is the suite that every store passes.

pub mod contract;
mod error;
mod folder;
mod free_busy;
mod mem;
mod named;
mod quota;
mod store;

pub use error::{Error, ErrorKind, Result};
pub use folder::{
    DeletedFolder, FOLDER_NAME_BYTES_MAX, FolderInfo, HierarchyDelta, Member, NewFolder,
    Permission, Rights, Role,
};
pub use free_busy::{
    BusyTime, FREE_BUSY_TIMES_MAX, FreeBusy, FreeBusyDetail, busy_times, calendar, detail_for,
    free_busy_by_permission,
};
pub use mem::{MemBackend, MemFaults};
pub use named::{
    NAMED_ID_FIRST, NAMED_ID_LAST, NAMED_ID_LOWEST, PS_INTERNET_HEADERS, PS_MAPI,
    PS_PUBLIC_STRINGS, PSETID_COMMON, fixed_id, fixed_name,
};
pub use quota::{Quota, QuotaLimit, QuotaLimits, QuotaUsage};
pub use store::{
    Backend, ByteRange, Changes, Deletion, Delta, Expected, INLINE_BYTES_MAX, ITEM_KEY_BYTES_MAX,
    Items, Notice, Object, Principal, PropName, PropNameId, Query, READ_BYTES_MAX, Saved, Store,
    Table, Task, Transfer, Transferred, Updated,
};
