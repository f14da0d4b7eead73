//! Long values as streams. Source: MS-OXCROPS 2.2.9, MS-OXCPRPT 2.2.14–27.

use mapi_types::PropTag;

use super::{field::Field, layout::rops};
use crate::cursor::{Reader, Result, Writer};

rops! {
    /// Opens a value as a stream. Source: MS-OXCROPS 2.2.9.1.
    0x2b OpenStream (input output) {
        /// The property.
        property_tag: PropTag,
        /// [`Self::READ_ONLY`] and so on.
        open_mode_flags: u8,
    } => OpenStreamResponse {
        /// Octets in it.
        stream_size: u32,
    }

    /// Reads on. Source: MS-OXCROPS 2.2.9.2.
    0x2c ReadStream (input) {
        /// How much.
        byte_count: ByteCount,
    } => ReadStreamResponse {
        /// The octets; none at the end.
        data: Box<[u8]>,
    }

    /// Writes on. Source: MS-OXCROPS 2.2.9.3.
    0x2d WriteStream (input) {
        /// The octets.
        data: Box<[u8]>,
    } => WriteStreamResponse {
        /// How many were taken.
        written_size: u16,
    }

    /// Writes on, from several packed buffers. Source: MS-OXCROPS 2.2.9.4.
    0xa3 WriteStreamExtended (input) {
        /// The octets.
        data: Box<[u8]>,
    } => WriteStreamExtendedResponse {
        /// How many were taken, of all buffers.
        written_size: u32,
    }

    /// Makes what was written part of the object. Source: MS-OXCROPS 2.2.9.5.
    0x5d CommitStream (input) {} => CommitStreamResponse {}

    /// Asks how long a stream is. Source: MS-OXCROPS 2.2.9.6.
    0x5e GetStreamSize (input) {} => GetStreamSizeResponse {
        /// Octets in it.
        stream_size: u32,
    }

    /// Makes a stream longer or shorter. Source: MS-OXCROPS 2.2.9.7.
    0x2f SetStreamSize (input) {
        /// Octets it shall have.
        stream_size: u64,
    } => SetStreamSizeResponse {}

    /// Goes to another place. Source: MS-OXCROPS 2.2.9.8.
    0x2e SeekStream (input) {
        /// From where: 0 the beginning, 1 the current place, 2 the end.
        origin: u8,
        /// How far.
        offset: i64,
    } => SeekStreamResponse {
        /// The new place, from the beginning.
        new_position: u64,
    }

    /// Copies from one stream to another. Source: MS-OXCROPS 2.2.9.9.
    0x3a CopyToStream (source destination) {
        /// How much.
        byte_count: u64,
    } => CopyToStreamResponse {
        /// How much was read.
        read_byte_count: u64,
        /// How much was written.
        written_byte_count: u64,
    }

    /// Keeps others from a part of a stream. Source: MS-OXCROPS 2.2.9.10.
    0x5b LockRegionStream (input) {
        /// Where it begins.
        region_offset: u64,
        /// How long it is.
        region_size: u64,
        /// 1: others may read; else nobody else may do anything.
        lock_flags: u32,
    } => LockRegionStreamResponse {}

    /// Lets others to a part of a stream again. Source: MS-OXCROPS 2.2.9.11.
    0x5c UnlockRegionStream (input) {
        /// Where it begins.
        region_offset: u64,
        /// How long it is.
        region_size: u64,
        /// As when it was locked.
        lock_flags: u32,
    } => UnlockRegionStreamResponse {}

    /// Writes on and commits. Source: MS-OXCROPS 2.2.9.12.
    0x90 WriteAndCommitStream (input) {
        /// The octets.
        data: Box<[u8]>,
    } => WriteAndCommitStreamResponse {
        /// How many were taken.
        written_size: u16,
    }

    /// Opens the same stream again. Source: MS-OXCROPS 2.2.9.13.
    0x3b CloneStream (input output) {} => CloneStreamResponse {}
}

impl OpenStream {
    /// OpenModeFlags: for reading.
    pub const READ_ONLY: u8 = 0x00;
    /// OpenModeFlags: for reading and writing.
    pub const READ_WRITE: u8 = 0x01;
    /// OpenModeFlags: for writing, from nothing.
    pub const CREATE: u8 = 0x02;
}

/// How much to read. Source: MS-OXCROPS 2.2.9.2.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ByteCount {
    /// So many octets; 0xBABE of them are asked for as `UpTo`.
    Exactly(u16),
    /// So many octets at most, and no more than fit the buffer.
    UpTo(u32),
}

/// Says that the real limit follows.
const LIMIT_FOLLOWS: u16 = 0xbabe;

impl Field for ByteCount {
    fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(match reader.u16(expected)? {
            LIMIT_FOLLOWS => Self::UpTo(reader.u32(expected)?),
            count => Self::Exactly(count),
        })
    }

    fn write(&self, writer: &mut Writer) {
        let limit = match *self {
            Self::Exactly(LIMIT_FOLLOWS) => LIMIT_FOLLOWS.into(),
            Self::Exactly(count) => return writer.u16(count),
            Self::UpTo(limit) => limit,
        };
        writer.u16(LIMIT_FOLLOWS);
        writer.u32(limit);
    }
}
