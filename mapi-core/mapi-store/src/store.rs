//! The two traits, and the requests and answers that cross them.

use std::{
    future::Future,
    ops::{Range, RangeInclusive},
    pin::Pin,
    sync::Arc,
};

use bytes::Bytes;
use mapi_types::{
    Change, Derived, Draft, FileTime, FolderId, ItemKey, ItemNumber, MailboxId, MessageTree,
    PropBag, PropTag, Restriction, RowSet, SortOrder, Version,
};
use tokio::sync::broadcast;

use crate::{
    DeletedFolder, Error, ErrorKind, FolderInfo, FreeBusy, HierarchyDelta, NewFolder, Permission,
    Quota, Result,
};

/// A boxed answer: one allocation a batch, noise beside the I/O it stands for.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Who is asking.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Principal {
    /// The user's address, in lower case. The owner of a mailbox is the user whose address is its id.
    pub user: String,
}

/// A place mailboxes live.
pub trait Backend: Send + Sync {
    /// Checks a user's password, where whoever keeps the mailboxes knows it. `None`: this backend does not know the
    /// user's domain, and the directory decides. An unknown user is refused as a wrong password is.
    ///
    /// Errors: `Unauthenticated`, `Unavailable`, `Throttled`.
    fn authenticate<'a>(
        &'a self,
        _user: &'a str,
        _password: &'a str,
    ) -> Task<'a, Option<Principal>> {
        Box::pin(async { Ok(None) })
    }

    /// Checks a token of an issuer that a user's program brought (RFC 7628), where whoever keeps the mailboxes takes such.
    /// `user`: who the program says it is, to be confirmed; without, the token says it. `None`: nobody here takes it.
    ///
    /// Errors: `Unauthenticated`, `Denied`, `Unavailable`, `Throttled`.
    fn authenticate_by_token<'a>(
        &'a self,
        _user: Option<&'a str>,
        _token: &'a str,
    ) -> Task<'a, Option<Principal>> {
        Box::pin(async { Ok(None) })
    }

    /// The principal of a user who has proved who they are to somebody else: by a certificate, to an issuer. `None`: this
    /// backend does not know the user's domain, and the directory decides.
    ///
    /// Errors: `Unauthenticated` (unknown, barred, or nobody but the backend can tell), `Unavailable`, `Throttled`.
    fn identify<'a>(&'a self, _user: &'a str) -> Task<'a, Option<Principal>> {
        Box::pin(async { Ok(None) })
    }

    /// Whether [`Self::identify`] knows users of a domain.
    fn identifies(&self, _domain: &str) -> bool {
        false
    }

    /// Whether mailboxes of a domain are here, as far as the directory does not say so. Quick.
    fn serves(&self, _domain: &str) -> bool {
        false
    }

    /// The mailboxes that mail for an address goes to, where whoever keeps them knows it. `None`: this backend does not
    /// know the domain, and the directory decides.
    ///
    /// Errors: `NotFound` (nobody there has this address, for certain), `Unavailable` (ask again later).
    fn resolve<'a>(&'a self, _address: &'a str) -> Task<'a, Option<Vec<MailboxId>>> {
        Box::pin(async { Ok(None) })
    }

    /// Opens a mailbox for a principal. Several stores may be open on one mailbox.
    ///
    /// Errors: `NotFound`, `Denied` (nothing in it is visible to the principal), `Unavailable`.
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>>;

    /// When the owner of a mailbox is busy, as far as a principal may know it: the owner everything, others what the
    /// permissions of the calendar say.
    ///
    /// Errors: `NotFound` (no such mailbox, or it has no calendar), `Denied`, `TooBig` (ask for a shorter span),
    /// `Unavailable`.
    fn free_busy<'a>(
        &'a self,
        _principal: &'a Principal,
        _mailbox: &'a MailboxId,
        _span: Range<FileTime>,
    ) -> Task<'a, FreeBusy> {
        Box::pin(async {
            Err(Error::new(
                ErrorKind::Unsupported,
                "this backend knows no free/busy times",
            ))
        })
    }

    /// What a mailbox may hold and what it holds, where the backend itself sees to that. `None`: whoever keeps the mailbox
    /// does, and says `Quota` when it is full.
    ///
    /// Errors: `NotFound`, `Unavailable`.
    fn quota<'a>(&'a self, _mailbox: &'a MailboxId) -> Task<'a, Option<Quota>> {
        Box::pin(async { Ok(None) })
    }

    /// Makes a mailbox with the special folders of [`crate::Role::ALL`]. Errors: `Exists`, `Unsupported`.
    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()>;

    /// Removes a mailbox and all its items for good. Errors: `NotFound`, `Unsupported`.
    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()>;
}

