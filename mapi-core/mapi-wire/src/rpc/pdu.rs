//! Packets of DCE RPC, connection-oriented, little-endian, with a place for what authenticates them.
//!
//! A packet that is signed or sealed is written with zeros for its signature; [`regions`] then says which octets to
//! seal and to sign, in place. The same after one has arrived, before it is read.
//!
//! Source: C706 12, MS-RPCE 2.2.2.

use std::ops::Range;

use super::bodies::{Body, REQUEST, RESPONSE, Request, Response};
use crate::cursor::{DecodeError, Reader, Result, Writer};

/// Octets of the header that all packets have.
pub const HEADER_BYTES: usize = 16;

/// Octets between the stub and the signature.
pub const TRAILER_BYTES: usize = 8;

/// The size of a packet that both ends can receive. Source: MS-RPCE 3.3.1.5.2.
pub const FRAGMENT_BYTES: u16 = 5840;

/// Stubs are padded to this before the trailer. Source: MS-RPCE 2.2.2.11 wants 4, everybody writes 16.
pub(super) const STUB_ALIGNMENT: usize = 16;

/// Little-endian integers, ASCII, IEEE floats.
const DATA_REPRESENTATION: [u8; 4] = [0x10, 0, 0, 0];

/// Flags of a packet. Source: C706 12.6.3.1.
pub mod flags {
    /// The first of a call.
    pub const FIRST: u8 = 1;
    /// The last of a call.
    pub const LAST: u8 = 2;
    /// In a bind: signatures cover the header.
    pub const SUPPORT_HEADER_SIGN: u8 = 4;
    /// The call was not begun.
    pub const DID_NOT_EXECUTE: u8 = 0x20;
    /// An object stands before the stub.
    pub const OBJECT: u8 = 0x80;
}

/// How packets are protected. Source: MS-RPCE 2.2.1.1.8.
pub mod auth_level {
    /// Signed.
    pub const PACKET_INTEGRITY: u8 = 5;
    /// Sealed: what Exchange wants.
    pub const PACKET_PRIVACY: u8 = 6;
}

/// Who protects them. Source: MS-RPCE 2.2.1.1.7.
pub mod auth_kind {
    /// SPNEGO.
    pub const NEGOTIATE: u8 = 9;
    /// NTLM.
    pub const NTLM: u8 = 10;
    /// Kerberos.
    pub const KERBEROS: u8 = 16;
}

/// A packet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pdu {
    /// See [`flags`].
    pub flags: u8,
    /// The call.
    pub call_id: u32,
    /// What it is.
    pub body: Body,
    /// What authenticates it.
    pub auth: Option<Auth>,
}

/// What authenticates a packet. Source: MS-RPCE 2.2.2.11.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Auth {
    /// Who: see [`auth_kind`].
    pub kind: u8,
    /// How: see [`auth_level`].
    pub level: u8,
    /// Which security context of the connection.
    pub context_id: u32,
    /// A token, in binds; a signature, in calls. Not empty: a packet without one has no authentication at all.
    pub value: Box<[u8]>,
}

/// Parts of a packet that authentication works on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Regions {
    /// What is sealed: the stub with its padding; empty for packets that are not of calls.
    pub sealed: Range<usize>,
    /// The signature. It covers all before it, when the header is signed, or only the sealed part.
    pub signature: Range<usize>,
}

/// How many octets the packet has that starts here; `None` while its header is not there yet.
///
/// By this a stream is cut into packets. A packet has less than 64 KiB.
pub fn length(bytes: &[u8]) -> Result<Option<usize>> {
    if bytes.len() < HEADER_BYTES {
        return Ok(None);
    }
    Ok(Some(Header::read(&mut Reader::new(bytes))?.length))
}

/// The parts that authentication works on, of a packet that is there as a whole; `None` when it has none.
pub fn regions(bytes: &[u8]) -> Result<Option<Regions>> {
    let mut reader = Reader::new(bytes);
    let header = Header::read(&mut reader)?;
    header.check_length(bytes)?;
    let Some(trailer) = header.trailer_at() else {
        return Ok(None);
    };
    let start = match header.kind {
        REQUEST if header.flags & flags::OBJECT != 0 => HEADER_BYTES + 24,
        REQUEST | RESPONSE => HEADER_BYTES + 8,
        _ => trailer,
    };
    if start > trailer {
        return Err(reader.error("a stub before the trailer"));
    }
    Ok(Some(Regions {
        sealed: start..trailer,
        signature: trailer + TRAILER_BYTES..header.length,
    }))
}

