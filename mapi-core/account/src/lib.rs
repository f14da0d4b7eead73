//! Mailboxes in Internet terms: what every front end uses, and all it sees of the core.
//!
//! [`Accounts`] are all mailboxes of the gateway; an [`Account`] is one of them as one principal may use it. A folder
//! is read through its [`FolderIndex`], an immutable snapshot of number, flags, size and date of every item; what a
//! message says comes as [`ItemFacts`], its octets by [`Account::read`]. A [`Watch`] tells when to look again.
//!
//! Truth is in the store's change log. What is cached here was told by it, and is asked for again whenever a notice,
//! a write of ours, or doubt says that it may be old; it is never handed out without a look at the principal's rights.
//!
//! Front ends name nothing of the crates below except through the list of re-exports here.

mod account;
mod accounts;
mod cache;
mod delete;
mod deliver;
mod delivery_key;
mod facts;
mod feed;
mod flags;
mod folders;
mod index;
mod keywords;
mod mailbox;
mod options;
mod passage;
mod read;
mod refresh;
mod repair;
mod search;
mod sending;
mod sent;
mod size;
mod spool;
mod text_match;
mod traced;
mod tree;
mod watch;
mod write;

pub use account::{Account, FolderChanges};
pub use accounts::Accounts;
pub use delete::Deleted;
pub use deliver::Copy;
pub use delivery_key::once_as_arrived;
pub use facts::{Facts, ItemFacts};
pub use flags::{FlagChange, Flags};
pub use folders::Subscribed;
pub use index::{FolderIndex, IndexCounts, IndexDiff, ItemState};
pub use keywords::{KeywordId, KeywordSetId, KeywordTable};
pub use options::Options;
pub use passage::{Attached, Body, Passage};
pub use read::{PIECE_BYTES_MAX, Piece};
pub use search::TextQuery;
pub use sending::{Destination, Outgoing, Ready, SendError, SendRight};
pub use sent::{CopyRule, CopyRules};
pub use size::Size;
pub use spool::{Spool, Spooled};
pub use tree::FolderTree;
pub use watch::Watch;
pub use write::NewItem;

pub use directory::{ScramVerifier, Service};
pub use mapi_store::{
    Error, ErrorKind, Expected, FolderInfo, Member, NewFolder, Permission, Principal, Quota,
    QuotaLimit, QuotaLimits, QuotaUsage, Result, Rights, Role, Saved, Transferred, Updated,
};
pub use mapi_types::{
    ContentHash, Epoch, FileTime, FolderId, ItemKey, ItemNumber, MailboxId, Version,
};

/// What goes with a message that is sent.
pub mod envelope {
    pub use outbound::{BodyKind, Envelope, Notify, QueueId, Recipient, Returned};
}

/// Reading the facts of messages: views of envelope and structure, header fields, decoding of texts.
pub mod mime {
    pub use mapi_convert::{
        EnvelopeView, PartKind, PartView, SectionKind, StructureView, charset, date, decode,
        encoded_word, header,
        skeleton::{AddressView, Addresses, Params},
    };
    pub use mapi_types::TransferEncoding;
}