/// One mailbox as one principal may use it. Rights are checked on every call.
///
/// A write that returned `Ok` is durable. One that returned `Err` changed nothing, unless the error is `Unavailable`
/// and the store lost sight of the outcome: repeating it with the same [`Draft::key`] is safe.
/// Unknown folders are `NotFound`; items that are gone are left out of answers, unless a method says otherwise.
///
/// # Items that are not rendered yet
///
/// An item that a store knows by its properties alone (a message on a server that nobody has read yet) has no original
/// bytes until somebody needs them. Then the store makes them from the properties: the item is *rendered*, stays so,
/// and is like every other from then on, with the same bytes whenever they are read. Before that its number, version,
/// flags, keywords and dates are known, but not its size and what is derived from its bytes: `ITEM_SIZE`,
/// `ORIGINAL_SIZE`, `ORIGINAL_PREFIX` and `DERIVED_*` are missing from its rows, filters and orders.
///
/// * [`Self::query`], and [`Self::props`] of an item, render what they answer when `DERIVED_RENDERER` is among the
///   columns. Only items that pass the filter and the limit count; callers ask by pages, for this may take long.
/// * [`Self::read_bytes`] renders items of which it is to read `ORIGINAL`, `ORIGINAL_PREFIX` or `DERIVED_*`.
/// * Nothing else renders: [`Self::changes`] and [`Self::folder`] never do, whatever the columns.
///
/// When the properties cannot be had now, the whole call is `Unavailable` or `Throttled`; what it had rendered until
/// then stays rendered, so that a repeated call gets further. An item that cannot be converted fails no call: it is
/// rendered as a message that says so. Rendering changes neither number nor version, and nobody is notified of it.
pub trait Store: Send + Sync {
    /// The folder tree's changes since a place in its log; `Version(0)`: the whole tree.
    fn hierarchy(&self, since: Version) -> Task<'_, HierarchyDelta>;

    /// One folder as it is now. Errors: `NotFound`, `Denied`.
    fn folder(&self, folder: FolderId) -> Task<'_, FolderInfo>;

    /// Makes a folder. Errors: `Exists` (a sibling has that name, compared without case), `Invalid`, `Denied`.
    fn create_folder<'a>(&'a self, folder: &'a NewFolder) -> Task<'a, FolderInfo>;

