//! Broken octets: no panic, and whatever decodes is written so that it decodes to the same.

use mapi_wire::rop::{RequestBuffer, ResponseBuffer, Session};
use proptest::prelude::*;

use crate::{
    exchange,
    layouts::{self, Case},
};

/// Changes to a payload.
#[derive(Clone, Debug)]
enum Damage {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let place = any::<prop::sample::Index>;
    // Small numbers make counts and flags that are nearly right.
    let octet = prop_oneof![0..4_u8, any::<u8>()];
    let one = prop_oneof![
        6 => (place(), octet.clone()).prop_map(|(place, octet)| Damage::Set(place, octet)),
        1 => (place(), octet).prop_map(|(place, octet)| Damage::Insert(place, octet)),
        1 => place().prop_map(Damage::Remove),
        1 => place().prop_map(Damage::Cut),
    ];
    prop::collection::vec(one, 0..6)
}

fn apply(bytes: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for one in damage {
        let len = bytes.len();
        match one {
            Damage::Set(place, octet) if len > 0 => bytes[place.index(len)] = *octet,
            Damage::Insert(place, octet) => bytes.insert(place.index(len + 1), *octet),
            Damage::Remove(place) if len > 0 => drop(bytes.remove(place.index(len))),
            Damage::Cut(place) if len > 0 => bytes.truncate(place.index(len)),
            _ => {}
        }
    }
    bytes
}

/// RopSize is set right, so that damage reaches what is within.
fn mend(mut bytes: Vec<u8>, handles: usize) -> Vec<u8> {
    let size = u16::try_from(bytes.len().saturating_sub(4 * handles)).unwrap_or(u16::MAX);
    if let Some(start) = bytes.first_chunk_mut() {
        *start = size.to_le_bytes();
    }
    bytes
}

/// Equality by what is printed: a float may be no number, which equals nothing.
fn check_request(bytes: &[u8], session: &Session) {
    let Ok(batch) = RequestBuffer::decode(bytes, session) else {
        return;
    };
    let written = batch.encode();
    let again = RequestBuffer::decode(&written, session).unwrap();
    assert_eq!(format!("{again:?}"), format!("{batch:?}"));
    assert_eq!(again.encode(), written);
}

fn check_response(bytes: &[u8], batch: &RequestBuffer, session: &Session) {
    let Ok(answer) = ResponseBuffer::decode(bytes, batch, &mut session.clone()) else {
        return;
    };
    let written = answer.encode();
    let again = ResponseBuffer::decode(&written, batch, &mut session.clone()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{answer:?}"));
    assert_eq!(again.encode(), written);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_octets_decode_or_are_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        case in any::<prop::sample::Index>(),
    ) {
        let Case { session, batch, .. } = &layouts::cases()[case.index(layouts::cases().len())];
        for bytes in [mend(bytes.clone(), 2), bytes] {
            check_request(&bytes, session);
            check_response(&bytes, batch, session);
        }
    }

    #[test]
    fn every_damaged_rop_decodes_or_is_refused(
        case in any::<prop::sample::Index>(),
        damage in damage(),
    ) {
        let Case { session, batch, request, payload } =
            &layouts::cases()[case.index(layouts::cases().len())];
        let bytes = apply(payload, &damage);
        for bytes in [mend(bytes.clone(), batch.handles.len()), bytes] {
            match request {
                true => check_request(&bytes, session),
                false => check_response(&bytes, batch, session),
            }
        }
    }

    #[test]
    fn damaged_recordings_decode_or_are_refused(
        exchange in any::<prop::sample::Index>(),
        damage in damage(),
    ) {
        let all = exchange::all();
        let exchange = &all[exchange.index(all.len())];
        check_request(&apply(&exchange.asked, &damage), &exchange.before);
        let (Ok(batch), Some(answered)) = (&exchange.batch, exchange.answered.first()) else {
            return Ok(());
        };
        let bytes = apply(answered, &damage);
        for bytes in [mend(bytes.clone(), batch.handles.len()), bytes] {
            check_response(&bytes, batch, &exchange.before);
        }
    }
}

#[test]
fn actions_within_actions_end_before_the_stack_does() {
    // OP_TAG with a property whose value is one action, and so on.
    let mut action = vec![0x0b, 0, 0, 0, 0, 0, 0, 0, 0];
    while action.len() < 30_000 {
        let size = u16::try_from(action.len()).unwrap().to_le_bytes();
        let head = [9, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0, 0x80, 0x66, 1, 0];
        action = [&head[..], &size, &action].concat();
    }
    let size = u16::try_from(action.len()).unwrap().to_le_bytes();
    let rule = [0x41, 0, 0, 0, 1, 0, 1, 1, 0, 0xfe, 0, 0x80, 0x66, 1, 0];
    let list = [&rule[..], &size, &action].concat();
    let bytes = mend([&[0, 0][..], &list].concat(), 0);
    let error = RequestBuffer::decode(&bytes, &Session::default()).unwrap_err();
    assert_eq!(error.expected, "less nesting");
}
