//! The syntactical layer: what every producer writes, and what none may.

use mapi_types::PropTag;
use mapi_wire::{
    DecodeError,
    cursor::DEPTH_MAX,
    fast_transfer::{
        Atom, Attachment, Encoder, Event, FOLDER_DEPTH_MAX, FolderLevel, Limits, ListedMessage,
        Marker, Message, Parser, PartialChange, Property, PropertyGroup, meta,
    },
};

/// A property of any object.
pub(crate) fn p(value: i32) -> Atom {
    Atom::Property(prop(value))
}

pub(crate) fn prop(value: i32) -> Property {
    Property::i32(0x0001_0003, value)
}

pub(crate) fn m(marker: Marker) -> Atom {
    Atom::Marker(marker)
}

pub(crate) fn meta(tag: PropTag, value: u32) -> Atom {
    Atom::Property(Property::i32(tag.0, value.cast_signed()))
}

pub(crate) fn encode(atoms: &[Atom]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    atoms.iter().for_each(|atom| encoder.atom(atom));
    encoder.into_bytes()
}

/// The events of a stream that comes in pieces, up to its end or an error.
pub(crate) fn parse<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Event>, Result<(), DecodeError>) {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    let mut drain = |parser: &mut Parser| loop {
        match parser.next_event() {
            Ok(Some(event)) => events.push(event),
            Ok(None) => return Ok(()),
            Err(error) => return Err(error),
        }
    };
    let read = || {
        for piece in pieces {
            parser.feed(piece);
            drain(&mut parser)?;
        }
        parser.finish()?;
        drain(&mut parser)
    };
    let end = read();
    (events, end)
}

fn check(atoms: &[Atom], events: &[Event]) {
    let wire = encode(atoms);
    assert_eq!(parse([wire.as_slice()]), (events.to_vec(), Ok(())));
    let mut encoder = Encoder::new();
    events.iter().for_each(|event| encoder.event(event));
    assert_eq!(encoder.into_bytes(), wire, "written back");
}

pub(crate) fn message(value: i32) -> Message {
    Message {
        props: vec![prop(value)],
        ..Message::default()
    }
}

pub(crate) fn listed(value: i32) -> Event {
    Event::Message(Box::new(ListedMessage {
        associated: false,
        message: message(value),
    }))
}

#[test]
fn a_partial_change_has_groups_and_children() {
    let change = PartialChange {
        progress: Some(vec![prop(1)]),
        group_info: Some(vec![prop(2)]),
        group_id: Some(3),
        header: vec![prop(4)],
        groups: vec![
            PropertyGroup {
                index: 0,
                props: vec![prop(5)],
            },
            PropertyGroup {
                index: -1,
                props: vec![],
            },
        ],
        children: Message {
            replaces_recipients: true,
            recipients: vec![vec![prop(6)]],
            ..Message::default()
        },
    };
    let state = vec![prop(7)];
    check(
        &[
            m(Marker::MessageProgress),
            p(1),
            m(Marker::GroupInfo),
            p(2),
            meta(meta::GROUP_ID, 3),
            m(Marker::PartialChange),
            p(4),
            meta(meta::GROUP, 0),
            p(5),
            meta(meta::GROUP, u32::MAX),
            meta(meta::DELETES, meta::DELETES_RECIPIENTS),
            m(Marker::StartRecipient),
            p(6),
            m(Marker::EndRecipient),
            m(Marker::StateBegin),
            p(7),
            m(Marker::StateEnd),
            m(Marker::SyncEnd),
        ],
        &[
            Event::PartialChange(Box::new(change)),
            Event::State(state),
            Event::SyncEnd,
        ],
    );
}