    /// Moves and renames a folder with all below it; `parent: None` is the top.
    /// Errors: `Exists`, `Invalid` (into itself or below, a special folder), `Denied`.
    fn move_folder<'a>(
        &'a self,
        folder: FolderId,
        parent: Option<FolderId>,
        name: &'a str,
    ) -> Task<'a, ()>;

    /// Deletes a folder; its items can be recovered as those that were softly deleted can, where the store recovers any
    /// ([`Self::deleted_folders`]). Errors: `Invalid` (special, or has subfolders), `Denied`.
    fn delete_folder(&self, folder: FolderId) -> Task<'_, ()>;

    /// A folder's permission table. Errors: `Denied` unless the principal owns the folder.
    fn permissions(&self, folder: FolderId) -> Task<'_, Vec<Permission>>;

    /// Replaces a folder's permission table. Errors: `Denied` unless the principal owns the folder.
    fn set_permissions<'a>(
        &'a self,
        folder: FolderId,
        permissions: &'a [Permission],
    ) -> Task<'a, ()>;

    /// Rows of a table. A missing value is absent. Values above 64 KiB are absent: read them by [`Self::read_bytes`].
    /// Renders its rows when `DERIVED_RENDERER` is among the columns. Errors: then also `Unavailable`, `Throttled`.
    fn query<'a>(&'a self, query: &'a Query<'a>) -> Task<'a, RowSet>;

    /// The changes of a folder's normal items after `since`, oldest first, with these columns. Renders nothing.
    ///
    /// Pages hold about `limit` rows, but a version is never split across pages.
    fn changes<'a>(
        &'a self,
        folder: FolderId,
        since: Version,
        columns: &'a [PropTag],
        limit: u32,
    ) -> Task<'a, Changes>;

    /// Properties of the mailbox, a folder or an item; missing ones are absent. An item is rendered when
    /// `DERIVED_RENDERER` is asked for.
    fn props<'a>(&'a self, object: Object, tags: &'a [PropTag]) -> Task<'a, PropBag>;

    /// Changes properties of the mailbox or a folder (items: [`Self::update`]).
    fn set_props<'a>(&'a self, object: Object, change: &'a Change) -> Task<'a, ()>;

    /// An item whole. Errors: `NotFound`.
    fn read_message(&self, folder: FolderId, item: ItemNumber) -> Task<'_, MessageTree>;

    /// Pieces of binary or text properties ([`mapi_types::tags::ORIGINAL`] above all), one answer per request in
    /// their order; a piece is short at the end of the value and absent when item or value is missing.
    /// At most [`READ_BYTES_MAX`] octets a piece. Renders the items whose original or facts are read; all pieces of an
    /// item are then of the same bytes. Errors: then also `Unavailable`, `Throttled`.
    fn read_bytes<'a>(
        &'a self,
        folder: FolderId,
        pieces: &'a [ByteRange],
    ) -> Task<'a, Vec<Option<Bytes>>>;

    /// Saves new items, all or none, in their order, with ascending numbers.
    ///
    /// A draft whose key the folder already has is not saved again: its answer names the item that is there, with
    /// `existing` set.
    fn save<'a>(&'a self, folder: FolderId, drafts: &'a [Draft]) -> Task<'a, Vec<Saved>>;

    /// As [`Self::save`], although the mailbox is full: for what tells its owner so. Errors: not `Quota`, where the
    /// store itself sees to it.
    fn save_beyond_quota<'a>(
        &'a self,
        folder: FolderId,
        drafts: &'a [Draft],
    ) -> Task<'a, Vec<Saved>> {
        self.save(folder, drafts)
    }

    /// Replaces an item's content: same key, new number, and the old number is gone.
    /// Errors: `NotFound`, `Conflict` when `expect.version` is given and is not the item's.
    fn replace<'a>(
        &'a self,
        folder: FolderId,
        expect: Expected,
        draft: &'a Draft,
    ) -> Task<'a, Saved>;

    /// Changes properties of items in one batch and one version. See [`mapi_types::changes_content`] for what
    /// renumbers an item.
    fn update<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [Expected],
        change: &'a Change,
    ) -> Task<'a, Updated>;

    /// Copies or moves items within the mailbox, all or none, in the order of their numbers. Copies get new keys;
    /// what moved keeps its key. Within one folder a move gives new numbers.
    fn transfer<'a>(
        &'a self,
        from: FolderId,
        items: &'a [ItemNumber],
        to: FolderId,
        how: Transfer,
    ) -> Task<'a, Vec<Transferred>>;

    /// Deletes items; returns those that were there.
    fn delete<'a>(
        &'a self,
        folder: FolderId,
        items: &'a [ItemNumber],
        how: Deletion,
    ) -> Task<'a, Vec<ItemNumber>>;

    /// The folders that were deleted and have items that can still be recovered, by id: such an id finds nothing but in
    /// [`Table::SoftDeleted`], [`Self::recover`] and [`Self::purge`], and for the owner alone.
    ///
    /// Errors: `Unsupported` (this store recovers nothing), `Denied` unless the principal owns the mailbox.
    fn deleted_folders(&self) -> Task<'_, Vec<DeletedFolder>> {
        Box::pin(async { Err(no_recovery()) })
    }

    /// Moves softly deleted items of a folder into `to`, all or none, in the order of their numbers: with new numbers, and
    /// under their keys unless another item there has them now. The mark for deletion goes, and everything else stays.
    /// Items that are gone are left out, so that a repeated call does no harm.
    ///
    /// Errors: `Unsupported`, `NotFound`, `Denied`, `Quota`.
    fn recover<'a>(
        &'a self,
        _from: FolderId,
        _items: &'a [ItemNumber],
        _to: FolderId,
    ) -> Task<'a, Vec<Transferred>> {
        Box::pin(async { Err(no_recovery()) })
    }

    /// Deletes softly deleted items for good; returns those that were there.
    ///
    /// Errors: `Unsupported`, `NotFound`, `Denied`.
    fn purge<'a>(
        &'a self,
        _folder: FolderId,
        _items: &'a [ItemNumber],
    ) -> Task<'a, Vec<ItemNumber>> {
        Box::pin(async { Err(no_recovery()) })
    }

    /// Sends a message to its recipients, as from whom it says (`SENT_REPRESENTING_*`), as far as the principal may; the
    /// store says who sent it. What is sent is kept in the folder `copy`, once, or nowhere.
    ///
    /// A draft whose key has been submitted is not sent again; of one without a key nobody knows. Repeating a call that
    /// was `Unavailable` is safe with a key: what may have been sent is looked for first. Whether a message arrives,
    /// later reports tell. Errors: `Unsupported` (this store does not send), `Denied` (not from this address), `Invalid`
    /// (no recipients, or too many), `TooBig`, `Quota`, `Unavailable`, `Throttled`.
    fn submit<'a>(&'a self, _draft: &'a Draft, _copy: Option<FolderId>) -> Task<'a, ()> {
        Box::pin(async {
            Err(Error::new(
                ErrorKind::Unsupported,
                "this store does not send mail",
            ))
        })
    }

    /// Stores facts computed later; numbers and versions stay.
    fn put_derived<'a>(
        &'a self,
        folder: FolderId,
        facts: &'a [(ItemNumber, Derived)],
    ) -> Task<'a, ()>;

    /// The items with these keys, one answer per key.
    fn find<'a>(
        &'a self,
        folder: FolderId,
        keys: &'a [ItemKey],
    ) -> Task<'a, Vec<Option<ItemNumber>>>;

    /// The local property ids of named properties; unknown names get one when `create` is set.
    /// Source: RopGetPropertyIdsFromNames, MS-OXCPRPT 2.2.12.
    fn named_properties<'a>(
        &'a self,
        names: &'a [PropName],
        create: bool,
    ) -> Task<'a, Vec<Option<u16>>>;

    /// The names that local property ids stand for, one answer for each; `None` where the mailbox knows none.
    /// Source: RopGetNamesFromPropertyIds, MS-OXCPRPT 2.2.13.
    fn property_names<'a>(&'a self, ids: &'a [u16]) -> Task<'a, Vec<Option<PropName>>>;

    /// Hints that something changed: they may be lost (then the receiver lags), doubled or late. Truth is in
    /// [`Self::changes`] and [`Self::hierarchy`].
    fn notices(&self) -> broadcast::Receiver<Notice>;
}

