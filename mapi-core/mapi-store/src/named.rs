//! Named properties whose local ids are the same in every mailbox, so that no converter needs a mapping.
//!
//! Source: MS-OXPROPS 1.3.2 (property sets), MS-OXCPRPT 2.2.12.

use mapi_types::tags;

use crate::{PropName, PropNameId};

/// The first local id a store gives to a name that has no fixed one.
pub const NAMED_ID_FIRST: u16 = 0x9000;

/// The last local id a store may give. Source: MS-OXCPRPT 3.2.5.1.
pub const NAMED_ID_LAST: u16 = 0xfffe;

/// PS_MAPI: its numbers are the ids of unnamed properties.
pub const PS_MAPI: [u8; 16] = set(0x0002_0328);
/// PS_PUBLIC_STRINGS.
pub const PS_PUBLIC_STRINGS: [u8; 16] = set(0x0002_0329);
/// PS_INTERNET_HEADERS.
pub const PS_INTERNET_HEADERS: [u8; 16] = set(0x0002_0386);
/// PSETID_Common.
pub const PSETID_COMMON: [u8; 16] = set(0x0006_2008);

/// The fixed local id of a named property, if it has one; see the named properties of [`tags`].
pub fn fixed_id(name: &PropName) -> Option<u16> {
    match (&name.set, &name.id) {
        (&PS_MAPI, &PropNameId::Lid(lid)) => u16::try_from(lid).ok().filter(|id| *id < 0x8000),
        (&PS_PUBLIC_STRINGS, PropNameId::Name(text)) if text == "Keywords" => {
            Some(tags::KEYWORDS.tag().id())
        }
        (&PSETID_COMMON, PropNameId::Lid(0x8530)) => Some(tags::FLAG_REQUEST.tag().id()),
        // MS-OXCMAIL 2.1.3.2.3: names of Internet header fields have no case.
        (&PS_INTERNET_HEADERS, PropNameId::Name(text)) => {
            if text.eq_ignore_ascii_case("Content-Class") {
                Some(tags::CONTENT_CLASS.tag().id())
            } else if text.eq_ignore_ascii_case("Accept-Language") {
                Some(tags::ACCEPT_LANGUAGE.tag().id())
            } else {
                None
            }
        }
        _ => None,
    }
}

/// A property set of the form {xxxxxxxx-0000-0000-C000-000000000046}, in wire order.
const fn set(first: u32) -> [u8; 16] {
    let [a, b, c, d] = first.to_le_bytes();
    [a, b, c, d, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46]
}
