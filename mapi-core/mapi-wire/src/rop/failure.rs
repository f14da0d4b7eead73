//! Responses of ROPs that failed. Source: MS-OXCROPS 2.2, the "failure response buffer" of each ROP.

use super::{
    fast_transfer::{
        FastTransferDestinationPutBuffer, FastTransferDestinationPutBufferExtended,
        FastTransferSourceGetBuffer, PutBuffer, PutBufferExtended,
    },
    field::{Context, Field},
    folder::{
        CopyFolder, DeleteFolder, DeleteMessages, EmptyFolder, HardDeleteMessages,
        HardDeleteMessagesAndSubfolders, MoveCopyMessages, MoveFolder,
    },
    logon::Logon,
    message::SetReadFlags,
    property::{CopyProperties, CopyTo},
    stream::{CopyToStream, ReadStream, WriteAndCommitStream, WriteStream, WriteStreamExtended},
};
use crate::cursor::{Reader, Result, Writer};

/// A ROP failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// RopId as it stands in the response: RopGetMessageStatus answers with that of RopSetMessageStatus.
    pub rop_id: u8,
    /// The slot that the request named for the response.
    pub index: u8,
    /// ReturnValue: why; never 0. Source: MS-OXCDATA 2.4.
    pub code: u32,
    /// DestHandleIndex, with [`Failed::NULL_DESTINATION`] only.
    pub destination: Option<u32>,
    /// What else the server says.
    pub details: Details,
}

/// What a server says beside the code of a failure.
#[derive(Clone, Debug, PartialEq)]
pub enum Details {
    /// Nothing.
    None,
    /// RopLogon: the mailbox is elsewhere. Source: MS-OXCROPS 2.2.3.1.4.
    Redirect {
        /// As in the request.
        logon_flags: u8,
        /// Where it is, with its NUL. At most 255 octets; more are cut off when it is written.
        server_name: Box<[u8]>,
    },
    /// Whether only a part failed. Source: MS-OXCROPS 2.2.4.
    Partial(bool),
    /// RopReadStream: what was read.
    Read(Box<[u8]>),
    /// RopWriteStream, RopWriteAndCommitStream: how much was taken.
    Written(u16),
    /// RopWriteStreamExtended: how much was taken.
    WrittenExtended(u32),
    /// RopCopyToStream.
    Copied {
        /// How much was read.
        read_byte_count: u64,
        /// How much was written.
        written_byte_count: u64,
    },
    /// RopFastTransferDestinationPutBuffer.
    PutBuffer(PutBuffer),
    /// RopFastTransferDestinationPutBufferExtended.
    PutBufferExtended(PutBufferExtended),
    /// RopFastTransferSourceGetBuffer. Source: MS-OXCROPS 2.2.12.4.2.
    GetBuffer {
        /// [`super::transfer_status`].
        transfer_status: u16,
        /// Steps done.
        in_progress_count: u16,
        /// All steps, about.
        total_step_count: u16,
        /// Reserved, 0.
        reserved: u8,
        /// What there is all the same, or how long to wait.
        rest: GetBufferRest,
    },
}

/// The end of a failed RopFastTransferSourceGetBuffer.
#[derive(Clone, Debug, PartialEq)]
pub enum GetBufferRest {
    /// With every code but [`Failed::SERVER_BUSY`].
    TransferBuffer(Box<[u8]>),
    /// With [`Failed::SERVER_BUSY`].
    Backoff {
        /// TransferBufferSize, although no buffer follows.
        transfer_buffer_size: u16,
        /// How many milliseconds to wait.
        backoff_time_ms: u32,
    },
}

impl Failed {
    /// ecWrongServer: the mailbox is elsewhere.
    pub const WRONG_SERVER: u32 = 0x0000_0478;
    /// ecServerBusy: wait.
    pub const SERVER_BUSY: u32 = 0x0000_0480;
    /// ecDstNullObject: the destination handle is not one.
    pub const NULL_DESTINATION: u32 = 0x0000_0503;

    /// Reads what follows ReturnValue.
    ///
    /// The documents give some ROPs fields even when they fail. gromox leaves some of these out; they are missing
    /// when the next response begins at once.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        (rop_id, index): (u8, u8),
        context: Context<'_>,
    ) -> Result<Self> {
        let code = context.code;
        let mut destination = None;
        let details = match Shape::of(rop_id, code) {
            Some(shape) if !context.ends_here(reader) => {
                if code == Self::NULL_DESTINATION && shape.has_destination() {
                    destination = Some(reader.u32("the slot of a destination")?);
                }
                shape.read(reader)?
            }
            _ => Details::None,
        };
        Ok(Self {
            rop_id,
            index,
            code,
            destination,
            details,
        })
    }

    /// Writes what follows ReturnValue.
    pub(super) fn write(&self, writer: &mut Writer) {
        if let Some(destination) = self.destination {
            writer.u32(destination);
        }
        self.details.write(writer);
    }
}

/// Which fields a ROP has when it fails.
#[derive(Clone, Copy)]
enum Shape {
    Redirect,
    /// Those that copy properties have a destination or nothing.
    CopiedProperties,
    /// With a destination.
    PartialOfTwo,
    Partial,
    Read,
    Written,
    WrittenExtended,
    /// With a destination.
    CopiedStream,
    PutBuffer,
    PutBufferExtended,
    GetBuffer {
        busy: bool,
    },
}