fn no_recovery() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "this store recovers nothing that was deleted",
    )
}

/// The most octets of a value that comes inline, in rows and bags; larger ones are read by [`Store::read_bytes`].
pub const INLINE_BYTES_MAX: usize = 64 << 10;

/// The most octets of an item key.
pub const ITEM_KEY_BYTES_MAX: usize = 255;

/// The most octets one piece of [`Store::read_bytes`] may ask for.
pub const READ_BYTES_MAX: u32 = 4 << 20;

/// A table of items.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Table {
    /// A folder's normal items.
    Contents(FolderId),
    /// Folder-associated information.
    Associated(FolderId),
    /// Softly deleted items that can still be recovered.
    SoftDeleted(FolderId),
}

/// Which items of a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Items<'a> {
    /// Those with a number in this range.
    Range(RangeInclusive<u32>),
    /// These, in the order given (which is ascending).
    Numbers(&'a [ItemNumber]),
}

/// A request for rows.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// The table.
    pub table: Table,
    /// The columns wanted.
    pub columns: &'a [PropTag],
    /// Which items.
    pub items: Items<'a>,
    /// A further condition.
    pub filter: Option<&'a Restriction>,
    /// The order; empty: by number.
    pub sort: &'a [SortOrder],
    /// The most rows to return.
    pub limit: u32,
}

