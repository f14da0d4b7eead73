//! What a check finds.

use std::fmt;

use mapi_store::Error;
use mapi_types::MailboxId;

/// One thing that is not as it should be in a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of thing.
    pub kind: FaultKind,
    /// Where: the mailbox, folder and item, or the segment.
    pub place: String,
    /// What is wrong, in words; never message content.
    pub detail: String,
}

/// The kinds of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A mailbox file cannot be opened at all, or was written by a newer program.
    Unreadable,
    /// SQLite's own check of a mailbox file fails.
    Database,
    /// The folder tree is not a tree, or a folder's own row makes no sense.
    Tree,
    /// A number, version or epoch may be given out twice.
    Numbers,
    /// A folder's counts are not those of its items.
    Counts,
    /// Rows that belong together are not all there.
    Rows,
    /// Stored properties or recipients cannot be decoded.
    Properties,
    /// A content that an item refers to is not stored, or not whole.
    Content,
    /// A segment file is damaged somewhere.
    Segment,
    /// The index leads to a place where the content is not.
    Index,
}

impl Fault {
    pub(super) fn new(
        kind: FaultKind,
        place: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            place: place.into(),
            detail: detail.into(),
        }
    }

    pub(super) fn unreadable(mailbox: &MailboxId, error: &Error) -> Self {
        let cause = error
            .source
            .as_ref()
            .map(|cause| format!(" ({cause})"))
            .unwrap_or_default();
        Self::new(
            FaultKind::Unreadable,
            format!("mailbox {mailbox}"),
            format!("{error}{cause}"),
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}: {}", self.place, self.kind, self.detail)
    }
}