#[test]
fn folders_contain_messages_for_people_and_programs_and_folders() {
    let hidden = ListedMessage {
        associated: true,
        message: message(2),
    };
    check(
        &[
            m(Marker::StartTopFolder),
            p(1),
            meta(meta::DELETES, meta::DELETES_ASSOCIATED),
            m(Marker::StartAssociatedMessage),
            p(2),
            m(Marker::EndMessage),
            meta(meta::WARNING, 9),
            m(Marker::StartMessage),
            p(3),
            m(Marker::EndMessage),
            m(Marker::StartSubFolder),
            p(4),
            Atom::Property(Property::binary(meta::NEW_FOLDER.0, &[8])),
            m(Marker::EndFolder),
            m(Marker::EndFolder),
        ],
        &[
            Event::FolderBegin(FolderLevel::Top, vec![prop(1)]),
            Event::FolderReplaces(PropTag(meta::DELETES_ASSOCIATED)),
            Event::Message(Box::new(hidden)),
            Event::Warning(9),
            listed(3),
            Event::FolderBegin(FolderLevel::Sub, vec![prop(4)]),
            Event::FolderElsewhere([8].into()),
            Event::FolderEnd(FolderLevel::Sub),
            Event::FolderEnd(FolderLevel::Top),
        ],
    );
}

/// RopFastTransferSourceCopyTo on a folder, a message or an attachment writes no marker around them.
#[test]
fn content_without_markers_shows_by_what_follows() {
    let folder = |events: Vec<Event>| {
        let begin = Event::FolderBegin(FolderLevel::Content, vec![prop(1)]);
        let end = Event::FolderEnd(FolderLevel::Content);
        [vec![begin], events, vec![end]].concat()
    };
    check(
        &[p(1), m(Marker::StartMessage), p(2), m(Marker::EndMessage)],
        &folder(vec![listed(2)]),
    );
    check(
        &[p(1), m(Marker::StartSubFolder), p(2), m(Marker::EndFolder)],
        &folder(vec![
            Event::FolderBegin(FolderLevel::Sub, vec![prop(2)]),
            Event::FolderEnd(FolderLevel::Sub),
        ]),
    );
    check(
        &[p(1), meta(meta::DELETES, meta::DELETES_CONTENTS)],
        &folder(vec![Event::FolderReplaces(PropTag(meta::DELETES_CONTENTS))]),
    );
    check(&[p(1)], &[Event::Content(Box::new(message(1)))]);
    let attachment = Attachment {
        props: vec![prop(1)],
        embedded: Some(Box::new(message(2))),
    };
    check(
        &[p(1), m(Marker::StartEmbedded), p(2), m(Marker::EndEmbedded)],
        &[Event::AttachmentContent(Box::new(attachment))],
    );
    check(&[], &[]);
}

#[test]
fn the_prefix_that_is_of_no_use_is_left_out() {
    let prefix = Atom::Property(Property::binary(meta::DN_PREFIX.0, b"x\0"));
    let atoms = [
        prefix.clone(),
        m(Marker::StartMessage),
        prefix,
        p(1),
        m(Marker::EndMessage),
    ];
    assert_eq!(
        parse([encode(&atoms).as_slice()]),
        (vec![listed(1)], Ok(()))
    );
}

