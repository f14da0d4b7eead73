//! What a server tells of by itself, as hints: which folder to look at.
//!
//! A hint may be lost, doubled or late; truth is in the synchronization. Source: MS-OXCNOTIF 2.2.1.4.

use std::collections::HashSet;

use mapi_types::{PropTag, tags};
use mapi_wire::{
    Id,
    rop::{self, Change, Notify, notification_types},
};

use super::StoreName;

/// Something changed in a store: all that one answer told of it, so that nobody looks twice.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Which store.
    pub(crate) store: StoreName,
    /// Where.
    pub(crate) places: HashSet<Place>,
}

/// Where something changed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
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

/// The message that a notification is about. New mail is told of several times.
pub(crate) fn message(notify: &Notify) -> Option<Id> {
    match &notify.event {
        rop::Event::Object(event) => event.message_id,
        _ => None,
    }
}

/// The places that a notification names.
pub(crate) fn places(notify: &Notify) -> Vec<Place> {
    let rop::Event::Object(event) = &notify.event else {
        return Vec::new();
    };
    if event.message_id.is_none() {
        let folder = Place::Contents(event.folder_id);
        return match &event.change {
            Change::Modified { tags } if has_new_counts_only(event, tags.as_deref()) => {
                vec![folder]
            }
            // It may have new counts as well: its messages are worth a look, too.
            Change::Modified { .. } => vec![folder, Place::Hierarchy],
            _ => vec![Place::Hierarchy],
        };
    }
    let mut places = vec![Place::Contents(event.folder_id)];
    if let Change::Moved(origin) = &event.change {
        places.push(Place::Contents(origin.old_folder_id));
    }
    places
}

/// Whether a folder is as it was but for the number of its messages. Source: MS-OXCNOTIF 2.2.1.4.1.2 (bits 0x1000 and
/// 0x2000 of NotificationFlags).
fn has_new_counts_only(event: &rop::ObjectEvent, changed: Option<&[PropTag]>) -> bool {
    let counts = [
        tags::CONTENT_COUNT.tag(),
        tags::CONTENT_UNREAD_COUNT.tag(),
        tags::MESSAGE_SIZE.tag(),
        tags::LAST_MODIFICATION_TIME.tag(),
    ];
    let is_count = |tag: &PropTag| counts.iter().any(|count| count.id() == tag.id());
    (event.total_message_count.is_some() || event.unread_message_count.is_some())
        && changed.unwrap_or_default().iter().all(is_count)
}

#[cfg(test)]
mod tests {
    use mapi_wire::Globcnt;

    use super::*;

    fn folder(total: Option<u32>, changed: Option<&[PropTag]>) -> Vec<Place> {
        let event = rop::ObjectEvent {
            search_folder: false,
            folder_id: id(),
            message_id: None,
            change: Change::Modified {
                tags: changed.map(<[_]>::to_vec),
            },
            total_message_count: total,
            unread_message_count: None,
        };
        places(&Notify {
            handle: 1,
            logon_id: 0,
            event: rop::Event::Object(Box::new(event)),
        })
    }

    fn id() -> Id {
        Id {
            replid: 1,
            globcnt: Globcnt::from_u64(9),
        }
    }

    #[test]
    fn a_folder_with_new_counts_is_no_reason_to_read_the_tree() {
        let contents = Place::Contents(id());
        let count = tags::CONTENT_COUNT.tag();
        let name = tags::DISPLAY_NAME.tag();
        let check = |total, changed: Option<&[PropTag]>, expected: &[Place]| {
            assert_eq!(folder(total, changed), expected, "{total:?} {changed:?}");
        };
        check(Some(3), None, &[contents]);
        check(Some(3), Some(&[count]), &[contents]);
        check(Some(3), Some(&[count, name]), &[contents, Place::Hierarchy]);
        check(None, None, &[contents, Place::Hierarchy]);
        check(None, Some(&[count]), &[contents, Place::Hierarchy]);
    }
}
