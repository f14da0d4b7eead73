//! What a search brought: an entry's name and its attributes. Source: RFC 4511 4.5.2.

use ldap3::{ResultEntry, asn1::StructureTag};

/// The application tag of an entry in a search's answer.
const SEARCH_RESULT_ENTRY: u64 = 4;

/// An entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) dn: String,
    attributes: Vec<(String, Vec<String>)>,
}

impl Entry {
    /// Reads an entry; values that are no text are left out. `None`: it is none.
    pub(crate) fn read(result: ResultEntry) -> Option<Self> {
        let entry = result.0.match_id(SEARCH_RESULT_ENTRY)?;
        let mut parts = entry.expect_constructed()?.into_iter();
        let dn = text(parts.next()?)?;
        let attributes = parts.next()?.expect_constructed()?.into_iter();
        Some(Self {
            dn,
            attributes: attributes.map(attribute).collect::<Option<_>>()?,
        })
    }

    /// The first value of an attribute, in whatever case its name is written.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found?.1.first().map(String::as_str)
    }

    /// Whether an attribute has a value, in whatever case it is written.
    pub(crate) fn has(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        let mut values = self.attributes.iter().flat_map(|(_, values)| values);
        values.any(|own| own.to_lowercase() == value)
    }
}

fn attribute(tag: StructureTag) -> Option<(String, Vec<String>)> {
    let mut parts = tag.expect_constructed()?.into_iter();
    let name = text(parts.next()?)?;
    let values = parts.next()?.expect_constructed()?.into_iter();
    Some((name, values.filter_map(text).collect()))
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(tag.expect_primitive()?).ok()
}
