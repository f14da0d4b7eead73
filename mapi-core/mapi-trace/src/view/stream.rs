//! What FastTransfer streams say. Source: MS-OXCFXICS 2.2.4.

use mapi_wire::{
    fast_transfer::{
        Atom, Attachment, Event, Failure, FolderLevel, ListedMessage, Marker, Message,
        MessageChange, PartialChange, Property, PropertyGroup, Value,
    },
    ics::{GroupInfo, Progress},
    value::types,
};

use super::{
    Scene, View,
    hints::error_code,
    property::{self, tag_named},
};
use crate::node::{Entry, Node, VALUE};

/// An event.
pub(crate) fn event(event: &Event, scene: &Scene<'_>) -> Node {
    let titled = |name| Entry::new("event", name);
    let entry = match event {
        Event::Progress(props) => progress(titled("progressTotal"), props, scene),
        Event::Change(change) => message_change(titled("messageChangeFull"), change, scene),
        Event::PartialChange(change) => {
            partial_change(titled("messageChangePartial"), change, scene)
        }
        Event::FolderChange(props) => with(titled("folderChange"), "properties", props, scene),
        Event::Deletions(props) => with(titled("deletions"), "properties", props, scene),
        Event::ReadStates(props) => with(titled("readStateChanges"), "properties", props, scene),
        Event::State(props) => with(titled("state"), "properties", props, scene),
        Event::SyncEnd => titled("IncrSyncEnd"),
        Event::Message(listed) => {
            let ListedMessage {
                associated,
                message: of,
            } = listed.as_ref();
            message(
                titled("message").with("associated", associated.view(scene)),
                of,
                scene,
            )
        }
        Event::Warning(code) => {
            titled("warningInfo").with("code", error_code(code.cast_unsigned()))
        }
        Event::FolderBegin(level, props) => with(
            titled("folder begins").and("level", level_name(*level)),
            "properties",
            props,
            scene,
        ),
        Event::FolderElsewhere(octets) => titled("NewFXFolder").with(
            "replicas",
            Node::octets(octets, "the servers that have the folder"),
        ),
        Event::FolderReplaces(tag) => titled("FXDelProp").with("of", tag.view(scene)),
        Event::FolderEnd(level) => titled("folder ends").and("level", level_name(*level)),
        Event::Content(of) => message(titled("messageContent"), of, scene),
        Event::AttachmentContent(of) => attachment(titled("attachmentContent"), of, scene),
        Event::Failure(props) => failure(titled("errorInfo"), props, scene),
    };
    entry.into()
}

/// An atom: of what has not become an event.
pub(crate) fn atom(atom: &Atom, scene: &Scene<'_>) -> Node {
    match atom {
        Atom::Marker(marker) => Entry::new("marker", marker_name(*marker)).into(),
        Atom::Property(property) => property.view(scene),
    }
}

fn marker_name(marker: Marker) -> String {
    format!("{marker:?}")
}

const fn level_name(level: FolderLevel) -> &'static str {
    match level {
        FolderLevel::Top => "topFolder",
        FolderLevel::Sub => "subFolder",
        FolderLevel::Content => "folderContent",
    }
}

fn with(entry: Entry, name: &'static str, props: &[Property], scene: &Scene<'_>) -> Entry {
    entry.with(name, props.view(scene))
}

fn progress(entry: Entry, props: &[Property], scene: &Scene<'_>) -> Entry {
    let entry = with(entry, "properties", props, scene);
    match Progress::from_properties(props) {
        Ok(Progress {
            associated_count,
            associated_octets,
            normal_count,
            normal_octets,
        }) => entry
            .with("associated_count", associated_count.view(scene))
            .with("associated_octets", associated_octets.view(scene))
            .with("normal_count", normal_count.view(scene))
            .with("normal_octets", normal_octets.view(scene)),
        Err(_) => entry,
    }
}

fn failure(entry: Entry, props: &[Property], scene: &Scene<'_>) -> Entry {
    let mut entry = with(entry, "properties", props, scene);
    if let Some(Failure {
        code,
        folder,
        message,
    }) = Failure::from_properties(props)
    {
        entry.push("code", error_code(code));
        entry.push_some("folder", folder.map(|id| id.view(scene)));
        entry.push_some("message", message.map(|id| id.view(scene)));
    }
    entry
}

