//! Asking to be told of events, and who is told of which. Source: MS-OXCNOTIF 3.1.4, 3.2.5.

use mapi_wire::{
    Id,
    rop::{
        Change, Event as WireEvent, Notify, ObjectEvent, Origin, RegisterNotification,
        RegisterNotificationResponse, Scope, TableChange, TableEvent,
    },
    text::Text,
};

use super::{
    call::{Call, Outcome, fid_of, mid_of},
    objects::{Object, Subscription, TableKind},
};
use crate::{
    config::Limits,
    faults::NotificationFault,
    model::{
        contents::Shown,
        event::{Event, Happening},
        ids::{Fid, Mid},
        permission::Rights,
    },
    session::Session,
};

/// Registers for notifications.
pub(crate) fn register(call: &mut Call<'_>, ask: &RegisterNotification) -> Outcome {
    let mailbox = call.mailbox(ask.input)?;
    let subscription = match ask.scope {
        Scope::WholeStore => Subscription {
            types: ask.notification_types,
            folder: None,
            message: None,
        },
        Scope::Object {
            folder_id,
            message_id,
        } => {
            let folder = fid_of(folder_id)?;
            mailbox.folder(folder)?;
            call.need(mailbox, folder, Rights::VISIBLE)?;
            Subscription {
                types: ask.notification_types,
                folder: Some(folder),
                message: (message_id != Id::default())
                    .then(|| mid_of(message_id))
                    .transpose()?,
            }
        }
    };
    call.open(ask.output, ask.input, Object::Subscription(subscription))?;
    Ok(RegisterNotificationResponse { index: ask.output }.into())
}

/// What happened in a mailbox.
pub(crate) struct News<'a> {
    /// The key of the mailbox.
    pub(crate) mailbox: &'a str,
    /// What happened.
    pub(crate) events: &'a [Event],
    /// What goes wrong with notifications.
    pub(crate) fault: NotificationFault,
    /// How much of everything.
    pub(crate) limits: &'a Limits,
}

impl News<'_> {
    /// Tells a session context what it asked to be told.
    pub(crate) fn tell(&self, session: &mut Session) {
        let mut found = Vec::new();
        for event in self.events {
            let here = session.objects.iter();
            for (handle, entry) in here.filter(|(_, entry)| *entry.mailbox == *self.mailbox) {
                found.extend(told(&entry.object, event).map(|event| Notify {
                    handle,
                    logon_id: entry.logon,
                    event,
                }));
            }
        }
        for notify in found {
            self.queue(session, notify);
        }
        if !session.notifications.is_empty() {
            session.bell.notify_one();
        }
    }

    fn queue(&self, session: &mut Session, notify: Notify) {
        let full = session.notifications.len() >= self.limits.queued_notifications;
        // Of a table it is enough to say once that it changed.
        let known =
            matches!(notify.event, WireEvent::Table(_)) && session.notifications.contains(&notify);
        if full || known {
            return;
        }
        match self.fault {
            NotificationFault::None => session.notifications.push_back(notify),
            NotificationFault::Drop => {}
            NotificationFault::Double => {
                session.notifications.push_back(notify.clone());
                session.notifications.push_back(notify);
            }
            NotificationFault::Delay => session.delayed.push_back(notify),
        }
    }
}

/// What an open object is told of an event.
fn told(object: &Object, event: &Event) -> Option<WireEvent> {
    match object {
        Object::Subscription(subscription) => {
            subscription.is_for(event).then(|| object_event(event))
        }
        Object::Table(table) if table.notifies && table.rows.is_some() => {
            table_event(table.kind, event)
        }
        _ => None,
    }
}

impl Subscription {
    /// Whether an event is one of those asked for.
    fn is_for(&self, event: &Event) -> bool {
        let place = match (self.folder, self.message) {
            (None, _) => true,
            (Some(folder), Some(message)) => {
                event.folder == folder && event.message == Some(message)
            }
            (Some(folder), None) => {
                let old = event
                    .old
                    .map(|old| old.message.map_or(old.parent, |_| Some(old.folder)));
                event.folder == folder
                    || event.parent == Some(folder)
                    || old.flatten() == Some(folder)
            }
        };
        place && self.types & event.happening.bit() != 0
    }
}

fn object_event(event: &Event) -> WireEvent {
    let parent_folder_id = match event.message {
        Some(_) => None,
        None => Some(wire(event.parent)),
    };
    let origin = || {
        let old = event.old.as_ref();
        let old_id = match event.message {
            Some(_) => old
                .and_then(|old| old.message)
                .map_or(Id::default(), Mid::to_wire),
            None => wire(old.and_then(|old| old.parent)),
        };
        Origin {
            parent_folder_id,
            old_folder_id: wire(old.map(|old| old.folder)),
            old_id,
        }
    };
    let change = match event.happening {
        Happening::NewMail => {
            let (flags, class) = event.mail.clone().unwrap_or_default();
            Change::NewMail {
                message_flags: flags as u32,
                message_class: Text::from(class.as_str()),
            }
        }
        Happening::Created => Change::Created {
            parent_folder_id,
            tags: None,
        },
        Happening::Deleted => Change::Deleted { parent_folder_id },
        Happening::Modified => Change::Modified { tags: None },
        Happening::Moved => Change::Moved(origin()),
        Happening::Copied => Change::Copied(origin()),
    };
    WireEvent::Object(Box::new(ObjectEvent {
        search_folder: false,
        folder_id: event.folder.to_wire(),
        message_id: event.message.map(Mid::to_wire),
        change,
        total_message_count: event.counts.map(|(total, _)| total),
        unread_message_count: event.counts.map(|(_, unread)| unread),
    }))
}

/// That the rows of a table may be others now.
fn table_event(kind: TableKind, event: &Event) -> Option<WireEvent> {
    let message = match kind {
        TableKind::Hierarchy { .. } if event.message.is_none() => false,
        TableKind::Contents {
            fid,
            shown: Shown::Normal | Shown::Associated,
        } if event.message.is_some() => {
            let left = event.old.is_some_and(|old| old.folder == fid);
            (event.folder == fid || left).then_some(true)?
        }
        _ => return None,
    };
    Some(WireEvent::Table(Box::new(TableEvent {
        message,
        search_folder: false,
        change: TableChange::Changed,
    })))
}

fn wire(fid: Option<Fid>) -> Id {
    fid.map_or(Id::default(), Fid::to_wire)
}
