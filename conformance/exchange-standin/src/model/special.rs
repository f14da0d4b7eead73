//! The folders that every mailbox has. Source: MS-OXOSFLD 2.2.1, MS-OXCSTOR 2.2.1.1.3 and 2.2.1.1.4.

use mapi_wire::Guid;

use super::{
    folder::{Folder, FolderKind, NewFolder},
    ids::Fid,
    mailbox::{Mailbox, MailboxKind, NewMailbox, ReceiveFolder},
    permission::{Permissions, Rights},
    tags,
};

/// How many folders RopLogon names.
pub const LOGON_FOLDERS: usize = 13;

/// The folders every mailbox has.
#[derive(Clone, Debug, Default)]
pub struct SpecialFolders {
    /// Those that RopLogon names, in its order; zero where there is none.
    pub logon: [Fid; LOGON_FOLDERS],
    /// Calendar.
    pub calendar: Fid,
    /// Contacts.
    pub contacts: Fid,
    /// Journal.
    pub journal: Fid,
    /// Notes.
    pub notes: Fid,
    /// Tasks.
    pub tasks: Fid,
    /// Drafts.
    pub drafts: Fid,
    /// Reminders, a search folder.
    pub reminders: Fid,
    /// Free/busy data.
    pub free_busy: Fid,
    /// Conflicts, sync issues, local failures, server failures, junk mail: as PidTagAdditionalRenEntryIds has them.
    pub additional: [Fid; 5],
}

/// Places in [`SpecialFolders::logon`] of a private mailbox.
pub mod place {
    /// The root.
    pub const ROOT: usize = 0;
    /// What the user sees begins here.
    pub const IPM_SUBTREE: usize = 3;
    /// Inbox.
    pub const INBOX: usize = 4;
    /// Outbox.
    pub const OUTBOX: usize = 5;
    /// Sent items.
    pub const SENT: usize = 6;
    /// Deleted items.
    pub const DELETED: usize = 7;
    /// Common views.
    pub const COMMON_VIEWS: usize = 8;
    /// Search folders.
    pub const FINDER: usize = 10;
    /// Views.
    pub const VIEWS: usize = 11;
    /// The subtree of public folders, in a public store.
    pub const PUBLIC_IPM_SUBTREE: usize = 1;
}

impl SpecialFolders {
    /// The root.
    pub const fn root(&self) -> Fid {
        self.logon[place::ROOT]
    }

    /// The folder that what the user sees begins in.
    pub const fn ipm_subtree(&self) -> Fid {
        self.logon[place::IPM_SUBTREE]
    }

    /// Inbox.
    pub const fn inbox(&self) -> Fid {
        self.logon[place::INBOX]
    }

    /// Outbox.
    pub const fn outbox(&self) -> Fid {
        self.logon[place::OUTBOX]
    }

    /// Sent items.
    pub const fn sent(&self) -> Fid {
        self.logon[place::SENT]
    }

    /// Deleted items.
    pub const fn deleted(&self) -> Fid {
        self.logon[place::DELETED]
    }

    /// Junk mail.
    pub const fn junk(&self) -> Fid {
        self.additional[4]
    }

    /// Whether a folder is one of them, and so can be neither deleted nor moved.
    pub fn contains(&self, fid: Fid) -> bool {
        let others = [
            self.calendar,
            self.contacts,
            self.journal,
            self.notes,
            self.tasks,
            self.drafts,
            self.reminders,
            self.free_busy,
        ];
        fid != Fid(0)
            && (self.logon.contains(&fid)
                || self.additional.contains(&fid)
                || others.contains(&fid))
    }
}

impl Mailbox {
    /// A user's mailbox with the folders it begins with.
    pub fn private(new: NewMailbox) -> Self {
        let mut mailbox = Self::empty(new, MailboxKind::Private);
        mailbox.make_private_folders();
        let now = mailbox.clock.now();
        let inbox = mailbox.special.inbox();
        mailbox.receive = ["", "IPM", "REPORT.IPM"]
            .map(|class| ReceiveFolder {
                class: class.into(),
                folder: inbox,
                modified: now,
            })
            .into();
        mailbox.events.clear();
        mailbox
    }

