//! What crosses between a mirror and the client of the remote that fills it.

use std::sync::Arc;

use bytes::Bytes;
use mapi_store::{Expected, Permission, Role};
use mapi_types::{Draft, FolderId, ItemKey, ItemNumber, Message, PropBag, Version};

use super::QueueStatus;

/// The most octets of a [`RemoteId`] and of a [`ChangeKey`].
pub const REMOTE_ID_BYTES_MAX: usize = 255;

/// How the remote names a folder or an item, for ever: its source key, a GID of 22 bytes. Not empty.
/// Source: MS-OXCFXICS 2.2.1.2.5.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RemoteId(pub Box<[u8]>);

/// How the remote names one state of an item; another one whenever its content changes.
/// Source: PidTagChangeKey, MS-OXCFXICS 2.2.1.2.7.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ChangeKey(pub Box<[u8]>);

/// What one synchronization of the folder tree brought.
#[derive(Clone, Debug, Default)]
pub struct HierarchyBatch {
    /// New and changed folders, in any order.
    pub changed: Vec<RemoteFolder>,
    /// Folders that are gone; unknown ones are passed over. What lay below one and is not named goes to the top.
    pub removed: Vec<RemoteId>,
    /// The synchronization state this leads to; `None`: it stays.
    pub state: Option<Bytes>,
    /// `changed` is the whole tree: every other folder of the remote is gone.
    pub complete_list: bool,
}

/// A folder as the remote has it.
#[derive(Clone, Debug)]
pub struct RemoteFolder {
    /// Its id.
    pub id: RemoteId,
    /// The folder it lies in; `None`: the top. One that is not known (yet) counts as the top.
    pub parent: Option<RemoteId>,
    /// Its name. One that no folder can have here, or that a sibling has, is made to fit.
    pub name: String,
    /// PidTagContainerClass.
    pub class: String,
    /// What it is for. Another folder that had the role loses it.
    pub role: Option<Role>,
    /// Whether it is hidden.
    pub hidden: bool,
    /// Its other properties; those above 64 KiB are left out.
    pub props: PropBag,
    /// Its permission table; `None`: stays as it is.
    pub permissions: Option<Vec<Permission>>,
}

/// What one part of a synchronization of a folder's contents brought. A few thousand items are a good size.
#[derive(Clone, Debug, Default)]
pub struct ItemBatch {
    /// New and changed items, in any order.
    pub changed: Vec<RemoteItem>,
    /// Items that are gone; unknown ones are passed over.
    pub removed: Vec<RemoteId>,
    /// Items that were marked as read or unread, and nothing else; unknown ones are passed over.
    pub read: Vec<(RemoteId, bool)>,
    /// The synchronization state this leads to; `None`: it stays.
    pub state: Option<Bytes>,
    /// Where the pass over all items stands; of no effect while there is none.
    pub first_pass: Option<FirstPass>,
    /// The pass it was asked for in, or after: when another one was begun meanwhile, or the mirror was dropped, the batch
    /// is refused, for it tells of differences from what is not here any more. `None`: it is applied in any case.
    pub pass: Option<i64>,
}

/// Where a pass over all items of a folder stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FirstPass {
    /// More items follow.
    Running,
    /// These were the last ones: new items get their numbers now, and those that the pass did not bring are gone.
    Complete,
}

/// An item as the index of the remote has it.
#[derive(Clone, Debug)]
pub struct RemoteItem {
    /// Its id.
    pub id: RemoteId,
    /// Its change key.
    pub change_key: ChangeKey,
    /// Its properties, always the same columns: what is missing here is missing there. PidTagMessageStatus is the
    /// exception, for it is not synchronized: missing, it stays as it is here. Of PidTagMessageFlags a known item takes
    /// mfRead alone. PidTagMessageSize is taken as a guess of the size until the item is rendered. Values above 64 KiB
    /// are left out.
    pub props: PropBag,
    /// PidTagInternetArticleNumber: the number it gets if the folder's first pass can give every item its own.
    pub number_hint: Option<u32>,
}

/// What applying a batch of items did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Applied {
    /// The folder's version now.
    pub version: Version,
    /// Items that got their first number.
    pub added: u32,
    /// Items that kept their number and changed in what clients see of them.
    pub changed: u32,
    /// Items that went.
    pub removed: u32,
    /// Items put aside until the pass is complete.
    pub staged: u32,
    /// Items whose content must be verified: see [`crate::Mirror::stale`].
    pub stale: u32,
}

/// How far a folder is synchronized.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FolderSync {
    /// The synchronization state; `None`: begin anew, with [`crate::Mirror::restart`].
    pub state: Option<Bytes>,
    /// Whether a pass over all items was ever completed: before, the folder shows no items.
    pub indexed: bool,
    /// Whether a pass over all items is under way.
    pub passing: bool,
    /// Whether the mirror was dropped: until the pass is complete, rows have nothing but their flags.
    pub dropped: bool,
    /// Which pass over all items was the last, or is under way: for [`ItemBatch::pass`].
    pub pass: i64,
}

/// An item as clients are to get it.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Its number.
    pub number: ItemNumber,
    /// The change key that [`RemoteItemRef`] told before the content was fetched.
    pub index_key: ChangeKey,
    /// The change key it had when its content was fetched.
    pub change_key: ChangeKey,
    /// The message with its original; flags in it are passed over, for the index is newer.
    pub message: Arc<Message>,
    /// The original is not made of the properties but is what was once stored: it is never evicted.
    pub kept: bool,
}

