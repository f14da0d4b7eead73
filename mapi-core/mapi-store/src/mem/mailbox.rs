//! One mailbox: its folder tree, its identities, its named properties.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use mapi_types::{
    Change, Epoch, FileTime, FolderId, ItemKey, MailboxId, OwnedValue, PropTag, Version,
};
use tokio::sync::broadcast;

use super::folder::Folder;
use crate::{
    Error, ErrorKind, MemFaults, NAMED_ID_FIRST, NAMED_ID_LAST, Notice, PropName, Result, Role,
    fixed_id, fixed_name,
};

/// Notices a slow receiver may lag behind; it hears then that it lags.
const NOTICES_MAX: usize = 256;

/// Gives out epochs, each once in the life of a backend.
#[derive(Default)]
pub(super) struct Epochs(AtomicU32);

impl Epochs {
    /// The next epoch; never 0.
    pub(super) fn next(&self) -> Epoch {
        Epoch(
            self.0
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_add(1)
                .max(1),
        )
    }
}

/// A mailbox.
pub(super) struct Mailbox {
    pub(super) id: MailboxId,
    pub(super) folders: BTreeMap<FolderId, Folder>,
    /// Folders that were deleted with items that can be recovered, and when.
    pub(super) deleted: BTreeMap<FolderId, (FileTime, Folder)>,
    /// The latest change of the hierarchy.
    pub(super) version: Version,
    /// Folders that are gone, oldest first.
    pub(super) removed: Vec<(Version, FolderId)>,
    /// Its own properties.
    pub(super) props: BTreeMap<PropTag, OwnedValue>,
    pub(super) notices: broadcast::Sender<Notice>,
    pub(super) epochs: Arc<Epochs>,
    pub(super) faults: Arc<MemFaults>,
    /// Whether items are saved unrendered.
    pub(super) lazy: bool,
    /// What every generated key begins with.
    replica: [u8; 16],
    next_key: u64,
    next_folder: u64,
    named: HashMap<PropName, u16>,
    next_named: u16,
    closed: bool,
}

impl Mailbox {
    /// A mailbox without folders.
    pub(super) fn new(id: MailboxId, epochs: Arc<Epochs>, faults: Arc<MemFaults>) -> Self {
        // A mailbox provisioned again must not give out keys of its former life: an epoch tells the lives apart.
        let Epoch(life) = epochs.next();
        let hash = blake3::Hasher::new()
            .update(id.0.as_bytes())
            .update(&life.to_le_bytes())
            .finalize();
        let mut replica = [0; 16];
        replica
            .iter_mut()
            .zip(hash.as_bytes())
            .for_each(|(to, from)| *to = *from);
        Self {
            id,
            folders: BTreeMap::new(),
            deleted: BTreeMap::new(),
            version: Version(0),
            removed: Vec::new(),
            props: BTreeMap::new(),
            notices: broadcast::channel(NOTICES_MAX).0,
            epochs,
            faults,
            lazy: false,
            replica,
            next_key: 1,
            next_folder: 1,
            named: HashMap::new(),
            next_named: NAMED_ID_FIRST,
            closed: false,
        }
    }

    /// Adds the folder of a role, when the mailbox is made.
    pub(super) fn add_special_folder(&mut self, role: Role) {
        let (name, class) = role.defaults();
        let mut folder = Folder::new(self.new_folder_id(), self.epochs.next(), name, class);
        folder.role = Some(role);
        folder.changed = self.bump();
        self.folders.insert(folder.id, folder);
    }

    /// The mailbox was removed: stores that have it open find nothing more.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.folders.clear();
        self.deleted.clear();
        self.notify(Notice::Hierarchy);
    }

    /// Errors: `NotFound` once the mailbox was removed.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.closed {
            return Err(Error::new(ErrorKind::NotFound, "the mailbox was removed"));
        }
        Ok(())
    }

    /// Begins a change of the hierarchy: its version.
    pub(super) fn bump(&mut self) -> Version {
        self.version.0 += 1;
        self.version
    }

    pub(super) fn new_folder_id(&mut self) -> FolderId {
        let id = FolderId(self.next_folder);
        self.next_folder += 1;
        id
    }

    /// A key that no item of this folder has: replica GUID and 6-byte counter. Source: GID, MS-OXCDATA 2.2.1.3.
    pub(super) fn new_key(&mut self, folder: FolderId) -> ItemKey {
        loop {
            let counter = self.next_key.to_be_bytes();
            self.next_key += 1;
            let bytes = self.replica.iter().chain(counter.iter().skip(2)).copied();
            let key = ItemKey(bytes.collect());
            // Callers may have chosen a key that looks like one of ours: a message moved by copy and delete.
            if self
                .folders
                .get(&folder)
                .is_none_or(|folder| folder.number_of(&key).is_none())
            {
                return key;
            }
        }
    }

    /// Tells whoever listens; nobody need.
    pub(super) fn notify(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    pub(super) fn named(&mut self, names: &[PropName], create: bool) -> Result<Vec<Option<u16>>> {
        let unknown =
            |name: &&PropName| fixed_id(name).is_none() && !self.named.contains_key(*name);
        let fresh = names.iter().filter(unknown).count();
        if create && fresh > usize::from(NAMED_ID_LAST - self.next_named) {
            return Err(Error::new(
                ErrorKind::Quota,
                "the named property ids are used up",
            ));
        }
        Ok(names
            .iter()
            .map(|name| self.named_one(name, create))
            .collect())
    }

    pub(super) fn names(&self, ids: &[u16]) -> Vec<Option<PropName>> {
        let given = |id: u16| self.named.iter().find(|(_, given)| **given == id);
        let name = |id: &u16| fixed_name(*id).or_else(|| given(*id).map(|(name, _)| name.clone()));
        ids.iter().map(name).collect()
    }

    fn named_one(&mut self, name: &PropName, create: bool) -> Option<u16> {
        let known = fixed_id(name).or_else(|| self.named.get(name).copied());
        if known.is_some() || !create {
            return known;
        }
        let id = self.next_named;
        self.next_named += 1;
        self.named.insert(name.clone(), id);
        Some(id)
    }
}

/// Every property a change touches.
pub(super) fn touched(change: &Change) -> impl Iterator<Item = PropTag> {
    let set = change.set.iter().map(|(tag, _)| *tag);
    let bits = change.bits.iter().map(|bits| bits.tag);
    let strings = change.strings.iter().map(|strings| strings.tag);
    set.chain(change.delete.iter().copied())
        .chain(bits)
        .chain(strings)
}
