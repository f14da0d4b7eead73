//! How properties are grouped, so that only groups that changed are sent. Source: MS-OXCFXICS 2.2.2.8.

use mapi_types::PropTag;

use crate::{
    cursor::{DecodeError, Reader, Result, Writer},
    fast_transfer::{Property, find},
    ids::Guid,
    property_name::{NameId, PropertyName},
};

/// The property that a grouping is in.
const INFORMATION: u32 = 0x0000_0102;

/// The most groups, and the most properties of a group: there are not more property ids.
const COUNT_MAX: usize = 0x1_0000;

/// The least octets of a tag, and of a group.
const OCTETS_MIN: usize = 4;

/// The place that stands for all properties of no group.
pub const ALL_OTHERS: i32 = -1;

/// A grouping of properties (PropertyGroupInfo).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupInfo {
    /// What the grouping is called in this synchronization.
    pub id: u32,
    /// The groups, by their places.
    pub groups: Vec<Vec<GroupedProperty>>,
}

/// A property in a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupedProperty {
    /// The tag.
    pub tag: PropTag,
    /// The name; there exactly when the id is 0x8000 or above.
    pub name: Option<PropertyName>,
}

impl GroupInfo {
    /// From the properties of [`crate::fast_transfer::PartialChange::group_info`]. Errors: what is missing or broken.
    pub fn from_properties(props: &[Property]) -> Result<Self> {
        let information = find(props, PropTag(INFORMATION)).and_then(Property::as_octets);
        match information {
            Some(octets) => Self::read(&mut Reader::new(octets)),
            None => Err(DecodeError {
                at: 0,
                expected: "a grouping of properties",
            }),
        }
    }

    /// The properties.
    pub fn to_properties(&self) -> Vec<Property> {
        let mut writer = Writer::new();
        writer.u32(self.id);
        writer.u32(0);
        writer.u32(self.groups.len() as u32);
        for group in &self.groups {
            writer.u32(group.len() as u32);
            for property in group {
                property.write(&mut writer);
            }
        }
        vec![Property::binary(INFORMATION, writer.as_bytes())]
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let id = reader.u32("the id of a grouping")?;
        reader.u32("a reserved field")?;
        let groups = many(reader, "a count of groups", |reader| {
            many(reader, "a count of properties", GroupedProperty::read)
        })?;
        reader.finish("the end of a grouping")?;
        Ok(Self { id, groups })
    }
}

impl GroupedProperty {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let tag = PropTag(reader.u32("a property tag")?);
        if tag.id() < 0x8000 {
            return Ok(Self { tag, name: None });
        }
        let set = Guid(reader.array("a property set")?);
        let kind = reader.clone();
        let id = match reader.u32("the kind of a name")? {
            0 => NameId::Number(reader.u32("the number of a property")?),
            1 => {
                let size = reader.u32("the size of a name")? as usize;
                let mut name = reader.window(size, "a name")?;
                let text = name.wstr("a name with its NUL")?;
                name.finish("the end of a name")?;
                NameId::Text(text)
            }
            _ => return Err(kind.error("a name that is a number or a text")),
        };
        let name = Some(PropertyName { set, id });
        Ok(Self { tag, name })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.tag.0);
        let Some(name) = &self.name else {
            return;
        };
        writer.put(&name.set.0);
        match &name.id {
            NameId::Number(number) => {
                writer.u32(0);
                writer.u32(*number);
            }
            NameId::Text(text) => {
                let mut octets = Writer::new();
                octets.wstr(text);
                writer.u32(1);
                writer.u32(octets.len() as u32);
                writer.put(octets.as_bytes());
            }
        }
    }
}

fn many<T>(
    reader: &mut Reader<'_>,
    expected: &'static str,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let start = reader.clone();
    let count = reader.u32(expected)? as usize;
    if count > COUNT_MAX {
        return Err(start.error(expected));
    }
    let count = reader.count(count, OCTETS_MIN, expected)?;
    (0..count).map(|_| read(reader)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grouping_is_read_as_it_is_written() {
        let named = |id| GroupedProperty {
            tag: PropTag(0x8001_001f),
            name: Some(PropertyName {
                set: Guid([3; 16]),
                id,
            }),
        };
        let subject = GroupedProperty {
            tag: PropTag(0x0037_001f),
            name: None,
        };
        let info = GroupInfo {
            id: 7,
            groups: vec![
                vec![subject],
                vec![],
                vec![
                    named(NameId::Number(0x8501)),
                    named(NameId::Text("é".into())),
                ],
            ],
        };
        let props = info.to_properties();
        assert_eq!(GroupInfo::from_properties(&props), Ok(info));
        let octets = props[0].as_octets().unwrap();
        assert_eq!(
            octets[..16],
            [7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0]
        );
        assert_eq!(octets[octets.len() - 8..], [4, 0, 0, 0, 0xe9, 0, 0, 0]);
    }
}
