//! Incremental change synchronisation: asking what changed, and uploading changes. Source: MS-OXCROPS 2.2.13,
//! MS-OXCFXICS 2.2.3.2.

use mapi_types::PropTag;

use super::{
    field::{Context, Field, octets32, restriction},
    layout::rops,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::{Gid, Globcnt, Guid, Id},
    restriction::Restriction,
    value::TaggedValue,
};

rops! {
    /// Begins the download of changes. Source: MS-OXCROPS 2.2.13.1.
    0x70 SynchronizationConfigure (input output) {
        /// [`Self::CONTENTS`] or [`Self::HIERARCHY`].
        synchronization_type: u8,
        /// [`super::send_options`].
        send_options: u8,
        /// [`synchronization_flags`].
        synchronization_flags: u16,
        /// Only messages that meet it.
        restriction: Option<Restriction> [restriction],
        /// [`synchronization_extra_flags`].
        synchronization_extra_flags: u32,
        /// The properties that are wanted, or not, by the flags.
        property_tags: Vec<PropTag>,
    } => SynchronizationConfigureResponse {}

    /// Uploads a message: its handle takes properties, recipients and attachments. Source: MS-OXCROPS 2.2.13.2.
    0x72 SynchronizationImportMessageChange (input output) {
        /// Bits: 0x10 associated, 0x40 refuse what conflicts.
        import_flag: u8,
        /// PidTagSourceKey, PidTagLastModificationTime, PidTagChangeKey, PidTagPredecessorChangeList.
        property_values: Vec<TaggedValue>,
    } => SynchronizationImportMessageChangeResponse {
        /// To be ignored.
        message_id: Id,
    }

    /// Uploads read marks. Source: MS-OXCROPS 2.2.13.3.
    0x80 SynchronizationImportReadStateChanges (input) {
        /// The marks.
        message_read_states: Vec<MessageReadState> [read_states],
    } => SynchronizationImportReadStateChangesResponse {}

    /// Uploads a folder. Source: MS-OXCROPS 2.2.13.4.
    0x73 SynchronizationImportHierarchyChange (input) {
        /// PidTagParentSourceKey, PidTagSourceKey, PidTagLastModificationTime, PidTagChangeKey,
        /// PidTagPredecessorChangeList, PidTagDisplayName.
        hierarchy_values: Vec<TaggedValue>,
        /// Its other properties.
        property_values: Vec<TaggedValue>,
    } => SynchronizationImportHierarchyChangeResponse {
        /// To be ignored.
        folder_id: Id,
    }

    /// Uploads deletions. Source: MS-OXCROPS 2.2.13.5.
    0x74 SynchronizationImportDeletes (input) {
        /// Bits: 1 folders, 2 for good.
        import_delete_flags: u8,
        /// One list of source keys.
        property_values: Vec<TaggedValue>,
    } => SynchronizationImportDeletesResponse {}

    /// Uploads a move of a message. Source: MS-OXCROPS 2.2.13.6.
    0x78 SynchronizationImportMessageMove (input) {
        /// Source key of the folder it was in.
        source_folder_id: Box<[u8]> [octets32],
        /// Source key it had.
        source_message_id: Box<[u8]> [octets32],
        /// PidTagPredecessorChangeList.
        predecessor_change_list: Box<[u8]> [octets32],
        /// Source key it shall have.
        destination_message_id: Box<[u8]> [octets32],
        /// PidTagChangeKey.
        change_number: Box<[u8]> [octets32],
    } => SynchronizationImportMessageMoveResponse {
        /// To be ignored.
        message_id: Id,
    }

    /// Begins an upload of changes. Source: MS-OXCROPS 2.2.13.7.
    0x7e SynchronizationOpenCollector (input output) {
        /// Whether of messages, else of folders.
        is_contents_collector: bool,
    } => SynchronizationOpenCollectorResponse {}

    /// Begins the download of what the context has seen. Source: MS-OXCROPS 2.2.13.8.
    0x82 SynchronizationGetTransferState (input output) {} => SynchronizationGetTransferStateResponse {}

    /// Begins to say what the client has seen. Source: MS-OXCROPS 2.2.13.9.
    0x75 SynchronizationUploadStateStreamBegin (input) {
        /// Which of the four sets: MS-OXCFXICS 2.2.1.1.
        state_property: PropTag,
        /// Octets of the set.
        transfer_buffer_size: u32,
    } => SynchronizationUploadStateStreamBeginResponse {}

    /// Goes on to say what the client has seen. Source: MS-OXCROPS 2.2.13.10.
    0x76 SynchronizationUploadStateStreamContinue (input) {
        /// A part of the set.
        stream_data: Box<[u8]> [octets32],
    } => SynchronizationUploadStateStreamContinueResponse {}

    /// Ends saying what the client has seen. Source: MS-OXCROPS 2.2.13.11.
    0x77 SynchronizationUploadStateStreamEnd (input) {} => SynchronizationUploadStateStreamEndResponse {}

    /// Says which ids the client will not use after all. Source: MS-OXCROPS 2.2.13.12.
    0x93 SetLocalReplicaMidsetDeleted (input) {
        /// The ids.
        long_term_id_ranges: Vec<LongTermIdRange> [ranges],
    } => SetLocalReplicaMidsetDeletedResponse {}

    /// Asks for ids that the client may give out. Source: MS-OXCROPS 2.2.13.13.
    0x7f GetLocalReplicaIds (input) {
        /// How many.
        id_count: u32,
    } => GetLocalReplicaIdsResponse {
        /// The replica.
        replguid: Guid,
        /// The first counter.
        global_count: Globcnt,
    }
}

