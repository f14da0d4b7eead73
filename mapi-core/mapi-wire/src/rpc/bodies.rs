//! What packets of DCE RPC carry between header and trailer. Source: C706 12.6.4, MS-RPCE 2.2.2.

use super::{
    pdu::{TRAILER_BYTES, flags},
    rts::Rts,
};
use crate::{
    cursor::{Reader, Result, Writer},
    ids::Guid,
};

/// The most transfer syntaxes, contexts and results we write: their counts are octets.
const SYNTAXES_MAX: usize = 255;

pub(super) const REQUEST: u8 = 0;
pub(super) const RESPONSE: u8 = 2;
const FAULT: u8 = 3;
const BIND: u8 = 11;
const BIND_ACK: u8 = 12;
const BIND_NAK: u8 = 13;
const ALTER_CONTEXT: u8 = 14;
const ALTER_CONTEXT_RESPONSE: u8 = 15;
const AUTH3: u8 = 16;
const RTS: u8 = 20;

/// What a packet is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// A client names the interfaces it wants.
    Bind(Bind),
    /// The server takes them, or some.
    BindAck(BindAck),
    /// The server takes none.
    BindNak {
        /// Why: 4 version of the protocol, 8 kind of authentication, …
        reason: u16,
        /// What else it says.
        rest: Box<[u8]>,
    },
    /// A client names more interfaces.
    AlterContext(Bind),
    /// The answer to that.
    AlterContextResponse(BindAck),
    /// The last message of an authentication; not answered.
    Auth3,
    /// A call, or a part of it.
    Request(Request),
    /// Its answer, or a part of it.
    Response(Response),
    /// The call failed.
    Fault(Fault),
    /// Controls the channels.
    Rts(Rts),
    /// Another kind, by number.
    Other {
        /// The kind.
        kind: u8,
        /// All after the header.
        bytes: Box<[u8]>,
    },
}

/// An interface or a way of writing, with its version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Syntax {
    /// Which.
    pub uuid: Guid,
    /// Its version.
    pub major: u16,
    /// Its smaller version.
    pub minor: u16,
}

/// Source: C706 12.6.4.3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bind {
    /// The largest packet the client sends.
    pub xmit_fragment_max: u16,
    /// The largest it receives.
    pub receive_fragment_max: u16,
    /// 0, or the group of connections it joins.
    pub association_group: u32,
    /// The interfaces.
    pub contexts: Vec<Context>,
}

/// An interface that a client wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    /// Names it in calls.
    pub id: u16,
    /// The interface.
    pub interface: Syntax,
    /// Ways of writing that the client offers.
    pub transfer: Vec<Syntax>,
}

/// Source: C706 12.6.4.4.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BindAck {
    /// The largest packet the server sends.
    pub xmit_fragment_max: u16,
    /// The largest it receives.
    pub receive_fragment_max: u16,
    /// The group of connections.
    pub association_group: u32,
    /// The server's port as text, with its NUL; may be empty.
    pub secondary_address: Box<[u8]>,
    /// One for each context.
    pub results: Vec<ContextResult>,
}

/// Whether the server takes an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ContextResult {
    /// 0 taken, 1 the client refuses, 2 the server refuses, 3 a negotiation of features.
    pub result: u16,
    /// Why not.
    pub reason: u16,
    /// The way of writing that was chosen.
    pub transfer: Syntax,
}

/// Source: C706 12.6.4.9.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// About how many octets the whole stub has.
    pub alloc_hint: u32,
    /// The interface.
    pub context_id: u16,
    /// The call.
    pub opnum: u16,
    /// An object; nobody uses it here.
    pub object: Option<Guid>,
    /// The arguments, or a part of them.
    pub stub: Box<[u8]>,
}

/// Source: C706 12.6.4.10.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Response {
    /// About how many octets the whole stub has.
    pub alloc_hint: u32,
    /// The interface.
    pub context_id: u16,
    /// How often the call was cancelled.
    pub cancel_count: u8,
    /// The results, or a part of them.
    pub stub: Box<[u8]>,
}

