//! The lexical layer: every type in both directions, every cut, and what is no atom.

use mapi_types::PropTag;
use mapi_wire::{
    DecodeError, Guid,
    fast_transfer::{
        Atom, Encoder, Layout, Lexer, Limits, Marker, NAME_UNITS_MAX, Property, Value,
    },
    property_name::{NameId, PropertyName},
};
use proptest::{collection::vec, prelude::*};

use crate::any;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| Some(c.to_digit(16)? as u8))
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// The atoms of a stream that comes in these pieces, and how the stream ended.
fn lex<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limits: Limits,
) -> (Vec<Atom>, Result<(), DecodeError>) {
    let mut lexer = Lexer::new(limits);
    let mut atoms = Vec::new();
    for piece in pieces {
        lexer.feed(piece);
        loop {
            match lexer.next_atom() {
                Ok(Some(atom)) => atoms.push(atom),
                Ok(None) => break,
                Err(error) => return (atoms, Err(error)),
            }
        }
    }
    let end = lexer.finish();
    (atoms, end)
}

fn encode(atoms: &[Atom]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    atoms.iter().for_each(|atom| encoder.atom(atom));
    encoder.into_bytes()
}

fn property(tag: u32, value: Value) -> Atom {
    Atom::Property(Property::new(PropTag(tag), value))
}

fn octets(octets: &[u8]) -> Value {
    Value::Octets(octets.into())
}

fn named(tag: u32, id: NameId, value: Value) -> Atom {
    let set = Guid([0xaa; 16]);
    Atom::Property(Property {
        tag: PropTag(tag),
        name: Some(PropertyName { set, id }),
        value,
    })
}

const SET: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn fixed() -> Vec<(&'static str, Atom)> {
    vec![
        ("0300 0940", Atom::Marker(Marker::StartTopFolder)),
        ("0b00 7440", Atom::Marker(Marker::Progress)),
        ("0201 7b40", Atom::Marker(Marker::GroupInfo)),
        (
            "0300 1640 0d00120e",
            property(0x4016_0003, Value::I32(0x0e12_000d)),
        ),
        ("0200 0100 feff", property(0x0001_0002, Value::I16(-2))),
        (
            "0a00 0100 0e000780",
            property(0x0001_000a, Value::I32(-2_147_024_882)),
        ),
        ("0400 0100 0000c03f", property(0x0001_0004, Value::F32(1.5))),
        (
            "0500 0100 000000000000f83f",
            property(0x0001_0005, Value::F64(1.5)),
        ),
        (
            "0600 0100 1027000000000000",
            property(0x0001_0006, Value::I64(10_000)),
        ),
        (
            "0700 0100 000000000000f83f",
            property(0x0001_0007, Value::F64(1.5)),
        ),
        ("0b00 2900 0100", property(0x0029_000b, Value::Bool(1))),
        (
            "1400 4a67 010000000003005b",
            property(0x674a_0014, Value::I64(0x5b00_0300_0000_0001)),
        ),
        (
            "4000 0730 0100000000000000",
            property(0x3007_0040, Value::I64(1)),
        ),
        (
            "4800 0100 0102030405060708090a0b0c0d0e0f10",
            property(
                0x0001_0048,
                Value::Guid(Guid(std::array::from_fn(|place| place as u8 + 1))),
            ),
        ),
    ]
}

fn variable() -> Vec<(&'static str, Atom)> {
    vec![
        (
            "1e00 1a00 02000000 6100",
            property(0x001a_001e, octets(b"a\0")),
        ),
        ("1e00 1a00 01000000 61", property(0x001a_001e, octets(b"a"))),
        (
            "1f00 3700 04000000 61000000",
            property(0x0037_001f, octets(b"a\0\0\0")),
        ),
        ("1f00 3700 00000000", property(0x0037_001f, octets(b""))),
        (
            "b084 3700 04000000 61000000",
            property(0x0037_84b0, octets(b"a\0\0\0")),
        ),
        (
            "e484 3700 02000000 fc00",
            property(0x0037_84e4, octets(b"\xfc\0")),
        ),
        (
            "e9fd 3700 02000000 6100",
            property(0x0037_fde9, octets(b"a\0")),
        ),
        ("0201 e065 01000000 07", property(0x65e0_0102, octets(&[7]))),
        ("fb00 0100 01000000 07", property(0x0001_00fb, octets(&[7]))),
        ("0d00 0137 01000000 07", property(0x3701_000d, octets(&[7]))),
        ("0300 1740 01000000 07", property(0x4017_0003, octets(&[7]))),
        ("0201 1740 01000000 07", property(0x4017_0102, octets(&[7]))),
    ]
}

