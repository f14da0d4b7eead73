//! Failures in the middle of a stream. Source: MS-OXCFXICS 2.2.4.3.4.

use mapi_wire::{
    Gid, Globcnt, Guid,
    fast_transfer::{Atom, Event, Failure, Marker, MessageChange, Property},
};

use crate::grammar::{encode, listed, m, message, p, parse};

fn gid(counter: u64) -> Gid {
    Gid {
        replguid: Guid([7; 16]),
        globcnt: Globcnt::from_u64(counter),
    }
}

fn failure(message: Option<Gid>) -> Property {
    let failure = Failure {
        code: 0x8004_010f,
        folder: Some(gid(1)),
        message,
    };
    let property = failure.to_property();
    assert_eq!(
        Failure::from_properties(std::slice::from_ref(&property)),
        Some(failure)
    );
    property
}

/// The change of the message with this source key.
fn change(id: Gid) -> [Atom; 4] {
    let source_key = Property::binary(0x65e0_0102, &id.to_bytes());
    [
        m(Marker::Change),
        Atom::Property(source_key),
        m(Marker::Message),
        p(1),
    ]
}

/// MS-OXCFXICS 2.2.4.3.4: whoever reads goes back to the level of messages.
#[test]
fn a_message_that_failed_is_left_out_and_the_next_comes() {
    let failure = failure(Some(gid(5)));
    let failed = [
        m(Marker::MessageProgress),
        p(9),
        m(Marker::Change),
        Atom::Property(Property::binary(0x65e0_0102, &gid(5).to_bytes())),
        m(Marker::Message),
        p(1),
        m(Marker::StartRecipient),
        p(2),
        m(Marker::ErrorInfo),
        Atom::Property(failure.clone()),
    ];
    let end = [
        m(Marker::StateBegin),
        m(Marker::StateEnd),
        m(Marker::SyncEnd),
    ];
    let wire = encode(&[&failed[..], &change(gid(6)), &end].concat());
    let next = MessageChange {
        progress: None,
        header: vec![Property::binary(0x65e0_0102, &gid(6).to_bytes())],
        message: message(1),
    };
    let events = vec![
        Event::Failure(vec![failure]),
        Event::Change(Box::new(next)),
        Event::State(vec![]),
        Event::SyncEnd,
    ];
    assert_eq!(parse([wire.as_slice()]), (events, Ok(())));
}

#[test]
fn a_message_before_a_failure_counts_when_the_failure_names_another() {
    let cases = [(Some(gid(5)), false), (None, false), (Some(gid(6)), true)];
    for (failed, is_complete) in cases {
        let failure = [m(Marker::ErrorInfo), Atom::Property(failure(failed))];
        let (events, end) = parse([encode(&[&change(gid(5))[..], &failure].concat()).as_slice()]);
        assert_eq!(end.unwrap_err().expected, "the end of a synchronization");
        let changes = events
            .iter()
            .filter(|event| matches!(event, Event::Change(_)));
        assert_eq!(changes.count() == 1, is_complete, "{failed:?}");
        assert!(matches!(events.last(), Some(Event::Failure(_))));
    }
}

#[test]
fn a_list_goes_on_after_a_failure() {
    let failure = failure(None);
    let atoms = [
        m(Marker::StartMessage),
        p(1),
        m(Marker::ErrorInfo),
        Atom::Property(failure.clone()),
        m(Marker::StartMessage),
        p(2),
        m(Marker::EndMessage),
    ];
    let events = vec![Event::Failure(vec![failure]), listed(2)];
    assert_eq!(parse([encode(&atoms).as_slice()]), (events, Ok(())));
}
