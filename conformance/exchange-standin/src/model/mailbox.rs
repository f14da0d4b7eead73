//! A mailbox: folders, messages, and the one counter that numbers all of them and their changes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use mapi_wire::{
    Gid, Guid,
    ics::{Globset, Range},
};

use super::{
    change::Xid,
    clock::Clock,
    error::{Code, Result},
    event::Event,
    folder::Folder,
    ids::{self, Cn, Fid, Mid},
    message::Message,
    named::NamedProperties,
    permission::Rights,
    props::Props,
    receipt::Receipt,
    special::SpecialFolders,
};

/// Whose mailbox it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MailboxKind {
    /// A user's, or one that several share.
    Private,
    /// The public folders.
    Public,
}

/// How much a mailbox may hold, in octets; none is without limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quota {
    /// All messages together; saving fails above it.
    pub storage: Option<u64>,
    /// One message that is submitted.
    pub submission: Option<u64>,
}

/// Where mail of a class goes. Source: MS-OXCSTOR 2.2.1.3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceiveFolder {
    /// The beginning of the class; empty for all.
    pub class: String,
    /// Where it goes.
    pub folder: Fid,
    /// When that was set.
    pub modified: u64,
}

/// A mailbox.
#[derive(Debug)]
pub struct Mailbox {
    /// The key of the user whose it is.
    pub key: String,
    /// What its owner is called.
    pub display_name: String,
    /// The distinguished name of its owner.
    pub legacy_dn: String,
    /// Its GUID: what Autodiscover and entry ids name it by.
    pub guid: Guid,
    /// The GUID of its ids.
    pub replica: Guid,
    /// Whose it is.
    pub kind: MailboxKind,
    /// The server's time.
    pub clock: Clock,
    /// The folders every mailbox has.
    pub special: SpecialFolders,
    /// The ids of its named properties.
    pub named: NamedProperties,
    /// Where mail goes when it arrives.
    pub receive: Vec<ReceiveFolder>,
    /// Properties of the store that were set.
    pub props: Props,
    /// How much it may hold.
    pub quota: Quota,
    /// Users who may do everything in it.
    pub full_access: BTreeSet<String>,
    /// Which of the servers it is on.
    pub site: u32,
    /// How often the tree of folders has changed.
    pub hierarchy_generation: u64,
    pub(super) folders: BTreeMap<Fid, Folder>,
    pub(super) places: HashMap<Mid, Fid>,
    pub(super) gone: BTreeSet<Mid>,
    pub(super) gone_folders: BTreeSet<Fid>,
    pub(super) events: Vec<Event>,
    pub(super) receipts: Vec<Receipt>,
    next: u64,
    reserved: Globset,
}

/// Who a mailbox is, before it has anything in it.
pub struct NewMailbox {
    /// The key of the user whose it is.
    pub key: String,
    /// What its owner is called.
    pub display_name: String,
    /// The distinguished name of its owner.
    pub legacy_dn: String,
    /// Its GUID.
    pub guid: Guid,
    /// The GUID of its ids.
    pub replica: Guid,
    /// The server's time.
    pub clock: Clock,
    /// The id of its first named property, and how many there may be.
    pub named: (u16, usize),
    /// The first number it gives out.
    pub first_counter: u64,
}

impl Mailbox {
    /// A mailbox without folders.
    pub(super) fn empty(new: NewMailbox, kind: MailboxKind) -> Self {
        Self {
            key: new.key,
            display_name: new.display_name,
            legacy_dn: new.legacy_dn,
            guid: new.guid,
            replica: new.replica,
            kind,
            clock: new.clock,
            special: SpecialFolders::default(),
            named: NamedProperties::new(new.named.0, new.named.1),
            receive: Vec::new(),
            props: Props::default(),
            quota: Quota::default(),
            full_access: BTreeSet::new(),
            site: 0,
            hierarchy_generation: 0,
            folders: BTreeMap::new(),
            places: HashMap::new(),
            gone: BTreeSet::new(),
            gone_folders: BTreeSet::new(),
            events: Vec::new(),
            receipts: Vec::new(),
            next: new.first_counter.max(1),
            reserved: Globset::new(),
        }
    }

    /// The next number, for whatever.
    pub(super) const fn take_counter(&mut self) -> u64 {
        let counter = self.next;
        self.next += 1;
        counter
    }

    /// Sets numbers aside: `count` of them, from the one returned on.
    pub(super) const fn take_counters(&mut self, count: u64) -> u64 {
        let first = self.next;
        self.next += count;
        first
    }

    /// The highest number given out so far.
    pub const fn last_counter(&self) -> u64 {
        self.next - 1
    }

    /// Sets numbers aside for a client to name its own items with. Source: RopGetLocalReplicaIds, MS-OXCFXICS
    /// 3.2.5.9.4.7.
    pub fn reserve(&mut self, count: u32) -> Option<u64> {
        let first = self.take_counters(count.into());
        let last = first + u64::from(count.checked_sub(1)?);
        self.reserved.insert_range(Range::new(first, last)?);
        Some(first)
    }