fn multiple() -> Vec<(&'static str, Atom)> {
    vec![
        (
            "0210 0100 02000000 0100feff",
            property(0x0001_1002, Value::I16s([1, -2].into())),
        ),
        (
            "0310 0100 01000000 01000000",
            property(0x0001_1003, Value::I32s([1].into())),
        ),
        (
            "0410 0100 01000000 0000c03f",
            property(0x0001_1004, Value::F32s([1.5].into())),
        ),
        (
            "4010 0100 01000000 0100000000000000",
            property(0x0001_1040, Value::I64s([1].into())),
        ),
        (
            "4810 0100 00000000",
            property(0x0001_1048, Value::Guids([].into())),
        ),
        (
            "1f10 0100 02000000 02000000 0000 04000000 61000000",
            property(
                0x0001_101f,
                Value::OctetsList([b"\0\0"[..].into(), b"a\0\0\0"[..].into()].into()),
            ),
        ),
    ]
}

fn named_ones() -> Vec<(&'static str, Atom)> {
    vec![
        (
            "0300 0180 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 00 01850000 07000000",
            named(0x8001_0003, NameId::Number(0x8501), Value::I32(7)),
        ),
        (
            "0201 feff aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 01 4b000000 01000000 07",
            named(0xfffe_0102, NameId::Text("K".into()), octets(&[7])),
        ),
    ]
}

#[test]
fn every_type_has_its_octets() {
    let cases = [fixed(), variable(), multiple(), named_ones()].concat();
    for (wire, atom) in cases {
        let wire = hex(wire);
        let whole = lex([wire.as_slice()], Limits::default());
        assert_eq!(whole, (vec![atom.clone()], Ok(())), "{wire:x?}");
        let single = lex(wire.chunks(1), Limits::default());
        assert_eq!(single, whole, "octet by octet");
        assert_eq!(encode(&[atom]), wire);
    }
}

#[test]
fn octets_that_are_no_atom_are_refused_with_their_place() {
    let long = "6100".repeat(NAME_UNITS_MAX + 1);
    let cases = [
        ("0100 3700", 0, "a marker, or a property of a known type"),
        ("fd00 3700", 0, "a marker, or a property of a known type"),
        ("0b10 3700", 0, "a marker, or a property of a known type"),
        (
            "0300 0940 0000 3700",
            4,
            "a marker, or a property of a known type",
        ),
        (
            "0300 0180 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 02",
            4,
            "a name that is a number or a text",
        ),
        (&format!("0300 0180 {SET} 01 {long}"), 4, "a shorter name"),
        ("0201 e065 ffffff7f", 0, "a property that is not too large"),
        ("0310 0100 ffffffff", 0, "a property that is not too large"),
        ("1f10 0100 ffffffff", 0, "a property that is not too large"),
        ("0201 e065 03000000 0708", 10, "the rest of an atom"),
        ("0300", 2, "the rest of an atom"),
    ];
    for (wire, at, expected) in cases {
        let (_, end) = lex([hex(wire).as_slice()], Limits::default());
        assert_eq!(end, Err(DecodeError { at, expected }), "{wire}");
    }
}