/// Source: C706 12.6.4.7.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// No meaning.
    pub alloc_hint: u32,
    /// The interface.
    pub context_id: u16,
    /// How often the call was cancelled.
    pub cancel_count: u8,
    /// Why it failed, such as 5 (access denied), 0x6f7 (bad stub) or 0x1c010003 (unknown interface).
    pub status: u32,
    /// What else it says; 4 reserved octets at least, from most.
    pub rest: Box<[u8]>,
}

impl Body {
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::Bind(_) => BIND,
            Self::BindAck(_) => BIND_ACK,
            Self::BindNak { .. } => BIND_NAK,
            Self::AlterContext(_) => ALTER_CONTEXT,
            Self::AlterContextResponse(_) => ALTER_CONTEXT_RESPONSE,
            Self::Auth3 => AUTH3,
            Self::Request(_) => REQUEST,
            Self::Response(_) => RESPONSE,
            Self::Fault(_) => FAULT,
            Self::Rts(_) => RTS,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// Reads the body of a packet of a kind, with the flags of its header.
    pub(super) fn read(reader: &mut Reader<'_>, kind: u8, packet_flags: u8) -> Result<Self> {
        Ok(match kind {
            BIND => Self::Bind(Bind::read(reader)?),
            BIND_ACK => Self::BindAck(BindAck::read(reader)?),
            BIND_NAK => Self::BindNak {
                reason: reader.u16("a reason")?,
                rest: reader.rest().into(),
            },
            ALTER_CONTEXT => Self::AlterContext(Bind::read(reader)?),
            ALTER_CONTEXT_RESPONSE => Self::AlterContextResponse(BindAck::read(reader)?),
            AUTH3 => {
                reader.take(4, "four octets of padding")?;
                reader.finish("the end of the packet")?;
                Self::Auth3
            }
            REQUEST => Self::Request(Request::read(reader, packet_flags)?),
            RESPONSE => Self::Response(Response::read(reader)?),
            FAULT => Self::Fault(Fault::read(reader)?),
            RTS => Self::Rts(Rts::read(reader)?),
            kind => Self::Other {
                kind,
                bytes: reader.rest().into(),
            },
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Bind(bind) | Self::AlterContext(bind) => bind.write(writer),
            Self::BindAck(ack) | Self::AlterContextResponse(ack) => ack.write(writer),
            Self::BindNak { reason, rest } => {
                writer.u16(*reason);
                writer.put(rest);
            }
            Self::Auth3 => writer.u32(0),
            Self::Request(request) => request.write(writer),
            Self::Response(response) => response.write(writer),
            Self::Fault(fault) => fault.write(writer),
            Self::Rts(rts) => rts.write(writer),
            Self::Other { bytes, .. } => writer.put(bytes),
        }
    }
}

impl Syntax {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            uuid: Guid::read(reader)?,
            major: reader.u16("a version")?,
            minor: reader.u16("a smaller version")?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.uuid.0);
        writer.u16(self.major);
        writer.u16(self.minor);
    }
}

impl Bind {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let xmit_fragment_max = reader.u16("the largest packet sent")?;
        let receive_fragment_max = reader.u16("the largest packet received")?;
        let association_group = reader.u32("an association group")?;
        let count = reader.u8("a count of contexts")?;
        reader.take(3, "reserved octets")?;
        let contexts = (0..count)
            .map(|_| Context::read(reader))
            .collect::<Result<_>>()?;
        reader.finish("the end of the packet")?;
        Ok(Self {
            xmit_fragment_max,
            receive_fragment_max,
            association_group,
            contexts,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.xmit_fragment_max);
        writer.u16(self.receive_fragment_max);
        writer.u32(self.association_group);
        let contexts = self.contexts.get(..SYNTAXES_MAX).unwrap_or(&self.contexts);
        writer.put(&[contexts.len() as u8, 0, 0, 0]);
        for context in contexts {
            context.write(writer);
        }
    }
}