/// Each case: a stream, and where it breaks what rule.
fn refuse(cases: &[(&[Atom], usize, &'static str)]) {
    for (atoms, at, expected) in cases {
        let wire = encode(atoms);
        let (at, expected) = (*at, *expected);
        let (_, end) = parse([wire.as_slice()]);
        assert_eq!(end, Err(DecodeError { at, expected }), "{atoms:?}");
    }
}

#[test]
fn what_begins_nothing_is_refused_with_its_place() {
    const BEGINNING: &str = "the beginning of an object";
    let top = || m(Marker::StartTopFolder);
    let message = [m(Marker::StartMessage), m(Marker::EndMessage)];
    refuse(&[
        (&[m(Marker::Message)], 0, BEGINNING),
        (&[m(Marker::EndMessage)], 0, BEGINNING),
        (&[m(Marker::EndFolder)], 0, BEGINNING),
        (&[m(Marker::StateEnd)], 0, BEGINNING),
        (&[m(Marker::EndEmbedded)], 0, BEGINNING),
        (&[top(), top()], 4, BEGINNING),
        (&[&[top()], &message[..], &[p(1)]].concat(), 12, BEGINNING),
    ]);
}

#[test]
fn what_does_not_end_is_refused_with_its_place() {
    use Marker::{
        Change, Deletions, EndAttachment, EndFolder, EndMessage, StartAttachment, StartEmbedded,
        StartMessage, StartRecipient, StartSubFolder, StartTopFolder, StateBegin, StateEnd,
    };
    let all = |markers: &[Marker]| -> Vec<Atom> { markers.iter().copied().map(m).collect() };
    let cases: [(&[Marker], usize, &str); 13] = [
        (&[StartTopFolder], 4, "the rest of an object"),
        (
            &[StartTopFolder, StartSubFolder, EndFolder],
            12,
            "the end of a folder",
        ),
        (&[StartMessage], 4, "the rest of an object"),
        (&[StartMessage, EndFolder], 4, "the end of a message"),
        (&[StartMessage, StartMessage], 4, "the end of a message"),
        (
            &[StartMessage, StartRecipient, EndMessage],
            8,
            "the end of a recipient",
        ),
        (
            &[StartMessage, StartRecipient, EndAttachment],
            8,
            "the end of a recipient",
        ),
        (
            &[StartMessage, StartAttachment, EndMessage],
            8,
            "the end of an attachment",
        ),
        (
            &[StartMessage, StartAttachment, StartEmbedded, EndMessage],
            12,
            "the end of an embedded message",
        ),
        (&[StateBegin], 4, "the rest of an object"),
        (&[StateBegin, EndMessage], 4, "the end of a state"),
        (&[Change], 4, "the rest of an object"),
        (
            &[Deletions, StateBegin, StateEnd],
            12,
            "the end of a synchronization",
        ),
    ];
    for (markers, at, expected) in cases {
        refuse(&[(&all(markers), at, expected)]);
    }
}

#[test]
fn what_is_out_of_place_is_refused_with_its_place() {
    let recipient = [m(Marker::StartRecipient), m(Marker::EndRecipient)];
    let end = || m(Marker::SyncEnd);
    refuse(&[
        (
            &[&recipient[..], &[p(1)]].concat(),
            8,
            "a recipient or an attachment",
        ),
        (
            &[p(1), m(Marker::EndMessage)],
            8,
            "a recipient, an attachment or the end of the stream",
        ),
        (
            &[end(), p(1)],
            4,
            "nothing after the end of a synchronization",
        ),
        (
            &[end(), m(Marker::ErrorInfo)],
            4,
            "nothing after the end of a synchronization",
        ),
    ]);
}

#[test]
fn messages_and_folders_nest_only_so_deep() {
    let embedded = |depth: u32| {
        let begin = [Marker::StartAttachment, Marker::StartEmbedded].repeat(depth as usize);
        let end = [Marker::EndEmbedded, Marker::EndAttachment].repeat(depth as usize);
        let atoms: Vec<Atom> = [begin, end].concat().into_iter().map(m).collect();
        parse([encode(&atoms).as_slice()]).1
    };
    assert_eq!(embedded(DEPTH_MAX), Ok(()));
    assert_eq!(
        embedded(DEPTH_MAX + 1).unwrap_err().expected,
        "less nesting"
    );
    let folders = |depth: usize| {
        let mut atoms = vec![m(Marker::StartTopFolder)];
        atoms.extend(vec![m(Marker::StartSubFolder); depth - 1]);
        atoms.extend(vec![m(Marker::EndFolder); depth]);
        parse([encode(&atoms).as_slice()]).1
    };
    assert_eq!(folders(FOLDER_DEPTH_MAX), Ok(()));
    assert_eq!(
        folders(FOLDER_DEPTH_MAX + 1).unwrap_err().expected,
        "less nesting"
    );
}

/// A stream may be long, but no object in it.
#[test]
fn an_object_has_a_bound_and_a_list_has_none() {
    let limits = Limits {
        event_octets_max: 10_000,
        ..Limits::default()
    };
    let body = Atom::Property(Property::binary(0x1000_0102, &[7; 3000]));
    let message = [m(Marker::StartMessage), body.clone(), m(Marker::EndMessage)];
    let mut parser = Parser::new(limits);
    for _ in 0..100 {
        parser.feed(&encode(&message));
        assert!(matches!(parser.next_event(), Ok(Some(Event::Message(_)))));
        assert_eq!(parser.next_event(), Ok(None));
    }
    parser.feed(&encode(&[
        m(Marker::StartMessage),
        body.clone(),
        body.clone(),
        body.clone(),
        body,
    ]));
    assert_eq!(
        parser.next_event().unwrap_err().expected,
        "a smaller object"
    );
    assert!(parser.finish().is_err());
}
