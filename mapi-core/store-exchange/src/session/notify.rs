//! What a server tells of by itself, as hints: which folder to look at.
//!
//! A hint may be lost, doubled or late; truth is in the synchronization. Source: MS-OXCNOTIF 2.2.1.4.

use mapi_wire::{
    Id,
    rop::{self, Change, Notify, notification_types},
};

use super::StoreName;

/// Something changed in a store.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Which store.
    pub(crate) store: StoreName,
    /// Where.
    pub(crate) place: Place,
}

/// Where something changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// Among the messages of this folder.
    Contents(Id),
    /// In the folder tree.
    Hierarchy,
    /// Not known: notifications may have been missed.
    Anywhere,
}

/// Kinds of events a mirror wants to hear of.
pub(crate) const WANTED: u16 = notification_types::NEW_MAIL
    | notification_types::OBJECT_CREATED
    | notification_types::OBJECT_DELETED
    | notification_types::OBJECT_MODIFIED
    | notification_types::OBJECT_MOVED
    | notification_types::OBJECT_COPIED;

/// The places that a notification names.
pub(crate) fn places(notify: &Notify) -> Vec<Place> {
    let rop::Event::Object(event) = &notify.event else {
        return Vec::new();
    };
    if event.message_id.is_none() {
        // A folder that changed may have new counts only: its messages are worth a look, too.
        return match event.change {
            Change::Modified { .. } => vec![Place::Contents(event.folder_id), Place::Hierarchy],
            _ => vec![Place::Hierarchy],
        };
    }
    let mut places = vec![Place::Contents(event.folder_id)];
    if let Change::Moved(origin) = &event.change {
        places.push(Place::Contents(origin.old_folder_id));
    }
    places
}
