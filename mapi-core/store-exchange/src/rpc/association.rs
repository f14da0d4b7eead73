//! An association: interfaces that are bound, and calls to them, one after another.
//!
//! Source: C706 9.3, 12.6; MS-RPCE 3.3.1.5.

use std::time::Duration;

use mapi_wire::rpc::{
    Bind, BindAck, Body, Context, Pdu, Request, Syntax,
    fragments::{Assembler, fragments},
    interfaces::NDR,
    pdu::FRAGMENT_BYTES,
};
use tokio::time::Instant;

use super::{
    channels::Route,
    link::{LIFETIME, Link, undone},
    verdict,
};
use crate::{
    fault::{Fault, Result},
    session::Server,
};

/// The smallest packet that everybody takes. Source: C706 12.6.3.1.
const FRAGMENT_BYTES_MIN: u16 = 1432;

/// How long a server may think about an interface.
const BIND_SILENCE_MAX: Duration = Duration::from_secs(60);

/// Octets of a call's packets beside its stub, for each kibibyte of it. An upper bound.
const OVERHEAD_BYTES: u64 = 64;

/// Interfaces bound over a virtual connection of its own. It is good for nothing after an error, or after the future of
/// a call was dropped: see [`Self::is_intact`].
pub(crate) struct Association {
    link: Link,
    /// Interfaces by the numbers of their contexts.
    bound: Vec<Syntax>,
    /// The largest packet that the server takes.
    fragment_max: u16,
    /// Names the group of connections that share sessions.
    group: u32,
    calls: u32,
    is_intact: bool,
    /// Whether the last fault was the server's own answer, and not one of the connection.
    is_answered: bool,
}

impl Association {
    /// Opens a virtual connection and binds an interface. `group`: that of an association whose sessions are to be used;
    /// 0: none.
    ///
    /// Errors, all with nothing done: `Away`, `Busy`, `Denied`, `Moved`, `Unauthenticated`.
    pub(crate) async fn open(server: Server, interface: Syntax, group: u32) -> Result<Self> {
        Self::with_lifetime(server, interface, group, LIFETIME).await
    }

    pub(super) async fn with_lifetime(
        server: Server,
        interface: Syntax,
        group: u32,
        lifetime: u32,
    ) -> Result<Self> {
        let link = Link::open(Route(server), lifetime).await?;
        let mut association = Self {
            fragment_max: FRAGMENT_BYTES.min(link.packet_max()),
            link,
            bound: Vec::new(),
            group,
            calls: 0,
            is_intact: true,
            is_answered: false,
        };
        association.bind(interface).await?;
        Ok(association)
    }

    /// The group, for other associations that are to use the same sessions.
    pub(crate) const fn group(&self) -> u32 {
        self.group
    }

    /// Whether it may be used on.
    pub(crate) const fn is_intact(&self) -> bool {
        self.is_intact
    }

    /// Makes a call, and awaits the stub that answers it. `silence` is how long each of its packets may be waited for.
    ///
    /// Errors: `Lost` and `Malformed`; all others with nothing done: `Away`, `Busy`, `Expired`, `Denied`, `Moved`,
    /// `Unauthenticated`.
    pub(crate) async fn call(
        &mut self,
        interface: Syntax,
        opnum: u16,
        stub: &[u8],
        silence: Duration,
    ) -> Result<Vec<u8>> {
        self.is_answered = false;
        // A call that is given up halfway leaves its packets behind.
        if !std::mem::replace(&mut self.is_intact, false) {
            return Err(Fault::Away("the RPC connection is spent".into()));
        }
        let called = async {
            self.link.catch_up().await?;
            let context_id = self.context_of(interface).await?;
            self.exchange(context_id, opnum, stub, silence).await
        };
        let called = called.await;
        self.is_intact = match &called {
            Ok(_) => true,
            // The server said no: that leaves the connection as it is. A proxy that says no ends it.
            Err(fault) => {
                self.is_answered
                    && matches!(fault, Fault::Busy(_) | Fault::Denied(_) | Fault::Expired)
            }
        };
        called
    }

