//! Properties of any object, and their names. Source: MS-OXCROPS 2.2.8, MS-OXCPRPT 2.2.

use mapi_types::PropTag;

use super::{
    field::{Context, Field, sized_values},
    layout::{Answer, ask, rops},
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Guid,
    named::{MaybeNamed, NamelessSet},
    row::PropertyRow,
    value::TaggedValue,
};

rops! {
    /// Asks for the names of numbers. Source: MS-OXCROPS 2.2.8.2.
    0x55 GetNamesFromPropertyIds (input) {
        /// The numbers.
        property_ids: Vec<u16>,
    } => GetNamesFromPropertyIdsResponse {
        /// The names, in the order asked.
        property_names: Vec<MaybeNamed> [names],
    }

    /// Asks for certain properties. Source: MS-OXCROPS 2.2.8.3.
    0x07 GetPropertiesSpecific (input) {
        /// Longer values come as an error instead; 0: whatever fits the buffer.
        property_size_limit: u16,
        /// Whether strings of no type shall be UTF-16.
        want_unicode: u16,
        /// The properties.
        property_tags: Vec<PropTag>,
    } => GetPropertiesSpecificResponse {
        /// The values, in the order asked.
        row: PropertyRow [row],
    }

    /// Asks for all properties. Source: MS-OXCROPS 2.2.8.4.
    0x08 GetPropertiesAll (input) {
        /// Longer values come as an error instead; 0: whatever fits the buffer.
        property_size_limit: u16,
        /// Whether strings shall be UTF-16.
        want_unicode: u16,
    } => GetPropertiesAllResponse {
        /// The values.
        property_values: Vec<TaggedValue>,
    }

    /// Asks which properties there are. Source: MS-OXCROPS 2.2.8.5.
    0x09 GetPropertiesList (input) {} => GetPropertiesListResponse {
        /// The properties.
        property_tags: Vec<PropTag>,
    }

    /// Changes properties. Source: MS-OXCROPS 2.2.8.6.
    0x0a SetProperties (input) {
        /// The values.
        property_values: Vec<TaggedValue> [sized_values],
    } => SetPropertiesResponse {
        /// What could not be changed.
        property_problems: Vec<PropertyProblem>,
    }

    /// Changes properties; those of a folder do not travel to other replicas. Source: MS-OXCROPS 2.2.8.7.
    0x79 SetPropertiesNoReplicate (input) {
        /// The values.
        property_values: Vec<TaggedValue> [sized_values],
    } => SetPropertiesNoReplicateResponse {
        /// What could not be changed.
        property_problems: Vec<PropertyProblem>,
    }

    /// Removes properties. Source: MS-OXCROPS 2.2.8.8.
    0x0b DeleteProperties (input) {
        /// The properties.
        property_tags: Vec<PropTag>,
    } => DeletePropertiesResponse {
        /// What could not be removed.
        property_problems: Vec<PropertyProblem>,
    }

    /// Removes properties; those of a folder stay with other replicas. Source: MS-OXCROPS 2.2.8.9.
    0x7a DeletePropertiesNoReplicate (input) {
        /// The properties.
        property_tags: Vec<PropTag>,
    } => DeletePropertiesNoReplicateResponse {
        /// What could not be removed.
        property_problems: Vec<PropertyProblem>,
    }

    /// Copies properties to another object. Source: MS-OXCROPS 2.2.8.11.
    0x67 CopyProperties (source destination) {
        /// Whether [`ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// [`copy_flags`].
        copy_flags: u8,
        /// The properties.
        property_tags: Vec<PropTag>,
    } => CopyPropertiesResponse {
        /// What could not be copied.
        property_problems: Vec<PropertyProblem>,
    }

    /// Copies or moves all properties but some to another object. Source: MS-OXCROPS 2.2.8.12.
    0x39 CopyTo (source destination) {
        /// Whether [`ProgressResponse`] may come instead of the end.
        want_asynchronous: bool,
        /// Whether recipients, attachments and subfolders go with them.
        want_sub_objects: bool,
        /// [`copy_flags`].
        copy_flags: u8,
        /// The properties that are left out.
        excluded_tags: Vec<PropTag>,
    } => CopyToResponse {
        /// What could not be copied.
        property_problems: Vec<PropertyProblem>,
    }

    /// Asks how far something long is, or stops it. Source: MS-OXCROPS 2.2.8.13.
    ///
    /// What is asked for may end meanwhile: then its own response comes.
    0x50 Progress (input) {
        /// Whether it shall stop.
        want_cancel: bool,
    } => ProgressResponse {
        /// The logon of what is going on.
        logon_id: u8,
        /// Steps done.
        completed_task_count: u32,
        /// All steps.
        total_task_count: u32,
    }
}

ask! {
    /// Asks for the numbers of names. Source: MS-OXCROPS 2.2.8.1.
    0x56 GetPropertyIdsFromNames (input) {
        /// 0, or [`Self::CREATE`].
        flags: u8,
        /// The names; none: all that are there.
        property_names: Vec<MaybeNamed>,
    }
}

impl GetPropertyIdsFromNames {
    /// Flags: names that are not there get a number.
    pub const CREATE: u8 = 0x02;
}

