//! Named properties whose local ids are the same in every mailbox, so that no converter needs a mapping.
//!
//! Source: MS-OXPROPS 1.3.2 (property sets), MS-OXCPRPT 2.2.12.

use std::{collections::HashMap, sync::LazyLock};

use mapi_types::named::{KNOWN, NameInSet, known_name};
pub use mapi_types::named::{PS_INTERNET_HEADERS, PS_MAPI, PS_PUBLIC_STRINGS, PSETID_COMMON};

use crate::{PropName, PropNameId};

/// The first local id a store gives to a name that has no fixed one.
pub const NAMED_ID_FIRST: u16 = 0x9000;

/// The last local id a store may give. Source: MS-OXCPRPT 3.2.5.1.
pub const NAMED_ID_LAST: u16 = 0xfffe;

/// The lowest local id of a named property.
pub const NAMED_ID_LOWEST: u16 = 0x8000;

/// Fixed ids of names that are numbers, by set and number.
static NUMBERED: LazyLock<HashMap<([u8; 16], u32), u16>> = LazyLock::new(|| {
    let numbered = KNOWN.iter().filter_map(|known| match known.name {
        NameInSet::Lid(lid) => Some(((known.set, lid), known.id)),
        NameInSet::Text(_) => None,
    });
    numbered.collect()
});

/// The fixed local id of a named property, if it has one; see [`mapi_types::named`].
pub fn fixed_id(name: &PropName) -> Option<u16> {
    match &name.id {
        PropNameId::Lid(lid) if name.set == PS_MAPI => {
            u16::try_from(*lid).ok().filter(|id| *id < NAMED_ID_LOWEST)
        }
        PropNameId::Lid(lid) => NUMBERED.get(&(name.set, *lid)).copied(),
        PropNameId::Name(text) => {
            let is = |known: &str| match name.set == PS_INTERNET_HEADERS {
                // MS-OXCMAIL 2.1.3.2.3: names of Internet header fields have no case.
                true => text.eq_ignore_ascii_case(known),
                false => text == known,
            };
            let known = KNOWN.iter().find(|known| match known.name {
                NameInSet::Text(text) => known.set == name.set && is(text),
                NameInSet::Lid(_) => false,
            });
            known.map(|known| known.id)
        }
    }
}

/// The name that a fixed local id stands for.
pub fn fixed_name(id: u16) -> Option<PropName> {
    known_name(id).map(|known| PropName {
        set: known.set,
        id: match known.name {
            NameInSet::Lid(lid) => PropNameId::Lid(lid),
            NameInSet::Text(text) => PropNameId::Name(text.to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_ids_and_names_lead_to_each_other() {
        for known in KNOWN {
            let name = fixed_name(known.id).unwrap();
            assert_eq!(fixed_id(&name), Some(known.id));
        }
        let header = |text: &str| PropName {
            set: PS_INTERNET_HEADERS,
            id: PropNameId::Name(text.to_owned()),
        };
        assert!(fixed_id(&header("content-CLASS")).is_some());
        assert_eq!(fixed_id(&header("X-Other")), None);
        let lid = |set, lid| PropName {
            set,
            id: PropNameId::Lid(lid),
        };
        assert_eq!(fixed_id(&lid(PS_MAPI, 0x37)), Some(0x37));
        assert_eq!(fixed_id(&lid(PS_MAPI, 0x8530)), None);
        assert_eq!(fixed_id(&lid(PSETID_COMMON, 0x8530)), Some(0x8001));
        assert_eq!(fixed_id(&lid(PS_PUBLIC_STRINGS, 0x8530)), None);
    }
}