    async fn exchange(
        &mut self,
        context_id: u16,
        opnum: u16,
        stub: &[u8],
        silence: Duration,
    ) -> Result<Vec<u8>> {
        // Binding may have been answered.
        self.is_answered = false;
        let octets = stub.len() as u64;
        self.link
            .make_room(octets + (octets / 1024 + 1) * OVERHEAD_BYTES)
            .await?;
        let call_id = self.next_call();
        let mut left = stub.len();
        for (flags, part) in fragments(stub, self.fragment_max, 0) {
            let request = Request {
                alloc_hint: left as u32,
                context_id,
                opnum,
                object: None,
                stub: part.into(),
            };
            left -= part.len();
            let packet = Pdu {
                flags,
                call_id,
                body: Body::Request(request),
                auth: None,
            };
            self.link.send(packet.encode());
        }
        let mut assembler = Assembler::new();
        loop {
            let pdu = self.answer(call_id, silence).await?;
            match &pdu.body {
                Body::Response(part) => {
                    if let Some(stub) = assembler.push(pdu.flags, part)? {
                        return Ok(stub);
                    }
                }
                Body::Fault(fault) => {
                    self.is_answered = true;
                    return Err(verdict::fault(pdu.flags, fault));
                }
                _ => return Err(Fault::Lost("the server answers no call".into())),
            }
        }
    }

    /// The next packet that belongs to a call. Those of no call do not make it wait longer.
    async fn answer(&mut self, call_id: u32, silence: Duration) -> Result<Pdu> {
        let deadline = Instant::now().checked_add(silence);
        loop {
            let pdu = Pdu::decode(&self.link.receive(deadline).await?)?;
            if pdu.call_id == call_id {
                return Ok(pdu);
            }
            tracing::debug!(call = pdu.call_id, "a packet of no call that is under way");
        }
    }

    /// The number of an interface's context, which is bound unless it is.
    async fn context_of(&mut self, interface: Syntax) -> Result<u16> {
        let mut bound = self.bound.iter();
        if let Some(at) = bound.position(|known| *known == interface) {
            return Ok(at as u16);
        }
        self.bind(interface).await
    }

    /// Binds an interface. Source: C706 12.6.4.1, 12.6.4.3.
    async fn bind(&mut self, interface: Syntax) -> Result<u16> {
        let context_id = self.bound.len() as u16;
        let bind = Bind {
            xmit_fragment_max: self.fragment_max,
            receive_fragment_max: FRAGMENT_BYTES,
            association_group: self.group,
            contexts: vec![Context {
                id: context_id,
                interface,
                transfer: vec![NDR],
            }],
        };
        let body = match context_id {
            0 => Body::Bind(bind),
            _ => Body::AlterContext(bind),
        };
        let call_id = self.next_call();
        let packet = Pdu::whole(call_id, body, None).encode();
        self.link.make_room(packet.len() as u64).await?;
        self.link.send(packet);
        let answer = self.answer(call_id, BIND_SILENCE_MAX).await;
        let answer = answer.map_err(undone)?;
        self.is_answered = true;
        match answer.body {
            Body::BindAck(ack) => {
                self.fragment_max = self
                    .fragment_max
                    .min(ack.receive_fragment_max)
                    .max(FRAGMENT_BYTES_MIN);
                self.group = ack.association_group;
                taken(&ack)?;
            }
            Body::AlterContextResponse(ack) => taken(&ack)?,
            Body::BindNak { reason, .. } => return Err(verdict::bind_nak(reason)),
            Body::Fault(fault) => return Err(undone(verdict::fault(0, &fault))),
            _ => return Err(Fault::Away("the server binds nothing".into())),
        }
        self.bound.push(interface);
        Ok(context_id)
    }

    fn next_call(&mut self) -> u32 {
        self.calls = self.calls.wrapping_add(1);
        self.calls
    }
}

/// Whether a server takes the interface.
fn taken(ack: &BindAck) -> Result<()> {
    match ack.results.first() {
        Some(result) if result.result == 0 => Ok(()),
        _ => Err(Fault::Denied("the server does not offer this over RPC")),
    }
}
