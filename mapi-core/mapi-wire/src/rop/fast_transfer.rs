//! Whole objects as streams; what is in the streams is not decoded here. Source: MS-OXCROPS 2.2.12,
//! MS-OXCFXICS 2.2.3.1.

use mapi_types::PropTag;

use super::{field::Field, layout::rops};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
};

rops! {
    /// Begins an upload. Source: MS-OXCROPS 2.2.12.1.
    0x53 FastTransferDestinationConfigure (input output) {
        /// Which download the stream would come from: 1 CopyTo, 2 CopyProperties, 3 CopyMessages, 4 CopyFolder.
        source_operation: u8,
        /// 0, or 1: a move.
        copy_flags: u8,
    } => FastTransferDestinationConfigureResponse {}

    /// Uploads a part. Source: MS-OXCROPS 2.2.12.2.
    0x54 FastTransferDestinationPutBuffer (input) {
        /// The part.
        transfer_data: Box<[u8]>,
    } => FastTransferDestinationPutBufferResponse {
        /// How it went.
        result: PutBuffer,
    }

    /// Uploads a part, from several packed buffers. Source: MS-OXCROPS 2.2.12.3.
    0x9d FastTransferDestinationPutBufferExtended (input) {
        /// The part.
        transfer_data: Box<[u8]>,
    } => FastTransferDestinationPutBufferExtendedResponse {
        /// How it went.
        result: PutBufferExtended,
    }

    /// Downloads a part. Source: MS-OXCROPS 2.2.12.4.
    0x4e FastTransferSourceGetBuffer (input) {
        /// How much.
        buffer_size: BufferSize,
    } => FastTransferSourceGetBufferResponse {
        /// [`transfer_status`].
        transfer_status: u16,
        /// Steps done, for display.
        in_progress_count: u16,
        /// All steps, about, for display.
        total_step_count: u16,
        /// Reserved, 0.
        reserved: u8,
        /// The part.
        transfer_buffer: Box<[u8]>,
    }

    /// Begins the download of a folder. Source: MS-OXCROPS 2.2.12.5.
    0x4c FastTransferSourceCopyFolder (input output) {
        /// MS-OXCFXICS 2.2.3.1.1.4.1: 0x01 move, 0x10 subfolders too.
        copy_flags: u8,
        /// [`send_options`].
        send_options: u8,
    } => FastTransferSourceCopyFolderResponse {}

    /// Begins the download of messages. Source: MS-OXCROPS 2.2.12.6.
    0x4b FastTransferSourceCopyMessages (input output) {
        /// The messages.
        message_ids: Vec<Id>,
        /// MS-OXCFXICS 2.2.3.1.1.3.1: 0x01 move, 0x10 the best body, 0x20 send entry ids.
        copy_flags: u8,
        /// [`send_options`].
        send_options: u8,
    } => FastTransferSourceCopyMessagesResponse {}

    /// Begins the download of an object, but for some properties. Source: MS-OXCROPS 2.2.12.7.
    0x4d FastTransferSourceCopyTo (input output) {
        /// 0: what is within the object too.
        level: u8,
        /// MS-OXCFXICS 2.2.3.1.1.1.1.
        copy_flags: u32,
        /// [`send_options`].
        send_options: u8,
        /// The properties that are left out.
        property_tags: Vec<PropTag>,
    } => FastTransferSourceCopyToResponse {}

    /// Begins the download of some properties of an object. Source: MS-OXCROPS 2.2.12.8.
    0x69 FastTransferSourceCopyProperties (input output) {
        /// 0: what is within the object too.
        level: u8,
        /// MS-OXCFXICS 2.2.3.1.1.2.1.
        copy_flags: u8,
        /// [`send_options`].
        send_options: u8,
        /// The properties.
        property_tags: Vec<PropTag>,
    } => FastTransferSourceCopyPropertiesResponse {}

    /// Tells one server which version another has. Source: MS-OXCROPS 2.2.12.9.
    0x86 TellVersion (input) {
        /// The version, three numbers of 16 bits.
        version: [u8; 6],
    } => TellVersionResponse {}
}