impl Shape {
    const fn of(rop_id: u8, code: u32) -> Option<Self> {
        Some(match rop_id {
            Logon::ROP_ID if code == Failed::WRONG_SERVER => Self::Redirect,
            CopyTo::ROP_ID | CopyProperties::ROP_ID if code == Failed::NULL_DESTINATION => {
                Self::CopiedProperties
            }
            MoveCopyMessages::ROP_ID | MoveFolder::ROP_ID | CopyFolder::ROP_ID => {
                Self::PartialOfTwo
            }
            DeleteFolder::ROP_ID
            | EmptyFolder::ROP_ID
            | DeleteMessages::ROP_ID
            | HardDeleteMessages::ROP_ID
            | HardDeleteMessagesAndSubfolders::ROP_ID
            | SetReadFlags::ROP_ID => Self::Partial,
            ReadStream::ROP_ID => Self::Read,
            WriteStream::ROP_ID | WriteAndCommitStream::ROP_ID => Self::Written,
            WriteStreamExtended::ROP_ID => Self::WrittenExtended,
            CopyToStream::ROP_ID => Self::CopiedStream,
            FastTransferDestinationPutBuffer::ROP_ID => Self::PutBuffer,
            FastTransferDestinationPutBufferExtended::ROP_ID => Self::PutBufferExtended,
            FastTransferSourceGetBuffer::ROP_ID => Self::GetBuffer {
                busy: code == Failed::SERVER_BUSY,
            },
            _ => return None,
        })
    }

    const fn has_destination(self) -> bool {
        matches!(
            self,
            Self::CopiedProperties | Self::PartialOfTwo | Self::CopiedStream
        )
    }

    fn read(self, reader: &mut Reader<'_>) -> Result<Details> {
        Ok(match self {
            Self::Redirect => {
                let logon_flags = reader.u8("logon flags")?;
                let size = reader.u8("the size of a server's name")?;
                let server_name = reader.take(size.into(), "a server's name")?.into();
                Details::Redirect {
                    logon_flags,
                    server_name,
                }
            }
            Self::CopiedProperties => Details::None,
            Self::Partial | Self::PartialOfTwo => {
                Details::Partial(reader.bool("whether a part was done")?)
            }
            Self::Read => Details::Read(Field::read(reader, "what was read")?),
            Self::Written => Details::Written(reader.u16("how much was written")?),
            Self::WrittenExtended => Details::WrittenExtended(reader.u32("how much was written")?),
            Self::CopiedStream => Details::Copied {
                read_byte_count: reader.u64("how much was read")?,
                written_byte_count: reader.u64("how much was written")?,
            },
            Self::PutBuffer => Details::PutBuffer(Field::read(reader, "how an upload went")?),
            Self::PutBufferExtended => {
                Details::PutBufferExtended(Field::read(reader, "how an upload went")?)
            }
            Self::GetBuffer { busy } => read_get_buffer(reader, busy)?,
        })
    }
}

fn read_get_buffer(reader: &mut Reader<'_>, busy: bool) -> Result<Details> {
    Ok(Details::GetBuffer {
        transfer_status: reader.u16("a transfer status")?,
        in_progress_count: reader.u16("a count of steps")?,
        total_step_count: reader.u16("a count of steps")?,
        reserved: reader.u8("a reserved field")?,
        rest: match busy {
            true => GetBufferRest::Backoff {
                transfer_buffer_size: reader.u16("the size of a transfer buffer")?,
                backoff_time_ms: reader.u32("how long to wait")?,
            },
            false => GetBufferRest::TransferBuffer(Field::read(reader, "a transfer buffer")?),
        },
    })
}

impl Details {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::None => {}
            Self::Redirect {
                logon_flags,
                server_name,
            } => {
                let name = server_name
                    .get(..usize::from(u8::MAX))
                    .unwrap_or(server_name);
                writer.u8(*logon_flags);
                writer.u8(name.len() as u8);
                writer.put(name);
            }
            Self::Partial(partial) => writer.bool(*partial),
            Self::Read(data) => data.write(writer),
            Self::Written(size) => writer.u16(*size),
            Self::WrittenExtended(size) => writer.u32(*size),
            Self::Copied {
                read_byte_count,
                written_byte_count,
            } => {
                writer.u64(*read_byte_count);
                writer.u64(*written_byte_count);
            }
            Self::PutBuffer(result) => result.write(writer),
            Self::PutBufferExtended(result) => result.write(writer),
            Self::GetBuffer {
                transfer_status,
                in_progress_count,
                total_step_count,
                reserved,
                rest,
            } => {
                writer.u16(*transfer_status);
                writer.u16(*in_progress_count);
                writer.u16(*total_step_count);
                writer.u8(*reserved);
                rest.write(writer);
            }
        }
    }
}

impl GetBufferRest {
    fn write(&self, writer: &mut Writer) {
        match self {
            Self::TransferBuffer(buffer) => buffer.write(writer),
            Self::Backoff {
                transfer_buffer_size,
                backoff_time_ms,
            } => {
                writer.u16(*transfer_buffer_size);
                writer.u32(*backoff_time_ms);
            }
        }
    }
}