impl Context {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let id = reader.u16("the number of a context")?;
        let count = reader.u8("a count of transfer syntaxes")?;
        reader.u8("a reserved octet")?;
        Ok(Self {
            id,
            interface: Syntax::read(reader)?,
            transfer: (0..count)
                .map(|_| Syntax::read(reader))
                .collect::<Result<_>>()?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let transfer = self.transfer.get(..SYNTAXES_MAX).unwrap_or(&self.transfer);
        writer.u16(self.id);
        writer.put(&[transfer.len() as u8, 0]);
        self.interface.write(writer);
        for syntax in transfer {
            syntax.write(writer);
        }
    }
}

impl BindAck {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let xmit_fragment_max = reader.u16("the largest packet sent")?;
        let receive_fragment_max = reader.u16("the largest packet received")?;
        let association_group = reader.u32("an association group")?;
        let len = usize::from(reader.u16("the length of an address")?);
        let secondary_address = reader.take(len, "an address")?.into();
        let padding = reader.position().next_multiple_of(4) - reader.position();
        reader.take(padding, "padding")?;
        let count = reader.u8("a count of results")?;
        reader.take(3, "reserved octets")?;
        let results = (0..count)
            .map(|_| ContextResult::read(reader))
            .collect::<Result<_>>()?;
        if reader.remaining() == TRAILER_BYTES {
            // gromox 3.10 writes a trailer although there is no authentication behind it.
            reader.take(TRAILER_BYTES, "a trailer")?;
        }
        reader.finish("the end of the packet")?;
        Ok(Self {
            xmit_fragment_max,
            receive_fragment_max,
            association_group,
            secondary_address,
            results,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u16(self.xmit_fragment_max);
        writer.u16(self.receive_fragment_max);
        writer.u32(self.association_group);
        writer.u16(self.secondary_address.len() as u16);
        writer.put(&self.secondary_address);
        while !writer.len().is_multiple_of(4) {
            writer.u8(0);
        }
        let results = self.results.get(..SYNTAXES_MAX).unwrap_or(&self.results);
        writer.put(&[results.len() as u8, 0, 0, 0]);
        for result in results {
            writer.u16(result.result);
            writer.u16(result.reason);
            result.transfer.write(writer);
        }
    }
}

impl ContextResult {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            result: reader.u16("a result")?,
            reason: reader.u16("a reason")?,
            transfer: Syntax::read(reader)?,
        })
    }
}

impl Request {
    fn read(reader: &mut Reader<'_>, packet_flags: u8) -> Result<Self> {
        let alloc_hint = reader.u32("a size of the stub")?;
        let context_id = reader.u16("the number of a context")?;
        let opnum = reader.u16("the number of a call")?;
        let object = match packet_flags & flags::OBJECT {
            0 => None,
            _ => Some(Guid::read(reader)?),
        };
        Ok(Self {
            alloc_hint,
            context_id,
            opnum,
            object,
            stub: reader.rest().into(),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.alloc_hint);
        writer.u16(self.context_id);
        writer.u16(self.opnum);
        if let Some(object) = self.object {
            writer.put(&object.0);
        }
        writer.put(&self.stub);
    }
}

impl Response {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let alloc_hint = reader.u32("a size of the stub")?;
        let context_id = reader.u16("the number of a context")?;
        let cancel_count = reader.u8("a count of cancels")?;
        reader.u8("a reserved octet")?;
        Ok(Self {
            alloc_hint,
            context_id,
            cancel_count,
            stub: reader.rest().into(),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.alloc_hint);
        writer.u16(self.context_id);
        writer.put(&[self.cancel_count, 0]);
        writer.put(&self.stub);
    }
}

impl Fault {
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let alloc_hint = reader.u32("a size of the stub")?;
        let context_id = reader.u16("the number of a context")?;
        let cancel_count = reader.u8("a count of cancels")?;
        reader.u8("a reserved octet")?;
        Ok(Self {
            alloc_hint,
            context_id,
            cancel_count,
            status: reader.u32("a status")?,
            rest: reader.rest().into(),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u32(self.alloc_hint);
        writer.u16(self.context_id);
        writer.put(&[self.cancel_count, 0]);
        writer.u32(self.status);
        writer.put(&self.rest);
    }
}