/// TransferStatus. Source: MS-OXCFXICS 2.2.3.1.1.5.2.
pub mod transfer_status {
    /// It cannot go on.
    pub const ERROR: u16 = 0;
    /// There is more.
    pub const PARTIAL: u16 = 1;
    /// There is more, and it did not fit.
    pub const NO_ROOM: u16 = 2;
    /// That was all.
    pub const DONE: u16 = 3;
}

/// SendOptions. Source: MS-OXCFXICS 2.2.3.1.1.1.2.
pub mod send_options {
    /// Strings in UTF-16.
    pub const UNICODE: u8 = 0x01;
    /// Strings in the code page they are kept in.
    pub const USE_CPID: u8 = 0x02;
    /// For an upload to another server.
    pub const FOR_UPLOAD: u8 = 0x03;
    /// The server may go on after an error.
    pub const RECOVER_MODE: u8 = 0x04;
    /// All strings in UTF-16, whatever they are kept in.
    pub const FORCE_UNICODE: u8 = 0x08;
    /// Only part of a message that has changed in part.
    pub const PARTIAL_ITEM: u8 = 0x10;
}

/// How much to download. Source: MS-OXCROPS 2.2.12.4.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BufferSize {
    /// So many octets; 0xBABE of them are asked for as `UpTo`.
    Exactly(u16),
    /// So many octets at most, and no more than fit the buffer.
    UpTo(u16),
}

/// Says that the real limit follows.
const LIMIT_FOLLOWS: u16 = 0xbabe;

impl Field for BufferSize {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(match reader.u16(expected)? {
            LIMIT_FOLLOWS => Self::UpTo(reader.u16(expected)?),
            size => Self::Exactly(size),
        })
    }

    fn write(&self, writer: &mut Writer) {
        let limit = match *self {
            Self::Exactly(LIMIT_FOLLOWS) => LIMIT_FOLLOWS,
            Self::Exactly(size) => return writer.u16(size),
            Self::UpTo(limit) => limit,
        };
        writer.u16(LIMIT_FOLLOWS);
        writer.u16(limit);
    }
}

/// How an upload went. Source: MS-OXCROPS 2.2.12.2.2.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PutBuffer {
    /// To be ignored.
    pub transfer_status: u16,
    /// Steps done, for display.
    pub in_progress_count: u16,
    /// All steps, about, for display.
    pub total_step_count: u16,
    /// Reserved, 0.
    pub reserved: u8,
    /// How many octets were taken.
    pub buffer_used_size: u16,
}

impl Field for PutBuffer {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self {
            transfer_status: reader.u16(expected)?,
            in_progress_count: reader.u16(expected)?,
            total_step_count: reader.u16(expected)?,
            reserved: reader.u8(expected)?,
            buffer_used_size: reader.u16(expected)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.transfer_status);
        writer.u16(self.in_progress_count);
        writer.u16(self.total_step_count);
        writer.u8(self.reserved);
        writer.u16(self.buffer_used_size);
    }
}

/// How an upload of several packed buffers went. Source: MS-OXCROPS 2.2.12.3.2.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PutBufferExtended {
    /// To be ignored.
    pub transfer_status: u16,
    /// Steps done, for display.
    pub in_progress_count: u32,
    /// All steps, about, for display.
    pub total_step_count: u32,
    /// Reserved, 0.
    pub reserved: u8,
    /// How many octets were taken.
    pub buffer_used_size: u16,
}

impl Field for PutBufferExtended {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self {
            transfer_status: reader.u16(expected)?,
            in_progress_count: reader.u32(expected)?,
            total_step_count: reader.u32(expected)?,
            reserved: reader.u8(expected)?,
            buffer_used_size: reader.u16(expected)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.transfer_status);
        writer.u32(self.in_progress_count);
        writer.u32(self.total_step_count);
        writer.u8(self.reserved);
        writer.u16(self.buffer_used_size);
    }
}
