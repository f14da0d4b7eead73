//! Which ids the named properties of a mailbox have. Source: MS-OXCPRPT 3.2.5.10 and 3.2.5.9.

use std::collections::HashMap;

use mapi_wire::{
    Guid,
    property_name::{NameId, PropertyName},
};

use super::error::{Code, Result};

/// The lowest id of a named property.
pub const FIRST_ID: u16 = 0x8000;

/// The property set whose numbers are ids below [`FIRST_ID`]. Source: MS-OXPROPS 1.3.2.
pub const PS_MAPI: Guid = Guid::from_fields(0x0002_0328, 0, 0, [0xc0, 0, 0, 0, 0, 0, 0, 0x46]);

/// The property set of header fields; names in it are the same in any letter case.
pub const PS_INTERNET_HEADERS: Guid =
    Guid::from_fields(0x0002_0386, 0, 0, [0xc0, 0, 0, 0, 0, 0, 0, 0x46]);

/// The named properties of one mailbox.
#[derive(Clone, Debug)]
pub struct NamedProperties {
    first: u16,
    names: Vec<PropertyName>,
    ids: HashMap<PropertyName, u16>,
    max: usize,
}

impl NamedProperties {
    /// None yet. The first gets the id `first`; more than `max` are refused.
    pub fn new(first: u16, max: usize) -> Self {
        Self {
            first: first.max(FIRST_ID),
            names: Vec::new(),
            ids: HashMap::new(),
            max,
        }
    }

    /// The id of a name, if it has one.
    pub fn id(&self, name: &PropertyName) -> Option<u16> {
        if name.set == PS_MAPI {
            return match name.id {
                NameId::Number(id) => u16::try_from(id).ok().filter(|id| *id < FIRST_ID),
                NameId::Text(_) => None,
            };
        }
        self.ids.get(&folded(name)).copied()
    }

    /// The id of a name, a new one if it has none.
    pub fn id_or_new(&mut self, name: &PropertyName) -> Result<u16> {
        if let Some(id) = self.id(name) {
            return Ok(id);
        }
        if name.set == PS_MAPI {
            return Err(Code::INVALID_PARAMETER);
        }
        if self.names.len() >= self.max {
            return Err(Code::NAMED_PROPERTY_QUOTA);
        }
        let place = u16::try_from(self.names.len()).ok();
        let id = place.and_then(|place| self.first.checked_add(place));
        let id = id.ok_or(Code::NAMED_PROPERTY_QUOTA)?;
        self.names.push(name.clone());
        self.ids.insert(folded(name), id);
        Ok(id)
    }

    /// The name of an id.
    pub fn name(&self, id: u16) -> Option<PropertyName> {
        if id < FIRST_ID {
            return Some(PropertyName {
                set: PS_MAPI,
                id: NameId::Number(id.into()),
            });
        }
        let place = id.checked_sub(self.first)?;
        self.names.get(usize::from(place)).cloned()
    }

    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &PropertyName)> {
        (self.first..).zip(&self.names)
    }
}

fn folded(name: &PropertyName) -> PropertyName {
    match &name.id {
        NameId::Text(text) if name.set == PS_INTERNET_HEADERS => PropertyName {
            set: name.set,
            id: NameId::Text(text.to_text().to_lowercase().as_str().into()),
        },
        _ => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(set: Guid, text: &str) -> PropertyName {
        PropertyName {
            set,
            id: NameId::Text(text.into()),
        }
    }

    #[test]
    fn a_name_keeps_its_id_and_header_fields_have_no_letter_case() {
        let mut named = NamedProperties::new(0x8123, 2);
        let keywords = name(Guid([1; 16]), "Keywords");
        assert_eq!(named.id(&keywords), None);
        assert_eq!(named.id_or_new(&keywords), Ok(0x8123));
        assert_eq!(named.id_or_new(&keywords), Ok(0x8123));
        assert_eq!(named.id(&name(Guid([1; 16]), "keywords")), None);
        let header = name(PS_INTERNET_HEADERS, "X-Test");
        assert_eq!(named.id_or_new(&header), Ok(0x8124));
        assert_eq!(named.id(&name(PS_INTERNET_HEADERS, "x-test")), Some(0x8124));
        assert_eq!(named.name(0x8124), Some(header));
        assert_eq!(named.name(0x8125), None);
        assert_eq!(
            named.id_or_new(&name(Guid([1; 16]), "one too many")),
            Err(Code::NAMED_PROPERTY_QUOTA)
        );
    }

    #[test]
    fn the_set_of_plain_ids_maps_to_them() {
        let named = NamedProperties::new(FIRST_ID, 10);
        let subject = PropertyName {
            set: PS_MAPI,
            id: NameId::Number(0x37),
        };
        assert_eq!(named.id(&subject), Some(0x37));
        assert_eq!(named.name(0x37), Some(subject));
    }
}