#[test]
fn a_stream_and_a_value_have_bounds() {
    let limits = Limits {
        value_octets_max: 16,
        stream_octets_max: 20,
        ..Limits::default()
    };
    let (atoms, end) = lex(
        [hex("0201 e065 08000000 0000000000000000").as_slice()],
        limits,
    );
    assert_eq!((atoms.len(), end), (1, Ok(())));
    let (_, end) = lex([hex("0201 e065 09000000").as_slice()], limits);
    assert_eq!(
        end.unwrap_err().expected,
        "a property that is not too large"
    );
    let markers = hex("0300 0940").repeat(6);
    let (atoms, end) = lex([markers.as_slice()], limits);
    assert_eq!(atoms.len(), 5);
    assert_eq!(end.unwrap_err().expected, "a stream that is not too long");
}

#[test]
fn after_an_error_nothing_is_kept() {
    let mut lexer = Lexer::default();
    lexer.feed(&hex("0100 3700"));
    let error = lexer.next_atom().unwrap_err();
    lexer.feed(&hex("0300 0940"));
    assert_eq!(lexer.next_atom(), Err(error.clone()));
    assert_eq!(lexer.finish(), Err(error));
}

fn atoms() -> impl Strategy<Value = Vec<Atom>> {
    let atom = prop_oneof![
        1 => prop::sample::select(&Marker::ALL[..]).prop_map(Atom::Marker),
        3 => any::property().prop_map(Atom::Property),
    ];
    vec(atom, 0..8)
}

proptest! {
    #[test]
    fn a_stream_cut_in_two_anywhere_gives_the_same_atoms(atoms in atoms()) {
        let wire = encode(&atoms);
        for cut in 0..=wire.len() {
            let (front, back) = wire.split_at(cut);
            prop_assert_eq!(lex([front, back], Limits::default()), (atoms.clone(), Ok(())));
        }
        prop_assert_eq!(lex(wire.chunks(1), Limits::default()), (atoms, Ok(())));
    }

    /// MS-OXCFXICS 2.2.4.1.3: buffers end between atoms, or within a value of variable length.
    #[test]
    fn buffers_end_only_where_they_may(atoms in atoms(), max in Encoder::TAKE_MIN..2000) {
        let mut encoder = Encoder::new();
        atoms.iter().for_each(|atom| encoder.atom(atom));
        let wire = encode(&atoms);
        // Small buffers have more ends; nothing here that may not be cut is longer than 64 octets.
        let max = if wire.len() > 200 { 64 } else { max };
        let mut taken = Vec::new();
        while !encoder.is_empty() {
            let buffer = encoder.take(max);
            prop_assert!(!buffer.is_empty() && buffer.len() <= max);
            taken.extend(buffer);
            let mut lexer = Lexer::default();
            lexer.feed(&taken);
            let mut complete = 0;
            while lexer.next_atom().unwrap().is_some() {
                complete += 1;
            }
            let into = taken.len() - lexer.position();
            if into > 0 {
                let Atom::Property(property) = &atoms[complete] else {
                    panic!("a cut marker");
                };
                let name = property.name.as_ref().map_or(0, |name| match &name.id {
                    NameId::Number(_) => 21,
                    NameId::Text(text) => 17 + 2 * text.0.len() + 2,
                });
                prop_assert!(into >= 4 + name + 4, "{property:?} cut after {into}");
                let variable = matches!(property.value, Value::Octets(_) | Value::OctetsList(_));
                prop_assert!(variable || matches!(Layout::of(property.tag), Some(Layout::Many(_))));
            }
        }
        prop_assert_eq!(taken, wire);
    }

    #[test]
    fn no_octets_make_reading_atoms_fail_but_by_an_error(wire in vec(any::<u8>(), 0..200)) {
        let (atoms, end) = lex([wire.as_slice()], Limits::default());
        let again = encode(&atoms);
        prop_assert!(wire.starts_with(&again));
        prop_assert!(end.is_err() || again == wire);
    }

    #[test]
    fn a_damaged_stream_is_no_more_than_an_error(
        atoms in atoms(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut wire = encode(&atoms);
        for (place, octet) in damage {
            if !wire.is_empty() {
                let place = place.index(wire.len());
                wire[place] = octet;
            }
        }
        let (atoms, _) = lex(wire.chunks(7), Limits::default());
        prop_assert!(wire.starts_with(&encode(&atoms)));
    }
}
