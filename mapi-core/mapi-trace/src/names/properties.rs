//! Names of properties with fixed ids, and of their types. Source: MS-OXPROPS 2; MS-OXCDATA 2.11.1;
//! MS-OXCFXICS 2.2.4.1.5 (properties about a stream).

use std::sync::LazyLock;

use mapi_types::PropTag;
use mapi_wire::value::types;

/// Tags and names, by tag. One id may have several names, by its type.
static NAMES: LazyLock<Vec<(u32, &'static str)>> = LazyLock::new(|| {
    let lines = include_str!("properties.tsv").lines();
    let line = |line: &'static str| {
        let (tag, name) = line.split_once('\t')?;
        Some((u32::from_str_radix(tag, 16).ok()?, name))
    };
    lines.filter_map(line).collect()
});

/// The name of a property. Ids from 0x8000 are those of the address book.
pub(crate) fn property(tag: PropTag) -> Option<&'static str> {
    let names = &*NAMES;
    let wanted = u32::from(tag.id()) << 16 | u32::from(plain_type(tag.0 as u16));
    let first = names.partition_point(|(tag, _)| tag >> 16 < wanted >> 16);
    let of_id = names.get(first..).unwrap_or_default();
    let of_id = of_id
        .iter()
        .take_while(|(tag, _)| tag >> 16 == wanted >> 16);
    let mut exact = of_id.clone().filter(|(tag, _)| *tag == wanted);
    let (_, name) = exact.next().or_else(|| of_id.clone().next())?;
    Some(name)
}

/// The type that the document lists, for one in another encoding.
const fn plain_type(kind: u16) -> u16 {
    const STRINGS8: u16 = types::STRING8 | types::MULTIPLE;
    match kind {
        types::STRING8 => types::STRING,
        STRINGS8 => types::STRING | types::MULTIPLE,
        kind if kind & 0x8000 != 0 => types::STRING,
        kind if kind & types::INSTANCE == types::INSTANCE => {
            kind & !types::INSTANCE | types::MULTIPLE
        }
        kind => kind,
    }
}

/// The name of a property type.
pub(crate) const fn property_type(kind: u16) -> Option<&'static str> {
    Some(match kind {
        types::UNSPECIFIED => "PtypUnspecified",
        types::NULL => "PtypNull",
        types::I16 => "PtypInteger16",
        types::I32 => "PtypInteger32",
        types::F32 => "PtypFloating32",
        types::F64 => "PtypFloating64",
        types::CURRENCY => "PtypCurrency",
        types::FLOATING_TIME => "PtypFloatingTime",
        types::ERROR => "PtypErrorCode",
        types::BOOL => "PtypBoolean",
        types::OBJECT => "PtypObject",
        types::I64 => "PtypInteger64",
        types::STRING8 => "PtypString8",
        types::STRING => "PtypString",
        types::TIME => "PtypTime",
        types::GUID => "PtypGuid",
        types::SERVER_ID => "PtypServerId",
        types::RESTRICTION => "PtypRestriction",
        types::RULE_ACTION => "PtypRuleAction",
        types::BINARY => "PtypBinary",
        0x1002 => "PtypMultipleInteger16",
        0x1003 => "PtypMultipleInteger32",
        0x1004 => "PtypMultipleFloating32",
        0x1005 => "PtypMultipleFloating64",
        0x1006 => "PtypMultipleCurrency",
        0x1007 => "PtypMultipleFloatingTime",
        0x1014 => "PtypMultipleInteger64",
        0x101e => "PtypMultipleString8",
        0x101f => "PtypMultipleString",
        0x1040 => "PtypMultipleTime",
        0x1048 => "PtypMultipleGuid",
        0x1102 => "PtypMultipleBinary",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_named_by_its_id_and_where_that_is_not_enough_by_its_type() {
        let cases = [
            (0x0037_001f, "PidTagSubject"),
            (0x0037_001e, "PidTagSubject"),
            (0x0037_84e4, "PidTagSubject"),
            (0x0e08_0003, "PidTagMessageSize"),
            (0x0e08_0014, "PidTagMessageSizeExtended"),
            (0x1013_001f, "PidTagBodyHtml"),
            (0x1013_0102, "PidTagHtml"),
            (0x4017_0003, "MetaTagIdsetGiven"),
            (0x800c_000d, "PidTagAddressBookOwner"),
        ];
        for (tag, name) in cases {
            assert_eq!(property(PropTag(tag)), Some(name), "{tag:08x}");
        }
        assert_eq!(property(PropTag(0x7f00_0003)), None);
    }

    #[test]
    fn the_table_is_sorted_and_every_line_of_it_is_read() {
        assert!(NAMES.is_sorted_by(|one, two| one.0 < two.0));
        assert_eq!(NAMES.len(), include_str!("properties.tsv").lines().count());
    }
}
