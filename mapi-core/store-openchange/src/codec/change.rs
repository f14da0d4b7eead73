//! Changes of properties that wait: what to set, to delete, to add and to take away.

use mapi_store::ErrorKind;
use mapi_types::{BitChange, Change, OwnedValue, PropBag, PropTag, StringsChange};

use super::{
    Externals,
    bag::put_bag,
    bytes::{Reader, put_run, put_varint},
    damaged, take_bag,
};
use crate::fail::{Fail, Result};

const REVISION: u8 = 1;

/// Encodes a change. Errors: `Unsupported` when it has a value that would lie apart, `Invalid`.
pub(crate) fn encode_change(change: &Change) -> Result<Vec<u8>> {
    let mut out = vec![REVISION];
    let set: PropBag = change.set.iter().cloned().collect();
    let mut externals = Externals::default();
    put_bag(set.iter(), &mut externals, &mut out)?;
    if !externals.0.is_empty() {
        return Err(Fail::new(
            ErrorKind::Unsupported,
            "a value is too large to wait",
        ));
    }
    put_varint(&mut out, change.delete.len() as u64);
    for tag in &change.delete {
        put_tag(&mut out, *tag);
    }
    put_varint(&mut out, change.bits.len() as u64);
    for bits in &change.bits {
        put_tag(&mut out, bits.tag);
        out.extend_from_slice(&bits.set.to_le_bytes());
        out.extend_from_slice(&bits.clear.to_le_bytes());
    }
    put_varint(&mut out, change.strings.len() as u64);
    for strings in &change.strings {
        put_tag(&mut out, strings.tag);
        put_strings(&mut out, &strings.add);
        put_strings(&mut out, &strings.remove);
    }
    Ok(out)
}

/// Decodes a change. Errors: `Corrupt`.
pub(crate) fn decode_change(octets: &[u8]) -> Result<Change> {
    let mut from = Reader::new(octets);
    if from.byte()? != REVISION {
        return Err(damaged());
    }
    let apart = |_, _| Err(damaged());
    let set = take_bag(from.run()?, &apart)?;
    let owned = |(tag, value): (PropTag, mapi_types::Value<'_>)| (tag, value.to_owned());
    let mut change = Change {
        set: set
            .iter()
            .map(owned)
            .collect::<Vec<(PropTag, OwnedValue)>>(),
        ..Change::default()
    };
    for _ in 0..from.count()? {
        change.delete.push(take_tag(&mut from)?);
    }
    for _ in 0..from.count()? {
        change.bits.push(BitChange {
            tag: take_tag(&mut from)?,
            set: i32::from_le_bytes(*from.array()?),
            clear: i32::from_le_bytes(*from.array()?),
        });
    }
    for _ in 0..from.count()? {
        change.strings.push(StringsChange {
            tag: take_tag(&mut from)?,
            add: take_strings(&mut from)?,
            remove: take_strings(&mut from)?,
        });
    }
    from.end()?;
    Ok(change)
}

fn put_tag(out: &mut Vec<u8>, tag: PropTag) {
    out.extend_from_slice(&tag.0.to_le_bytes());
}

fn take_tag(from: &mut Reader<'_>) -> Result<PropTag> {
    Ok(PropTag(u32::from_le_bytes(*from.array()?)))
}

fn put_strings(out: &mut Vec<u8>, strings: &[Box<str>]) {
    put_varint(out, strings.len() as u64);
    for text in strings {
        put_run(out, text.as_bytes());
    }
}

fn take_strings(from: &mut Reader<'_>) -> Result<Vec<Box<str>>> {
    let mut strings = Vec::new();
    for _ in 0..from.count()? {
        let text = std::str::from_utf8(from.run()?).map_err(|_| damaged())?;
        strings.push(text.into());
    }
    Ok(strings)
}

#[cfg(test)]
mod tests {
    use mapi_types::tags;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn change() -> Change {
        Change {
            set: vec![
                (tags::FLAG_STATUS.tag(), OwnedValue::I32(2)),
                (tags::SUBJECT.tag(), OwnedValue::Str("a".into())),
            ],
            delete: vec![tags::ICON_INDEX.tag()],
            bits: vec![BitChange {
                tag: tags::MESSAGE_FLAGS.tag(),
                set: 1,
                clear: -2,
            }],
            strings: vec![StringsChange {
                tag: tags::KEYWORDS.tag(),
                add: vec!["new".into(), "ä".into()],
                remove: vec!["old".into()],
            }],
        }
    }

    #[test]
    fn a_change_comes_back() {
        for change in [change(), Change::default()] {
            let octets = encode_change(&change).unwrap();
            let mut back = decode_change(&octets).unwrap();
            back.set.sort_by_key(|(tag, _)| std::cmp::Reverse(tag.0));
            let mut expected = change;
            expected
                .set
                .sort_by_key(|(tag, _)| std::cmp::Reverse(tag.0));
            assert_eq!(back, expected);
        }
    }

    #[test]
    fn a_change_cut_short_or_too_long_is_refused() {
        let mut octets = encode_change(&change()).unwrap();
        for len in 0..octets.len() {
            assert!(decode_change(&octets[..len]).is_err(), "{len}");
        }
        octets.push(0);
        assert!(decode_change(&octets).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_octets_are_reading_them_ends(octets in vec(any::<u8>(), 0..200)) {
            // A change that is read can be written again.
            if let Ok(change) = decode_change(&octets) {
                prop_assert!(encode_change(&change).is_ok());
            }
        }
    }

    #[test]
    fn what_would_lie_apart_does_not_wait() {
        let long = OwnedValue::Str("x".repeat((64 << 10) + 1).into());
        let change = Change {
            set: vec![(tags::SUBJECT.tag(), long)],
            ..Change::default()
        };
        assert!(encode_change(&change).is_err());
    }
}
