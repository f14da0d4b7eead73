//! Folders: what they are, who may do what in them.

use std::ops::BitOr;

use mapi_types::{Epoch, FileTime, FolderId, ItemNumber, Version};

/// What a special folder is for, whatever its name says. Source: MS-OXOSFLD 2.2.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Arriving mail.
    Inbox,
    /// Outgoing mail not sent yet.
    Outbox,
    /// Copies of sent mail.
    SentItems,
    /// The wastebasket.
    DeletedItems,
    /// Unfinished messages.
    Drafts,
    /// Unsolicited mail.
    Junk,
    /// Mail put away.
    Archive,
    /// The default calendar.
    Calendar,
    /// The default address book.
    Contacts,
    /// The default task list.
    Tasks,
    /// Notes.
    Notes,
    /// The journal.
    Journal,
}

impl Role {
    /// Every role, in the order in which a new mailbox gets its folders.
    pub const ALL: [Self; 12] = [
        Self::Inbox,
        Self::Outbox,
        Self::SentItems,
        Self::DeletedItems,
        Self::Drafts,
        Self::Junk,
        Self::Archive,
        Self::Calendar,
        Self::Contacts,
        Self::Tasks,
        Self::Notes,
        Self::Journal,
    ];

    /// The name and the container class (PidTagContainerClass) a new mailbox gives this folder.
    pub const fn defaults(self) -> (&'static str, &'static str) {
        match self {
            Self::Inbox => ("Inbox", "IPF.Note"),
            Self::Outbox => ("Outbox", "IPF.Note"),
            Self::SentItems => ("Sent Items", "IPF.Note"),
            Self::DeletedItems => ("Deleted Items", "IPF.Note"),
            Self::Drafts => ("Drafts", "IPF.Note"),
            Self::Junk => ("Junk Email", "IPF.Note"),
            Self::Archive => ("Archive", "IPF.Note"),
            Self::Calendar => ("Calendar", "IPF.Appointment"),
            Self::Contacts => ("Contacts", "IPF.Contact"),
            Self::Tasks => ("Tasks", "IPF.Task"),
            Self::Notes => ("Notes", "IPF.StickyNote"),
            Self::Journal => ("Journal", "IPF.Journal"),
        }
    }
}

/// What a principal may do in a folder: bits of PidTagMemberRights. Source: MS-OXCPERM 2.2.7.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Rights(pub u32);

impl Rights {
    /// Read every item.
    pub const READ_ANY: Self = Self(0x1);
    /// Create items.
    pub const CREATE: Self = Self(0x2);
    /// Edit one's own items.
    pub const EDIT_OWNED: Self = Self(0x8);
    /// Delete one's own items.
    pub const DELETE_OWNED: Self = Self(0x10);
    /// Edit every item.
    pub const EDIT_ANY: Self = Self(0x20);
    /// Delete every item.
    pub const DELETE_ANY: Self = Self(0x40);
    /// Create folders in it.
    pub const CREATE_SUBFOLDER: Self = Self(0x80);
    /// Change its permissions, rename and delete it.
    pub const OWNER: Self = Self(0x100);
    /// Be its contact.
    pub const CONTACT: Self = Self(0x200);
    /// See that it exists.
    pub const VISIBLE: Self = Self(0x400);
    /// Hear when the owner of a calendar is busy.
    pub const FREE_BUSY_SIMPLE: Self = Self(0x800);
    /// Hear as well with what, and where; only beside [`Self::FREE_BUSY_SIMPLE`].
    pub const FREE_BUSY_DETAILED: Self = Self(0x1000);
    /// Both.
    pub const FREE_BUSY: Self = Self(0x1800);
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything but what calendars have beside it: what a mailbox owner has.
    pub const ALL: Self = Self(0x7fb);
    /// See and read.
    pub const REVIEWER: Self = Self(0x401);
    /// Read, create, edit and delete everything in it.
    pub const EDITOR: Self = Self(0x47b);

    /// Whether all of `needed` is granted.
    pub const fn allow(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }
}

impl BitOr for Rights {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Whom a permission is for. Source: PidTagMemberId, MS-OXCPERM 2.2.5.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Member {
    /// Everybody who is not named (member id 0).
    Default,
    /// Who did not log in (member id -1).
    Anonymous,
    /// One user, by address.
    User(String),
}

/// One row of a folder's permission table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Permission {
    /// Whom it is for.
    pub member: Member,
    /// What they may do.
    pub rights: Rights,
}

/// The most octets of a folder's name.
pub const FOLDER_NAME_BYTES_MAX: usize = 255;

/// A folder as one principal sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderInfo {
    /// Its id.
    pub id: FolderId,
    /// The folder it is in; `None` at the top of the visible tree (the IPM subtree).
    pub parent: Option<FolderId>,
    /// Its display name: any text of 1 to 255 octets without control characters.
    pub name: String,
    /// PidTagContainerClass, such as IPF.Note.
    pub class: String,
    /// What it is for, if it is special.
    pub role: Option<Role>,
    /// Whether it is hidden (PidTagAttributeHidden).
    pub hidden: bool,
    /// What the principal may do in it.
    pub rights: Rights,
    /// What its numbers are valid for.
    pub epoch: Epoch,
    /// The number the next item gets.
    pub next_number: ItemNumber,
    /// Its latest change.
    pub version: Version,
    /// How many items it has.
    pub items: u32,
    /// How many of them are unread.
    pub unread: u32,
    /// How many of them are marked for deletion.
    pub deleted: u32,
    /// Octets of all rendered items, as clients fetch them. What the others take at most says
    /// [`UNRENDERED_SIZE_MAX`](mapi_types::tags::UNRENDERED_SIZE_MAX).
    pub size: u64,
}

/// A folder that was deleted while items in it can still be recovered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeletedFolder {
    /// The id it had, which no other folder gets.
    pub id: FolderId,
    /// The folder it was in, which may be gone as well; `None` at the top.
    pub parent: Option<FolderId>,
    /// The name it had.
    pub name: String,
    /// PidTagContainerClass.
    pub class: String,
    /// When it was deleted.
    pub deleted: FileTime,
    /// How many items of it can be recovered.
    pub items: u32,
    /// Their octets.
    pub size: u64,
}

/// A folder to be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewFolder {
    /// The folder it goes into; `None`: the top.
    pub parent: Option<FolderId>,
    /// Its display name.
    pub name: String,
    /// PidTagContainerClass.
    pub class: String,
}

/// What changed in a mailbox's folder tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HierarchyDelta {
    /// The place in the hierarchy's change log that this leads to.
    pub to: Version,
    /// Folders that are new, renamed, moved, or whose permissions changed. Counts are as of now, but a change of
    /// counts alone does not list a folder here.
    pub changed: Vec<FolderInfo>,
    /// Folders that are gone or no longer visible to the principal.
    pub removed: Vec<FolderId>,
}
