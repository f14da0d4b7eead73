//! Sending. Source: MS-OXCROPS 2.2.7, MS-OXOMSG 2.2.3.

use super::{
    field::{Context, Field, cstr},
    layout::rops,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Id,
    value::TaggedValue,
};

rops! {
    /// Sends a message. Source: MS-OXCROPS 2.2.7.1.
    0x32 SubmitMessage (input) {
        /// 0, or [`Self::PRE_PROCESS`], [`Self::NEEDS_SPOOLER`].
        submit_flags: u8,
    } => SubmitMessageResponse {}

    /// Takes a message back before it is sent. Source: MS-OXCROPS 2.2.7.2.
    0x34 AbortSubmit (input) {
        /// Its folder.
        folder_id: Id,
        /// The message.
        message_id: Id,
    } => AbortSubmitResponse {}

    /// Asks which kinds of address the server can send to. Source: MS-OXCROPS 2.2.7.3.
    0x49 GetAddressTypes (input) {} => GetAddressTypesResponse {
        /// The kinds, such as SMTP, without NUL.
        address_types: Vec<Box<[u8]>> [address_types],
    }

    /// Says that this client sends what needs a client. Source: MS-OXCROPS 2.2.7.4.
    0x47 SetSpooler (input) {} => SetSpoolerResponse {}

    /// Keeps a message from other clients while it is sent. Source: MS-OXCROPS 2.2.7.5.
    0x48 SpoolerLockMessage (input) {
        /// The message.
        message_id: Id,
        /// 0 lock, 1 unlock, 2 done.
        lock_state: u8,
    } => SpoolerLockMessageResponse {}

    /// Sends a message and keeps no copy. Source: MS-OXCROPS 2.2.7.6.
    0x4a TransportSend (input) {} => TransportSendResponse {
        /// Whether there are no properties.
        no_properties_returned: bool,
        /// Properties of the message that was sent; where there are none, some servers leave the list out.
        property_values: Option<Vec<TaggedValue>> [sent_values no_properties_returned],
    }

    /// Says that a message has come. Source: MS-OXCROPS 2.2.7.7.
    0x51 TransportNewMail (input) {
        /// The message.
        message_id: Id,
        /// Its folder.
        folder_id: Id,
        /// Its class, without NUL.
        message_class: Box<[u8]> [cstr],
        /// PidTagMessageFlags.
        message_flags: u32,
    } => TransportNewMailResponse {}

    /// Asks for the folder of messages in transport. Source: MS-OXCROPS 2.2.7.8.
    0x6d GetTransportFolder (input) {} => GetTransportFolderResponse {
        /// The folder.
        folder_id: Id,
    }

    /// Asks for the options of a kind of address. Source: MS-OXCROPS 2.2.7.9.
    0x6f OptionsData (input) {
        /// The kind, without NUL.
        address_type: Box<[u8]> [cstr],
        /// Whether the help file shall be one of 32-bit Windows.
        want_win32: bool,
    } => OptionsDataResponse {
        /// Reserved, 1.
        reserved: u8,
        /// The options.
        options_info: Box<[u8]>,
        /// Help about them.
        help: Option<HelpFile> [help],
    }
}

impl SubmitMessage {
    /// SubmitFlags: the server has to work on it first.
    pub const PRE_PROCESS: u8 = 0x01;
    /// SubmitFlags: a client has to work on it first.
    pub const NEEDS_SPOOLER: u8 = 0x02;
}

/// Help about the options of a kind of address. Source: MS-OXCROPS 2.2.7.9.2.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HelpFile {
    /// The file; not empty, or it is as if there were none.
    pub data: Box<[u8]>,
    /// Its name, without NUL.
    pub name: Box<[u8]>,
}

mod sent_values {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        context: Context<'_>,
        expected: &'static str,
        none: &bool,
    ) -> Result<Option<Vec<TaggedValue>>> {
        match *none && context.ends_here(reader) {
            true => Ok(None),
            false => Field::read(reader, expected).map(Some),
        }
    }

    pub(super) fn write(values: &Option<Vec<TaggedValue>>, writer: &mut Writer, none: &bool) {
        match values {
            Some(values) => values.write(writer),
            None if *none => {}
            None => writer.u16(0),
        }
    }
}

mod help {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Option<HelpFile>> {
        let data: Box<[u8]> = Field::read(reader, expected)?;
        match data.is_empty() {
            true => Ok(None),
            false => Ok(Some(HelpFile {
                data,
                name: reader.cstr(expected)?.into(),
            })),
        }
    }

    pub(super) fn write(help: &Option<HelpFile>, writer: &mut Writer) {
        match help {
            Some(help) if !help.data.is_empty() => {
                help.data.write(writer);
                writer.cstr(&help.name);
            }
            _ => writer.u16(0),
        }
    }
}

/// Strings after their count and their size in octets.
mod address_types {
    use super::*;

    pub(super) fn read(
        reader: &mut Reader<'_>,
        _: Context<'_>,
        expected: &'static str,
    ) -> Result<Vec<Box<[u8]>>> {
        let count = reader.u16(expected)?;
        let size = usize::from(reader.u16(expected)?);
        let mut inner = reader.window(size, expected)?;
        let types = (0..count)
            .map(|_| Ok(inner.cstr(expected)?.into()))
            .collect::<Result<_>>()?;
        inner.finish("the end of the address types")?;
        Ok(types)
    }

    pub(super) fn write(types: &[Box<[u8]>], writer: &mut Writer) {
        writer.u16(types.len() as u16);
        let start = writer.len();
        writer.u16(0);
        for one in types {
            writer.cstr(one);
        }
        writer.set_u16(start, (writer.len() - start - 2) as u16);
    }
}
