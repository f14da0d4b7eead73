//! Any properties, messages and streams, for properties of the code that hold for all of them.

use mapi_types::PropTag;
use mapi_wire::{
    Guid, Utf16,
    fast_transfer::{
        Attachment, Event, FolderLevel, ListedMessage, Message, MessageChange, PartialChange,
        Property, PropertyGroup, Value,
    },
    property_name::{NameId, PropertyName},
};
use proptest::{collection::vec, prelude::*};

/// A value with the types that have its shape.
fn value() -> impl Strategy<Value = (u16, Value)> {
    let octets = || vec(any::<u8>(), 0..40).prop_map(Box::from);
    let of = |kinds: &'static [u16]| prop::sample::select(kinds);
    prop_oneof![
        (of(&[0x02]), any::<i16>().prop_map(Value::I16)),
        (of(&[0x03, 0x0a]), any::<i32>().prop_map(Value::I32)),
        (of(&[0x04]), any::<f32>().prop_map(Value::F32)),
        (of(&[0x05, 0x07]), any::<f64>().prop_map(Value::F64)),
        (of(&[0x06, 0x14, 0x40]), any::<i64>().prop_map(Value::I64)),
        (of(&[0x0b]), any::<u16>().prop_map(Value::Bool)),
        (
            of(&[0x48]),
            any::<[u8; 16]>().prop_map(|octets| Value::Guid(Guid(octets)))
        ),
        (
            of(&[0x0d, 0x1e, 0x1f, 0xfb, 0x102, 0x84b0, 0x84e4, 0xfde9]),
            octets().prop_map(Value::Octets),
        ),
        (
            of(&[0x1002]),
            vec(any::<i16>(), 0..5).prop_map(|v| Value::I16s(v.into()))
        ),
        (
            of(&[0x1003]),
            vec(any::<i32>(), 0..5).prop_map(|v| Value::I32s(v.into()))
        ),
        (
            of(&[0x1004]),
            vec(any::<f32>(), 0..5).prop_map(|v| Value::F32s(v.into()))
        ),
        (
            of(&[0x1005, 0x1007]),
            vec(any::<f64>(), 0..5).prop_map(|v| Value::F64s(v.into()))
        ),
        (
            of(&[0x1006, 0x1014, 0x1040]),
            vec(any::<i64>(), 0..5).prop_map(|v| Value::I64s(v.into())),
        ),
        (
            of(&[0x1048]),
            vec(any::<[u8; 16]>(), 0..4)
                .prop_map(|v| Value::Guids(v.into_iter().map(Guid).collect())),
        ),
        (
            of(&[0x101e, 0x101f, 0x1102, 0x94b0]),
            vec(octets(), 0..4).prop_map(|v| Value::OctetsList(v.into())),
        ),
    ]
}

fn name() -> impl Strategy<Value = PropertyName> {
    let text = vec(1_u16..=u16::MAX, 0..12).prop_map(|units| NameId::Text(Utf16(units.into())));
    let id = prop_oneof![any::<u32>().prop_map(NameId::Number), text];
    (any::<[u8; 16]>(), id).prop_map(|(set, id)| PropertyName { set: Guid(set), id })
}

/// A property of an object; the words of the grammar have ids from 0x4000 on.
pub(crate) fn property() -> impl Strategy<Value = Property> {
    let id = prop_oneof![
        3 => (1_u16..0x4000).prop_map(|id| (id, None)),
        1 => (0x8000_u16.., name()).prop_map(|(id, name)| (id, Some(name))),
    ];
    (id, value()).prop_map(|((id, name), (kind, value))| Property {
        tag: PropTag(u32::from(id) << 16 | u32::from(kind)),
        name,
        value,
    })
}

fn props() -> impl Strategy<Value = Vec<Property>> {
    vec(property(), 0..5)
}

fn leaf() -> impl Strategy<Value = Message> {
    let recipients = || vec(props(), 0..3);
    (props(), any::<bool>(), recipients(), any::<bool>()).prop_map(
        |(props, replaces_recipients, recipients, replaces_attachments)| Message {
            props,
            replaces_recipients,
            recipients,
            replaces_attachments,
            attachments: Vec::new(),
        },
    )
}

/// A message with messages in it.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let embedded = prop::option::of(inner.prop_map(Box::new));
        let attachment =
            (props(), embedded).prop_map(|(props, embedded)| Attachment { props, embedded });
        (leaf(), vec(attachment, 0..3)).prop_map(|(message, attachments)| Message {
            attachments,
            ..message
        })
    })
}

