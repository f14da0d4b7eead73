//! Streams written at random, cut short and damaged.

use mapi_wire::{
    code_page::CodePage,
    fast_transfer::{Atom, Encoder, Event, Marker, Property, Value, meta},
    ics::{Deletions, FolderHeader, MessageHeader, Progress, ReadStates, State},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    any, corpus,
    grammar::{self, encode, parse},
};

/// Reads what property lists mean, whatever they say.
fn interpret(event: &Event) {
    match event {
        Event::Progress(props) => drop(Progress::from_properties(props)),
        Event::Change(change) => drop(MessageHeader::from_properties(&change.header)),
        Event::FolderChange(props) => {
            drop(FolderHeader::from_properties(props, CodePage::WESTERN));
        }
        Event::Deletions(props) => drop(Deletions::from_properties(props)),
        Event::ReadStates(props) => drop(ReadStates::from_properties(props)),
        Event::State(props) => drop(State::from_properties(props)),
        Event::Content(message) => message.props.iter().for_each(|property| {
            property.to_text(CodePage::WESTERN);
            property.to_tagged();
        }),
        _ => {}
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_however_it_is_cut(events in any::stream(), piece in 1_usize..50) {
        let mut encoder = Encoder::new();
        events.iter().for_each(|event| encoder.event(event));
        let wire = encoder.into_bytes();
        prop_assert_eq!(parse(wire.chunks(piece)), (events, Ok(())));
    }

    #[test]
    fn a_synchronization_cut_short_never_ends_well(at in any::<prop::sample::Index>()) {
        let wire = corpus::download("contents_incr2");
        let (events, end) = parse([&wire[..at.index(wire.len())]]);
        prop_assert!(!events.contains(&Event::SyncEnd));
        // Up to the first change, nothing tells that there should be more.
        prop_assert!(end.is_err() || events.len() <= 1);
    }

    #[test]
    fn no_atoms_make_reading_events_fail_but_by_an_error(atoms in vec(
        prop_oneof![
            3 => prop::sample::select(&Marker::ALL[..]).prop_map(Atom::Marker),
            1 => any::property().prop_map(Atom::Property),
            1 => (
                prop::sample::select(&[
                    meta::DELETES, meta::WARNING, meta::GROUP_ID, meta::GROUP, meta::NEW_FOLDER,
                ][..]),
                prop::sample::select(&[
                    meta::DELETES_RECIPIENTS, meta::DELETES_CONTENTS, 0,
                ][..]),
            ).prop_map(|(tag, value)| match tag {
                meta::NEW_FOLDER => Atom::Property(Property::new(tag, Value::Octets([].into()))),
                tag => grammar::meta(tag, value),
            }),
        ],
        0..30,
    )) {
        let (events, _) = parse([encode(&atoms).as_slice()]);
        events.iter().for_each(interpret);
    }

    #[test]
    fn a_damaged_synchronization_is_no_more_than_an_error(
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut wire = corpus::download("contents_incr2");
        for (place, octet) in damage {
            let place = place.index(wire.len());
            wire[place] = octet;
        }
        let (events, _) = parse([wire.as_slice()]);
        events.iter().for_each(interpret);
    }
}