struct Header {
    kind: u8,
    flags: u8,
    length: usize,
    auth_length: usize,
    call_id: u32,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        if reader.array::<2>("version 5.0 of RPC")? != [5, 0] {
            return Err(at(0, "version 5.0 of RPC"));
        }
        let kind = reader.u8("a kind of packet")?;
        let flags = reader.u8("flags of a packet")?;
        if reader.array("a representation of data")? != DATA_REPRESENTATION {
            return Err(at(4, "little-endian data"));
        }
        let length = usize::from(reader.u16("the length of a packet")?);
        let auth_length = usize::from(reader.u16("the length of a signature")?);
        let header = Self {
            kind,
            flags,
            length,
            auth_length,
            call_id: reader.u32("the number of a call")?,
        };
        let is_sound = match auth_length {
            0 => length >= HEADER_BYTES,
            _ => length >= HEADER_BYTES + TRAILER_BYTES + auth_length,
        };
        match is_sound {
            true => Ok(header),
            false => Err(at(8, "a length that holds header and signature")),
        }
    }

    const fn check_length(&self, bytes: &[u8]) -> Result<()> {
        match self.length == bytes.len() {
            true => Ok(()),
            false => Err(at(8, "the length of this packet")),
        }
    }

    const fn trailer_at(&self) -> Option<usize> {
        match self.auth_length {
            0 => None,
            len => Some(self.length - len - TRAILER_BYTES),
        }
    }
}

const fn at(at: usize, expected: &'static str) -> DecodeError {
    DecodeError { at, expected }
}

impl Pdu {
    /// A packet that is a whole call, or needs no parts.
    pub const fn whole(call_id: u32, body: Body, auth: Option<Auth>) -> Self {
        Self {
            flags: flags::FIRST | flags::LAST,
            call_id,
            body,
            auth,
        }
    }

    /// Reads a packet, unsealed before, to the last octet.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        header.check_length(bytes)?;
        let Some(trailer) = header.trailer_at() else {
            return Ok(Self {
                flags: header.flags,
                call_id: header.call_id,
                body: Body::read(&mut reader, header.kind, header.flags)?,
                auth: None,
            });
        };
        let mut before = reader.window(trailer - HEADER_BYTES, "a body before the trailer")?;
        let kind = reader.u8("a kind of authentication")?;
        let level = reader.u8("a level of authentication")?;
        let padding = usize::from(reader.u8("a length of padding")?);
        reader.u8("a reserved octet")?;
        let context_id = reader.u32("a security context")?;
        let Some(len) = before.remaining().checked_sub(padding) else {
            return Err(at(trailer + 2, "padding within the body"));
        };
        let mut body = before.window(len, "a body")?;
        Ok(Self {
            flags: header.flags,
            call_id: header.call_id,
            body: Body::read(&mut body, header.kind, header.flags)?,
            auth: Some(Auth {
                kind,
                level,
                context_id,
                value: reader.rest().into(),
            }),
        })
    }

    /// Writes it. The length of a packet has 16 bits: the caller cuts stubs by
    /// [`super::fragments::fragments`].
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let packet_flags = match &self.body {
            Body::Request(Request {
                object: Some(_), ..
            }) => self.flags | flags::OBJECT,
            Body::Request(_) => self.flags & !flags::OBJECT,
            _ => self.flags,
        };
        writer.put(&[5, 0, self.body.kind(), packet_flags]);
        writer.put(&DATA_REPRESENTATION);
        writer.u16(0);
        writer.u16(self.auth.as_ref().map_or(0, |auth| auth.value.len() as u16));
        writer.u32(self.call_id);
        self.body.write(&mut writer);
        if let Some(auth) = &self.auth {
            let padding = match &self.body {
                Body::Request(Request { stub, .. }) | Body::Response(Response { stub, .. }) => {
                    stub.len().next_multiple_of(STUB_ALIGNMENT) - stub.len()
                }
                _ => writer.len().next_multiple_of(4) - writer.len(),
            };
            writer.put(&vec![0; padding]);
            writer.put(&[auth.kind, auth.level, padding as u8, 0]);
            writer.u32(auth.context_id);
            writer.put(&auth.value);
        }
        writer.set_u16(8, writer.len() as u16);
        writer.into_bytes()
    }
}

#[cfg(test)]
#[path = "pdu_tests.rs"]
mod tests;