    /// A store of public folders.
    pub fn public(new: NewMailbox) -> Self {
        let mut mailbox = Self::empty(new, MailboxKind::Public);
        let everybody = Permissions::new(Rights(0x49b));
        let root = mailbox.make(None, "Root", "", &everybody);
        let mut logon = [Fid(0); LOGON_FOLDERS];
        logon[place::ROOT] = root;
        logon[place::PUBLIC_IPM_SUBTREE] = mailbox.make(Some(root), "IPM_SUBTREE", "", &everybody);
        let hidden = mailbox.make(Some(root), "NON_IPM_SUBTREE", "", &everybody);
        logon[2] = hidden;
        for (slot, name) in (3..).zip([
            "EFORMS REGISTRY",
            "SCHEDULE+ FREE BUSY",
            "OFFLINE ADDRESS BOOK",
        ]) {
            logon[slot] = mailbox.make(Some(hidden), name, "", &everybody);
        }
        mailbox.special.logon = logon;
        mailbox.events.clear();
        mailbox
    }

    fn make_private_folders(&mut self) {
        let nobody = Permissions::new(Rights::NONE);
        let root = self.make(None, "Root", "", &nobody);
        let mut logon = [Fid(0); LOGON_FOLDERS];
        logon[place::ROOT] = root;
        for (slot, name) in [
            (1, "Deferred Action"),
            (2, "Spooler Queue"),
            (place::IPM_SUBTREE, "Top of Information Store"),
            (place::COMMON_VIEWS, "Common Views"),
            (9, "Schedule"),
            (place::FINDER, "Finder"),
            (place::VIEWS, "Views"),
            (12, "Shortcuts"),
        ] {
            logon[slot] = self.make(Some(root), name, "", &nobody);
        }
        let top = Some(logon[place::IPM_SUBTREE]);
        for (slot, name) in [
            (place::INBOX, "Inbox"),
            (place::OUTBOX, "Outbox"),
            (place::SENT, "Sent Items"),
            (place::DELETED, "Deleted Items"),
        ] {
            logon[slot] = self.make(top, name, "IPF.Note", &nobody);
        }
        let issues = self.make(top, "Sync Issues", "IPF.Note", &nobody);
        let issue =
            |mailbox: &mut Self, name| mailbox.make(Some(issues), name, "IPF.Note", &nobody);
        let free_busy = Permissions::new(Rights::FREE_BUSY_SIMPLE);
        self.special = SpecialFolders {
            logon,
            calendar: self.make(top, "Calendar", "IPF.Appointment", &free_busy),
            contacts: self.make(top, "Contacts", "IPF.Contact", &nobody),
            journal: self.make(top, "Journal", "IPF.Journal", &nobody),
            notes: self.make(top, "Notes", "IPF.StickyNote", &nobody),
            tasks: self.make(top, "Tasks", "IPF.Task", &nobody),
            drafts: self.make(top, "Drafts", "IPF.Note", &nobody),
            reminders: self.make(Some(root), "Reminders", "Outlook.Reminder", &nobody),
            free_busy: self.make(Some(root), "Freebusy Data", "", &nobody),
            additional: [
                issue(self, "Conflicts"),
                issues,
                issue(self, "Local Failures"),
                issue(self, "Server Failures"),
                self.make(top, "Junk Email", "IPF.Note", &nobody),
            ],
        };
        if let Some(folder) = self.folders.get_mut(&self.special.reminders) {
            folder.kind = FolderKind::Search;
        }
    }

    fn make(
        &mut self,
        parent: Option<Fid>,
        name: &str,
        class: &str,
        permissions: &Permissions,
    ) -> Fid {
        let fid = Fid(self.take_counter());
        let (cn, change_key) = self.take_change();
        let kind = match parent {
            None => FolderKind::Root,
            Some(_) => FolderKind::Generic,
        };
        let new = NewFolder {
            fid,
            parent,
            kind,
            cn,
            change_key,
        };
        let mut folder = Folder::new(new, permissions.clone());
        folder.describe(name, class);
        let now = self.clock.now();
        folder
            .props
            .set(tags::CREATION_TIME, mapi_wire::PropValue::Time(now));
        folder.props.set(
            tags::LAST_MODIFICATION_TIME,
            mapi_wire::PropValue::Time(now),
        );
        folder.committed = now;
        self.folders.insert(fid, folder);
        fid
    }
}

/// A GUID that is the same in every run and differs by `kind` and `number`.
pub const fn made_guid(kind: u32, number: u32) -> Guid {
    Guid::from_fields(
        0x5374_0000 + kind,
        0x616e,
        0x4469,
        [
            0xae,
            0x64,
            0x2d,
            0x69,
            (number >> 24) as u8,
            (number >> 16) as u8,
            (number >> 8) as u8,
            number as u8,
        ],
    )
}