    /// Whether a number was set aside for clients.
    pub fn is_reserved(&self, counter: u64) -> bool {
        self.reserved
            .contains(mapi_wire::Globcnt::from_u64(counter))
    }

    /// The global id of one of its numbers.
    pub const fn gid(&self, counter: u64) -> Gid {
        ids::gid(self.replica, counter)
    }

    /// The counter of a global id, when it is one of its own.
    pub fn own_counter(&self, gid: Gid) -> Option<u64> {
        (gid.replguid == self.replica).then(|| gid.globcnt.to_u64())
    }

    /// A number for a change, with its identifier.
    pub(super) fn take_change(&mut self) -> (Cn, Xid) {
        let counter = self.take_counter();
        (Cn(counter), Xid::from_gid(self.gid(counter)))
    }

    /// A folder.
    pub fn folder(&self, fid: Fid) -> Result<&Folder> {
        self.folders.get(&fid).ok_or(Code::NOT_FOUND)
    }

    /// A folder, to be changed.
    pub fn folder_mut(&mut self, fid: Fid) -> Result<&mut Folder> {
        self.folders.get_mut(&fid).ok_or(Code::NOT_FOUND)
    }

    /// All folders, by id.
    pub fn folders(&self) -> impl Iterator<Item = &Folder> {
        self.folders.values()
    }

    /// The folders in a folder.
    pub fn children(&self, parent: Fid) -> impl Iterator<Item = &Folder> {
        self.folders
            .values()
            .filter(move |folder| folder.parent == Some(parent))
    }

    /// All folders below a folder, parents before children, with their depth below it (1 for those in it).
    pub fn descendants(&self, root: Fid) -> Vec<(Fid, u32)> {
        let mut children: BTreeMap<Fid, Vec<Fid>> = BTreeMap::new();
        for folder in self.folders.values() {
            if let Some(parent) = folder.parent {
                children.entry(parent).or_default().push(folder.fid);
            }
        }
        let mut found = Vec::new();
        let mut open = vec![(root, 0)];
        while let Some((fid, depth)) = open.pop() {
            if depth > 0 {
                found.push((fid, depth));
            }
            let below = children.get(&fid).into_iter().flatten().rev();
            open.extend(below.map(|child| (*child, depth + 1)));
        }
        found
    }

    /// A message, wherever it is.
    pub fn message(&self, mid: Mid) -> Result<&Arc<Message>> {
        let folder = self.places.get(&mid).and_then(|fid| self.folders.get(fid));
        let message = folder.and_then(|folder| folder.message(mid));
        message.ok_or(Code::NOT_FOUND)
    }

    /// Whether a message was there and was deleted or moved away, or a client said that it was deleted.
    pub fn is_gone(&self, mid: Mid) -> bool {
        self.gone.contains(&mid)
    }

    /// Whether a folder was there and was deleted, or a client said so.
    pub fn is_folder_gone(&self, fid: Fid) -> bool {
        self.gone_folders.contains(&fid)
    }

    /// Whether an id can still be given to a new message or folder of a client.
    pub fn is_free(&self, counter: u64) -> bool {
        self.is_reserved(counter)
            && !self.places.contains_key(&Mid(counter))
            && !self.folders.contains_key(&Fid(counter))
            && !self.is_gone(Mid(counter))
            && !self.is_folder_gone(Fid(counter))
    }

    /// What a user may do in a folder: everything when the mailbox is theirs.
    pub fn rights(&self, user: &str, fid: Fid) -> Rights {
        if self.is_owner(user) {
            return Rights::ALL;
        }
        let folder = self.folders.get(&fid);
        folder.map_or(Rights::NONE, |folder| folder.permissions.rights_of(user))
    }

    /// Whether a user may do everything in the mailbox.
    pub fn is_owner(&self, user: &str) -> bool {
        self.key == user || self.full_access.contains(user)
    }

    /// Whether a user may open anything in the mailbox.
    pub fn may_log_on(&self, user: &str) -> bool {
        self.is_owner(user)
            || self.kind == MailboxKind::Public
            || self
                .folders
                .keys()
                .any(|fid| self.rights(user, *fid).opens_folder())
    }

    /// Where mail of a class goes, with the class that says so: the longest that fits. Source: MS-OXCSTOR 3.2.5.2.
    pub fn receive_folder(&self, class: &str) -> Option<&ReceiveFolder> {
        let class = class.to_ascii_lowercase();
        let fits = |entry: &&ReceiveFolder| {
            let known = entry.class.to_ascii_lowercase();
            known.is_empty()
                || class
                    .strip_prefix(&known)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.receive
            .iter()
            .filter(fits)
            .max_by_key(|entry| entry.class.len())
    }

    /// About the octets of everything in it.
    pub fn size(&self) -> u64 {
        self.folders
            .values()
            .map(|folder| folder.size() as u64)
            .sum()
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The receipts sent since the last call.
    pub fn take_receipts(&mut self) -> Vec<Receipt> {
        std::mem::take(&mut self.receipts)
    }
}
