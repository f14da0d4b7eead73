//! How ROPs write the name of a property. Source: MS-OXCDATA 2.6.1.

use crate::{
    cursor::{Reader, Result, Utf16, Writer},
    ids::Guid,
    property_name::{NameId, PropertyName},
};

/// The name of a property, or that it has none. Which number a name has, every mailbox says for itself.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum MaybeNamed {
    /// It has this name. A text has at most [`NAME_UNITS_MAX`] units; more are cut off when it is written.
    Named(PropertyName),
    /// It has none, or the server knows none. Some write a property set all the same.
    Nameless(Option<Guid>),
}

/// Whether a property set stands where there is no name: MS-OXCPRPT 3.2.5.9 says no, MS-OXCDATA 2.6.1 and gromox yes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamelessSet {
    /// It does not.
    Absent,
    /// It does.
    Present,
}

/// The longest name, in UTF-16 units: its length in octets, with the NUL, has one octet.
pub const NAME_UNITS_MAX: usize = 126;

/// What stands before a name.
mod kind {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const TEXT: u8 = 0x01;
    pub(super) const NONE: u8 = 0xff;
}

impl MaybeNamed {
    /// The name, if there is one.
    pub const fn name(&self) -> Option<&PropertyName> {
        match self {
            Self::Named(name) => Some(name),
            Self::Nameless(_) => None,
        }
    }

    /// Reads one; `set` says whether a property set is expected where there is no name.
    pub(crate) fn read(reader: &mut Reader<'_>, set: NamelessSet) -> Result<Self> {
        let kind = reader.u8("a kind of property name")?;
        if kind == kind::NONE {
            return Ok(Self::Nameless(match set {
                NamelessSet::Absent => None,
                NamelessSet::Present => Some(Guid::read(reader)?),
            }));
        }
        let set = Guid::read(reader)?;
        let id = match kind {
            kind::NUMBER => NameId::Number(reader.u32("the number of a named property")?),
            kind::TEXT => NameId::Text(read_text(reader)?),
            _ => return Err(reader.error("a kind of property name: 0, 1 or 255")),
        };
        Ok(Self::Named(PropertyName { set, id }))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let mut head = |kind, set: &Guid| {
            writer.u8(kind);
            writer.put(&set.0);
        };
        match self {
            Self::Nameless(Some(set)) => head(kind::NONE, set),
            Self::Nameless(None) => writer.u8(kind::NONE),
            Self::Named(PropertyName { set, id }) => match id {
                NameId::Number(number) => {
                    head(kind::NUMBER, set);
                    writer.u32(*number);
                }
                NameId::Text(text) => {
                    head(kind::TEXT, set);
                    write_text(writer, text);
                }
            },
        }
    }
}

impl From<PropertyName> for MaybeNamed {
    fn from(name: PropertyName) -> Self {
        Self::Named(name)
    }
}

fn read_text(reader: &mut Reader<'_>) -> Result<Utf16> {
    let size = reader.u8("the size of a property's name")?;
    let mut inner = reader.window(size.into(), "a property's name")?;
    let name = inner.wstr("a property's name with its NUL")?;
    inner.finish("the end of a property's name")?;
    Ok(name)
}

fn write_text(writer: &mut Writer, name: &Utf16) {
    let units = name.0.split(|&unit| unit == 0).next().unwrap_or_default();
    let units = units.get(..NAME_UNITS_MAX).unwrap_or(units);
    writer.u8(2 * (units.len() as u8 + 1));
    for &unit in units {
        writer.u16(unit);
    }
    writer.u16(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(id: NameId) -> MaybeNamed {
        let set = Guid([7; 16]);
        MaybeNamed::Named(PropertyName { set, id })
    }

    #[test]
    fn a_name_is_a_number_a_text_or_none() {
        let set: &[u8] = &[7; 16];
        let cases: [(NamelessSet, u8, &[&[u8]], MaybeNamed); 4] = [
            (
                NamelessSet::Absent,
                0,
                &[set, &[1, 0x85, 0, 0]],
                named(NameId::Number(0x8501)),
            ),
            (
                NamelessSet::Present,
                1,
                &[set, &[4, b'K', 0, 0, 0]],
                named(NameId::Text("K".into())),
            ),
            (NamelessSet::Absent, 0xff, &[], MaybeNamed::Nameless(None)),
            (
                NamelessSet::Present,
                0xff,
                &[set],
                MaybeNamed::Nameless(Some(Guid([7; 16]))),
            ),
        ];
        for (set, kind, rest, name) in cases {
            let bytes = [&[kind][..], &rest.concat()].concat();
            let mut reader = Reader::new(&bytes);
            assert_eq!(MaybeNamed::read(&mut reader, set).unwrap(), name);
            assert!(reader.is_empty());
            let mut writer = Writer::new();
            name.write(&mut writer);
            assert_eq!(writer.as_bytes(), bytes);
        }
    }

    #[test]
    fn a_name_too_long_for_its_length_is_cut_not_garbled() {
        let name = |len| named(NameId::Text("x".repeat(len).as_str().into()));
        let mut writer = Writer::new();
        name(300).write(&mut writer);
        let mut reader = Reader::new(writer.as_bytes());
        let read = MaybeNamed::read(&mut reader, NamelessSet::Absent);
        assert_eq!(read.unwrap(), name(NAME_UNITS_MAX));
    }
}
