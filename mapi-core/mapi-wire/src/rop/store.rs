//! What is asked of a whole store: receive folders, replicas, ids, per-user data. Source: MS-OXCROPS 2.2.3,
//! MS-OXCSTOR 2.2.1.

use super::{
    field::{Context, Field, cstr},
    layout::rops,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::{Gid, Guid, Id},
    row::PropertyRow,
    table::RECEIVE_FOLDER_COLUMNS,
};

rops! {
    /// Says which folder messages of a class are delivered to. Source: MS-OXCROPS 2.2.3.3.
    0x26 SetReceiveFolder (input) {
        /// The folder; zero removes the entry.
        folder_id: Id,
        /// The class or its beginning, without NUL.
        message_class: Box<[u8]> [cstr],
    } => SetReceiveFolderResponse {}

    /// Asks which folder messages of a class are delivered to. Source: MS-OXCROPS 2.2.3.2.
    0x27 GetReceiveFolder (input) {
        /// The class, without NUL.
        message_class: Box<[u8]> [cstr],
    } => GetReceiveFolderResponse {
        /// The folder.
        folder_id: Id,
        /// The entry that matched: a class or its beginning, without NUL.
        explicit_message_class: Box<[u8]> [cstr],
    }

    /// Asks for all entries of the Receive folder table. Source: MS-OXCROPS 2.2.3.4.
    0x68 GetReceiveFolderTable (input) {} => GetReceiveFolderTableResponse {
        /// Rows of [`RECEIVE_FOLDER_COLUMNS`].
        rows: Vec<PropertyRow> [receive_folder_rows],
    }

    /// Asks for the state of the store. Source: MS-OXCROPS 2.2.3.5.
    0x7b GetStoreState (input) {} => GetStoreStateResponse {
        /// Bits: 0x01000000, there are persistent searches.
        store_state: u32,
    }

    /// Asks which servers hold a public folder. Source: MS-OXCROPS 2.2.3.6.
    0x42 GetOwningServers (input) {
        /// The folder.
        folder_id: Id,
    } => GetOwningServersResponse {
        /// The servers.
        servers: Servers,
    }

    /// Asks whether a public folder is elsewhere. Source: MS-OXCROPS 2.2.3.7.
    0x45 PublicFolderIsGhosted (input) {
        /// The folder.
        folder_id: Id,
    } => PublicFolderIsGhostedResponse {
        /// The servers that have it, when this one does not.
        ghosted: Option<Servers>,
    }

    /// Asks what an id of this logon is for everybody. Source: MS-OXCROPS 2.2.3.8.
    0x43 LongTermIdFromId (input) {
        /// The id.
        object_id: Id,
    } => LongTermIdFromIdResponse {
        /// The id for everybody.
        long_term_id: Gid,
    }

    /// Asks what an id for everybody is in this logon. Source: MS-OXCROPS 2.2.3.9.
    0x44 IdFromLongTermId (input) {
        /// The id for everybody.
        long_term_id: Gid,
    } => IdFromLongTermIdResponse {
        /// The id.
        object_id: Id,
    }

    /// Asks for which public folders of a store this mailbox keeps read marks. Source: MS-OXCROPS 2.2.3.10.
    0x60 GetPerUserLongTermIds (input) {
        /// The store of public folders.
        database_guid: Guid,
    } => GetPerUserLongTermIdsResponse {
        /// The folders.
        long_term_ids: Vec<Gid>,
    }

    /// Asks for the store of a public folder. Source: MS-OXCROPS 2.2.3.11.
    0x61 GetPerUserGuid (input) {
        /// The folder.
        long_term_id: Gid,
    } => GetPerUserGuidResponse {
        /// The store.
        database_guid: Guid,
    }

    /// Reads the read marks of a public folder. Source: MS-OXCROPS 2.2.3.12.
    0x63 ReadPerUserInformation (input) {
        /// The folder.
        folder_id: Gid,
        /// Reserved, 0.
        reserved: u8,
        /// Where to begin.
        data_offset: u32,
        /// How much at most; 0: what the server likes.
        max_data_size: u16,
    } => ReadPerUserInformationResponse {
        /// Whether this was the last part.
        has_finished: bool,
        /// The part: a piece of a set of change numbers.
        data: Box<[u8]>,
    }

    /// Writes the read marks of a public folder. Source: MS-OXCROPS 2.2.3.13.
    0x64 WritePerUserInformation (input) {
        /// The folder.
        folder_id: Gid,
        /// Whether this is the last part.
        has_finished: bool,
        /// Where it belongs.
        data_offset: u32,
        /// The part.
        data: Box<[u8]>,
        /// The store of the folder: with the first part, to a mailbox.
        replguid: Option<Guid> [first_replica data_offset],
    } => WritePerUserInformationResponse {}
}

mod first_replica {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        expected: &'static str,
        data_offset: &u32,
    ) -> Result<Option<Guid>> {
        match *data_offset == 0 && !context.public {
            true => Field::read(reader, expected).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn write(replguid: &Option<Guid>, writer: &mut Writer, data_offset: &u32) {
        if let (Some(replguid), 0) = (replguid, data_offset) {
            replguid.write(writer);
        }
    }
}

mod receive_folder_rows {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<PropertyRow>> {
        let count = reader.u32(expected)? as usize;
        let count = reader.count(count, 1, expected)?;
        (0..count)
            .map(|_| PropertyRow::read(reader, &RECEIVE_FOLDER_COLUMNS))
            .collect()
    }

    pub(super) fn write(rows: &[PropertyRow], writer: &mut Writer) {
        writer.u32(rows.len() as u32);
        for row in rows {
            row.write(writer);
        }
    }
}

/// Servers that have a public folder. Source: MS-OXCROPS 2.2.4.1.2.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Servers {
    /// How many of the first ones are cheap to reach.
    pub cheap_count: u16,
    /// Their distinguished names, without NUL.
    pub names: Vec<Box<[u8]>>,
}

impl Field for Servers {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        let count = usize::from(reader.u16(expected)?);
        let cheap_count = reader.u16(expected)?;
        let count = reader.count(count, 1, expected)?;
        let names = (0..count)
            .map(|_| Ok(reader.cstr(expected)?.into()))
            .collect::<Result<_>>()?;
        Ok(Self { cheap_count, names })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.names.len() as u16);
        writer.u16(self.cheap_count);
        for name in &self.names {
            writer.cstr(name);
        }
    }
}

/// After an octet that says whether they are there.
impl Field for Option<Servers> {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        match reader.bool(expected)? {
            true => Field::read(reader, expected).map(Some),
            false => Ok(None),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.bool(self.is_some());
        if let Some(servers) = self {
            servers.write(writer);
        }
    }
}