/// An object with properties.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Object {
    /// The mailbox itself.
    Mailbox,
    /// A folder.
    Folder(FolderId),
    /// An item.
    Item(FolderId, ItemNumber),
}

/// A piece of a large property.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ByteRange {
    /// The item.
    pub item: ItemNumber,
    /// The property.
    pub tag: PropTag,
    /// Octets to skip.
    pub offset: u64,
    /// Octets to return, at most [`READ_BYTES_MAX`].
    pub len: u32,
}

/// An item and, where it matters, the version the caller last saw.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expected {
    /// The item.
    pub item: ItemNumber,
    /// Act only if the item's version is still at most this one.
    pub version: Option<Version>,
}

/// A saved item.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Saved {
    /// Its number.
    pub number: ItemNumber,
    /// Its key.
    pub key: ItemKey,
    /// Its version.
    pub version: Version,
    /// Whether an earlier attempt had saved it already.
    pub existing: bool,
}

/// What became of a batch of updates.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Updated {
    /// The version the changed items have now; `None` when nothing changed.
    pub version: Option<Version>,
    /// Items that changed and kept their number.
    pub changed: Vec<ItemNumber>,
    /// Items that got a new number (old, new).
    pub renumbered: Vec<(ItemNumber, ItemNumber)>,
    /// Items left alone because their version was newer than expected.
    pub stale: Vec<ItemNumber>,
}

/// One item that was copied or moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transferred {
    /// Its number in the source folder.
    pub source: ItemNumber,
    /// The item in the target folder.
    pub target: Saved,
}

/// Copy or move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transfer {
    /// The source stays.
    Copy,
    /// The source goes.
    Move,
}

/// How to delete.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deletion {
    /// Recoverable from [`Table::SoftDeleted`].
    Soft,
    /// The same, and only what is marked for deletion at that moment: whoever took the mark off before, has saved it.
    SoftIfMarked,
    /// For good.
    Hard,
}

/// A folder's changes.
#[derive(Debug)]
pub enum Changes {
    /// What changed.
    Delta(Delta),
    /// `since` lies before what the log still knows, before the folder's present epoch began, or after the log's end:
    /// start anew.
    Expired,
}

/// What changed in a folder since a version.
#[derive(Debug)]
pub struct Delta {
    /// The version this page leads to; pass it as the next `since`.
    pub to: Version,
    /// New and changed items with the columns asked for, by ascending version, then number.
    pub rows: RowSet,
    /// Numbers that are gone, ascending.
    pub removed: Vec<ItemNumber>,
    /// Whether there is more after `to`.
    pub more: bool,
}

/// A hint that something changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Notice {
    /// Items of this folder, at least up to this version.
    Folder(FolderId, Version),
    /// The folder tree.
    Hierarchy,
}

/// A named property. Source: MS-OXCDATA 2.6.1.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct PropName {
    /// The property set, in wire order.
    pub set: [u8; 16],
    /// The name within the set.
    pub id: PropNameId,
}

/// A name within a property set.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum PropNameId {
    /// A number (MNID_ID).
    Lid(u32),
    /// A string (MNID_STRING).
    Name(String),
}