fn message_change(entry: Entry, change: &MessageChange, scene: &Scene<'_>) -> Entry {
    let MessageChange {
        progress,
        header,
        message: of,
    } = change;
    let mut entry = entry;
    entry.push_some("progress", progress.as_ref().map(|props| props.view(scene)));
    entry.push("header", header.view(scene));
    message(entry, of, scene)
}

fn partial_change(entry: Entry, change: &PartialChange, scene: &Scene<'_>) -> Entry {
    let PartialChange {
        progress,
        group_info,
        group_id,
        header,
        groups,
        children,
    } = change;
    let mut entry = entry;
    entry.push_some("progress", progress.as_ref().map(|props| props.view(scene)));
    if let Some(props) = group_info {
        entry.push("group_info", props.view(scene));
        if let Ok(GroupInfo { id, groups }) = GroupInfo::from_properties(props) {
            let group =
                |group: &Vec<mapi_wire::ics::GroupedProperty>| {
                    Node::list(group.iter().map(|property| {
                        tag_named(property.tag, property.name.as_ref(), scene).into()
                    }))
                };
            let grouping = Entry::default()
                .with("id", id.view(scene))
                .with("groups", Node::list(groups.iter().map(group)));
            entry.push("grouping", grouping);
        }
    }
    entry.push_some("group_id", group_id.map(|id| id.view(scene)));
    entry.push("header", header.view(scene));
    let groups = groups.iter().map(|PropertyGroup { index, props }| {
        Entry::default()
            .with("index", index.view(scene))
            .with("properties", props.view(scene))
            .into()
    });
    entry.push("groups", Node::list(groups));
    message(entry, children, scene)
}

fn message(entry: Entry, message: &Message, scene: &Scene<'_>) -> Entry {
    let Message {
        props,
        replaces_recipients,
        recipients,
        replaces_attachments,
        attachments,
    } = message;
    let mut entry = with(entry, "properties", props, scene);
    if *replaces_recipients || !recipients.is_empty() {
        entry.push("replaces_recipients", replaces_recipients.view(scene));
        entry.push("recipients", recipients.view(scene));
    }
    if *replaces_attachments || !attachments.is_empty() {
        entry.push("replaces_attachments", replaces_attachments.view(scene));
        let attachments = attachments.iter();
        let attachments = attachments.map(|of| attachment(Entry::default(), of, scene).into());
        entry.push("attachments", Node::list(attachments));
    }
    entry
}

fn attachment(entry: Entry, attachment: &Attachment, scene: &Scene<'_>) -> Entry {
    let Attachment { props, embedded } = attachment;
    let mut entry = with(entry, "properties", props, scene);
    if let Some(embedded) = embedded {
        entry.push("embedded", message(Entry::default(), embedded, scene));
    }
    entry
}

/// A property as it is in the stream; what would come back otherwise from its plain form is said as well.
impl View for Property {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let Self { tag, name, value } = self;
        let entry = tag_named(*tag, name.as_ref(), scene);
        let plain = self.to_tagged();
        let shown = match (&plain, value) {
            (_, Value::Bool(octets)) if *octets > 1 => Node::Word(format!("{octets:#06x}")),
            (Some(plain), _) => property::value(plain.tag, &plain.value, scene),
            (None, Value::Octets(octets)) => Node::octets(octets, "not a value of its type"),
            (None, value) => Node::Word(format!("{value:?}")),
        };
        match lacks_its_nul(self) {
            true => entry.and("ends", "without NUL"),
            false => entry,
        }
        .with(VALUE, shown)
        .into()
    }
}

/// Whether it is a string without the NUL that most servers write.
fn lacks_its_nul(property: &Property) -> bool {
    match (property.kind(), &property.value) {
        (types::STRING, Value::Octets(octets)) => !octets.ends_with(&[0, 0]),
        (types::STRING8, Value::Octets(octets)) => !octets.ends_with(&[0]),
        _ => false,
    }
}