ask! {
    /// Asks for all names of an object's properties. Source: MS-OXCROPS 2.2.8.10.
    0x5f QueryNamedProperties (input) {
        /// Bits: 1 without text names, 2 without numbers.
        query_flags: u8,
        /// Of this property set only.
        property_guid: Option<Guid> [possible_guid],
    }
}

/// CopyFlags of [`CopyTo`] and [`CopyProperties`]. Source: MS-OXCPRPT 2.2.10.1, 2.2.11.1.
pub mod copy_flags {
    /// They go from the source.
    pub const MOVE: u8 = 0x01;
    /// What the destination has stays as it is.
    pub const NO_OVERWRITE: u8 = 0x02;
}

/// The successful response to [`GetPropertyIdsFromNames`].
#[derive(Clone, Debug, PartialEq)]
pub struct GetPropertyIdsFromNamesResponse {
    /// The slot that the request named for it.
    pub index: u8,
    /// 0, or [`WARN_WITH_ERRORS`] when not every name has a number.
    pub return_value: u32,
    /// The numbers, in the order asked; 0: none.
    pub property_ids: Vec<u16>,
}

/// ecWarnWithErrors: ReturnValue of a response that is complete but for some items. Source: MS-OXCDATA 2.4.
pub const WARN_WITH_ERRORS: u32 = 0x0004_0380;

impl Answer for GetPropertyIdsFromNamesResponse {
    fn read(reader: &mut Reader<'_>, index: u8, context: Context<'_>) -> Result<Self> {
        Ok(Self {
            index,
            return_value: context.code,
            property_ids: Field::read(reader, "the numbers of property names")?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        self.property_ids.write(writer);
    }

    fn index(&self) -> u8 {
        self.index
    }

    fn code(&self) -> u32 {
        self.return_value
    }
}

/// The successful response to [`QueryNamedProperties`].
#[derive(Clone, Debug, PartialEq)]
pub struct QueryNamedPropertiesResponse {
    /// The slot that the request named for it.
    pub index: u8,
    /// 0 or [`WARN_WITH_ERRORS`].
    pub return_value: u32,
    /// Numbers and their names.
    pub properties: Vec<(u16, MaybeNamed)>,
}

impl Answer for QueryNamedPropertiesResponse {
    fn read(reader: &mut Reader<'_>, index: u8, context: Context<'_>) -> Result<Self> {
        let ids: Vec<u16> = Field::read(reader, "the numbers of named properties")?;
        let names = read_names(reader, context, ids.len())?;
        Ok(Self {
            index,
            return_value: context.code,
            properties: ids.into_iter().zip(names).collect(),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.properties.len() as u16);
        for (id, _) in &self.properties {
            writer.u16(*id);
        }
        for (_, name) in &self.properties {
            name.write(writer);
        }
    }

    fn index(&self) -> u8 {
        self.index
    }

    fn code(&self) -> u32 {
        self.return_value
    }
}

/// A property that could not be changed. Source: MS-OXCDATA 2.7.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PropertyProblem {
    /// Its place in the request.
    pub index: u16,
    /// The property.
    pub tag: PropTag,
    /// Why.
    pub code: u32,
}

impl Field for PropertyProblem {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self {
            index: reader.u16(expected)?,
            tag: Field::read(reader, expected)?,
            code: reader.u32(expected)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.index);
        self.tag.write(writer);
        writer.u32(self.code);
    }
}

/// Names after their count.
mod names {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<MaybeNamed>> {
        let count = usize::from(reader.u16(expected)?);
        let count = reader.count(count, 1, expected)?;
        read_names(reader, context, count)
    }

    pub(super) fn write(names: &Vec<MaybeNamed>, writer: &mut Writer) {
        Field::write(names, writer);
    }
}

/// Reads the last field of a response. Where a property has no name, nothing follows (MS-OXCPRPT 3.2.5.9) or a property
/// set does (gromox): what comes after the list tells.
fn read_names(
    reader: &mut Reader<'_>,
    context: Context<'_>,
    count: usize,
) -> Result<Vec<MaybeNamed>> {
    let read = |reader: &mut Reader<'_>, set| -> Result<Vec<_>> {
        (0..count).map(|_| MaybeNamed::read(reader, set)).collect()
    };
    for set in [NamelessSet::Absent, NamelessSet::Present] {
        let mut attempt = reader.clone();
        if let Ok(names) = read(&mut attempt, set)
            && context.ends_here(&attempt)
        {
            *reader = attempt;
            return Ok(names);
        }
    }
    read(reader, NamelessSet::Absent)
}

/// The values of the properties that were asked for.
mod row {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        _: &'static str,
    ) -> Result<PropertyRow> {
        PropertyRow::read(reader, context.columns(reader)?)
    }

    pub(super) fn write(row: &PropertyRow, writer: &mut Writer) {
        row.write(writer);
    }
}

/// A GUID after an octet that says whether it is there.
mod possible_guid {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Option<Guid>> {
        match reader.bool(expected)? {
            true => Field::read(reader, expected).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn write(guid: &Option<Guid>, writer: &mut Writer) {
        writer.bool(guid.is_some());
        if let Some(guid) = guid {
            guid.write(writer);
        }
    }
}
