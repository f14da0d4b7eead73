//! What handles stand for: the objects of a session, and the slots of one batch.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use mapi_types::PropTag;
use mapi_wire::{Id, code_page::CodePage, property_name::PropertyName, rop::NO_HANDLE};

use crate::transfer::{StateUpload, Transfer};

/// An object that a client has a handle of.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// What it is, in words.
    pub(crate) title: String,
    /// The logon it belongs to.
    pub(crate) logon_id: u8,
    /// Of a table: its columns. Of a message: those of its recipients.
    pub(crate) columns: Vec<PropTag>,
    /// The code page of its 8-bit strings, where it has one of its own.
    pub(crate) page: Option<CodePage>,
    /// Of a stream: the property it is the value of.
    pub(crate) stream_of: Option<PropTag>,
    /// Of a download or an upload: the stream that goes through it. It is one and the same for a batch and its session,
    /// for what has been read of a stream is read, whatever the answer says.
    pub(crate) transfer: Option<Rc<RefCell<Transfer>>>,
    /// Of what is synchronized: the set that is being uploaded.
    pub(crate) state: Option<StateUpload>,
}

impl Object {
    /// An object of a logon.
    pub(crate) fn new(title: impl Into<String>, logon_id: u8) -> Self {
        Self {
            title: title.into(),
            logon_id,
            columns: Vec::new(),
            page: None,
            stream_of: None,
            transfer: None,
            state: None,
        }
    }
}

/// What is known of a logon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logon {
    /// The folders that every store has, by their ids.
    pub(crate) folders: BTreeMap<Id, &'static str>,
    /// Names of properties, by their ids in this mailbox.
    pub(crate) names: BTreeMap<u16, PropertyName>,
}

/// The objects and logons of a session.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// By handle.
    pub(crate) by_handle: BTreeMap<u32, Object>,
    /// By logon id.
    pub(crate) logons: BTreeMap<u8, Logon>,
}

/// Where an object of a batch is kept: a slot that the batch fills is an object of its own until handles are known.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Place {
    Handle(u32),
    Slot(u8),
}

/// One batch: what its requests change is kept apart from the session, until the answer says that it is so.
#[derive(Clone, Debug)]
pub(crate) struct Batch<'s> {
    objects: &'s Objects,
    /// The handle table before the batch.
    handles: Vec<u32>,
    /// The handle table after it, once it is known.
    answered: Vec<u32>,
    /// Objects that the batch made, changed or released (then none).
    changed: BTreeMap<Place, Option<Object>>,
    /// Logons that the batch made.
    logons: BTreeMap<u8, Logon>,
}

/// What a batch did to the session.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    objects: Vec<(u32, Option<Object>)>,
    logons: BTreeMap<u8, Logon>,
}

impl<'s> Batch<'s> {
    /// A batch with this handle table.
    pub(crate) fn new(objects: &'s Objects, handles: &[u32]) -> Self {
        Self {
            objects,
            handles: handles.to_vec(),
            answered: Vec::new(),
            changed: BTreeMap::new(),
            logons: BTreeMap::new(),
        }
    }

    /// The batch with the handle table of its answer.
    #[must_use]
    pub(crate) fn answered(mut self, handles: &[u32]) -> Self {
        self.answered = handles.to_vec();
        self
    }

    /// The handle in a slot, as far as it is known.
    pub(crate) fn handle_now(&self, slot: u8) -> Option<u32> {
        let made = self.changed.contains_key(&Place::Slot(slot));
        let after = self.answered.get(usize::from(slot)).copied();
        let after = after.filter(|handle| made && *handle != NO_HANDLE);
        after.or_else(|| self.handle(slot).filter(|_| !made))
    }

    /// Whether the batch itself made the object in a slot.
    pub(crate) fn has_made(&self, slot: u8) -> bool {
        self.changed.contains_key(&Place::Slot(slot))
    }

    /// The handle in a slot, if there was one before the batch.
    fn handle(&self, slot: u8) -> Option<u32> {
        let handle = self.handles.get(usize::from(slot)).copied()?;
        (handle != NO_HANDLE).then_some(handle)
    }

    /// The object in a slot.
    pub(crate) fn object(&self, slot: u8) -> Option<&Object> {
        self.at(self.place(slot)?)
    }

    /// The object with a handle.
    pub(crate) fn object_of(&self, handle: u32) -> Option<&Object> {
        self.at(Place::Handle(handle))
    }

    /// The logon with this id.
    pub(crate) fn logon(&self, logon_id: u8) -> Option<&Logon> {
        let made = self.logons.get(&logon_id);
        made.or_else(|| self.objects.logons.get(&logon_id))
    }

