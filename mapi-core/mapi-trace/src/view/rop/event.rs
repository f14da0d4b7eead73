//! Source: MS-OXCROPS 2.2.14, MS-OXCNOTIF 2.2.1.

use mapi_wire::rop::*;

use super::slot::{self, slot, target};
use crate::{
    names::codes::{message, notification},
    node::{Entry, Node},
    view::{Scene, View, hints::bits, row, views},
};

views! {
    RegisterNotification {
        logon_id, input: slot, output: target,
        notification_types: bits(notification::TYPES), reserved, scope,
    }
    RegisterNotificationResponse { index: slot }
    Pending { session_index }
}

impl View for Scope {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::WholeStore => Node::word("whole store"),
            Self::Object {
                folder_id,
                message_id,
            } => Entry::default()
                .with("folder_id", folder_id.view(scene))
                .with("message_id", message_id.view(scene))
                .into(),
        }
    }
}

impl View for Notify {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self {
            handle,
            logon_id,
            event,
        } = self;
        let object = scene.batch.and_then(|batch| batch.object_of(*handle));
        let columns = object.map_or(&[][..], |object| &object.columns);
        let logon = scene.batch.and_then(|batch| batch.logon(*logon_id));
        let within = Scene {
            columns,
            logon,
            ..*scene
        };
        let mut entry = Entry::default().with("handle", slot::handle(*handle));
        entry.push_some("object", object.map(|object| Node::word(&object.title)));
        entry.push("logon_id", logon_id.view(scene));
        entry.push("event", event.view(&within));
        entry.into()
    }
}

impl View for Event {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Object(event) => event.view(scene),
            Self::Table(event) => event.view(scene),
            Self::Extended {
                message,
                search_folder,
            } => Entry::new("event", "Extended")
                .with("message", message.view(scene))
                .with("search_folder", search_folder.view(scene))
                .into(),
        }
    }
}

impl View for ObjectEvent {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self {
            search_folder,
            folder_id,
            message_id,
            change,
            total_message_count,
            unread_message_count,
        } = self;
        let mut entry = change_entry(change, scene);
        entry.push("search_folder", search_folder.view(scene));
        entry.push("folder_id", folder_id.view(scene));
        entry.push_some("message_id", message_id.map(|id| id.view(scene)));
        let counts = [
            ("total_message_count", total_message_count),
            ("unread_message_count", unread_message_count),
        ];
        for (name, count) in counts {
            entry.push_some(name, count.map(|count| count.view(scene)));
        }
        entry.into()
    }
}

fn change_entry(change: &Change, scene: &Scene<'_>) -> Entry {
    let event = |name| Entry::new("event", name);
    let parent = |mut entry: Entry, id: &Option<mapi_wire::Id>| {
        entry.push_some("parent_folder_id", id.map(|id| id.view(scene)));
        entry
    };
    let tags = |entry: Entry, tags: &Option<Vec<_>>| {
        let tags = tags.as_ref().map(|tags| tags.view(scene));
        entry.with("tags", tags.unwrap_or_else(|| Node::word("not said")))
    };
    let origin = |entry, origin: &Origin| {
        let Origin {
            parent_folder_id,
            old_folder_id,
            old_id,
        } = origin;
        parent(entry, parent_folder_id)
            .with("old_folder_id", old_folder_id.view(scene))
            .with("old_id", old_id.view(scene))
    };
    match change {
        Change::NewMail {
            message_flags,
            message_class,
        } => {
            let is_unicode = matches!(message_class, mapi_wire::text::Text::Unicode(_));
            event("NewMail")
                .with("message_flags", bits(message::FLAGS)(message_flags, scene))
                .with("unicode", is_unicode.view(scene))
                .with("message_class", message_class.view(scene))
        }
        Change::Created {
            parent_folder_id,
            tags: properties,
        } => tags(parent(event("ObjectCreated"), parent_folder_id), properties),
        Change::Deleted { parent_folder_id } => parent(event("ObjectDeleted"), parent_folder_id),
        Change::Modified { tags: properties } => tags(event("ObjectModified"), properties),
        Change::Moved(from) => origin(event("ObjectMoved"), from),
        Change::Copied(from) => origin(event("ObjectCopied"), from),
        Change::SearchComplete => event("SearchComplete"),
    }
}

impl View for TableEvent {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self {
            message,
            search_folder,
            change,
        } = self;
        let event = |name| Entry::new("event", name);
        let mut entry = match change {
            TableChange::Changed => event("TableChanged"),
            TableChange::RowAdded(row) => added(event("TableRowAdded"), row, scene),
            TableChange::RowDeleted(id) => event("TableRowDeleted").with("id", id.view(scene)),
            TableChange::RowModified(row) => added(event("TableRowModified"), row, scene),
            TableChange::RestrictionChanged => event("TableRestrictionChanged"),
        };
        entry.push("message", message.view(scene));
        entry.push("search_folder", search_folder.view(scene));
        entry.into()
    }
}

fn added(entry: Entry, row: &AddedRow, scene: &Scene<'_>) -> Entry {
    let AddedRow { id, after, data } = row;
    let data = match data {
        RowData::Row(row) => row::row(row, scene.columns, scene),
        RowData::Octets(octets) => Node::octets(octets, "a row of columns that are not known here"),
    };
    entry
        .with("id", id.view(scene))
        .with("after", after.view(scene))
        .with("data", data)
}

impl View for RowId {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self { folder_id, message } = self;
        let mut entry = Entry::default().with("folder_id", folder_id.view(scene));
        if let Some((message_id, instance)) = message {
            entry.push("message_id", message_id.view(scene));
            entry.push("instance", instance.view(scene));
        }
        entry.into()
    }
}
