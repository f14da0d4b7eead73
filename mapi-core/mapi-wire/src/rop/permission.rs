//! Who may do what with a folder. Source: MS-OXCROPS 2.2.10, MS-OXCPERM 2.2.

use super::{field::Field, layout::rops};
use crate::{
    cursor::{Reader, Result, Writer},
    value::TaggedValue,
};

rops! {
    /// Changes permissions. Source: MS-OXCROPS 2.2.10.1.
    0x40 ModifyPermissions (input) {
        /// [`Self::REPLACE_ROWS`], [`Self::INCLUDE_FREE_BUSY`].
        modify_flags: u8,
        /// The changes.
        permissions_data: Vec<PermissionData>,
    } => ModifyPermissionsResponse {}

    /// Opens the table of permissions. Source: MS-OXCROPS 2.2.10.2.
    0x3e GetPermissionsTable (input output) {
        /// 0, or 2: with rights to free/busy times.
        table_flags: u8,
    } => GetPermissionsTableResponse {}
}

impl ModifyPermissions {
    /// ModifyFlags: what was there goes first.
    pub const REPLACE_ROWS: u8 = 0x01;
    /// ModifyFlags: with rights to free/busy times.
    pub const INCLUDE_FREE_BUSY: u8 = 0x02;
}

/// One change of permissions. Source: MS-OXCROPS 2.2.10.1.1.1.
#[derive(Clone, Debug, PartialEq)]
pub struct PermissionData {
    /// [`Self::ADD_ROW`] and so on.
    pub flags: u8,
    /// Who, and what they may do.
    pub property_values: Vec<TaggedValue>,
}

impl PermissionData {
    /// Flags: somebody new.
    pub const ADD_ROW: u8 = 0x01;
    /// Flags: other rights for somebody.
    pub const MODIFY_ROW: u8 = 0x02;
    /// Flags: no rights for somebody.
    pub const REMOVE_ROW: u8 = 0x04;
}

impl Field for PermissionData {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self {
            flags: reader.u8(expected)?,
            property_values: Field::read(reader, expected)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u8(self.flags);
        self.property_values.write(writer);
    }
}
