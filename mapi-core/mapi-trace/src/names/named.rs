//! Names of properties that are numbered within a property set. Source: MS-OXPROPS 2 (PidLid…).

use std::{collections::BTreeMap, sync::LazyLock};

/// By property set and number.
static NAMES: LazyLock<BTreeMap<(&'static str, u32), &'static str>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.split('\t');
        let set = parts.next()?;
        let lid = u32::from_str_radix(parts.next()?, 16).ok()?;
        Some(((set, lid), parts.next()?))
    };
    include_str!("named.tsv").lines().filter_map(line).collect()
});

/// The name of the property with this number in a set.
pub(crate) fn lid(set: &'static str, lid: u32) -> Option<&'static str> {
    NAMES.get(&(set, lid)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_name_within_its_set_only() {
        assert_eq!(lid("PSETID_Common", 0x8530), Some("PidLidFlagRequest"));
        assert_eq!(lid("PSETID_Note", 0x8530), None);
        assert_eq!(NAMES.len(), include_str!("named.tsv").lines().count());
    }
}