/// What became of a [`Rendered`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RenderedOutcome {
    /// It is served under its number.
    Stored,
    /// Its number stood for other bytes: it has this one now, and the same key.
    Renumbered(ItemNumber),
    /// The original that was kept is still good; what was rendered is not used.
    Kept,
    /// The index has heard of a change meanwhile; what was rendered is not used and must be fetched again.
    Outdated,
    /// There is no such item any more.
    Gone,
}

/// An item of which somebody made sure that what is served is what the remote has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Confirmed {
    /// Its number.
    pub number: ItemNumber,
    /// The change key that [`RemoteItemRef`] told before the remote was asked.
    pub index_key: ChangeKey,
    /// The change key it had then.
    pub change_key: ChangeKey,
}

/// A draft on its way to the remote.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The id it will have there; that of an item of the folder whose content it replaces.
    pub id: RemoteId,
    /// The change key it will have, if it is known. When the answer is lost, it tells the arrival of the draft from
    /// what somebody else did to the item since; without it, a new item that arrives must be verified, and of an item
    /// that is replaced nobody can tell.
    pub change_key: Option<ChangeKey>,
    /// What is uploaded.
    pub draft: Draft,
}

/// What is to be done about a [`Pending`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Begun {
    /// Upload it under this id: the one given, or that of an earlier attempt with the same key.
    Upload(RemoteId),
    /// Nothing: the folder has an item with this key.
    Existing(mapi_store::Saved),
}

/// A draft that the remote has.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its id.
    pub id: RemoteId,
    /// The change key it has.
    pub change_key: ChangeKey,
    /// What the remote made of its properties: they win over those of the draft, its delivery time excepted.
    pub props: PropBag,
}

/// A draft of which is not known whether the remote has it.
#[derive(Clone, Debug)]
pub struct PendingItem {
    /// The id it will have.
    pub id: RemoteId,
    /// See [`Pending::change_key`].
    pub change_key: Option<ChangeKey>,
    /// Where it goes; the folder may be gone.
    pub folder: FolderId,
    /// Its key.
    pub key: ItemKey,
    /// What is uploaded.
    pub draft: Draft,
}

/// What is known of a draft without its content: of which is not known whether the remote has it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Intent {
    /// Where it goes; the folder may be gone.
    pub folder: FolderId,
    /// The id it will have.
    pub id: RemoteId,
}

/// An item that the remote copied or moved.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Its number in the source folder.
    pub number: ItemNumber,
    /// Its id in the target folder.
    pub id: RemoteId,
    /// Its change key there, if nobody else changed it since the index was last told; `None`: who knows. Then the
    /// index will tell, and what differs is verified.
    pub change_key: Option<ChangeKey>,
}

/// An item whose properties the remote changed at our request.
#[derive(Clone, Debug)]
pub struct Written {
    /// The item; the change is refused if it is newer than expected.
    pub item: Expected,
    /// The change key it had just before, if the remote told. Another one than the index knows says that somebody
    /// else changed the item too: it becomes stale.
    pub based_on: Option<ChangeKey>,
    /// The change key it has since; `None`: it is not known, or did not change.
    pub change_key: Option<ChangeKey>,
}

/// What is known of an item's remote counterpart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RemoteItemRef {
    /// Its id.
    pub id: RemoteId,
    /// The change key it had when the index was last told.
    pub change_key: ChangeKey,
    /// What is here of its bytes.
    pub body: Body,
    /// Whether its content may have changed since its bytes were made.
    pub stale: bool,
}

/// What is here of an item's bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Body {
    /// Nothing: size and derived facts are missing too.
    Missing,
    /// Size and derived facts; the bytes, recipients and attachments must be fetched again.
    Evicted,
    /// All of it.
    Rendered,
    /// All of it, for ever.
    Kept,
}

impl Body {
    /// Whether the message can be read whole.
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Rendered | Self::Kept)
    }
}

/// How far a folder is with what goes on in the background.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Items put aside until the pass is complete.
    pub staged: u32,
    /// Items whose size and facts are missing.
    pub unrendered: u32,
    /// Items whose content must be verified.
    pub stale: u32,
}

/// What evicting gave back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Evicted {
    /// Items that lost their body.
    pub items: u32,
    /// Octets of those bodies.
    pub bytes: u64,
}

/// What a mirror holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MirrorStatus {
    /// Every folder of the remote, by id.
    pub folders: Vec<FolderStatus>,
    /// Drafts on their way to the remote.
    pub pending: u32,
    /// What waits for the remote to be there again.
    pub queue: QueueStatus,
}

/// What a mirror holds of one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderStatus {
    /// The folder.
    pub folder: FolderId,
    /// Its name.
    pub name: String,
    /// Whether a pass over all items was ever completed.
    pub indexed: bool,
    /// Whether one is under way.
    pub passing: bool,
    /// Items that have a number.
    pub items: u32,
    /// Items put aside until the pass is complete.
    pub staged: u32,
    /// Items whose bytes were made at least once and whose facts are here.
    pub rendered: u32,
    /// Items whose content must be verified.
    pub stale: u32,
    /// Items whose original is kept for ever.
    pub kept: u32,
    /// Octets of those.
    pub bytes_kept: u64,
    /// Octets of bodies that may be evicted.
    pub bytes_rendered: u64,
    /// Items that would have to be fetched again after [`crate::Mirror::drop_contents`].
    pub refill_items: u32,
    /// Octets of those, some of them guessed.
    pub refill_bytes: u64,
}