impl SynchronizationConfigure {
    /// SynchronizationType: messages.
    pub const CONTENTS: u8 = 0x01;
    /// SynchronizationType: folders.
    pub const HIERARCHY: u8 = 0x02;
}

/// SynchronizationFlags. Source: MS-OXCFXICS 2.2.3.2.1.1.1.
pub mod synchronization_flags {
    /// Strings in UTF-16.
    pub const UNICODE: u16 = 0x0001;
    /// Without deletions.
    pub const NO_DELETIONS: u16 = 0x0002;
    /// Without what has left the restriction.
    pub const IGNORE_NO_LONGER_IN_SCOPE: u16 = 0x0004;
    /// With read marks.
    pub const READ_STATE: u16 = 0x0008;
    /// With associated messages.
    pub const FAI: u16 = 0x0010;
    /// With the other messages.
    pub const NORMAL: u16 = 0x0020;
    /// Only the properties that are named; else all but those.
    pub const ONLY_SPECIFIED_PROPERTIES: u16 = 0x0080;
    /// Source keys of the server only, whatever a client once called an object.
    pub const NO_FOREIGN_IDENTIFIERS: u16 = 0x0100;
    /// Reserved; to be set.
    pub const RESERVED: u16 = 0x1000;
    /// The body as it is best kept.
    pub const BEST_BODY: u16 = 0x2000;
    /// Named properties of associated messages only if named.
    pub const IGNORE_SPECIFIED_ON_FAI: u16 = 0x4000;
    /// With progress marks.
    pub const PROGRESS: u16 = 0x8000;
}

/// SynchronizationExtraFlags. Source: MS-OXCFXICS 2.2.3.2.1.1.1.
pub mod synchronization_extra_flags {
    /// PidTagMid or PidTagFolderId with each change.
    pub const EID: u32 = 0x0000_0001;
    /// PidTagMessageSize with each change.
    pub const MESSAGE_SIZE: u32 = 0x0000_0002;
    /// PidTagChangeNumber with each change.
    pub const CN: u32 = 0x0000_0004;
    /// The newest first.
    pub const ORDER_BY_DELIVERY_TIME: u32 = 0x0000_0008;
}

/// The read mark of a message. Source: MS-OXCROPS 2.2.13.3.1.1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageReadState {
    /// Its source key.
    pub message_id: Box<[u8]>,
    /// Whether it is read.
    pub mark_as_read: bool,
}

/// Marks after their size in octets.
mod read_states {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<MessageReadState>> {
        let size = usize::from(reader.u16(expected)?);
        let mut inner = reader.window(size, expected)?;
        let mut states = Vec::new();
        while !inner.is_empty() {
            states.push(MessageReadState {
                message_id: Field::read(&mut inner, expected)?,
                mark_as_read: inner.bool(expected)?,
            });
        }
        Ok(states)
    }

    pub(super) fn write(states: &[MessageReadState], writer: &mut Writer) {
        let start = writer.len();
        writer.u16(0);
        for state in states {
            state.message_id.write(writer);
            writer.bool(state.mark_as_read);
        }
        writer.set_u16(start, (writer.len() - start - 2) as u16);
    }
}

/// Ids from one to another, both included. Source: MS-OXCROPS 2.2.13.12.1.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LongTermIdRange {
    /// The first.
    pub min: Gid,
    /// The last.
    pub max: Gid,
}

/// Ranges after their size in octets, which counts their own count.
mod ranges {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<LongTermIdRange>> {
        let size = usize::from(reader.u16(expected)?);
        let mut inner = reader.window(size, expected)?;
        let count = inner.u32(expected)? as usize;
        let count = inner.count(count, 48, expected)?;
        let mut range = || {
            Ok(LongTermIdRange {
                min: Gid::read_long_term(&mut inner)?,
                max: Gid::read_long_term(&mut inner)?,
            })
        };
        let ranges = (0..count).map(|_| range()).collect::<Result<_>>()?;
        inner.finish("the end of the ranges")?;
        Ok(ranges)
    }

    pub(super) fn write(ranges: &[LongTermIdRange], writer: &mut Writer) {
        let start = writer.len();
        writer.u16(0);
        writer.u32(ranges.len() as u32);
        for range in ranges {
            range.min.write_long_term(writer);
            range.max.write_long_term(writer);
        }
        writer.set_u16(start, (writer.len() - start - 2) as u16);
    }
}