fn change() -> impl Strategy<Value = Event> {
    (prop::option::of(props()), props(), message()).prop_map(|(progress, header, message)| {
        Event::Change(Box::new(MessageChange {
            progress,
            header,
            message,
        }))
    })
}

fn partial_change() -> impl Strategy<Value = Event> {
    let group = (any::<i32>(), props()).prop_map(|(index, props)| PropertyGroup { index, props });
    let before = (
        prop::option::of(props()),
        prop::option::of(props()),
        any::<Option<i32>>(),
    );
    (before, props(), vec(group, 0..3), message()).prop_map(|(before, header, groups, children)| {
        let (progress, group_info, group_id) = before;
        Event::PartialChange(Box::new(PartialChange {
            progress,
            group_info,
            group_id,
            header,
            groups,
            children: Message {
                props: Vec::new(),
                ..children
            },
        }))
    })
}

fn maybe(event: impl Strategy<Value = Event>) -> impl Strategy<Value = Option<Event>> {
    prop::option::of(event)
}

/// What RopSynchronizationConfigure is answered with.
fn synchronization() -> impl Strategy<Value = Vec<Event>> {
    let changes = prop_oneof![
        vec(prop_oneof![3 => change(), 1 => partial_change()], 0..5),
        vec(props().prop_map(Event::FolderChange), 0..5),
    ];
    (
        maybe(props().prop_map(Event::Progress)),
        changes,
        maybe(props().prop_map(Event::Deletions)),
        maybe(props().prop_map(Event::ReadStates)),
        props().prop_map(Event::State),
    )
        .prop_map(|(progress, changes, deletions, reads, state)| {
            let mut events: Vec<Event> = progress.into_iter().chain(changes).collect();
            events.extend(deletions.into_iter().chain(reads));
            events.extend([state, Event::SyncEnd]);
            events
        })
}

fn listed() -> impl Strategy<Value = Event> {
    (any::<bool>(), message()).prop_map(|(associated, message)| {
        Event::Message(Box::new(ListedMessage {
            associated,
            message,
        }))
    })
}

fn message_list() -> impl Strategy<Value = Vec<Event>> {
    let entry = prop_oneof![
        4 => listed(),
        1 => any::<i32>().prop_map(Event::Warning),
        1 => props().prop_map(Event::Failure),
    ];
    vec(entry, 0..5)
}

/// A copied folder with folders in it.
fn folder() -> impl Strategy<Value = Vec<Event>> {
    let replaces = prop::sample::select(&[0x360f_000d, 0x3610_000d][..]);
    let around = |level, (props, replaces, messages): (_, Option<u32>, Vec<Event>)| {
        let mut events = vec![Event::FolderBegin(level, props)];
        events.extend(replaces.map(|what| Event::FolderReplaces(PropTag(what))));
        events.extend(messages);
        events
    };
    let content = || (props(), prop::option::of(replaces.clone()), message_list());
    let sub = content().prop_map(move |content| {
        let mut events = around(FolderLevel::Sub, content);
        events.push(Event::FolderEnd(FolderLevel::Sub));
        events
    });
    (content(), vec(sub, 0..3)).prop_map(move |(content, subs)| {
        let mut events = around(FolderLevel::Top, content);
        events.extend(subs.into_iter().flatten());
        events.push(Event::FolderEnd(FolderLevel::Top));
        events
    })
}

/// A folder without itself.
fn folder_content() -> impl Strategy<Value = Vec<Event>> {
    (vec(property(), 1..4), vec(listed(), 1..3)).prop_map(|(props, messages)| {
        let mut events = vec![Event::FolderBegin(FolderLevel::Content, props)];
        events.extend(messages);
        events.push(Event::FolderEnd(FolderLevel::Content));
        events
    })
}

/// A message or an attachment that comes alone.
fn content() -> impl Strategy<Value = Event> {
    let something = message().prop_filter("nothing is no message", |message| {
        message != &Message::default()
    });
    prop_oneof![
        something.prop_map(|message| Event::Content(Box::new(message))),
        (props(), message()).prop_map(|(props, message)| {
            Event::AttachmentContent(Box::new(Attachment {
                props,
                embedded: Some(Box::new(message)),
            }))
        }),
    ]
}

/// What any producer writes.
pub(crate) fn stream() -> impl Strategy<Value = Vec<Event>> {
    prop_oneof![
        4 => synchronization(),
        2 => message_list(),
        2 => folder(),
        1 => folder_content(),
        1 => content().prop_map(|event| vec![event]),
        1 => props().prop_map(|props| vec![Event::State(props)]),
    ]
}