    /// Changes the object in a slot, if it is known.
    pub(crate) fn change<T>(
        &mut self,
        slot: u8,
        change: impl FnOnce(&mut Object) -> T,
    ) -> Option<T> {
        let place = self.place(slot)?;
        if let Some(Some(object)) = self.changed.get_mut(&place) {
            return Some(change(object));
        }
        let mut object = self.at(place)?.clone();
        let result = change(&mut object);
        self.changed.insert(place, Some(object));
        Some(result)
    }

    /// Makes an object whose handle goes to a slot.
    pub(crate) fn make(&mut self, slot: u8, object: Object) {
        self.changed.insert(Place::Slot(slot), Some(object));
    }

    /// Takes note of a logon. What belonged to its id before is gone.
    pub(crate) fn log_on(&mut self, logon_id: u8, logon: Logon) {
        self.log_off(logon_id);
        self.logons.insert(logon_id, logon);
    }

    /// Changes what is known of a logon.
    pub(crate) fn change_logon(&mut self, logon_id: u8, change: impl FnOnce(&mut Logon)) {
        let known = self.objects.logons.get(&logon_id);
        let logon = self.logons.entry(logon_id);
        change(logon.or_insert_with(|| known.cloned().unwrap_or_default()));
    }

    /// Gives an object back.
    pub(crate) fn release(&mut self, slot: u8) {
        let Some(place) = self.place(slot) else {
            return;
        };
        match place {
            Place::Slot(_) => drop(self.changed.remove(&place)),
            Place::Handle(_) => drop(self.changed.insert(place, None)),
        }
    }

    /// The batch is over.
    pub(crate) fn finish(self) -> Changes {
        let handles = self.answered;
        let objects = self.changed.into_iter().filter_map(|(place, object)| {
            let handle = match place {
                Place::Handle(handle) => handle,
                Place::Slot(slot) => *handles.get(usize::from(slot))?,
            };
            (handle != NO_HANDLE).then_some((handle, object))
        });
        Changes {
            objects: objects.collect(),
            logons: self.logons,
        }
    }

    fn place(&self, slot: u8) -> Option<Place> {
        match self.changed.contains_key(&Place::Slot(slot)) {
            true => Some(Place::Slot(slot)),
            false => self.handle(slot).map(Place::Handle),
        }
    }

    fn at(&self, place: Place) -> Option<&Object> {
        match (self.changed.get(&place), place) {
            (Some(object), _) => object.as_ref(),
            (None, Place::Handle(handle)) => self.objects.by_handle.get(&handle),
            (None, Place::Slot(_)) => None,
        }
    }

    fn log_off(&mut self, logon_id: u8) {
        let of_it = |object: &&Object| object.logon_id == logon_id;
        let known = self.objects.by_handle.iter();
        for (handle, _) in known.filter(|(_, object)| of_it(object)) {
            self.changed.insert(Place::Handle(*handle), None);
        }
        self.changed.retain(|_, object| match object {
            Some(object) => object.logon_id != logon_id,
            None => true,
        });
    }
}

/// A copy has streams of its own.
impl Clone for Objects {
    fn clone(&self) -> Self {
        let own = |transfer: &Rc<RefCell<Transfer>>| Rc::new(RefCell::clone(transfer));
        let objects = self.by_handle.iter().map(|(handle, object)| {
            let mut object = object.clone();
            object.transfer = object.transfer.as_ref().map(own);
            (*handle, object)
        });
        Self {
            by_handle: objects.collect(),
            logons: self.logons.clone(),
        }
    }
}

impl Objects {
    /// Takes over what a batch did.
    pub(crate) fn apply(&mut self, changes: Changes) {
        for (handle, object) in changes.objects {
            match object {
                Some(object) => drop(self.by_handle.insert(handle, object)),
                None => drop(self.by_handle.remove(&handle)),
            }
        }
        self.logons.extend(changes.logons);
    }
}

/// Folders of a mailbox, in the order of a logon's response. Source: MS-OXCSTOR 2.2.1.1.3.
const MAILBOX_FOLDERS: [&str; 13] = [
    "Root",
    "Deferred Action",
    "Spooler Queue",
    "IPM Subtree",
    "Inbox",
    "Outbox",
    "Sent Items",
    "Deleted Items",
    "Common Views",
    "Schedule",
    "Search",
    "Views",
    "Shortcuts",
];

/// Folders of a store of public folders. Source: MS-OXCSTOR 2.2.1.1.4.
const PUBLIC_FOLDERS: [&str; 13] = [
    "Root",
    "IPM Subtree",
    "Non-IPM Subtree",
    "EFORMS Registry",
    "Free/Busy Data",
    "OAB Data",
    "EForms Registry of the locale",
    "Free/Busy Data of the site",
    "OAB Data of the site",
    "NNTP Article Index",
    "Unused 1",
    "Unused 2",
    "Unused 3",
];

/// What the folders of a logon's response are.
pub(crate) const fn folder_names(is_mailbox: bool) -> [&'static str; 13] {
    match is_mailbox {
        true => MAILBOX_FOLDERS,
        false => PUBLIC_FOLDERS,
    }
}
